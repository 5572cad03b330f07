/* SPDX-License-Identifier: MIT */

/*
 * Weights of the maximum ratio (D. G. Brennan, "Linear diversity combining techniques", Proc. IRE
 * 47, 1959) are g / N for a microphone that hears the speech with gain g over noise of power N.
 * Per bin they would color the sound and follow every reflection; the median over bands of the
 * logarithm of either ratio is one number that a room does not move.
 */

#include "levels.h"

#include <math.h>
#include <string.h>

#include "dsp/simd.h"

#define LOW_HZ 200.0
#define HIGH_HZ 7000.0
#define FLOOR_SECONDS 0.06
#define RISE_DB_PER_SECOND 3.0
#define NOISE_SECONDS 1.0
#define SPEECH_SECONDS 4.0
#define RATIO_SECONDS 3.0
#define LEAST_BANDS 5
#define SPEECH_FRAMES 20 /* before the ratios mean anything */

void levels_allocate(struct levels *levels, const struct cross_context *context,
		     struct arena *arena)
{
	levels->context = context;
	for (int m = 0; m < 2; m++) {
		levels->smoothed[m] = arena_floats(arena, context->n);
		levels->floor[m] = arena_floats(arena, context->n);
		levels->noise[m] = arena_floats(arena, context->n);
		levels->speech[m] = arena_floats(arena, context->n);
	}
}

void levels_fill(struct levels *levels, double hop_seconds)
{
	const struct cross_context *context = levels->context;
	const double bin_hz = (double)context->rate / CROSS_WINDOW;

	for (int b = 0; b <= LEVELS_BANDS; b++) {
		const double hz = LOW_HZ * pow(HIGH_HZ / LOW_HZ, (double)b / LEVELS_BANDS);
		const double bin = fmax(0.0, ceil(hz / bin_hz) - context->first);

		levels->band_end[b] = bin < context->n ? (uint32_t)bin : context->n;
	}
	levels->rates = (struct levels_rates){
		.floor = (float)(1.0 - exp(-hop_seconds / FLOOR_SECONDS)),
		.noise = (float)(1.0 - exp(-hop_seconds / NOISE_SECONDS)),
		.speech = (float)(1.0 - exp(-hop_seconds / SPEECH_SECONDS)),
		.rise = (float)pow(10.0, RISE_DB_PER_SECOND / 10.0 * hop_seconds),
		.ratio = hop_seconds / RATIO_SECONDS,
	};
}

WEIR_REALTIME void levels_reset(struct levels *levels)
{
	levels->n_frames = levels->n_ratios = levels->step = 0;
	levels->speech_ratio = levels->noise_ratio = 0.0;
	for (int m = 0; m < 2; m++)
		memset(levels->speech[m], 0, levels->context->n * sizeof(float));
}

static WEIR_SIMD WEIR_REALTIME void floor_follow(float *restrict smoothed, float *restrict floor,
						 const float *restrict power,
						 struct levels_rates rates, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		const float risen = floor[i] * rates.rise;

		smoothed[i] += rates.floor * (power[i] - smoothed[i]);
		floor[i] = risen < smoothed[i] ? risen : smoothed[i];
	}
}

static WEIR_SIMD WEIR_REALTIME void sort_bins(struct levels *levels, const float *restrict p1,
					      const float *restrict p2, struct levels_rates rates,
					      uint32_t n)
{
	const float *f1 = levels->floor[0], *f2 = levels->floor[1];
	float *restrict n1 = levels->noise[0], *restrict n2 = levels->noise[1];
	float *restrict s1 = levels->speech[0], *restrict s2 = levels->speech[1];

	for (uint32_t i = 0; i < n; i++) {
		const float quiet =
			p1[i] < 5.0f * f1[i] && p2[i] < 5.0f * f2[i] ? rates.noise : 0.0f;

		n1[i] += quiet * (p1[i] - n1[i]);
		n2[i] += quiet * (p2[i] - n2[i]);
		n1[i] = n1[i] > 8.0f * f1[i] ? 8.0f * f1[i] : n1[i] < f1[i] ? f1[i] : n1[i];
		n2[i] = n2[i] > 8.0f * f2[i] ? 8.0f * f2[i] : n2[i] < f2[i] ? f2[i] : n2[i];

		const float loud =
			p1[i] > 4.0f * n1[i] || p2[i] > 4.0f * n2[i] ? rates.speech : 0.0f;
		const float more1 = p1[i] > n1[i] ? p1[i] - n1[i] : 0.0f;
		const float more2 = p2[i] > n2[i] ? p2[i] - n2[i] : 0.0f;

		s1[i] += loud * (more1 - s1[i]);
		s2[i] += loud * (more2 - s2[i]);
	}
}

static WEIR_REALTIME float band_sum(const struct levels *levels, const float *power, int band)
{
	float sum = 1e-20f;

	for (uint32_t i = levels->band_end[band]; i < levels->band_end[band + 1]; i++)
		sum += power[i];
	return sum;
}

static WEIR_REALTIME double median(double *value, uint32_t n)
{
	for (uint32_t i = 1; i < n; i++)
		for (uint32_t j = i; j > 0 && value[j] < value[j - 1]; j--) {
			const double swap = value[j];

			value[j] = value[j - 1];
			value[j - 1] = swap;
		}
	return 0.5 * (value[(n - 1) / 2] + value[n / 2]);
}

/* A sound that neither begins nor ends while it is heard passes for noise, but both have it. */
static WEIR_REALTIME void ratio_guess(struct levels *levels)
{
	double ratio[LEVELS_BANDS];

	if (levels->n_ratios > 0)
		return;
	for (int b = 0; b < LEVELS_BANDS; b++)
		ratio[b] = log((double)(band_sum(levels, levels->noise[1], b) /
					band_sum(levels, levels->noise[0], b)));
	levels->speech_ratio = median(ratio, LEVELS_BANDS);
}

static WEIR_REALTIME void ratios_update(struct levels *levels)
{
	double speech[LEVELS_BANDS], noise[LEVELS_BANDS];
	uint32_t n = 0;

	for (int b = 0; b < LEVELS_BANDS; b++) {
		const float s1 = band_sum(levels, levels->speech[0], b);
		const float s2 = band_sum(levels, levels->speech[1], b);
		const float n1 = band_sum(levels, levels->noise[0], b);
		const float n2 = band_sum(levels, levels->noise[1], b);

		if (s1 <= 0.5f * n1 || s2 <= 0.5f * n2)
			continue;
		speech[n] = log((double)(s2 / s1));
		noise[n++] = log((double)(n2 / n1));
	}
	if (n < LEAST_BANDS) {
		ratio_guess(levels);
		return;
	}
	levels->n_ratios += levels->n_ratios < UINT32_MAX;

	const double share = fmax(1.0 / levels->n_ratios, levels->rates.ratio);

	levels->speech_ratio += share * (median(speech, n) - levels->speech_ratio);
	levels->noise_ratio += share * (median(noise, n) - levels->noise_ratio);
}

WEIR_REALTIME void levels_add(struct levels *levels, float *const power[2])
{
	const uint32_t n = levels->context->n;

	for (int m = 0; m < 2; m++) {
		levels->power[m] = power[m];
		if (levels->n_frames > 0)
			continue;
		memcpy(levels->smoothed[m], power[m], n * sizeof(float));
		memcpy(levels->floor[m], power[m], n * sizeof(float));
		memcpy(levels->noise[m], power[m], n * sizeof(float));
	}
	levels->n_frames += levels->n_frames < UINT32_MAX;
	levels->step = 1;
}

WEIR_REALTIME uint32_t levels_step(struct levels *levels)
{
	const uint32_t n = levels->context->n;
	const struct levels_rates rates = levels->rates;

	switch (levels->step) {
	case 0:
		return 0;
	case 1:
		for (int m = 0; m < 2; m++)
			floor_follow(levels->smoothed[m], levels->floor[m], levels->power[m], rates,
				     n);
		levels->step = 2;
		return 3;
	case 2:
		sort_bins(levels, levels->power[0], levels->power[1], rates, n);
		levels->step = levels->n_frames >= SPEECH_FRAMES ? 3 : 0;
		return 5;
	default:
		ratios_update(levels);
		levels->step = 0;
		return 7;
	}
}
