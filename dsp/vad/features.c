/* SPDX-License-Identifier: MIT */

/*
 * The features of a band are its level above two floors, which fall fast and rise slowly, and its
 * level relative to the mean of all bands. The features of voicing come from the autocorrelation
 * that belongs to the magnitudes above the noise floors of the bins, which excludes hum; pitch
 * trackers such as D. Talkin's take the autocorrelation of the sound itself.
 *
 * The window rises for 24 ms and falls for 8 ms, which gives the latest sound more weight.
 *
 * The networks were trained on these features: a change of any number here needs new weights.
 */

#include "features.h"

#include <math.h>
#include <string.h>

#include "dsp/floor.h"
#include "dsp/minmax.h"
#include "dsp/simd.h"

#define FALL 128 /* samples by which the window falls */
#define LOW_HZ 80.0
#define HIGH_HZ 7000.0
#define MIN_POWER 1e-9f /* -90 dB */
#define MAX_STEP 20.0f	/* dB: limit of one level in the long-term statistics */
#define VOICE_FIRST 3	/* bins: 94 Hz to 3.5 kHz */
#define VOICE_END 113
#define SHORTEST_LAG 36.0 /* samples: 444 Hz to 70 Hz */
#define LONGEST_LAG 230.0

/* A floor rises by 6 dB per second at most. */
static const struct floor_rates floor_rates = { 0.2f, 1.0139f, 1e-15f };

static const uint32_t group_end[VAD_GROUPS + 1] = { 0, 6, 13, 20, VAD_BANDS };

static double mel(double hz)
{
	return log(1.0 + hz / 700.0);
}

void vad_features_allocate(struct vad_features *features, struct arena *arena)
{
	features->window = arena_floats(arena, VAD_WINDOW);
	features->time = arena_floats(arena, VAD_WINDOW);
	features->sound = arena_floats(arena, VAD_WINDOW);
	features->power = arena_floats(arena, VAD_BINS);
	features->weight = arena_floats(arena, VAD_BINS);
	features->smoothed = arena_floats(arena, VAD_BINS);
	features->floor = arena_floats(arena, VAD_BINS);
	features->bins = arena_bins(arena, VAD_BINS);
}

static void window_init(float *window)
{
	const int rise = VAD_WINDOW - FALL;
	double sum = 0.0;

	for (int i = 0; i < VAD_WINDOW; i++) {
		const double place = i < rise ? (i + 0.5) / rise : (VAD_WINDOW - i - 0.5) / FALL;

		window[i] = (float)(0.5 - 0.5 * cos(M_PI * place));
		sum += (double)window[i] * (double)window[i];
	}
	for (int i = 0; i < VAD_WINDOW; i++)
		window[i] /= (float)sqrt(sum);
}

static void bands_init(struct vad_features *features)
{
	const double first = mel(LOW_HZ), last = mel(HIGH_HZ);
	double share[VAD_BANDS] = { 0 };

	for (uint32_t k = 0; k < VAD_BINS; k++) {
		const double hz = (double)k * VAD_RATE / VAD_WINDOW;
		const double place = (mel(hz) - first) / (last - first) * (VAD_BANDS + 1);
		const bool counts = place >= 0.0 && place < VAD_BANDS + 1;

		features->band[k] = counts ? (uint32_t)place : VAD_BANDS + 1;
		features->weight[k] = counts ? (float)(place - floor(place)) : 0.0f;
		if (counts && features->band[k] > 0)
			share[features->band[k] - 1] += 1.0 - (double)features->weight[k];
		if (counts && features->band[k] < VAD_BANDS)
			share[features->band[k]] += (double)features->weight[k];
	}
	for (uint32_t b = 0; b < VAD_BANDS; b++)
		features->band_scale[b] = (float)(1.0 / share[b]);
}

int vad_features_init(struct vad_features *features)
{
	return weir_fft_init(&features->fft, VAD_WINDOW);
}

void vad_features_init_tables(struct vad_features *features)
{
	window_init(features->window);
	bands_init(features);
	for (uint32_t g = 0; g <= VAD_LAGS; g++)
		features->lag_end[g] = (uint32_t)lround(
			SHORTEST_LAG * pow(LONGEST_LAG / SHORTEST_LAG, (double)g / VAD_LAGS));
}

void vad_features_finish(struct vad_features *features)
{
	weir_fft_finish(&features->fft);
}

WEIR_REALTIME void vad_features_reset(struct vad_features *features)
{
	memset(features->sound, 0, VAD_WINDOW * sizeof(float));
	memset(features->long_term, 0, sizeof(features->long_term));
	features->mean_level = features->mean_square = 0.0f;
	features->n_hops = 0;
}

WEIR_REALTIME float *vad_features_next(struct vad_features *features)
{
	float *sound = features->sound;

	memmove(sound, sound + VAD_HOP, (VAD_WINDOW - VAD_HOP) * sizeof(float));
	return sound + VAD_WINDOW - VAD_HOP;
}

static WEIR_SIMD WEIR_REALTIME void sound_window(float *restrict time, const float *restrict sound,
						 const float *restrict window)
{
	for (uint32_t i = 0; i < VAD_WINDOW; i++)
		time[i] = sound[i] * window[i];
}

/* Sets bins to the magnitudes above the floors; returns twice the sum of all magnitudes. */
static WEIR_SIMD WEIR_REALTIME float bins_voice(float *restrict bins, const float *restrict power,
						const float *restrict floor)
{
	float sum = 1e-6f;

	memset(bins, 0, 2 * VAD_BINS * sizeof(float));
	for (uint32_t k = VOICE_FIRST; k < VOICE_END; k++) {
		const float noise = 3.0f * floor[k];
		const float gain = power[k] > noise ? 1.0f - noise / (power[k] + 1e-20f) : 0.0f;

		bins[2 * k] = gain * sqrtf(power[k]);
	}
	for (uint32_t k = VOICE_FIRST; k < VOICE_END; k++)
		sum += sqrtf(power[k]);
	return 2.0f * sum;
}

static WEIR_REALTIME void levels_get(const struct vad_features *features, float *level)
{
	float sum[VAD_BANDS + 3] = { 0 };

	for (uint32_t k = 0; k < VAD_BINS; k++) {
		const uint32_t band = features->band[k];
		const float above = features->power[k] * features->weight[k];

		sum[band] += features->power[k] - above;
		sum[band + 1] += above;
	}
	for (uint32_t b = 0; b < VAD_BANDS; b++)
		level[b] = 10.0f * log10f(sum[b + 1] * features->band_scale[b] + MIN_POWER);
}

/* Moves by a share of the difference: by 0.2 down, by `rise` up. */
static WEIR_REALTIME float floor_step(float floor, float level, float rise)
{
	return floor + (level < floor ? 0.2f : rise) * (level - floor);
}

static WEIR_REALTIME float limit(float x, float min, float max)
{
	return max_f32(min, min_f32(x, max));
}

static WEIR_REALTIME float *voice_find(struct vad_features *features, float *value, float *max)
{
	const float *time = features->time;
	float *bins = (float *)features->bins;
	const float sum = bins_voice(bins, features->power, features->floor);

	weir_fft_inverse(&features->fft, features->bins, features->time);
	*max = 0.0f;
	for (uint32_t g = 0; g < VAD_LAGS; g++) {
		float best = -1e9f;

		for (uint32_t i = features->lag_end[g]; i < features->lag_end[g + 1]; i++)
			best = max_f32(time[i], best);
		*value = 3.0f * best / sum;
		*max = max_f32(*value++, *max);
	}
	*value++ = time[0] / sum;
	*value++ = *max / (3.0f * time[0] / sum + 0.05f);
	return value;
}

static WEIR_SIMD WEIR_REALTIME float energy_get(const float *sound)
{
	weir_lanes sum = { 0 };

	for (uint32_t i = 0; i < VAD_HOP; i += 8)
		sum += *(const weir_lanes *)(sound + i) * *(const weir_lanes *)(sound + i);
	return 1e-10f + weir_lanes_sum(&sum);
}

static WEIR_REALTIME float *newest_find(const struct vad_features *features, float *value)
{
	const float *newest = features->sound + VAD_WINDOW - VAD_HOP;
	const float before = energy_get(newest - VAD_HOP), now = energy_get(newest);
	float peak = 1e-5f;

	for (uint32_t i = 0; i < VAD_HOP; i++)
		peak = max_f32(fabsf(newest[i]), peak);
	*value++ = limit(0.5f * log10f(now / before), -2.0f, 2.0f);
	*value++ = log10f(peak * peak * VAD_HOP / now) - 0.8f;
	return value;
}

/* Level, its deviation, and means of voicing and change over the last seconds. */
static WEIR_REALTIME float *long_term_find(struct vad_features *features, float *value, float level,
					   float change, float voice)
{
	float *mean = features->long_term;

	features->mean_level += 0.01f * (level - features->mean_level);
	level = limit(level - features->mean_level, -MAX_STEP, MAX_STEP);
	features->mean_square += 0.01f * (level * level - features->mean_square);
	mean[0] += 0.01f * (voice - mean[0]);
	mean[1] += 0.01f * (change - mean[1]);
	mean[2] += 0.003f * (voice - mean[2]);
	mean[3] += 0.003f * (change - mean[3]);
	*value++ = limit(0.1f * level, -3.0f, 3.0f);
	*value++ = 0.1f * sqrtf(features->mean_square);
	memcpy(value, mean, sizeof(features->long_term));
	return value + VAD_GROUPS;
}

static WEIR_REALTIME float *bands_find(struct vad_features *features, float *value,
				       const float *level, float *mean, float *change)
{
	float sum = 0.0f, sum_change = 0.0f;

	for (uint32_t b = 0; b < VAD_BANDS; b++)
		sum += level[b];
	*mean = sum / VAD_BANDS;
	for (uint32_t b = 0; b < VAD_BANDS; b++) {
		features->slow_floor[b] = floor_step(features->slow_floor[b], level[b], 0.002f);
		features->fast_floor[b] = floor_step(features->fast_floor[b], level[b], 0.02f);
		*value++ = limit(0.1f * (level[b] - features->slow_floor[b]), -1.0f, 4.0f);
	}
	for (uint32_t b = 0; b < VAD_BANDS; b++)
		*value++ = limit(0.1f * (level[b] - *mean), -3.0f, 3.0f);
	for (uint32_t b = 0; b < VAD_BANDS; b++) {
		const float rise = level[b] - features->level[2][b];

		*value++ = limit(0.1f * rise, -3.0f, 3.0f);
		sum_change += min_f32(fabsf(level[b] - features->level[0][b]), 30.0f);
	}
	*change = 0.1f * sum_change / VAD_BANDS;
	for (uint32_t g = 0; g < VAD_GROUPS; g++) {
		float above = 0.0f;

		for (uint32_t b = group_end[g]; b < group_end[g + 1]; b++)
			above += level[b] - features->fast_floor[b];
		above /= (float)(group_end[g + 1] - group_end[g]);
		*value++ = limit(0.1f * above, -1.0f, 4.0f);
	}
	return value;
}

static WEIR_REALTIME void begin(struct vad_features *features, const float *level)
{
	memcpy(features->smoothed, features->power, VAD_BINS * sizeof(float));
	memcpy(features->floor, features->power, VAD_BINS * sizeof(float));
	memcpy(features->slow_floor, level, sizeof(features->slow_floor));
	memcpy(features->fast_floor, level, sizeof(features->fast_floor));
	for (int i = 0; i < 3; i++)
		memcpy(features->level[i], level, sizeof(features->slow_floor));
	features->mean_level = 0.0f;
	for (uint32_t b = 0; b < VAD_BANDS; b++)
		features->mean_level += level[b] / VAD_BANDS;
	features->n_hops++;
}

WEIR_REALTIME void vad_features_find(struct vad_features *features)
{
	float level[VAD_BANDS], *value = features->value;
	float mean, change, voice;

	sound_window(features->time, features->sound, features->window);
	weir_fft_forward(&features->fft, features->time, features->bins);
	weir_fft_power(features->bins, features->power, VAD_BINS);
	levels_get(features, level);
	if (features->n_hops < VAD_WINDOW / VAD_HOP + 1)
		begin(features, level);
	floor_follow(features->smoothed, features->floor, features->power, floor_rates, VAD_BINS);
	value = bands_find(features, value, level, &mean, &change);
	value = voice_find(features, value, &voice);
	value = newest_find(features, value);
	value = long_term_find(features, value, mean, change, voice);
	*value++ = voice;
	*value++ = change;
	memmove(features->level[1], features->level[0], 2 * sizeof(level));
	memcpy(features->level[0], level, sizeof(level));
}
