/* SPDX-License-Identifier: MIT */

/*
 * The values follow pyAudioAnalysis' formulas, with its epsilon, on floats: sums over many bins are
 * accumulated in lanes of floats, and the lanes are added up in doubles.
 *
 * A float FFT rounds, differently on each machine: the standard deviation of its error is
 * FFT_ROUNDING times the root mean square of the bins, which follows from the window's energy
 * (Parseval). In bins that should be empty the features would describe this error, so FFT_NOISE is
 * subtracted from the power of every bin; components more than 126 dB below the mean of the bins
 * are lost with it. The error for a sound that is exactly periodic within the window concentrates
 * in few bins, and exceeds FFT_NOISE there.
 */

#include "features.h"

#include <math.h>
#include <string.h>

#include "dsp/minmax.h"
#include "dsp/simd.h"

#define EPSILON 2.220446049250313e-16 /* of a double, as pyAudioAnalysis adds it */
#define MIN_POWER 1e-20f
#define TENTHS 10

/* 0.6 units in the last place times the root of log2 of 2400 to 19200 points (measured: 1.2e-7). */
#define FFT_ROUNDING 1.3e-7
#define FFT_NOISE (4.0 * FFT_ROUNDING) /* one bin in 1e7 has more: exp(-4^2) */

#define ROLLOFF 0.9
#define LANES 8
#define MAX_FACTORS 64 /* of numbers below 2, in a float */
#define ONE_BITS 0x3f800000
#define FRACTION_BITS 0x007fffff

typedef int32_t lane_bits __attribute__((vector_size(32)));

WEIR_REALTIME void features_reset(struct features *features)
{
	memset(features->time, 0, features->n_fft * sizeof(float));
	features->n_time = features->n_window - features->n_hop;
	features->n_frames = 0;
	features->now = 0;
	features->is_known = false;
}

WEIR_REALTIME void features_run(struct features *features, const float *in, uint32_t n)
{
	memcpy(features->time + features->n_time, in, n * sizeof(float));
	features->n_time += n;
}

static WEIR_SIMD WEIR_REALTIME double squares_sum(const float *x, uint32_t n)
{
	weir_lanes sum = { 0 };
	double rest = 0.0;
	uint32_t i = 0;

	for (; i + LANES <= n; i += LANES) {
		const weir_lanes *here = (const weir_lanes *)(x + i);

		sum += *here * *here;
	}
	for (; i < n; i++)
		rest += (double)x[i] * (double)x[i];
	return (double)weir_lanes_sum(&sum) + rest;
}

/* The energies of ten equal parts of x, and that of the rest behind the last part. */
static WEIR_REALTIME void tenths_get(const float *x, uint32_t n, double *energy)
{
	const uint32_t part = n / TENTHS;

	for (uint32_t i = 0; i < TENTHS; i++)
		energy[i] = squares_sum(x + (size_t)i * part, part);
	energy[TENTHS] = squares_sum(x + (size_t)TENTHS * part, n - TENTHS * part);
}

static WEIR_REALTIME double tenths_sum(const double *energy)
{
	double sum = 0.0;

	for (uint32_t i = 0; i <= TENTHS; i++)
		sum += energy[i];
	return sum;
}

/* Not negative: with all energy in one tenth the sum is -3e-16. */
static WEIR_REALTIME double tenths_entropy(const double *energy, double sum)
{
	double entropy = 0.0;

	for (uint32_t i = 0; i < TENTHS; i++) {
		const double share = energy[i] / (sum + EPSILON);

		entropy -= share * log2(share + EPSILON);
	}
	return fmax(entropy, 0.0);
}

/* The sum of the changes of sign, which is 0 for 0: from -1 to 1 counts twice. */
static WEIR_SIMD WEIR_REALTIME uint32_t sign_steps(const float *x, uint32_t n)
{
	int32_t steps = 0;

	for (uint32_t i = 1; i < n; i++) {
		const int32_t before = (x[i - 1] > 0.0f) - (x[i - 1] < 0.0f);
		const int32_t step = (x[i] > 0.0f) - (x[i] < 0.0f) - before;

		steps += step < 0 ? -step : step;
	}
	return (uint32_t)steps;
}

/* The magnitudes of all bins, or of every second one, after subtraction of a noise power. */
static WEIR_SIMD WEIR_REALTIME void magnitudes_get(const float *restrict spectrum, bool is_twice,
						   float scale, float noise,
						   float *restrict magnitude, uint32_t n)
{
	const uint32_t step = is_twice ? 4 : 2;
	uint32_t k = 0;

	for (; !is_twice && k + LANES <= n; k += LANES) {
		const weir_lanes *bins = (const weir_lanes *)(spectrum + 2 * (size_t)k);
		const weir_lanes a = bins[0] * bins[0], b = bins[1] * bins[1];

		*(weir_lanes *)(magnitude + k) =
			__builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14) +
			__builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15);
	}
	for (; k < n; k++) {
		const float *bin = spectrum + (size_t)step * k;

		magnitude[k] = bin[0] * bin[0] + bin[1] * bin[1];
	}
	for (k = 0; k < n; k++)
		magnitude[k] = scale * sqrtf(max_f32(magnitude[k] - noise, 0.0f));
}

/* The sum of x, and the sum of x times its index, which counts from 1. */
static WEIR_SIMD WEIR_REALTIME void moments_get(const float *x, uint32_t n, double *sum,
						double *moment)
{
	weir_lanes sums = { 0 }, moments = { 0 };
	weir_lanes place = { 1.0f, 2.0f, 3.0f, 4.0f, 5.0f, 6.0f, 7.0f, 8.0f };
	uint32_t i = 0;

	for (; i + LANES <= n; i += LANES) {
		const weir_lanes here = *(const weir_lanes *)(x + i);

		sums += here;
		moments += here * place;
		place += (float)LANES;
	}
	*sum = (double)weir_lanes_sum(&sums);
	*moment = (double)weir_lanes_sum(&moments);
	for (; i < n; i++) {
		*sum += (double)x[i];
		*moment += (double)x[i] * (i + 1);
	}
}

/* The sum of x times the squared distance of its index from the centre. */
static WEIR_SIMD WEIR_REALTIME double spread_sum(const float *x, uint32_t n, float centre)
{
	weir_lanes sum = { 0 };
	weir_lanes away = { 1.0f, 2.0f, 3.0f, 4.0f, 5.0f, 6.0f, 7.0f, 8.0f };
	double rest = 0.0;
	uint32_t i = 0;

	away -= centre;
	for (; i + LANES <= n; i += LANES) {
		sum += *(const weir_lanes *)(x + i) * away * away;
		away += (float)LANES;
	}
	for (; i < n; i++) {
		const float far = (float)(i + 1) - centre;

		rest += (double)(x[i] * far * far);
	}
	return (double)weir_lanes_sum(&sum) + rest;
}

static WEIR_SIMD WEIR_REALTIME double
change_sum(const float *now, float share_now, const float *before, float share_before, uint32_t n)
{
	weir_lanes sum = { 0 };
	double rest = 0.0;
	uint32_t i = 0;

	for (; i + LANES <= n; i += LANES) {
		const weir_lanes change = *(const weir_lanes *)(now + i) * share_now -
					  *(const weir_lanes *)(before + i) * share_before;

		sum += change * change;
	}
	for (; i < n; i++) {
		const float change = now[i] * share_now - before[i] * share_before;

		rest += (double)(change * change);
	}
	return (double)weir_lanes_sum(&sum) + rest;
}

static WEIR_REALTIME void exponents_take(lane_bits *exponents, weir_lanes *factors)
{
	const lane_bits bits = (lane_bits)*factors;

	*exponents += bits >> 23;
	*factors = (weir_lanes)((bits & FRACTION_BITS) | ONE_BITS);
}

/*
 * The sum of log2(x^2 + MIN_POWER): exponents are added, and fractions multiplied while their
 * product fits, so that few logarithms are left.
 */
static WEIR_SIMD WEIR_REALTIME double logarithms_sum(const float *x, uint32_t n)
{
	lane_bits exponents = { 0 };
	weir_lanes product = { 1.0f, 1.0f, 1.0f, 1.0f, 1.0f, 1.0f, 1.0f, 1.0f };
	const uint32_t n_steps = n / LANES;
	double sum = 0.0;

	for (uint32_t i = 0; i < n_steps; i++) {
		weir_lanes power = *(const weir_lanes *)(x + (size_t)i * LANES);

		power = power * power + MIN_POWER;
		exponents_take(&exponents, &power);
		product *= power;
		if (i % MAX_FACTORS != MAX_FACTORS - 1)
			continue;
		exponents_take(&exponents, &product);
		exponents -= ONE_BITS >> 23;
	}
	for (uint32_t j = 0; j < LANES; j++)
		sum += exponents[j] - (double)n_steps * (ONE_BITS >> 23) +
		       (double)log2f(product[j]);
	for (uint32_t i = n_steps * LANES; i < n; i++)
		sum += (double)log2f(x[i] * x[i] + MIN_POWER);
	return sum;
}

/* The first of n bins up to which the share of the energy exceeds ROLLOFF. */
static WEIR_REALTIME uint32_t rolloff_get(const float *magnitude, uint32_t n, const double *energy,
					  double sum)
{
	const uint32_t part = n / TENTHS;
	double below = EPSILON;
	uint32_t k = 0;

	for (uint32_t i = 0; i < TENTHS && below + energy[i] <= ROLLOFF * sum; i++) {
		below += energy[i];
		k += part;
	}
	for (; k < n; k++) {
		below += (double)magnitude[k] * (double)magnitude[k];
		if (below > ROLLOFF * sum)
			return k;
	}
	return 0;
}

static WEIR_REALTIME void mfcc_get(const struct features *features, const float *magnitude,
				   float *mfcc)
{
	double level[FEATURES_MELS];

	for (uint32_t m = 0; m < FEATURES_MELS; m++) {
		const float *bin = magnitude + features->mel[m].first;
		const float *weight = features->mel_weight + features->mel[m].weight;
		double sum = EPSILON;

		for (uint32_t i = 0; i < features->mel[m].n; i++)
			sum += (double)(bin[i] * weight[i]);
		level[m] = log10(sum);
	}
	for (uint32_t c = 0; c < FEATURES_MFCCS; c++) {
		const double *cosine = features->cosine + (size_t)c * FEATURES_MELS;
		double sum = 0.0;

		for (uint32_t m = 0; m < FEATURES_MELS; m++)
			sum += cosine[m] * level[m];
		mfcc[c] = (float)sum;
	}
}

static WEIR_REALTIME void chroma_get(const struct features *features, const float *magnitude,
				     double energy, float *chroma)
{
	double sum[FEATURES_PITCHES] = { 0.0 };

	for (uint32_t i = 0; i < features->n_semitones; i++) {
		const float x = magnitude[features->semitone[i].bin];

		/* In floats as the energy, so that what underflows there underflows here, too. */
		sum[features->semitone[i].pitch] +=
			(double)(x * x) * (double)features->semitone[i].share;
	}
	for (uint32_t i = 0; i < FEATURES_PITCHES; i++)
		chroma[i] = (float)(sum[i] / (energy > 0.0 ? energy : EPSILON));
}

/* The features of the waveform. Returns the energy of the window. */
static WEIR_REALTIME double sound_features(const struct features *features, float *value)
{
	const uint32_t n = features->n_window;
	double energy[TENTHS + 1];

	tenths_get(features->time, n, energy);

	const double sum = tenths_sum(energy);

	value[FEATURES_ZCR] = (float)sign_steps(features->time, n) / 2.0f / (float)(n - 1);
	value[FEATURES_ENERGY] = (float)(sum / n);
	value[FEATURES_ENERGY_ENTROPY] = (float)tenths_entropy(energy, sum);
	return sum;
}

static WEIR_REALTIME void shape_features(struct features *features, float *value)
{
	const uint32_t n = features->n_bins, now = features->now, before = now ^ 1;
	const float *magnitude = features->magnitude[now];
	double sum, moment;

	moments_get(magnitude, n, &sum, &moment);

	const double centre = sum > 0.0 ? moment / sum : 0.0;
	const double spread = sum > 0.0 ? spread_sum(magnitude, n, (float)centre) / sum : 0.0;

	value[FEATURES_CENTROID] = (float)(centre / n);
	value[FEATURES_SPREAD] = (float)(sqrt(spread) / n);
	features->share[now] = (float)(1.0 / (sum + n * EPSILON));
	value[FEATURES_FLUX] = 0.0f;
	if (features->is_known)
		value[FEATURES_FLUX] =
			(float)change_sum(magnitude, features->share[now],
					  features->magnitude[before], features->share[before], n);
}

static WEIR_REALTIME void spectrum_features(struct features *features, double window_energy,
					    float *value)
{
	const uint32_t n = features->n_bins;
	const float noise = (float)(FFT_NOISE * FFT_NOISE * window_energy);
	float *magnitude = features->magnitude[features->now];
	double energy[TENTHS + 1];

	weir_fft_forward(&features->fft, features->time, features->spectrum);
	magnitudes_get((const float *)features->spectrum, features->n_fft > features->n_window,
		       1.0f / (float)n, noise, magnitude, n);
	shape_features(features, value);
	tenths_get(magnitude, n, energy);

	const double sum = tenths_sum(energy);

	value[FEATURES_ENTROPY] = (float)tenths_entropy(energy, sum);
	value[FEATURES_ROLLOFF] = (float)rolloff_get(magnitude, n, energy, sum) / (float)n;
	value[FEATURES_FLATNESS] = (float)fmin(
		exp2(logarithms_sum(magnitude, n) / n) / (sum / n + (double)MIN_POWER), 1.0);
	mfcc_get(features, magnitude, value + FEATURES_MFCC);
	chroma_get(features, magnitude, sum, value + FEATURES_CHROMA);
}

static WEIR_REALTIME void smooth(struct features *features, float smoothing, float *value)
{
	const float keep = smoothing > 0.0f && features->is_known
				   ? expf(-features->hop_seconds / smoothing)
				   : 0.0f;

	for (uint32_t i = 0; i < FEATURES_VALUES; i++) {
		features->smoothed[i] = value[i] + keep * (features->smoothed[i] - value[i]);
		value[i] = features->smoothed[i];
	}
}

WEIR_REALTIME void features_hop(struct features *features, float smoothing, float *value)
{
	if (features->n_frames < features->n_window)
		features->n_frames += features->n_hop;
	if (features->n_frames < features->n_window) {
		for (uint32_t i = 0; i < FEATURES_VALUES; i++)
			value[i] = NAN;
	} else {
		spectrum_features(features, sound_features(features, value), value);
		smooth(features, smoothing, value);
		features->is_known = true;
		features->now ^= 1;
	}
	features->n_time -= features->n_hop;
	memmove(features->time, features->time + features->n_hop, features->n_time * sizeof(float));
}
