/* SPDX-License-Identifier: MIT */

/*
 * Candidates are the maxima of the normalised square difference (P. McLeod, G. Wyvill, "A smarter
 * way to find pitch", ICMC 2005), here called similarity. A Viterbi search follows the path of
 * minimum cost through them (after P. Boersma, "Accurate short-term analysis of the fundamental
 * frequency", IFA Proceedings 17, 1993), but without looking ahead.
 */

#include "f0.h"

#include <math.h>
#include <string.h>

#include "dsp/minmax.h"
#include "dsp/simd.h"
#include "dsp/sinc.h"

/*
 * Where the thresholds come from: each was halved and doubled, or set to the values named. "No
 * figure": none of bench/analyze/run quality's table of the fundamental frequency moves by more
 * than 0.1 cents or 1 ms; all its tones stay right, and noise without a pitch.
 */
#define SOUND_HZ 12000.0    /* three times BAND_HZ: room for the lowpass */
#define BAND_HZ 4000.0	    /* at 2000 98 % of the tones without a fundamental are right */
#define TAPS_PER_FACTOR 16  /* of the lowpass; no figure */
#define RUMBLE_HZ 25.0	    /* half of MIN_HZ; no figure */
#define WINDOW_SECONDS 0.05 /* 2.5 periods of MIN_HZ; the lag of 26 ms is half of it */
#define MIN_HZ 50.0
#define MAX_HZ 2000.0
#define FINE_TAPS 16   /* of the kernel that interpolates the similarity */
#define FINE_PHASES 32 /* per sample */
#define FINE_STEP 8    /* phases; no figure */

#define MIN_SIMILARITY 0.3f	/* of a candidate; no figure */
#define VALLEY_SIMILARITY 0.25f /* the similarity falls below it within a period: its mean is 0 */
#define MAX_MAXIMA 64		/* of a lag that has room for 40 periods of MAX_HZ */
#define SILENT_ENERGY 1e-12f	/* mean square, twice */

#define HIGH_OCTAVE 10.0f     /* log2 of Hz: a candidate above it; no figure from 9 to 11 ... */
#define HIGH_SIMILARITY 0.75f /* ... and below this is a consonant; no figure from 0.38 to 0.9 */

/*
 * Costs of a hop of a path: 1 - similarity of the candidate, a cost that grows towards low
 * frequencies, and the distance from the preceding candidate. The cost of earlier hops decays. The
 * terms are those of Boersma (1993); no figure moves with half or twice any of them.
 */
#define SILENT_COST 0.54f	/* of no pitch */
#define OCTAVE_COST 0.03f	/* per octave below TOP_OCTAVE */
#define OCTAVE_NOISE_COST 0.15f /* the same, times the similarity that the best candidate lacks */
#define TOP_OCTAVE 11.0f	/* log2 of Hz */
#define JUMP_COST 0.25f		/* per octave, ... */
#define MAX_JUMP_COST 0.12f	/* ... and no more than this */
#define VOICE_COST 0.1f		/* between pitch and none */
#define MEMORY 0.6f

int f0_init(struct f0 *f0, uint32_t rate)
{
	f0->factor = (uint32_t)lround(rate / SOUND_HZ);
	f0->rate = (float)rate / (float)f0->factor;
	f0->n_taps = TAPS_PER_FACTOR * f0->factor;
	f0->n_window = (uint32_t)lround(WINDOW_SECONDS * (double)f0->rate);
	f0->min_lag = (uint32_t)((double)f0->rate / MAX_HZ);
	f0->max_lag = (uint32_t)((double)f0->rate / MIN_HZ) + 1;
	f0->n_fft = power_of_two(f0->n_window + f0->max_lag + 2);
	f0->rumble_share = (float)(1.0 - exp(-2.0 * M_PI * RUMBLE_HZ / (double)f0->rate));
	return weir_fft_init(&f0->fft, f0->n_fft);
}

void f0_allocate(struct f0 *f0, struct arena *arena)
{
	f0->lowpass = arena_floats(arena, 2 * (size_t)f0->n_taps);
	f0->input = arena_floats(arena, f0->n_taps + WEIR_BLOCK);
	f0->sound = arena_floats(arena, f0->n_window + f0->max_lag);
	f0->energy = arena_floats(arena, f0->max_lag + FINE_TAPS);
	f0->time = arena_floats(arena, f0->n_fft);
	f0->spectrum = arena_bins(arena, f0->n_fft / 2 + 4);
	f0->fine = arena_floats(arena, (FINE_PHASES + 1) * FINE_TAPS);
	f0->both_sides = arena_floats(arena, f0->max_lag + 2 * FINE_TAPS);
}

void f0_init_tables(struct f0 *f0)
{
	const double cutoff = 2.0 * BAND_HZ / ((double)f0->rate * f0->factor);

	f0->similarity = f0->both_sides + FINE_TAPS;
	sinc_fill(f0->lowpass, (int)f0->n_taps, 1, cutoff, 6.0);
	sinc_fill(f0->fine, FINE_TAPS, FINE_PHASES, 0.95, 5.0);
}

void f0_finish(struct f0 *f0)
{
	weir_fft_finish(&f0->fft);
}

WEIR_REALTIME void f0_reset(struct f0 *f0)
{
	f0->n_input = f0->n_taps - f0->factor;
	memset(f0->input, 0, f0->n_taps * sizeof(float));
	memset(f0->sound, 0, f0->n_window * sizeof(float));
	f0->n_sound = f0->n_window;
	f0->rumble[0] = f0->rumble[1] = 0.0f;
	f0->now = 0;
	f0->n_candidates[0] = f0->n_candidates[1] = 0;
	f0->silent_cost[0] = f0->silent_cost[1] = 0.0f;
}

static WEIR_REALTIME void sound_add(struct f0 *f0, float sample)
{
	for (int i = 0; i < 2; i++) {
		f0->rumble[i] += f0->rumble_share * (sample - f0->rumble[i]);
		sample -= f0->rumble[i];
	}
	f0->sound[f0->n_sound++] = sample;
}

/* Returns the number of frames of the input that are no longer needed. */
static WEIR_SIMD WEIR_REALTIME uint32_t sound_run(struct f0 *f0)
{
	uint32_t at = 0;

	for (; at + f0->n_taps <= f0->n_input; at += f0->factor)
		sound_add(f0, sinc_dot(f0->lowpass, f0->input + at, f0->n_taps));
	return at;
}

WEIR_REALTIME void f0_run(struct f0 *f0, const float *in, uint32_t n)
{
	memcpy(f0->input + f0->n_input, in, n * sizeof(float));
	f0->n_input += n;

	const uint32_t done = sound_run(f0);

	f0->n_input -= done;
	memmove(f0->input, f0->input + done, f0->n_input * sizeof(float));
}

/* Makes every bin its power; n is a multiple of 4. */
static WEIR_SIMD WEIR_REALTIME void powers_get(float *spectrum, uint32_t n)
{
	typedef int32_t lane_bits __attribute__((vector_size(32)));
	const lane_bits real = { -1, 0, -1, 0, -1, 0, -1, 0 };

	for (uint32_t k = 0; k < n; k += 4) {
		weir_lanes *bins = (weir_lanes *)(spectrum + 2 * k);
		const weir_lanes square = *bins * *bins;
		const weir_lanes sum =
			square + __builtin_shufflevector(square, square, 1, 0, 3, 2, 5, 4, 7, 6);

		*bins = (weir_lanes)((lane_bits)sum & real);
	}
}

/* energy[lag]: of the first and of the last n - lag samples of x. Returns energy[0]. */
static WEIR_SIMD WEIR_REALTIME float energies_get(const float *x, uint32_t n, float *energy,
						  uint32_t n_lags)
{
	weir_lanes sum = { 0 };
	float rest = 0.0f;
	uint32_t i = 0;

	for (; i + 8 <= n; i += 8)
		sum += *(const weir_lanes *)(x + i) * *(const weir_lanes *)(x + i);
	for (; i < n; i++)
		rest += x[i] * x[i];
	rest += weir_lanes_sum(&sum);
	energy[0] = 2.0f * rest;
	for (uint32_t lag = 1; lag < n_lags; lag++)
		energy[lag] = energy[lag - 1] - (x[lag - 1] * x[lag - 1] + x[n - lag] * x[n - lag]);
	return energy[0];
}

static WEIR_SIMD WEIR_REALTIME void ratios_get(const float *restrict product,
					       const float *restrict energy, float scale,
					       float *restrict ratio, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		ratio[i] = scale * product[i] / (energy[i] + 1e-20f);
}

/* Twice the autocorrelation over the energy of both parts. False: there is no sound. */
static WEIR_REALTIME bool similarity_get(struct f0 *f0)
{
	const uint32_t n = f0->n_window, n_lags = f0->max_lag + FINE_TAPS;
	const float *window = f0->sound + f0->n_sound - n;

	if (energies_get(window, n, f0->energy, n_lags) < SILENT_ENERGY * (float)n)
		return false;
	memcpy(f0->time, window, n * sizeof(float));
	memset(f0->time + n, 0, (f0->n_fft - n) * sizeof(float));
	weir_fft_forward(&f0->fft, f0->time, f0->spectrum);
	powers_get((float *)f0->spectrum, f0->n_fft / 2 + 4);
	weir_fft_inverse(&f0->fft, f0->spectrum, f0->time);
	ratios_get(f0->time, f0->energy, 2.0f / (float)f0->n_fft, f0->similarity, n_lags);
	for (uint32_t lag = 1; lag <= FINE_TAPS; lag++)
		f0->both_sides[FINE_TAPS - lag] = f0->similarity[lag];
	return true;
}

/*
 * The position, from the middle of three values, and height of their parabola's maximum. Where the
 * middle is not the highest value, the position is limited to the outer values.
 */
static WEIR_REALTIME float parabola_peak(const float value[3], float *height)
{
	const float slope = value[0] - value[2];
	const float bend = value[0] - 2.0f * value[1] + value[2];
	const float place = bend < 0.0f ? min_f32(max_f32(0.5f * slope / bend, -1.0f), 1.0f) : 0.0f;

	*height = value[1] - 0.5f * place * (slope - bend * place);
	return place;
}

/* The maximum next to a lag: a parabola through samples is too low for one of few samples. */
static WEIR_REALTIME float peak_refine(const struct f0 *f0, uint32_t lag, float *height)
{
	const float coarse = parabola_peak(f0->similarity + lag - 1, height);
	const int32_t phase = (int32_t)lrintf(((float)lag + coarse) * FINE_PHASES);
	float value[3];

	for (int32_t i = 0; i < 3; i++) {
		const int32_t at = phase + (i - 1) * FINE_STEP;
		const float *first = f0->similarity + at / FINE_PHASES - (FINE_TAPS / 2 - 1);

		value[i] = sinc_dot(f0->fine + (at % FINE_PHASES) * FINE_TAPS, first, FINE_TAPS);
	}
	return ((float)phase + FINE_STEP * parabola_peak(value, height)) / FINE_PHASES;
}

/* Replaces the candidate of the highest cost when there is no room. */
static WEIR_REALTIME void candidate_add(struct f0 *f0, const struct f0_candidate *found)
{
	struct f0_candidate *candidate = f0->candidate[f0->now];
	uint32_t max = 0;

	if (f0->n_candidates[f0->now] < F0_CANDIDATES) {
		candidate[f0->n_candidates[f0->now]++] = *found;
		return;
	}
	for (uint32_t i = 1; i < F0_CANDIDATES; i++)
		if (candidate[i].cost > candidate[max].cost)
			max = i;
	if (found->cost < candidate[max].cost)
		candidate[max] = *found;
}

/* The lags of all maxima above the minimum; returns their number and the greatest similarity. */
static WEIR_REALTIME uint32_t maxima_find(const struct f0 *f0, uint16_t *maximum, float *best)
{
	const float *similarity = f0->similarity;
	uint32_t lag = 1, n = 0;

	*best = 0.0f;
	while (lag < f0->max_lag && similarity[lag] > VALLEY_SIMILARITY)
		lag++;
	if (lag < f0->min_lag)
		lag = f0->min_lag;
	for (; lag <= f0->max_lag && n < MAX_MAXIMA; lag++) {
		if (similarity[lag] < MIN_SIMILARITY || similarity[lag] <= similarity[lag - 1] ||
		    similarity[lag] < similarity[lag + 1])
			continue;
		maximum[n++] = (uint16_t)lag;
		*best = max_f32(*best, similarity[lag]);
	}
	return n;
}

static WEIR_REALTIME void candidates_find(struct f0 *f0)
{
	uint16_t maximum[MAX_MAXIMA];
	float best;
	const uint32_t n = maxima_find(f0, maximum, &best);
	const float octave_cost = OCTAVE_COST + OCTAVE_NOISE_COST * max_f32(0.0f, 1.0f - best);

	for (uint32_t i = 0; i < n; i++) {
		struct f0_candidate found;

		found.lag = peak_refine(f0, maximum[i], &found.similarity);
		found.octave = log2f(f0->rate / found.lag);
		found.cost = 1.0f - found.similarity + octave_cost * (TOP_OCTAVE - found.octave);
		candidate_add(f0, &found);
	}
}

/* Returns the candidate at which the path of minimum cost ends, NULL when that is silence. */
static WEIR_REALTIME const struct f0_candidate *path_follow(struct f0 *f0)
{
	const uint32_t now = f0->now, before = now ^ 1;
	const struct f0_candidate *best = NULL, *from = f0->candidate[before];
	float silent = f0->silent_cost[before], min;

	for (uint32_t j = 0; j < f0->n_candidates[before]; j++)
		silent = min_f32(silent, from[j].cost + VOICE_COST);
	silent = MEMORY * silent + SILENT_COST;
	min = silent;
	for (uint32_t i = 0; i < f0->n_candidates[now]; i++) {
		struct f0_candidate *to = &f0->candidate[now][i];
		float cost = f0->silent_cost[before] + VOICE_COST;

		for (uint32_t j = 0; j < f0->n_candidates[before]; j++) {
			const float jump = fabsf(to->octave - from[j].octave);

			cost = min_f32(cost,
				       from[j].cost + min_f32(JUMP_COST * jump, MAX_JUMP_COST));
		}
		to->cost += MEMORY * cost;
		if (to->cost < min) {
			min = to->cost;
			best = to;
		}
	}
	f0->silent_cost[now] = silent;
	return best;
}

/* A maximum several periods away measures the period more exactly. */
static WEIR_REALTIME float lag_sharpen(const struct f0 *f0, const struct f0_candidate *candidate)
{
	const float *similarity = f0->similarity;
	float period = candidate->lag;

	for (uint32_t m = 2; (float)m * period < 0.6f * (float)f0->max_lag; m++) {
		uint32_t lag = (uint32_t)lrintf((float)m * period);
		float height;

		if (similarity[lag + 1] > similarity[lag])
			lag++;
		else if (similarity[lag - 1] > similarity[lag])
			lag--;
		if (similarity[lag] < similarity[lag - 1] || similarity[lag] < similarity[lag + 1])
			break;
		const float shift = parabola_peak(similarity + lag - 1, &height);

		if (height < 0.8f * candidate->similarity)
			break;
		period = ((float)lag + shift) / (float)m;
	}
	return period;
}

WEIR_REALTIME void f0_hop(struct f0 *f0, float *frequency, float *confidence)
{
	const struct f0_candidate *found;

	f0->now ^= 1;
	f0->n_candidates[f0->now] = 0;
	*frequency = *confidence = 0.0f;
	if (similarity_get(f0))
		candidates_find(f0);
	memmove(f0->sound, f0->sound + f0->n_sound - f0->n_window, f0->n_window * sizeof(float));
	f0->n_sound = f0->n_window;
	found = path_follow(f0);
	if (!found || (found->octave > HIGH_OCTAVE && found->similarity < HIGH_SIMILARITY))
		return;
	*frequency = f0->rate / lag_sharpen(f0, found);
	*confidence = min_f32(1.0f, max_f32(0.0f, found->similarity));
}
