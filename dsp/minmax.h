/* SPDX-License-Identifier: MIT */
#ifndef WEIR_MINMAX_H
#define WEIR_MINMAX_H

#include <stdint.h>

#include "unit.h"

static inline WEIR_REALTIME uint32_t min_u32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static inline uint32_t power_of_two(uint32_t min)
{
	uint32_t n = 1;

	while (n < min)
		n *= 2;
	return n;
}

/* fminf() and fmaxf() call libm; these are single instructions. NaN in a gives b. */
static inline WEIR_REALTIME float min_f32(float a, float b)
{
	return a < b ? a : b;
}

static inline WEIR_REALTIME float max_f32(float a, float b)
{
	return a > b ? a : b;
}

/* From 0 to 1 with slope 0 at both ends, for fades without clicks. */
static inline WEIR_REALTIME float smooth_step(float x)
{
	return x * x * (3.0f - 2.0f * x);
}

#endif
