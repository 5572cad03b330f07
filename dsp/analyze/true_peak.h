/* SPDX-License-Identifier: MIT */
#ifndef WEIR_TRUE_PEAK_H
#define WEIR_TRUE_PEAK_H

#include "dsp/simd.h"
#include "dsp/unit.h"

#define TRUE_PEAK_TAPS 32

/*
 * The peak of the sound between the samples, as ITU-R BS.1770-4 annex 2 estimates it: from four
 * times as many points, below 64 kHz; two times below 256 kHz; else the samples themselves. A
 * parabola through three points then finds what lies between them.
 *
 * A point is looked at TRUE_PEAK_TAPS / 2 frames after its sample came; at the samples alone, one.
 */
struct true_peak_tables {
	uint32_t factor;
	/* For points at 1/4 and 3/4 (their mean and half difference), and 1/2; per pair of taps. */
	weir_lanes even[TRUE_PEAK_TAPS / 2], odd[TRUE_PEAK_TAPS / 2], half[TRUE_PEAK_TAPS / 2];
};

struct true_peak {
	float past[TRUE_PEAK_TAPS - 1]; /* the latest samples */
	float before;			/* the last point between samples */
};

void true_peak_tables_init(struct true_peak_tables *tables, uint32_t rate);

/* Returns the highest of n frames, WEIR_BLOCK at most. */
WEIR_REALTIME float true_peak_run(const struct true_peak_tables *tables, struct true_peak *peak,
				  const float *in, uint32_t n);

#endif
