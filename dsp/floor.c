/* SPDX-License-Identifier: MIT */
#include "floor.h"

#include "simd.h"

static WEIR_SIMD WEIR_REALTIME void follow(float *restrict smoothed, float *restrict floor,
					   const float *restrict power, struct floor_rates rates,
					   uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		const float now = smoothed[i] + rates.smooth * (power[i] - smoothed[i]);
		const float risen = floor[i] * rates.rise + rates.more;

		smoothed[i] = now;
		floor[i] = risen < now ? risen : now;
	}
}

/* WEIR_SIMD is for static functions. */
WEIR_REALTIME void floor_follow(float *smoothed, float *floor, const float *power,
				struct floor_rates rates, uint32_t n)
{
	follow(smoothed, floor, power, rates, n);
}
