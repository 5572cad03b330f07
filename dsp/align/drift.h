/* SPDX-License-Identifier: MIT */
#ifndef WEIR_ALIGN_DRIFT_H
#define WEIR_ALIGN_DRIFT_H

#include "cross.h"

#define DRIFT_BLOCKS 40
#define DRIFT_PAIRS (DRIFT_BLOCKS * (DRIFT_BLOCKS - 1) / 2)
#define DRIFT_CURVE 40	       /* points of a curve on each side of 0 */
#define DRIFT_CURVE_STEP 12e-6 /* seconds */
#define DRIFT_POINTS 101       /* of the grid of drifts */
#define DRIFT_FINE_POINTS 61

/* What all pairs share: cosines and sines of a curve's points. */
struct drift_tables {
	const struct cross_context *cross;
	float *cosine, *sine; /* [DRIFT_CURVE + 1][context->n] */
};

/* A second or so of sound: its normalized cross-spectrum, and where it was taken for aligned. */
struct drift_block {
	double time, delay, drift, seconds;
	double weight;
	float *re, *im;
};

/* Two blocks of the same source agree on a lag; where, their curve says. */
struct drift_pair {
	const float *curve;
	float weight;
	double seconds, lag, bend;
};

/* What the blocks tell, when the stage is DRIFT_DONE. */
struct drift_estimate {
	bool has_drift, has_delay;
	double drift;
	double lag; /* seconds that the delay at the time of the block was short of the true one */
	uint32_t n_like; /* blocks that tell the delay */
	double span;	 /* seconds from the first block on */
};

struct drift {
	const struct drift_tables *tables;
	struct drift_block block[DRIFT_BLOCKS];
	uint32_t order[DRIFT_BLOCKS], n; /* slots, oldest first */
	float *curve; /* [DRIFT_BLOCKS][DRIFT_BLOCKS][2 * DRIFT_CURVE + 1], of newer, older */
	float agreement[DRIFT_BLOCKS][DRIFT_BLOCKS], size[DRIFT_BLOCKS][DRIFT_BLOCKS];

	enum {
		DRIFT_IDLE,
		DRIFT_COMPARE,
		DRIFT_COARSE,
		DRIFT_FINE,
		DRIFT_TEMPLATE,
		DRIFT_DONE
	} stage;
	uint32_t step, pair, n_pairs;
	struct drift_pair pairs[DRIFT_PAIRS];
	double now, centre, spacing;
	double votes[DRIFT_POINTS], max_votes; /* if all pairs agreed */
	double best, best_votes, best_bend, bend;
	struct cross template;
	struct cross_weighted weighted;
	float *lags; /* [CROSS_FINE] */
	struct drift_estimate estimate;
	uint32_t n_added;
	bool has_solved;
};

void drift_tables_allocate(struct drift_tables *tables, const struct cross_context *cross,
			   struct arena *arena);
void drift_tables_fill(struct drift_tables *tables);
void drift_allocate(struct drift *drift, const struct drift_tables *tables, struct arena *arena);
WEIR_REALTIME void drift_reset(struct drift *drift);

/*
 * Adds a block that was active for `seconds` around `time` and read at `delay`, while the clocks
 * were taken to drift apart by `rate`. May be called when drift_step() had nothing to do.
 */
WEIR_REALTIME void drift_add(struct drift *drift, const struct cross *cross, double time,
			     double delay, double rate, double seconds, double now);

WEIR_REALTIME uint32_t drift_step(struct drift *drift);

#endif
