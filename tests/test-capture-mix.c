/* SPDX-License-Identifier: MIT */
/* How loud each channel of a captured stream is on each side of the source. */
#include <math.h>

#include "check.h"
#include "dsp/unit.h"
#include "modules/capture/mix.h"
#include "modules/capture/unit.h"

#define RATE 48000
#define N_FRAMES 64
#define N_CHANNELS (int)(sizeof(channels) / sizeof(channels[0]))

#define DB_3 0.70710678f
#define DB_9 0.35355339f

/*
 * The gains of PipeWire's own mix to stereo, as measured by tests/test-capture.sh with 1.4.2
 * and 1.6.9. What is mixed since 1.6 is 0 before.
 */
static const struct {
	const char *name;
	float left, right;
	bool since_1_6;
} channels[] = {
	{ "FL", 1.0f, 0.0f, false },   { "FR", 0.0f, 1.0f, false },   { "FLC", 1.0f, 0.0f, false },
	{ "FRC", 0.0f, 1.0f, false },  { "RL", DB_3, 0.0f, false },   { "RR", 0.0f, DB_3, false },
	{ "SL", DB_3, 0.0f, false },   { "SR", 0.0f, DB_3, false },   { "FC", DB_3, DB_3, false },
	{ "RC", 0.5f, 0.5f, false },   { "LFE", DB_9, DB_9, false },  { "MONO", 1.0f, 1.0f, false },
	{ NULL, 1.0f, 1.0f, false },   { "AUX0", 1.0f, 1.0f, false }, { "UNK", 1.0f, 1.0f, false },
	{ "RLC", DB_3, 0.0f, true },   { "RRC", 0.0f, DB_3, true },   { "TFL", 0.5f, 0.0f, true },
	{ "TFR", 0.0f, 0.5f, true },   { "TFLC", 0.5f, 0.0f, true },  { "TFRC", 0.0f, 0.5f, true },
	{ "TRL", 0.5f, 0.0f, true },   { "TRR", 0.0f, 0.5f, true },   { "LFE2", 0.0f, 0.0f, false },
	{ "LLFE", 0.0f, 0.0f, false }, { "LLFR", 0.0f, 0.0f, false }, { "RLFE", 0.0f, 0.0f, false },
	{ "FLW", 0.0f, 0.0f, false },  { "FRW", 0.0f, 0.0f, false },  { "FLH", 0.0f, 0.0f, false },
	{ "FCH", 0.0f, 0.0f, false },  { "FRH", 0.0f, 0.0f, false },  { "TC", 0.0f, 0.0f, false },
	{ "TFC", 0.0f, 0.0f, false },  { "TRC", 0.0f, 0.0f, false },  { "TSL", 0.0f, 0.0f, false },
	{ "TSR", 0.0f, 0.0f, false },  { "BC", 0.0f, 0.0f, false },   { "BLC", 0.0f, 0.0f, false },
	{ "BRC", 0.0f, 0.0f, false },
};

static float gain_left(int channel, bool has_top)
{
	return channels[channel].since_1_6 && !has_top ? 0.0f : channels[channel].left;
}

static float gain_right(int channel, bool has_top)
{
	return channels[channel].since_1_6 && !has_top ? 0.0f : channels[channel].right;
}

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
static bool add(float inputs[CAPTURE_N_PORTS], const char *channel, float sample, bool has_top)
{
	bool is_taken = false;

	for (int i = 0; i < CAPTURE_N_PORTS; i++) {
		if (weir_capture.ports[i].type == WEIR_AUDIO_IN &&
		    capture_mix_has(channel, weir_capture.ports[i].name, has_top)) {
			inputs[i] += sample;
			is_taken = true;
		}
	}
	return is_taken;
}

static void test_each_channel_has_its_gains(bool has_top)
{
	for (int i = 0; i < N_CHANNELS; i++) {
		float inputs[CAPTURE_N_PORTS] = { 0 }, left, right;

		const bool is_taken = add(inputs, channels[i].name, 1.0f, has_top);

		mix(inputs, &left, &right);
		CHECK(fabsf(left - gain_left(i, has_top)) < 1e-6f);
		CHECK(fabsf(right - gain_right(i, has_top)) < 1e-6f);
		CHECK(is_taken == (left + right > 0.0f));
	}
}

static void test_channels_add_up(bool has_top)
{
	float inputs[CAPTURE_N_PORTS] = { 0 }, left, right, sum_left = 0.0f, sum_right = 0.0f;

	for (int i = 0; i < N_CHANNELS; i++) {
		const float sample = 0.01f * (float)(i + 1);

		add(inputs, channels[i].name, sample, has_top);
		sum_left += sample * gain_left(i, has_top);
		sum_right += sample * gain_right(i, has_top);
	}
	mix(inputs, &left, &right);
	CHECK(fabsf(left - sum_left) < 1e-6f);
	CHECK(fabsf(right - sum_right) < 1e-6f);
}

static void test_stereo_stays_exact(void)
{
	float inputs[CAPTURE_N_PORTS] = { 0 }, left, right;

	add(inputs, "FL", 0.1234567f, true);
	add(inputs, "FR", -0.7654321f, true);
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
	test_each_channel_has_its_gains(false);
	test_each_channel_has_its_gains(true);
	test_channels_add_up(false);
	test_channels_add_up(true);
	test_stereo_stays_exact();
	test_only_two_inputs_have_a_channel();
	return 0;
}
