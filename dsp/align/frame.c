/* SPDX-License-Identifier: MIT */
#include "frame.h"

#include <math.h>

#include "dsp/simd.h"

#define MIN_PRODUCT 1e-30f /* of two powers, as of digital silence: such bins have no phase */

void frame_allocate(struct frame *frame, const struct cross_context *context, struct arena *arena)
{
	frame->context = context;
	cross_allocate(&frame->cross, context, arena);
	for (int e = 0; e < 2; e++) {
		frame->bins[e] = arena_bins(arena, CROSS_BINS);
		frame->power[e] = arena_floats(arena, context->n);
	}
}

WEIR_REALTIME void frame_transform(struct frame *frame, const struct front_end *front, uint32_t e,
				   int64_t first)
{
	front_end_window(front, first, frame->context->window, CROSS_WINDOW, frame->context->time);
	weir_fft_forward(&frame->context->fft, frame->context->time, frame->bins[e]);
}

/* Noise floors of the long window, whose bins have twice the power of the front end's. */
static WEIR_REALTIME void floor_get(const struct frame *frame, const struct front_end *front,
				    float *floor)
{
	const float *from = front->floor + frame->context->first / 2;

	for (uint32_t i = 0; i < frame->context->n; i += 2) {
		floor[i] = 2.0f * from[i / 2];
		floor[i + 1] = from[i / 2] + from[i / 2 + 1];
	}
}

static WEIR_SIMD WEIR_REALTIME void compare(struct frame *frame, const float *restrict floor1,
					    const float *restrict floor2, float polarity)
{
	const uint32_t n = frame->context->n;
	const float *restrict x1 = frame->bins[0][frame->context->first];
	const float *restrict x2 = frame->bins[1][frame->context->first];
	float *restrict re = frame->cross.re, *restrict im = frame->cross.im;
	float *restrict weight = frame->cross.weight;
	float *restrict power1 = frame->power[0], *restrict power2 = frame->power[1];
	float activity = 0.0f;

	for (uint32_t i = 0; i < n; i++) {
		const float p1 = x1[2 * i] * x1[2 * i] + x1[2 * i + 1] * x1[2 * i + 1] + 1e-20f;
		const float p2 = x2[2 * i] * x2[2 * i] + x2[2 * i + 1] * x2[2 * i + 1] + 1e-20f;
		const float share = front_end_gain(p1, floor1[i]) * front_end_gain(p2, floor2[i]);
		const float scale = polarity * share / sqrtf(p1 * p2 + MIN_PRODUCT);

		re[i] = scale * (x2[2 * i] * x1[2 * i] + x2[2 * i + 1] * x1[2 * i + 1]);
		im[i] = scale * (x2[2 * i + 1] * x1[2 * i] - x2[2 * i] * x1[2 * i + 1]);
		weight[i] = share;
		power1[i] = p1;
		power2[i] = p2;
	}
	for (uint32_t i = 0; i < n; i++)
		activity += weight[i];
	frame->activity = activity / CROSS_BINS;
}

WEIR_REALTIME void frame_compare(struct frame *frame, const struct front_end *front1,
				 const struct front_end *front2, float polarity)
{
	float floor[2][CROSS_BINS];

	floor_get(frame, front1, floor[0]);
	floor_get(frame, front2, floor[1]);
	compare(frame, floor[0], floor[1], polarity);
}
