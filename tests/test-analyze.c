/* SPDX-License-Identifier: MIT */

/* What the analyze units promise as a whole: dsp/analyze/analyze.h. What each part finds is tested
 * apart. */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "dsp/analyze/analyze.h"
#include "realtime.h"

#define RATE 48000
#define HOP (RATE / 100)
#define N_FRAMES (2 * RATE)
#define MAX_CHANNELS 8

static float input[MAX_CHANNELS][N_FRAMES], output[MAX_CHANNELS][N_FRAMES];
static float control[ANALYZE_N_CONTROLS + 1]; /* and layout */

struct run {
	const struct weir_unit *unit;
	void *state;
	struct weir_reports *reports;
	float *port[WEIR_MAX_PORTS];
	uint32_t n_channels;
};

static void input_fill(void)
{
	srand(1);
	for (uint32_t c = 0; c < MAX_CHANNELS; c++)
		for (uint32_t f = 0; f < N_FRAMES; f++)
			input[c][f] = 0.3f * ((float)rand() / (float)RAND_MAX - 0.5f);
}

static void run_init(struct run *run, const struct weir_unit *unit)
{
	*run = (struct run){
		.unit = unit,
		.state = unit->create(RATE),
		.reports = weir_reports_create(unit, RATE),
	};
	while (unit->ports[run->n_channels].type == WEIR_AUDIO_IN)
		run->n_channels++;
	CHECK(run->state && run->reports);
	for (uint32_t i = 0; i < unit->n_ports - 2 * run->n_channels; i++) {
		control[i] = unit->ports[2 * run->n_channels + i].def;
		run->port[2 * run->n_channels + i] = &control[i];
	}
}

static void run_finish(struct run *run)
{
	free(run->reports);
	run->unit->destroy(run->state);
}

static void run_block(struct run *run, uint32_t from, uint32_t n)
{
	for (uint32_t c = 0; c < run->n_channels; c++) {
		run->port[c] = &input[c][from];
		run->port[run->n_channels + c] = &output[c][from];
	}
	realtime_begin();
	weir_unit_run(run->unit, run->state, run->port, n, run->reports);
	realtime_end();
}

/* Returns n_fields when there is none. */
static uint32_t field_find(const struct weir_unit *unit, const char *name)
{
	uint32_t i = 0;

	while (i < unit->n_fields && strcmp(unit->fields[i].name, name) != 0)
		i++;
	CHECK(i < unit->n_fields);
	return i;
}

static bool is_present(const struct run *run, const char *name)
{
	const struct weir_reports *reports = run->reports;

	CHECK(reports->n > 0);
	return reports->report[reports->n - 1].present >> field_find(run->unit, name) & 1;
}

static void test_sound_passes_unchanged(const struct weir_unit *unit)
{
	struct run run;

	run_init(&run, unit);
	for (uint32_t f = 0; f < N_FRAMES; f += 1000)
		run_block(&run, f, 1000);
	for (uint32_t c = 0; c < run.n_channels; c++)
		CHECK(memcmp(input[c], output[c], sizeof(input[c])) == 0);
	run_finish(&run);
}

static void test_a_report_comes_every_10_ms(const struct weir_unit *unit)
{
	struct run run;
	uint32_t n = 0;

	run_init(&run, unit);
	for (uint32_t f = 0; f < N_FRAMES; f += 1000) {
		run_block(&run, f, 1000);
		for (uint32_t i = 0; i < run.reports->n; i++, n++)
			CHECK(f + run.reports->report[i].frame == (n + 1) * HOP - 1);
	}
	CHECK(n == N_FRAMES / HOP);
	run_finish(&run);
}

/* Whether the latest report has any of a group's fields. */
static bool is_told(const struct run *run, uint32_t group)
{
	static const char *const first[ANALYZE_N_GROUPS] = {
		[ANALYZE_LEVELS] = "peak",	 [ANALYZE_LOUDNESS] = "m",
		[ANALYZE_THIRD_OCTAVE] = "oct3", [ANALYZE_FEATURES] = "zcr",
		[ANALYZE_RHYTHM] = "onset",	 [ANALYZE_PITCH] = "f0",
		[ANALYZE_VOICE] = "vad",
	};
	const uint32_t next = group + 1;
	const uint32_t end =
		next < ANALYZE_N_GROUPS ? field_find(run->unit, first[next]) : run->unit->n_fields;

	for (uint32_t i = field_find(run->unit, first[group]); i < end; i++)
		if (is_present(run, run->unit->fields[i].name))
			return true;
	return false;
}

static void test_a_group_that_is_off_is_left_out(const struct weir_unit *unit)
{
	for (uint32_t off = 0; off < ANALYZE_N_GROUPS; off++) {
		struct run run;

		run_init(&run, unit);
		control[off] = 0.0f;
		for (uint32_t f = 0; f < RATE; f += 4 * HOP)
			run_block(&run, f, 4 * HOP);
		for (uint32_t group = 0; group < ANALYZE_N_GROUPS; group++)
			CHECK(is_told(&run, group) == (group != off));
		run_finish(&run);
	}
}

/* The latest, of channels the highest; NAN when it is left out. */
static float told(const struct run *run, const char *name)
{
	const struct weir_report *report = &run->reports->report[run->reports->n - 1];
	const uint32_t field = field_find(run->unit, name);
	const float *value = report->value;
	float most = -INFINITY;

	CHECK(run->reports->n > 0);
	if (!(report->present >> field & 1))
		return NAN;
	for (uint32_t i = 0; i < field; i++)
		value += run->unit->fields[i].count;
	for (uint32_t i = 0; i < run->unit->fields[field].count; i++)
		most = fmaxf(value[i], most);
	return most;
}

static float shown(const struct run *run, const char *name)
{
	uint32_t i = 0;

	while (i < run->unit->n_ports && strcmp(run->unit->ports[i].name, name) != 0)
		i++;
	CHECK(i < run->unit->n_ports && run->unit->ports[i].type == WEIR_CONTROL_OUT);
	return *run->port[i];
}

/* Of the last 0.2 s, however many hops a run has. */
static void test_controls_hold_the_peak(const struct weir_unit *unit)
{
	static float loud[HOP];
	struct run run;

	memcpy(loud, input[0], sizeof(loud));
	input[0][100] = 0.9f;
	for (uint32_t n_hops = 1; n_hops <= 5; n_hops += 4) {
		run_init(&run, unit);
		for (uint32_t hop = 0; hop < 20; hop += n_hops)
			run_block(&run, hop * HOP, n_hops * HOP);
		CHECK(fabsf(shown(&run, "peak_200ms") - 20.0f * log10f(0.9f)) < 0.001f);
		run_block(&run, 32 * HOP, 20 * HOP);
		CHECK(fabsf(shown(&run, "peak_200ms") - 20.0f * log10f(0.15f)) < 0.01f);
		CHECK(fabsf(shown(&run, "rms_200ms") - 20.0f * log10f(0.15f * sqrtf(2.0f / 3.0f))) <
		      0.3f);
		run_finish(&run);
	}
	memcpy(input[0], loud, sizeof(loud));
}

/* Two runs of samples at full scale in the first channel. */
static void test_clips_are_counted(const struct weir_unit *unit)
{
	struct run run;

	run_init(&run, unit);
	for (uint32_t i = 100; i < 103; i++)
		input[0][i] = input[0][i + 50] = 1.0f;
	run_block(&run, 0, HOP);
	CHECK(told(&run, "clips") == 2.0f && shown(&run, "clips") == 2.0f);
	input_fill();
	run_block(&run, HOP, HOP);
	CHECK(told(&run, "clips") == 2.0f && !is_present(&run, "clip"));
	control[ANALYZE_RESET] = 1.0f;
	run_block(&run, 2 * HOP, HOP);
	CHECK(told(&run, "clips") == 0.0f);
	run_finish(&run);
}

int main(void)
{
	const struct weir_unit *const units[] = { &weir_analyze, &weir_analyze_mono,
						  &weir_analyze_8 };

	input_fill();
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		test_sound_passes_unchanged(units[i]);
		test_a_report_comes_every_10_ms(units[i]);
		test_a_group_that_is_off_is_left_out(units[i]);
		test_controls_hold_the_peak(units[i]);
		test_clips_are_counted(units[i]);
	}
	return 0;
}
