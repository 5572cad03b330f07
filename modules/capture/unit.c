/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS_PER_SECOND 10
#define N_SLOTS (CAPTURE_WINDOW * SLOTS_PER_SECOND)
/* Any sound contains shorter runs of zeros. */
#define MIN_GAP_SECONDS 0.001f
/* Decay of the level just before a gap, and of the level to compare it with. In between, the filter
 * of a resampler rings. */
#define EDGE_SECONDS 0.003f
#define SOUND_SECONDS 0.1f
/* Minimum level just before a gap, relative to the peak of the sound. */
#define CUT_LEVEL 0.05f
/* Fewer gaps may have other causes: the next track, a seek. */
#define MIN_GAPS 3

#define MINUS_3_DB 0.707106781f
#define MINUS_6_DB 0.5f
#define MINUS_9_DB 0.353553391f

struct slot {
	uint32_t missing; /* frames */
	uint32_t n_gaps;
};

struct state {
	uint32_t rate;
	uint32_t min_gap;
	float edge_decay, sound_decay; /* per frame */

	float edge, sound; /* peaks, decaying in EDGE_SECONDS and SOUND_SECONDS */
	uint32_t n_zeros;
	bool cut; /* did the present zeros begin in the middle of a sound? */

	struct slot slots[N_SLOTS];
	uint32_t slot, slot_frames;
};

static void *capture_create_state(uint32_t rate)
{
	struct state *state = calloc(1, sizeof(*state));

	if (!state)
		return NULL;
	state->rate = rate;
	state->min_gap = (uint32_t)(MIN_GAP_SECONDS * (float)rate);
	state->edge_decay = expf(-1.0f / (EDGE_SECONDS * (float)rate));
	state->sound_decay = expf(-1.0f / (SOUND_SECONDS * (float)rate));
	return state;
}

static WEIR_REALTIME void capture_reset(void *object)
{
	struct state *state = object;

	state->edge = state->sound = 0.0f;
	state->n_zeros = 0;
	state->cut = false;
	memset(state->slots, 0, sizeof(state->slots));
	state->slot = state->slot_frames = 0;
}

static WEIR_REALTIME void next_slot(struct state *state)
{
	state->slot = (state->slot + 1) % N_SLOTS;
	state->slots[state->slot] = (struct slot){ 0, 0 };
	state->slot_frames = 0;
}

/* Counts a gap when it ends: zeros that never end are the end of the sound. */
static WEIR_REALTIME void gap_end(struct state *state)
{
	if (!state->cut || state->n_zeros < state->min_gap || state->n_zeros > state->rate)
		return;
	state->slots[state->slot].missing += state->n_zeros;
	state->slots[state->slot].n_gaps++;
}

static WEIR_REALTIME void detect_gap(struct state *state, float sample)
{
	if (sample == 0.0f) {
		if (state->n_zeros == 0)
			state->cut = state->edge > CUT_LEVEL * state->sound;
		state->n_zeros++;
	} else {
		gap_end(state);
		state->n_zeros = 0;
	}
	state->edge = fmaxf(sample, state->edge * state->edge_decay);
	state->sound = fmaxf(sample, state->sound * state->sound_decay);
	if (++state->slot_frames == state->rate / SLOTS_PER_SECOND)
		next_slot(state);
}

static WEIR_REALTIME float missing_percent(const struct state *state)
{
	uint32_t missing = 0, n_gaps = 0;

	for (uint32_t i = 0; i < N_SLOTS; i++) {
		missing += state->slots[i].missing;
		n_gaps += state->slots[i].n_gaps;
	}
	if (n_gaps < MIN_GAPS)
		return 0.0f;
	return 100.0f * (float)missing / (float)(CAPTURE_WINDOW * state->rate);
}

static WEIR_REALTIME void add(float *to, const float *from, float gain, uint32_t n_frames)
{
	for (uint32_t i = 0; i < n_frames; i++)
		to[i] += gain * from[i];
}

/* The gains of PipeWire's own mix. */
static WEIR_REALTIME void mix(float *const port[], uint32_t n_frames)
{
	float *const sides[] = { port[CAPTURE_OUT_L], port[CAPTURE_OUT_R] };

	for (uint32_t i = 0; i < 2; i++) {
		memcpy(sides[i], port[CAPTURE_IN_L + i], n_frames * sizeof(float));
		add(sides[i], port[CAPTURE_IN_SURROUND_L + i], MINUS_3_DB, n_frames);
		add(sides[i], port[CAPTURE_IN_CENTRE], MINUS_3_DB, n_frames);
		add(sides[i], port[CAPTURE_IN_REAR_CENTRE], MINUS_6_DB, n_frames);
		add(sides[i], port[CAPTURE_IN_LFE], MINUS_9_DB, n_frames);
		add(sides[i], port[CAPTURE_IN_TOP_L + i], MINUS_6_DB, n_frames);
	}
}

static WEIR_REALTIME void capture_run(void *object, float *const port[], uint32_t n_frames,
				      struct weir_reports *reports)
{
	const float *left = port[CAPTURE_OUT_L], *right = port[CAPTURE_OUT_R];
	struct state *state = object;

	(void)reports;
	mix(port, n_frames);
	if (*port[CAPTURE_RATE] > 1.0f)
		for (uint32_t i = 0; i < n_frames; i++)
			detect_gap(state, fabsf(left[i]) + fabsf(right[i]));
	else if (state->sound > 0.0f)
		capture_reset(state);
	*port[CAPTURE_MISSING] = missing_percent(state);
}

static const struct weir_port ports[CAPTURE_N_PORTS] = {
	[CAPTURE_IN_L] = { .name = "in-l",
			   .type = WEIR_AUDIO_IN,
			   .unit = "",
			   .help = "left channels of the captured streams",
			   .channel = "FL" },
	[CAPTURE_IN_R] = { .name = "in-r",
			   .type = WEIR_AUDIO_IN,
			   .unit = "",
			   .help = "right channels of the captured streams",
			   .channel = "FR" },
	/* Without a channel: weir-links is not to link a microphone to them. */
	[CAPTURE_IN_CENTRE] = { .name = "in-centre",
				.type = WEIR_AUDIO_IN,
				.unit = "",
				.help = "centre, mixed into both sides at -3 dB" },
	[CAPTURE_IN_LFE] = { .name = "in-lfe",
			     .type = WEIR_AUDIO_IN,
			     .unit = "",
			     .help = "LFE, mixed into both sides at -9 dB" },
	[CAPTURE_IN_SURROUND_L] = { .name = "in-surround-l",
				    .type = WEIR_AUDIO_IN,
				    .unit = "",
				    .help = "rear and side left, mixed in at -3 dB" },
	[CAPTURE_IN_SURROUND_R] = { .name = "in-surround-r",
				    .type = WEIR_AUDIO_IN,
				    .unit = "",
				    .help = "rear and side right, mixed in at -3 dB" },
	[CAPTURE_IN_REAR_CENTRE] = { .name = "in-rear-centre",
				     .type = WEIR_AUDIO_IN,
				     .unit = "",
				     .help = "rear centre, mixed into both sides at -6 dB" },
	[CAPTURE_IN_TOP_L] = { .name = "in-top-l",
			       .type = WEIR_AUDIO_IN,
			       .unit = "",
			       .help = "top left, mixed in at -6 dB" },
	[CAPTURE_IN_TOP_R] = { .name = "in-top-r",
			       .type = WEIR_AUDIO_IN,
			       .unit = "",
			       .help = "top right, mixed in at -6 dB" },
	[CAPTURE_OUT_L] = { .name = "out-l",
			    .type = WEIR_AUDIO_OUT,
			    .unit = "",
			    .help = "left channel of the captured streams",
			    .channel = "FL" },
	[CAPTURE_OUT_R] = { .name = "out-r",
			    .type = WEIR_AUDIO_OUT,
			    .unit = "",
			    .help = "right channel of the captured streams",
			    .channel = "FR" },
	[CAPTURE_RATE] = { .name = "rate",
			   .type = WEIR_CONTROL_IN,
			   .unit = "",
			   .help = "speed of the captured streams: 1.0833 plays 48000 as 52000",
			   .min = CAPTURE_MIN_RATE,
			   .def = 1.0f,
			   .max = CAPTURE_MAX_RATE },
	[CAPTURE_GLIDE_MS] = { .name = "glide-ms",
			       .type = WEIR_CONTROL_IN,
			       .unit = "ms",
			       .help = "duration of a change of the rate",
			       .min = 0.0f,
			       .def = 0.0f,
			       .max = CAPTURE_MAX_GLIDE_MS },
	[CAPTURE_MISSING] = { .name = "missing",
			      .type = WEIR_CONTROL_OUT,
			      .unit = "%",
			      .help = "sound that a live source could not deliver at this rate, in "
				      "the last 2 s" },
};

const struct weir_unit weir_capture = {
	.name = "capture",
	.summary = "Source of captured streams",
	.ports = ports,
	.n_ports = CAPTURE_N_PORTS,
	.create = capture_create_state,
	.destroy = free,
	.reset = capture_reset,
	.run = capture_run,
};
