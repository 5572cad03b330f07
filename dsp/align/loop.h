/* SPDX-License-Identifier: MIT */
#ifndef WEIR_ALIGN_LOOP_H
#define WEIR_ALIGN_LOOP_H

#include <math.h>

#include "change.h"
#include "cross.h"
#include "drift.h"
#include "frame.h"
#include "known_delays.h"

#define LOOP_HOP 512		  /* samples from frame to frame */
#define LOOP_COMPETING 4	  /* frames */
#define LOOP_FAR_LAGS 6		  /* measurements */
#define LOOP_FIRST_ACTIVE 0.25	  /* seconds of sound before the first measurement */
#define LOOP_REACH_SECONDS 0.0015 /* of the measurement: peaks beyond compete */
#define LOOP_START_DEVIATION 150e-6
#define LOOP_MAX_WANDER (1e-6 / 60.0) /* of the drift, per second */
#define LOOP_MIN_ACTIVITY 0.006f

/* The state of the filter: delay and drift at `time`, and their covariances. */
struct kalman {
	double time, delay, drift;
	double delay_variance, drift_variance, covariance;
};

/* Sound that is in both microphones. */
struct loop_activity {
	double latest; /* time of the latest frame with more sound than by chance */
	double quiet;  /* seconds since a frame had any */
	double fresh;  /* activity times seconds, since the latest long pause */
	double active; /* seconds of sound measured since the delay was set */
};

/* How well the delay explains the measurements, and whether the source moves. */
struct loop_motion {
	double moving;		   /* seconds for which the source still counts as moving */
	double boost;		   /* variance per second that a moving source adds */
	double bad;		   /* seconds without agreement, less those with it */
	double misfit;		   /* mean square of the innovation over its variance */
	double lag[LOOP_FAR_LAGS]; /* seconds, of far measurements in a row, latest last */
	uint32_t n;
};

/* Peaks of the fast sum that are not at the delay. */
struct loop_competing {
	double lag[LOOP_COMPETING]; /* seconds, of frames in a row, latest last */
	uint32_t n;
	uint32_t n_doubts; /* frames in a row with a lower such peak */
};

/* About a second of sound, for drift.c. */
struct loop_block {
	struct cross sum;
	double active, time, weight; /* sums over its frames */
	double corrected;	     /* seconds of corrections since the latest block ended */
	bool is_current;	     /* the block that drift.c works on was taken at this delay */
};

/*
 * A clock that changes its rate looks like a talker who walks. Corrections that stay equal and slow
 * are drift.
 */
struct loop_rate_step {
	double seconds;	     /* sum of corrections since the interval began: */
	double time, active; /* active: seconds of sound before */
	double rate;	     /* per second, of the interval before */
};

/*
 * Follows the delay between two microphones once it is known to a millisecond. The delay is the
 * seconds by which the second microphone is later at the time of the first, and grows by drift per
 * second.
 */
struct loop {
	const struct cross_context *context;
	struct kalman kalman;
	float polarity; /* 1 or -1 */
	float agreement;
	double born;	 /* time at which it started */
	double switched; /* time at which the delay was last set to another one */

	struct loop_activity activity;
	struct loop_motion motion;
	struct loop_competing competing;
	struct change change;
	struct known_delays known;
	struct loop_rate_step rate_step;

	struct cross slow, fast;
	struct loop_block block;
	struct drift blocks;
	struct cross_weighted weighted; /* is searched for a peak; its transform: */
	float *lags;			/* [CROSS_FINE] */
};

void loop_allocate(struct loop *loop, const struct cross_context *context,
		   const struct drift_tables *drift_tables, struct arena *arena);

/* Starts at a delay, in seconds, at `time`. */
WEIR_REALTIME void loop_start(struct loop *loop, double delay, double drift, double drift_deviation,
			      float polarity, double time);

WEIR_REALTIME void loop_drift_set(struct loop *loop, double drift, double deviation);

/* The first clears all measurements at this delay, the second the incomplete block. */
WEIR_REALTIME void loop_sums_clear(struct loop *loop);
WEIR_REALTIME void loop_block_clear(struct loop *loop);

/* The delay was set anew: clears far peaks, and discards the lag of the block in drift.c. */
WEIR_REALTIME void loop_peaks_clear(struct loop *loop);

/* Sets a drift that contradicts the blocks, and drops them. */
WEIR_REALTIME void loop_drift_again(struct loop *loop, double drift, double deviation);

/* The delay was set anew: the sum of corrections starts again. */
WEIR_REALTIME void loop_rate_step_reset(struct loop *loop);

/* Moves delay and variances on to `time`. */
WEIR_REALTIME void loop_predict(struct loop *loop, double time);

/* Adds a frame, around `centre` in seconds, to the sums; hands a complete block to drift.c. */
WEIR_REALTIME void loop_add(struct loop *loop, const struct frame *frame, double centre);

/* Measures the lag that is left, by the peak of the slow sum in `weighted`, and corrects it. */
WEIR_REALTIME void loop_measure(struct loop *loop);

/* Takes drift and delay from the blocks, when drift.c is done with them. */
WEIR_REALTIME void loop_estimate_take(struct loop *loop);

static inline WEIR_REALTIME double loop_hop_seconds(const struct loop *loop)
{
	return LOOP_HOP / (double)loop->context->rate;
}

static inline WEIR_REALTIME double loop_delay(const struct loop *loop, double time)
{
	return loop->kalman.delay + loop->kalman.drift * (time - loop->kalman.time);
}

/* Standard deviation of the delay, seconds. */
static inline WEIR_REALTIME double loop_deviation(const struct loop *loop, double time)
{
	const struct kalman *kalman = &loop->kalman;
	const double ahead = time - kalman->time, pause = time - loop->activity.latest;

	return sqrt(kalman->delay_variance + kalman->drift_variance * ahead * ahead) +
	       0.5 * LOOP_MAX_WANDER * pause * pause;
}

#endif
