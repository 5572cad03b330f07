/* SPDX-License-Identifier: MIT */

/*
 * A closed loop: frames of both sounds are cut where the delay says they are the same, and what is
 * left of it is measured in the sum of their cross-spectra. After each correction the sums are
 * turned along, so that they need not be forgotten. A Kalman filter of delay and drift weighs the
 * measurements, but leaves the drift to drift.c. A fast sum tells when the source moves.
 */

#include "track.h"

#include <math.h>

#include "dsp/simd.h"
#include "elsewhere.h"
#include "limits.h"

enum {
	FIRST_SPECTRUM,
	SECOND_SPECTRUM,
	COMPARE,
	MATCH,
	MATCH_TRANSFORM,
	MATCH_LOOK,
	ACCUMULATE,
	LOOK_WEIGH,
	LOOK_TRANSFORM,
	LOOK_AROUND,
	WEIGH,
	TRANSFORM,
	MEASURE,
};

#define MIN_ACTIVITY 0.006f
#define MAX_TAU 3.0
#define MOVING_TAU 0.25
#define MISFIT_TAU 0.8
#define FAST_TAU 0.3
#define MAX_QUIET_SECONDS 8.0
#define MIN_FRESH 3e-3 /* speech has that after some frames, noise not by chance */
#define FIRST_BLOCK_SECONDS 0.25
#define BLOCK_SECONDS 1.5
#define MAX_LATE_SECONDS 2.8f

#define KNOWN_DRIFT 20e-6
#define RATE_STEP_DEVIATION 28e-6 /* not known: blocks are taken again */
#define MIN_AGREEMENT 0.11f
#define JUMP_SECONDS 80e-6

void track_allocate(struct track *track, const struct cross_context *context,
		    const struct drift_tables *drift_tables, struct arena *arena)
{
	track->context = context;
	frame_allocate(&track->latest, context, arena);
	cross_allocate(&track->slow, context, arena);
	cross_allocate(&track->fast, context, arena);
	cross_allocate(&track->block, context, arena);
	cross_weighted_allocate(&track->weighted, context, arena);
	track->lags = arena_floats(arena, CROSS_FINE);
	drift_allocate(&track->blocks, drift_tables, arena);
}

WEIR_REALTIME void track_block_clear(struct track *track)
{
	cross_clear(&track->block, track->context);
	track->block_active = track->block_time = track->block_weight = 0.0;
}

WEIR_REALTIME void track_sums_clear(struct track *track)
{
	cross_clear(&track->slow, track->context);
	cross_clear(&track->fast, track->context);
	track_block_clear(track);
	track->active = track->fresh = track->quiet = 0.0;
	track->bad = track->moving = track->boost = 0.0;
	track->n_elsewheres = track->n_jumps = track->n_doubts = 0;
	track->is_block_here = false;
	change_clear(&track->change);
	track->stage = FIRST_SPECTRUM;
}

WEIR_REALTIME void track_start(struct track *track, double delay, double drift,
			       double drift_deviation, float polarity, double time, double first)
{
	track_sums_clear(track);
	drift_reset(&track->blocks);
	track->time = track->born = track->heard = track->switched = time;
	track->known.n = 0;
	track->change = (struct change){ 0 };
	track->delay = delay;
	track->delay_variance = TRACK_START_DEVIATION * TRACK_START_DEVIATION;
	track_drift_set(track, drift, drift_deviation);
	track->polarity = polarity;
	track->misfit = 1.0;
	track->agreement = 0.0f;
	track->frame = llrint(first * (double)track->context->rate);
	rate_step_reset(&track->rate_step, time, track->active);
}

WEIR_REALTIME void track_drift_set(struct track *track, double drift, double deviation)
{
	track->drift = fmin(fmax(drift, -ALIGN_MAX_DRIFT), ALIGN_MAX_DRIFT);
	track->drift_variance = deviation * deviation;
	track->covariance = 0.0;
}

WEIR_REALTIME void track_drift_again(struct track *track, double drift, double deviation)
{
	track_drift_set(track, drift, deviation);
	drift_reset(&track->blocks);
	track_block_clear(track);
}

static WEIR_REALTIME bool frame_is_heard(struct track *track, const struct front_end *front1,
					 const struct front_end *front2)
{
	/* What is not there any more: it was held, or the search was late. */
	if (track->frame + (int64_t)(MAX_LATE_SECONDS * track->context->rate) <
	    (int64_t)front1->n_samples)
		track->frame = (int64_t)front1->n_samples;

	const double before = -fmin(track_position_2(track), (double)track->frame);
	const double slowest = TRACK_HOP * (1.0 + fmin(track->drift, 0.0));

	if (before > 0.0)
		track->frame += TRACK_HOP * (int64_t)ceil(before / slowest);

	const double end = fmax(track_position_2(track), (double)track->frame) + CROSS_WINDOW + 32;

	return end <= (double)front1->n_samples && end <= (double)front2->n_samples;
}

static WEIR_REALTIME void predict(struct track *track, double time)
{
	const double ahead = time - track->time;
	const double delay_noise = 0.4e-6 * 0.4e-6 + track->boost;
	const double drift_noise = track->active > 15.0 ? 0.06e-6 : 0.3e-6;

	track->delay += track->drift * ahead;
	known_delays_advance(&track->known, track->drift * ahead);
	track->delay_variance +=
		ahead * (2.0 * track->covariance + ahead * track->drift_variance + delay_noise);
	track->covariance += ahead * track->drift_variance;
	track->drift_variance += ahead * drift_noise * drift_noise;
	track->time = time;
}

/* Otherwise what looks like a walk may be the drift. */
static WEIR_REALTIME bool drift_is_known(const struct track *track)
{
	return track->drift_variance < KNOWN_DRIFT * KNOWN_DRIFT;
}

static WEIR_REALTIME double slow_tau(const struct track *track)
{
	const double tau = track->moving > 0.0	 ? MOVING_TAU
			   : track->misfit < 1.5 ? MAX_TAU
						 : MISFIT_TAU;

	return fmin(tau, fmax(0.4, 0.6 * track->active));
}

static WEIR_REALTIME double hop_seconds(const struct track *track)
{
	return TRACK_HOP / (double)track->context->rate;
}

static WEIR_REALTIME void accumulate(struct track *track)
{
	const struct cross_context *context = track->context;
	const double hop = hop_seconds(track);
	const double weight = (double)track->latest.activity;

	/* What was heard long ago says nothing of now. */
	track->quiet = track->latest.activity <= MIN_ACTIVITY ? track->quiet + hop : 0.0;
	if (track->quiet > MAX_QUIET_SECONDS) {
		cross_clear(&track->slow, track->context);
		change_clear(&track->change);
		track->fresh = 0.0;
	}

	/* After a pause somebody else may speak. */
	cross_add(&track->fast, &track->latest.cross, (float)exp(-hop / FAST_TAU), context);
	if (track->change.is_seen) {
		track_block_clear(track);
		return;
	}
	if (track->latest.activity <= MIN_ACTIVITY) {
		cross_add(&track->slow, &track->latest.cross, 1.0f, context);
		return;
	}
	cross_add(&track->slow, &track->latest.cross, (float)exp(-hop / slow_tau(track)), context);
	if (track->moving > 0.0 && drift_is_known(track)) {
		track_block_clear(track);
		return;
	}
	cross_add(&track->block, &track->latest.cross, 1.0f, context);
	track->block_active += hop;
	track->block_time += weight * track->centre;
	track->block_weight += weight;
}

static WEIR_REALTIME void correct(struct track *track, double seconds)
{
	track->delay += seconds;
	track->rate_step.seconds += seconds;
	cross_advance(&track->slow, seconds, track->context);
	cross_advance(&track->fast, seconds, track->context);
	cross_advance(&track->block, seconds, track->context);
	track->corrected += seconds;
}

/* Far off, again and again at the same place: the source has jumped, or walks. */
static WEIR_REALTIME bool jump_is_sure(struct track *track, double lag)
{
	latest_add(track->jump, &track->n_jumps, TRACK_JUMPS, lag);
	track->bad += 0.3 * hop_seconds(track);
	if (track->moving > 0.0)
		return true;
	return track->n_jumps >= TRACK_JUMPS &&
	       latest_scatter(track->jump, track->n_jumps) < 100e-6;
}

static WEIR_REALTIME void rate_step_watch(struct track *track)
{
	const double rate = rate_step_detect(&track->rate_step, track->time, track->active);

	if (rate == 0.0 || !drift_is_known(track))
		return;
	track_drift_again(track, track->drift + rate, RATE_STEP_DEVIATION);
	track->moving = 0.0;
}

static WEIR_REALTIME void measure(struct track *track)
{
	const struct cross_context *context = track->context;
	const double hop = hop_seconds(track), tau = slow_tau(track);

	const struct cross_peak peak =
		cross_find(&track->weighted, track->lags, TRACK_REACH_SECONDS, context);
	const double window = CROSS_WINDOW / (double)context->rate;
	const double n = fmax(2.0, 2.0 * fmin(tau, track->active) / window);
	const double agreement = (double)peak.agreement;
	const double likely = 1.0 / (0.5 * peak.slope * n * agreement * agreement + 1e-9);
	const double n_alike = fmax(1.0, 2.0 * tau / hop);
	const double room = track->blocks.n_added > 10 ? 12e-6 : 4e-6;
	const double noise = (likely + room * room) * n_alike;
	double variance = track->delay_variance + noise;

	track->agreement = peak.agreement;
	track->misfit = 0.97 * track->misfit + 0.03 * fmin(peak.lag * peak.lag / variance, 25.0);
	if (peak.agreement < MIN_AGREEMENT || track->change.is_seen) {
		track->bad += hop;
		return;
	}
	if (fabs(peak.lag) > 6.0 * sqrt(variance) && fabs(peak.lag) > JUMP_SECONDS) {
		if (!jump_is_sure(track, peak.lag))
			return;
		track->delay_variance += TRACK_START_DEVIATION * TRACK_START_DEVIATION;
		variance = track->delay_variance + noise;
		track->covariance = 0.0;
		if (drift_is_known(track))
			track->moving = 1.0;
	} else {
		track->n_jumps = 0;
		track->bad = fmax(0.0, track->bad - hop);
	}
	track->moving = fmax(0.0, track->moving - hop);
	if (track->moving > 0.0)
		track->boost = 60e-6 * 60e-6;
	else if (track->active > 4.0)
		track->boost = 8e-6 * 8e-6 * pow(fmax(0.0, track->misfit - 2.0), 2.0);
	else
		track->boost = 0.0;

	const double gain = track->delay_variance / variance;

	track->covariance *= 1.0 - gain;
	track->delay_variance = fmax(track->delay_variance * (1.0 - gain), 1e-12);
	correct(track, gain * peak.lag);
	rate_step_watch(track);
}

static WEIR_REALTIME void block_end(struct track *track)
{
	const double time = track->block_time / track->block_weight;

	drift_add(&track->blocks, &track->block, time,
		  track->delay - track->drift * (track->time - time), track->drift,
		  track->block_active, track->time);
	track->corrected = 0.0;
	track->is_block_here = true;
	track_block_clear(track);
}

static WEIR_REALTIME void estimate_apply(struct track *track)
{
	const struct drift_estimate *estimate = &track->blocks.estimate;

	track->blocks.stage = DRIFT_IDLE;
	if (estimate->has_drift) {
		const double spread = 30e-6 / estimate->span;

		track->drift = estimate->drift;
		track->drift_variance =
			fmin(track->drift_variance, spread * spread + 0.15e-6 * 0.15e-6);
		track->covariance = 0.0;
	}
	if (!estimate->has_delay || !track->is_block_here || track->moving > 0.0)
		return;

	const uint32_t n = estimate->n_like < 16 ? estimate->n_like : 16;
	const double noise = 12e-6 * 12e-6 / n + 1.5e-6 * 1.5e-6;
	double gain = track->delay_variance / (track->delay_variance + noise);

	if (n >= 3)
		gain = fmax(gain, 0.25);
	track->delay_variance = fmax(track->delay_variance * (1.0 - gain), 1e-12);
	track->covariance = 0.0;
	correct(track, gain * (estimate->lag - track->corrected));
}

/* Short at first, so that the drift does not smear them and is known soon. */
static WEIR_REALTIME double block_seconds(uint32_t n)
{
	return n < 8 ? FIRST_BLOCK_SECONDS : n < 14 ? 2.0 * FIRST_BLOCK_SECONDS : BLOCK_SECONDS;
}

static WEIR_REALTIME void compared(struct track *track)
{
	const double hop = hop_seconds(track);
	const double wanted = block_seconds(track->blocks.n_added);

	track->stage = FIRST_SPECTRUM;
	track->frame += TRACK_HOP;
	accumulate(track);
	track->n_frames++;
	if (track->block_active >= wanted && track->blocks.stage == DRIFT_IDLE)
		block_end(track);
	if (track->latest.activity <= MIN_ACTIVITY)
		return;
	track->active += hop;
	track->fresh += hop * (double)track->latest.activity;
	if (track->fresh < MIN_FRESH)
		return;
	track->heard = track->time;
	if (track->active >= TRACK_FIRST_ACTIVE)
		track->stage = track->blocks.n_added >= 4 ? LOOK_WEIGH : WEIGH;
}

/* Leaves a frame out in which a microphone was silent: it would tell of the silence. */
static WEIR_REALTIME void first_spectrum(struct track *track, const struct front_end *front1,
					 const struct front_end *front2)
{
	const int64_t second = (int64_t)floor(track_position_2(track));

	if (!front_end_is_whole(front1, track->frame, CROSS_WINDOW) ||
	    !front_end_is_whole(front2, second, CROSS_WINDOW)) {
		track->frame += TRACK_HOP;
		return;
	}
	frame_hear(&track->latest, front1, 0, track->frame);
	track->stage = SECOND_SPECTRUM;
}

static WEIR_REALTIME void match(struct track *track)
{
	const struct cross_context *context = track->context;
	const double position = track_position_2(track);
	const bool was_seen = track->change.is_seen;
	struct frame *latest = &track->latest;

	cross_advance(&latest->cross, (position - floor(position)) / (double)context->rate,
		      context);
	track->centre = (double)(track->frame + CROSS_WINDOW / 2) / (double)context->rate;
	if (track->centre > track->time)
		predict(track, track->centre);
	if (latest->activity <= MIN_ACTIVITY) {
		track->stage = ACCUMULATE;
		return;
	}
	change_watch(&track->change, &latest->cross, &track->slow, latest->power[0],
		     hop_seconds(track), &track->weighted, context);
	cross_weighted_measure(&track->weighted, context);
	if (track->change.is_seen && !was_seen)
		cross_clear(&track->fast, context); /* who spoke before would hide who speaks now */
}

/* Returns the microseconds that it takes. */
static WEIR_REALTIME uint32_t frame_step(struct track *track, const struct front_end *front1,
					 const struct front_end *front2)
{
	const struct cross_context *context = track->context;

	switch (track->stage++) {
	case FIRST_SPECTRUM:
		track->stage = FIRST_SPECTRUM;
		first_spectrum(track, front1, front2);
		return 6;
	case SECOND_SPECTRUM:
		frame_hear(&track->latest, front2, 1, (int64_t)floor(track_position_2(track)));
		return 5;
	case COMPARE:
		frame_compare(&track->latest, front1, front2, track->polarity);
		return 9;
	case MATCH:
		match(track);
		return 8;
	case MATCH_LOOK:
		if (elsewhere_match(track)) {
			track->frame +=
				TRACK_HOP; /* this one was read where nothing is heard now */
			track->stage = FIRST_SPECTRUM;
		}
		return 6;
	case ACCUMULATE:
		compared(track);
		return 3;
	case LOOK_WEIGH:
		cross_weigh(&track->fast, 0.95f, false, &track->weighted, context);
		return 4;
	case WEIGH:
		cross_weigh(&track->slow, 0.98f, true, &track->weighted, context);
		return 4;
	case MATCH_TRANSFORM:
	case LOOK_TRANSFORM:
	case TRANSFORM:
		cross_transform(&track->weighted, track->lags, context);
		return 9;
	case LOOK_AROUND:
		elsewhere_look(track);
		return 6;
	default:
		measure(track);
		track->stage = FIRST_SPECTRUM;
		return 7;
	}
}

WEIR_REALTIME uint32_t track_step(struct track *track, const struct front_end *front1,
				  const struct front_end *front2)
{
	if (track->stage != FIRST_SPECTRUM || frame_is_heard(track, front1, front2))
		return frame_step(track, front1, front2);
	return 0;
}

WEIR_REALTIME uint32_t track_drift_step(struct track *track)
{
	if (track->stage != FIRST_SPECTRUM)
		return 0;
	if (track->blocks.stage != DRIFT_DONE)
		return drift_step(&track->blocks);
	estimate_apply(track);
	return 4;
}
