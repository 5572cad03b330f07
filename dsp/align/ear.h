/* SPDX-License-Identifier: MIT */
#ifndef WEIR_ALIGN_EAR_H
#define WEIR_ALIGN_EAR_H

#include <stdbool.h>
#include <stdint.h>

#include "dsp/arena.h"
#include "dsp/fft.h"

#define EAR_LEAST_RATE 14500 /* of the analysis: the input's rate by a whole number */
#define EAR_WINDOW 1024
#define EAR_HOP 256
#define EAR_BINS (EAR_WINDOW / 2 + 1)
#define EAR_BLOCK 1024		       /* what the search takes at once */
#define EAR_BLOCK_BINS (EAR_BLOCK + 8) /* one more than EAR_BLOCK, and what aligns the next */
#define EAR_ALONE 8		       /* blocks that a search may be late */

#define EAR_GONE_SAMPLES 2048 /* of digital silence: the microphone is gone */

#define EAR_LOW_HZ 120.0f
#define EAR_HIGH_HZ 7500.0f

/* What all ears of a unit share. */
struct ear_kit {
	uint32_t factor;     /* input frames per sample of the analysis */
	float rate;	     /* of the analysis, Hz */
	uint32_t n_taps;     /* of the lowpass */
	uint32_t n_input;    /* a power of two */
	uint32_t n_sound;    /* a power of two: how far back the tracker may look */
	uint32_t n_spectra;  /* blocks that the search may look back */
	uint32_t first, end; /* bins of EAR_WINDOW that count */
	float *lowpass, *window;
	float *time; /* 2 * EAR_BLOCK, scratch */
	struct weir_fft fft, block_fft;
	float smooth, rise, snr_share; /* per hop */
};

/*
 * What one microphone says, at the rate of the analysis: its sound, the floor of its noise, and
 * its sound whitened: every bin as loud as it stands out of the noise.
 */
struct ear {
	const struct ear_kit *kit;
	float *input; /* [2 * n_input], twice the same */
	uint64_t n_frames;

	float *sound;	    /* [n_sound] */
	uint64_t n_samples; /* so far */
	uint64_t n_silent;  /* samples of digital silence at the end of the sound */

	float *floor, *smoothed; /* power per bin of EAR_WINDOW */
	bool has_floor;
	float loudness;	 /* power of windows in which something stands out */
	float snr_db;	 /* of that over the floor: -20 to 60 */
	uint32_t n_loud; /* such windows */

	fftwf_complex *spectrum;
	float *white;	     /* [4 * EAR_BLOCK], a ring */
	uint64_t n_windows;  /* done */
	bool is_transformed; /* the window's spectrum waits to be made sound again */

	/* Blocks: alone, followed by silence; and with the one before, as spectra. */
	fftwf_complex *alone[EAR_ALONE];
	fftwf_complex *spectra; /* [n_spectra][EAR_BLOCK_BINS] */
	uint64_t n_blocks;	/* done */
	bool is_alone_done;
};

/* Returns 0 or -ENOMEM. */
int ear_kit_init(struct ear_kit *kit, uint32_t rate, double lag_seconds);
void ear_kit_allocate(struct ear_kit *kit, struct arena *arena);
void ear_kit_fill(struct ear_kit *kit);
void ear_kit_finish(struct ear_kit *kit);

void ear_fill_hann(float *window, uint32_t n);

void ear_allocate(struct ear *ear, const struct ear_kit *kit, struct arena *arena);

WEIR_REALTIME void ear_reset(struct ear *ear);
WEIR_REALTIME void ear_hear(struct ear *ear, const float *in, uint32_t n);

/*
 * Works on what was heard. Returns about how many microseconds that takes, by which steps are
 * spread over time, or 0 when there is nothing to do. So do the steps of the other parts.
 */
WEIR_REALTIME uint32_t ear_step(struct ear *ear);

/* n samples of the sound from `first` on, times the window. */
WEIR_REALTIME void ear_window(const struct ear *ear, int64_t first, const float *window, uint32_t n,
			      float *out);

/* Is there no digital silence in these n samples? */
WEIR_REALTIME bool ear_is_whole(const struct ear *ear, int64_t first, uint32_t n);

static inline WEIR_REALTIME bool ear_is_gone(const struct ear *ear)
{
	return ear->n_silent >= EAR_GONE_SAMPLES;
}

/* The spectrum of blocks `block` - 1 and `block`. */
static inline WEIR_REALTIME const fftwf_complex *ear_spectrum(const struct ear *ear, uint64_t block)
{
	return ear->spectra + block % ear->kit->n_spectra * EAR_BLOCK_BINS;
}

/* How much of a bin's power is not noise: 0 to 1. */
static inline WEIR_REALTIME float ear_gain(float power, float floor)
{
	const float gain = 1.0f - 1.5f * floor / (power + 1e-20f);

	return gain > 0.0f ? gain : 0.0f;
}

#endif
