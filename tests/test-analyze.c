/* SPDX-License-Identifier: MIT */

/* What the analyze units promise as a whole: dsp/analyze/analyze.h. What each part finds is tested
 * apart. */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../dsp/analyze/analyze.h"
#include "check.h"
#include "realtime.h"

#define RATE 48000
#define HOP (RATE / 100)
#define N_FRAMES (2 * RATE)
#define MOST_CHANNELS 8

static float input[MOST_CHANNELS][N_FRAMES], output[MOST_CHANNELS][N_FRAMES];
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
	for (uint32_t c = 0; c < MOST_CHANNELS; c++)
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

static void test_a_group_that_is_off_is_left_out(const struct weir_unit *unit)
{
	static const char *const of_group[ANALYZE_N_GROUPS] = {
		[ANALYZE_LOUDNESS] = "m", [ANALYZE_THIRDS] = "oct3", [ANALYZE_FEATURES] = "mfcc",
		[ANALYZE_RHYTHM] = NULL,  [ANALYZE_PITCH] = "f0",    [ANALYZE_VOICE] = "vad",
	};

	for (uint32_t off = 0; off < ANALYZE_N_GROUPS; off++) {
		struct run run;

		run_init(&run, unit);
		control[off] = 0.0f;
		for (uint32_t f = 0; f < RATE; f += 4 * HOP)
			run_block(&run, f, 4 * HOP);
		CHECK(is_present(&run, "peak"));
		for (uint32_t group = 0; group < ANALYZE_N_GROUPS; group++)
			if (of_group[group])
				CHECK(is_present(&run, of_group[group]) == (group != off));
		run_finish(&run);
	}
}

/* Of what the groups have found, controls show the same as the report. */
static void test_controls_show_what_is_reported(const struct weir_unit *unit)
{
	struct run run;
	uint32_t offset = 0;

	run_init(&run, unit);
	for (uint32_t f = 0; f < RATE; f += HOP)
		run_block(&run, f, HOP);
	for (uint32_t i = 0; i < field_find(unit, "m"); i++)
		offset += unit->fields[i].count;
	CHECK(run.reports->n == 1 && is_present(&run, "m"));

	const bool has_layout = unit == &weir_analyze_8;

	CHECK(control[ANALYZE_OUT_MOMENTARY + has_layout] == run.reports->report[0].value[offset]);
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
		test_controls_show_what_is_reported(units[i]);
	}
	return 0;
}
