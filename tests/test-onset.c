/* SPDX-License-Identifier: MIT */

/* Attacks in the input of the pitch unit: dsp/pitch/onset.h. */

#include <math.h>

#include "check.h"
#include "dsp/pitch/onset.h"

#define RATE 48000
#define HOP 256
#define BLOCK (HOP / ONSET_BLOCKS)
#define N_FRAMES (RATE / 2)
#define NOTE (RATE / 4)

static float input[N_FRAMES], power[HOP];

/* A note of 3 kHz that begins at this frame, over noise, whose beginning is an attack, too. */
static void input_fill(uint32_t note, double rise_seconds, float noise)
{
	uint32_t seed = 3;

	for (uint32_t f = 0; f < N_FRAMES; f++) {
		const double t = f < note ? 0.0 : (double)(f - note) / RATE;
		const double rise = 0.5 - 0.5 * cos(M_PI * fmin(t / rise_seconds, 1.0));

		seed = seed * 1664525u + 1013904223u;
		input[f] = noise * ((float)seed / 2147483648.0f - 1.0f) +
			   (float)(0.5 * rise * exp(-20.0 * t) * sin(2.0 * M_PI * 3000.0 * t));
	}
}

static struct onset_finder find(void)
{
	struct onset_finder finder = {
		.n_channels = 1,
		.hop = HOP,
		.hold = RATE / 25,
		.leak = expf(-16.0f / HOP),
		.quiet = 1e-5f,
		.power = power,
	};

	onset_reset(&finder);
	for (uint32_t f = 0; f < N_FRAMES; f += BLOCK) {
		const float *in[] = { input + f };

		onset_take(&finder, in, BLOCK);
		onset_end_block(&finder, f + BLOCK);
	}
	return finder;
}

/* The blocks may cut the rise of a note anywhere. */
static void test_a_note_is_strong_wherever_it_begins(void)
{
	for (uint32_t note = NOTE; note < NOTE + BLOCK; note++) {
		input_fill(note, 0.002, 0.02f);

		const struct onset_finder finder = find();

		CHECK(finder.n_found == 2 && finder.found[1].strong);
		CHECK(fabs((double)finder.found[1].frame - note) < 0.002 * RATE);
	}
}

static void test_what_rises_slowly_is_no_attack(void)
{
	input_fill(NOTE, 0.2, 0.02f);
	CHECK(find().n_found == 1);
}

int main(void)
{
	test_a_note_is_strong_wherever_it_begins();
	test_what_rises_slowly_is_no_attack();
	return 0;
}
