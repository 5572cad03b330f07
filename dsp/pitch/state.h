/* SPDX-License-Identifier: MIT */
#ifndef WEIR_PITCH_STATE_H
#define WEIR_PITCH_STATE_H

#include <stdint.h>

#include "pitch.h"
#include "vocoder.h"

/*
 * Time is counted in hops, each cut into one tick per stage of the vocoder. In hop
 * j the frame of hop j - VOCODER_AHEAD, whose window is complete, is worked on. In
 * the next hop the tape that it has closed is read.
 */
#define PITCH_DELAY (VOCODER_AHEAD + VOCODER_REACH + 1) /* hops */
#define PITCH_KNOTS 16	    /* hops that are looked back on; a power of two */
#define PITCH_RELAX_HOPS 16 /* for the phases to return to those of the input at 0 semitones */

/* Where a hop's end lies on the tape, and how far the tape moves per frame there. */
struct knot {
	uint64_t place, step;
};

struct pitch {
	void *memory; /* all arrays */
	uint32_t rate, hop;
	double glide; /* share of the remaining distance covered per hop */
	struct vocoder vocoder;

	uint32_t n_input; /* a power of two */
	float *input[2];  /* a ring, twice in a row so that any part is contiguous */

	uint64_t frame;	       /* since reset */
	uint64_t first_silent; /* since this frame the input has been zero */
	uint64_t hop_index;
	uint32_t hop_frame; /* frames of this hop that have passed */
	uint32_t tick;	    /* that comes next */

	bool started; /* semitones has met its first target */
	double semitones;
	uint32_t relax;	    /* hops until the phases are those of the input; 0: at rest */
	uint32_t rest_hops; /* hops at rest, counted as far as needed */
	struct knot knot[PITCH_KNOTS]; /* of frame's hop, and the hops before */
	struct tape_head head;
	float dry, dry_step; /* share of the plain delay, and its change per frame */

	uint32_t report_frames; /* until the next report */
	uint32_t n_onsets_reported;
};

void *pitch_create(uint32_t rate);
void pitch_destroy(void *state);
WEIR_REALTIME void pitch_reset(void *state);
WEIR_REALTIME void pitch_run(void *state, float *const port[], uint32_t n_frames,
			     struct weir_reports *reports);

#endif
