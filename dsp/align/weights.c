/* SPDX-License-Identifier: MIT */

/*
 * Weights of the maximum ratio (D. G. Brennan, "Linear diversity combining techniques", Proc. IRE
 * 47, 1959) are g / N for a microphone that has the speech with gain g and noise of power N. Per
 * bin they would color the sound and follow every reflection; the median over bands of the
 * logarithm of each ratio is one number, which hardly depends on the room.
 */

#include "weights.h"

#include <math.h>
#include <string.h>

#include "dsp/minmax.h"
#include "dsp/simd.h"

/*
 * No figure of bench/align moves when one is halved or doubled: SNR gains stay within 0.02 dB.
 */
#define LOW_HZ 200.0	       /* within the band of the front end, as HIGH_HZ */
#define HIGH_HZ 7000.0	       /* see LOW_HZ */
#define FLOOR_SECONDS 0.06     /* two frames */
#define RISE_DB_PER_SECOND 3.0 /* as the front end's */
#define NOISE_SECONDS 1.0      /* a pause; not tuned */
#define SPEECH_SECONDS 4.0     /* a phrase; not tuned */
#define RATIO_SECONDS 3.0      /* the slow sum's, loop.c */
#define MIN_BANDS 5	       /* a fifth of them: for a median to be one */
#define QUIET_RATIO 5.0f       /* of a bin's power to its floor, below which it is noise */
#define MAX_NOISE_RATIO 8.0f   /* of a bin's noise to its floor */
#define LOUD_RATIO 4.0f	       /* of a bin's power to its noise, above which it is speech */
#define SPEECH_FRAMES 20       /* 0.64 s at 16 kHz, before the ratios mean anything */

void weights_allocate(struct weights *weights, const struct cross_context *context,
		      struct arena *arena)
{
	weights->context = context;
	for (int m = 0; m < 2; m++) {
		weights->smoothed[m] = arena_floats(arena, context->n);
		weights->floor[m] = arena_floats(arena, context->n);
		weights->noise[m] = arena_floats(arena, context->n);
		weights->speech[m] = arena_floats(arena, context->n);
	}
}

void weights_fill(struct weights *weights, double hop_seconds)
{
	const struct cross_context *context = weights->context;
	const double bin_hz = (double)context->rate / CROSS_WINDOW;

	for (int b = 0; b <= WEIGHTS_BANDS; b++) {
		const double hz = LOW_HZ * pow(HIGH_HZ / LOW_HZ, (double)b / WEIGHTS_BANDS);
		const double bin = fmax(0.0, ceil(hz / bin_hz) - context->first);

		weights->band_end[b] = bin < context->n ? (uint32_t)bin : context->n;
	}
	weights->rates = (struct weights_rates){
		.floor = {
			.smooth = (float)(1.0 - exp(-hop_seconds / FLOOR_SECONDS)),
			.rise = (float)pow(10.0, RISE_DB_PER_SECOND / 10.0 * hop_seconds),
		},
		.noise = (float)(1.0 - exp(-hop_seconds / NOISE_SECONDS)),
		.speech = (float)(1.0 - exp(-hop_seconds / SPEECH_SECONDS)),
		.ratio = hop_seconds / RATIO_SECONDS,
	};
}

WEIR_REALTIME void weights_reset(struct weights *weights)
{
	weights->n_frames = weights->n_ratios = 0;
	weights->stage = WEIGHTS_IDLE;
	weights->speech_ratio = weights->noise_ratio = 0.0;
	for (int m = 0; m < 2; m++)
		memset(weights->speech[m], 0, weights->context->n * sizeof(float));
}

static WEIR_SIMD WEIR_REALTIME void sort_bins(struct weights *weights, const float *restrict p1,
					      const float *restrict p2, struct weights_rates rates,
					      uint32_t n)
{
	const float *f1 = weights->floor[0], *f2 = weights->floor[1];
	float *restrict n1 = weights->noise[0], *restrict n2 = weights->noise[1];
	float *restrict s1 = weights->speech[0], *restrict s2 = weights->speech[1];

	for (uint32_t i = 0; i < n; i++) {
		const float quiet = p1[i] < QUIET_RATIO * f1[i] && p2[i] < QUIET_RATIO * f2[i]
					    ? rates.noise
					    : 0.0f;

		n1[i] += quiet * (p1[i] - n1[i]);
		n2[i] += quiet * (p2[i] - n2[i]);
		n1[i] = max_f32(min_f32(n1[i], MAX_NOISE_RATIO * f1[i]), f1[i]);
		n2[i] = max_f32(min_f32(n2[i], MAX_NOISE_RATIO * f2[i]), f2[i]);

		const float loud = p1[i] > LOUD_RATIO * n1[i] || p2[i] > LOUD_RATIO * n2[i]
					   ? rates.speech
					   : 0.0f;
		const float more1 = p1[i] > n1[i] ? p1[i] - n1[i] : 0.0f;
		const float more2 = p2[i] > n2[i] ? p2[i] - n2[i] : 0.0f;

		s1[i] += loud * (more1 - s1[i]);
		s2[i] += loud * (more2 - s2[i]);
	}
}

static WEIR_REALTIME float band_sum(const struct weights *weights, const float *power, int band)
{
	float sum = 1e-20f;

	for (uint32_t i = weights->band_end[band]; i < weights->band_end[band + 1]; i++)
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

/* Steady sound in both microphones counts as noise: its ratio is the best guess for speech. */
static WEIR_REALTIME void ratio_guess(struct weights *weights)
{
	double ratio[WEIGHTS_BANDS];

	if (weights->n_ratios > 0)
		return;
	for (int b = 0; b < WEIGHTS_BANDS; b++)
		ratio[b] = log((double)(band_sum(weights, weights->noise[1], b) /
					band_sum(weights, weights->noise[0], b)));
	weights->speech_ratio = median(ratio, WEIGHTS_BANDS);
}

static WEIR_REALTIME void ratios_update(struct weights *weights)
{
	double speech[WEIGHTS_BANDS], noise[WEIGHTS_BANDS];
	uint32_t n = 0;

	for (int b = 0; b < WEIGHTS_BANDS; b++) {
		const float s1 = band_sum(weights, weights->speech[0], b);
		const float s2 = band_sum(weights, weights->speech[1], b);
		const float n1 = band_sum(weights, weights->noise[0], b);
		const float n2 = band_sum(weights, weights->noise[1], b);

		if (s1 <= 0.5f * n1 || s2 <= 0.5f * n2)
			continue;
		speech[n] = log((double)(s2 / s1));
		noise[n++] = log((double)(n2 / n1));
	}
	if (n < MIN_BANDS) {
		ratio_guess(weights);
		return;
	}
	weights->n_ratios += weights->n_ratios < UINT32_MAX;

	const double share = fmax(1.0 / weights->n_ratios, weights->rates.ratio);

	weights->speech_ratio += share * (median(speech, n) - weights->speech_ratio);
	weights->noise_ratio += share * (median(noise, n) - weights->noise_ratio);
}

WEIR_REALTIME void weights_add(struct weights *weights, float *const power[2])
{
	const uint32_t n = weights->context->n;

	for (int m = 0; m < 2; m++) {
		weights->power[m] = power[m];
		if (weights->n_frames > 0)
			continue;
		memcpy(weights->smoothed[m], power[m], n * sizeof(float));
		memcpy(weights->floor[m], power[m], n * sizeof(float));
		memcpy(weights->noise[m], power[m], n * sizeof(float));
	}
	weights->n_frames += weights->n_frames < UINT32_MAX;
	weights->stage = WEIGHTS_FLOORS;
}

static WEIR_REALTIME void floors_step(struct weights *weights)
{
	for (int m = 0; m < 2; m++)
		floor_follow(weights->smoothed[m], weights->floor[m], weights->power[m],
			     weights->rates.floor, weights->context->n);
}

static WEIR_REALTIME void sort_step(struct weights *weights)
{
	sort_bins(weights, weights->power[0], weights->power[1], weights->rates,
		  weights->context->n);
	if (weights->n_frames < SPEECH_FRAMES)
		weights->stage = WEIGHTS_IDLE;
}

/* A step may set another stage than the next. */
static const struct {
	void (*step)(struct weights *weights) WEIR_REALTIME;
	uint32_t cost;
	enum weights_stage next;
} stages[] = {
	[WEIGHTS_FLOORS] = { floors_step, 3, WEIGHTS_SORT },
	[WEIGHTS_SORT] = { sort_step, 5, WEIGHTS_RATIOS },
	[WEIGHTS_RATIOS] = { ratios_update, 7, WEIGHTS_IDLE },
};

WEIR_REALTIME uint32_t weights_step(struct weights *weights)
{
	const enum weights_stage stage = weights->stage;

	if (stage == WEIGHTS_IDLE)
		return 0;
	weights->stage = stages[stage].next;
	stages[stage].step(weights);
	return stages[stage].cost;
}
