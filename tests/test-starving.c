/* SPDX-License-Identifier: MIT */
/* What the source of a capture takes for a live source that cannot keep up, and what not. */
#include <math.h>
#include <stdlib.h>

#include "check.h"
#include "dsp/unit.h"
#include "modules/capture/unit.h"
#include "realtime.h"

#define RATE 48000
#define SECONDS 4

static float sound[SECONDS * RATE];

static float noise(void)
{
	return (float)rand() / (float)RAND_MAX - 0.5f;
}

static void make_noise(void)
{
	for (int i = 0; i < SECONDS * RATE; i++)
		sound[i] = noise();
}

/* Takes n frames out of every period, and blurs the edges as a resampler does. */
static void cut(int period, int n)
{
	for (int i = 0; i < SECONDS * RATE; i++) {
		const int phase = i % period;

		if (phase < n)
			sound[i] = 0.0f;
		else if (phase >= period - 24)
			sound[i] *= (float)(period - phase) / 25.0f;
	}
}

/* The sound at this rate in quanta of n frames; what is missing at the end, in percent. */
static float run(float rate, uint32_t n_frames)
{
	void *state = weir_capture.create(RATE);
	float left[1024], right[1024], silence[1024] = { 0 }, glide = 0.0f, missing = -1.0f;
	float *port[CAPTURE_N_PORTS] = {
		[CAPTURE_IN_CENTRE] = silence,
		[CAPTURE_IN_LFE] = silence,
		[CAPTURE_IN_SURROUND_L] = silence,
		[CAPTURE_IN_SURROUND_R] = silence,
		[CAPTURE_IN_REAR_CENTRE] = silence,
		[CAPTURE_IN_TOP_L] = silence,
		[CAPTURE_IN_TOP_R] = silence,
		[CAPTURE_OUT_L] = left,
		[CAPTURE_OUT_R] = right,
		[CAPTURE_RATE] = &rate,
		[CAPTURE_GLIDE_MS] = &glide,
		[CAPTURE_MISSING] = &missing,
	};

	CHECK(state);
	for (uint32_t i = 0; i + n_frames <= SECONDS * RATE; i += n_frames) {
		port[CAPTURE_IN_L] = port[CAPTURE_IN_R] = &sound[i];
		weir_unit_run(&weir_capture, state, port, n_frames, NULL);
		CHECK(left[n_frames - 1] == sound[i + n_frames - 1]);
		CHECK(right[0] == sound[i]);
	}
	weir_capture.destroy(state);
	return missing;
}

static void test_live_source_lacks_what_it_must(void)
{
	make_noise();
	cut(5900, 454); /* as pipewire-pulse leaves it at a rate of 1.0833 */
	CHECK(fabsf(run(1.0833f, 1024) - 100.0f * (1.0f - 1.0f / 1.0833f)) < 1.0f);
	make_noise();
	cut(6144, 1024);
	CHECK(fabsf(run(1.2f, 256) - 100.0f / 6.0f) < 1.0f);
	CHECK(fabsf(run(1.2f, 64) - run(1.2f, 1000)) < 1.0f);
}

static void test_nothing_is_missing_at_rate_1(void)
{
	make_noise();
	cut(5900, 454);
	CHECK(run(1.0f, 1024) == 0.0f);
	CHECK(run(0.8f, 1024) == 0.0f);
}

static void test_sound_lacks_nothing(void)
{
	make_noise();
	CHECK(run(1.0833f, 1024) == 0.0f);
}

static void test_silence_lacks_nothing(void)
{
	for (int i = 0; i < SECONDS * RATE; i++)
		sound[i] = 0.0f;
	CHECK(run(1.0833f, 1024) == 0.0f);
}

/* Words, notes and drums with silence between them. */
static void test_pauses_lack_nothing(void)
{
	make_noise();
	for (int i = 0; i < SECONDS * RATE; i++) {
		const int phase = i % 12000;

		sound[i] *= phase < 11000 ? expf(-(float)phase / 1500.0f) : 0.0f;
	}
	CHECK(run(1.0833f, 1024) == 0.0f);
}

static void test_two_cuts_are_no_habit(void)
{
	make_noise();
	for (int i = 0; i < 4000; i++)
		sound[3 * RATE + i] = sound[3 * RATE + 20000 + i] = 0.0f;
	CHECK(run(1.0833f, 1024) == 0.0f);
}

int main(void)
{
	test_live_source_lacks_what_it_must();
	test_nothing_is_missing_at_rate_1();
	test_sound_lacks_nothing();
	test_silence_lacks_nothing();
	test_pauses_lack_nothing();
	test_two_cuts_are_no_habit();
	return 0;
}
