/* SPDX-License-Identifier: MIT */
#ifndef WEIR_ANALYZE_LEVEL_H
#define WEIR_ANALYZE_LEVEL_H

#include <math.h>

#include "dsp/minmax.h"

/* IEC 61672-1:2013, 5.8: time constants of the time weightings F and S. */
#define FAST_SECONDS 0.125
#define SLOW_SECONDS 1.0

#define MIN_LEVEL -200.0f    /* dB */
#define MAX_LEVEL 300.0f     /* dB: WEIR_MAX_SAMPLE and the highest calibration make 263 */
#define MIN_SQUARE 1e-20f    /* MIN_LEVEL as a square */
#define DB_PER_E 4.34294482f /* 10 log10(x) of log(x), which costs half as much as log10() */

/* dB of a squared amplitude */
static inline WEIR_REALTIME float decibels(float square)
{
	return DB_PER_E * logf(square + MIN_SQUARE);
}

/* dB of a mean square, relative to a sine at full scale, whose mean square is 1/2. */
static inline WEIR_REALTIME float level_of(float square, float calibration)
{
	return max_f32(decibels(2.0f * square) + calibration, MIN_LEVEL);
}

#endif
