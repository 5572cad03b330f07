/* SPDX-License-Identifier: MIT */
#ifndef WEIR_ALIGN_ALIGNER_H
#define WEIR_ALIGN_ALIGNER_H

#include "limits.h"
#include "mix.h"
#include "pair.h"
#include "post.h"

#define ALIGN_REPORT_SECONDS 0.1

/* A unit's state. */
struct align {
	uint32_t rate, n_mics;
	uint32_t tick_frames, tick_frame; /* frames of a tick, and those that have passed */
	uint32_t report_frames;		  /* until the next report */
	int32_t left[ALIGN_MICS];	  /* cost that a tick has left, per microphone */
	bool was_reset;

	struct front_end_context front_context;
	struct cross_context cross_context;
	struct drift_tables drift_tables;
	struct front_end front[ALIGN_MICS];
	struct pair pair[ALIGN_MICS]; /* of the first microphone with each other one */
	struct mix mix;

	struct post post;
	bool filters;		/* the post-filter runs */
	uint32_t filter_frames; /* until its windows are full */
	float filter_share;	/* of the output, 0 to 1 */
	void *memory;
};

WEIR_REALTIME void align_reset(void *state);
WEIR_REALTIME struct weir_latency align_get_latency(const void *state, uint32_t input);
WEIR_REALTIME void align_save_state(const void *state, float *saved);
WEIR_REALTIME void align_restore_state(void *state, const float *saved);
WEIR_REALTIME void align_run(void *state, float *const port[], uint32_t n_frames,
			     struct weir_reports *reports);

#endif
