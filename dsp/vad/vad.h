/* SPDX-License-Identifier: MIT */
#ifndef WEIR_VAD_VAD_H
#define WEIR_VAD_VAD_H

#include <stdbool.h>

#include "features.h"
#include "net.h"

/*
 * Voice activity detector: the probability of speech in one channel, per hop of 10 ms, and events
 * where speech starts and ends. The sound is resampled to 16 kHz; a recurrent network takes its
 * features.
 *
 * This network takes the beginning of any sound for speech. A second one, trained on beginnings of
 * speech and of music, has to confirm speech; until then the probability is the minimum of both.
 *
 * Rates: 8 to 384 kHz. Latency of the probability: the rest of the hop, and 1 ms for the lowpass, 2
 * ms at 8 kHz; events come later by the onset or the hangover. Levels: those of a microphone, full
 * scale being 1; no calibration is needed.
 *
 * Use: vad_init(); vad_allocate() with an arena without memory, which gives the size, and again
 * with memory; vad_init_tables() and vad_reset(). Then vad_run() with all frames of a hop, in one
 * block or several, and vad_hop(). Threads: reset, run and hop are for the data thread, the others
 * may block. The caller owns the memory, and frees it after vad_finish(). Training: train/.
 */
#define VAD_HOP_SECONDS 0.01f
#define VAD_HOPS 64 /* maximum of onset and hangover, in hops */

/* Frames of a hop: VAD_HOP_SECONDS, rounded. */
static inline uint32_t vad_hop_frames(uint32_t rate)
{
	return (rate + 50) / 100;
}

struct vad {
	uint32_t rate;
	uint32_t hop;	   /* frames of the input in 10 ms */
	uint32_t n_taps;   /* of the lowpass, a multiple of 16 */
	uint32_t n_phases; /* of the lowpass, 160 at most */
	uint32_t n_frames; /* of this hop so far */
	float *kernel;	   /* [n_phases + 1][n_taps] */
	float *input;	   /* [n_taps + hop]: the frames before the hop, and the hop */

	struct vad_features features;
	struct vad_net net;

	/* Rings of the latest hops' probabilities. */
	float primary[VAD_HOPS];     /* of the first network */
	float limited[VAD_HOPS];     /* minimum of both networks */
	float probability[VAD_HOPS]; /* primary once speech is confirmed, else limited */
	uint32_t n_hops;	     /* since the reset */
	bool confirmed;
	uint32_t n_loud; /* consecutive hops in which the first network alone would start speech */
	uint32_t n_active; /* hops since the last start */
	bool active;
};

struct vad_control {
	float threshold;   /* 0 to 1 */
	float onset_ms;	   /* 10 ms times VAD_HOPS at most, as hangover_ms */
	float hangover_ms; /* speech ends where the mean of this time is below threshold / 2 */
};

struct vad_found {
	float probability; /* 0 to 1 */
	bool active, started, ended;
	float ago; /* when started: seconds since the first network would have started, and the
		      onset */
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
