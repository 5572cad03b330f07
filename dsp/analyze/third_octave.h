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

/* Up to four adjacent bands of a pair of channels, side by side in the lanes. */
struct third_octave_bank {
	uint32_t stage; /* at rate / 2^stage */
	uint32_t n_sections;
	int32_t top;	  /* band of the first two lanes; the following lanes have lower ones */
	uint32_t n_bands; /* in the lanes; those from THIRD_OCTAVE_BANDS on are not reported */
	weir_lanes gain, a1[THIRD_OCTAVE_SECTIONS], a2[THIRD_OCTAVE_SECTIONS];
};

struct third_octave_state {
	weir_lanes s[THIRD_OCTAVE_SECTIONS][2];
	weir_lanes recent;		   /* contribution of this hop to the mean squares */
	double square[THIRD_OCTAVE_LANES]; /* mean square at the beginning of the hop */
};

/* Half-band decimator from one stage to the next, of two channels: two allpass branches. */
struct third_octave_half {
	float memory[3][4];
	float left[2]; /* an odd frame, which waits for the next one */
	uint32_t n_left;
};

struct third_octave_pair {
	struct third_octave_state bank[THIRD_OCTAVE_BANKS];
	struct third_octave_half half[THIRD_OCTAVE_STAGES];
};

/*
 * Third-octave bands of IEC 61260-1:2014, class 1, base 10: Butterworth filters of three pole
 * pairs, whose effective bandwidth is that of the ideal filter. Bands with a midband frequency
 * above 0.4536 of the rate read -200 dB.
 *
 * Each bank of three bands runs at half the rate of the bank above. The decimators attenuate
 * aliases within a band by more than 100 dB, and delay by 2.7 to 3.4 of their input frames: by 14
 * ms in all at 20 Hz, a tenth of that band's rise time, and in proportion less above.
 */
struct third_octave {
	uint32_t rate;
	uint32_t n_channels, n_pairs;
	int32_t top;				/* band of the first bank */
	uint32_t first, n_banks;		/* banks in use, without those above all bands */
	double seconds;				/* time constant of the mean squares */
	float share[THIRD_OCTAVE_STAGES];	/* its coefficient per frame of a stage */
	uint32_t n_frames[THIRD_OCTAVE_STAGES]; /* of this hop so far */
	struct third_octave_bank *bank;		/* [n_banks] */
	struct third_octave_pair *pair;		/* [n_pairs] */
};

/* Then allocate twice, init_tables and reset. */
void third_octave_init(struct third_octave *third_octave, uint32_t rate, uint32_t n_channels);
void third_octave_allocate(struct third_octave *third_octave, struct arena *arena);
void third_octave_init_tables(struct third_octave *third_octave);

WEIR_REALTIME void third_octave_reset(struct third_octave *third_octave);

/* Takes n frames of every channel, at most WEIR_BLOCK and never across the end of a hop. */
WEIR_REALTIME void third_octave_run(struct third_octave *third_octave, float *const in[],
				    uint32_t n);

/*
 * At the end of a hop: THIRD_OCTAVE_BANDS values of each channel, in dB. smoothing: time constant
 * in seconds, at least that of level fast.
 */
WEIR_REALTIME void third_octave_hop(struct third_octave *third_octave, float calibration,
				    float smoothing, float *value);

#endif
