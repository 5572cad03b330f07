/* SPDX-License-Identifier: MIT */

/*
 * Compares a sound before and after weir: prints the ratio by which its pitch
 * changed, and its delay.
 *
 * usage: compare BEFORE.wav AFTER.wav        (recorded together, first channel)
 * prints: RATIO SEMITONES DELAY_MS
 *
 * A pitch shift moves the spectrum along a logarithmic frequency axis, so the
 * ratio is where the cross-correlation of both spectra on such an axis is
 * largest. The delay is where that of both energy envelopes is.
 */

#include <fftw3.h>
#include <math.h>
#include <sndfile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FFT_FRAMES 16384
#define N_BINS (FFT_FRAMES / 2 + 1)
#define LOWEST_HZ 80.0
#define CENTS_PER_STEP 2.0
#define N_STEPS 3600   /* six octaves */
#define MAX_SHIFT 1300 /* steps: 26 semitones to either side */
#define ENVELOPE_HZ 1000
#define MAX_DELAY 500 /* ms */

struct sound {
	double *sample;
	long n_frames;
	int rate;
};

static void sound_read(struct sound *sound, const char *path)
{
	SF_INFO format = { 0 };
	SNDFILE *file = sf_open(path, SFM_READ, &format);

	if (!file) {
		fprintf(stderr, "compare: cannot read %s: %s\n", path, sf_strerror(NULL));
		exit(EXIT_FAILURE);
	}

	double *all = calloc((size_t)(format.frames * format.channels), sizeof(*all));

	if (!all || sf_readf_double(file, all, format.frames) != format.frames) {
		fprintf(stderr, "compare: cannot read all of %s\n", path);
		exit(EXIT_FAILURE);
	}
	for (long i = 0; i < format.frames; i++)
		all[i] = all[i * format.channels];
	*sound = (struct sound){ all, format.frames, format.samplerate };
	sf_close(file);
}

/* The mean level in dB at each step of the logarithmic axis, less its local mean. */
static void spectrum_make(const struct sound *sound, double level[N_STEPS])
{
	static double frame[FFT_FRAMES], power[N_BINS];
	static fftw_complex bins[N_BINS];
	fftw_plan plan = fftw_plan_dft_r2c_1d(FFT_FRAMES, frame, bins, FFTW_ESTIMATE);
	double raw[N_STEPS];

	memset(power, 0, sizeof(power));
	for (long at = 0; at + FFT_FRAMES <= sound->n_frames; at += FFT_FRAMES / 4) {
		for (int i = 0; i < FFT_FRAMES; i++)
			frame[i] = sound->sample[at + i] *
				   (0.5 - 0.5 * cos(2.0 * M_PI * i / FFT_FRAMES));
		fftw_execute(plan);
		for (int k = 0; k < N_BINS; k++)
			power[k] += bins[k][0] * bins[k][0] + bins[k][1] * bins[k][1];
	}
	fftw_destroy_plan(plan);

	for (int i = 0; i < N_STEPS; i++) {
		const double hz = LOWEST_HZ * exp2(i * CENTS_PER_STEP / 1200.0);
		const double bin = hz * FFT_FRAMES / sound->rate;
		const int k = bin < N_BINS - 2 ? (int)bin : N_BINS - 2;
		const double share = fmin(bin - k, 1.0);

		raw[i] = 10.0 * log10((1.0 - share) * power[k] + share * power[k + 1] + 1e-9);
	}
	for (int i = 0; i < N_STEPS; i++) { /* 300 cents to either side */
		const int from = i > 150 ? i - 150 : 0, to = i + 150 < N_STEPS ? i + 150 : N_STEPS;
		double sum = 0.0;

		for (int j = from; j < to; j++)
			sum += raw[j];
		level[i] = raw[i] - sum / (to - from);
	}
}

/* Normalised, so that a small overlap does not count less. */
static double correlation(const double *a, const double *b, int n, int shift)
{
	double ab = 0.0, aa = 1e-12, bb = 1e-12;

	for (int i = shift < 0 ? -shift : 0; i < n && i + shift < n; i++) {
		ab += a[i] * b[i + shift];
		aa += a[i] * a[i];
		bb += b[i + shift] * b[i + shift];
	}
	return ab / sqrt(aa * bb);
}

/* The shift of the largest correlation, with the fraction that a parabola gives. */
static double best_shift(const double *a, const double *b, int n, int from, int to)
{
	int best = from;

	for (int shift = from; shift <= to; shift++)
		if (correlation(a, b, n, shift) > correlation(a, b, n, best))
			best = shift;

	const double left = correlation(a, b, n, best - 1), mid = correlation(a, b, n, best);
	const double right = correlation(a, b, n, best + 1);
	const double bend = left - 2.0 * mid + right;

	return best + (bend < 0.0 ? 0.5 * (left - right) / bend : 0.0);
}

/* How much the energy rises, per millisecond: beginnings of notes stand out. */
static double *envelope_make(const struct sound *sound, int *n)
{
	const int hop = sound->rate / ENVELOPE_HZ;
	double *rise = calloc((size_t)(sound->n_frames / hop + 1), sizeof(*rise));
	double last = 0.0;

	if (!rise)
		exit(EXIT_FAILURE);
	for (*n = 0; (long)(*n + 1) * hop <= sound->n_frames; (*n)++) {
		double energy = 1e-7;

		for (int i = 0; i < hop; i++) {
			const double x = sound->sample[(long)*n * hop + i];

			energy += x * x / hop;
		}
		rise[*n] = fmax(log(energy) - last, 0.0) * sqrt(energy);
		last = log(energy);
	}
	return rise;
}

int main(int argc, char *argv[])
{
	static double spectrum[2][N_STEPS];
	struct sound sound[2];
	double *envelope[2];
	int n[2];

	if (argc != 3) {
		fputs("usage: compare BEFORE.wav AFTER.wav\n", stderr);
		return EXIT_FAILURE;
	}
	for (int i = 0; i < 2; i++) {
		sound_read(&sound[i], argv[i + 1]);
		spectrum_make(&sound[i], spectrum[i]);
		envelope[i] = envelope_make(&sound[i], &n[i]);
	}

	const double steps = best_shift(spectrum[0], spectrum[1], N_STEPS, -MAX_SHIFT, MAX_SHIFT);
	const double delay = best_shift(envelope[0], envelope[1], n[0] < n[1] ? n[0] : n[1], 0,
					MAX_DELAY * ENVELOPE_HZ / 1000);
	const double semitones = steps * CENTS_PER_STEP / 100.0;

	printf("%.4f %.2f %.1f\n", exp2(semitones / 12.0), semitones, delay * 1000.0 / ENVELOPE_HZ);
	for (int i = 0; i < 2; i++) {
		free(sound[i].sample);
		free(envelope[i]);
	}
	return EXIT_SUCCESS;
}
