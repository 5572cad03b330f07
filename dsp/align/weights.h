/* SPDX-License-Identifier: MIT */
#ifndef WEIR_ALIGN_WEIGHTS_H
#define WEIR_ALIGN_WEIGHTS_H

#include "cross.h"
#include "dsp/floor.h"

#define WEIGHTS_BANDS 24

/* Shares of the new value per frame. */
struct weights_rates {
	struct floor_rates floor;
	float noise, speech;
	double ratio;
};

/* Of a frame. */
enum weights_stage { WEIGHTS_IDLE, WEIGHTS_FLOORS, WEIGHTS_SORT, WEIGHTS_RATIOS };

/* Power of the speech and of the noise in two aligned microphones. */
struct weights {
	const struct cross_context *context;
	uint32_t band_end[WEIGHTS_BANDS + 1]; /* bins of the context */
	struct weights_rates rates;
	float *smoothed[2], *floor[2]; /* power per bin */
	float *noise[2], *speech[2];
	const float *power[2]; /* of the frame in work */
	enum weights_stage stage;
	uint32_t n_frames, n_ratios;
	double speech_ratio, noise_ratio; /* second over first: mean logarithms of power */
};

void weights_allocate(struct weights *weights, const struct cross_context *context,
		      struct arena *arena);
void weights_fill(struct weights *weights, double hop_seconds);
WEIR_REALTIME void weights_reset(struct weights *weights);

/* There is a new frame; power stays as it is until weights_step() has nothing to do. */
WEIR_REALTIME void weights_add(struct weights *weights, float *const power[2]);
WEIR_REALTIME uint32_t weights_step(struct weights *weights);

#endif
