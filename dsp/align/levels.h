/* SPDX-License-Identifier: MIT */
#ifndef WEIR_ALIGN_LEVELS_H
#define WEIR_ALIGN_LEVELS_H

#include "cross.h"

#define LEVELS_BANDS 24

/* By how much averages move per frame. */
struct levels_rates {
	float floor, noise, speech, rise;
	double ratio;
};

/* What two aligned microphones hear of the speech and of the noise. */
struct levels {
	const struct cross_context *context;
	uint32_t band_end[LEVELS_BANDS + 1]; /* bins of the context */
	struct levels_rates rates;
	float *smoothed[2], *floor[2]; /* power per bin */
	float *noise[2], *speech[2];
	const float *power[2]; /* of the frame that is worked on */
	uint32_t step;	       /* of that: 0 when it is done */
	uint32_t n_frames, n_ratios;
	double speech_ratio, noise_ratio; /* second over first: mean logarithms of power */
};

void levels_allocate(struct levels *levels, const struct cross_context *context,
		     struct arena *arena);
void levels_fill(struct levels *levels, double hop_seconds);
WEIR_REALTIME void levels_reset(struct levels *levels);

/* There is a new frame; power stays as it is until levels_step() has nothing to do. */
WEIR_REALTIME void levels_add(struct levels *levels, float *const power[2]);
WEIR_REALTIME uint32_t levels_step(struct levels *levels);

#endif
