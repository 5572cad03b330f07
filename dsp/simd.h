/* SPDX-License-Identifier: MIT */
#ifndef WEIR_SIMD_H
#define WEIR_SIMD_H

#include "unit.h"

/*
 * Marks a static function whose loops the compiler makes vector instructions of. On x86-64 it then
 * exists twice, for every processor and for those with AVX2, and the loader takes the one that
 * fits. What a function computes does not depend on that: nothing is contracted, and sums keep
 * their order. GCC would export the clones of a function that is not static, and its
 * AddressSanitizer is not ready yet when the loader chooses.
 */
#if !defined(WEIR_SIMD) && defined(__x86_64__) && defined(__gnu_linux__) && !defined(__AVX2__) && \
	!defined(__SANITIZE_ADDRESS__)
#define WEIR_SIMD __attribute__((target_clones("avx2", "default")))
#elif !defined(WEIR_SIMD)
#define WEIR_SIMD
#endif

/*
 * Eight floats that are worked on at once, by one instruction or several; of any address. For sums
 * that the compiler would leave in memory.
 */
#define WEIR_LANES 8
typedef float weir_lanes
	__attribute__((vector_size(WEIR_LANES * sizeof(float)), aligned(4), may_alias));

/* In pairs, which is both the quickest order and the most exact one. */
static inline WEIR_REALTIME float weir_lanes_sum(const weir_lanes *lanes)
{
	const weir_lanes s = *lanes;

	return ((s[0] + s[4]) + (s[1] + s[5])) + ((s[2] + s[6]) + (s[3] + s[7]));
}

#endif
