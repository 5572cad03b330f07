/* SPDX-License-Identifier: MIT */

/* Delays that jump, and clocks far apart, where there is more than the sound and its delay. */

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "mics.h"

#define ROOM_SECONDS 0.5 /* to -60 dB */
#define REFLECTIONS 200
#define REFLECTION                                                                    \
	0.2 /* the loudest: together they have about the power of what comes straight \
	     */
#define SECONDS 30
#define FIRST_SECOND 11
#define BETWEEN_SECONDS 6
#define SEEN_SECONDS 0.3
#define FOUND_SECONDS 0.6 /* two syllables */
#define ROOM_MS 0.1	  /* reflections move the peak by as much */

static float dry[MAX_FRAMES];

/* Reverberation, as one microphone hears it. */
static void room_add(struct mics *mics, uint32_t m, uint64_t seed, uint32_t n)
{
	memcpy(dry, mics->mic[m], n * sizeof(float));
	for (uint32_t i = 0; i < REFLECTIONS; i++) {
		const double seconds =
			0.002 + (ROOM_SECONDS - 0.1) * 0.5 * (1.0 + random_get(&seed));
		const double sign = random_get(&seed) < 0.0 ? -1.0 : 1.0;
		const float gain =
			(float)(sign * REFLECTION * exp(-log(1e3) * seconds / ROOM_SECONDS));
		const uint32_t late = (uint32_t)(seconds * RATE);

		for (uint32_t f = late; f < n; f++)
			mics->mic[m][f] += gain * dry[f - late];
	}
}

static void scene_of(struct mics *mics, uint64_t seed, struct place second)
{
	mics_source(mics, seed);
	mics_record(mics, 0, (struct place){ 0.0, 0.0, 1.0, second.snr_db }, 0, SECONDS * RATE);
	mics_record(mics, 1, second, 0, SECONDS * RATE);
	mics_unit(mics, "align");
}

/* A syllable of 150 ms begins there, and no breath comes within its 0.3 s. */
static uint32_t syllable_from(struct mics *mics, uint32_t from)
{
	uint32_t loudest = from;

	for (uint32_t f = from; f < from + RATE * 3 / 4; f++)
		if (fabsf(mics->heard[0][f]) > fabsf(mics->heard[0][loudest]))
			loudest = f;
	return loudest - RATE * 3 / 40;
}

/* Microphone 2 loses so many frames, or hears them twice. */
static void frames_insert(struct mics *mics, uint32_t at, int32_t n)
{
	const uint32_t end = SECONDS * RATE - (uint32_t)abs(n);

	if (n > 0)
		memmove(mics->mic[1] + at + n, mics->mic[1] + at, (end - at) * sizeof(float));
	else
		memmove(mics->mic[1] + at, mics->mic[1] + at - n, (end - at) * sizeof(float));
}

static bool is_found(struct mics *mics, double delay_ms)
{
	return mics_get(mics, "locked") == 1.0 &&
	       is_near(mics_get(mics, "delay_ms"), delay_ms, ROOM_MS);
}

/*
 * From then on both microphones are heard where they are alike, or one alone. A frame of a fade is
 * left out.
 */
static void check_jump(struct mics *mics, uint32_t at, double before_ms, double after_ms)
{
	const uint32_t both = at + (uint32_t)(fmax(before_ms, after_ms) * 1e-3 * RATE);
	const uint32_t seen = both + (uint32_t)(SEEN_SECONDS * RATE);

	mics_run(mics, at);
	CHECK(is_found(mics, before_ms));
	while (mics->next_frame < seen &&
	       fmin(mics_get(mics, "weight1"), mics_get(mics, "weight2")) > 0.01 &&
	       !is_found(mics, after_ms))
		mics_run(mics, mics->next_frame + BLOCK);
	CHECK(fmin(mics_get(mics, "weight1"), mics_get(mics, "weight2")) <= 0.01 ||
	      is_found(mics, after_ms));
	mics_run(mics, both + (uint32_t)(FOUND_SECONDS * RATE));
	CHECK(is_found(mics, after_ms));
}

static void check_jumps(struct mics *mics, uint64_t seed, const int32_t jump[3])
{
	double delay_ms = DELAY_MS;

	scene_of(mics, seed, later(DELAY_MS));
	room_add(mics, 0, seed + 1, SECONDS * RATE);
	room_add(mics, 1, seed + 2, SECONDS * RATE);
	for (uint32_t i = 0; i < 3; i++) {
		const uint32_t at =
			syllable_from(mics, (FIRST_SECOND + i * BETWEEN_SECONDS) * RATE);
		const double after_ms = delay_ms + 1000.0 * jump[i] / RATE;

		frames_insert(mics, at + (uint32_t)(delay_ms * 1e-3 * RATE), jump[i]);
		check_jump(mics, at, delay_ms, after_ms);
		delay_ms = after_ms;
	}
}

/* Frames of 48 kHz: of buffers, and any. */
static void test_a_jump_in_a_room_is_seen_and_found(struct mics *mics)
{
	check_jumps(mics, 101, (const int32_t[]){ 256, -1024, 480 });
	check_jumps(mics, 201, (const int32_t[]){ -64, 2048, -300 });
	check_jumps(mics, 301, (const int32_t[]){ 1500, -700, -1700 });
	check_jumps(mics, 401, (const int32_t[]){ 100, 441, -2048 });
}

/* The first blocks are few, short and smeared: what they say is not the drift. */
static void check_followed(struct mics *mics, uint64_t seed, double drift_ppm)
{
	scene_of(mics, seed, (struct place){ DELAY_MS, drift_ppm, 1.0, 10.0 });
	mics_run(mics, SECONDS * RATE);
	CHECK(mics_get(mics, "locked") == 1.0);
	CHECK(is_near(mics_get(mics, "delay_ms"), DELAY_MS + drift_ppm * SECONDS * 1e-3, 0.06));
	CHECK(is_near(mics_get(mics, "sro_ppm"), drift_ppm, 2.0));
}

static void test_a_large_drift_is_found_in_noise(struct mics *mics)
{
	check_followed(mics, 11, 800.0);
	check_followed(mics, 12, -1000.0);
	check_followed(mics, 13, 1000.0);
	check_followed(mics, 14, -1500.0);
}

int main(void)
{
	struct mics *mics = mics_create();

	test_a_jump_in_a_room_is_seen_and_found(mics);
	test_a_large_drift_is_found_in_noise(mics);
	mics_destroy(mics);
	return 0;
}
