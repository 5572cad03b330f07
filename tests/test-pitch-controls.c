/* SPDX-License-Identifier: MIT */

/* The controls, modes and channels of the pitch units: dsp/pitch/pitch.h. */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "dsp/pitch/pitch.h"
#include "realtime.h"

#define RATE 48000
#define N_FRAMES (3 * RATE)
#define MAX_CHANNELS 8

typedef float controls[PITCH_N_CONTROLS];

static float input[N_FRAMES], output[MAX_CHANNELS][N_FRAMES], other[MAX_CHANNELS][N_FRAMES];

static void controls_reset(float *control)
{
	const controls defaults = {
		[PITCH_MIX] = 100.0f, [PITCH_MODE] = PITCH_BALANCED, [PITCH_GLIDE_MS] = 100.0f
	};

	memcpy(control, defaults, sizeof(defaults));
}

static uint32_t count_channels(const struct weir_unit *unit)
{
	return (unit->n_ports - PITCH_N_CONTROLS) / 2;
}

/* The input in all channels; from frame `change` on with the other controls. Returns the latency.
 */
static uint32_t run_reported(const struct weir_unit *unit, float out[][N_FRAMES], float *control,
			     float *control_after, uint32_t change, uint32_t block,
			     struct weir_reports *reports,
			     void (*each_block)(const struct weir_reports *reports))
{
	const uint32_t n_channels = count_channels(unit);
	void *state = unit->create(RATE);
	uint32_t latency = 0;

	CHECK(state && change % block == 0 && N_FRAMES % block == 0);
	realtime_begin();
	for (uint32_t f = 0; f < N_FRAMES; f += block) {
		float *port[WEIR_MAX_PORTS], *now = f < change ? control : control_after;

		for (uint32_t c = 0; c < n_channels; c++) {
			port[c] = input + f;
			port[n_channels + c] = out[c] + f;
		}
		for (uint32_t i = 0; i < PITCH_N_CONTROLS; i++)
			port[2 * n_channels + i] = now + i;
		weir_unit_run(unit, state, port, block, reports);
		if (each_block)
			each_block(reports);
		latency = (uint32_t)now[PITCH_LATENCY];
	}
	realtime_end();
	unit->destroy(state);
	return latency;
}

static uint32_t run(const struct weir_unit *unit, float out[][N_FRAMES], float *control,
		    float *control_after, uint32_t change, uint32_t block)
{
	return run_reported(unit, out, control, control_after, change, block, NULL, NULL);
}

static uint32_t run_steady(const struct weir_unit *unit, float out[][N_FRAMES], float *control)
{
	return run(unit, out, control, control, 0, 64);
}

static void input_fill_tones(void)
{
	for (uint32_t f = 0; f < N_FRAMES; f++)
		input[f] = (float)(0.3 * sin(2.0 * M_PI * 440.0 * f / RATE) +
				   0.1 * sin(2.0 * M_PI * 1234.5 * f / RATE));
}

static void input_fill_chords(void)
{
	uint32_t seed = 7;

	input_fill_tones();
	for (uint32_t f = 0; f < N_FRAMES; f++) {
		seed = seed * 1664525u + 1013904223u;
		input[f] += 0.4f * expf(-20.0f * (float)(f % 12000) / RATE) *
			    ((float)seed / 2147483648.0f - 1.0f);
	}
}

static void test_cents_add_to_semitones(void)
{
	controls control, sum;

	input_fill_chords();
	controls_reset(control);
	controls_reset(sum);
	control[PITCH_SEMITONES] = 2.0f;
	control[PITCH_CENTS] = 50.0f;
	sum[PITCH_SEMITONES] = 2.5f;
	run_steady(&weir_pitch, output, control);
	run_steady(&weir_pitch, other, sum);
	CHECK(memcmp(output[0], other[0], sizeof(output[0])) == 0);

	control[PITCH_SEMITONES] = sum[PITCH_SEMITONES] = 24.0f;
	run_steady(&weir_pitch, output, control);
	run_steady(&weir_pitch, other, sum);
	CHECK(memcmp(output[0], other[0], sizeof(output[0])) == 0);
}

static void test_mix_keeps_the_input_as_late_as_the_shifted_sound(void)
{
	controls control;
	uint32_t latency;

	input_fill_chords();
	controls_reset(control);
	control[PITCH_SEMITONES] = 4.0f;
	run_steady(&weir_pitch, other, control);
	control[PITCH_MIX] = 0.0f;
	latency = run_steady(&weir_pitch, output, control);
	CHECK(memcmp(output[0] + latency, input, (N_FRAMES - latency) * sizeof(float)) == 0);
	control[PITCH_MIX] = 25.0f;
	run_steady(&weir_pitch, output, control);
	for (uint32_t f = latency; f < N_FRAMES; f++)
		CHECK(fabsf(output[0][f] - (0.25f * other[0][f] + 0.75f * input[f - latency])) <
		      1e-6f);
}

static void test_every_mode_is_as_late_as_it_declares(void)
{
	static const float most_ms[] = { 21.5f, 43.0f, 64.5f };
	controls control;

	input_fill_chords();
	for (int mode = 0; mode < PITCH_N_MODES; mode++) {
		uint32_t latency;

		controls_reset(control);
		control[PITCH_MODE] = (float)mode;
		latency = run_steady(&weir_pitch, output, control);
		CHECK((float)latency * 1000.0f / RATE <= most_ms[mode]);
		CHECK(memcmp(output[0] + latency, input, (N_FRAMES - latency) * sizeof(float)) ==
		      0);
	}
}

/* The fourth difference: of the tones next to nothing, of a corner all. */
static float largest_bend(const float *sound, uint32_t from, uint32_t to)
{
	float largest = 0.0f;

	for (uint32_t f = from; f < to; f++)
		largest =
			fmaxf(largest, fabsf(sound[f] - 4.0f * sound[f + 1] + 6.0f * sound[f + 2] -
					     4.0f * sound[f + 3] + sound[f + 4]));
	return largest;
}

static void test_a_change_does_not_click(enum pitch_mode from, enum pitch_mode to, float mix)
{
	controls before, after;
	float steady;

	input_fill_tones();
	controls_reset(before);
	before[PITCH_SEMITONES] = 5.0f;
	before[PITCH_MODE] = (float)from;
	memcpy(after, before, sizeof(after));
	after[PITCH_MODE] = (float)to;
	after[PITCH_MIX] = mix;
	CHECK(run(&weir_pitch, output, before, after, RATE, 64) ==
	      run_steady(&weir_pitch, other, after));
	steady = largest_bend(output[0], RATE / 2, RATE);
	CHECK(largest_bend(output[0], RATE, N_FRAMES - 4) <= 1.05f * steady);
	/* It has arrived. */
	if (mix == 0.0f)
		CHECK(memcmp(output[0] + 2 * RATE, other[0] + 2 * RATE, RATE * sizeof(float)) == 0);
}

static void test_changes_of_mode_and_mix_do_not_click(void)
{
	for (int from = 0; from < PITCH_N_MODES; from++)
		for (int to = 0; to < PITCH_N_MODES; to++)
			test_a_change_does_not_click((enum pitch_mode)from, (enum pitch_mode)to,
						     from == to ? 0.0f : 100.0f);
}

static void test_a_change_of_mode_is_the_same_in_any_block(void)
{
	controls before, after;

	input_fill_chords();
	controls_reset(before);
	before[PITCH_SEMITONES] = -3.0f;
	memcpy(after, before, sizeof(after));
	after[PITCH_MODE] = PITCH_QUALITY;
	after[PITCH_MIX] = 60.0f;
	run(&weir_pitch, output, before, after, RATE, 64);
	run(&weir_pitch, other, before, after, RATE, 480);
	CHECK(memcmp(output[0], other[0], sizeof(output[0])) == 0);
}

static uint32_t n_onsets;

static void count_onsets(const struct weir_reports *reports)
{
	for (uint32_t i = 0; i < reports->n; i++) {
		if (!(reports->report[i].present >> PITCH_REPORT_ONSET & 1))
			continue;
		CHECK(reports->report[i].value[PITCH_REPORT_ONSET] < 0.03f);
		n_onsets++;
	}
}

/* Chords come four times a second. */
static void test_a_change_of_mode_reports_no_attack_twice(void)
{
	struct weir_reports *reports = weir_reports_create(&weir_pitch, RATE);
	controls before, after;

	CHECK(reports);
	input_fill_chords();
	controls_reset(before);
	before[PITCH_SEMITONES] = 3.0f;
	memcpy(after, before, sizeof(after));
	after[PITCH_MODE] = PITCH_QUALITY;
	n_onsets = 0;
	run_reported(&weir_pitch, output, before, after, RATE, 480, reports, count_onsets);
	CHECK(n_onsets == 4 * N_FRAMES / RATE);
	free(reports);
}

static void test_channels_are_shifted_alike(const struct weir_unit *unit)
{
	controls control;

	input_fill_chords();
	controls_reset(control);
	control[PITCH_SEMITONES] = 7.0f;
	run_steady(&weir_pitch_mono, other, control);
	run_steady(unit, output, control);
	for (uint32_t c = 0; c < count_channels(unit); c++) {
		CHECK(memcmp(output[c], output[0], sizeof(output[c])) == 0);
		for (uint32_t f = 0; f < N_FRAMES; f++)
			CHECK(fabsf(output[c][f] - other[0][f]) < 1e-5f);
	}
}

int main(void)
{
	test_cents_add_to_semitones();
	test_mix_keeps_the_input_as_late_as_the_shifted_sound();
	test_every_mode_is_as_late_as_it_declares();
	test_changes_of_mode_and_mix_do_not_click();
	test_a_change_of_mode_is_the_same_in_any_block();
	test_a_change_of_mode_reports_no_attack_twice();
	test_channels_are_shifted_alike(&weir_pitch);
	test_channels_are_shifted_alike(&weir_pitch_8);
	return 0;
}
