/* SPDX-License-Identifier: MIT */
#ifndef WEIR_ALIGN_ROTOR_H
#define WEIR_ALIGN_ROTOR_H

#include <math.h>
#include <stdint.h>

#include "dsp/unit.h"

#define ROTOR_LANES 8

/* Fills re and im with exp(j angle k) for k from first on; n is rounded up to ROTOR_LANES. */
static inline WEIR_REALTIME void rotor_fill(float *re, float *im, double angle, uint32_t first,
					    uint32_t n)
{
	const float step_re = (float)cos(angle * ROTOR_LANES);
	const float step_im = (float)sin(angle * ROTOR_LANES);
	float lane_re[ROTOR_LANES], lane_im[ROTOR_LANES];

	for (uint32_t j = 0; j < ROTOR_LANES; j++) {
		lane_re[j] = (float)cos(angle * (first + j));
		lane_im[j] = (float)sin(angle * (first + j));
	}
	for (uint32_t k = 0; k < n; k += ROTOR_LANES)
		for (uint32_t j = 0; j < ROTOR_LANES; j++) {
			const float turned_re = lane_re[j] * step_re - lane_im[j] * step_im;
			const float turned_im = lane_re[j] * step_im + lane_im[j] * step_re;

			re[k + j] = lane_re[j];
			im[k + j] = lane_im[j];
			lane_re[j] = turned_re;
			lane_im[j] = turned_im;
		}
}

#endif
