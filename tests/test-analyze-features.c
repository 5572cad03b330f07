/* SPDX-License-Identifier: MIT */

/*
 * What dsp/analyze/features.h promises, as a host sees it. The definition is written here a second
 * time, in doubles and with a plain DFT.
 */

#include <complex.h>
#include <math.h>
#include <string.h>

#include "check.h"
#include "dsp/analyze/features.h"
#include "hearing.h"

#define MAX_RATE 96000
#define MAX_WINDOW (MAX_RATE / 20)
#define MAX_BINS (MAX_WINDOW / 2)
#define MAX_REPORTS 20
#define N_FRAMES(rate) ((rate) / 5)
#define FIRST 4 /* report that knows its features: the fifth hop fills the window */
#define TOLERANCE 1e-4
#define MIN_MFCC 0.05 /* smaller ones are that exact only in the scale of this */
#define EPSILON 2.220446049250313e-16

static float input[N_FRAMES(MAX_RATE)];
static float told[MAX_REPORTS][FEATURES_VALUES], told_otherwise[MAX_REPORTS][FEATURES_VALUES];

static float noise(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return (float)*seed / 2147483648.0f - 1.0f;
}

static void input_fill_noise(uint32_t rate, float level)
{
	uint32_t seed = 11;

	for (uint32_t f = 0; f < N_FRAMES(rate); f++)
		input[f] = level * noise(&seed);
}

/* A tone and a sweep in a little noise that comes and goes. */
static void input_fill_music(uint32_t rate, float level)
{
	uint32_t seed = 12;

	for (uint32_t f = 0; f < N_FRAMES(rate); f++) {
		const double t = (double)f / rate;

		input[f] = level * (float)(0.3 * sin(2.0 * M_PI * 220.5 * t) +
					   0.2 * sin(2.0 * M_PI * (500.0 + 9000.0 * t) * t) *
						   exp(-10.0 * t)) +
			   level * 0.02f * noise(&seed) * (float)(1.0 + sin(40.0 * t));
	}
}

static void input_fill_square(uint32_t rate, float level)
{
	for (uint32_t f = 0; f < N_FRAMES(rate); f++)
		input[f] = fmod(f * 331.7 / rate, 1.0) < 0.5 ? level : -level;
}

static uint32_t tell(uint32_t rate, uint32_t block, float smoothing_ms, float *value)
{
	const struct hearing hearing = { .rate = rate,
					 .block = block,
					 .group = "features",
					 .smoothing_ms = smoothing_ms,
					 .field = "zcr",
					 .n_values = FEATURES_VALUES };

	return hearing_run(&hearing, input, N_FRAMES(rate), value);
}

static void spectrum_define(const float *x, uint32_t n, double *magnitude)
{
	static double complex turn[MAX_WINDOW];

	for (uint32_t i = 0; i < n; i++)
		turn[i] = cexp(-2.0 * M_PI * I * i / n);
	for (uint32_t k = 0; k < n / 2; k++) {
		double re = 0.0, im = 0.0;

		for (uint32_t i = 0, at = 0; i < n; i++) {
			re += (double)x[i] * creal(turn[at]);
			im += (double)x[i] * cimag(turn[at]);
			at = at + k < n ? at + k : at + k - n;
		}
		magnitude[k] = hypot(re, im) / (n / 2);
	}
}

/* Of the tenths' shares of the energy. */
static double entropy_define(const double *x, uint32_t n)
{
	double sum = EPSILON, part[11] = { 0.0 }, entropy = 0.0;

	for (uint32_t i = 0; i < n; i++) {
		part[i / (n / 10)] += x[i] * x[i];
		sum += x[i] * x[i];
	}
	for (uint32_t i = 0; i < 10; i++)
		entropy -= part[i] / sum * log2(part[i] / sum + EPSILON);
	return entropy;
}

static void sound_define(const float *sound, uint32_t n, double *value)
{
	static double x[MAX_WINDOW];
	double steps = 0.0, energy = 0.0;

	for (uint32_t i = 0; i < n; i++) {
		x[i] = (double)sound[i];
		energy += x[i] * x[i];
	}
	for (uint32_t i = 1; i < n; i++)
		steps += abs(((x[i] > 0.0) - (x[i] < 0.0)) - ((x[i - 1] > 0.0) - (x[i - 1] < 0.0)));
	value[FEATURES_ZCR] = steps / 2.0 / (n - 1);
	value[FEATURES_ENERGY] = energy / n;
	value[FEATURES_ENERGY_ENTROPY] = entropy_define(x, n);
}

static void shape_define(const double *magnitude, const double *before, uint32_t n, double *value)
{
	double sum = 0.0, sum_before = 0.0, power = 0.0, centre = 0.0, spread = 0.0, flux = 0.0;
	double logarithm = 0.0, below = EPSILON;
	uint32_t rolloff = 0;

	for (uint32_t k = 0; k < n; k++) {
		sum += magnitude[k];
		sum_before += before[k];
		power += magnitude[k] * magnitude[k];
		centre += (k + 1) * magnitude[k];
		logarithm += log(magnitude[k] * magnitude[k] + 1e-20);
	}
	centre /= sum;
	for (uint32_t k = 0; k < n; k++) {
		const double change = magnitude[k] / sum - before[k] / sum_before;

		spread += (k + 1 - centre) * (k + 1 - centre) * magnitude[k] / sum;
		flux += change * change;
	}
	while ((below += magnitude[rolloff] * magnitude[rolloff]) <= 0.9 * power)
		rolloff++;
	value[FEATURES_CENTROID] = centre / n;
	value[FEATURES_SPREAD] = sqrt(spread) / n;
	value[FEATURES_FLUX] = flux;
	value[FEATURES_ROLLOFF] = (double)rolloff / n;
	value[FEATURES_FLATNESS] = exp(logarithm / n) / (power / n + 1e-20);
	value[FEATURES_ENTROPY] = entropy_define(magnitude, n);
}

static double mel_hz(int edge)
{
	return edge < 13 ? 133.33 + edge * 200.0 / 3.0 : 933.33 * pow(1.0711703, edge - 12);
}

static void mfcc_define(const double *magnitude, uint32_t n, uint32_t rate, double *mfcc)
{
	double level[40];

	for (int m = 0; m < 40; m++) {
		const double low = mel_hz(m), centre = mel_hz(m + 1), high = mel_hz(m + 2);

		level[m] = EPSILON;
		for (uint32_t k = 0; k < n; k++) {
			const double hz = (double)k * rate / n;
			const double up = (hz - low) / (centre - low);
			const double down = (high - hz) / (high - centre);

			level[m] += magnitude[k] * 2.0 / (high - low) * fmax(0.0, fmin(up, down));
		}
	}
	for (int c = 0; c < 13; c++) {
		mfcc[c] = 0.0;
		for (int m = 0; m < 40; m++)
			mfcc[c] += sqrt((c ? 2.0 : 1.0) / 40.0) * log10(level[m]) *
				   cos(M_PI * c * (m + 0.5) / 40.0);
	}
}

/* The package's arrays, with negative places counted from their ends. */
static void chroma_define(const double *magnitude, uint32_t n, uint32_t rate, double *chroma)
{
	static double element[MAX_BINS];
	static int place[MAX_BINS];
	static uint32_t count[MAX_BINS];
	double power = 0.0;

	memset(element, 0, sizeof(element));
	memset(chroma, 0, 12 * sizeof(*chroma));
	for (uint32_t k = 0; k < n; k++) {
		place[k] = (int)rint(12.0 * log2((k + 1.0) * rate / (2.0 * n) / 27.5));
		place[k] += place[k] < 0 ? (int)n : 0;
		element[place[k]] = magnitude[k] * magnitude[k];
		power += magnitude[k] * magnitude[k];
	}
	for (uint32_t k = 0; k < n; k++) {
		count[k] = 0;
		for (uint32_t i = 0; i < n; i++)
			count[k] += place[i] == place[k];
	}
	for (uint32_t k = 0; k < n; k++)
		chroma[k % 12] += element[k] / count[place[k]] / power;
}

/* The features of the window that ends with this report, whose first frame this is. */
static void define(uint32_t rate, uint32_t first, double *value)
{
	static double magnitude[MAX_BINS], before[MAX_BINS];
	const uint32_t n = rate / 20, hop = rate / 100;

	spectrum_define(input + first, n, magnitude);
	spectrum_define(input + (first < hop ? first : first - hop), n, before);
	sound_define(input + first, n, value);
	shape_define(magnitude, before, n / 2, value);
	mfcc_define(magnitude, n / 2, rate, value + FEATURES_MFCC);
	chroma_define(magnitude, n / 2, rate, value + FEATURES_CHROMA);
}

static void check_report(uint32_t rate, uint32_t report)
{
	double value[FEATURES_VALUES];

	define(rate, (report - FIRST) * (rate / 100), value);
	for (uint32_t i = 0; i < FEATURES_VALUES; i++) {
		const double least = i >= FEATURES_MFCC && i < FEATURES_CHROMA ? MIN_MFCC : 1e-9;

		CHECK(fabs((double)told[report][i] - value[i]) <=
		      TOLERANCE * fmax(fabs(value[i]), least));
	}
}

static void test_features_are_those_of_the_definition(void)
{
	static void (*const fill[])(uint32_t rate, float level) = {
		input_fill_noise,
		input_fill_music,
		input_fill_square,
	};
	static const uint32_t rates[] = { 8000, 44100, 48000, 96000 };

	for (uint32_t r = 0; r < sizeof(rates) / sizeof(rates[0]); r++)
		for (uint32_t s = 0; s < sizeof(fill) / sizeof(fill[0]); s++) {
			fill[s](rates[r], s == 1 ? 0.01f : 0.5f);
			CHECK(tell(rates[r], 256, 0.0f, told[0]) == MAX_REPORTS);
			for (uint32_t i = 0; i < FIRST; i++)
				CHECK(isnan(told[i][0]) && isnan(told[i][FEATURES_CHROMA]));
			check_report(rates[r], FIRST);
			check_report(rates[r], FIRST + 5);
		}
}

/*
 * Square waves leave single bins empty. The rounding of a float FFT, which every machine does in
 * its own way, puts 1e-7 of the others there, and that much of nothing is 1 % of the flatness.
 */
static void test_empty_bins_are_empty(void)
{
	static const uint32_t rates[] = { 8000, 44100, 48000 };

	for (uint32_t r = 0; r < sizeof(rates) / sizeof(rates[0]); r++)
		for (double hz = 101.3; hz < 1100.0; hz *= 1.237) {
			for (uint32_t f = 0; f < N_FRAMES(rates[r]); f++)
				input[f] = fmod(f * hz / rates[r], 1.0) < 0.5 ? 0.5f : -0.5f;
			CHECK(tell(rates[r], 256, 0.0f, told[0]) == MAX_REPORTS);
			check_report(rates[r], FIRST);
			check_report(rates[r], FIRST + 3);
		}
}

static void test_the_block_changes_nothing(void)
{
	static const uint32_t blocks[] = { 1, 147, 480, 4096 };

	input_fill_music(48000, 1.0f);
	tell(48000, 256, 30.0f, told[0]);
	for (uint32_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
		CHECK(tell(48000, blocks[i], 30.0f, told_otherwise[0]) == MAX_REPORTS);
		CHECK(memcmp(told[FIRST], told_otherwise[FIRST],
			     (MAX_REPORTS - FIRST) * sizeof(told[0])) == 0);
	}
}

static void test_silence_has_features(void)
{
	memset(input, 0, sizeof(input));
	tell(44100, 256, 0.0f, told[0]);
	for (uint32_t i = 0; i < FEATURES_MFCC; i++)
		CHECK(told[FIRST][i] == (i == FEATURES_FLATNESS ? 1.0f : 0.0f));
	CHECK(fabs((double)told[FIRST][FEATURES_MFCC] - sqrt(40.0) * log10(EPSILON)) < 1e-4);
	for (uint32_t i = FEATURES_MFCC + 1; i < FEATURES_VALUES; i++)
		CHECK(fabsf(told[FIRST][i]) < 1e-6f);
}

static void test_a_constant_is_in_the_lowest_bin(void)
{
	for (uint32_t f = 0; f < N_FRAMES(48000); f++)
		input[f] = 0.25f;
	tell(48000, 256, 0.0f, told[0]);
	for (uint32_t i = 0; i < FEATURES_VALUES; i++)
		CHECK(isfinite(told[FIRST][i]));
	CHECK(told[FIRST][FEATURES_ZCR] == 0.0f && told[FIRST][FEATURES_ROLLOFF] == 0.0f);
	CHECK(fabsf(told[FIRST][FEATURES_ENERGY] - 0.0625f) < 1e-7f);
	CHECK(fabsf(told[FIRST][FEATURES_CENTROID] - 1.0f / 1200.0f) < 1e-7f);
}

static void test_smoothing_averages_over_time(void)
{
	const float keep = expf(-10.0f / 50.0f); /* the hop over the time constant */

	input_fill_music(48000, 1.0f);
	tell(48000, 256, 0.0f, told[0]);
	tell(48000, 256, 50.0f, told_otherwise[0]);
	CHECK(memcmp(told[FIRST], told_otherwise[FIRST], sizeof(told[0])) == 0);
	for (uint32_t r = FIRST + 1; r < MAX_REPORTS; r++)
		for (uint32_t i = 0; i < FEATURES_VALUES; i++) {
			const float average =
				keep * told_otherwise[r - 1][i] + (1.0f - keep) * told[r][i];

			CHECK(fabsf(told_otherwise[r][i] - average) <=
			      1e-5f * fabsf(average) + 1e-6f);
		}
}

/* hearing_run() watches: FFTW allocates while it transforms some lengths. */
static void test_no_rate_allocates(void)
{
	static const uint32_t rates[] = { 8000,	 11025, 12000, 16000, 22050, 24000, 32000, 37800,
					  44056, 44100, 47952, 48048, 50000, 64000, 88200, 95999 };

	for (uint32_t r = 0; r < sizeof(rates) / sizeof(rates[0]); r++) {
		input_fill_noise(rates[r], 0.5f);
		CHECK(tell(rates[r], 256, 0.0f, told[0]) >= MAX_REPORTS - 1);
		CHECK(isfinite(told[FIRST + 1][FEATURES_FLUX]));
	}
}

int main(void)
{
	test_features_are_those_of_the_definition();
	test_empty_bins_are_empty();
	test_the_block_changes_nothing();
	test_silence_has_features();
	test_a_constant_is_in_the_lowest_bin();
	test_smoothing_averages_over_time();
	test_no_rate_allocates();
	return 0;
}
