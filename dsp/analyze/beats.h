/* SPDX-License-Identifier: MIT */
#ifndef WEIR_ANALYZE_BEATS_H
#define WEIR_ANALYZE_BEATS_H

#include "tempo.h"

/* Predicts the beats of a tempo. */
struct beats {
	bool started;
	bool looked; /* the next beat was predicted after the latest one */
	float next;  /* steps until the next beat */
};

WEIR_REALTIME void beats_reset(struct beats *beats);

/* Call after tempo_step(). Returns the seconds since a beat in this step, or NaN: none. */
WEIR_REALTIME float beats_step(struct beats *beats, const struct tempo *tempo);

#endif
