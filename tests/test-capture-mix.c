/* SPDX-License-Identifier: MIT */
/* How loud each channel of a captured stream is on each side of the source. */
#include <math.h>

#include "../dsp/unit.h"
#include "../modules/capture-mix.h"
#include "../modules/capture-unit.h"
#include "check.h"

#define RATE 48000
#define N_FRAMES 64
#define N_CHANNELS (int)(sizeof(channels) / sizeof(channels[0]))

#define DB_3 0.70710678f
#define DB_9 0.35355339f

/* The gains of PipeWire 1.4.2's own mix to stereo, as measured by tests/test-capture.sh. */
static const struct {
	const char *name;
	float left, right;
} channels[] = {
	{ "FL", 1.0f, 0.0f }, { "FR", 0.0f, 1.0f },   { "FLC", 1.0f, 0.0f }, { "FRC", 0.0f, 1.0f },
	{ "RL", DB_3, 0.0f }, { "RR", 0.0f, DB_3 },   { "SL", DB_3, 0.0f },  { "SR", 0.0f, DB_3 },
	{ "FC", DB_3, DB_3 }, { "RC", 0.5f, 0.5f },   { "LFE", DB_9, DB_9 }, { "MONO", 1.0f, 1.0f },
	{ NULL, 1.0f, 1.0f }, { "AUX0", 1.0f, 1.0f }, { "UNK", 1.0f, 1.0f }, { "LFE2", 0.0f, 0.0f },
	{ "LLFE", 0, 0 },     { "LLFR", 0, 0 },	      { "RLFE", 0, 0 },	     { "FLW", 0, 0 },
	{ "FRW", 0, 0 },      { "FLH", 0, 0 },	      { "FCH", 0, 0 },	     { "FRH", 0, 0 },
	{ "RLC", 0, 0 },      { "RRC", 0, 0 },	      { "TC", 0, 0 },	     { "TFL", 0, 0 },
	{ "TFC", 0, 0 },      { "TFR", 0, 0 },	      { "TRL", 0, 0 },	     { "TRC", 0, 0 },
	{ "TRR", 0, 0 },      { "TFLC", 0, 0 },	      { "TFRC", 0, 0 },	     { "TSL", 0, 0 },
	{ "TSR", 0, 0 },      { "BC", 0, 0 },	      { "BLC", 0, 0 },	     { "BRC", 0, 0 },
};

/* The unit with these inputs; left and right: the last frame of what comes out. */
static void mix(const float inputs[CAPTURE_N_PORTS], float *left, float *right)
{
	static float memory[CAPTURE_N_PORTS][N_FRAMES];
	float *port[CAPTURE_N_PORTS];
	void *state = weir_capture.create(RATE);

	CHECK(state);
	for (int i = 0; i < CAPTURE_N_PORTS; i++) {
		port[i] = memory[i];
		for (int j = 0; j < N_FRAMES; j++)
			memory[i][j] = inputs[i];
	}
	*port[CAPTURE_RATE] = 1.0f;
	weir_unit_run(&weir_capture, state, port, N_FRAMES, NULL);
	weir_capture.destroy(state);
	*left = memory[CAPTURE_OUT_L][N_FRAMES - 1];
	*right = memory[CAPTURE_OUT_R][N_FRAMES - 1];
}

/* Does any input take the channel? */
static bool add(float inputs[CAPTURE_N_PORTS], const char *channel, float sample)
{
	bool is_taken = false;

	for (int i = 0; i < CAPTURE_N_PORTS; i++) {
		if (weir_capture.ports[i].type == WEIR_AUDIO_IN &&
		    capture_mix_has(channel, weir_capture.ports[i].name)) {
			inputs[i] += sample;
			is_taken = true;
		}
	}
	return is_taken;
}

static void test_each_channel_has_its_gains(void)
{
	for (int i = 0; i < N_CHANNELS; i++) {
		float inputs[CAPTURE_N_PORTS] = { 0 }, left, right;

		const bool is_taken = add(inputs, channels[i].name, 1.0f);

		mix(inputs, &left, &right);
		CHECK(fabsf(left - channels[i].left) < 1e-6f);
		CHECK(fabsf(right - channels[i].right) < 1e-6f);
		CHECK(is_taken == (left + right > 0.0f));
	}
}

static void test_channels_add_up(void)
{
	float inputs[CAPTURE_N_PORTS] = { 0 }, left, right, sum_left = 0.0f, sum_right = 0.0f;

	for (int i = 0; i < N_CHANNELS; i++) {
		const float sample = 0.01f * (float)(i + 1);

		add(inputs, channels[i].name, sample);
		sum_left += sample * channels[i].left;
		sum_right += sample * channels[i].right;
	}
	mix(inputs, &left, &right);
	CHECK(fabsf(left - sum_left) < 1e-6f);
	CHECK(fabsf(right - sum_right) < 1e-6f);
}

static void test_stereo_stays_exact(void)
{
	float inputs[CAPTURE_N_PORTS] = { 0 }, left, right;

	add(inputs, "FL", 0.1234567f);
	add(inputs, "FR", -0.7654321f);
	mix(inputs, &left, &right);
	CHECK(left == 0.1234567f && right == -0.7654321f);
}

/* weir-links is not to link a microphone to the others. */
static void test_only_two_inputs_have_a_channel(void)
{
	for (int i = 0; i < CAPTURE_N_PORTS; i++) {
		const struct weir_port *port = &weir_capture.ports[i];

		if (port->type == WEIR_AUDIO_IN)
			CHECK((port->channel != NULL) == (i == CAPTURE_IN_L || i == CAPTURE_IN_R));
	}
}

int main(void)
{
	test_each_channel_has_its_gains();
	test_channels_add_up();
	test_stereo_stays_exact();
	test_only_two_inputs_have_a_channel();
	return 0;
}
