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
 * Low partials are so close that one leaks into the bins of the next. Here they are
 * separated, so that each partial is rotated as a whole by its own angle.
 */
#define PARTIALS_MAX 64
#define PARTIALS_REACH 6      /* bins to each side; tone SINAD 61 dB, at 3 44, at 12 71 */
#define PARTIALS_FINENESS 128 /* points of the shape per bin */

/* A sinusoid within the window. */
struct partial {
	uint32_t bin;				/* of its peak */
	float before[PITCH_MAX_CHANNELS][2];	/* its part of that bin in the preceding frame */
	float frequency;			/* bins */
	float amplitude[PITCH_MAX_CHANNELS][2]; /* of exp(i 2 pi frequency t / n), t from the
					       window's start */
};

struct partials {
	uint32_t n_channels;
	uint32_t n_bins;      /* from 0: bins whose peaks are separated */
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

/* Of a frame whose partials are not separated. */
WEIR_REALTIME void partials_skip(struct partials *partials);

/*
 * The distance in bins from bin k to the frequency that follows from the phase advance of this bin,
 * which is unambiguous up to half a cycle, 1/(2 cycles) bins. re + i im: the bin times its
 * conjugate in the preceding frame. cycles: phase advance of bin 1 since that frame.
 */
static inline WEIR_REALTIME float partials_off(float re, float im, uint32_t k, double cycles)
{
	return phase_wrap((double)phase_of(re, im) - (double)(int32_t)k * cycles) / (float)cycles;
}

/* Finds the partials of a frame from its peaks, which are in rising order. */
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
