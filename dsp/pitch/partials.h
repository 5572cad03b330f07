/* SPDX-License-Identifier: MIT */
#ifndef WEIR_PITCH_PARTIALS_H
#define WEIR_PITCH_PARTIALS_H

#include <fftw3.h>
#include <stdbool.h>
#include <stdint.h>

#include "dsp/arena.h"
#include "dsp/phasor.h"
#include "pitch.h"

/*
 * Low partials lie so close that one reaches into the bins of the next. Here they are
 * separated, so that all of a partial can be rotated by its own angle.
 */
#define PARTIALS_MAX 64
#define PARTIALS_REACH 6      /* bins to each side: further out a partial counts as nothing */
#define PARTIALS_FINENESS 128 /* of the shape, per bin */

/* A sinusoid, as it is in the window. */
struct partial {
	uint32_t bin;				/* of its peak */
	float before[PITCH_MAX_CHANNELS][2];	/* its part of that bin in the frame before */
	float frequency;			/* bins */
	float amplitude[PITCH_MAX_CHANNELS][2]; /* of exp(i 2 pi frequency t / n), t from the
					       window's start */
};

struct partials {
	uint32_t n_channels;
	uint32_t n_bins;      /* from 0: those that are looked at */
	fftwf_complex *shape; /* the window's spectrum, from -PARTIALS_REACH bins on */

	struct partial now[PARTIALS_MAX], before[PARTIALS_MAX];
	uint32_t n_now, n_before;
};

/* Floats of `shape`'s complex numbers. */
#define PARTIALS_SHAPE (2 * PARTIALS_REACH * PARTIALS_FINENESS + 2)

/* Of spectra of a window of n frames. */
void partials_init(struct partials *partials, uint32_t rate, uint32_t n_channels, uint32_t n);
void partials_allocate(struct partials *partials, struct arena *arena);
void partials_init_shape(struct partials *partials, const float *window, uint32_t n);

WEIR_REALTIME void partials_reset(struct partials *partials);

/* No partials are known of this frame. */
WEIR_REALTIME void partials_skip(struct partials *partials);

/*
 * Bins between bin k and the frequency that the phase of the bin gives: up to half a cycle, which
 * is 1/(2 cycles) bins. The product of now and before, conjugated, is re + i im; the phase of bin 1
 * advances by `cycles` from the frame before.
 */
static inline WEIR_REALTIME float partials_off(float re, float im, uint32_t k, double cycles)
{
	return phase_wrap((double)phase_of(re, im) - (double)(int32_t)k * cycles) / (float)cycles;
}

/* Finds the partials of a frame whose peaks, in rising order, these are. */
WEIR_REALTIME void partials_find(struct partials *partials, const uint32_t *peak, uint32_t n_peaks,
				 fftwf_complex *const spectrum[],
				 fftwf_complex *const spectrum_before[], double cycles);

/*
 * y is a channel's spectrum in which bin k was multiplied by phasor[k]. Rotates the bins of a
 * partial beside its peak as the peak is rotated.
 */
WEIR_REALTIME void partials_rotate(const struct partials *partials, uint32_t channel,
				   fftwf_complex *phasor, fftwf_complex *y);

#endif
