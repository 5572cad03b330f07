/* SPDX-License-Identifier: MIT */
#ifndef WEIR_F0_H
#define WEIR_F0_H

#include "dsp/arena.h"

#define F0_CANDIDATES 8

/* A lag at which the sound is similar to itself. */
struct f0_candidate {
	float lag;	  /* samples */
	float similarity; /* -1 to 1 */
	float octave;	  /* log2 of its frequency in Hz */
	float cost;	  /* of the path of minimum cost that ends here */
};

/*
 * The fundamental frequency of one voice or instrument, 50 to 2000 Hz, from the last 50 ms of the
 * band below 4 kHz: the estimate lags 26 ms behind. A higher frequency is reported as one of its
 * subharmonics, a lower one as none. The confidence is the similarity of the sound one period
 * later.
 */
struct f0 {
	float rate; /* of the sound that is analysed, about 12 kHz */
	uint32_t factor;
	uint32_t n_taps, n_input; /* n_input: frames that wait for the lowpass */
	float *lowpass, *input;	  /* [n_taps], [n_taps + WEIR_BLOCK] */
	float rumble_share, rumble[2];

	/* [n_window + max_lag]: a hop adds half of max_lag to the window of the one before. */
	float *sound;
	uint32_t n_sound; /* samples of that */
	uint32_t n_window, n_fft;
	uint32_t min_lag, max_lag; /* samples */
	struct weir_fft fft;
	float *energy; /* by lag */
	float *time;   /* [n_fft] */
	fftwf_complex *spectrum;
	float *fine;	   /* kernels that interpolate the similarity */
	float *both_sides; /* the similarity at negative lags, too */
	float *similarity; /* by lag */

	struct f0_candidate candidate[2][F0_CANDIDATES]; /* of this hop and of the one before */
	uint32_t n_candidates[2];
	float silent_cost[2]; /* of the path of minimum cost that ends without a pitch */
	uint32_t now;
};

/* Returns 0 or -ENOMEM. Then allocate twice, init_tables and reset. */
int f0_init(struct f0 *f0, uint32_t rate);
void f0_allocate(struct f0 *f0, struct arena *arena);
void f0_init_tables(struct f0 *f0);

/* A zeroed one is allowed. */
void f0_finish(struct f0 *f0);

WEIR_REALTIME void f0_reset(struct f0 *f0);

/* n frames of the mean of all channels, never across the end of a hop. */
WEIR_REALTIME void f0_run(struct f0 *f0, const float *in, uint32_t n);

/* At the end of a hop: the frequency in Hz, 0 for none, and how sure that is, 0 to 1. */
WEIR_REALTIME void f0_hop(struct f0 *f0, float *frequency, float *confidence);

#endif
