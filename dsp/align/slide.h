/* SPDX-License-Identifier: MIT */
#ifndef WEIR_ALIGN_SLIDE_H
#define WEIR_ALIGN_SLIDE_H

#include "dsp/unit.h"

/*
 * A clock that runs at another rate from now on looks like a talker who walks. What must be
 * corrected again and again, as much each time, and slowly, is its drift.
 */
struct slide {
	double seconds;	     /* corrected since then: */
	double time, active; /* of which sound */
	double rate;	     /* per second, of the time before that */
};

/* The delay has jumped: all begins anew. */
WEIR_REALTIME void slide_begin(struct slide *slide, double time, double active);

/* Returns the drift that is missing, per second, or 0. */
WEIR_REALTIME double slide_take(struct slide *slide, double time, double active);

#endif
