/* SPDX-License-Identifier: MIT */
#ifndef WEIR_VAD_FEATURES_H
#define WEIR_VAD_FEATURES_H

#include "dsp/arena.h"
#include "dsp/fft.h"

#define VAD_RATE 16000
#define VAD_HOP 160
#define VAD_WINDOW 512
#define VAD_BINS (VAD_WINDOW / 2 + 1)
#define VAD_BANDS 26
#define VAD_LAGS 12
#define VAD_GROUPS 4
#define VAD_FEATURES (3 * VAD_BANDS + VAD_LAGS + VAD_GROUPS + 12)

/* The features of the sound at VAD_RATE, input of the network: VAD_FEATURES floats of about -1
 * to 4. */
struct vad_features {
	struct weir_fft fft;
	float *window, *time;	 /* [VAD_WINDOW] */
	float *sound;		 /* [VAD_WINDOW], the latest samples */
	float *power, *weight;	 /* [VAD_BINS]; weight: share of a bin in the upper of its bands */
	float *smoothed, *floor; /* [VAD_BINS]: power */
	fftwf_complex *bins;
	uint32_t band[VAD_BINS]; /* the lower of its bands, counted from 1; VAD_BANDS + 1: none */
	float band_scale[VAD_BANDS];
	float slow_floor[VAD_BANDS]; /* dB */
	float fast_floor[VAD_BANDS]; /* dB */
	float level[3][VAD_BANDS];   /* dB, of the last three hops */
	uint32_t lag_end[VAD_LAGS + 1];
	float long_term[VAD_GROUPS]; /* means over one second and over three */
	float mean_level, mean_square;
	uint32_t n_hops; /* since the reset, until the window is full */
	float value[VAD_FEATURES];
};

int vad_features_init(struct vad_features *features);
void vad_features_allocate(struct vad_features *features, struct arena *arena);
void vad_features_init_tables(struct vad_features *features);
void vad_features_finish(struct vad_features *features);
WEIR_REALTIME void vad_features_reset(struct vad_features *features);

/* After the latest hop has been written: computes value. */
WEIR_REALTIME void vad_features_find(struct vad_features *features);

/* Makes room for the next hop of sound, and returns its address. */
WEIR_REALTIME float *vad_features_next(struct vad_features *features);

#endif
