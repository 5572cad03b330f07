/* SPDX-License-Identifier: MIT */
#ifndef WEIR_VAD_FEATURES_H
#define WEIR_VAD_FEATURES_H

#include "dsp/arena.h"
#include "dsp/fft.h"

#define SPEECH_RATE 16000
#define SPEECH_HOP 160
#define SPEECH_WINDOW 512
#define SPEECH_BINS (SPEECH_WINDOW / 2 + 1)
#define SPEECH_BANDS 26
#define SPEECH_LAGS 12
#define SPEECH_GROUPS 4
#define SPEECH_FEATURES (3 * SPEECH_BANDS + SPEECH_LAGS + SPEECH_GROUPS + 12)

/* What the network sees of the sound at SPEECH_RATE: SPEECH_FEATURES floats of about -1 to 4. */
struct speech_features {
	struct weir_fft fft;
	float *window, *time;	 /* [SPEECH_WINDOW] */
	float *sound;		 /* [SPEECH_WINDOW], the last of it */
	float *power, *weight;	 /* [SPEECH_BINS]; the share of a bin in the band above it */
	float *smoothed, *floor; /* [SPEECH_BINS]: power */
	fftwf_complex *bins;
	uint32_t band[SPEECH_BINS]; /* below the bin, from 0; SPEECH_BANDS + 1: none */
	float band_scale[SPEECH_BANDS];
	float quiet[SPEECH_BANDS];    /* dB, slow floor */
	float calm[SPEECH_BANDS];     /* dB, fast floor */
	float level[3][SPEECH_BANDS]; /* dB, of the last three hops */
	uint32_t lag_end[SPEECH_LAGS + 1];
	float habit[SPEECH_GROUPS]; /* means of a second and more */
	float mean_level, mean_square;
	uint32_t n_hops; /* until the window is full */
	float value[SPEECH_FEATURES];
};

int speech_features_init(struct speech_features *features);
void speech_features_allocate(struct speech_features *features, struct arena *arena);
void speech_features_fill(struct speech_features *features);
void speech_features_finish(struct speech_features *features);
WEIR_REALTIME void speech_features_reset(struct speech_features *features);

/* The last hop of the sound is behind what came before it: finds value. */
WEIR_REALTIME void speech_features_find(struct speech_features *features);

/* Where the next hop of the sound belongs, after making place for it. */
WEIR_REALTIME float *speech_features_next(struct speech_features *features);

#endif
