/* SPDX-License-Identifier: MIT */
#ifndef WEIR_FLOOR_H
#define WEIR_FLOOR_H

#include "unit.h"

/*
 * The noise floor of each bin or band: the minimum of its smoothed power, which grows slowly so
 * that the floor can rise.
 */
struct floor_rates {
	float smooth; /* share of the new power in the smoothed one, per frame */
	float rise;   /* factor by which a floor can grow, per frame */
	float more;   /* power added per frame: a floor of 0 would never grow */
};

/* Takes one frame's power of n bins. */
WEIR_REALTIME void floor_follow(float *smoothed, float *floor, const float *power,
				struct floor_rates rates, uint32_t n);

#endif
