/* SPDX-License-Identifier: MIT */
#ifndef WEIR_TRUE_PEAK_H
#define WEIR_TRUE_PEAK_H

#include "dsp/simd.h"
#include "dsp/unit.h"

#define TRUE_PEAK_TAPS 32

/*
 * True peak as ITU-R BS.1770-4 annex 2 estimates it: at four times the rate below 64 kHz, at twice
 * the rate below 256 kHz, above that at the rate itself. A parabola through three points
 * estimates the maximum between them.
 *
 * The estimate lags TRUE_PEAK_TAPS / 2 frames behind the input; without oversampling, one.
 */
struct true_peak_tables {
	uint32_t factor;
	/* Kernels per pair of taps: half sum and half difference of those at 1/4 and 3/4; at 1/2.
	 */
	weir_lanes even[TRUE_PEAK_TAPS / 2], odd[TRUE_PEAK_TAPS / 2], half[TRUE_PEAK_TAPS / 2];
};

struct true_peak {
	float past[TRUE_PEAK_TAPS - 1]; /* the latest samples */
	float before;			/* the last interpolated point */
};

void true_peak_tables_init(struct true_peak_tables *tables, uint32_t rate);

/* Returns the true peak within n frames, at most WEIR_BLOCK. */
WEIR_REALTIME float true_peak_run(const struct true_peak_tables *tables, struct true_peak *peak,
				  const float *in, uint32_t n);

#endif
