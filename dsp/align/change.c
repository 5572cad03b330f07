/* SPDX-License-Identifier: MIT */

/*
 * With C a frame's cross-spectrum of weight g, S the slow sum and r the agreement of its phases,
 *
 *	like = sum of  r^2 Re(C conj S) / |S|,	wanted = sum of  r^3 g
 *
 * over bins and some 90 ms are equal while nothing changes. Phases by chance make like 0, with a
 * variance of half the sum of (r^2 g)^2, and half as much again as neighbours are alike.
 */

#include "change.h"

#include <math.h>

#include "../simd.h"

#define MEAN_SECONDS 1.6
#define LIKE_SECONDS 0.09
#define FADE_DB_PER_SECOND 40.0 /* reverberation of less than 1.5 s fades faster */
#define KNOWN_SECONDS 1.0	/* of sound, before its phases mean anything */
#define LEAST_OF_PEAK 0.2
#define LEAST_OF_MEAN 0.05
#define SURE 8.0 /* deviations of chance */

/* Of what is wanted: jumps leave 0.1, voices in rooms have 0.75 and more. */
#define LEAST_LIKE 0.4

struct likeness {
	float like, wanted, variance, power;
};

WEIR_REALTIME void change_clear(struct change *change)
{
	change->like = change->wanted = change->variance = 0.0;
	change->known = change->seconds = 0.0;
	change->is_seen = false;
}

static WEIR_SIMD WEIR_REALTIME struct likeness
compare(const struct cross *frame, const struct cross *before, const float *power, uint32_t n)
{
	struct likeness sum = { 0 };

	for (uint32_t i = 0; i < n; i++) {
		const float re = before->re[i], im = before->im[i], weight = frame->weight[i];
		const float length = sqrtf(re * re + im * im) + 1e-12f;
		const float agreement = length / (before->weight[i] + 0.5f);
		const float r = agreement < 1.0f ? agreement : 1.0f;

		sum.like += r * r * (frame->re[i] * re + frame->im[i] * im) / length;
		sum.wanted += r * r * r * weight;
		sum.variance += 0.75f * r * r * r * r * weight * weight;
		sum.power += power[i] * weight;
	}
	return sum;
}

/* Is the sound loud, and not fading? */
static WEIR_REALTIME bool is_direct(struct change *change, double power, double hop_seconds)
{
	const double faded = pow(10.0, -FADE_DB_PER_SECOND * hop_seconds / 10.0);

	change->peak = fmax(change->peak * faded, power);
	change->usual = change->usual > 0.0 ? change->usual + hop_seconds / MEAN_SECONDS *
								      (power - change->usual)
					    : power;
	return power >= LEAST_OF_PEAK * change->peak && power >= LEAST_OF_MEAN * change->usual;
}

WEIR_REALTIME void change_watch(struct change *change, const struct cross *frame,
				const struct cross *before, const float *power, double hop_seconds,
				const struct cross_kit *kit)
{
	const struct likeness now = compare(frame, before, power, kit->n);
	const double keep = exp(-hop_seconds / LIKE_SECONDS);

	change->known += hop_seconds;
	if (change->is_seen)
		change->seconds += hop_seconds;
	if (!is_direct(change, (double)now.power, hop_seconds) || change->known < KNOWN_SECONDS ||
	    now.wanted * now.wanted < now.variance)
		return;
	change->like = keep * change->like + (double)now.like;
	change->wanted = keep * change->wanted + (double)now.wanted;
	change->variance = keep * keep * change->variance + (double)now.variance;
	if (change->wanted < SURE * sqrt(change->variance))
		return;
	change->is_seen = change->like < LEAST_LIKE * change->wanted;
	if (!change->is_seen)
		change->seconds = 0.0;
}
