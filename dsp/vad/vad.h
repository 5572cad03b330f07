/* SPDX-License-Identifier: MIT */
#ifndef WEIR_VAD_VAD_H
#define WEIR_VAD_VAD_H

#include <stdbool.h>

#include "features.h"
#include "net.h"

#define VAD_HOPS 64 /* that onset and hangover may look back */

/*
 * Says every 10 ms how probable it is that somebody speaks, and when speech begins and ends, in
 * what any microphone hears: the sound at 16 kHz, its features, and a recurrent network.
 *
 * The network takes the beginning of any sound for speech. A second network, trained on beginnings
 * of speech and of music, has to confirm it; until then the probability is the lower one of both.
 *
 * Latency: the rest of the hop, and 1 ms for the filter, 2 ms at 8 kHz; and the onset, for events.
 */
struct vad {
	uint32_t rate;
	uint32_t hop;	   /* frames of the input in 10 ms */
	uint32_t n_taps;   /* of the lowpass, a multiple of 16 */
	uint32_t n_phases; /* of it, 160 at most */
	uint32_t n_frames; /* of this hop so far */
	float *kernel;	   /* [n_phases + 1][n_taps] */
	float *input;	   /* [n_taps + hop], the hop behind what came before it */

	struct vad_features features;
	struct vad_net net;

	/* Rings of the latest hops' probabilities. */
	float heard[VAD_HOPS];	     /* by the first network */
	float limited[VAD_HOPS];     /* the lower one of both networks */
	float probability[VAD_HOPS]; /* heard once that is confirmed, else limited */
	uint32_t n_hops;	     /* since the reset */
	bool confirmed;
	uint32_t n_loud;   /* hops in a row in which the first network alone would start speech */
	uint32_t n_active; /* hops since the last start */
	bool active;
};

struct vad_control {
	float threshold;   /* 0 to 1 */
	float onset_ms;	   /* 10 ms times VAD_HOPS at most, as hangover_ms */
	float hangover_ms; /* speech ends where the mean over it is below half of the threshold */
};

struct vad_found {
	float probability; /* 0 to 1 */
	bool active, started, ended;
	float ago; /* when started: seconds since the first network would have, and the onset */
};

/* Returns 0 or -ENOMEM. Then allocate twice, init_tables and reset. */
int vad_init(struct vad *vad, uint32_t rate);
void vad_allocate(struct vad *vad, struct arena *arena);
void vad_init_tables(struct vad *vad);

/* A zeroed vad is allowed. */
void vad_finish(struct vad *vad);

WEIR_REALTIME void vad_reset(struct vad *vad);

/* Takes n frames, never across the end of a hop. */
WEIR_REALTIME void vad_run(struct vad *vad, const float *in, uint32_t n);

/* At the end of every hop. */
WEIR_REALTIME void vad_hop(struct vad *vad, const struct vad_control *control,
			   struct vad_found *found);

#endif
