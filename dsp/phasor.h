/* SPDX-License-Identifier: MIT */
#ifndef WEIR_PHASOR_H
#define WEIR_PHASOR_H

#include <float.h>
#include <math.h>
#include <stdint.h>

#include "minmax.h"
#include "simd.h"
#include "unit.h"

/*
 * Phases in cycles, one cycle being 2 pi radians, and phasors exp(j phase). The polynomials are
 * minimax fits. Unlike libm's functions they have no branches to be mispredicted, and give the same
 * floats with every libm.
 */

/* The phase of re + j im, -1/2 to 1/2 cycle; within 1e-7. 0 + j 0 gives 0. */
static inline WEIR_REALTIME float phase_of(float re, float im)
{
	const float x = fabsf(re), y = fabsf(im);
	const float a = min_f32(x, y) / max_f32(max_f32(x, y), FLT_MIN), b = a * a;
	const float is_steep = (float)(y > x), is_back = (float)(re < 0.0f);
	float cycles = -6.453044054e-04f;

	cycles = cycles * b + 3.479597802e-03f;
	cycles = cycles * b - 8.898723199e-03f;
	cycles = cycles * b + 1.534603372e-02f;
	cycles = cycles * b - 2.213627148e-02f;
	cycles = cycles * b + 3.174594523e-02f;
	cycles = cycles * b - 5.304612097e-02f;
	cycles = (cycles * b + 1.591548373e-01f) * a;
	cycles += is_steep * (0.25f - 2.0f * cycles);
	cycles += is_back * (0.5f - 2.0f * cycles);
	return copysignf(cycles, im);
}

/* The phase without its whole cycles: -1/2 to 1/2. |cycles| is below 2^51. */
static inline WEIR_REALTIME float phase_wrap(double cycles)
{
#if FLT_EVAL_METHOD == 0
	const double to_whole = 6755399441055744.0; /* 1.5 * 2^52: adding it rounds to an integer */

	return (float)(cycles - ((cycles + to_whole) - to_whole));
#else
	return (float)(cycles - rint(cycles));
#endif
}

/* The sine of -1/4 to 1/4 cycle. */
static inline WEIR_REALTIME float phase_sine(float cycles)
{
	const float b = cycles * cycles;
	float sine = 3.953670636e+01f;

	sine = sine * b - 7.654978234e+01f;
	sine = sine * b + 8.160100408e+01f;
	sine = sine * b - 4.134165503e+01f;
	return (sine * b + 6.283185160e+00f) * cycles;
}

/* phasor = scale * { cosine, sine } of -1/2 to 1/2 cycle; within 1e-6 of scale. */
static inline WEIR_REALTIME void phasor_set(float phasor[2], float cycles, float scale)
{
	const float size = fabsf(cycles), folded = min_f32(size, 0.5f - size);

	phasor[0] = scale * phase_sine(0.25f - size);
	phasor[1] = copysignf(scale * phase_sine(folded), cycles);
}

/* re[k] + j im[k] = exp(j (first + k) radians) for k < n, with n rounded up to WEIR_LANES. */
static inline WEIR_REALTIME void phasors_set(float *re, float *im, double radians, uint32_t first,
					     uint32_t n)
{
	const float step_re = (float)cos(radians * WEIR_LANES);
	const float step_im = (float)sin(radians * WEIR_LANES);
	float lane_re[WEIR_LANES], lane_im[WEIR_LANES];

	for (uint32_t j = 0; j < WEIR_LANES; j++) {
		lane_re[j] = (float)cos(radians * (first + j));
		lane_im[j] = (float)sin(radians * (first + j));
	}
	for (uint32_t k = 0; k < n; k += WEIR_LANES)
		for (uint32_t j = 0; j < WEIR_LANES; j++) {
			const float next_re = lane_re[j] * step_re - lane_im[j] * step_im;
			const float next_im = lane_re[j] * step_im + lane_im[j] * step_re;

			re[k + j] = lane_re[j];
			im[k + j] = lane_im[j];
			lane_re[j] = next_re;
			lane_im[j] = next_im;
		}
}

#endif
