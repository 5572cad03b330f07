/* SPDX-License-Identifier: MIT */
#ifndef WEIR_SINC_H
#define WEIR_SINC_H

#include <stddef.h>
#include <stdint.h>

#include "simd.h"
#include "unit.h"

/*
 * Band-limited interpolation by a sinc in a Kaiser window (J. O. Smith, P. Gossett, "A flexible
 * sampling-rate conversion method", ICASSP 1984), from a table of kernels for SINC_PHASES places
 * between two samples. Between two kernels of the table it is interpolated linearly.
 */
#define SINC_PHASES 256

/*
 * Fills kernel[(n_phases + 1) * n_taps]. Kernel p interpolates p / n_phases of a sample behind tap
 * n_taps / 2 - 1; its taps sum to 1. cutoff is relative to half the rate; beta is that of the
 * Kaiser window.
 */
void sinc_fill(float *kernel, int n_taps, int n_phases, double cutoff, double beta);

/* The kernel for a place whose fraction is in 32 bits. Inlined: n_taps is a constant. */
static inline WEIR_REALTIME void sinc_kernel(const float *table, uint32_t n_taps, uint32_t fraction,
					     float *kernel)
{
	const uint32_t phase = fraction >> 24;
	const float share = (float)(fraction & 0xffffff) / 16777216.0f;
	const float *below = table + (size_t)phase * n_taps;
	const float *above = below + n_taps;

	for (uint32_t t = 0; t < n_taps; t++)
		kernel[t] = below[t] + share * (above[t] - below[t]);
}

/* n is a multiple of 16. */
static inline WEIR_REALTIME float sinc_dot(const float *kernel, const float *x, uint32_t n)
{
	weir_lanes sum[2] = { { 0 }, { 0 } };

	for (uint32_t t = 0; t < n; t += 16)
		for (uint32_t j = 0; j < 2; j++)
			sum[j] += *(const weir_lanes *)(kernel + t + 8 * j) *
				  *(const weir_lanes *)(x + t + 8 * j);
	sum[0] += sum[1];
	return weir_lanes_sum(&sum[0]);
}

#endif
