/* SPDX-License-Identifier: MIT */

/*
 * The autocorrelation of accents, over an exponential window, is the similarity of the music to
 * itself a lag later. A period is good where the similarity at it and its multiples is high: a
 * comb, as in M. Davies and M. Plumbley, "Context-dependent beat tracking of musical audio" (2007),
 * of the multiples that bars are made of. Further terms decide the octave:
 *
 * - a lag of half or a third of the period with nearly the same similarity makes the beat faster;
 * - a lag of two periods with much higher similarity makes the beat slower;
 * - periods far from half a second are less usual: a log-normal prior, as in D. Ellis, "Beat
 *   tracking by dynamic programming" (2007).
 *
 * Each search takes SEARCH_STEPS steps.
 */

#include "tempo.h"

#include <math.h>
#include <string.h>

#include "dsp/minmax.h"
#include "dsp/simd.h"

/*
 * Where the thresholds come from: each was halved and doubled, and has its figures in this order. R
 * is the number of right tempos in bench/analyze/run quality, 33 of 33; T the median times from
 * which clicks, drums and notes are right, 2.21, 2.12 and 2.12 s. "No figure": neither moves.
 */
#define MEMORY_SECONDS 5.0f /* no figure */
#define SILENCE 1e-4f	    /* amplitude: -80 dB */
#define MIN_PEAK 0.2f	    /* of the level: less is no accent; no figure */
#define ACCENT 0.2f	    /* of the peak: something was played; no figure */
#define REST_SECONDS 3.0f   /* without accents: the music is over; no figure */
#define PEAK_SECONDS 4.0f   /* no figure */

#define FASTEST_SECONDS 0.27f /* 222 bpm */
#define SLOWEST_SECONDS 1.2f  /* 50 bpm */
#define USUAL_SECONDS 0.47f   /* R 30, 16 */
#define USUAL_OCTAVES 1.1f    /* R 30; no figure at twice that */

#define VARIANCE 1e-3f	  /* of accents: less is chance; twice that: T of clicks 2.29 s */
#define DOUBT_STEPS 40.0f /* of chance, added to the past; twice that: T of clicks 2.29 s */
#define NEAR 0.003f	  /* of a lag: a third of the distance between trial periods */
#define N_COMB 4
#define HALF_WEIGHT 0.6f      /* no figure */
#define HALF_SIMILARITY 0.6f  /* of the similarity at the period, which is subtracted; no figure */
#define THIRD_SIMILARITY 0.2f /* the same; no figure */
#define TWICE_WEIGHT 0.6f     /* no figure */
#define TWICE_SIMILARITY 1.4f /* T of clicks 2.29 s; R 32 */

#define SEARCH_STEPS 17 /* one for the similarity */
#define PERIODS_PER_STEP (TEMPO_PERIODS / (SEARCH_STEPS - 1))
#define SAME 0.04f	   /* of a period; half: T of notes 2.21 s */
#define MIN_FIRST 0.15f	   /* score of a first period; no figure */
#define FIRST_SECONDS 1.0f /* for which it must last; T 1.95, 1.87, 1.87 and 3.23, 3.14, 3.14 s */
#define FIRST_SCORES 0.35f /* score times seconds; no figure; T 2.46, 2.38, 2.38 s */
#define FIRST_PERIODS 2.5f /* since the first accent; no figure; T 2.97, 2.97, 3.14 s */
#define RIVAL_SCORE 1.1f   /* of the period's score, to replace it; no figure */
#define RIVAL_SECONDS 1.0f /* for which it must last; no figure */
#define MIN_KEPT 0.1f	   /* score below which the period is dropped; no figure */

/* Equal weights: T of clicks 2.29 s. */
static const float comb_weight[N_COMB] = { 0.4f, 0.3f, 0.05f, 0.25f };

void tempo_init(struct tempo *tempo, float step_seconds)
{
	tempo->step_seconds = step_seconds;
	tempo->keep = expf(-step_seconds / MEMORY_SECONDS);
}

void tempo_allocate(struct tempo *tempo, struct arena *arena)
{
	tempo->past = arena_floats(arena, 2 * TEMPO_PAST);
	tempo->product = arena_floats(arena, TEMPO_LAGS);
	tempo->similarity = arena_floats(arena, TEMPO_LAGS);
	tempo->trial = arena_floats(arena, TEMPO_PERIODS);
	tempo->usual = arena_floats(arena, TEMPO_PERIODS);
}

void tempo_init_tables(struct tempo *tempo)
{
	for (uint32_t i = 0; i < TEMPO_PERIODS; i++) {
		const float part = (float)i / (TEMPO_PERIODS - 1);
		const float seconds =
			FASTEST_SECONDS * powf(SLOWEST_SECONDS / FASTEST_SECONDS, part);
		const float octaves = log2f(seconds / USUAL_SECONDS) / USUAL_OCTAVES;

		tempo->trial[i] = seconds / tempo->step_seconds;
		tempo->usual[i] = expf(-0.5f * octaves * octaves);
	}
}

/* Past accents do not predict those of the next music. */
static WEIR_REALTIME void music_forget(struct tempo *tempo)
{
	memset(tempo->past, 0, 2 * TEMPO_PAST * sizeof(float));
	memset(tempo->product, 0, TEMPO_LAGS * sizeof(float));
	memset(tempo->similarity, 0, TEMPO_LAGS * sizeof(float));
	tempo->n_steps = tempo->first = 0;
	tempo->rest = 0;
	tempo->sum = tempo->weight = 0.0f;
	tempo->best = tempo->best_score = tempo->kept_score = 0.0f;
	tempo->period = tempo->confidence = tempo->rival = tempo->rival_seconds = 0.0f;
}

WEIR_REALTIME void tempo_reset(struct tempo *tempo)
{
	music_forget(tempo);
	tempo->level = tempo->peak = 0.0f;
}

static WEIR_SIMD WEIR_REALTIME void products_add(float *restrict product,
						 const float *restrict past, float now, float keep)
{
	for (uint32_t i = 0; i < TEMPO_LAGS; i++)
		product[i] = product[i] * keep + now * past[i];
}

/* The autocorrelation of accents without their mean, as a share of their variance. */
static WEIR_REALTIME void similarity_find(struct tempo *tempo)
{
	const float mean = tempo->sum / tempo->weight, square = mean * mean;
	const float variance = tempo->product[0] / tempo->weight - square + VARIANCE;
	const uint32_t n = tempo->n_steps < TEMPO_LAGS ? (uint32_t)tempo->n_steps : TEMPO_LAGS;
	const float grow = 1.0f / tempo->keep;
	float unheard = 1.0f - tempo->weight * (1.0f - tempo->keep);

	for (uint32_t i = 0; i < n; i++) {
		const float weight = (1.0f - unheard) / (1.0f - tempo->keep);

		tempo->similarity[i] =
			(tempo->product[i] - square * weight) / ((weight + DOUBT_STEPS) * variance);
		unheard *= grow;
	}
}

static WEIR_REALTIME float similarity_at(const struct tempo *tempo, float lag)
{
	const uint32_t at = (uint32_t)lag;
	const float part = lag - (float)at;

	return tempo->similarity[at] * (1.0f - part) + tempo->similarity[at + 1] * part;
}

/* The maximum similarity within NEAR of a lag. */
static WEIR_REALTIME float similarity_near(const struct tempo *tempo, float lag)
{
	const float reach = NEAR * lag;
	const float max =
		max_f32(similarity_at(tempo, lag - reach), similarity_at(tempo, lag + reach));

	return max_f32(similarity_at(tempo, lag), max);
}

/* Whether accents reach back by this lag, and the similarity around it is computed. */
static WEIR_REALTIME bool is_heard(const struct tempo *tempo, float lag)
{
	return lag * (1.0f + NEAR) + 1.0f < TEMPO_LAGS &&
	       lag < (float)(tempo->n_steps - tempo->first);
}

static WEIR_REALTIME float score_find(const struct tempo *tempo, float period)
{
	float similarity[N_COMB] = { 0.0f };
	float sum = 0.0f, weight = 0.0f, once, faster, slower;

	for (uint32_t k = 0; k < N_COMB && is_heard(tempo, (float)(k + 1) * period); k++) {
		similarity[k] = similarity_near(tempo, (float)(k + 1) * period);
		sum += comb_weight[k] * similarity[k];
		weight += comb_weight[k];
	}
	if (weight == 0.0f)
		return 0.0f;
	once = max_f32(similarity[0], 0.0f);
	faster = max_f32(similarity_near(tempo, period / 2.0f) - HALF_SIMILARITY * once,
			 similarity_near(tempo, period / 3.0f) - THIRD_SIMILARITY * once);
	slower = similarity[1] - TWICE_SIMILARITY * once;
	return sum / weight - HALF_WEIGHT * max_f32(faster, 0.0f) -
	       TWICE_WEIGHT * max_f32(slower, 0.0f);
}

/* The lag of the highest similarity around this one. */
static WEIR_REALTIME float lag_refine(const struct tempo *tempo, float lag, uint32_t reach)
{
	const float *similarity = tempo->similarity;
	const uint32_t middle = (uint32_t)(lag + 0.5f);
	uint32_t best = middle;
	float bend;

	for (uint32_t i = middle - reach; i <= middle + reach; i++)
		if (similarity[i] > similarity[best])
			best = i;
	bend = 2.0f * similarity[best] - similarity[best - 1] - similarity[best + 1];
	if (similarity[best] < similarity[best - 1] || similarity[best] < similarity[best + 1] ||
	    bend < 1e-6f)
		return lag;
	return (float)best + 0.5f * (similarity[best + 1] - similarity[best - 1]) / bend;
}

/* Each multiple of the period gives it more accurately. */
static WEIR_REALTIME float period_refine(const struct tempo *tempo, float period)
{
	for (uint32_t k = 1; k <= N_COMB; k++) {
		const float lag = (float)k * period;
		const uint32_t reach = k == 1 ? 2 + (uint32_t)(0.01f * lag) : 3;

		if (!is_heard(tempo, lag + (float)reach + 2.0f))
			break;
		period = lag_refine(tempo, lag, reach) / (float)k;
	}
	return period;
}

static WEIR_REALTIME bool is_same(float a, float b)
{
	return fabsf(a - b) < SAME * b;
}

static WEIR_REALTIME void periods_try(struct tempo *tempo, uint32_t first)
{
	for (uint32_t i = first; i < first + PERIODS_PER_STEP; i++) {
		const float period = tempo->trial[i];
		const float score = tempo->usual[i] * score_find(tempo, period);

		if (score > tempo->best_score) {
			tempo->best_score = score;
			tempo->best = period;
		}
		if (is_same(period, tempo->period))
			tempo->kept_score = max_f32(tempo->kept_score, score);
	}
}

/* Whether the best period becomes the period. */
static WEIR_REALTIME bool is_chosen(const struct tempo *tempo)
{
	if (tempo->period > 0.0f && is_same(tempo->best, tempo->period))
		return true;
	if (tempo->period > 0.0f)
		return tempo->best_score > RIVAL_SCORE * tempo->kept_score &&
		       tempo->best_score > MIN_KEPT && tempo->rival_seconds > RIVAL_SECONDS;
	return tempo->best_score > MIN_FIRST && tempo->rival_seconds > FIRST_SECONDS &&
	       tempo->rival_seconds * tempo->best_score > FIRST_SCORES &&
	       (float)(tempo->n_steps - tempo->first) > FIRST_PERIODS * tempo->best;
}

static WEIR_REALTIME void search_end(struct tempo *tempo)
{
	if (is_same(tempo->best, tempo->rival))
		tempo->rival_seconds += SEARCH_STEPS * tempo->step_seconds;
	else
		tempo->rival_seconds = 0.0f;
	tempo->rival = tempo->best;
	if (is_chosen(tempo))
		tempo->period = period_refine(tempo, tempo->best);
	else if (tempo->best_score < MIN_KEPT)
		tempo->period = 0.0f;
	tempo->confidence = 0.0f;
	if (tempo->period > 0.0f)
		tempo->confidence = min_f32(max_f32(score_find(tempo, tempo->period), 0.0f), 1.0f);
}

static WEIR_REALTIME void search(struct tempo *tempo)
{
	const uint32_t part = (uint32_t)(tempo->n_steps % SEARCH_STEPS);

	if (part == 0) {
		similarity_find(tempo);
		tempo->best = tempo->best_score = tempo->kept_score = 0.0f;
	} else {
		periods_try(tempo, (part - 1) * PERIODS_PER_STEP);
	}
	if (part == SEARCH_STEPS - 1)
		search_end(tempo);
}

WEIR_REALTIME void tempo_step(struct tempo *tempo, float accent, float level)
{
	const float share = tempo->step_seconds / PEAK_SECONDS;
	float *past = tempo->past + TEMPO_PAST - 1 - tempo->n_steps % TEMPO_PAST;
	float now;

	tempo->level += share * (level - tempo->level);
	tempo->peak = max_f32(accent, tempo->peak * (1.0f - share));
	now = accent / (max_f32(tempo->peak, MIN_PEAK * tempo->level) + SILENCE);
	past[0] = past[TEMPO_PAST] = now;
	tempo->n_steps++;
	products_add(tempo->product, past, now, tempo->keep);
	tempo->sum = tempo->sum * tempo->keep + now;
	tempo->weight = tempo->weight * tempo->keep + 1.0f;

	tempo->rest = now > ACCENT ? 0 : tempo->rest + 1;
	if (tempo->first == 0 && tempo->rest == 0)
		tempo->first = tempo->n_steps;
	if (tempo->first > 0)
		search(tempo);
	if ((float)tempo->rest * tempo->step_seconds > REST_SECONDS)
		music_forget(tempo);
}
