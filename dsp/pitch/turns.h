/* SPDX-License-Identifier: MIT */
#ifndef WEIR_PITCH_TURNS_H
#define WEIR_PITCH_TURNS_H

#include <float.h>
#include <math.h>

#include "common.h"

/*
 * Angles in turns: 1 is all around. The polynomials are minimax fits. Beside libm's functions these
 * have no branches that a processor could guess wrongly, and give the same floats with every libm.
 */

/* The angle of re + i im, -1/2 to 1/2; within 1e-7. 0 + i 0 gives 0. */
static inline WEIR_REALTIME float turns_of(float re, float im)
{
	const float x = fabsf(re), y = fabsf(im);
	const float a = min_f32(x, y) / max_f32(max_f32(x, y), FLT_MIN), b = a * a;
	const float is_steep = (float)(y > x), is_back = (float)(re < 0.0f);
	float turns = -6.453044054e-04f;

	turns = turns * b + 3.479597802e-03f;
	turns = turns * b - 8.898723199e-03f;
	turns = turns * b + 1.534603372e-02f;
	turns = turns * b - 2.213627148e-02f;
	turns = turns * b + 3.174594523e-02f;
	turns = turns * b - 5.304612097e-02f;
	turns = (turns * b + 1.591548373e-01f) * a;
	turns += is_steep * (0.25f - 2.0f * turns);
	turns += is_back * (0.5f - 2.0f * turns);
	return copysignf(turns, im);
}

/* Takes whole turns away: -1/2 to 1/2 remain. Of less than 2^51 turns. */
static inline WEIR_REALTIME float turns_wrap(double turns)
{
#if FLT_EVAL_METHOD == 0
	const double to_whole = 6755399441055744.0; /* 1.5 * 2^52: what is added to it is rounded */

	return (float)(turns - ((turns + to_whole) - to_whole));
#else
	return (float)(turns - rint(turns));
#endif
}

/* Of -1/4 to 1/4 turns. */
static inline WEIR_REALTIME float turns_sine(float turns)
{
	const float b = turns * turns;
	float sine = 3.953670636e+01f;

	sine = sine * b - 7.654978234e+01f;
	sine = sine * b + 8.160100408e+01f;
	sine = sine * b - 4.134165503e+01f;
	return (sine * b + 6.283185160e+00f) * turns;
}

/* rotor = { cosine, sine } of -1/2 to 1/2 turns, times scale; within 1e-6 of scale. */
static inline WEIR_REALTIME void turns_rotor(float turns, float scale, float rotor[2])
{
	const float size = fabsf(turns), folded = min_f32(size, 0.5f - size);

	rotor[0] = scale * turns_sine(0.25f - size);
	rotor[1] = copysignf(scale * turns_sine(folded), turns);
}

#endif
