/* SPDX-License-Identifier: MIT */
#ifndef WEIR_PITCH_TAPE_H
#define WEIR_PITCH_TAPE_H

#include <stdint.h>

#include "dsp/arena.h"
#include "pitch.h"

#define TAPE_TAPS 32 /* of the interpolating kernel */

/*
 * The tape holds the input stretched in time: the vocoder writes it in
 * overlapping grains, and reading it at the speed of the stretch gives the shift.
 *
 * A place on the tape is a fixed point number with 32 fractional bits, or its
 * whole part in uint32_t; both wrap around.
 */
struct tape {
	uint32_t n_channels;
	float *kernel; /* [SINC_PHASES + 1][TAPE_TAPS] */

	uint32_t open;			  /* the first place that grains may still change */
	uint32_t n_grain;		  /* places from there on */
	float *grain[PITCH_MAX_CHANNELS]; /* sums of the grains from `open` on, per channel */
	float *weight;			  /* sum of their windows */

	uint32_t n_done;		 /* a power of two */
	float *done[PITCH_MAX_CHANNELS]; /* finished places; the first TAPE_TAPS again behind the
					  * last
					  */
};

/* n_grain: places that grains may still change; n_done: finished places, at least. */
void tape_init(struct tape *tape, uint32_t n_channels, uint32_t n_grain, uint32_t n_done);
void tape_allocate(struct tape *tape, struct arena *arena);
void tape_init_kernel(struct tape *tape);

/* Leaves the tape blank; where it is open is up to the caller. */
WEIR_REALTIME void tape_reset(struct tape *tape);

/* Finishes what lies before the place `open`. */
WEIR_REALTIME void tape_finish(struct tape *tape, uint32_t open);

/* A reading head: its place, how far it moves in a frame, and by how much more in each next one. */
struct tape_head {
	uint64_t place, step, change;
};

/* Reads n frames. Uses places from TAPE_TAPS / 2 - 1 before the head to TAPE_TAPS / 2 behind. */
WEIR_REALTIME void tape_read(const struct tape *tape, struct tape_head *head, float *const out[],
			     uint32_t n);

#endif
