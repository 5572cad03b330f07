/* SPDX-License-Identifier: MIT */
#include "pair.h"

#include <math.h>
#include <stdlib.h>

#include "limits.h"

#define MIN_HEIGHT 8.5f
#define MIN_LEAD 1.25f
#define SURE_HEIGHT 15.3f
#define SURE_LEAD 1.5f
#define SURE_ROWS 2
#define SAME_LAG 8
#define REREAD_SECONDS 0.9
#define N_AGREE 2
#define RIVAL_HOPS 8
#define SURE_OWN 2.0f /* over the correlation at the delay that is tracked */
#define CONFIRM_SECONDS 0.8e-3
#define N_DOUBTS 2
#define LOCK_DEVIATION 60e-6
#define UNLOCK_DEVIATION 250e-6
#define LOCK_HEIGHT 7.0f /* of the correlation at the delay, over the deviation of the rest */
#define LOCK_HOPS 3
#define SUPPORT_HEIGHT 6.0f
#define MAX_UNSUPPORTED_SECONDS 6.0 /* of sound */
#define LOCK_ACTIVE 0.8
#define MAX_BAD_SECONDS 3.0
#define NOW_HEIGHT (1.1f * MIN_HEIGHT) /* of what is heard in the latest second */
#define ELSEWHERE_SECONDS 1.2e-3       /* from the delay */
#define ELSEWHERE_NOW_SECONDS 0.9e-3
#define REST_SECONDS 4.0 /* after a hop */
#define REST_NOW_SECONDS 1.0

/* The search knows a drift that is far off, while the loop's blocks are few. */
#define DRIFT_HEIGHT 11.0f
#define DRIFT_ACTIVE 2.5
#define DRIFT_AGE 8.0
#define DRIFT_OFF 60e-6
#define DRIFT_HOPS 3 /* before the latest, which say the same */
#define FAR_DRIFT 375e-6
#define DRIFT_FAR_OFF 160e-6 /* two drifts that the search tells there are 150 ppm apart */
#define DRIFT_DEVIATION 40e-6
#define SURE_DRIFT 20e-6 /* deviation of one that is not doubted */
#define SURE_FAR_DRIFT 5e-6
#define VAGUE_DRIFT 60e-6 /* of one that is not worth keeping */

#define KEPT_DRIFT 5e-6 /* standard deviation of a drift that is kept */

/* Of the drift, at the beginning of tracking. */
#define KEPT_DEVIATION 3e-6
#define TOLD_DEVIATION 10e-6
#define FOUND_DEVIATION 100e-6
#define UNKNOWN_DEVIATION 150e-6

#define TOLD_HOPS 120
#define TOLD_HEIGHT 7.0f
#define TOLD_LEAD 1.1f
#define TOLD_SECONDS 1.5e-3
#define TOLD_LOCK_ACTIVE 0.25
#define TOLD_LOCK_HOPS 1

void pair_allocate(struct pair *pair, const struct front_end_context *front_context,
		   const struct cross_context *cross, const struct drift_tables *drift_tables,
		   uint32_t max_parts, struct arena *arena)
{
	search_allocate(&pair->search, front_context, max_parts, arena);
	track_allocate(&pair->track, cross, drift_tables, arena);
	weights_allocate(&pair->weights, cross, arena);
}

WEIR_REALTIME void pair_forget(struct pair *pair)
{
	search_restart(&pair->search, pair->search.n_parts);
	weights_reset(&pair->weights);
	pair->is_tracking = pair->is_locked = pair->holds = false;
	pair->known = pair->latest = (struct pair_known){ 0 };
	pair->silent = 0.0;
	pair->is_unproven = false;
	pair->n_candidates = pair->n_elsewhere = pair->n_elsewhere_now = pair->n_confirmed = 0;
}

WEIR_REALTIME void pair_reset(struct pair *pair)
{
	search_reset(&pair->search);
	pair_forget(pair);
	pair->n_hops = pair->n_frames = 0;
	pair->time = 0.0;
}

WEIR_REALTIME void pair_limit(struct pair *pair, double seconds)
{
	const double blocks = ceil(seconds * (double)pair->search.context->rate / FRONT_END_BLOCK);
	const uint32_t max = pair->search.max_parts;

	pair->max_lag = (int32_t)(seconds * (double)pair->search.context->rate) + SAME_LAG;

	const uint32_t n_parts = blocks < 1.0 ? 1 : blocks < max ? (uint32_t)blocks : max;

	if (n_parts != pair->search.n_parts)
		search_restart(&pair->search, n_parts);
}

static WEIR_REALTIME double lag_seconds(const struct pair *pair, int32_t lag)
{
	return lag / (double)pair->search.context->rate;
}

/* Counts hops in a row whose peak is at about the same lag; 0 when this one is no peak. */
static WEIR_REALTIME void agree(int32_t *lag, uint32_t *n, bool is_peak, int32_t found)
{
	if (!is_peak)
		*n = 0;
	else if (*n > 0 && found - *lag <= SAME_LAG && *lag - found <= SAME_LAG)
		(*n)++;
	else
		*n = 1;
	*lag = found;
}

static WEIR_REALTIME bool peak_counts(const struct search_peak *peak, float height, float lead,
				      int32_t max_lag)
{
	return peak->height > height && peak->lead > lead && labs(peak->lag) <= max_lag;
}

static WEIR_REALTIME bool is_sure(const struct pair *pair, const struct search_peak *peak)
{
	return peak->height > SURE_HEIGHT && peak->lead > SURE_LEAD &&
	       pair->search.n_rows >= SURE_ROWS;
}

WEIR_REALTIME void pair_tell(struct pair *pair, double delay, double drift, float polarity)
{
	pair->known = (struct pair_known){ true, true, delay, drift, polarity, TOLD_HOPS };
	pair->latest = pair->known;
}

/* Is it where it was said to be? */
static WEIR_REALTIME bool is_as_told(const struct pair *pair, const struct search_peak *peak)
{
	const struct pair_known *known = &pair->known;
	const double delay = known->delay + known->drift * pair->time;

	return known->n_hops > 0 && peak->polarity == known->polarity &&
	       fabs(lag_seconds(pair, peak->lag) - delay) < TOLD_SECONDS;
}

static WEIR_REALTIME void drift_get(const struct pair *pair, const struct search_peak *peak,
				    double *drift, double *deviation)
{
	if (pair->known.is_known) {
		*drift = pair->known.drift;
		*deviation = pair->known.is_told ? TOLD_DEVIATION : KEPT_DEVIATION;
	} else if (pair->search.n_rows == SEARCH_ROWS) {
		*drift = peak->drift;
		*deviation = FOUND_DEVIATION;
	} else {
		*drift = 0.0;
		*deviation = UNKNOWN_DEVIATION;
	}
}

/* What was told does not hold elsewhere: that may be another microphone. */
static WEIR_REALTIME void tracking_begin(struct pair *pair, const struct search_peak *peak,
					 double time)
{
	const double lag = lag_seconds(pair, peak->lag);
	const double first = fmax(0.2, time - fmax(0.0, lag) - REREAD_SECONDS);
	double drift, deviation;

	pair->is_as_told = is_as_told(pair, peak);
	if (pair->known.is_told && !pair->is_as_told)
		pair->known = (struct pair_known){ 0 };
	drift_get(pair, peak, &drift, &deviation);
	track_start(&pair->track, lag, drift, deviation, peak->polarity, time, first);
	pair->is_tracking = true;
	pair->is_locked = pair->holds = false;
	pair->n_frames = pair->track.n_frames;
	pair->n_supported = pair->n_rival = pair->n_opposed = 0;
	pair->n_agreed = pair->is_as_told ? N_AGREE : 0;
	pair->supported = 0.0;
	pair->n_candidates = pair->n_elsewhere = pair->n_elsewhere_now = 0;
}

static WEIR_REALTIME void search_look(struct pair *pair, double time)
{
	const struct search_peak *peak = &pair->search.peak;
	const bool counts = pair->silent == 0.0;
	const bool is_peak = counts && peak_counts(peak, MIN_HEIGHT, MIN_LEAD, pair->max_lag);
	const bool is_told = counts && peak_counts(peak, TOLD_HEIGHT, TOLD_LEAD, pair->max_lag) &&
			     is_as_told(pair, peak);

	agree(&pair->candidate, &pair->n_candidates, is_peak, peak->lag);
	if (is_told || (is_peak && (pair->n_candidates > N_AGREE || is_sure(pair, peak))))
		tracking_begin(pair, peak, time);
	else if (counts && pair->known.n_hops > 0)
		pair->known.n_hops--;
}

/* Not found to be right yet, at all or since a microphone was silent. */
static WEIR_REALTIME bool is_doubtful(const struct pair *pair)
{
	return pair->n_agreed < N_AGREE || pair->is_unproven;
}

/*
 * A reflection can be as high as the direct sound, or nearly: another lag that is the higher one
 * most of the time, while there is sound, is the right one.
 */
static WEIR_REALTIME bool rival_watch(struct pair *pair, double off, double time)
{
	const struct search *search = &pair->search;

	if (search->short_peak.height < MIN_HEIGHT || time - pair->track.switched < REST_SECONDS)
		return false;
	if (fabs(off) < CONFIRM_SECONDS)
		pair->n_rival -= pair->n_rival > 0;
	else if (abs(search->peak.lag - pair->rival) <= 2 * SAME_LAG)
		pair->n_rival++;
	else
		pair->n_rival = 1;
	if (fabs(off) >= CONFIRM_SECONDS)
		pair->rival = search->peak.lag;
	return pair->n_rival > RIVAL_HOPS;
}

/* A first peak that a drift has smeared can be that of half a period, upside down. */
static WEIR_REALTIME bool polarity_is_wrong(struct pair *pair, bool is_peak, double off)
{
	if (!is_peak || fabs(off) >= CONFIRM_SECONDS)
		return false;
	if (pair->search.peak.polarity == pair->track.polarity)
		pair->n_opposed = 0;
	else
		pair->n_opposed++;
	return pair->n_opposed > N_AGREE;
}

/* Has the loop found a drift that its first blocks mistook? What is far off smears them. */
static WEIR_REALTIME bool drift_is_elsewhere(struct pair *pair, const struct search_peak *peak,
					     double time)
{
	const struct track *track = &pair->track;
	const double off = fabs(peak->drift - track->drift),
		     deviation = sqrt(track->drift_variance);

	pair->n_alike = peak->drift == pair->alike ? pair->n_alike + 1 : 0;
	pair->alike = peak->drift;
	return peak->height > DRIFT_HEIGHT && track->active > DRIFT_ACTIVE &&
	       time - track->born < DRIFT_AGE && pair->n_alike >= DRIFT_HOPS &&
	       ((off > DRIFT_OFF && fabs(peak->drift) < FAR_DRIFT && deviation > SURE_DRIFT) ||
		(off > DRIFT_FAR_OFF && deviation > SURE_FAR_DRIFT));
}

/* Has the sound gone elsewhere? */
static WEIR_REALTIME void track_supervise(struct pair *pair, double time)
{
	const struct search_peak *peak = &pair->search.peak, *now = &pair->search.short_peak;
	struct track *track = &pair->track;
	const double off = lag_seconds(pair, peak->lag) - track_delay(track, time);
	const double off_now = lag_seconds(pair, now->lag) - track_delay(track, time - 0.5);
	const bool counts = pair->silent == 0.0;
	const bool is_peak = counts && peak_counts(peak, MIN_HEIGHT, MIN_LEAD, pair->max_lag);
	const bool is_peak_now = counts && peak_counts(now, NOW_HEIGHT, MIN_LEAD, pair->max_lag);

	if (peak->height > SUPPORT_HEIGHT * peak->own || pair->supported > track->active)
		pair->supported = track->active;
	pair->n_supported += peak->height > LOCK_HEIGHT * peak->own;
	if (is_peak && fabs(off) < CONFIRM_SECONDS) {
		pair->n_confirmed++;
		pair->is_unproven &= pair->n_confirmed < N_AGREE;
		pair->n_agreed++;
	} else if (is_peak) {
		pair->n_confirmed = 0;
	}
	if (drift_is_elsewhere(pair, peak, time))
		track_drift_again(track, peak->drift, DRIFT_DEVIATION);
	agree(&pair->elsewhere, &pair->n_elsewhere,
	      is_peak && fabs(off) > ELSEWHERE_SECONDS &&
		      (is_doubtful(pair) || time - track->switched > REST_SECONDS),
	      peak->lag);
	agree(&pair->elsewhere_now, &pair->n_elsewhere_now,
	      is_peak_now && fabs(off_now) > ELSEWHERE_NOW_SECONDS && now->own > SURE_OWN &&
		      time - track->switched > REST_NOW_SECONDS,
	      now->lag);

	const bool is_elsewhere = is_doubtful(pair)
					  ? pair->n_elsewhere > N_AGREE ||
						    (pair->n_elsewhere > 0 && is_sure(pair, peak))
					  : pair->n_elsewhere > N_AGREE + 1 && peak->own > SURE_OWN;
	const bool is_elsewhere_now = pair->n_elsewhere_now > N_AGREE;
	const bool is_other =
		(is_peak && rival_watch(pair, off, time)) || polarity_is_wrong(pair, is_peak, off);
	const struct search_peak *there = is_elsewhere || is_other ? peak : now;

	if (!is_elsewhere && !is_elsewhere_now && !is_other)
		return;
	if (pair->n_agreed < N_AGREE || track->drift_variance >= VAGUE_DRIFT * VAGUE_DRIFT) {
		tracking_begin(pair, there, time);
		return;
	}

	const double lag = lag_seconds(pair, there->lag);

	track_jump(track, lag, there->polarity, time, time - fmax(0.0, lag) - REREAD_SECONDS);
	pair->is_locked = pair->holds = pair->is_unproven = false;
	pair->n_elsewhere = pair->n_elsewhere_now = pair->n_rival = pair->n_opposed = 0;
}

static WEIR_REALTIME void silence_watch(struct pair *pair, const struct front_end *front1,
					const struct front_end *front2)
{
	const double hop = SEARCH_HOP_BLOCKS * FRONT_END_BLOCK / (double)pair->search.context->rate;

	if (front_end_is_gone(front1) || front_end_is_gone(front2)) {
		pair->silent += hop;
	} else if (pair->silent > 0.0) {
		if (pair->silent > 0.2) {
			search_restart(&pair->search, pair->search.n_parts);
			pair->is_unproven = true;
		}
		pair->silent = 0.0;
	}
	if (pair->silent > 0.0)
		pair->n_confirmed = 0;
}

static WEIR_REALTIME void hop_look(struct pair *pair, const struct front_end *front1,
				   const struct front_end *front2)
{
	struct search *search = &pair->search;
	const struct track *track = &pair->track;
	const double rate = (double)search->context->rate;
	const double time = (double)(search->n_blocks * FRONT_END_BLOCK) / rate;

	silence_watch(pair, front1, front2);
	if (pair->is_tracking)
		track_supervise(pair, time);
	else
		search_look(pair, time);
	search->is_lag_known = pair->is_tracking;
	search->is_drift_known = pair->is_tracking && time - track->born >= DRIFT_AGE;
	search->known_lag = (int32_t)lrint(track_delay(track, time) * rate);
	search->known_drift = track->drift;
}

static WEIR_REALTIME uint32_t tracking_step(struct pair *pair, const struct front_end *front1,
					    const struct front_end *front2)
{
	struct track *track = &pair->track;
	uint32_t cost = weights_step(&pair->weights);

	if (cost > 0)
		return cost;
	cost = track_step(track, front1, front2);
	if (track->n_frames != pair->n_frames) {
		pair->n_frames = track->n_frames;
		weights_add(&pair->weights, track->latest.power);
	}
	return cost;
}

WEIR_REALTIME uint32_t pair_step(struct pair *pair, const struct front_end *front1,
				 const struct front_end *front2)
{
	uint32_t cost = pair->is_tracking ? tracking_step(pair, front1, front2) : 0;

	if (cost == 0)
		cost = search_step(&pair->search, front1, front2);
	if (cost == 0 && pair->is_tracking)
		cost = track_drift_step(&pair->track);
	if (pair->search.n_hops != pair->n_hops) {
		pair->n_hops = pair->search.n_hops;
		hop_look(pair, front1, front2);
	}
	return cost;
}

static WEIR_REALTIME struct pair_known known_now(const struct pair *pair)
{
	const struct track *track = &pair->track;

	return (struct pair_known){ .is_known = true,
				    .delay = track_delay(track, pair->time),
				    .drift = track->drift,
				    .polarity = track->polarity };
}

/* What was tracked has not agreed for long. The clock is still the same. */
static WEIR_REALTIME void tracking_end(struct pair *pair)
{
	struct track *track = &pair->track;

	if (track->drift_variance < KEPT_DRIFT * KEPT_DRIFT)
		pair->known = known_now(pair);
	pair->is_tracking = pair->is_locked = pair->holds = false;
	pair->n_candidates = 0;
	pair->search.is_lag_known = pair->search.is_drift_known = false;
}

WEIR_REALTIME void pair_judge(struct pair *pair, const struct front_end *front1,
			      const struct front_end *front2, bool is_held)
{
	const struct track *track = &pair->track;
	const bool is_silent =
		pair->silent > 0.0 || front_end_is_gone(front1) || front_end_is_gone(front2);

	pair->time = (double)front1->n_samples / (double)pair->search.context->rate;
	if (pair->is_tracking && fabs(track_delay(track, pair->time)) > ALIGN_MAX_LAG_SECONDS)
		tracking_end(pair);
	if (!pair->is_tracking || is_held)
		return;

	const double deviation = track_deviation(track, pair->time);
	const bool is_sure = track->active > (pair->is_as_told ? TOLD_LOCK_ACTIVE : LOCK_ACTIVE) &&
			     pair->n_supported >= (pair->is_as_told ? TOLD_LOCK_HOPS : LOCK_HOPS) &&
			     pair->n_agreed >= N_AGREE;

	if (deviation > UNLOCK_DEVIATION && pair->is_locked) {
		pair->is_unproven = true;
		pair->n_confirmed = 0;
	}
	if (deviation < LOCK_DEVIATION && is_sure && !pair->is_unproven)
		pair->is_locked = true;
	if (is_silent || pair->is_unproven || deviation > UNLOCK_DEVIATION || track->change.is_seen)
		pair->is_locked = false;
	if (!is_silent)
		pair->holds = pair->is_locked;
	if (pair->is_locked)
		pair->latest = known_now(pair);
	if (track->n_doubts >= N_DOUBTS)
		pair->is_locked = false;
	if (track->bad > MAX_BAD_SECONDS ||
	    track->active - pair->supported > MAX_UNSUPPORTED_SECONDS)
		tracking_end(pair);
}
