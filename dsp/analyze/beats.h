/* SPDX-License-Identifier: MIT */
#ifndef WEIR_ANALYZE_BEATS_H
#define WEIR_ANALYZE_BEATS_H

#include "tempo.h"

/* Predicts the beats of a tempo. */
struct beats {
	bool started;
	bool looked; /* for the next beat, since the latest beat */
	float next;  /* steps until then */
};

WEIR_REALTIME void beats_reset(struct beats *beats);

/* After a step of the tempo. Returns the seconds since a beat that was in this step, or NaN. */
WEIR_REALTIME float beats_step(struct beats *beats, const struct tempo *tempo);

#endif
