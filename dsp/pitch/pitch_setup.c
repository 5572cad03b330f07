/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>

#include "dsp/declare.h"
#include "modes.h"

static const double hop_seconds[PITCH_N_MODES] = {
	[PITCH_LOW_LATENCY] = 128.0 / 48000.0,
	[PITCH_BALANCED] = 256.0 / 48000.0,
	[PITCH_QUALITY] = 384.0 / 48000.0,
};

static void pitch_destroy(void *state)
{
	struct pitch *pitch = state;

	if (!pitch)
		return;
	for (int m = 0; m < PITCH_N_MODES; m++)
		shifter_finish(&pitch->shifter[m]);
	free(pitch);
}

static void *pitch_create(uint32_t rate, uint32_t n_channels)
{
	struct pitch *pitch;

	if (rate < WEIR_MIN_RATE || rate > WEIR_MAX_RATE) {
		errno = EINVAL;
		return NULL;
	}
	pitch = calloc(1, sizeof(*pitch));
	if (!pitch)
		return NULL;
	pitch->rate = rate;
	pitch->n_channels = n_channels;
	for (int m = 0; m < PITCH_N_MODES; m++)
		if (shifter_init(&pitch->shifter[m], rate, n_channels, hop_seconds[m]) < 0) {
			pitch_destroy(pitch);
			errno = ENOMEM;
			return NULL;
		}
	pitch_reset(pitch);
	return pitch;
}

static void *create_mono(uint32_t rate)
{
	return pitch_create(rate, 1);
}

static void *create_stereo(uint32_t rate)
{
	return pitch_create(rate, 2);
}

static void *create_8(uint32_t rate)
{
	return pitch_create(rate, 8);
}

static const char *const mode_names[] = {
	[PITCH_LOW_LATENCY] = "low-latency",
	[PITCH_BALANCED] = "balanced",
	[PITCH_QUALITY] = "quality",
};

/* In the order of the header. */
#define CONTROLS                                                                                   \
	CONTROL_IN("semitones", WEIR_FLOAT, "semitones", "Pitch shift", -24.0f, 0.0f, 24.0f),      \
		TOGGLE_IN("formant", "Keep the spectral envelope in its place", 0.0f),             \
		CONTROL_IN("cents", WEIR_FLOAT, "cents",                                           \
			   "Added to semitones; the sum is limited to 24 semitones", -100.0f,      \
			   0.0f, 100.0f),                                                          \
		CONTROL_IN("mix", WEIR_FLOAT, "%",                                                 \
			   "Share of shifted sound; the rest is dry input, equally delayed", 0.0f, \
			   100.0f, 100.0f),                                                        \
		CHOICE_IN("mode", "Window length: less delay, or better resolution of partials",   \
			  mode_names, PITCH_BALANCED, PITCH_QUALITY),                              \
		CONTROL_IN("glide-ms", WEIR_FLOAT, "ms",                                           \
			   "Duration of a change of the shift, to 95 %", 0.0f, 100.0f, 10000.0f),  \
		CONTROL_OUT("latency", WEIR_INTEGER, "frames",                                     \
			    "Delay of the output against the input", 0.0f, 32768.0f)

static const struct weir_port mono_ports[] = {
	AUDIO_IN("in-mono", "Mono input", "MONO"),
	AUDIO_OUT("out-mono", "Mono output", "MONO"),
	CONTROLS,
};

static const struct weir_port stereo_ports[] = {
	AUDIO_IN("in-l", "Left input", "FL"),
	AUDIO_IN("in-r", "Right input", "FR"),
	AUDIO_OUT("out-l", "Left output", "FL"),
	AUDIO_OUT("out-r", "Right output", "FR"),
	CONTROLS,
};

static const struct weir_port ports_of_8[] = {
	AUDIO_IN("in-fl", "Front left input", "FL"),
	AUDIO_IN("in-fr", "Front right input", "FR"),
	AUDIO_IN("in-fc", "Front centre input", "FC"),
	AUDIO_IN("in-lfe", "Low frequency input", "LFE"),
	AUDIO_IN("in-rl", "Rear left input", "RL"),
	AUDIO_IN("in-rr", "Rear right input", "RR"),
	AUDIO_IN("in-sl", "Side left input", "SL"),
	AUDIO_IN("in-sr", "Side right input", "SR"),
	AUDIO_OUT("out-fl", "Front left output", "FL"),
	AUDIO_OUT("out-fr", "Front right output", "FR"),
	AUDIO_OUT("out-fc", "Front centre output", "FC"),
	AUDIO_OUT("out-lfe", "Low frequency output", "LFE"),
	AUDIO_OUT("out-rl", "Rear left output", "RL"),
	AUDIO_OUT("out-rr", "Rear right output", "RR"),
	AUDIO_OUT("out-sl", "Side left output", "SL"),
	AUDIO_OUT("out-sr", "Side right output", "SR"),
	CONTROLS,
};

static const struct weir_field fields[] = {
	[PITCH_REPORT_SEMITONES] =
		FIELD("semitones", "semitones", "Present shift, gliding to the control's value", 1),
	[PITCH_REPORT_ONSET] =
		EVENT("onset", "An attack was detected, this long before the report"),
};

#define SHARED                                                                                  \
	.hop_seconds = 0.01f, .destroy = pitch_destroy, .reset = pitch_reset, .run = pitch_run, \
	.get_latency = pitch_get_latency

const struct weir_unit weir_pitch = UNIT("pitch", 700, "Pitch shifter for stereo sound",
					 stereo_ports, fields, create_stereo, SHARED);
const struct weir_unit weir_pitch_mono = UNIT("pitch-mono", 701, "Pitch shifter for mono sound",
					      mono_ports, fields, create_mono, SHARED);
const struct weir_unit weir_pitch_8 = UNIT("pitch-8", 702, "Pitch shifter for eight channels",
					   ports_of_8, fields, create_8, SHARED);
