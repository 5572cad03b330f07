/* SPDX-License-Identifier: MIT */
#ifndef WEIR_FUZZ_TRIAL_H
#define WEIR_FUZZ_TRIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "chance.h"
#include "dsp/unit.h"

#define TRIAL_SECONDS 2.0
#define TRIAL_SEGMENTS 6

/* What a unit is told at the beginning of a segment, in this order. */
struct trial_segment {
	uint32_t n_frames;
	bool resets;
	bool restores_own; /* what the state saved before the reset */
	bool restores_any;
	float saved[WEIR_MAX_STATE_VALUES];
	float control[WEIR_MAX_PORTS]; /* any float */
};

/* All that goes into a unit, told by the name of the unit and a seed. */
struct trial {
	const struct weir_unit *unit;
	uint64_t seed;
	uint32_t rate, n_frames;
	float *input[WEIR_MAX_PORTS]; /* of audio inputs, else NULL */
	struct trial_segment segment[TRIAL_SEGMENTS];
	uint32_t n_segments;
	struct chance chance; /* for what follows */
};

/* Owns the inputs; trial_finish() frees them. */
void trial_init(struct trial *trial, const struct weir_unit *unit, uint64_t seed);
void trial_finish(struct trial *trial);

#endif
