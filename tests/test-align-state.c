/* SPDX-License-Identifier: MIT */

/* What dsp/align/align.h promises of a saved state. */

#include <math.h>
#include <string.h>

#include "check.h"
#include "dsp/align/align.h"
#include "mics.h"

static float saved[WEIR_MAX_STATE_VALUES];

static void unit_again(struct mics *mics)
{
	mics_unit(mics, "align");
	mics->unit->restore_state(mics->state, saved);
}

/* Seconds, to a twentieth. */
static double found_after(struct mics *mics)
{
	while (mics_get(mics, "locked") == 0.0) {
		CHECK(mics->next_frame < 20 * RATE);
		mics_run(mics, mics->next_frame + RATE / 20);
	}
	return (double)mics->next_frame / RATE;
}

static void saved_set(double delay_ms, double drift_ppm, double polarity)
{
	saved[ALIGN_SAVED_DELAY] = (float)(delay_ms / 1000.0);
	saved[ALIGN_SAVED_DRIFT] = (float)drift_ppm;
	saved[ALIGN_SAVED_POLARITY] = (float)polarity;
}

static void test_what_is_found_is_saved(struct mics *mics)
{
	mics_scene(mics, (struct place){ DELAY_MS, 100.0, -1.0, QUIET_DB }, 20);
	mics->unit->save_state(mics->state, saved);
	for (uint32_t i = 0; i < ALIGN_N_SAVED; i++)
		CHECK(isnan(saved[i]));
	mics_run(mics, 20 * RATE);
	mics->unit->save_state(mics->state, saved);
	CHECK(is_near(1000.0 * (double)saved[ALIGN_SAVED_DELAY], DELAY_MS + 2.0, EXACT_MS));
	CHECK(is_near((double)saved[ALIGN_SAVED_DRIFT], 100.0, 1.0));
	CHECK(saved[ALIGN_SAVED_POLARITY] == -1.0f);
}

static void test_what_is_restored_is_saved_until_a_reset(struct mics *mics)
{
	float again[ALIGN_N_SAVED];

	saved_set(-DELAY_MS, 12.5, 1.0);
	mics_scene(mics, (struct place){ .gain = 0.0 }, 2);
	mics->unit->restore_state(mics->state, saved);
	mics_run(mics, RATE);
	mics->unit->save_state(mics->state, again);
	CHECK(memcmp(saved, again, sizeof(again)) == 0);
	mics_set(mics, "reset", 1.0);
	mics_run(mics, 2 * RATE);
	mics->unit->save_state(mics->state, again);
	CHECK(isnan(again[ALIGN_SAVED_DELAY]));
}

static const struct place far_and_fast = { DELAY_MS, 100.0, 1.0, 10.0 };

static void test_a_known_place_is_found_sooner(struct mics *mics)
{
	mics_scene(mics, far_and_fast, 20);

	const double cold = found_after(mics);

	saved_set(DELAY_MS, 100.0, 1.0);
	unit_again(mics);
	CHECK(found_after(mics) < 0.75 * cold);
	mics_run_until_found(mics, 20 * RATE, DELAY_MS + 2.0);
}

static void test_where_nothing_is_nothing_is_found(struct mics *mics)
{
	mics_scene(mics, later(DELAY_MS), 20);
	mics_source(mics, 2);
	mics_record(mics, 1, later(DELAY_MS), 0, 20 * RATE);
	saved_set(DELAY_MS, 0.0, 1.0);
	mics->unit->restore_state(mics->state, saved);
	mics_run_while_not_found(mics, 20 * RATE);
}

/* Found no later than without, and as exactly. */
static void check_otherwise(struct mics *mics, double delay_ms, double drift_ppm, double polarity)
{
	mics_scene(mics, far_and_fast, 20);

	const double cold = found_after(mics);

	saved_set(delay_ms, drift_ppm, polarity);
	unit_again(mics);
	CHECK(found_after(mics) <= cold);
	mics_run_until_found(mics, 20 * RATE, DELAY_MS + 2.0);
	CHECK(is_near(mics_get(mics, "sro_ppm"), 100.0, 1.0));
}

static void test_another_delay_clock_or_polarity_is_found_as_before(struct mics *mics)
{
	check_otherwise(mics, -DELAY_MS, 100.0, 1.0);
	check_otherwise(mics, DELAY_MS + 5.0, -200.0, 1.0);
	check_otherwise(mics, DELAY_MS, -200.0, 1.0);
	check_otherwise(mics, DELAY_MS, 150.0, 1.0);
	check_otherwise(mics, DELAY_MS, 100.0, -1.0);
}

static void test_what_cannot_be_is_not_taken(struct mics *mics)
{
	static const double wrong[][ALIGN_N_SAVED] = {
		{ NAN, 0.0, 1.0 },  { INFINITY, 0.0, 1.0 }, { 1e30, 0.0, 1.0 }, { 1.0, 1e9, 1.0 },
		{ 1.0, -NAN, 1.0 }, { 1.0, 0.0, 0.0 },	    { 1.0, 0.0, NAN },
	};
	float again[ALIGN_N_SAVED];

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		saved_set(wrong[i][0], wrong[i][1], wrong[i][2]);
		unit_again(mics);
		mics->unit->save_state(mics->state, again);
		CHECK(isnan(again[ALIGN_SAVED_DELAY]));
	}
}

int main(void)
{
	struct mics *mics = mics_create();

	test_what_is_found_is_saved(mics);
	test_what_is_restored_is_saved_until_a_reset(mics);
	test_a_known_place_is_found_sooner(mics);
	test_where_nothing_is_nothing_is_found(mics);
	test_another_delay_clock_or_polarity_is_found_as_before(mics);
	test_what_cannot_be_is_not_taken(mics);
	mics_destroy(mics);
	return 0;
}
