/* SPDX-License-Identifier: MIT */

/* What dsp/align/align.h promises of a saved state. */

#include <math.h>
#include <string.h>

#include "check.h"
#include "dsp/align/align.h"
#include "mics.h"

static float saved[WEIR_MAX_STATE_VALUES];

static void unit_again(void)
{
	unit_begin("align");
	unit->restore_state(state, saved);
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

static void saved_set(double delay_ms, double drift_ppm, double polarity)
{
	saved[ALIGN_SAVED_DELAY] = (float)(delay_ms / 1000.0);
	saved[ALIGN_SAVED_DRIFT] = (float)drift_ppm;
	saved[ALIGN_SAVED_POLARITY] = (float)polarity;
}

static void test_what_is_found_is_saved(void)
{
	scene_begin((struct place){ DELAY_MS, 100.0, -1.0, QUIET_DB }, 20);
	unit->save_state(state, saved);
	for (uint32_t i = 0; i < ALIGN_N_SAVED; i++)
		CHECK(isnan(saved[i]));
	run(20 * RATE);
	unit->save_state(state, saved);
	CHECK(is_near(1000.0 * (double)saved[ALIGN_SAVED_DELAY], DELAY_MS + 2.0, EXACT_MS));
	CHECK(is_near((double)saved[ALIGN_SAVED_DRIFT], 100.0, 1.0));
	CHECK(saved[ALIGN_SAVED_POLARITY] == -1.0f);
}

static void test_what_is_restored_is_saved_until_a_reset(void)
{
	float again[ALIGN_N_SAVED];

	saved_set(-DELAY_MS, 12.5, 1.0);
	scene_begin((struct place){ .gain = 0.0 }, 2);
	unit->restore_state(state, saved);
	run(RATE);
	unit->save_state(state, again);
	CHECK(memcmp(saved, again, sizeof(again)) == 0);
	set("reset", 1.0);
	run(2 * RATE);
	unit->save_state(state, again);
	CHECK(isnan(again[ALIGN_SAVED_DELAY]));
}

static const struct place far_and_fast = { DELAY_MS, 100.0, 1.0, 10.0 };

static void test_a_known_place_is_found_sooner(void)
{
	scene_begin(far_and_fast, 20);

	const double cold = found_after();

	saved_set(DELAY_MS, 100.0, 1.0);
	unit_again();
	CHECK(found_after() < 0.75 * cold);
	run_until_found(20 * RATE, DELAY_MS + 2.0);
}

static void test_where_nothing_is_nothing_is_found(void)
{
	scene_begin(later(DELAY_MS), 20);
	source_fill(2);
	mic_hear(1, later(DELAY_MS), 0, 20 * RATE);
	saved_set(DELAY_MS, 0.0, 1.0);
	unit->restore_state(state, saved);
	run_while_not_found(20 * RATE);
}

/* Found no later than without, and as exactly. */
static void check_otherwise(double delay_ms, double drift_ppm, double polarity)
{
	scene_begin(far_and_fast, 20);

	const double cold = found_after();

	saved_set(delay_ms, drift_ppm, polarity);
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
	static const double wrong[][ALIGN_N_SAVED] = {
		{ NAN, 0.0, 1.0 },  { INFINITY, 0.0, 1.0 }, { 1e30, 0.0, 1.0 }, { 1.0, 1e9, 1.0 },
		{ 1.0, -NAN, 1.0 }, { 1.0, 0.0, 0.0 },	    { 1.0, 0.0, NAN },
	};
	float again[ALIGN_N_SAVED];

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		saved_set(wrong[i][0], wrong[i][1], wrong[i][2]);
		unit_again();
		unit->save_state(state, again);
		CHECK(isnan(again[ALIGN_SAVED_DELAY]));
	}
}

int main(void)
{
	test_what_is_found_is_saved();
	test_what_is_restored_is_saved_until_a_reset();
	test_a_known_place_is_found_sooner();
	test_where_nothing_is_nothing_is_found();
	test_another_delay_clock_or_polarity_is_found_as_before();
	test_what_cannot_be_is_not_taken();
	unit->destroy(state);
	return 0;
}
