/* SPDX-License-Identifier: MIT */
#ifndef WEIR_PITCH_STRETCH_H
#define WEIR_PITCH_STRETCH_H

#include <stdint.h>

#include "dsp/arena.h"
#include "pitch.h"

#define STRETCH_TAPS 32 /* of the interpolating kernel */

/*
 * The stretch buffer holds the input stretched in time, as the vocoder's overlapping grains.
 * Reading it faster by the stretch factor shifts the pitch.
 *
 * A place in the buffer is a fixed point number with 32 fractional bits, or its
 * integer part in uint32_t; both wrap around.
 */
struct stretch {
	uint32_t n_channels;
	float *kernel; /* [SINC_PHASES + 1][STRETCH_TAPS] */

	uint32_t open;			  /* the first place that grains may still change */
	uint32_t n_grain;		  /* number of places from `open` on */
	float *grain[PITCH_MAX_CHANNELS]; /* sums of the grains from `open` on, per channel */
	float *weight;			  /* sum of their windows */

	uint32_t n_done;		 /* a power of two */
	float *done[PITCH_MAX_CHANNELS]; /* finished places; the first STRETCH_TAPS again behind the
					  * last
					  */
};

/* n_grain: places that grains may still change; n_done: minimum number of finished places. */
void stretch_init(struct stretch *stretch, uint32_t n_channels, uint32_t n_grain, uint32_t n_done);
void stretch_allocate(struct stretch *stretch, struct arena *arena);
void stretch_init_kernel(struct stretch *stretch);

/* Clears the buffer; the caller sets `open`. */
WEIR_REALTIME void stretch_reset(struct stretch *stretch);

/* Finishes the places before `open`. */
WEIR_REALTIME void stretch_finish(struct stretch *stretch, uint32_t open);

/* A reader: its place, its step per frame, and the change of the step per frame. */
struct stretch_reader {
	uint64_t place, step, change;
};

/* Reads n frames. Uses places from STRETCH_TAPS / 2 - 1 before the reader to STRETCH_TAPS / 2 after
 * it. */
WEIR_REALTIME void stretch_read(const struct stretch *stretch, struct stretch_reader *reader,
				float *const out[], uint32_t n);

#endif
