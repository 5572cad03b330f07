/* SPDX-License-Identifier: MIT */
#ifndef WEIR_ALIGN_MIX_H
#define WEIR_ALIGN_MIX_H

#include <stdbool.h>
#include <stdint.h>

#include "dsp/arena.h"
#include "limits.h"

#define MIX_TAPS 64
#define MIX_MIN_LATENCY 32 /* frames: half the taps */
#define MIX_CELL 8	   /* frames for which weights and speeds are set */

/* How a microphone is to be mixed. */
struct mix_target {
	bool is_aligned;  /* the delay is valid; always true for the first */
	bool is_settled;  /* so is the drift */
	double delay;	  /* frames later than the first, at the latest frame */
	double drift;	  /* growth of the delay, frames per frame */
	float mrc_weight; /* its weight, relative to the others */
	float gain;	  /* of the source, relative to the first; negative: inverted polarity */
};

/* A microphone as it is read. */
struct mix_head {
	float *ring;		 /* [n_ring], and the first MIX_TAPS again */
	bool *is_silent;	 /* [n_ring / MIX_CELL] */
	uint32_t n_zeros;	 /* in a row, up to MIX_CELL */
	uint64_t position, step; /* frames, with 32 fractional bits; wraps around */
	bool is_unaligned;	 /* read without delay, because none is aligned */
	float gate;		 /* activity gate: 0 during digital silence, rises to 1 after it */
	float share;		 /* 0: not mixed, 1: takes part */
	float mrc_weight, gain;
	float weight, weight_goal, weight_step; /* gain; at the end of the cell; change per frame */
};

/* Reads microphones at their delays, and adds them. */
struct mix {
	uint32_t rate, n_mics, n_ring; /* a power of two */
	float *kernel;		       /* [SINC_PHASES + 1][MIX_TAPS] */
	struct mix_head head[ALIGN_MICS];
	struct mix_target target[ALIGN_MICS];
	uint64_t n_frames;
	uint64_t n_aimed; /* frames when the targets were set */
	uint32_t choice;  /* the microphone that is mixed when none is aligned */

	/* Of the first microphone, frames. They differ during a cross-fade. */
	uint32_t latency, next_latency;
	uint32_t n_fade, fade; /* frames of the cross-fade: all, and remaining */
	bool is_settled;       /* the latency has room for the drift */
};

void mix_init(struct mix *mix, uint32_t rate, uint32_t n_mics, double lag_seconds);
void mix_allocate(struct mix *mix, struct arena *arena);
void mix_fill(struct mix *mix);
WEIR_REALTIME void mix_reset(struct mix *mix);

/* The targets are new. */
WEIR_REALTIME void mix_aim(struct mix *mix);

/*
 * Mixes n frames, up to the end of a cell at most. aligned, when not NULL, receives each microphone
 * as it was read, at the level of the first.
 */
WEIR_REALTIME void mix_run(struct mix *mix, const float *const in[], float *out,
			   float (*aligned)[MIX_CELL], uint32_t n);

/* Frames by which the output is later than the input of the microphone. */
WEIR_REALTIME uint32_t mix_get_latency(const struct mix *mix, uint32_t m);

/* Does the microphone take part? */
static inline WEIR_REALTIME bool mix_has(const struct mix *mix, uint32_t m)
{
	return mix->head[m].share > 0.5f && mix->head[m].gate > 0.5f;
}

#endif
