/* SPDX-License-Identifier: MIT */
#ifndef WEIR_ANALYZE_TEMPO_H
#define WEIR_ANALYZE_TEMPO_H

#include "dsp/arena.h"

#define TEMPO_PAST 1024 /* steps of about 5 ms, a power of two */
#define TEMPO_LAGS 840	/* steps, of the autocorrelation */
#define TEMPO_PERIODS 176

/* Finds the tempo from accents. */
struct tempo {
	float step_seconds;
	float keep;	   /* of accents, per step */
	float *past;	   /* accents, [2 * TEMPO_PAST], twice the same, the newest first */
	float *product;	   /* [TEMPO_LAGS] of accents that far apart, in sum */
	float *similarity; /* [TEMPO_LAGS] of accents that far apart, 1 at most */
	float *trial;	   /* [TEMPO_PERIODS] periods, steps */
	float *usual;	   /* [TEMPO_PERIODS] prior of each period, 0 to 1 */
	uint64_t n_steps;
	uint64_t first;	   /* step of the first accent */
	uint32_t rest;	   /* steps since the latest accent */
	float sum, weight; /* of accents, and of their weights */
	float level, peak; /* held peaks of the sound and of accents */

	/* The search that is under way. */
	float best, best_score;
	float kept_score; /* of the period */

	float period; /* steps; 0: not known */
	float confidence;
	float rival; /* steps: the latest best */
	float rival_seconds;
};

void tempo_init(struct tempo *tempo, float step_seconds);
void tempo_allocate(struct tempo *tempo, struct arena *arena);
void tempo_init_tables(struct tempo *tempo);
WEIR_REALTIME void tempo_reset(struct tempo *tempo);

/* accent, level: amplitudes */
WEIR_REALTIME void tempo_step(struct tempo *tempo, float accent, float level);

/* The accents, 0 to 1, the newest first: TEMPO_PAST. */
static inline WEIR_REALTIME const float *tempo_past(const struct tempo *tempo)
{
	return tempo->past + (TEMPO_PAST - tempo->n_steps % TEMPO_PAST) % TEMPO_PAST;
}

#endif
