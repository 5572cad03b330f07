/* SPDX-License-Identifier: MIT */
#ifndef WEIR_PITCH_ONSET_H
#define WEIR_PITCH_ONSET_H

#include <stdbool.h>
#include <stdint.h>

#include "dsp/arena.h"
#include "pitch.h"

#define ONSET_BLOCKS 4	 /* per hop */
#define ONSET_HISTORY 16 /* blocks, a power of two */
#define ONSET_MAX 8	 /* attacks kept; a power of two */

/* An attack in the input. */
struct onset {
	uint64_t frame;
	bool strong;	/* so strong that it may have no pre-echo */
	bool placed;	/* a vocoder frame was centred on it */
	uint32_t place; /* its place in the stretch buffer, if placed */
};

/* Finds attacks at most one hop after they happen. */
struct onset_finder {
	uint32_t n_channels;
	uint32_t hop, hold; /* frames */
	float leak;	    /* factor per frame of the envelope that locates an attack */
	float quiet;	    /* power of two blocks below which nothing is an attack */

	float last[PITCH_MAX_CHANNELS]; /* the preceding frame, per channel */
	float *power;			/* of the first difference, per frame; a ring of one hop */
	uint32_t at;			/* index of the next frame in power */
	float block[ONSET_HISTORY];
	uint32_t n_blocks;
	struct onset found[ONSET_MAX];
	uint32_t n_found; /* since reset: found[(n_found - 1) % ONSET_MAX] is the latest */
};

void onset_init(struct onset_finder *finder, uint32_t rate, uint32_t n_channels, uint32_t hop);
void onset_allocate(struct onset_finder *finder, struct arena *arena);

WEIR_REALTIME void onset_reset(struct onset_finder *finder);

/* Takes n frames of one block: in[c] has those of channel c. */
WEIR_REALTIME void onset_take(struct onset_finder *finder, const float *const in[], uint32_t n);

/* Call at the end of each block of hop / ONSET_BLOCKS frames; `frame` is the next frame. */
WEIR_REALTIME void onset_end_block(struct onset_finder *finder, uint64_t frame);

#endif
