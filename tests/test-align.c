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
static const float *output_of(struct mics *mics, uint32_t from)
{
	return mics->output + from + (uint32_t)mics_get(mics, "latency");
}

/* The frames by which the output is later than the sound: where it resembles it most. */
static uint32_t latency_measured(struct mics *mics, const float *sound, uint32_t from, uint32_t n,
				 uint32_t most)
{
	uint32_t best = 0;
	double most_alike = 0.0;

	for (uint32_t lag = 0; lag <= most; lag++) {
		const double alike = product(mics->output + from + lag, sound + from, n);

		if (alike > most_alike) {
			most_alike = alike;
			best = lag;
		}
	}
	return best;
}

static void check_found(struct mics *mics, double delay_ms)
{
	mics_scene(mics, later(delay_ms), 8);
	mics_run(mics, 4 * mics->rate);
	CHECK(mics_get(mics, "locked") == 1.0);
	mics_run_until_found(mics, 8 * mics->rate, delay_ms);
	CHECK(mics_get(mics, "state") == mics_choice(mics, "state", "locked"));
	CHECK(mics_get(mics, "polarity") == 1.0);
}

static void test_a_delay_is_found_in_four_seconds(struct mics *mics)
{
	check_found(mics, DELAY_MS);
	check_found(mics, -456.7);
}

static void test_a_delay_is_found_at_other_rates(struct mics *mics)
{
	static const uint32_t rates[] = { 8000, 16000, 44100, 96000, 192000, 384000 };

	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		mics->rate = rates[i];
		check_found(mics, DELAY_MS);
	}
	mics->rate = RATE;
}

static void check_followed(struct mics *mics, double drift_ppm)
{
	mics_scene(mics, (struct place){ DELAY_MS, drift_ppm, 1.0, QUIET_DB }, 25);
	mics_run_until_found(mics, 25 * RATE, DELAY_MS + drift_ppm * 25e-3);
	CHECK(is_near(mics_get(mics, "sro_ppm"), drift_ppm, 1.0));
}

static void test_a_drift_is_found_and_followed(struct mics *mics)
{
	check_followed(mics, 100.0);
	check_followed(mics, -300.0);
	check_followed(mics, 450.0);
	check_followed(mics, -800.0);
	check_followed(mics, 1500.0);
}

/* As when a sound server adapts the rate of a microphone that it has just begun to read. */
static void check_followed_elsewhere(struct mics *mics, double drift_ppm, double other_ppm,
				     uint32_t at)
{
	const double turn_ms = (drift_ppm - other_ppm) * at * 1e-3;
	const struct place place = { DELAY_MS + turn_ms, other_ppm, 1.0, QUIET_DB };

	mics_scene(mics, (struct place){ DELAY_MS, drift_ppm, 1.0, QUIET_DB }, 33);
	mics_record(mics, 1, place, (uint32_t)(at + DELAY_MS * 1e-3) * RATE, 33 * RATE);
	mics_run_until_found(mics, 33 * RATE, place.delay_ms + other_ppm * 33e-3);
	CHECK(is_near(mics_get(mics, "sro_ppm"), other_ppm, 1.0));
}

static void test_another_drift_is_found_and_followed(struct mics *mics)
{
	check_followed_elsewhere(mics, 190.0, 300.0, 10);
	check_followed_elsewhere(mics, 0.0, -80.0, 12);
}

/* Were it added as it is, both would cancel. 0.5 dB is half of what can be heard. */
static void test_an_upside_down_microphone_is_turned(struct mics *mics)
{
	mics_scene(mics, (struct place){ DELAY_MS, 0.0, -1.0, QUIET_DB }, 14);
	mics_run_until_found(mics, 14 * RATE, DELAY_MS);
	CHECK(mics_get(mics, "polarity") == -1.0);
	CHECK(mics_get(mics, "weight1") > 0.3 && mics_get(mics, "weight2") < -0.3);
	CHECK(is_near(part_db(output_of(mics, 10 * RATE), mics->mic[0] + 10 * RATE, 3 * RATE), 0.0,
		      0.5));
}

/* Steady noise gives no reason to prefer the other one. */
static void test_microphone_1_is_heard_while_nothing_is_found(struct mics *mics)
{
	const uint32_t n = 19 * RATE;

	mics_scene(mics, (struct place){ .gain = 0.0 }, 20);
	mics_record(mics, 0, (struct place){ .gain = 0.0 }, 0, 20 * RATE);
	mics_run_while_not_found(mics, 20 * RATE);
	CHECK(memcmp(output_of(mics, 0), mics->mic[0], n * sizeof(float)) == 0);
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
static void test_what_is_short_between_silence_is_whole(struct mics *mics)
{
	static const uint32_t open[] = { 1, 5, 100, RATE / 10 };

	for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++) {
		mics_scene(mics, later(0.0), 4);
		memset(mics->mic[1], 0, 4 * RATE * sizeof(float));
		fill_gated(mics->mic[0], open[i], RATE / 5 + 3, 4 * RATE);
		mics_run(mics, 4 * RATE);
		CHECK(memcmp(output_of(mics, 0), mics->mic[0], 3 * RATE * sizeof(float)) == 0);
	}
}

/* Noise that lasts as long as the gate is open has no level of its own to tell speech from. */
static void test_a_gated_sound_keeps_its_level(struct mics *mics)
{
	static const float gains[] = { 0.25f, 4.0f };
	const uint32_t sooner = RATE / 50, n = 13 * RATE, from = 8 * RATE;

	for (size_t i = 0; i < sizeof(gains) / sizeof(gains[0]); i++) {
		mics_scene(mics, later(-20.0), 13);
		fill_gated(mics->mic[0], 3 * RATE / 10, 6 * RATE / 10, n);
		for (uint32_t f = 0; f + sooner < n; f++)
			mics->mic[1][f] = -gains[i] * mics->mic[0][f + sooner];
		mics_run_until_found(mics, 10 * RATE, -20.0);
		mics_run(mics, n);
		CHECK(is_near(part_db(output_of(mics, from), mics->mic[0] + from, 4 * RATE), 0.0,
			      0.2));
	}
}

static void test_unrelated_sources_are_not_aligned(struct mics *mics)
{
	mics_scene(mics, later(DELAY_MS), 20);
	mics_source(mics, 2);
	mics_record(mics, 1, later(DELAY_MS), 0, 20 * RATE);
	mics_run_while_not_found(mics, 20 * RATE);
}

/* By then the drift is known, and the latency has become constant. */
static void check_latency(struct mics *mics, double delay_ms, uint32_t seconds)
{
	mics_scene(mics, later(delay_ms), seconds);
	mics_run_until_found(mics, seconds * mics->rate, delay_ms);

	const uint32_t latency = (uint32_t)mics_get(mics, "latency"),
		       from = (seconds - 1) * mics->rate;

	CHECK(latency_measured(mics, mics->mic[0], from, mics->rate / 3, latency + 200) == latency);
	CHECK(latency <= fmax(0.0, delay_ms / 1000.0 * mics->rate) + 64.0);
}

static void test_declared_latency_is_measured_when_locked(struct mics *mics)
{
	check_latency(mics, 20.3, 16);
	check_latency(mics, -20.3, 16);
	mics->rate = 384000;
	check_latency(mics, -20.3, 8);
	check_latency(mics, 20.3, 8);
	mics->rate = RATE;
}

/* How much more SNR the output has than the better microphone. */
static double snr_won_db(struct mics *mics, double snr_1_db, double snr_2_db)
{
	const uint32_t from = 12 * RATE, n = 10 * RATE;

	mics_scene(mics, (struct place){ DELAY_MS, 0.0, 1.0, snr_2_db }, 23);
	mics_record(mics, 0, (struct place){ 0.0, 0.0, 1.0, snr_1_db }, 0, 23 * RATE);
	mics_run_until_found(mics, 23 * RATE, DELAY_MS);
	return snr_db(output_of(mics, from), mics->heard[0] + from, n) -
	       fmax(snr_db(mics->mic[0] + from, mics->heard[0] + from, n),
		    snr_db(mics->mic[1] + from, mics->heard[1] + from, n));
}

/* Two equal and independent noises: 3.01 dB at most. */
static void test_two_microphones_are_better_than_one(struct mics *mics)
{
	CHECK(snr_won_db(mics, 10.0, 10.0) >= 2.3);
}

/* At equal parts 4.4 dB would be lost. With the best weights 0.41 dB are won. */
static void test_a_noisier_microphone_does_no_harm(struct mics *mics)
{
	CHECK(snr_won_db(mics, 20.0, 10.0) >= -0.2);
	CHECK(mics_get(mics, "weight1") > 2.0 * mics_get(mics, "weight2"));
	CHECK(snr_won_db(mics, 10.0, 20.0) >= -0.2);
	CHECK(mics_get(mics, "weight2") > 2.0 * mics_get(mics, "weight1"));
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
static void check_jump(struct mics *mics, double jump_ms)
{
	mics_scene(mics, later(DELAY_MS), 22);

	/* A syllable of 150 ms begins. */
	const uint32_t at = loudest_frame(mics->mic[0], 15 * RATE) - RATE * 3 / 40;
	const uint32_t seen = at + (uint32_t)((DELAY_MS * 1e-3 + 0.3) * RATE);

	mics_record(mics, 1, later(DELAY_MS + jump_ms), at + (uint32_t)(DELAY_MS * 1e-3 * RATE),
		    22 * RATE);
	mics_run_until_found(mics, at, DELAY_MS);
	while (mics->next_frame < seen && mics_get(mics, "weight2") > 0.01)
		mics_run(mics, mics->next_frame + BLOCK);
	CHECK(mics_get(mics, "weight2") <= 0.01 && is_near(mics_get(mics, "weight1"), 1.0, 0.01));
	mics_run_until_found(mics, 22 * RATE, DELAY_MS + jump_ms);
}

static void test_a_delay_that_jumps_leaves_microphone_1(struct mics *mics)
{
	check_jump(mics, -21.3);
	check_jump(mics, -5.3);
	check_jump(mics, 10.7);
	check_jump(mics, 42.7);
}

/*
 * One microphone is off for three seconds, without a click, and found again three seconds later.
 * Returns the frame of microphone 1 at which that began.
 */
static uint32_t run_with_gap(struct mics *mics, uint32_t m)
{
	const uint32_t from = loudest_frame(mics->mic[m], 15 * RATE), to = from + 3 * RATE;
	const uint32_t sooner = m == 0 ? 0 : DELAY_FRAMES, around = RATE / 50;
	const double usual_step = largest_step(mics->mic[0], 15 * RATE);

	memset(mics->mic[m] + from, 0, (to - from) * sizeof(float));
	mics_run_until_found(mics, from, DELAY_MS);

	const double latency = mics_get(mics, "latency");

	mics_run(mics, to);
	CHECK(mics_get(mics, "state") == mics_choice(mics, "state", "one-mic"));
	mics_run_until_found(mics, to + 3 * RATE, DELAY_MS);
	CHECK(mics_get(mics, "latency") == latency);
	CHECK(largest_step(output_of(mics, from - sooner - around), 2 * around) <= usual_step);
	CHECK(largest_step(output_of(mics, to - sooner - around), 2 * around) <= usual_step);
	return from - sooner;
}

static void test_a_silent_microphone_2_leaves_microphone_1(struct mics *mics)
{
	mics_scene(mics, later(DELAY_MS), 23);

	const uint32_t from = run_with_gap(mics, 1);

	CHECK(is_near(part_db(output_of(mics, from), mics->mic[0] + from, 3 * RATE), 0.0, 0.1));
}

static void test_a_silent_microphone_1_leaves_microphone_2_as_loud(struct mics *mics)
{
	mics_scene(mics, (struct place){ DELAY_MS, 0.0, 0.5, QUIET_DB }, 23);

	const uint32_t from = run_with_gap(mics, 0), most = DELAY_FRAMES + 200;

	CHECK(is_near(part_db(output_of(mics, from), mics->heard[0] + from, 3 * RATE), 0.0, 0.5));
	CHECK(is_near(latency_measured(mics, mics->heard[0], from + RATE, RATE, most),
		      mics_get(mics, "latency"), 1.0));
}

static void test_another_delay_after_silence_is_found(struct mics *mics)
{
	mics_scene(mics, later(DELAY_MS), 18);
	memset(mics->mic[1] + 12 * RATE, 0, 3 * RATE * sizeof(float));
	mics_record(mics, 1, later(DELAY_MS + 37.0), 15 * RATE, 18 * RATE);
	mics_run_until_found(mics, 12 * RATE, DELAY_MS);
	mics_run_until_found(mics, 18 * RATE, DELAY_MS + 37.0);
}

/* Clocks wander: by 1 ppm a minute it is a quarter of a millisecond in three minutes. */
static void test_what_was_not_heard_for_minutes_is_not_known(struct mics *mics)
{
	const struct place silence = { .snr_db = QUIET_DB };

	mics->rate = 8000;
	mics_scene(mics, later(DELAY_MS), 20);
	mics_record(mics, 0, silence, 20 * mics->rate, 195 * mics->rate);
	mics_record(mics, 1, silence, 20 * mics->rate, 195 * mics->rate);
	mics_run_until_found(mics, 120 * mics->rate, DELAY_MS);
	CHECK(mics_get(mics, "state") == mics_choice(mics, "state", "coasting"));
	mics_run(mics, 195 * mics->rate);
	CHECK(mics_get(mics, "locked") == 0.0);
	mics->rate = RATE;
}

/* By then the drift takes all the work that there is time for. Minutes are long at other rates. */
static void test_another_delay_is_found_after_a_minute(struct mics *mics)
{
	mics->rate = 8000;
	mics_scene(mics, later(DELAY_MS), 75);
	mics_record(mics, 1, later(DELAY_MS + 37.0), 70 * mics->rate, 75 * mics->rate);
	mics_run_until_found(mics, 70 * mics->rate, DELAY_MS);
	mics_run_until_found(mics, 73 * mics->rate, DELAY_MS + 37.0);
	mics->rate = RATE;
}

/* Through what is unrelated, and through what would be found elsewhere. */
static void test_hold_keeps_the_delay(struct mics *mics)
{
	mics_scene(mics, later(DELAY_MS), 26);
	mics_record(mics, 1, later(DELAY_MS + 37.0), 20 * RATE, 26 * RATE);
	mics_source(mics, 2);
	mics_record(mics, 1, later(DELAY_MS), 10 * RATE, 20 * RATE);
	mics_run_until_found(mics, 10 * RATE, DELAY_MS);
	mics_set(mics, "hold", 1.0);
	mics_run_until_found(mics, 26 * RATE, DELAY_MS);
}

static void test_reset_forgets_the_delay(struct mics *mics)
{
	mics_scene(mics, later(DELAY_MS), 12);
	mics_run_until_found(mics, 8 * RATE, DELAY_MS);
	mics_set(mics, "reset", 1.0);
	mics_run(mics, 8 * RATE + BLOCK);
	CHECK(mics_get(mics, "locked") == 0.0 && mics_get(mics, "delay_ms") == 0.0);
	CHECK(mics_get(mics, "state") == mics_choice(mics, "state", "searching"));
	mics_run_until_found(mics, 12 * RATE, DELAY_MS);
}

static void test_delays_are_looked_for_up_to_the_limit(struct mics *mics)
{
	mics_scene(mics, later(300.0), 12);
	mics_set(mics, "lag-limit-ms", 100.0);
	mics_run_while_not_found(mics, 12 * RATE);
	mics_scene(mics, later(1200.0), 10);
	mics_set(mics, "lag-limit-ms", 1500.0);
	mics_run_until_found(mics, 10 * RATE, 1200.0);
}

/* Held, it would go on for ever. */
static void check_lost_beyond_the_range(struct mics *mics, bool is_held)
{
	mics->rate = 8000;
	mics_scene(mics, (struct place){ 1497.0, 300.0, 1.0, QUIET_DB }, 20);
	mics_set(mics, "lag-limit-ms", 1500.0);
	mics_run(mics, 8 * mics->rate);
	CHECK(mics_get(mics, "locked") == 1.0);
	mics_set(mics, "hold", is_held);
	while (mics->next_frame < 20 * mics->rate) {
		mics_run(mics, mics->next_frame + BLOCK);
		CHECK(mics_get(mics, "delay_ms") <= 1500.0);
	}
	CHECK(mics_get(mics, "locked") == 0.0 && mics_get(mics, "delay_ms") == 0.0);
	mics->rate = RATE;
}

static void test_a_delay_beyond_the_range_is_lost(struct mics *mics)
{
	check_lost_beyond_the_range(mics, false);
	check_lost_beyond_the_range(mics, true);
}

/* Whole frames apart, so that each noise can be told in the output. */
static void test_average_takes_equal_parts_of_unequal_microphones(struct mics *mics)
{
	const uint32_t from = 15 * RATE, n = 5 * RATE, delay = 1000;
	const double delay_ms = 1000.0 * delay / RATE;

	mics_scene(mics, (struct place){ delay_ms, 0.0, 1.0, 15.0 }, 21);
	mics_run_until_found(mics, 12 * RATE, delay_ms);
	CHECK(mics_get(mics, "weight1") > 2.0 * mics_get(mics, "weight2"));
	mics_set(mics, "weight", mics_choice(mics, "weight", "average"));
	mics_run(mics, 21 * RATE);
	CHECK(is_near(mics_get(mics, "weight1"), 0.5, 0.02) &&
	      is_near(mics_get(mics, "weight2"), 0.5, 0.02));

	const float *sound = output_of(mics, from);

	CHECK(is_near(part_of(sound, mics->noise[0] + from, n), 0.5, 0.05));
	CHECK(is_near(part_of(sound, mics->noise[1] + from + delay, n), 0.5, 0.05));
}

static void test_three_delays_are_found_at_once(struct mics *mics)
{
	mics_scene(mics, later(50.5), 10);
	mics_record(mics, 2, later(-120.3), 0, 10 * RATE);
	mics_record(mics, 3, later(310.7), 0, 10 * RATE);
	mics_unit(mics, "align-4");
	mics_run(mics, 10 * RATE);
	CHECK(mics_get(mics, "locked_2") == 1.0 && mics_get(mics, "locked_3") == 1.0 &&
	      mics_get(mics, "locked_4") == 1.0);
	CHECK(is_near(mics_get(mics, "delay_ms_2"), 50.5, EXACT_MS));
	CHECK(is_near(mics_get(mics, "delay_ms_3"), -120.3, EXACT_MS));
	CHECK(is_near(mics_get(mics, "delay_ms_4"), 310.7, EXACT_MS));
}

/* What is in the output besides the source. */
static double largest_rest(struct mics *mics, uint32_t from, uint32_t to)
{
	const float *sound = output_of(mics, 0);
	double rest = 0.0;

	for (uint32_t f = from; f < to; f++)
		rest = fmax(rest, fabs((double)sound[f] - (double)mics->heard[0][f]));
	return rest;
}

/*
 * Both hear the same, so only noise changes: the mean of two becomes that of one, twice at most.
 * With a drift, dropouts begin anywhere between the frames of the other microphone.
 */
static void check_dropouts(struct mics *mics, uint32_t m, double drift_ppm)
{
	mics_scene(mics, (struct place){ DELAY_MS, drift_ppm, 1.0, QUIET_DB }, 24);
	for (uint32_t f = 15 * RATE; f < 23 * RATE; f += RATE / 2)
		memset(mics->mic[m] + loudest_frame(mics->mic[m], f), 0, RATE / 20 * sizeof(float));
	mics_run(mics, 24 * RATE);
	CHECK(largest_rest(mics, 15 * RATE, 23 * RATE) <=
	      2.0 * largest_rest(mics, 12 * RATE, 14 * RATE));
}

static void test_dropouts_are_not_heard(struct mics *mics)
{
	check_dropouts(mics, 0, 0.0);
	check_dropouts(mics, 1, 100.0);
}

/* Neither as loud as microphone 1 nor where that has the same sound. */
static void test_one_microphone_can_be_heard_as_it_is(struct mics *mics)
{
	const uint32_t from = 10 * RATE, n = 2 * RATE;

	mics_scene(mics, (struct place){ DELAY_MS, 0.0, 0.5, QUIET_DB }, 13);
	mics_run_until_found(mics, 8 * RATE, DELAY_MS);
	mics_set(mics, "weight", mics_choice(mics, "weight", "mic-2"));
	mics_run(mics, 13 * RATE);

	const uint32_t lag = latency_measured(mics, mics->mic[1], from, n, 8000);

	CHECK(memcmp(mics->output + from + lag, mics->mic[1] + from, n * sizeof(float)) == 0);
}

int main(void)
{
	struct mics *mics = mics_create();

	test_a_delay_is_found_in_four_seconds(mics);
	test_a_delay_is_found_at_other_rates(mics);
	test_a_drift_is_found_and_followed(mics);
	test_another_drift_is_found_and_followed(mics);
	test_a_delay_that_jumps_leaves_microphone_1(mics);
	test_an_upside_down_microphone_is_turned(mics);
	test_microphone_1_is_heard_while_nothing_is_found(mics);
	test_what_is_short_between_silence_is_whole(mics);
	test_a_gated_sound_keeps_its_level(mics);
	test_unrelated_sources_are_not_aligned(mics);
	test_declared_latency_is_measured_when_locked(mics);
	test_two_microphones_are_better_than_one(mics);
	test_a_noisier_microphone_does_no_harm(mics);
	test_a_silent_microphone_2_leaves_microphone_1(mics);
	test_a_silent_microphone_1_leaves_microphone_2_as_loud(mics);
	test_another_delay_after_silence_is_found(mics);
	test_what_was_not_heard_for_minutes_is_not_known(mics);
	test_another_delay_is_found_after_a_minute(mics);
	test_hold_keeps_the_delay(mics);
	test_reset_forgets_the_delay(mics);
	test_delays_are_looked_for_up_to_the_limit(mics);
	test_a_delay_beyond_the_range_is_lost(mics);
	test_average_takes_equal_parts_of_unequal_microphones(mics);
	test_three_delays_are_found_at_once(mics);
	test_dropouts_are_not_heard(mics);
	test_one_microphone_can_be_heard_as_it_is(mics);
	mics_destroy(mics);
	return 0;
}
