/* SPDX-License-Identifier: MIT */

/*
 * The detection function of a step is the sum of the rises of
 *
 * - bands of a short spectrum: log(power + FLOOR_WEIGHT * floor) above the held peak of the band
 * and its neighbours, so that vibrato does not count: the spectral flux of S. Boeck and G. Widmer,
 * "Maximum filter vibrato suppression for onset detection" (DAFx 2013);
 * - the second difference of the signal, in steps and in their quarters, which shows
 *   short, high sounds: compare the high frequency content of P. Masri, "Computer modelling of
 * sound for transformation and synthesis of musical signals" (1996).
 *
 * A held peak falls faster than struck sounds decay, and slower than two tones beat. The floor of a
 * band is the minimum of its smoothed power, which rises slowly, so that noise rises little. An
 * onset is where the sum exceeds a limit that follows the mean of the rises between onsets. The end
 * of a sound is a rise, too, in the bands in which it was silent: the level falls one step later.
 *
 * Accents, for the tempo, are linear in the amplitude: soft sounds count little.
 */

#include "onsets.h"

#include <math.h>
#include <string.h>

#include "dsp/floor.h"
#include "dsp/minmax.h"
#include "dsp/simd.h"

/*
 * Where the thresholds come from: F6 is the F of irregular onsets at 6 dB SNR (bench/analyze/run
 * quality), 0.888, with half and with twice the value unless values are named. "No figure": none of
 * the bench's onsets and tempos moves by more than 0.001, or by 0.1 ms, within that range.
 */
#define WINDOW_SECONDS 0.0145 /* minimum, up to 10 % more; F6 0.854, 0.847 */
#define HIGHEST 0.46f	      /* of the rate; no figure down to 0.23 */
#define N_FIRST 8	      /* steps after a reset without onsets; no figure from 4 to 16 */
#define SILENCE 1e-10f	      /* power in each band; no figure from 1e-11 to 1e-9 */
#define EDGE_SILENCE 3e-9f    /* the power of single changes of one bit of 16 */

#define FLOOR_SMOOTH 0.1f /* per step; F6 0.874, 0.894 */
#define FLOOR_RISE 1.008f /* per step: 7 dB per second; half and twice as fast: F6 0.894, 0.888 */
#define FLOOR_WEIGHT 6.0f /* F6 0.913 but F at 15 dB SNR 0.994 instead of 1; 0.832 */
#define HOLD_STEPS 5	  /* before it falls: the period of a buzz of 40 Hz; F6 0.881 at 2 and 10 */
#define HOLD_FALL 0.288f  /* per step: 250 dB per second; F6 0.881, 0.894 */
#define MAX_RISE 2.5f	  /* of a band's ln(power); F6 0.787, 0.888 */

#define EDGE_RATE 48000.0f    /* Hz: at higher rates, differences over 1 / EDGE_RATE; the bench's */
#define EDGE_QUARTERS 4	      /* of a step: about 1.25 ms, as long as a click */
#define EDGE_DELAY 2	      /* steps; F6 0.874, 0.888 */
#define EDGE_SMOOTH 0.05f     /* per step; twice that: F of clicks 0.999 instead of 1 */
#define EDGE_FLOOR_RISE 1.01f /* per step; no figure from 1.005 to 1.02 */
#define EDGE_FALL 0.2f	      /* per step; no figure from 0.1 to 0.4 */
#define EDGE_MAX_RISE 2.0f    /* no figure from 1 to 4 */
#define EDGE_WEIGHT 6.0f      /* F6 0.854; twice that: precision 0.966 instead of 1 */

/*
 * The limit, and the maximum of a rise that enters the mean: a constant, plus a factor times the
 * mean.
 */
#define LIMIT 3.5f	   /* F6 0.933 but precision 0.983 instead of 1; 0.703 */
#define LIMIT_MEANS 3.0f   /* F6 0.907 but F at 15 dB SNR 0.994 instead of 1; 0.840 */
#define USUAL 1.0f	   /* no figure at 0.5; F6 0.881 at 2 */
#define USUAL_MEANS 2.0f   /* no figure from 1 to 4 */
#define USUAL_SHARE 0.005f /* per step: a time constant of 1 s; no figure from half to twice */
#define FIRST_MEAN 1.5f	   /* no figure at 0.75; F at 15 dB SNR 0.994 instead of 1 at 3 */
#define CALM 0.5f	   /* of the limit: a rise ends below it; no figure from 0.25 to 0.9 */
#define NO_ACCENT 0.2f	   /* of the limit; no figure from 0.1 to 0.4 */
#define REST 11		   /* minimum steps from onset to onset: 55 ms; no figure from 5 to 22 */
#define MIN_LEFT 0.1f /* of the power before: the sound has ended; no figure from 0.05 to 0.2 */

/* At least about one bin of the window wide, and a third of an octave above 300 Hz. */
static const float edge_hz[] = {
	40.0f,	 100.0f,  160.0f,  220.0f,  290.0f,  370.0f,   460.0f,	 570.0f,
	700.0f,	 860.0f,  1050.0f, 1300.0f, 1600.0f, 2000.0f,  2500.0f,	 3100.0f,
	3900.0f, 4900.0f, 6200.0f, 7800.0f, 9800.0f, 12500.0f, 16000.0f, 20000.0f,
};
#define N_EDGES (sizeof(edge_hz) / sizeof(edge_hz[0]))

static const float group_hz[ONSETS_GROUPS - 1] = { 150.0f, 800.0f, 4000.0f };

/* The next power of two, or three or five times one: short FFTs. */
static uint32_t length_find(uint32_t min)
{
	const uint32_t length[] = { power_of_two(min), 3 * power_of_two((min + 2) / 3),
				    5 * power_of_two((min + 4) / 5) };
	uint32_t n = length[0];

	for (uint32_t i = 1; i < 3; i++)
		if (length[i] < n && length[i] % 2 == 0)
			n = length[i];
	return n;
}

/* low, high: in bins */
static void band_init(struct onsets_band *band, float low, float high, float centre_hz)
{
	band->first = (uint32_t)floorf(low + 0.5f);
	band->end = (uint32_t)floorf(high + 0.5f) + 1;
	band->share[0] = (float)band->first + 0.5f - low;
	band->share[1] = high - ((float)band->end - 1.5f);
	band->group = 0;
	while (band->group < ONSETS_GROUPS - 1 && centre_hz > group_hz[band->group])
		band->group++;
}

int onsets_init(struct onsets *onsets, uint32_t rate)
{
	float bin_hz;

	onsets->n = length_find((uint32_t)ceil(WINDOW_SECONDS * rate));
	onsets->n_bands = 0;
	bin_hz = (float)rate / (float)onsets->n;
	for (uint32_t i = 0; i + 1 < N_EDGES && edge_hz[i + 1] < HIGHEST * (float)rate; i++)
		band_init(&onsets->band[onsets->n_bands++], edge_hz[i] / bin_hz,
			  edge_hz[i + 1] / bin_hz, 0.5f * (edge_hz[i] + edge_hz[i + 1]));
	onsets->edges.lag = rate < 48000 ? 1 : (uint32_t)lroundf((float)rate / EDGE_RATE);
	onsets->edges.weight = EDGE_WEIGHT * sqrtf(min_f32((float)rate / EDGE_RATE, 1.0f));
	return weir_fft_init(&onsets->fft, onsets->n);
}

void onsets_finish(struct onsets *onsets)
{
	weir_fft_finish(&onsets->fft);
}

void onsets_allocate(struct onsets *onsets, struct arena *arena)
{
	onsets->window = arena_floats(arena, onsets->n);
	onsets->time = arena_floats(arena, onsets->n);
	onsets->power = arena_floats(arena, onsets->n / 2 + 1);
	onsets->bins = arena_bins(arena, onsets->n / 2 + 1);
}

/* A sine at full scale has the power 1. */
void onsets_init_tables(struct onsets *onsets)
{
	for (uint32_t i = 0; i < onsets->n; i++)
		onsets->window[i] =
			(float)((1.0 - cos(2.0 * M_PI * (i + 0.5) / onsets->n)) * 2.0 / onsets->n);
}

WEIR_REALTIME void onsets_reset(struct onsets *onsets)
{
	onsets->edges = (struct onsets_edges){
		.lag = onsets->edges.lag,
		.weight = onsets->edges.weight,
	};
	onsets->n_steps = 0;
	memset(onsets->smooth, 0, sizeof(onsets->smooth));
	memset(onsets->floor, 0, sizeof(onsets->floor));
	memset(onsets->level, 0, sizeof(onsets->level));
	memset(onsets->hold, 0, sizeof(onsets->hold));
	memset(onsets->amplitude, 0, sizeof(onsets->amplitude));
	memset(onsets->loudness, 0, sizeof(onsets->loudness));
	onsets->mean = FIRST_MEAN;
	onsets->is_rising = false;
	onsets->is_calm = true;
	onsets->rest = REST;
}

static WEIR_SIMD WEIR_REALTIME void window_apply(const float *restrict in,
						 const float *restrict window, float *restrict out,
						 uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		out[i] = in[i] * window[i];
}

/* Mean squares of the signal and of its second difference. */
static WEIR_SIMD WEIR_REALTIME void squares_find(const float *in, uint32_t lag, uint32_t n,
						 float *square, float *difference)
{
	const float *past = in - lag, *older = in - 2 * lag;
	weir_lanes square_sum = { 0.0f }, difference_sum = { 0.0f };
	uint32_t i = 0;

	for (; i + 8 <= n; i += 8) {
		const weir_lanes a = *(const weir_lanes *)(in + i);
		const weir_lanes b = *(const weir_lanes *)(past + i);
		const weir_lanes d = a - 2.0f * b + *(const weir_lanes *)(older + i);

		square_sum += a * a;
		difference_sum += d * d;
	}
	*square = weir_lanes_sum(&square_sum);
	*difference = weir_lanes_sum(&difference_sum);
	for (; i < n; i++) {
		const float d = in[i] - 2.0f * past[i] + older[i];

		*square += in[i] * in[i];
		*difference += d * d;
	}
	*square /= (float)n;
	*difference /= (float)n;
}

static WEIR_REALTIME bool is_known(const struct onsets *onsets)
{
	return onsets->n_steps >= N_FIRST;
}

static WEIR_REALTIME void energy_find(struct onsets *onsets, const float *recent)
{
	window_apply(recent, onsets->window, onsets->time, onsets->n);
	weir_fft_forward(&onsets->fft, onsets->time, onsets->bins);
	weir_fft_power(onsets->bins, onsets->power, onsets->n / 2 + 1);
	for (uint32_t b = 0; b < onsets->n_bands; b++) {
		const struct onsets_band *band = &onsets->band[b];
		float sum = onsets->power[band->first] * band->share[0] +
			    onsets->power[band->end - 1] * band->share[1];

		for (uint32_t i = band->first + 1; i + 1 < band->end; i++)
			sum += onsets->power[i];
		onsets->energy[b] = sum + SILENCE;
	}
}

static WEIR_REALTIME void floors_follow(struct onsets *onsets)
{
	const struct floor_rates rates = { .smooth = FLOOR_SMOOTH, .rise = FLOOR_RISE };

	if (is_known(onsets)) {
		floor_follow(onsets->smooth, onsets->floor, onsets->energy, rates, onsets->n_bands);
		return;
	}
	memcpy(onsets->smooth, onsets->energy, onsets->n_bands * sizeof(float));
	memcpy(onsets->floor, onsets->energy, onsets->n_bands * sizeof(float));
}

/* Takes the level of some steps ago. */
static WEIR_REALTIME void hold_follow(struct onsets_hold *hold, float level, float fall)
{
	if (level >= hold->level) {
		hold->level = level;
		hold->steps = 0;
	} else if (hold->steps < HOLD_STEPS) {
		hold->steps++;
	} else {
		hold->level = max_f32(hold->level - fall, level);
	}
}

static WEIR_REALTIME float bands_rise(struct onsets *onsets)
{
	float *level = onsets->level[onsets->n_steps % ONSETS_DELAY];
	const struct onsets_hold *hold = onsets->hold;
	float rise = 0.0f;

	for (uint32_t b = 0; b < onsets->n_bands; b++) {
		hold_follow(&onsets->hold[b], level[b], HOLD_FALL);
		level[b] = logf(onsets->energy[b] + FLOOR_WEIGHT * onsets->floor[b]);
	}
	for (uint32_t b = 0; b < onsets->n_bands; b++) {
		float past = hold[b].level;

		if (b > 0)
			past = max_f32(past, hold[b - 1].level);
		if (b + 1 < onsets->n_bands)
			past = max_f32(past, hold[b + 1].level);
		rise += min_f32(max_f32(level[b] - past, 0.0f), MAX_RISE);
	}
	return rise;
}

/* Takes the mean squares of the quarters of a step. */
static WEIR_REALTIME float edges_rise(struct onsets_edges *edges, const float *quarter,
				      uint64_t n_steps, bool known)
{
	float power[2] = { 0.0f, 0.0f }; /* maximum, mean */
	float rise = 0.0f;

	for (uint32_t i = 0; i < EDGE_QUARTERS; i++) {
		power[0] = max_f32(power[0], 0.5f * (edges->latest + quarter[i]));
		power[1] += quarter[i] / EDGE_QUARTERS;
		edges->latest = quarter[i];
	}
	edges->smooth += (known ? EDGE_SMOOTH : 1.0f) * (power[1] - edges->smooth);
	edges->floor =
		known ? min_f32(edges->floor * EDGE_FLOOR_RISE, edges->smooth) : edges->smooth;
	for (uint32_t i = 0; i < 2; i++) {
		float *level = &edges->level[i][n_steps % EDGE_DELAY];

		hold_follow(&edges->hold[i], *level, EDGE_FALL);
		*level = logf(power[i] + edges->floor + EDGE_SILENCE);
		rise += edges->weight *
			min_f32(max_f32(*level - edges->hold[i].level, 0.0f), EDGE_MAX_RISE);
	}
	return rise;
}

/* The detection function of this step. */
static WEIR_REALTIME float rise_find(struct onsets *onsets, const float *recent, uint32_t n_new)
{
	const float *in = recent + onsets->n - n_new;
	float *loudness = &onsets->loudness[onsets->n_steps % ONSETS_POWERS];
	float quarter[EDGE_QUARTERS], rise;

	*loudness = 0.0f;
	for (uint32_t i = 0; i < EDGE_QUARTERS; i++) {
		const uint32_t first = i * n_new / EDGE_QUARTERS;
		const uint32_t end = (i + 1) * n_new / EDGE_QUARTERS;
		float square;

		squares_find(in + first, onsets->edges.lag, end - first, &square, &quarter[i]);
		*loudness += square / EDGE_QUARTERS;
	}
	energy_find(onsets, recent);
	floors_follow(onsets);
	rise = bands_rise(onsets) +
	       edges_rise(&onsets->edges, quarter, onsets->n_steps, is_known(onsets));
	return is_known(onsets) ? rise : 0.0f;
}

/* Against the highest of the past but the step before, whose window overlaps. */
static WEIR_REALTIME void accent_find(struct onsets *onsets, struct onsets_found *found)
{
	const uint32_t now = onsets->n_steps % ONSETS_DELAY;
	float power[ONSETS_GROUPS] = { 0.0f };

	for (uint32_t b = 0; b < onsets->n_bands; b++)
		power[onsets->band[b].group] += onsets->energy[b];
	found->accent = found->level = 0.0f;
	for (uint32_t g = 0; g < ONSETS_GROUPS; g++) {
		const float amplitude = sqrtf(power[g]);
		float max = 0.0f;

		for (uint32_t i = 0; i < ONSETS_DELAY; i++)
			if (i != (now + ONSETS_DELAY - 1) % ONSETS_DELAY)
				max = max_f32(max, onsets->amplitude[i][g]);
		found->accent += max_f32(amplitude - max, 0.0f);
		found->level += amplitude;
		onsets->amplitude[now][g] = amplitude;
	}
}

/* The sound before the rise was much louder. */
static WEIR_REALTIME bool is_breaking_off(const struct onsets *onsets)
{
	const uint64_t now = onsets->n_steps;
	const float before = max_f32(onsets->loudness[(now - 3) % ONSETS_POWERS],
				     onsets->loudness[(now - 4) % ONSETS_POWERS]);

	return onsets->loudness[now % ONSETS_POWERS] < MIN_LEFT * before;
}

WEIR_REALTIME void onsets_step(struct onsets *onsets, const float *recent, uint32_t n_new,
			       struct onsets_found *found)
{
	const float limit = LIMIT + LIMIT_MEANS * onsets->mean;
	const float rise = rise_find(onsets, recent, n_new);

	accent_find(onsets, found);
	found->accent *= smooth_step(min_f32(max_f32(rise / limit - NO_ACCENT, 0.0f), 1.0f));

	found->onset = onsets->is_rising && onsets->rest >= REST && !is_breaking_off(onsets);
	if (found->onset)
		onsets->rest = 0;
	else if (onsets->rest < REST)
		onsets->rest++;
	onsets->is_rising = rise > limit && onsets->is_calm;
	onsets->is_calm = rise <= limit && (onsets->is_calm || rise < CALM * limit);
	onsets->mean +=
		USUAL_SHARE * (min_f32(rise, USUAL + USUAL_MEANS * onsets->mean) - onsets->mean);
	onsets->n_steps++;
}
