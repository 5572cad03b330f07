/* SPDX-License-Identifier: MIT */
#include "pair.h"

#include <math.h>
#include <stdlib.h>

#include "limits.h"

/*
 * Figures of bench/align, seed 0, when one is changed alone. As it is, false locks take 4.3 s, and
 * delays are within a frame after 1.4 s. Those of a prior are of 22 scenes, seeds 0 and 1, that
 * begin with the true one: mean lock after 1.19 s.
 */
#define REREAD_SECONDS 0.9 /* 0.45: "loud" locks after 5.0 s, not 3.9 s; 1.1: false lock 3.1 s */
#define MIN_START 0.2	   /* seconds; nothing before is tracked. 0.1: within a frame after 1.6 s */
#define KEPT_DRIFT 5e-6 /* standard deviation of a drift that is kept. 2.5 and 10 ppm: the same */

/* Standard deviation of the drift, when tracking starts. */
#define KEPT_DEVIATION 3e-6	 /* a clock within minutes. 1.5 and 6 ppm: the same */
#define RESTORED_DEVIATION 10e-6 /* a clock after days. 5 and 100 ppm: the same */
#define FOUND_DEVIATION 100e-6	 /* two steps of the search. 50 and 200 ppm: the same */
#define UNKNOWN_DEVIATION 150e-6 /* three steps. 75 ppm: "close" drift RMSE 0.18 ppm, not 0.10 */
#define REFUTED_DEVIATION 40e-6	 /* a step of the search, as its drift. 20, 80 ppm: the same */

/* Of a prior. */
#define PRIOR_HOPS 120	     /* of the search, 31 s; 30: the same; 4: one lock after 7.3 s */
#define PRIOR_HEIGHT 7.0f    /* deviations. 5.5: the same; 8.5: mean lock 1.35 s */
#define PRIOR_LEAD 1.1f	     /* 1: the same; 1.25: mean lock 1.27 s */
#define PRIOR_SECONDS 1.5e-3 /* the reach of the loop. 0.75 and 3 ms: the same */

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
	supervisor_reset(&pair->supervisor);
	pair->prior = pair->latest = (struct pair_prior){ 0 };
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

	pair->supervisor.max_lag =
		(int32_t)(seconds * (double)pair->search.context->rate) + SUPERVISE_SAME_LAG;

	const uint32_t n_parts = blocks < 1.0 ? 1 : blocks < max ? (uint32_t)blocks : max;

	if (n_parts != pair->search.n_parts)
		search_restart(&pair->search, n_parts);
}

static WEIR_REALTIME double lag_seconds(const struct pair *pair, int32_t lag)
{
	return lag / (double)pair->search.context->rate;
}

WEIR_REALTIME void pair_set_prior(struct pair *pair, double delay, double drift, float polarity)
{
	pair->prior = (struct pair_prior){ PAIR_RESTORED, delay, drift, polarity, PRIOR_HOPS };
	pair->latest = pair->prior;
}

static WEIR_REALTIME bool is_at_prior(const struct pair *pair, const struct search_peak *peak)
{
	const struct pair_prior *prior = &pair->prior;
	const double delay = prior->delay + prior->drift * pair->time;

	return prior->n_hops > 0 && peak->polarity == prior->polarity &&
	       fabs(lag_seconds(pair, peak->lag) - delay) < PRIOR_SECONDS;
}

static WEIR_REALTIME void drift_get(const struct pair *pair, const struct search_peak *peak,
				    double *drift, double *deviation)
{
	if (pair->prior.source != PAIR_NO_PRIOR) {
		*drift = pair->prior.drift;
		*deviation =
			pair->prior.source == PAIR_RESTORED ? RESTORED_DEVIATION : KEPT_DEVIATION;
	} else if (pair->search.n_rows == SEARCH_ROWS) {
		*drift = peak->drift;
		*deviation = FOUND_DEVIATION;
	} else {
		*drift = 0.0;
		*deviation = UNKNOWN_DEVIATION;
	}
}

/* A prior of an earlier run is dropped at another delay: it may be of another microphone. */
static WEIR_REALTIME void tracking_begin(struct pair *pair, const struct search_peak *peak,
					 double time)
{
	const double lag = lag_seconds(pair, peak->lag);
	const double first = fmax(MIN_START, time - fmax(0.0, lag) - REREAD_SECONDS);
	const bool at_prior = is_at_prior(pair, peak);
	double drift, deviation;

	if (pair->prior.source == PAIR_RESTORED && !at_prior)
		pair->prior = (struct pair_prior){ 0 };
	drift_get(pair, peak, &drift, &deviation);
	track_start(&pair->track, lag, drift, deviation, peak->polarity, time, first);
	supervisor_start(&pair->supervisor, at_prior);
	pair->n_frames = pair->track.n_frames;
}

static WEIR_REALTIME void search_look(struct pair *pair, double time)
{
	struct supervisor *supervisor = &pair->supervisor;
	const struct search_peak *peak = &pair->search.peak;
	const bool at_prior = supervisor_is_peak(supervisor, peak, PRIOR_HEIGHT, PRIOR_LEAD) &&
			      is_at_prior(pair, peak);

	if (supervisor_accepts(supervisor, &pair->search) || at_prior)
		tracking_begin(pair, peak, time);
	else if (supervisor->silence == 0.0 && pair->prior.n_hops > 0)
		pair->prior.n_hops--;
}

static WEIR_REALTIME void track_move(struct pair *pair, const struct search_peak *peak, double time)
{
	const double lag = lag_seconds(pair, peak->lag);

	if (supervisor_is_new(&pair->supervisor, &pair->track.loop)) {
		tracking_begin(pair, peak, time);
		return;
	}
	track_jump(&pair->track, lag, peak->polarity, time, time - fmax(0.0, lag) - REREAD_SECONDS);
	supervisor_move(&pair->supervisor);
}

static WEIR_REALTIME void track_review(struct pair *pair, double time)
{
	struct supervisor *supervisor = &pair->supervisor;
	const struct search *search = &pair->search;
	const enum supervise_verdict verdict =
		supervisor_review(supervisor, search, &pair->track.loop, time);

	if (supervisor_refutes_drift(supervisor, &search->peak, &pair->track.loop, time))
		loop_drift_again(&pair->track.loop, search->peak.drift, REFUTED_DEVIATION);
	if (verdict != SUPERVISE_STAY)
		track_move(pair, verdict == SUPERVISE_MOVE ? &search->peak : &search->short_peak,
			   time);
}

static WEIR_REALTIME void hop_look(struct pair *pair, const struct front_end *front1,
				   const struct front_end *front2)
{
	struct search *search = &pair->search;
	const struct loop *loop = &pair->track.loop;
	const double rate = (double)search->context->rate;
	const double time = (double)(search->n_blocks * FRONT_END_BLOCK) / rate;
	const bool is_silent = front_end_is_gone(front1) || front_end_is_gone(front2);

	if (supervisor_silence(&pair->supervisor, is_silent,
			       SEARCH_HOP_BLOCKS * FRONT_END_BLOCK / rate))
		search_restart(search, search->n_parts);
	if (supervisor_is_tracking(&pair->supervisor))
		track_review(pair, time);
	else
		search_look(pair, time);
	search->is_lag_known = supervisor_is_tracking(&pair->supervisor);
	search->is_drift_known = search->is_lag_known && time - loop->born >= SUPERVISE_DRIFT_AGE;
	search->known_lag = (int32_t)lrint(loop_delay(loop, time) * rate);
	search->known_drift = loop->kalman.drift;
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
	uint32_t cost =
		supervisor_is_tracking(&pair->supervisor) ? tracking_step(pair, front1, front2) : 0;

	if (cost == 0)
		cost = search_step(&pair->search, front1, front2);
	if (cost == 0 && supervisor_is_tracking(&pair->supervisor))
		cost = track_drift_step(&pair->track);
	if (pair->search.n_hops != pair->n_hops) {
		pair->n_hops = pair->search.n_hops;
		hop_look(pair, front1, front2);
	}
	return cost;
}

static WEIR_REALTIME struct pair_prior prior_now(const struct pair *pair)
{
	const struct loop *loop = &pair->track.loop;

	return (struct pair_prior){ .source = PAIR_KEPT,
				    .delay = loop_delay(loop, pair->time),
				    .drift = loop->kalman.drift,
				    .polarity = loop->polarity };
}

/* Keeps the drift: the clock is still the same. */
static WEIR_REALTIME void tracking_end(struct pair *pair)
{
	if (pair->track.loop.kalman.drift_variance < KEPT_DRIFT * KEPT_DRIFT)
		pair->prior = prior_now(pair);
	supervisor_handle(&pair->supervisor, SUPERVISE_LOST);
	pair->supervisor.candidate.count = 0;
	pair->search.is_lag_known = pair->search.is_drift_known = false;
}

WEIR_REALTIME void pair_judge(struct pair *pair, const struct front_end *front1,
			      const struct front_end *front2, bool is_held)
{
	struct supervisor *supervisor = &pair->supervisor;
	const struct loop *loop = &pair->track.loop;
	const bool is_silent = front_end_is_gone(front1) || front_end_is_gone(front2);

	pair->time = (double)front1->n_samples / (double)pair->search.context->rate;
	if (supervisor_is_tracking(supervisor) &&
	    fabs(loop_delay(loop, pair->time)) > ALIGN_MAX_LAG_SECONDS)
		tracking_end(pair);
	if (!supervisor_is_tracking(supervisor) || is_held)
		return;
	supervisor_judge(supervisor, loop, is_silent, pair->time);
	if (supervisor_is_locked(supervisor))
		pair->latest = prior_now(pair);
	if (supervisor_doubt(supervisor, loop))
		tracking_end(pair);
}
