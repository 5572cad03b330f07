/* SPDX-License-Identifier: MIT */

/*
 * Half a period ahead, the time of the next beat is predicted: it is where the past accents at
 * whole periods before it are strongest, with weights that decay into the past, and with a
 * preference for the time expected from the latest beat. So a beat is reported when it happens and
 * not after its detection: compare A. Stark, M. Davies and M. Plumbley, "Real-time beat-synchronous
 * analysis of musical audio" (DAFx 2009).
 */

#include "beats.h"

#include <math.h>

#include "dsp/minmax.h"
#include "onsets.h"

/*
 * The bench has no table of beats. On its clicks, drums and notes at 60 to 180 bpm, from 8 s on,
 * all beats are within 50 ms of the truth, with half and with twice each of these values (KEEP:
 * 0.4, 0.95; ELSEWHERE: 0.3, 0.9).
 */
#define KEEP 0.8f      /* of the strength of an accent, per period */
#define REACH 0.15f    /* of a period: a beat moves this far with little loss of weight */
#define ELSEWHERE 0.6f /* of the strength further away */
#define MIN_STEP 0.2f  /* of a period, until the next beat */

WEIR_REALTIME void beats_reset(struct beats *beats)
{
	*beats = (struct beats){ 0 };
}

/* The strength of a series of beats whose latest is `ago` steps in the past. */
static WEIR_REALTIME float strength_find(const struct tempo *tempo, float ago)
{
	const float *past = tempo_past(tempo);
	float sum = 0.0f, weight = 1.0f;

	for (; ago + 2.0f < TEMPO_PAST; ago += tempo->period) {
		const uint32_t at = (uint32_t)ago;
		const float part = ago - (float)at;

		sum += weight * (past[at] * (1.0f - part) + past[at + 1] * part);
		weight *= KEEP;
	}
	return sum;
}

/* Transition weight of a beat `ago` steps in the past: 1 at the expected time. */
static WEIR_REALTIME float preference(float ago, float expected, float period)
{
	const float off = fabsf(ago - expected) / period;
	const float reach = min_f32(off, 1.0f - off) / REACH;

	return ELSEWHERE + (1.0f - ELSEWHERE) * max_f32(1.0f - reach * reach, 0.0f);
}

/* Returns the steps since the latest beat. expected: their prediction, 0 to the period, or NaN. */
static WEIR_REALTIME float latest_find(const struct tempo *tempo, float expected)
{
	const float period = tempo->period;
	float before = strength_find(tempo, period - 1.0f), now = strength_find(tempo, 0.0f);
	float latest = 0.0f, max = -1.0f;

	for (float ago = 0.0f; ago < period; ago += 1.0f) {
		const float after = strength_find(tempo, ago + 1.0f);
		const float bend = 2.0f * now - before - after;
		float strength = now + 0.5f * (before + after);

		if (!isnan(expected))
			strength *= preference(ago, expected, period);
		if (strength > max) {
			max = strength;
			latest = ago;
			if (bend > 1e-6f && now >= before && now >= after)
				latest += 0.5f * (after - before) / bend;
		}
		before = now;
		now = after;
	}
	return latest;
}

static WEIR_REALTIME void next_find(struct beats *beats, const struct tempo *tempo)
{
	const float period = tempo->period, delay = ONSETS_ACCENT_AGE / tempo->step_seconds;
	float expected = NAN, soonest = 0.0f;

	if (beats->started) {
		expected = fmodf(period - beats->next - delay, period);
		if (expected < 0.0f)
			expected += period;
		soonest = MIN_STEP * period;
	}
	beats->next = period - delay - latest_find(tempo, expected);
	while (beats->next < soonest)
		beats->next += period;
	beats->started = beats->looked = true;
}

WEIR_REALTIME float beats_step(struct beats *beats, const struct tempo *tempo)
{
	float ago = NAN;

	if (tempo->period == 0.0f) {
		beats->started = false;
		return NAN;
	}
	beats->next -= 1.0f;
	if (!beats->started || (!beats->looked && beats->next < 0.5f * tempo->period))
		next_find(beats, tempo);
	if (beats->next <= 0.0f) {
		ago = -beats->next * tempo->step_seconds;
		beats->next += tempo->period;
		beats->looked = false;
	}
	return ago;
}
