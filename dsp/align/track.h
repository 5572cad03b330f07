/* SPDX-License-Identifier: MIT */
#ifndef WEIR_ALIGN_TRACK_H
#define WEIR_ALIGN_TRACK_H

#include "frame.h"
#include "loop.h"

#define TRACK_MAX_LATE_SECONDS 2.8f /* 1.5 s of lag, 0.9 s of rereading, and a reserve */

enum track_stage {
	TRACK_FIRST_SPECTRUM,
	TRACK_SECOND_SPECTRUM,
	TRACK_COMPARE,
	TRACK_MATCH,
	TRACK_MATCH_TRANSFORM,
	TRACK_MATCH_LOOK,
	TRACK_ACCUMULATE,
	TRACK_LOOK_WEIGH,
	TRACK_LOOK_TRANSFORM,
	TRACK_LOOK,
	TRACK_WEIGH,
	TRACK_TRANSFORM,
	TRACK_MEASURE,
};

/* Reads frames of both microphones, and runs the loop on them. */
struct track {
	struct loop loop;
	struct frame latest;
	enum track_stage stage;
	int64_t frame;	   /* first sample of the next one, of the first microphone */
	double centre;	   /* seconds, of the latest one; before the loop's time when read again */
	uint64_t n_frames; /* compared so far: then latest is new */
};

void track_allocate(struct track *track, const struct cross_context *context,
		    const struct drift_tables *drift_tables, struct arena *arena);

/* Starts at a delay, with frames from `first` seconds on. */
WEIR_REALTIME void track_start(struct track *track, double delay, double drift,
			       double drift_deviation, float polarity, double time, double first);

/* Goes on at another delay, with frames from `first` seconds on; keeps the drift. */
WEIR_REALTIME void track_jump(struct track *track, double delay, float polarity, double time,
			      double first);

/* Works on the next frame. Returns the cost, or 0 while there is none. */
WEIR_REALTIME uint32_t track_step(struct track *track, const struct front_end *front1,
				  const struct front_end *front2);

/* Less urgent work, on blocks. Returns the cost, or 0 while there is none or a frame is in work. */
WEIR_REALTIME uint32_t track_drift_step(struct track *track);

#endif
