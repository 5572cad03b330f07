/* SPDX-License-Identifier: MIT */
#ifndef WEIR_ALIGN_DRIFT_H
#define WEIR_ALIGN_DRIFT_H

#include "cross.h"
#include "drift_vote.h"

/* Shared by all pairs: cosines and sines at the points of a curve. */
struct drift_tables {
	const struct cross_context *cross;
	float *cosine, *sine; /* [DRIFT_CURVE + 1][context->n] */
};

/* About a second of sound: its normalized cross-spectrum. */
struct drift_block {
	/* Centre; delay there and drift with which microphone 2 was read; duration of the sound. */
	double time, delay, drift, seconds;
	double weight;	/* sum over the bins of rho^2 / (1 - rho^2) */
	float *re, *im; /* [context->n] */
};

/* The result of all blocks, in stage DRIFT_DONE. */
struct drift_estimate {
	bool has_drift, has_delay;
	double drift;
	double lag;	    /* seconds to be added to the delay of the newest block */
	uint32_t n_similar; /* blocks of which the lag is taken */
	double span;	    /* seconds from the first block on */
};

enum drift_stage {
	DRIFT_IDLE,
	DRIFT_COMPARE,
	DRIFT_COLLECT,
	DRIFT_COARSE,
	DRIFT_FINE,
	DRIFT_TEMPLATE,
	DRIFT_DONE,
};

struct drift {
	const struct drift_tables *tables;
	struct drift_block block[DRIFT_BLOCKS];
	uint32_t order[DRIFT_BLOCKS], n; /* slots, oldest first */
	float *curve; /* [DRIFT_BLOCKS][DRIFT_BLOCKS][2 * DRIFT_CURVE + 1], of newer, older */
	float agreement[DRIFT_BLOCKS][DRIFT_BLOCKS], size[DRIFT_BLOCKS][DRIFT_BLOCKS];

	enum drift_stage stage;
	uint32_t step;	  /* of the stage: a block, or a curvature */
	double now;	  /* time of the latest frame */
	double curvature; /* change of the drift, per second */
	struct drift_vote vote;
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
 * Adds a block with `seconds` of sound around `time`, read at `delay` along the drift `rate`. In
 * stage DRIFT_IDLE only.
 */
WEIR_REALTIME void drift_add(struct drift *drift, const struct cross *cross, double time,
			     double delay, double rate, double seconds, double now);

WEIR_REALTIME uint32_t drift_step(struct drift *drift);

#endif
