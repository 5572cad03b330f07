/* SPDX-License-Identifier: MIT */

/* The pitch units at every rate that dsp/pitch/pitch.h promises, the lowest and the highest too. */

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "dsp/pitch/pitch.h"
#include "realtime.h"

#define MAX_CHANNELS 8
#define SECONDS 0.6
#define MAX_FRAMES (WEIR_MAX_RATE * 6 / 10)

static const uint32_t rates[] = { 8000,	 11025, 16000,	22050,	32000,	44100, 48000,
				  88200, 96000, 176400, 192000, 352800, 384000 };

static float input[MAX_FRAMES], output[2][MAX_CHANNELS][MAX_FRAMES];

typedef float controls[PITCH_N_CONTROLS];

static uint32_t count_channels(const struct weir_unit *unit)
{
	return (unit->n_ports - PITCH_N_CONTROLS) / 2;
}

/* Runs the input in all channels; returns how many attacks were told. */
static uint32_t run(const struct weir_unit *unit, uint32_t rate, float out[][MAX_FRAMES],
		    float *control, uint32_t block)
{
	const uint32_t n_channels = count_channels(unit), n = (uint32_t)(SECONDS * rate);
	struct weir_reports *reports = weir_reports_create(unit, rate);
	void *state = unit->create(rate);
	uint32_t n_attacks = 0;

	CHECK(state && reports);
	for (uint32_t f = 0; f < n; f += block) {
		float *port[WEIR_MAX_PORTS];

		for (uint32_t c = 0; c < n_channels; c++) {
			port[c] = input + f;
			port[n_channels + c] = out[c] + f;
		}
		for (uint32_t i = 0; i < PITCH_N_CONTROLS; i++)
			port[2 * n_channels + i] = control + i;
		realtime_begin();
		weir_unit_run(unit, state, port, n - f < block ? n - f : block, reports);
		realtime_end();
		for (uint32_t i = 0; i < reports->n; i++)
			n_attacks += reports->report[i].present >> PITCH_REPORT_ONSET & 1;
	}
	unit->destroy(state);
	free(reports);
	return n_attacks;
}

static void fill_tone(uint32_t rate, double hz, float level)
{
	for (uint32_t f = 0; f < (uint32_t)(SECONDS * rate); f++)
		input[f] = level * (float)sin(2.0 * M_PI * hz * f / rate);
}

/* How much of 0.2 s is a tone of this frequency, and how much is all: amplitudes. */
static void measure(const float *sound, uint32_t rate, double hz, double *tone, double *all)
{
	const uint32_t n = rate / 5;
	double re = 0.0, im = 0.0, squares = 0.0, weights = 0.0;

	for (uint32_t i = 0; i < n; i++) {
		const double weight = 0.5 - 0.5 * cos(2.0 * M_PI * (i + 0.5) / n);
		const double turn = 2.0 * M_PI * hz * i / rate;

		re += weight * (double)sound[i] * cos(turn);
		im += weight * (double)sound[i] * sin(turn);
		squares += weight * (double)sound[i] * (double)sound[i];
		weights += weight;
	}
	*tone = 2.0 * hypot(re, im) / weights;
	*all = sqrt(2.0 * squares / weights);
}

/* What is no tone is below -30 dB, as at 48 kHz. */
static void check_tone(const struct weir_unit *unit, uint32_t rate)
{
	const double hz = 440.0 * pow(2.0, 4.0 / 12.0);
	double tone, all;

	for (uint32_t c = 0; c < count_channels(unit); c++) {
		measure(output[0][c] + rate * 3 / 10, rate, hz, &tone, &all);
		CHECK(fabs(tone - 0.5) < 0.005);
		CHECK(all * all - tone * tone < 1e-3 * tone * tone);
	}
}

static void test_a_tone_is_shifted(const struct weir_unit *unit, uint32_t rate)
{
	for (int mode = 0; mode < PITCH_N_MODES; mode++) {
		controls control = { [PITCH_SEMITONES] = 4.0f,
				     [PITCH_MIX] = 100.0f,
				     [PITCH_MODE] = (float)mode,
				     [PITCH_GLIDE_MS] = 100.0f };

		fill_tone(rate, 440.0, 0.5f);
		run(unit, rate, output[0], control, 1024);
		check_tone(unit, rate);
		run(unit, rate, output[1], control, 509);
		for (uint32_t c = 0; c < count_channels(unit); c++)
			CHECK(memcmp(output[0][c], output[1][c],
				     (uint32_t)(SECONDS * rate) * sizeof(float)) == 0);
	}
}

/*
 * Hops are as long at every rate, but for the rounding to a length of which FFTs are fast: less
 * than 4 % from 22.05 kHz on.
 */
static void test_latency_is_that_of_the_mode(const struct weir_unit *unit, uint32_t rate)
{
	static const float latency_ms[] = { 21.3f, 42.7f, 64.0f };

	for (int mode = 0; mode < PITCH_N_MODES; mode++) {
		controls control = { [PITCH_MIX] = 100.0f, [PITCH_MODE] = (float)mode };
		const uint32_t n_channels = count_channels(unit);
		const uint32_t port = 2 * n_channels + PITCH_LATENCY;
		uint32_t latency;

		fill_tone(rate, 440.0, 0.5f);
		run(unit, rate, output[0], control, 1024);
		latency = (uint32_t)control[PITCH_LATENCY];
		CHECK((float)latency <= unit->ports[port].max);
		if (rate >= 16000)
			CHECK(fabsf((float)latency * 1000.0f / (float)rate / latency_ms[mode] -
				    1.0f) < 0.07f);
		for (uint32_t c = 0; c < n_channels; c++)
			CHECK(memcmp(output[0][c] + latency, input,
				     ((uint32_t)(SECONDS * rate) - latency) * sizeof(float)) == 0);
	}
}

/* A soft note: its slope from frame to frame is less the higher the rate. */
static void test_a_soft_note_is_an_attack(const struct weir_unit *unit, uint32_t rate)
{
	controls control = {
		[PITCH_SEMITONES] = 3.0f, [PITCH_MIX] = 100.0f, [PITCH_MODE] = PITCH_BALANCED
	};

	fill_tone(rate, 1000.0, 0.006f);
	memset(input, 0, rate / 5 * sizeof(float));
	CHECK(run(unit, rate, output[0], control, 1024) == 1);
}

static void test_other_rates_are_refused(const struct weir_unit *unit)
{
	static const uint32_t others[] = { 7999, 384001, 705600, 768000 };

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		errno = 0;
		CHECK(!unit->create(others[i]) && errno == EINVAL);
	}
}

int main(void)
{
	static const struct weir_unit *const units[] = { &weir_pitch_mono, &weir_pitch,
							 &weir_pitch_8 };

	for (size_t u = 0; u < sizeof(units) / sizeof(units[0]); u++) {
		test_other_rates_are_refused(units[u]);
		for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
			test_a_tone_is_shifted(units[u], rates[i]);
			test_latency_is_that_of_the_mode(units[u], rates[i]);
			test_a_soft_note_is_an_attack(units[u], rates[i]);
		}
	}
	return 0;
}
