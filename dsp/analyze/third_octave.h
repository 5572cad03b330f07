/* SPDX-License-Identifier: MIT */
#ifndef WEIR_THIRD_OCTAVE_H
#define WEIR_THIRD_OCTAVE_H

#include "dsp/arena.h"
#include "dsp/simd.h"

#define THIRD_OCTAVE_BANDS 31 /* 20 Hz to 20 kHz */
#define THIRD_OCTAVE_BANKS 14
#define THIRD_OCTAVE_STAGES 13
#define THIRD_OCTAVE_SECTIONS 4
#define THIRD_OCTAVE_LANES 8

/* Up to four bands next to each other, each twice: of a pair of channels. */
struct third_octave_bank {
	uint32_t stage; /* at rate / 2^stage */
	uint32_t n_sections;
	int32_t top;	  /* band of the first lanes: it falls from there */
	uint32_t n_bands; /* of them less than THIRD_OCTAVE_BANDS are computed */
	weir_lanes gain, a1[THIRD_OCTAVE_SECTIONS], a2[THIRD_OCTAVE_SECTIONS];
};

struct third_octave_state {
	weir_lanes s[THIRD_OCTAVE_SECTIONS][2];
	weir_lanes recent;		   /* what this hop adds to the mean squares */
	double square[THIRD_OCTAVE_LANES]; /* mean, when the hop began */
};

/* From one stage to the next: what two allpass filters remember of two channels. */
struct third_octave_half {
	float memory[3][4];
	float left[2]; /* a frame without a partner */
	uint32_t n_left;
};

struct third_octave_pair {
	struct third_octave_state bank[THIRD_OCTAVE_BANKS];
	struct third_octave_half half[THIRD_OCTAVE_STAGES];
};

/*
 * Third-octave bands of IEC 61260-1:2014, class 1, base 10: Butterworth filters of three pole
 * pairs, whose effective bandwidth is that of the ideal filter. Bands whose middle is above 0.4536
 * of the rate read -200 dB.
 *
 * Three bands at a time run at half the rate of those above them. The filters that halve the rate
 * weaken what they fold into a band by more than 100 dB, and are late by 2.7 to 3.4 of the frames
 * that go into them: 14 ms in all at 20 Hz, a tenth of what that band takes to rise, and in
 * proportion less above.
 */
struct third_octave {
	uint32_t rate;
	uint32_t n_channels, n_pairs;
	int32_t top;				/* band of the first bank */
	uint32_t first, n_banks;		/* banks, without those above all bands */
	double seconds;				/* time constant of the mean squares */
	float share[THIRD_OCTAVE_STAGES];	/* of a frame in them */
	uint32_t n_frames[THIRD_OCTAVE_STAGES]; /* of this hop so far */
	struct third_octave_bank *bank;		/* [n_banks] */
	struct third_octave_pair *pair;		/* [n_pairs] */
};

/* Then allocate twice, init_tables and reset. */
void third_octave_init(struct third_octave *third_octave, uint32_t rate, uint32_t n_channels);
void third_octave_allocate(struct third_octave *third_octave, struct arena *arena);
void third_octave_init_tables(struct third_octave *third_octave);

WEIR_REALTIME void third_octave_reset(struct third_octave *third_octave);

/* n frames of every channel, WEIR_BLOCK at most and never across the end of a hop. */
WEIR_REALTIME void third_octave_run(struct third_octave *third_octave, float *const in[],
				    uint32_t n);

/*
 * At the end of a hop: THIRD_OCTAVE_BANDS values of each channel, in dB. smoothing: time constant
 * in seconds, at least that of level fast.
 */
WEIR_REALTIME void third_octave_hop(struct third_octave *third_octave, float calibration,
				    float smoothing, float *value);

#endif
