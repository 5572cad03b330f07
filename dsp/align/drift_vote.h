/* SPDX-License-Identifier: MIT */
#ifndef WEIR_ALIGN_DRIFT_VOTE_H
#define WEIR_ALIGN_DRIFT_VOTE_H

#include <stdbool.h>
#include <stdint.h>

#include "dsp/unit.h"

/* Figures as in drift_vote.c. */
#define DRIFT_BLOCKS 40 /* 20 and 30: the same, in scenes of a minute */
#define DRIFT_PAIRS (DRIFT_BLOCKS * (DRIFT_BLOCKS - 1) / 2)
#define DRIFT_CURVE 40 /* points of a curve on each side of 0. 20 and 80: the same */
#define DRIFT_CURVE_POINTS (2 * DRIFT_CURVE + 1)
#define DRIFT_CURVE_STEP 12e-6	    /* seconds: 11 points per period of 7.5 kHz */
#define DRIFT_MAX_PAIR_SECONDS 32.0 /* 16: drift 0.08 ppm; 64: 0.06 ppm */
#define DRIFT_POINTS 101	    /* of the grid of drifts. 75 and 201: the same */

/* Two blocks. Of the same source, their curve peaks at the remaining lag. */
struct drift_pair {
	const float *curve;
	float weight;
	double seconds, lag, curvature; /* of the newer block less the older one */
};

/* The drift, and its change per second, that pairs agree on. */
struct drift_vote {
	struct drift_pair pairs[DRIFT_PAIRS];
	uint32_t n_pairs, pair; /* pair: the next to vote */
	double centre, spacing; /* of the grid of drifts */
	double votes[DRIFT_POINTS];
	double max_votes; /* if all pairs agreed */
	double best, best_votes, best_curvature;
};

/* Starts a vote on drifts around `centre`, by blocks of the latest `span` seconds. */
WEIR_REALTIME void drift_vote_begin(struct drift_vote *vote, double centre, double span);

enum drift_vote_result { DRIFT_VOTE_GOES_ON, DRIFT_VOTE_FAILS, DRIFT_VOTE_SUCCEEDS };

/* Votes on a coarse grid, for a constant drift; succeeds when the maximum lies within the grid. */
WEIR_REALTIME enum drift_vote_result drift_vote_coarse(struct drift_vote *vote, double span);

/*
 * Then votes on a fine grid, for one change of the drift after the other, which `curvature` counts
 * from 0. Sets best and best_votes; best_votes is 0 when there is no maximum. Returns true after
 * the last.
 */
WEIR_REALTIME bool drift_vote_fine(struct drift_vote *vote, double span, uint32_t *curvature);

/* The value of a curve at a lag in seconds, or -1 beyond its ends. */
WEIR_REALTIME double drift_curve_at(const float *curve, double lag);

#endif
