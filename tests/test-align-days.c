/* SPDX-License-Identifier: MIT */

/* The align unit works after days as in the first minute. Its counters are set ahead for that. */

#include "check.h"
#include "dsp/align/aligner.h"
#include "mics.h"

/* Samples of the analysis of about that many days: all rings are then where they were. */
static uint64_t samples_of(const struct align *align, double days)
{
	const uint64_t round =
		(uint64_t)align->front_context.n_spectra * align->front_context.n_sound * 8;
	const double samples = days * 86400.0 * (double)align->front_context.rate;

	return (uint64_t)(samples / (double)round) * round;
}

static void days_pass(struct mics *mics, double days)
{
	struct align *align = mics->state;
	const uint64_t n = samples_of(align, days), n_frames = n * align->front_context.factor;

	for (uint32_t m = 0; m < align->n_mics; m++) {
		align->front[m].n_frames += n_frames;
		align->front[m].n_samples += n;
		align->front[m].n_windows += n / FRONT_END_HOP;
		align->front[m].n_blocks += n / FRONT_END_BLOCK;
		align->pair[m].search.n_blocks += n / FRONT_END_BLOCK;
	}
	align->mix.n_frames += n_frames;
	align->mix.n_aimed += n_frames;
}

/* Returns the frame, to a hundredth of a second, after which it was locked. */
static uint32_t lock_after(struct mics *mics, double days)
{
	uint32_t locked = 0;

	mics_scene(mics, (struct place){ DELAY_MS, 100.0, 1.0, QUIET_DB }, 20);
	days_pass(mics, days);
	for (; mics_get(mics, "locked") == 0.0; locked = mics->next_frame)
		mics_run(mics, mics->next_frame + BLOCK);
	mics_run_until_found(mics, 20 * RATE, DELAY_MS + 100.0 * 20e-3);
	CHECK(is_near(mics_get(mics, "sro_ppm"), 100.0, 1.0));
	return locked;
}

/* 37.3 hours have 2^31 samples of the analysis, 24.9 hours 2^32 frames. */
static void test_a_delay_is_found_as_soon_after_days(struct mics *mics)
{
	const uint32_t early = lock_after(mics, 0.1);

	CHECK(lock_after(mics, 1.03) == early);
	CHECK(lock_after(mics, 1.6) == early);
	CHECK(lock_after(mics, 1000.0) == early);
}

int main(void)
{
	struct mics *mics = mics_create();

	test_a_delay_is_found_as_soon_after_days(mics);
	mics_destroy(mics);
	return 0;
}
