/* SPDX-License-Identifier: MIT */

/* What dsp/align/align.h promises of what is remembered. */

#include <math.h>
#include <string.h>

#include "check.h"
#include "dsp/align/align.h"
#include "mics.h"

static float memory[WEIR_MAX_MEMORY];

static void unit_again(void)
{
	unit_begin("align");
	unit->recall(state, memory);
}

/* Seconds, to a twentieth. */
static double found_after(void)
{
	while (get("locked") == 0.0) {
		CHECK(next_frame < 20 * RATE);
		run(next_frame + RATE / 20);
	}
	return (double)next_frame / RATE;
}

static void remember(double delay_ms, double drift_ppm, double polarity)
{
	memory[ALIGN_MEMORY_DELAY] = (float)(delay_ms / 1000.0);
	memory[ALIGN_MEMORY_DRIFT] = (float)drift_ppm;
	memory[ALIGN_MEMORY_POLARITY] = (float)polarity;
}

static void test_what_is_found_is_remembered(void)
{
	scene_begin((struct place){ DELAY_MS, 100.0, -1.0, QUIET_DB }, 20);
	unit->remember(state, memory);
	for (uint32_t i = 0; i < ALIGN_N_MEMORY; i++)
		CHECK(isnan(memory[i]));
	run(20 * RATE);
	unit->remember(state, memory);
	CHECK(is_near(1000.0 * (double)memory[ALIGN_MEMORY_DELAY], DELAY_MS + 2.0, EXACT_MS));
	CHECK(is_near((double)memory[ALIGN_MEMORY_DRIFT], 100.0, 1.0));
	CHECK(memory[ALIGN_MEMORY_POLARITY] == -1.0f);
}

static void test_what_is_recalled_is_remembered_until_a_reset(void)
{
	float again[ALIGN_N_MEMORY];

	remember(-DELAY_MS, 12.5, 1.0);
	scene_begin((struct place){ .gain = 0.0 }, 2);
	unit->recall(state, memory);
	run(RATE);
	unit->remember(state, again);
	CHECK(memcmp(memory, again, sizeof(again)) == 0);
	set("reset", 1.0);
	run(2 * RATE);
	unit->remember(state, again);
	CHECK(isnan(again[ALIGN_MEMORY_DELAY]));
}

static const struct place far_and_fast = { DELAY_MS, 100.0, 1.0, 10.0 };

static void test_a_known_place_is_found_sooner(void)
{
	scene_begin(far_and_fast, 20);

	const double cold = found_after();

	remember(DELAY_MS, 100.0, 1.0);
	unit_again();
	CHECK(found_after() < 0.75 * cold);
	run_until_found(20 * RATE, DELAY_MS + 2.0);
}

static void test_where_nothing_is_nothing_is_found(void)
{
	scene_begin(later(DELAY_MS), 20);
	source_fill(2);
	mic_hear(1, later(DELAY_MS), 0, 20 * RATE);
	remember(DELAY_MS, 0.0, 1.0);
	unit->recall(state, memory);
	run_while_not_found(20 * RATE);
}

/* Found no later than without, and as exactly. */
static void check_otherwise(double delay_ms, double drift_ppm, double polarity)
{
	scene_begin(far_and_fast, 20);

	const double cold = found_after();

	remember(delay_ms, drift_ppm, polarity);
	unit_again();
	CHECK(found_after() <= cold);
	run_until_found(20 * RATE, DELAY_MS + 2.0);
	CHECK(is_near(get("drift-ppm"), 100.0, 1.0));
}

static void test_another_delay_clock_or_polarity_is_found_as_before(void)
{
	check_otherwise(-DELAY_MS, 100.0, 1.0);
	check_otherwise(DELAY_MS + 5.0, -200.0, 1.0);
	check_otherwise(DELAY_MS, -200.0, 1.0);
	check_otherwise(DELAY_MS, 150.0, 1.0);
	check_otherwise(DELAY_MS, 100.0, -1.0);
}

static void test_what_cannot_be_is_not_taken(void)
{
	static const double wrong[][ALIGN_N_MEMORY] = {
		{ NAN, 0.0, 1.0 },  { INFINITY, 0.0, 1.0 }, { 1e30, 0.0, 1.0 }, { 1.0, 1e9, 1.0 },
		{ 1.0, -NAN, 1.0 }, { 1.0, 0.0, 0.0 },	    { 1.0, 0.0, NAN },
	};
	float again[ALIGN_N_MEMORY];

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		remember(wrong[i][0], wrong[i][1], wrong[i][2]);
		unit_again();
		unit->remember(state, again);
		CHECK(isnan(again[ALIGN_MEMORY_DELAY]));
	}
}

int main(void)
{
	test_what_is_found_is_remembered();
	test_what_is_recalled_is_remembered_until_a_reset();
	test_a_known_place_is_found_sooner();
	test_where_nothing_is_nothing_is_found();
	test_another_delay_clock_or_polarity_is_found_as_before();
	test_what_cannot_be_is_not_taken();
	unit->destroy(state);
	return 0;
}
