/* SPDX-License-Identifier: MIT */

/* How loud what the pitch unit gives is, beside what it took: dsp/pitch/pitch.h. */

#include <math.h>
#include <string.h>

#include "check.h"
#include "dsp/pitch/pitch.h"

#define RATE 48000
#define N_FRAMES (RATE * 5 / 4)
#define WINDOW (RATE / 20) /* 50 ms */
#define STEP (WINDOW / 8)
#define CHANGE (RATE / 2)

static float input[N_FRAMES], output[N_FRAMES];
static const float shifts[] = { -24.0f, -12.0f, -7.0f, -3.0f, 3.0f, 7.0f, 12.0f, 24.0f };

#define N_SHIFTS (sizeof(shifts) / sizeof(shifts[0]))

/* The mode changes at CHANGE. Returns the latency at the end. */
static uint32_t run_modes(float semitones, float formant, int before, int after)
{
	void *state = weir_pitch_mono.create(RATE);
	float latency = 0.0f, cents = 0.0f, mix = 100.0f, glide_ms = 100.0f;

	CHECK(state);
	for (uint32_t f = 0; f < N_FRAMES; f += 480) {
		float mode = (float)(f < CHANGE ? before : after);
		float *port[] = { input + f, output + f, &semitones, &formant, &cents,
				  &mix,	     &mode,	 &glide_ms,  &latency };

		weir_unit_run(&weir_pitch_mono, state, port, 480, NULL);
	}
	weir_pitch_mono.destroy(state);
	return (uint32_t)latency;
}

static uint32_t run(float semitones, int mode, float formant)
{
	return run_modes(semitones, formant, mode, mode);
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
		input[f] = -1.0f + 0.01f * (float)sin(2.0 * M_PI * 400.0 * f / RATE);
}

static void fill_tone_before_noise(void)
{
	uint32_t seed = 3;

	for (uint32_t f = 0; f < N_FRAMES; f++) {
		seed = seed * 1664525u + 1013904223u;
		input[f] = f < N_FRAMES / 2 ? (float)sin(2.0 * M_PI * 1000.0 * f / RATE)
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
				run(shifts[s], mode, 1.0f);
				CHECK(10.0 * log10(loudest(output) / loudest(input)) < 6.0);
			}
	}
}

/*
 * The clicks meet each place in a hop of each mode. 1 dB is what can be heard. Read slower, a click
 * is longer and has more energy; read faster, it loses what leaves the band too.
 */
static void test_equal_clicks_stay_equal(void)
{
	static uint32_t at[64];
	uint32_t n = 0;

	for (uint32_t f = 0; f < N_FRAMES; f++)
		input[f] = 0.0f;
	for (uint32_t f = RATE / 10; f + RATE / 8 < N_FRAMES; f += RATE / 20 + 37)
		input[at[n++] = f] = 1.0f;
	for (size_t s = 0; s < N_SHIFTS; s++)
		for (int mode = 0; mode < PITCH_N_MODES; mode++) {
			const uint32_t latency = run(shifts[s], mode, 0.0f);
			const float octaves = fabsf(shifts[s]) / 12.0f;
			const float usual = 10.0f * log10f(2.0f) *
					    (shifts[s] < 0.0f ? octaves : -2.0f * octaves);

			for (uint32_t i = 0; i < n; i++) {
				const double db =
					10.0 * log10(energy(output + at[i] + latency - RATE / 50,
							    RATE / 25));

				CHECK(fabs(db - usual) < 0.5);
			}
		}
}

/* Two delays: a short fade from one to the other would give some clicks twice. */
static void test_a_click_is_no_louder_while_the_mode_changes(void)
{
	for (int before = 0; before < PITCH_N_MODES; before++)
		for (int after = 0; after < PITCH_N_MODES; after++)
			for (uint32_t at = CHANGE; at < CHANGE + RATE / 2; at += RATE / 200 + 1) {
				memset(input, 0, sizeof(input));
				input[at] = 1.0f;
				run_modes(-24.0f, 0.0f, before, after);
				CHECK(10.0 * log10(loudest(output)) < 6.0);
			}
}

#define N_CHANNELS 8

/*
 * Seven channels have a tone, the eighth has a weak one where the kept formants want the first to
 * be: it may not get what the seven lose together.
 */
static void test_no_channel_gets_what_the_others_lose(void)
{
	static float weak[N_FRAMES], outputs[N_CHANNELS][N_FRAMES];
	float semitones = 12.0f, formant = 1.0f, latency = 0.0f, cents = 0.0f, mix = 100.0f;
	float glide_ms = 100.0f;

	for (uint32_t f = 0; f < N_FRAMES; f++) {
		input[f] = (float)sin(2.0 * M_PI * 1000.0 * f / RATE);
		weak[f] = 0.05f * (float)sin(2.0 * M_PI * 500.0 * f / RATE);
	}
	for (int mode = 0; mode < PITCH_N_MODES; mode++) {
		void *state = weir_pitch_8.create(RATE);
		float in_mode = (float)mode;

		CHECK(state);
		for (uint32_t f = 0; f < N_FRAMES; f += 480) {
			float *port[2 * N_CHANNELS + PITCH_N_CONTROLS] = {
				[2 * N_CHANNELS] = &semitones,
				&formant,
				&cents,
				&mix,
				&in_mode,
				&glide_ms,
				&latency
			};

			for (uint32_t c = 0; c < N_CHANNELS; c++) {
				port[c] = (c == N_CHANNELS - 1 ? weak : input) + f;
				port[N_CHANNELS + c] = outputs[c] + f;
			}
			weir_unit_run(&weir_pitch_8, state, port, 480, NULL);
		}
		weir_pitch_8.destroy(state);
		for (uint32_t c = 0; c < N_CHANNELS; c++)
			CHECK(10.0 * log10(loudest(outputs[c]) / loudest(input)) < 6.0);
	}
}

int main(void)
{
	test_kept_formants_make_nothing_6_db_louder();
	test_no_channel_gets_what_the_others_lose();
	test_a_click_is_no_louder_while_the_mode_changes();
	test_equal_clicks_stay_equal();
	return 0;
}
