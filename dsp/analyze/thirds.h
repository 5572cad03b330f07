/* SPDX-License-Identifier: MIT */
#ifndef WEIR_THIRDS_H
#define WEIR_THIRDS_H

#include "dsp/arena.h"
#include "dsp/simd.h"

#define THIRDS 31 /* 20 Hz to 20 kHz */
#define THIRDS_BANKS 14
#define THIRDS_STAGES 13
#define THIRDS_SECTIONS 4
#define THIRDS_LANES 8

/* Up to four bands next to each other, each twice: of a pair of channels. */
struct thirds_bank {
	uint32_t stage; /* at rate / 2^stage */
	uint32_t n_sections;
	int32_t top;	  /* band of the first lanes: it falls from there */
	uint32_t n_bands; /* of them less than THIRDS are computed */
	weir_lanes gain, a1[THIRDS_SECTIONS], a2[THIRDS_SECTIONS];
};

struct thirds_state {
	weir_lanes s[THIRDS_SECTIONS][2];
	weir_lanes recent;	     /* what this hop adds to the mean squares */
	double square[THIRDS_LANES]; /* mean, when the hop began */
};

/* From one stage to the next: what two allpass filters remember of two channels. */
struct thirds_half {
	float memory[3][4];
	float left[2]; /* a frame without a partner */
	uint32_t n_left;
};

struct thirds_pair {
	struct thirds_state bank[THIRDS_BANKS];
	struct thirds_half half[THIRDS_STAGES];
};

/*
 * Thirds of an octave of IEC 61260-1:2014, class 1, base 10: Butterworth filters of three pole
 * pairs, whose effective bandwidth is that of the ideal filter. Bands whose middle is above 0.4536
 * of the rate read -200 dB.
 *
 * Three bands at a time run at half the rate of those above them. The filters that halve the rate
 * weaken what they fold into a band by more than 100 dB, and are late by 2.7 to 3.4 of the frames
 * that go into them: 14 ms in all at 20 Hz, a tenth of what that band takes to rise, and in
 * proportion less above.
 */
struct thirds {
	uint32_t rate;
	uint32_t n_channels, n_pairs;
	int32_t top;			  /* band of the first bank */
	uint32_t first, n_banks;	  /* banks, without those above all bands */
	double seconds;			  /* time constant of the mean squares */
	float share[THIRDS_STAGES];	  /* of a frame in them */
	uint32_t n_frames[THIRDS_STAGES]; /* of this hop so far */
	struct thirds_bank *bank;	  /* [n_banks] */
	struct thirds_pair *pair;	  /* [n_pairs] */
};

/* Then allocate twice, init_tables and reset. */
void thirds_init(struct thirds *thirds, uint32_t rate, uint32_t n_channels);
void thirds_allocate(struct thirds *thirds, struct arena *arena);
void thirds_init_tables(struct thirds *thirds);

WEIR_REALTIME void thirds_reset(struct thirds *thirds);

/* n frames of every channel, WEIR_BLOCK at most and never across the end of a hop. */
WEIR_REALTIME void thirds_run(struct thirds *thirds, float *const in[], uint32_t n);

/*
 * At the end of a hop: THIRDS values of each channel, in dB. smoothing: time constant in seconds,
 * at least that of level fast.
 */
WEIR_REALTIME void thirds_hop(struct thirds *thirds, float calibration, float smoothing,
			      float *value);

#endif
