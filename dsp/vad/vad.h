/* SPDX-License-Identifier: MIT */
#ifndef WEIR_VAD_VAD_H
#define WEIR_VAD_VAD_H

#include <stdbool.h>

#include "features.h"
#include "net.h"

#define SPEECH_HOPS 64 /* that onset and hangover may look back */

/*
 * Says every 10 ms how probable it is that somebody speaks, and when speech begins and ends, in
 * what any microphone hears: the sound at 16 kHz, its features, and a recurrent network.
 *
 * The network takes the beginning of any sound for speech. A second network, trained on beginnings
 * of speech and of music, has to confirm it; until then the probability is the lower one of both.
 *
 * Latency: the rest of the hop, and 1 ms for the filter, 2 ms at 8 kHz; and the onset, for events.
 */
struct speech {
	uint32_t rate;
	uint32_t hop;	   /* frames of the input in 10 ms */
	uint32_t n_taps;   /* of the lowpass, a multiple of 16 */
	uint32_t n_phases; /* of it, 160 at most */
	uint32_t n_frames; /* of this hop so far */
	float *kernel;	   /* [n_phases + 1][n_taps] */
	float *input;	   /* [n_taps + hop], the hop behind what came before it */

	struct speech_features features;
	struct speech_net net;

	/* Rings of the latest hops' probabilities. */
	float heard[SPEECH_HOPS];	/* by the first network */
	float limited[SPEECH_HOPS];	/* the lower one of both networks */
	float probability[SPEECH_HOPS]; /* heard once that is confirmed, else limited */
	uint32_t n_hops;		/* since the reset */
	bool confirmed;
	uint32_t n_loud;   /* hops in a row in which the first network alone would start speech */
	uint32_t n_active; /* hops since the last start */
	bool active;
};

struct speech_control {
	float threshold;   /* 0 to 1 */
	float onset_ms;	   /* 10 ms times SPEECH_HOPS at most, as hangover_ms */
	float hangover_ms; /* speech ends where the mean over it is below half of the threshold */
};

struct speech_found {
	float probability; /* 0 to 1 */
	bool active, started, ended;
	float ago; /* when started: seconds since the first network would have, and the onset */
};

/* Returns 0 or -ENOMEM. Then place, twice, fill and reset. */
int speech_init(struct speech *speech, uint32_t rate);
void speech_allocate(struct speech *speech, struct arena *arena);
void speech_fill(struct speech *speech);

/* A zeroed speech is allowed. */
void speech_finish(struct speech *speech);

WEIR_REALTIME void speech_reset(struct speech *speech);

/* Takes n frames, never across the end of a hop. */
WEIR_REALTIME void speech_run(struct speech *speech, const float *in, uint32_t n);

/* At the end of every hop. */
WEIR_REALTIME void speech_hop(struct speech *speech, const struct speech_control *control,
			      struct speech_found *found);

#endif
