/* SPDX-License-Identifier: MIT */
#include "elsewhere.h"

#include <math.h>

#include "track.h"

#define SWITCH_REACH_SECONDS 0.012 /* of another source in the same room */
#define MATCH_REACH 0.4		   /* of the window: what is further has little of it in common */
#define KNOWN_ACTIVE 1.0
#define DOUBT_SECONDS 0.8e-3
#define NEW_PHASES_SECONDS 1.0 /* of sound: the room has changed, not the delay */
#define SWITCH_DEVIATION 50e-6
#define MOVE_HEIGHT 9.0f
#define MOVE_LEAD 1.35f
#define SWITCH_HEIGHT 7.0f
#define SWITCH_LEAD 1.7f
#define KNOWN_HEIGHT 5.0f
#define DOUBT_HEIGHT 4.5f
#define DOUBT_LEAD 1.5f
#define KNOWN_FRAMES 2

/* Leaves the delay for another one. */
static WEIR_REALTIME void delay_leave(struct track *track)
{
	track->switched = track->time;
	if (track->active >= KNOWN_ACTIVE)
		known_delays_add(&track->known, track->delay);
}

WEIR_REALTIME void track_jump(struct track *track, double delay, float polarity, double time,
			      double first)
{
	delay_leave(track);
	known_delays_advance(&track->known, track->drift * (time - track->time));
	track_sums_clear(track);
	track->time = track->heard = track->switched = time;
	track->delay = delay;
	track->delay_variance = TRACK_START_DEVIATION * TRACK_START_DEVIATION;
	track->covariance = 0.0;
	track->polarity = polarity;
	track->frame = llrint(first * (double)track->context->rate);
	rate_step_reset(&track->rate_step, time, track->active);
}

/* Where the sound comes from now is near; or a talker speaks whose delay is known, or is new. */
static WEIR_REALTIME void talker_change(struct track *track, double lag)
{
	const struct cross_context *context = track->context;

	change_clear(&track->change);

	const uint32_t known = known_delays_find(&track->known, track->delay + lag);
	const bool is_known = known < track->known.n;

	if (!is_known && fabs(lag) < TRACK_REACH_SECONDS) {
		track->moving = 0.8;
		cross_copy(&track->slow, &track->fast, context);
		track_block_clear(track);
		return;
	}

	const double delay = is_known ? track->known.delay[known] : track->delay + lag;

	cross_advance(&track->fast, delay - track->delay, context);
	cross_copy(&track->slow, &track->fast, context);
	track_block_clear(track);
	delay_leave(track);
	track->delay = delay;
	track->delay_variance = SWITCH_DEVIATION * SWITCH_DEVIATION;
	track->covariance = track->moving = track->bad = 0.0;
	track->active = is_known ? KNOWN_ACTIVE : TRACK_FIRST_ACTIVE;
	rate_step_reset(&track->rate_step, track->time, track->active);
	track->n_elsewheres = track->n_jumps = track->n_doubts = 0;
	track->is_block_here = false;
}

WEIR_REALTIME void elsewhere_look(struct track *track)
{
	const struct cross_context *context = track->context;

	const struct cross_peak peak =
		cross_find(&track->weighted, track->lags, SWITCH_REACH_SECONDS, context);
	const bool is_known =
		known_delays_find(&track->known, track->delay + peak.lag) < track->known.n;
	const bool is_far = fabs(peak.lag) > TRACK_REACH_SECONDS;
	const float height = is_known ? KNOWN_HEIGHT : is_far ? SWITCH_HEIGHT : MOVE_HEIGHT;
	const float lead = is_far && !is_known ? SWITCH_LEAD : MOVE_LEAD;
	const uint32_t n_frames = is_known ? KNOWN_FRAMES : TRACK_ELSEWHERES;

	if (fabs(peak.lag) > DOUBT_SECONDS && peak.height > DOUBT_HEIGHT &&
	    peak.height > DOUBT_LEAD * peak.own)
		track->n_doubts++;
	else
		track->n_doubts = 0;
	if (track->change.seconds > NEW_PHASES_SECONDS && fabs(peak.lag) < DOUBT_SECONDS &&
	    peak.height > SWITCH_HEIGHT) {
		change_clear(&track->change);
		cross_copy(&track->slow, &track->fast, context);
	}
	if (peak.height <= height || peak.height <= lead * peak.own) {
		track->n_elsewheres = 0;
		return;
	}
	latest_add(track->elsewhere, &track->n_elsewheres, TRACK_ELSEWHERES, peak.lag);
	if (track->n_elsewheres >= n_frames &&
	    latest_scatter(track->elsewhere + track->n_elsewheres - n_frames, n_frames) < 60e-6)
		talker_change(track, peak.lag);
}

/* The microphone is another time late, and heard as before: what is known of the room stays. */
static WEIR_REALTIME void delay_shift(struct track *track, double seconds)
{
	known_delays_advance(&track->known, seconds);
	track->delay += seconds;
	track->delay_variance = SWITCH_DEVIATION * SWITCH_DEVIATION;
	track->covariance = track->moving = track->bad = 0.0;
	track->switched = track->time;
	track->n_elsewheres = track->n_jumps = track->n_doubts = 0;
	track->is_block_here = false;
	cross_clear(&track->fast, track->context);
	track_block_clear(track);
	rate_step_reset(&track->rate_step, track->time, track->active);
}

WEIR_REALTIME bool elsewhere_match(struct track *track)
{
	const struct cross_context *context = track->context;
	const double reach = MATCH_REACH * CROSS_WINDOW / (double)context->rate;
	const struct cross_peak peak = cross_find(&track->weighted, track->lags, reach, context);

	if (!change_is_jump(&track->change, &peak))
		return false;
	delay_shift(track, peak.lag);
	return true;
}
