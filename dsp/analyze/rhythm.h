/* SPDX-License-Identifier: MIT */
#ifndef WEIR_RHYTHM_H
#define WEIR_RHYTHM_H

#include "beats.h"
#include "dsp/arena.h"
#include "onsets.h"
#include "tempo.h"

/*
 * Onsets, beats and tempo. An onset is reported about 10 ms after it happened; two are at least 55
 * ms apart. The tempo is known after two or three similar periods. Beats are predicted from the
 * tempo: each is reported in its own hop. Beats and tempo end 3 s after the latest accent.
 *
 * The confidence is the normalized autocorrelation at one, two, three and four periods, minus the
 * evidence for half or twice the tempo: about 0.8 for drums alone, 0.3 to 0.6 for most songs with
 * a beat.
 */
struct rhythm_found {
	float onset, beat; /* seconds before the end of the hop; NaN: none in it */
	float bpm;	   /* 50 to 222; NaN: not known */
	float confidence;  /* 0 to 1; 0 as long as the tempo is not known */
};

struct rhythm {
	float rate;
	uint32_t hop_frames, half_frames; /* half: a step */
	uint32_t frame;			  /* within the hop */
	float *recent;			  /* [onsets.n + hop_frames], the hop at the end */
	struct onsets onsets;
	struct tempo tempo;
	struct beats beats;
	float onset, beat; /* of this hop so far, as in struct rhythm_found */
};

/* Returns 0 or -ENOMEM. Then allocate twice, init_tables and reset. */
int rhythm_init(struct rhythm *rhythm, uint32_t rate, uint32_t hop_frames);
void rhythm_allocate(struct rhythm *rhythm, struct arena *arena);
void rhythm_init_tables(struct rhythm *rhythm);

/* A zeroed one is allowed. */
void rhythm_finish(struct rhythm *rhythm);

WEIR_REALTIME void rhythm_reset(struct rhythm *rhythm);

/* n frames of the mean of all channels, never across the end of a hop. */
WEIR_REALTIME void rhythm_run(struct rhythm *rhythm, const float *in, uint32_t n);

/* At the end of a hop. */
WEIR_REALTIME void rhythm_hop(struct rhythm *rhythm, struct rhythm_found *found);

#endif
