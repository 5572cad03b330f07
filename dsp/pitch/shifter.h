/* SPDX-License-Identifier: MIT */
#ifndef WEIR_PITCH_SHIFTER_H
#define WEIR_PITCH_SHIFTER_H

#include <stdbool.h>
#include <stdint.h>

#include "vocoder.h"

/*
 * A pitch shifter with one size of window.
 *
 * Time is counted in hops, each cut into ticks, one per stage of the vocoder. In hop
 * j the frame of hop j - VOCODER_AHEAD, whose window is complete, is worked on. In
 * the next hop the part of the stretch buffer that it has finished is read.
 */
#define SHIFTER_DELAY (VOCODER_AHEAD + VOCODER_REACH + 1) /* hops */
#define SHIFTER_WARM_UP                                                           \
	(SHIFTER_DELAY + VOCODER_BEFORE) /* hops after a reset until all is heard \
					  */
#define SHIFTER_KNOTS 16		 /* hops that are looked back on; a power of two */
#define SHIFTER_RELAX_HOPS 16 /* for the phases to return to those of the input at 0 semitones */

/* The place of a hop's end in the stretch buffer, and the places per frame there. */
struct knot {
	uint64_t place, step;
};

/* Settings, read once per hop. */
struct shifter_settings {
	double semitones;
	double glide_seconds; /* the time constant of a change */
	float mix;	      /* share of the shifted sound: 0 to 1 */
	bool keep_formants;
};

struct shifter {
	void *memory; /* all arrays */
	uint32_t rate, hop, n_channels;
	struct vocoder vocoder;

	uint32_t n_input;		  /* a power of two */
	float *input[PITCH_MAX_CHANNELS]; /* a ring, twice in a row so that any part is contiguous
					   */

	uint64_t frame;	       /* since reset */
	uint64_t first_silent; /* since this frame the input has been zero */
	uint64_t hop_index;
	uint32_t hop_frame; /* frames of this hop that have passed */
	uint32_t n_ticks;   /* per hop */
	uint32_t tick;	    /* that comes next */

	bool started; /* semitones has met its first target */
	double semitones;
	uint32_t relax;	      /* hops until the phases are those of the input; 0: at rest */
	uint32_t rest_hops;   /* hops at rest, counted as far as needed */
	uint32_t silent_hops; /* silent frames in a row, counted as far as needed */
	struct knot knot[SHIFTER_KNOTS]; /* of frame's hop, and the hops before */
	struct stretch_reader reader;
	bool plain;	     /* nothing is shifted: the output is the plain delay */
	float mix;	     /* on its way to that of the settings */
	float wet, next_wet; /* share of the shifted sound in the output: moves from one to the
				other in this hop */
};

/* Returns 0 or -ENOMEM. From any thread. */
int shifter_init(struct shifter *shifter, uint32_t rate, uint32_t n_channels, double hop_seconds);

/* A zeroed shifter is allowed. From any thread. */
void shifter_finish(struct shifter *shifter);

WEIR_REALTIME void shifter_reset(struct shifter *shifter);

/* Frames by which the output is behind the input. */
static inline WEIR_REALTIME uint32_t shifter_delay(const struct shifter *shifter)
{
	return SHIFTER_DELAY * shifter->hop;
}

/* Any number of frames; in and out are of n_channels. */
WEIR_REALTIME void shifter_run(struct shifter *shifter, const struct shifter_settings *settings,
			       const float *const in[], float *const out[], uint32_t n_frames);

#endif
