/* SPDX-License-Identifier: MIT */
#ifndef WEIR_PITCH_VOCODER_H
#define WEIR_PITCH_VOCODER_H

#include <stdbool.h>
#include <stdint.h>

#include "dsp/arena.h"
#include "dsp/fft.h"
#include "formant.h"
#include "onset.h"
#include "partials.h"
#include "pitch.h"
#include "stretch.h"

/* Lengths in hops. */
#define VOCODER_WINDOW 12
#define VOCODER_AHEAD 4	 /* the part of the window after its centre: the look-ahead */
#define VOCODER_BEFORE 8 /* the part of the window up to its centre */
#define VOCODER_REACH 3	 /* from the centre back to the first place that is still open */
#define VOCODER_CHUNK 8	 /* bins that are written at once; arrays have room for one more chunk */
#define VOCODER_MEMORY 4 /* frames back to which an attack compares the power of a peak */

/* The processing that a frame needs. */
enum vocoder_work {
	VOCODER_SILENT, /* nothing */
	VOCODER_PLAIN,	/* the grain is the input */
	VOCODER_SHIFT,
};

/* One frame: where its centre lies in the input and in the stretch buffer, and its settings. */
struct vocoder_frame {
	enum vocoder_work work;
	uint64_t centre;
	uint32_t place;
	float speed;	  /* places per frame at which the buffer is read */
	float keep_phase; /* 1, or less to let the phases return to those of the input */
	bool keep_formants;
	bool attack;				/* the centre lies on an attack */
	const float *input[PITCH_MAX_CHANNELS]; /* the window: VOCODER_WINDOW hops, VOCODER_BEFORE
						 up to the centre */
};

struct vocoder {
	uint32_t n_channels, n_stages;
	uint32_t hop, n, n_bins;
	uint32_t fade;	 /* of the gates at attacks, frames */
	uint32_t strike; /* the attack itself, frames */
	struct weir_fft fft;
	struct formant formant;
	struct onset_finder onsets;
	struct stretch stretch;
	struct partials partials;

	float *window;	 /* of the analysis */
	float *unwindow; /* 1 / window, bounded */

	struct vocoder_frame now, before;
	float *gated;  /* the window of this frame */
	bool is_gated; /* gated is not the plain window */
	float *shape;  /* the factors of the grain */
	float *grain[PITCH_MAX_CHANNELS];
	fftwf_complex *spectrum[PITCH_MAX_CHANNELS], *spectrum_before[PITCH_MAX_CHANNELS];
	fftwf_complex *rotated;		  /* a spectrum on its way back; also scratch */
	fftwf_complex *phasor;		  /* factor of each bin of all spectra */
	float *power[VOCODER_MEMORY + 1]; /* of all channels, per bin, the latest frame first */
	float *phase, *phase_before;	  /* theta per bin, cycles */
	uint32_t *peak;
	uint32_t n_peaks;
	fftwf_complex *cross; /* per peak: now times before, conjugated, of all channels */
	float *peak_off;      /* its frequency less its bin, bins */
	float *peak_phase;    /* theta, cycles */
	float *peak_gain;     /* that keeps formants */
};

/* Of a zeroed vocoder. Returns 0 or -ENOMEM; then allocate twice, init_tables and reset. */
int vocoder_init(struct vocoder *vocoder, uint32_t rate, uint32_t n_channels, uint32_t hop);
void vocoder_allocate(struct vocoder *vocoder, struct arena *arena);
void vocoder_init_tables(struct vocoder *vocoder);

/* A zeroed vocoder is allowed. */
void vocoder_finish(struct vocoder *vocoder);

uint32_t vocoder_count_stages(uint32_t n_channels);

WEIR_REALTIME void vocoder_reset(struct vocoder *vocoder);

/* Begins a frame, which is complete when all stages have run, in their order. */
WEIR_REALTIME void vocoder_begin(struct vocoder *vocoder, const struct vocoder_frame *frame);
WEIR_REALTIME void vocoder_run_stage(struct vocoder *vocoder, uint32_t stage);

#endif
