/* SPDX-License-Identifier: MIT */
#ifndef WEIR_ALIGN_CROSS_H
#define WEIR_ALIGN_CROSS_H

#include <stdbool.h>
#include <stdint.h>

#include "dsp/arena.h"
#include "dsp/fft.h"
#include "front_end.h"

#define CROSS_WINDOW 2048
#define CROSS_BINS (CROSS_WINDOW / 2 + 1)
#define CROSS_FINE (2 * CROSS_WINDOW) /* lags of half a sample */

/* What all pairs of a unit share. Bins below 120 Hz and above 7.5 kHz are left out. */
struct cross_context {
	float rate;
	uint32_t first, n; /* bins; n is a multiple of eight */
	float *window;	   /* [CROSS_WINDOW] */
	float *time;	   /* [CROSS_WINDOW], scratch */
	fftwf_complex *bins;
	float *re, *im; /* [n], scratch */
	struct weir_fft fft, fine_fft;
};

/* A sum of normalized cross-spectra of two aligned sounds, and the sum of their weights. */
struct cross {
	float *re, *im, *weight; /* [context->n] */
};

/* A cross-spectrum that is to be searched for its peak. */
struct cross_weighted {
	float *re, *im; /* [context->n] */
	float sum;	/* of the magnitudes */
	float squares;	/* of the magnitudes, summed */
	float slope;	/* the sum of magnitude * bin^2 */
};

/* The remaining lag between the two. */
struct cross_peak {
	double lag;	 /* seconds */
	float agreement; /* of the phases with the lag, 0 to 1 */
	float height;	 /* over the deviation of all lags */
	float own;	 /* height at a lag of 0, in the same unit */
	double slope;	 /* sum of magnitude * omega^2 */
};

/* Returns 0 or -ENOMEM. */
int cross_context_init(struct cross_context *context, const struct front_end_context *front);
void cross_context_allocate(struct cross_context *context, struct arena *arena);
void cross_context_fill(struct cross_context *context);
void cross_context_finish(struct cross_context *context);

void cross_allocate(struct cross *cross, const struct cross_context *context, struct arena *arena);
void cross_weighted_allocate(struct cross_weighted *weighted, const struct cross_context *context,
			     struct arena *arena);
WEIR_REALTIME void cross_clear(struct cross *cross, const struct cross_context *context);
WEIR_REALTIME void cross_copy(struct cross *to, const struct cross *from,
			      const struct cross_context *context);

/* sum = keep * sum + term */
WEIR_REALTIME void cross_add(struct cross *sum, const struct cross *term, float keep,
			     const struct cross_context *context);

/* The phase of a lag of `seconds`, in radians per bin. */
WEIR_REALTIME double cross_angle(double seconds, const struct cross_context *context);

/* Makes the second sound earlier by `seconds`. */
WEIR_REALTIME void cross_advance(struct cross *cross, double seconds,
				 const struct cross_context *context);

/*
 * Weights bins by the agreement rho of their phases, which is limited to `max` < 1: by
 * rho^2 / (1 - rho^2) if sharp, otherwise by rho^2.
 */
WEIR_REALTIME void cross_weigh(const struct cross *cross, float max, bool is_sharp,
			       struct cross_weighted *weighted,
			       const struct cross_context *context);

/* Sets the sums, from re and im. */
WEIR_REALTIME void cross_weighted_measure(struct cross_weighted *weighted,
					  const struct cross_context *context);

/* The weighted spectrum at all lags of half a sample: CROSS_FINE of them, negative ones last. */
WEIR_REALTIME void cross_transform(const struct cross_weighted *weighted, float *lags,
				   const struct cross_context *context);

/* The peak within `reach` seconds. */
WEIR_REALTIME struct cross_peak cross_find(const struct cross_weighted *weighted, const float *lags,
					   double reach, const struct cross_context *context);

#endif
