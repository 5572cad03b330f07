/* SPDX-License-Identifier: MIT */

/* How loud what the pitch unit gives is, beside what it took: dsp/pitch/pitch.h. */

#include <math.h>

#include "../dsp/pitch/pitch.h"
#include "check.h"

#define RATE 48000
#define N_FRAMES (RATE * 5 / 4)
#define WINDOW (RATE / 20) /* 50 ms */
#define STEP (WINDOW / 8)
#define PI 3.14159265358979323846

static float input[N_FRAMES], output[N_FRAMES];
static const float shifts[] = { -24.0f, -12.0f, -7.0f, -3.0f, 3.0f, 7.0f, 12.0f, 24.0f };

#define N_SHIFTS (sizeof(shifts) / sizeof(shifts[0]))

static void run(float semitones, float mode, float formant)
{
	void *state = weir_pitch_mono.create(RATE);
	float latency = 0.0f, cents = 0.0f, mix = 100.0f, glide_ms = 100.0f;

	CHECK(state);
	for (uint32_t f = 0; f < N_FRAMES; f += 480) {
		float *port[] = { input + f, output + f, &semitones, &formant, &latency,
				  &cents,    &mix,	 &mode,	     &glide_ms };

		weir_unit_run(&weir_pitch_mono, state, port, 480, NULL);
	}
	weir_pitch_mono.destroy(state);
}

static double energy(const float *sound, uint32_t n)
{
	double sum = 0.0;

	for (uint32_t i = 0; i < n; i++)
		sum += (double)sound[i] * (double)sound[i];
	return sum;
}

static double loudest(const float *sound)
{
	double most = 0.0;

	for (uint32_t f = 0; f + WINDOW <= N_FRAMES; f += STEP)
		most = fmax(most, energy(sound + f, WINDOW));
	return most;
}

static void fill_square(void)
{
	for (uint32_t f = 0; f < N_FRAMES; f++)
		input[f] = f % 16 < 8 ? 1.0f : -1.0f;
}

static void fill_sawtooth(void)
{
	for (uint32_t f = 0; f < N_FRAMES; f++)
		input[f] = (float)(f % 480) / 240.0f - 1.0f;
}

/* A weak tone beside a constant that stands in no partial. */
static void fill_offset_tone(void)
{
	for (uint32_t f = 0; f < N_FRAMES; f++)
		input[f] = -1.0f + 0.01f * (float)sin(2.0 * PI * 400.0 * f / RATE);
}

static void fill_tone_before_noise(void)
{
	uint32_t seed = 3;

	for (uint32_t f = 0; f < N_FRAMES; f++) {
		seed = seed * 1664525u + 1013904223u;
		input[f] = f < N_FRAMES / 2 ? (float)sin(2.0 * PI * 1000.0 * f / RATE)
					    : 0.01f * ((float)seed / 2147483648.0f - 1.0f);
	}
}

static void test_kept_formants_make_nothing_6_db_louder(void)
{
	static void (*const fill[])(void) = { fill_square, fill_sawtooth, fill_offset_tone,
					      fill_tone_before_noise };

	for (size_t i = 0; i < sizeof(fill) / sizeof(fill[0]); i++) {
		fill[i]();
		for (size_t s = 0; s < N_SHIFTS; s++)
			for (int mode = 0; mode < PITCH_N_MODES; mode++) {
				run(shifts[s], (float)mode, 1.0f);
				CHECK(10.0 * log10(loudest(output) / loudest(input)) < 6.0);
			}
	}
}

int main(void)
{
	test_kept_formants_make_nothing_6_db_louder();
	return 0;
}
