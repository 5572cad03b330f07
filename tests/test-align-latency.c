/* SPDX-License-Identifier: MIT */

/* What align says of the latency of each microphone. */

#include <math.h>

#include "check.h"
#include "dsp/align/mix.h"
#include "mics.h"

/* Frames: a delay wanders by as much before the latency follows, and has room for as much. */
#define SLACK 62

static bool has_latency(uint32_t m, double total, double tolerance)
{
	const struct weir_latency latency = unit->get_latency(state, m);

	CHECK(latency.minimum == MIX_MIN_LATENCY);
	return is_near((double)latency.total, total, tolerance);
}

static void test_the_later_microphone_waits_for_nobody(void)
{
	scene_begin(later(DELAY_MS), 20);
	CHECK(has_latency(0, MIX_MIN_LATENCY, 0.0) && has_latency(1, MIX_MIN_LATENCY, 0.0));
	run_until_found(20 * RATE, DELAY_MS);
	CHECK(has_latency(0, get("latency"), 0.0));
	CHECK(has_latency(0, DELAY_FRAMES + MIX_MIN_LATENCY, SLACK));
	CHECK(has_latency(1, get("latency") - DELAY_FRAMES, 1.0));
	CHECK(has_latency(1, MIX_MIN_LATENCY, SLACK));
}

static void test_the_earlier_microphone_waits(void)
{
	scene_begin(later(-DELAY_MS), 20);
	run_until_found(20 * RATE, -DELAY_MS);
	CHECK(has_latency(0, MIX_MIN_LATENCY, SLACK));
	CHECK(has_latency(1, get("latency") + DELAY_FRAMES, 1.0));
}

static void test_the_filter_delays_all(void)
{
	scene_begin(later(DELAY_MS), 20);
	set("post-filter", 1.0);
	run_until_found(20 * RATE, DELAY_MS);

	const struct weir_latency first = unit->get_latency(state, 0);
	const struct weir_latency second = unit->get_latency(state, 1);

	CHECK((double)first.total == get("latency"));
	CHECK(second.minimum == first.minimum && second.minimum > 10 * MIX_MIN_LATENCY);
	CHECK(is_near((double)first.total - (double)second.total, DELAY_FRAMES, 1.0));
}

int main(void)
{
	test_the_later_microphone_waits_for_nobody();
	test_the_earlier_microphone_waits();
	test_the_filter_delays_all();
	return 0;
}
