/* SPDX-License-Identifier: MIT */
#ifndef WEIR_PITCH_MODES_H
#define WEIR_PITCH_MODES_H

#include "pitch.h"
#include "shifter.h"

/* The state of the pitch units: a shifter per mode. The data thread writes all of it. */
struct pitch {
	uint32_t rate, n_channels;
	struct shifter shifter[PITCH_N_MODES];
	bool started;		    /* the mode was set since the reset */
	enum pitch_mode mode, next; /* equal unless the mode is changing */
	uint32_t warm_up, fade;	    /* remaining frames of each phase of a change; one is 0 */
	uint32_t n_fade;	    /* length of the fade, frames */
	float faded[PITCH_MAX_CHANNELS][WEIR_BLOCK];

	uint32_t report_frames; /* until the next report */
	uint32_t n_onsets_reported;
};

WEIR_REALTIME void pitch_reset(void *state);
WEIR_REALTIME void pitch_run(void *state, float *const port[], uint32_t n_frames,
			     struct weir_reports *reports);
WEIR_REALTIME struct weir_latency pitch_get_latency(const void *state, uint32_t input);

#endif
