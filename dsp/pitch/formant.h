/* SPDX-License-Identifier: MIT */
#ifndef WEIR_PITCH_FORMANT_H
#define WEIR_PITCH_FORMANT_H

#include <fftw3.h>
#include <stdbool.h>
#include <stdint.h>

#include "dsp/arena.h"
#include "dsp/unit.h"

/* A partial on the envelope. */
struct formant_point {
	float bin;
	float level; /* natural logarithm of the power */
	bool masked;
};

/* The spectral envelope of a frame. */
struct formant {
	uint32_t n_bins;	    /* of the frame's spectrum */
	uint32_t shortest, longest; /* period of a voice, frames; at most half of an FFT */
	uint32_t unvoiced;	    /* spacing without a voice, bins */
	float critical;		    /* bins: the minimum width of a critical band */

	uint32_t period;	     /* of the voice, frames; 0: none */
	uint32_t spacing;	     /* bins between the partials */
	struct formant_point *point; /* in rising order */
	uint32_t n_points;
	float *envelope; /* natural logarithm of the power, per bin */
};

/* For spectra of a window of n frames. */
void formant_init(struct formant *formant, uint32_t rate, uint32_t n);
void formant_allocate(struct formant *formant, struct arena *arena);

WEIR_REALTIME void formant_reset(struct formant *formant);

/*
 * Fills bins; their inverse FFT is the correlation that formant_find_spacing() takes.
 */
WEIR_REALTIME void formant_compress(const struct formant *formant, const float *power,
				    fftwf_complex *bins);

WEIR_REALTIME void formant_find_spacing(struct formant *formant, const float *correlation);

/* The peaks, at least one, are local maxima of power, in rising order, of all bins. */
WEIR_REALTIME void formant_find_envelope(struct formant *formant, const float *power,
					 const uint32_t *peak, uint32_t n_peaks);

/* The gain of a partial at `bin` that is shifted to speed * bin. */
WEIR_REALTIME float formant_gain(const struct formant *formant, float bin, float speed);

#endif
