/* SPDX-License-Identifier: MIT */
#ifndef WEIR_ALIGN_TRACK_H
#define WEIR_ALIGN_TRACK_H

#include <math.h>

#include "change.h"
#include "cross.h"
#include "drift.h"
#include "frame.h"
#include "known_delays.h"
#include "rate_step.h"

#define TRACK_HOP 512
#define TRACK_ELSEWHERES 4
#define TRACK_JUMPS 6
#define TRACK_FIRST_ACTIVE 0.25	   /* seconds of sound, before it is measured */
#define TRACK_REACH_SECONDS 0.0015 /* of the loop: what is further is elsewhere */
#define TRACK_START_DEVIATION 150e-6
#define TRACK_MAX_WANDER (1e-6 / 60.0) /* of the drift, per second */

/*
 * Follows the delay between two microphones once it is known to a millisecond. delay is the seconds
 * by which the second microphone is later at the time of the first, and grows by drift per second.
 */
struct track {
	const struct cross_context *context;
	uint32_t stage;
	int64_t frame; /* first sample of the next one, of the first microphone */
	double centre; /* of the latest one, seconds; may be read again: earlier than time */

	double time, delay, drift;
	double delay_variance, drift_variance, covariance;
	double born;	/* time */
	double heard;	/* time of the latest frame with sound that is no chance */
	double quiet;	/* seconds since a frame had any */
	double fresh;	/* activity times seconds, since the latest long pause */
	double active;	/* seconds of sound measured since the delay was set */
	double moving;	/* seconds for which the source is taken to move */
	double boost;	/* variance per second that a moving source adds */
	double bad;	/* seconds without agreement, less those with it */
	double misfit;	/* mean square of the innovation over its variance */
	float polarity; /* 1 or -1 */
	float agreement;

	double switched;   /* time at which the delay was last set to another one */
	uint32_t n_doubts; /* frames in a row whose sound comes from elsewhere */
	struct change change;
	struct known_delays known;
	bool is_block_here; /* the block that is worked on was taken at this delay */

	double elsewhere[TRACK_ELSEWHERES], jump[TRACK_JUMPS]; /* seconds, latest last */
	uint32_t n_elsewheres, n_jumps;

	struct frame latest;
	struct cross slow, fast, block;
	struct cross_weighted weighted;
	float *lags; /* [CROSS_FINE] */
	double block_active, block_time, block_weight;
	double corrected; /* seconds, since the latest block ended */
	struct rate_step rate_step;
	struct drift blocks;
	uint64_t n_frames; /* heard: latest is new */
};

void track_allocate(struct track *track, const struct cross_context *context,
		    const struct drift_tables *drift_tables, struct arena *arena);

/* Starts anew, with frames from `first` seconds on. */
WEIR_REALTIME void track_start(struct track *track, double delay, double drift,
			       double drift_deviation, float polarity, double time, double first);

WEIR_REALTIME void track_drift_set(struct track *track, double drift, double deviation);

/* What was heard, as far as it tells of this delay; of the block that is not complete. */
WEIR_REALTIME void track_sums_clear(struct track *track);
WEIR_REALTIME void track_block_clear(struct track *track);

/* The drift is another one than the blocks said: they are taken again. */
WEIR_REALTIME void track_drift_again(struct track *track, double drift, double deviation);

/* The delay is another one; what is known of the clocks stays. */
WEIR_REALTIME void track_jump(struct track *track, double delay, float polarity, double time,
			      double first);

WEIR_REALTIME uint32_t track_step(struct track *track, const struct front_end *front1,
				  const struct front_end *front2);

/* What is less urgent: returns 0 when there is nothing, or while a frame is worked on. */
WEIR_REALTIME uint32_t track_drift_step(struct track *track);

static inline WEIR_REALTIME double track_delay(const struct track *track, double time)
{
	return track->delay + track->drift * (time - track->time);
}

/* Standard deviation of the delay, seconds. */
static inline WEIR_REALTIME double track_deviation(const struct track *track, double time)
{
	const double ahead = time - track->time, unheard = time - track->heard;

	return sqrt(track->delay_variance + track->drift_variance * ahead * ahead) +
	       0.5 * TRACK_MAX_WANDER * unheard * unheard;
}

/* Sample of the second microphone at which the frame begins there. */
static inline WEIR_REALTIME double track_position_2(const struct track *track)
{
	const double rate = (double)track->context->rate;
	const double centre = (double)(track->frame + CROSS_WINDOW / 2) / rate;

	return (double)track->frame + track_delay(track, centre) * rate;
}

#endif
