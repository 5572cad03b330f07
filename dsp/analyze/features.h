/* SPDX-License-Identifier: MIT */
#ifndef WEIR_FEATURES_H
#define WEIR_FEATURES_H

#include "dsp/arena.h"

/* The order of the values. */
enum {
	FEATURES_ZCR,
	FEATURES_ENERGY,
	FEATURES_ENERGY_ENTROPY,
	FEATURES_CENTROID,
	FEATURES_SPREAD,
	FEATURES_ENTROPY,
	FEATURES_FLUX,
	FEATURES_ROLLOFF,
	FEATURES_FLATNESS,
	FEATURES_MFCC,
	FEATURES_CHROMA = FEATURES_MFCC + 13,
	FEATURES_VALUES = FEATURES_CHROMA + 12,
};

#define FEATURES_FIELDS 11 /* mfcc and chroma are one field each */
#define FEATURES_MELS 40
#define FEATURES_MFCCS 13
#define FEATURES_PITCHES 12
#define FEATURES_CLASSES 192 /* maximum number of semitones in the spectrum */

/*
 * Short-term features of the last 50 ms, as pyAudioAnalysis defines them (T. Giannakopoulos,
 * "pyAudioAnalysis: An Open-Source Python Library for Audio Signal Analysis", PLoS ONE 10, 2015),
 * except that the sound is not normalized: pyAudioAnalysis, which has the whole file, first
 * subtracts its mean and scales its peak to 1. The window is rectangular and has rate / 20 frames;
 * the spectrum has half as many bins. Flux compares with the window of the preceding hop, 10 ms
 * earlier. Flatness, which pyAudioAnalysis does not have, is the geometric over the arithmetic mean
 * of the power, 1e-20 added to both.
 *
 * If rate / 20 has a prime factor above 29 (44056 Hz; no common rate has), the window is the next
 * shorter one without: for other lengths FFTW allocates memory while it transforms.
 */
struct features {
	uint32_t rate;
	float hop_seconds;
	uint32_t n_window, n_hop, n_bins;
	uint32_t n_fft; /* n_window, or twice that if it is odd: FFTW allocates for odd lengths */
	struct weir_fft fft;

	float *time;	   /* [n_fft]: the window, then zeros */
	uint32_t n_time;   /* frames in the window */
	uint32_t n_frames; /* frames since the reset, up to n_window */
	fftwf_complex *spectrum;
	float *magnitude[2]; /* [n_bins], of this hop and of the one before */
	float share[2];	     /* 1 / sum of these magnitudes */
	uint32_t now;	     /* index of this hop in magnitude and share */

	struct {
		uint32_t first, n, weight; /* bins; weight: index of the first in mel_weight */
	} mel[FEATURES_MELS];
	float *mel_weight;
	uint32_t n_mel_weights;
	double *cosine; /* [FEATURES_MFCCS][FEATURES_MELS] */

	struct {
		uint32_t bin, pitch;
		float share;
	} semitone[FEATURES_CLASSES];
	uint32_t n_semitones;

	bool is_known; /* the preceding hop had values */
	float smoothed[FEATURES_VALUES];
};

/* Returns 0 or -ENOMEM. Then allocate twice, init_tables and reset. */
int features_init(struct features *features, uint32_t rate, uint32_t hop_frames);
void features_allocate(struct features *features, struct arena *arena);
void features_init_tables(struct features *features);

/* A zeroed one is allowed. */
void features_finish(struct features *features);

WEIR_REALTIME void features_reset(struct features *features);

/* n frames of the mean of all channels, never across the end of a hop. */
WEIR_REALTIME void features_run(struct features *features, const float *in, uint32_t n);

/*
 * At the end of a hop; NaN until there are 50 ms of sound. smoothing: time constant in seconds of
 * an exponential average of the values, 0 for none.
 */
WEIR_REALTIME void features_hop(struct features *features, float smoothing, float *value);

#endif
