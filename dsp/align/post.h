/* SPDX-License-Identifier: MIT */
#ifndef WEIR_ALIGN_POST_H
#define WEIR_ALIGN_POST_H

#include <stdbool.h>
#include <stdint.h>

#include "dsp/arena.h"
#include "dsp/fft.h"
#include "limits.h"

/*
 * Attenuates sound that is incoherent between the aligned microphones: their own noise, and diffuse
 * noise. The attenuation depends on the SNR: from 18 dB on there is none.
 */
struct post {
	uint32_t rate, n_mics, n, hop, n_bins;
	float *window, *time;
	struct weir_fft fft;

	float *in[ALIGN_MICS + 1]; /* [2 * n], rings: the aligned microphones, then their sum */
	float *out;		   /* [2 * n], a ring */
	uint64_t n_frames;
	uint64_t frame;	    /* end of the window in work */
	uint32_t step;	    /* of the window in work */
	uint32_t n_aligned; /* microphones in the sum */
	bool takes_part[ALIGN_MICS];
	fftwf_complex *bins, *sum;

	/* Per bin. */
	float *energy;		 /* sum over the microphones */
	float *coherent, *total; /* coherent energy and all energy, smoothed over time */
	float *share;		 /* coherent over total, 0 to 1 */
	float *gain;		 /* applied to the sum */
	float smooth;		 /* per hop */
	float depth;		 /* 0: the gain is 1, 1: full attenuation */
};

int post_init(struct post *post, uint32_t rate, uint32_t n_mics);
void post_allocate(struct post *post, struct arena *arena);
void post_fill(struct post *post);
void post_finish(struct post *post);
WEIR_REALTIME void post_reset(struct post *post);

static inline WEIR_REALTIME uint32_t post_latency(const struct post *post)
{
	return post->n + post->hop;
}

/*
 * Takes the next frame of each aligned microphone, or 0, and of their sum; returns the filtered sum
 * of post_latency() frames before. part[m]: microphone m is in the sum.
 */
WEIR_REALTIME float post_run(struct post *post, const float *aligned, const bool *part, float sum);

/* Runs a step of a few microseconds. Must be called at least n_mics + 3 times per hop. */
WEIR_REALTIME void post_step(struct post *post, float snr_db);

#endif
