/* SPDX-License-Identifier: MIT */

/* What dsp/align/align.h promises, with microphones whose delay and drift are known exactly. */

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "check.h"
#include "mics.h"

static double product(const float *x, const float *y, uint32_t n)
{
	double sum = 0.0;

	for (uint32_t i = 0; i < n; i++)
		sum += (double)x[i] * (double)y[i];
	return sum;
}

/* What a part of a sound is multiplied by in it: the projection. */
static double part_of(const float *sound, const float *part, uint32_t n)
{
	return product(sound, part, n) / product(part, part, n);
}

static double part_db(const float *sound, const float *part, uint32_t n)
{
	return 20.0 * log10(part_of(sound, part, n));
}

/* A part over all else that sounds. */
static double snr_db(const float *sound, const float *part, uint32_t n)
{
	const double signal = product(sound, part, n) * part_of(sound, part, n);

	return 10.0 * log10(signal / (product(sound, sound, n) - signal));
}

/* What became of the sound in microphone 1 from that frame on. */
static const float *output_of(uint32_t from)
{
	return output + from + (uint32_t)get("latency");
}

/* The frames by which the output is later than the sound: where it resembles it most. */
static uint32_t latency_measured(const float *sound, uint32_t from, uint32_t n, uint32_t most)
{
	uint32_t best = 0;
	double most_alike = 0.0;

	for (uint32_t lag = 0; lag <= most; lag++) {
		const double alike = product(output + from + lag, sound + from, n);

		if (alike > most_alike) {
			most_alike = alike;
			best = lag;
		}
	}
	return best;
}

static void check_found(double delay_ms)
{
	scene_begin(later(delay_ms), 8);
	run(4 * rate);
	CHECK(get("locked") == 1.0);
	run_until_found(8 * rate, delay_ms);
	CHECK(get("state") == choice("state", "locked"));
	CHECK(get("polarity") == 1.0);
}

static void test_a_delay_is_found_in_four_seconds(void)
{
	check_found(DELAY_MS);
	check_found(-456.7);
}

static void test_a_delay_is_found_at_other_rates(void)
{
	static const uint32_t rates[] = { 8000, 16000, 44100, 96000, 192000, 384000 };

	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		rate = rates[i];
		check_found(DELAY_MS);
	}
	rate = RATE;
}

static void check_followed(double drift_ppm)
{
	scene_begin((struct place){ DELAY_MS, drift_ppm, 1.0, QUIET_DB }, 25);
	run_until_found(25 * RATE, DELAY_MS + drift_ppm * 25e-3);
	CHECK(is_near(get("drift-ppm"), drift_ppm, 1.0));
}

static void test_a_drift_is_found_and_followed(void)
{
	check_followed(100.0);
	check_followed(-300.0);
	check_followed(450.0);
	check_followed(-800.0);
	check_followed(1500.0);
}

/* As when a sound server adapts the rate of a microphone that it has just begun to read. */
static void check_followed_elsewhere(double drift_ppm, double other_ppm, uint32_t at)
{
	const double turn_ms = (drift_ppm - other_ppm) * at * 1e-3;
	const struct place place = { DELAY_MS + turn_ms, other_ppm, 1.0, QUIET_DB };

	scene_begin((struct place){ DELAY_MS, drift_ppm, 1.0, QUIET_DB }, 33);
	mic_hear(1, place, (uint32_t)(at + DELAY_MS * 1e-3) * RATE, 33 * RATE);
	run_until_found(33 * RATE, place.delay_ms + other_ppm * 33e-3);
	CHECK(is_near(get("drift-ppm"), other_ppm, 1.0));
}

static void test_another_drift_is_found_and_followed(void)
{
	check_followed_elsewhere(190.0, 300.0, 10);
	check_followed_elsewhere(0.0, -80.0, 12);
}

/* Were it added as it is, both would cancel. 0.5 dB is half of what can be heard. */
static void test_an_upside_down_microphone_is_turned(void)
{
	scene_begin((struct place){ DELAY_MS, 0.0, -1.0, QUIET_DB }, 14);
	run_until_found(14 * RATE, DELAY_MS);
	CHECK(get("polarity") == -1.0);
	CHECK(get("weight-1") > 0.3 && get("weight-2") < -0.3);
	CHECK(is_near(part_db(output_of(10 * RATE), mic[0] + 10 * RATE, 3 * RATE), 0.0, 0.5));
}

/* Steady noise gives no reason to prefer the other one. */
static void test_microphone_1_is_heard_while_nothing_is_found(void)
{
	const uint32_t n = 19 * RATE;

	scene_begin((struct place){ .gain = 0.0 }, 20);
	mic_hear(0, (struct place){ .gain = 0.0 }, 0, 20 * RATE);
	run_while_not_found(20 * RATE);
	CHECK(memcmp(output_of(0), mic[0], n * sizeof(float)) == 0);
}

/* Noise for so many frames of each period, and nothing at all between. */
static void fill_gated(float *sound, uint32_t open, uint32_t period, uint32_t n)
{
	uint32_t seed = 3;

	for (uint32_t f = 0; f < n; f++) {
		seed = seed * 1664525u + 1013904223u;
		sound[f] = f % period < open ? 0.3f * ((float)seed / 2147483648.0f - 1.0f) : 0.0f;
	}
}

/* As from a gate, or a program that makes clicks. */
static void test_what_is_short_between_silence_is_whole(void)
{
	static const uint32_t open[] = { 1, 5, 100, RATE / 10 };

	for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++) {
		scene_begin(later(0.0), 4);
		memset(mic[1], 0, 4 * RATE * sizeof(float));
		fill_gated(mic[0], open[i], RATE / 5 + 3, 4 * RATE);
		run(4 * RATE);
		CHECK(memcmp(output_of(0), mic[0], 3 * RATE * sizeof(float)) == 0);
	}
}

/* Noise that lasts as long as the gate is open has no level of its own to tell speech from. */
static void test_a_gated_sound_keeps_its_level(void)
{
	static const float gains[] = { 0.25f, 4.0f };
	const uint32_t sooner = RATE / 50, n = 13 * RATE, from = 8 * RATE;

	for (size_t i = 0; i < sizeof(gains) / sizeof(gains[0]); i++) {
		scene_begin(later(-20.0), 13);
		fill_gated(mic[0], 3 * RATE / 10, 6 * RATE / 10, n);
		for (uint32_t f = 0; f + sooner < n; f++)
			mic[1][f] = -gains[i] * mic[0][f + sooner];
		run_until_found(10 * RATE, -20.0);
		run(n);
		CHECK(is_near(part_db(output_of(from), mic[0] + from, 4 * RATE), 0.0, 0.2));
	}
}

static void test_unrelated_sources_are_not_aligned(void)
{
	scene_begin(later(DELAY_MS), 20);
	source_fill(2);
	mic_hear(1, later(DELAY_MS), 0, 20 * RATE);
	run_while_not_found(20 * RATE);
}

/* By then the drift is known, and the latency has become constant. */
static void check_latency(double delay_ms, uint32_t seconds)
{
	scene_begin(later(delay_ms), seconds);
	run_until_found(seconds * rate, delay_ms);

	const uint32_t latency = (uint32_t)get("latency"), from = (seconds - 1) * rate;

	CHECK(latency_measured(mic[0], from, rate / 3, latency + 200) == latency);
	CHECK(latency <= fmax(0.0, delay_ms / 1000.0 * rate) + 64.0);
}

static void test_declared_latency_is_measured_when_locked(void)
{
	check_latency(20.3, 16);
	check_latency(-20.3, 16);
	rate = 384000;
	check_latency(-20.3, 8);
	check_latency(20.3, 8);
	rate = RATE;
}

/* How much more SNR the output has than the better microphone. */
static double snr_won_db(double snr_1_db, double snr_2_db)
{
	const uint32_t from = 12 * RATE, n = 10 * RATE;

	scene_begin((struct place){ DELAY_MS, 0.0, 1.0, snr_2_db }, 23);
	mic_hear(0, (struct place){ 0.0, 0.0, 1.0, snr_1_db }, 0, 23 * RATE);
	run_until_found(23 * RATE, DELAY_MS);
	return snr_db(output_of(from), heard[0] + from, n) -
	       fmax(snr_db(mic[0] + from, heard[0] + from, n),
		    snr_db(mic[1] + from, heard[1] + from, n));
}

/* Two equal and independent noises: 3.01 dB at most. */
static void test_two_microphones_are_better_than_one(void)
{
	CHECK(snr_won_db(10.0, 10.0) >= 2.3);
}

/* At equal parts 4.4 dB would be lost. With the best weights 0.41 dB are won. */
static void test_a_noisier_microphone_does_no_harm(void)
{
	CHECK(snr_won_db(20.0, 10.0) >= -0.2);
	CHECK(get("weight-1") > 2.0 * get("weight-2"));
	CHECK(snr_won_db(10.0, 20.0) >= -0.2);
	CHECK(get("weight-2") > 2.0 * get("weight-1"));
}

static double largest_step(const float *sound, uint32_t n)
{
	double step = 0.0;

	for (uint32_t i = 1; i < n; i++)
		step = fmax(step, fabs((double)sound[i] - (double)sound[i - 1]));
	return step;
}

/* Where a cut would click most. There is no breath of 0.75 s. */
static uint32_t loudest_frame(const float *sound, uint32_t from)
{
	uint32_t loudest = from;

	for (uint32_t f = from; f < from + RATE * 3 / 4; f++)
		if (fabsf(sound[f]) > fabsf(sound[loudest]))
			loudest = f;
	return loudest;
}

/*
 * A buffer is lost, or heard twice, while somebody speaks: from then on the delay is another one.
 * Frames of 128 ms must show it, and then microphone 1 is heard alone until the new one is found.
 */
static void check_jump(double jump_ms)
{
	scene_begin(later(DELAY_MS), 22);

	/* A syllable of 150 ms begins. */
	const uint32_t at = loudest_frame(mic[0], 15 * RATE) - RATE * 3 / 40;
	const uint32_t seen = at + (uint32_t)((DELAY_MS * 1e-3 + 0.3) * RATE);

	mic_hear(1, later(DELAY_MS + jump_ms), at + (uint32_t)(DELAY_MS * 1e-3 * RATE), 22 * RATE);
	run_until_found(at, DELAY_MS);
	while (next_frame < seen && get("weight-2") > 0.01)
		run(next_frame + BLOCK);
	CHECK(get("weight-2") <= 0.01 && is_near(get("weight-1"), 1.0, 0.01));
	run_until_found(22 * RATE, DELAY_MS + jump_ms);
}

static void test_a_delay_that_jumps_leaves_microphone_1(void)
{
	check_jump(-21.3);
	check_jump(-5.3);
	check_jump(10.7);
	check_jump(42.7);
}

/*
 * One microphone is off for three seconds, without a click, and found again three seconds later.
 * Returns the frame of microphone 1 at which that began.
 */
static uint32_t run_with_gap(uint32_t m)
{
	const uint32_t from = loudest_frame(mic[m], 15 * RATE), to = from + 3 * RATE;
	const uint32_t sooner = m == 0 ? 0 : DELAY_FRAMES, around = RATE / 50;
	const double usual_step = largest_step(mic[0], 15 * RATE);

	memset(mic[m] + from, 0, (to - from) * sizeof(float));
	run_until_found(from, DELAY_MS);

	const double latency = get("latency");

	run(to);
	CHECK(get("state") == choice("state", "one-mic"));
	run_until_found(to + 3 * RATE, DELAY_MS);
	CHECK(get("latency") == latency);
	CHECK(largest_step(output_of(from - sooner - around), 2 * around) <= usual_step);
	CHECK(largest_step(output_of(to - sooner - around), 2 * around) <= usual_step);
	return from - sooner;
}

static void test_a_silent_microphone_2_leaves_microphone_1(void)
{
	scene_begin(later(DELAY_MS), 23);

	const uint32_t from = run_with_gap(1);

	CHECK(is_near(part_db(output_of(from), mic[0] + from, 3 * RATE), 0.0, 0.1));
}

static void test_a_silent_microphone_1_leaves_microphone_2_as_loud(void)
{
	scene_begin((struct place){ DELAY_MS, 0.0, 0.5, QUIET_DB }, 23);

	const uint32_t from = run_with_gap(0), most = DELAY_FRAMES + 200;

	CHECK(is_near(part_db(output_of(from), heard[0] + from, 3 * RATE), 0.0, 0.5));
	CHECK(is_near(latency_measured(heard[0], from + RATE, RATE, most), get("latency"), 1.0));
}

static void test_another_delay_after_silence_is_found(void)
{
	scene_begin(later(DELAY_MS), 18);
	memset(mic[1] + 12 * RATE, 0, 3 * RATE * sizeof(float));
	mic_hear(1, later(DELAY_MS + 37.0), 15 * RATE, 18 * RATE);
	run_until_found(12 * RATE, DELAY_MS);
	run_until_found(18 * RATE, DELAY_MS + 37.0);
}

/* Clocks wander: by 1 ppm a minute it is a quarter of a millisecond in three minutes. */
static void test_what_was_not_heard_for_minutes_is_not_known(void)
{
	const struct place silence = { .snr_db = QUIET_DB };

	rate = 8000;
	scene_begin(later(DELAY_MS), 20);
	mic_hear(0, silence, 20 * rate, 195 * rate);
	mic_hear(1, silence, 20 * rate, 195 * rate);
	run_until_found(120 * rate, DELAY_MS);
	CHECK(get("state") == choice("state", "coasting"));
	run(195 * rate);
	CHECK(get("locked") == 0.0);
	rate = RATE;
}

/* By then the drift takes all the work that there is time for. Minutes are long at other rates. */
static void test_another_delay_is_found_after_a_minute(void)
{
	rate = 8000;
	scene_begin(later(DELAY_MS), 75);
	mic_hear(1, later(DELAY_MS + 37.0), 70 * rate, 75 * rate);
	run_until_found(70 * rate, DELAY_MS);
	run_until_found(73 * rate, DELAY_MS + 37.0);
	rate = RATE;
}

/* Through what is unrelated, and through what would be found elsewhere. */
static void test_hold_keeps_the_delay(void)
{
	scene_begin(later(DELAY_MS), 26);
	mic_hear(1, later(DELAY_MS + 37.0), 20 * RATE, 26 * RATE);
	source_fill(2);
	mic_hear(1, later(DELAY_MS), 10 * RATE, 20 * RATE);
	run_until_found(10 * RATE, DELAY_MS);
	set("hold", 1.0);
	run_until_found(26 * RATE, DELAY_MS);
}

static void test_reset_forgets_the_delay(void)
{
	scene_begin(later(DELAY_MS), 12);
	run_until_found(8 * RATE, DELAY_MS);
	set("reset", 1.0);
	run(8 * RATE + BLOCK);
	CHECK(get("locked") == 0.0 && get("delay-ms") == 0.0);
	CHECK(get("state") == choice("state", "searching"));
	run_until_found(12 * RATE, DELAY_MS);
}

static void test_delays_are_looked_for_up_to_the_limit(void)
{
	scene_begin(later(300.0), 12);
	set("lag-limit-ms", 100.0);
	run_while_not_found(12 * RATE);
	scene_begin(later(1200.0), 10);
	set("lag-limit-ms", 1500.0);
	run_until_found(10 * RATE, 1200.0);
}

/* Held, it would go on for ever. */
static void check_lost_beyond_the_range(bool is_held)
{
	rate = 8000;
	scene_begin((struct place){ 1497.0, 300.0, 1.0, QUIET_DB }, 20);
	set("lag-limit-ms", 1500.0);
	run(8 * rate);
	CHECK(get("locked") == 1.0);
	set("hold", is_held);
	while (next_frame < 20 * rate) {
		run(next_frame + BLOCK);
		CHECK(get("delay-ms") <= 1500.0);
	}
	CHECK(get("locked") == 0.0 && get("delay-ms") == 0.0);
	rate = RATE;
}

static void test_a_delay_beyond_the_range_is_lost(void)
{
	check_lost_beyond_the_range(false);
	check_lost_beyond_the_range(true);
}

/* Whole frames apart, so that each noise can be told in the output. */
static void test_average_takes_equal_parts_of_unequal_microphones(void)
{
	const uint32_t from = 15 * RATE, n = 5 * RATE, delay = 1000;
	const double delay_ms = 1000.0 * delay / RATE;

	scene_begin((struct place){ delay_ms, 0.0, 1.0, 15.0 }, 21);
	run_until_found(12 * RATE, delay_ms);
	CHECK(get("weight-1") > 2.0 * get("weight-2"));
	set("weight", choice("weight", "average"));
	run(21 * RATE);
	CHECK(is_near(get("weight-1"), 0.5, 0.02) && is_near(get("weight-2"), 0.5, 0.02));

	const float *sound = output_of(from);

	CHECK(is_near(part_of(sound, noise[0] + from, n), 0.5, 0.05));
	CHECK(is_near(part_of(sound, noise[1] + from + delay, n), 0.5, 0.05));
}

static void test_three_delays_are_found_at_once(void)
{
	scene_begin(later(50.5), 10);
	mic_hear(2, later(-120.3), 0, 10 * RATE);
	mic_hear(3, later(310.7), 0, 10 * RATE);
	unit_begin("align-4");
	run(10 * RATE);
	CHECK(get("locked-2") == 1.0 && get("locked-3") == 1.0 && get("locked-4") == 1.0);
	CHECK(is_near(get("delay-ms-2"), 50.5, EXACT_MS));
	CHECK(is_near(get("delay-ms-3"), -120.3, EXACT_MS));
	CHECK(is_near(get("delay-ms-4"), 310.7, EXACT_MS));
}

/* What is in the output besides the source. */
static double largest_rest(uint32_t from, uint32_t to)
{
	const float *sound = output_of(0);
	double rest = 0.0;

	for (uint32_t f = from; f < to; f++)
		rest = fmax(rest, fabs((double)sound[f] - (double)heard[0][f]));
	return rest;
}

/*
 * Both hear the same, so only noise changes: the mean of two becomes that of one, twice at most.
 * With a drift, dropouts begin anywhere between the frames of the other microphone.
 */
static void check_dropouts(uint32_t m, double drift_ppm)
{
	scene_begin((struct place){ DELAY_MS, drift_ppm, 1.0, QUIET_DB }, 24);
	for (uint32_t f = 15 * RATE; f < 23 * RATE; f += RATE / 2)
		memset(mic[m] + loudest_frame(mic[m], f), 0, RATE / 20 * sizeof(float));
	run(24 * RATE);
	CHECK(largest_rest(15 * RATE, 23 * RATE) <= 2.0 * largest_rest(12 * RATE, 14 * RATE));
}

static void test_dropouts_are_not_heard(void)
{
	check_dropouts(0, 0.0);
	check_dropouts(1, 100.0);
}

/* Neither as loud as microphone 1 nor where that has the same sound. */
static void test_one_microphone_can_be_heard_as_it_is(void)
{
	const uint32_t from = 10 * RATE, n = 2 * RATE;

	scene_begin((struct place){ DELAY_MS, 0.0, 0.5, QUIET_DB }, 13);
	run_until_found(8 * RATE, DELAY_MS);
	set("weight", choice("weight", "mic-2"));
	run(13 * RATE);

	const uint32_t lag = latency_measured(mic[1], from, n, 8000);

	CHECK(memcmp(output + from + lag, mic[1] + from, n * sizeof(float)) == 0);
}

int main(void)
{
	test_a_delay_is_found_in_four_seconds();
	test_a_delay_is_found_at_other_rates();
	test_a_drift_is_found_and_followed();
	test_another_drift_is_found_and_followed();
	test_a_delay_that_jumps_leaves_microphone_1();
	test_an_upside_down_microphone_is_turned();
	test_microphone_1_is_heard_while_nothing_is_found();
	test_what_is_short_between_silence_is_whole();
	test_a_gated_sound_keeps_its_level();
	test_unrelated_sources_are_not_aligned();
	test_declared_latency_is_measured_when_locked();
	test_two_microphones_are_better_than_one();
	test_a_noisier_microphone_does_no_harm();
	test_a_silent_microphone_2_leaves_microphone_1();
	test_a_silent_microphone_1_leaves_microphone_2_as_loud();
	test_another_delay_after_silence_is_found();
	test_what_was_not_heard_for_minutes_is_not_known();
	test_another_delay_is_found_after_a_minute();
	test_hold_keeps_the_delay();
	test_reset_forgets_the_delay();
	test_delays_are_looked_for_up_to_the_limit();
	test_a_delay_beyond_the_range_is_lost();
	test_average_takes_equal_parts_of_unequal_microphones();
	test_three_delays_are_found_at_once();
	test_dropouts_are_not_heard();
	test_one_microphone_can_be_heard_as_it_is();
	unit->destroy(state);
	return 0;
}
