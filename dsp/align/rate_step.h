/* SPDX-License-Identifier: MIT */
#ifndef WEIR_ALIGN_RATE_STEP_H
#define WEIR_ALIGN_RATE_STEP_H

#include "dsp/unit.h"

/*
 * A clock that runs at another rate from now on looks like a talker who walks. What must be
 * corrected again and again, as much each time, and slowly, is its drift.
 */
struct rate_step {
	double seconds;	     /* corrected since then: */
	double time, active; /* of which sound */
	double rate;	     /* per second, of the time before that */
};

/* The delay has jumped: starts over. */
WEIR_REALTIME void rate_step_reset(struct rate_step *rate_step, double time, double active);

/* Returns by how much the drift has changed, per second, or 0. */
WEIR_REALTIME double rate_step_detect(struct rate_step *rate_step, double time, double active);

#endif
