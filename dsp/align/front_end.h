/* SPDX-License-Identifier: MIT */
#ifndef WEIR_ALIGN_FRONT_END_H
#define WEIR_ALIGN_FRONT_END_H

#include <stdbool.h>
#include <stdint.h>

#include "dsp/arena.h"
#include "dsp/fft.h"

#define FRONT_END_MIN_RATE 14500 /* of the analysis: the rate of the input over an integer */
#define FRONT_END_WINDOW 1024
#define FRONT_END_HOP 256
#define FRONT_END_BINS (FRONT_END_WINDOW / 2 + 1)
#define FRONT_END_BLOCK 1024 /* unit of the search */
#define FRONT_END_ALONE 8    /* blocks that a search may be late */

/* FRONT_END_BLOCK + 1, padded so that the next spectrum is aligned. */
#define FRONT_END_BLOCK_BINS (FRONT_END_BLOCK + 8)

#define FRONT_END_GONE_SAMPLES 2048 /* of digital silence: the microphone is gone */

#define FRONT_END_LOW_HZ 120.0f
#define FRONT_END_HIGH_HZ 7500.0f

/* What the front ends of a unit share: sizes, tables, FFTs and scratch. */
struct front_end_context {
	uint32_t factor;     /* input frames per sample of the analysis */
	float rate;	     /* of the analysis, Hz */
	uint32_t n_taps;     /* of the lowpass */
	uint32_t n_input;    /* a power of two */
	uint32_t n_sound;    /* a power of two: samples kept for the tracker */
	uint32_t n_spectra;  /* blocks kept for the search */
	uint32_t first, end; /* bins of FRONT_END_WINDOW within the band */
	float *lowpass, *window;
	float *time; /* 2 * FRONT_END_BLOCK, scratch */
	struct weir_fft fft, block_fft;
	float smooth, rise, snr_share; /* per hop */
};

/*
 * One microphone at the rate of the analysis: its sound, its noise floor, and the whitened sound,
 * in which the magnitude of a bin is its gain over the floor.
 */
struct front_end {
	const struct front_end_context *context;
	float *input; /* [2 * n_input], a ring twice: any n_taps of it are contiguous */
	uint64_t n_frames;

	float *sound;	    /* [n_sound] */
	uint64_t n_samples; /* so far */
	uint64_t n_silent;  /* samples of digital silence at the end of the sound */

	float *floor, *smoothed; /* power per bin of FRONT_END_WINDOW */
	bool has_floor;
	float loudness;	 /* mean power of windows with sound over the floor */
	float snr_db;	 /* of that over the floor: -20 to 60 */
	uint32_t n_loud; /* such windows */

	fftwf_complex *spectrum;
	float *white;	     /* [4 * FRONT_END_BLOCK], a ring */
	uint64_t n_windows;  /* done */
	bool is_transformed; /* the window's spectrum waits for its inverse transform */

	/* Spectra of blocks: alone, padded with zeros; and together with the block before. */
	fftwf_complex *alone[FRONT_END_ALONE];
	fftwf_complex *spectra; /* [n_spectra][FRONT_END_BLOCK_BINS] */
	uint64_t n_blocks;	/* done */
	bool is_alone_done;
};

/*
 * For the search of lags up to lag_seconds, and for windows of up to n_window samples that begin up
 * to late_seconds before the latest sample. Returns 0 or -ENOMEM.
 */
int front_end_context_init(struct front_end_context *context, uint32_t rate, double lag_seconds,
			   double late_seconds, uint32_t n_window);
void front_end_context_allocate(struct front_end_context *context, struct arena *arena);
void front_end_context_fill(struct front_end_context *context);
void front_end_context_finish(struct front_end_context *context);

void front_end_fill_hann(float *window, uint32_t n);

void front_end_allocate(struct front_end *front, const struct front_end_context *context,
			struct arena *arena);

WEIR_REALTIME void front_end_reset(struct front_end *front);
WEIR_REALTIME void front_end_run(struct front_end *front, const float *in, uint32_t n);

/*
 * Runs a step of about the time of an FFT on the input so far. Returns its cost, or 0 when there is
 * nothing to do. The steps of the other parts do the same; their tables list the costs. A cost is
 * the maximum time in microseconds on the machine of bench/README.md (AMD EPYC); the median step
 * takes 0.15 to 0.7 of it. Costs spread steps over time, and the output depends on them.
 */
WEIR_REALTIME uint32_t front_end_step(struct front_end *front);

/* n samples of the sound from `first` on, times the window. */
WEIR_REALTIME void front_end_window(const struct front_end *front, int64_t first,
				    const float *window, uint32_t n, float *out);

/* Is there no digital silence in these n samples? */
WEIR_REALTIME bool front_end_is_whole(const struct front_end *front, int64_t first, uint32_t n);

static inline WEIR_REALTIME bool front_end_is_gone(const struct front_end *front)
{
	return front->n_silent >= FRONT_END_GONE_SAMPLES;
}

/* The spectrum of blocks `block` - 1 and `block`. */
static inline WEIR_REALTIME const fftwf_complex *front_end_spectrum(const struct front_end *front,
								    uint64_t block)
{
	return front->spectra + block % front->context->n_spectra * FRONT_END_BLOCK_BINS;
}

/* The gain of a bin over its noise floor, 0 to 1. */
static inline WEIR_REALTIME float front_end_gain(float power, float floor)
{
	const float gain = 1.0f - 1.5f * floor / (power + 1e-20f);

	return gain > 0.0f ? gain : 0.0f;
}

#endif
