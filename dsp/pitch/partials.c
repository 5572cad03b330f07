/* SPDX-License-Identifier: MIT */

/*
 * A sinusoid of frequency f (in bins) and amplitude a at the start of the window w is
 *
 *	X(k) = a W(f - k) + conj(a) W(-f - k),	W(d) = sum over t of w(t) exp(i 2 pi d t / n)
 *
 * which is more than a peak: it leaks into the neighbours' bins, and they leak into its own.
 * Rotating regions of bins, as phase locking does, leaves this leakage behind or rotates it
 * by the wrong angle, and the partials begin to beat. So frequencies and amplitudes are
 * solved for jointly, peak by peak with the others subtracted (Gauss-Seidel, PASSES
 * iterations), and all leakage is then rotated with its partial:
 *
 *	Y(k) = X(k) phasor(k) + sum over partials of a W(f - k) (phasor(peak) - phasor(k))
 *
 * Sounds other than stationary sinusoids are only moved between regions with almost equal
 * phasors. f follows from the phase advance of the peak's bin, the other partials being
 * subtracted in both frames.
 */

#include "partials.h"

#include <math.h>
#include <string.h>

/* Figures: tone SINAD, 60.7 dB at 4 semitones (bench/pitch/score.py), half and twice the value. */
#define HIGHEST_HZ 1000.0 /* up to which partials are separated; 60.0, 60.7 dB */
#define PASSES 2	  /* 51.1, 60.8 dB */
#define N_POINTS 500
#define MAX_OFF 0.8f /* bins between a partial and its peak; 53.9, 60.7 dB */

void partials_init(struct partials *partials, uint32_t rate, uint32_t n_channels, uint32_t n)
{
	partials->n_channels = n_channels;
	partials->n_bins = (uint32_t)(HIGHEST_HZ / rate * n);
}

void partials_allocate(struct partials *partials, struct arena *arena)
{
	partials->shape = arena_bins(arena, PARTIALS_SHAPE);
}

/* The window's spectrum is negligible near bin N_POINTS: as many of its samples suffice. */
void partials_init_shape(struct partials *partials, const float *window, uint32_t n)
{
	const uint32_t middle = PARTIALS_REACH * PARTIALS_FINENESS, stride = n / N_POINTS + 1;

	for (uint32_t i = 0; i <= middle; i++) {
		const double step = 2.0 * M_PI * i / PARTIALS_FINENESS / n * stride;
		const double step_re = cos(step), step_im = sin(step);
		double re = 0.0, im = 0.0, phasor_re = stride, phasor_im = 0.0;

		for (uint32_t t = 0; t < n; t += stride) {
			const double last = phasor_re;

			re += window[t] * phasor_re;
			im += window[t] * phasor_im;
			phasor_re = phasor_re * step_re - phasor_im * step_im;
			phasor_im = phasor_im * step_re + last * step_im;
		}
		partials->shape[middle + i][0] = partials->shape[middle - i][0] = (float)re;
		partials->shape[middle + i][1] = (float)im;
		partials->shape[middle - i][1] = (float)-im;
	}
}

WEIR_REALTIME void partials_reset(struct partials *partials)
{
	partials->n_now = partials->n_before = 0;
}

WEIR_REALTIME void partials_skip(struct partials *partials)
{
	partials->n_before = partials->n_now;
	memcpy(partials->before, partials->now, partials->n_now * sizeof(struct partial));
	partials->n_now = 0;
}

/* W(bins); false beyond the reach. */
static WEIR_REALTIME bool shape_at(const struct partials *partials, float bins, float shape[2])
{
	const float at = (bins + PARTIALS_REACH) * PARTIALS_FINENESS;

	if (!(at >= 0.0f && at < 2 * PARTIALS_REACH * PARTIALS_FINENESS))
		return false;

	const uint32_t below = (uint32_t)at;
	const float share = at - (float)below;
	fftwf_complex *from = partials->shape + below;

	for (int j = 0; j < 2; j++)
		shape[j] = from[0][j] + share * (from[1][j] - from[0][j]);
	return true;
}

/* Subtracts a partial from bin k of each channel, or only its image at negative frequencies. */
static WEIR_REALTIME void take_away(const struct partials *partials, const struct partial *partial,
				    uint32_t k, bool only_image, float x[][2])
{
	float shape[2];

	if (!only_image && shape_at(partials, partial->frequency - (float)k, shape))
		for (uint32_t c = 0; c < partials->n_channels; c++) {
			const float *a = partial->amplitude[c];

			x[c][0] -= a[0] * shape[0] - a[1] * shape[1];
			x[c][1] -= a[0] * shape[1] + a[1] * shape[0];
		}
	if (shape_at(partials, -partial->frequency - (float)k, shape))
		for (uint32_t c = 0; c < partials->n_channels; c++) {
			const float *a = partial->amplitude[c];

			x[c][0] -= a[0] * shape[0] + a[1] * shape[1];
			x[c][1] -= a[0] * shape[1] - a[1] * shape[0];
		}
}

/* Bin k of the spectra without all partials but `own`, whose image is subtracted as well. */
static WEIR_REALTIME void take_bin(const struct partials *partials, const struct partial *list,
				   uint32_t n, uint32_t own, fftwf_complex *const spectrum[],
				   uint32_t k, float x[][2])
{
	for (uint32_t c = 0; c < partials->n_channels; c++) {
		x[c][0] = spectrum[c][k][0];
		x[c][1] = spectrum[c][k][1];
	}
	for (uint32_t i = 0; i < n; i++)
		take_away(partials, &list[i], k, i == own, x);
}

/* The partial of the preceding frame whose frequency is nearest to bin k. */
static WEIR_REALTIME uint32_t find_before(const struct partials *partials, uint32_t k)
{
	uint32_t nearest = 0;

	for (uint32_t i = 1; i < partials->n_before; i++)
		if (fabsf(partials->before[i].frequency - (float)k) <
		    fabsf(partials->before[nearest].frequency - (float)k))
			nearest = i;
	return nearest;
}

static WEIR_REALTIME void solve(struct partials *partials, uint32_t i,
				fftwf_complex *const spectrum[], double cycles)
{
	struct partial *partial = &partials->now[i];
	const uint32_t k = partial->bin;
	float x[PITCH_MAX_CHANNELS][2], re = 0.0f, im = 0.0f, shape[2] = { 1.0f, 0.0f };

	take_bin(partials, partials->now, partials->n_now, i, spectrum, k, x);
	for (uint32_t c = 0; c < partials->n_channels; c++) {
		const float *y = partial->before[c];

		re += x[c][0] * y[0] + x[c][1] * y[1];
		im += x[c][1] * y[0] - x[c][0] * y[1];
	}

	const float off = partials_off(re, im, k, cycles);

	partial->frequency = (float)k + min_f32(max_f32(off, -MAX_OFF), MAX_OFF);
	shape_at(partials, partial->frequency - (float)k, shape);

	const float scale = 1.0f / (shape[0] * shape[0] + shape[1] * shape[1]);

	for (uint32_t c = 0; c < partials->n_channels; c++) {
		partial->amplitude[c][0] = scale * (x[c][0] * shape[0] + x[c][1] * shape[1]);
		partial->amplitude[c][1] = scale * (x[c][1] * shape[0] - x[c][0] * shape[1]);
	}
}

WEIR_REALTIME void partials_find(struct partials *partials, const uint32_t *peak, uint32_t n_peaks,
				 fftwf_complex *const spectrum[],
				 fftwf_complex *const spectrum_before[], double cycles)
{
	uint32_t n = 0;

	partials_skip(partials);
	while (n < n_peaks && n < PARTIALS_MAX && peak[n] < partials->n_bins) {
		const uint32_t k = peak[n];

		partials->now[n] = (struct partial){ .bin = k, .frequency = (float)k };
		take_bin(partials, partials->before, partials->n_before, find_before(partials, k),
			 spectrum_before, k, partials->now[n].before);
		n++;
	}
	partials->n_now = n;
	for (int pass = 0; pass < PASSES; pass++)
		for (uint32_t i = 0; i < n; i++)
			solve(partials, i, spectrum, cycles);
}

/* y += a shape (phasor of the peak - phasor of the bin); that of the image is conjugated. */
static WEIR_REALTIME void rotate_bin(const float a[2], const float shape[2], const float peak[2],
				     const float phasor[2], float y[2])
{
	const float re = a[0] * shape[0] - a[1] * shape[1];
	const float im = a[0] * shape[1] + a[1] * shape[0];
	const float more[2] = { peak[0] - phasor[0], peak[1] - phasor[1] };

	y[0] += re * more[0] - im * more[1];
	y[1] += re * more[1] + im * more[0];
}

WEIR_REALTIME void partials_rotate(const struct partials *partials, uint32_t channel,
				   fftwf_complex *phasor, fftwf_complex *y)
{
	for (uint32_t i = 0; i < partials->n_now; i++) {
		const struct partial *partial = &partials->now[i];
		const float *peak = phasor[partial->bin], *a = partial->amplitude[channel];
		const float image[2] = { peak[0], -peak[1] }, conj_a[2] = { a[0], -a[1] };
		const uint32_t bin = partial->bin;
		float shape[2];

		for (uint32_t k = bin < PARTIALS_REACH ? 0 : bin - PARTIALS_REACH;
		     k <= bin + PARTIALS_REACH; k++) {
			if (phasor[k][0] == peak[0] && phasor[k][1] == peak[1])
				continue;
			if (shape_at(partials, partial->frequency - (float)k, shape))
				rotate_bin(a, shape, peak, phasor[k], y[k]);
		}
		for (uint32_t k = 0; k + bin <= PARTIALS_REACH; k++)
			if (shape_at(partials, -partial->frequency - (float)k, shape))
				rotate_bin(conj_a, shape, image, phasor[k], y[k]);
	}
}
