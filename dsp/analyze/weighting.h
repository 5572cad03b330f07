/* SPDX-License-Identifier: MIT */
#ifndef WEIR_WEIGHTING_H
#define WEIR_WEIGHTING_H

#include <stdint.h>

/* The lanes: frequency weightings A, C and Z of IEC 61672-1, K of ITU-R BS.1770-4. */
enum {
	WEIGHTING_A,
	WEIGHTING_C,
	WEIGHTING_Z,
	WEIGHTING_K,
	WEIGHTINGS,
};

#define WEIGHTING_SECTIONS 3

/* At any address. Doubles, since the poles at 20.6 Hz are too near to 1 for floats. */
typedef double weighting_lanes __attribute__((vector_size(32), aligned(8), may_alias));

struct weighting_section {
	double b0[WEIGHTINGS], b1[WEIGHTINGS], b2[WEIGHTINGS], a1[WEIGHTINGS], a2[WEIGHTINGS];
};

/* Transposed direct form II. */
struct weighting {
	struct weighting_section section[WEIGHTING_SECTIONS];
};

void weighting_init_tables(struct weighting *weighting, uint32_t rate);

#endif
