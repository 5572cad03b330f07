/* SPDX-License-Identifier: MIT */
#ifndef WEIR_SIMD_H
#define WEIR_SIMD_H

#include "unit.h"

/*
 * Marks a static function with loops that the compiler vectorizes. On x86-64 the function then
 * exists twice, with and without AVX2, and the loader chooses by processor. Both compute the same
 * floats: nothing is contracted, and sums keep their order. Only static functions, because GCC
 * would export the clones of others; not with AddressSanitizer, which is not yet initialized when
 * the loader chooses.
 */
#if !defined(WEIR_SIMD) && defined(__x86_64__) && defined(__gnu_linux__) && !defined(__AVX2__) && \
	!defined(__SANITIZE_ADDRESS__)
#define WEIR_SIMD __attribute__((target_clones("avx2", "default")))
#elif !defined(WEIR_SIMD)
#define WEIR_SIMD
#endif

/*
 * Eight floats, at any address, that one instruction or several process together. For sums that the
 * compiler would keep in memory.
 */
#define WEIR_LANES 8
typedef float weir_lanes
	__attribute__((vector_size(WEIR_LANES * sizeof(float)), aligned(4), may_alias));

/* In pairs, which is both the fastest and the most accurate order. */
static inline WEIR_REALTIME float weir_lanes_sum(const weir_lanes *lanes)
{
	const weir_lanes s = *lanes;

	return ((s[0] + s[4]) + (s[1] + s[5])) + ((s[2] + s[6]) + (s[3] + s[7]));
}

#endif
