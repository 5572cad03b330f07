/* SPDX-License-Identifier: MIT */

/*
 * With C a frame's cross-spectrum of weight g, S the slow sum and r the agreement of its phases,
 *
 *	similarity = sum of  r^2 Re(C conj S) / |S|,	expected = sum of  r^3 g
 *
 * over bins and some 90 ms are equal while nothing changes. Random phases have a similarity of 0,
 * with a variance of half the sum of (r^2 g)^2, and half as much again as adjacent bins correlate.
 *
 * After a jump by d the same phases are found at a lag of d: there peaks the inverse transform of
 *
 *	r^2 C conj S / |S|
 *
 * in which the phases of the room cancel, so that one frame can be enough. The deviation of all
 * lags is that of random phases.
 */

#include "change.h"

#include <math.h>
#include <string.h>

#include "dsp/simd.h"

/*
 * Each was chosen alone: the fastest detection of 96 jumps in four rooms (median 0.22 s, 75 %
 * within 0.41 s) without an alarm in the ten scenes of bench/align, seeds 0 and 1, with one fixed
 * talker.
 */
#define SIMILARITY_SECONDS 0.09 /* 0.05: 1 alarm; 0.14: 0.33 s */
#define FADE_DB_PER_SECOND 40.0 /* 20: 0.25 s; 80 fades like reverberation of 0.75 s */
#define MIN_OF_PEAK 0.2		/* 0.4: 0.25 s; 0.1: 0.01 s sooner, 10 dB into reverberation */
#define MEAN_SECONDS 1.6	/* 0.6 and 4: 1 alarm */
#define MIN_OF_MEAN 0.05	/* none: 1 alarm; 0.2: 0.25 s */
#define MIN_SIMILARITY 0.4	/* of the expected one. 0.5: 1 alarm; 0.3: 0.28 s */
#define KNOWN_SECONDS 1.0	/* of sound, before its phases count. 0.5 to 2: the same */
#define SURE 8.0		/* deviations of random phases. 5 to 11: the same */

/*
 * Of the peak of one frame, chosen in the same way in all scenes: two alarms, both in "walk" while
 * the talker walks (jumps: median 0.11 s, 90 % within 0.22 s).
 */
#define MIN_JUMP 0.5e-3	    /* seconds; the loop follows smaller ones */
#define SAME_LAG 60e-6	    /* 20 us: 0.01 s later; 150 us: the same */
#define MIN_HEIGHT 5.1f	    /* 4.3: the same; 6.1: 90 % within 0.25 s */
#define MIN_LEAD 1.2f	    /* 0.9: 39 alarms, by the pitch of a voice; 2: 0.01 s later */
#define MIN_AGREEMENT 0.35f /* half and twice of that: the same */
#define BOTH_HEIGHT 8.0f    /* of two in CHANGE_FRAMES. 7: 0.02 s sooner; 9.8: 0.04 s later */
#define SURE_HEIGHT 9.2f    /* of one. 7.3: the same; 11: 0.01 s later */
#define SURE_LEAD 2.5f	    /* 1.5: the same; 4: 0.01 s later */

struct comparison {
	float similarity, expected, variance, power;
};

WEIR_REALTIME void change_clear(struct change *change)
{
	change->similarity = change->expected = change->variance = 0.0;
	change->known = change->seconds = 0.0;
	change->is_seen = false;
	change->n_found = 0;
}

static WEIR_SIMD WEIR_REALTIME struct comparison compare(const struct cross *frame,
							 const struct cross *before,
							 const float *power,
							 struct cross_weighted *matched, uint32_t n)
{
	struct comparison sum = { 0 };

	for (uint32_t i = 0; i < n; i++) {
		const float re = before->re[i], im = before->im[i], weight = frame->weight[i];
		const float length = sqrtf(re * re + im * im) + 1e-12f;
		const float agreement = length / (before->weight[i] + 0.5f);
		const float r = agreement < 1.0f ? agreement : 1.0f;
		const float scale = r * r / length;

		matched->re[i] = scale * (frame->re[i] * re + frame->im[i] * im);
		matched->im[i] = scale * (frame->im[i] * re - frame->re[i] * im);
		sum.similarity += matched->re[i];
		sum.expected += r * r * r * weight;
		sum.variance += 0.75f * r * r * r * r * weight * weight;
		sum.power += power[i] * weight;
	}
	return sum;
}

/* Is the sound loud, and does it not decay? */
static WEIR_REALTIME bool is_direct(struct change *change, double power, double hop_seconds)
{
	const double faded = pow(10.0, -FADE_DB_PER_SECOND * hop_seconds / 10.0);

	change->peak = fmax(change->peak * faded, power);
	change->usual = change->usual > 0.0 ? change->usual + hop_seconds / MEAN_SECONDS *
								      (power - change->usual)
					    : power;
	return power >= MIN_OF_PEAK * change->peak && power >= MIN_OF_MEAN * change->usual;
}

WEIR_REALTIME void change_watch(struct change *change, const struct cross *frame,
				const struct cross *before, const float *power, double hop_seconds,
				struct cross_weighted *matched, const struct cross_context *context)
{
	const struct comparison now = compare(frame, before, power, matched, context->n);
	const double keep = exp(-hop_seconds / SIMILARITY_SECONDS);

	change->known += hop_seconds;
	if (change->is_seen)
		change->seconds += hop_seconds;
	if (!is_direct(change, (double)now.power, hop_seconds) || change->known < KNOWN_SECONDS ||
	    now.expected * now.expected < now.variance)
		return;
	change->similarity = keep * change->similarity + (double)now.similarity;
	change->expected = keep * change->expected + (double)now.expected;
	change->variance = keep * keep * change->variance + (double)now.variance;
	if (change->expected < SURE * sqrt(change->variance))
		return;
	change->is_seen = change->similarity < MIN_SIMILARITY * change->expected;
	if (!change->is_seen)
		change->seconds = 0.0;
}

WEIR_REALTIME bool change_is_jump(struct change *change, const struct cross_peak *peak)
{
	if (change->known < KNOWN_SECONDS)
		return false;

	struct change_lag now = { .lag = peak->lag };
	bool is_jump = false;

	if (fabs(peak->lag) > MIN_JUMP && peak->height > MIN_HEIGHT &&
	    peak->height > MIN_LEAD * peak->own && peak->agreement > MIN_AGREEMENT)
		now.height = peak->height;
	if (now.height > SURE_HEIGHT && now.height > SURE_LEAD * peak->own)
		is_jump = true;
	for (uint32_t i = 0; i < change->n_found; i++)
		is_jump |= fabs(change->found[i].lag - now.lag) < SAME_LAG && now.height > 0.0f &&
			   change->found[i].height > 0.0f &&
			   hypotf(change->found[i].height, now.height) > BOTH_HEIGHT;
	if (change->n_found == CHANGE_FRAMES)
		memmove(change->found, change->found + 1, --change->n_found * sizeof(now));
	change->found[change->n_found++] = now;
	if (!is_jump)
		return false;

	change->similarity = change->expected = change->variance = 0.0;
	change->is_seen = true;
	change->n_found = 0;
	return true;
}
