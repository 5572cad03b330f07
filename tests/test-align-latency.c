/* SPDX-License-Identifier: MIT */

/* What align says of the latency of each microphone. */

#include <math.h>

#include "check.h"
#include "dsp/align/mix.h"
#include "mics.h"

/* Frames: a delay wanders by as much before the latency follows, and has room for as much. */
#define SLACK 62

static bool has_latency(struct mics *mics, uint32_t m, double total, double tolerance)
{
	const struct weir_latency latency = mics->unit->get_latency(mics->state, m);

	CHECK(latency.minimum == MIX_MIN_LATENCY);
	return is_near((double)latency.total, total, tolerance);
}

static void test_the_later_microphone_waits_for_nobody(struct mics *mics)
{
	mics_scene(mics, later(DELAY_MS), 20);
	CHECK(has_latency(mics, 0, MIX_MIN_LATENCY, 0.0) &&
	      has_latency(mics, 1, MIX_MIN_LATENCY, 0.0));
	mics_run_until_found(mics, 20 * RATE, DELAY_MS);
	CHECK(has_latency(mics, 0, mics_get(mics, "latency"), 0.0));
	CHECK(has_latency(mics, 0, DELAY_FRAMES + MIX_MIN_LATENCY, SLACK));
	CHECK(has_latency(mics, 1, mics_get(mics, "latency") - DELAY_FRAMES, 1.0));
	CHECK(has_latency(mics, 1, MIX_MIN_LATENCY, SLACK));
}

static void test_the_earlier_microphone_waits(struct mics *mics)
{
	mics_scene(mics, later(-DELAY_MS), 20);
	mics_run_until_found(mics, 20 * RATE, -DELAY_MS);
	CHECK(has_latency(mics, 0, MIX_MIN_LATENCY, SLACK));
	CHECK(has_latency(mics, 1, mics_get(mics, "latency") + DELAY_FRAMES, 1.0));
}

static void test_the_filter_delays_all(struct mics *mics)
{
	mics_scene(mics, later(DELAY_MS), 20);
	mics_set(mics, "post-filter", 1.0);
	mics_run_until_found(mics, 20 * RATE, DELAY_MS);

	const struct weir_latency first = mics->unit->get_latency(mics->state, 0);
	const struct weir_latency second = mics->unit->get_latency(mics->state, 1);

	CHECK((double)first.total == mics_get(mics, "latency"));
	CHECK(second.minimum == first.minimum && second.minimum > 10 * MIX_MIN_LATENCY);
	CHECK(is_near((double)first.total - (double)second.total, DELAY_FRAMES, 1.0));
}

int main(void)
{
	struct mics *mics = mics_create();

	test_the_later_microphone_waits_for_nobody(mics);
	test_the_earlier_microphone_waits(mics);
	test_the_filter_delays_all(mics);
	mics_destroy(mics);
	return 0;
}
