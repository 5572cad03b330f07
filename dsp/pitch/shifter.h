/* SPDX-License-Identifier: MIT */
#ifndef WEIR_PITCH_SHIFTER_H
#define WEIR_PITCH_SHIFTER_H

#include <stdbool.h>
#include <stdint.h>

#include "vocoder.h"

/*
 * A pitch shifter with one size of window.
 *
 * Time is counted in hops, each divided into ticks, one per stage of the vocoder. In hop j the
 * vocoder processes the frame of hop j - VOCODER_AHEAD, whose window is complete. In the next hop
 * the part of the stretch buffer that this frame has finished is read.
 */
#define SHIFTER_DELAY (VOCODER_AHEAD + VOCODER_REACH + 1) /* hops */
/* Hops after a reset until the output is complete. */
#define SHIFTER_WARM_UP (SHIFTER_DELAY + VOCODER_BEFORE)
#define SHIFTER_KNOTS 16      /* hops of the map that are kept; a power of two */
#define SHIFTER_RELAX_HOPS 16 /* for the phases to return to those of the input at 0 semitones */

/* The end of a hop in the stretch buffer: its place, and the places per frame there. */
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
	uint64_t first_silent; /* from this frame on the input is zero */
	uint64_t hop_index;
	uint32_t hop_frame; /* frames of this hop that have passed */
	uint32_t n_ticks;   /* per hop */
	uint32_t tick;	    /* the next one */

	bool started; /* semitones was set to its first target */
	double semitones;
	uint32_t relax;	      /* hops until the phases are those of the input; 0: at rest */
	uint32_t rest_hops;   /* consecutive hops at rest, at most REST_HOPS */
	uint32_t silent_hops; /* consecutive silent frames of the vocoder, at most REST_HOPS */
	struct knot
		knot[SHIFTER_KNOTS]; /* of the hop of the vocoder's frame, and of those before */
	struct stretch_reader reader;
	bool plain;	     /* the shifted sound is the input: the output is the plain delay */
	float mix;	     /* present mix, on its way to that of the settings */
	float wet, next_wet; /* share of the shifted sound at the beginning and end of this hop */
};

/* Returns 0 or -ENOMEM. From any thread. */
int shifter_init(struct shifter *shifter, uint32_t rate, uint32_t n_channels, double hop_seconds);

/* A zeroed shifter is allowed. From any thread. */
void shifter_finish(struct shifter *shifter);

WEIR_REALTIME void shifter_reset(struct shifter *shifter);

/* The delay of the output, frames. */
static inline WEIR_REALTIME uint32_t shifter_delay(const struct shifter *shifter)
{
	return SHIFTER_DELAY * shifter->hop;
}

/* Runs any number of frames of n_channels. */
WEIR_REALTIME void shifter_run(struct shifter *shifter, const struct shifter_settings *settings,
			       const float *const in[], float *const out[], uint32_t n_frames);

#endif
