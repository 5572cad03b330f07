/* SPDX-License-Identifier: MIT */

/*
 * A closed loop: frames of both microphones are read at the predicted delay, and the remaining lag
 * is measured in the sum of their cross-spectra. After each correction the sums are rotated by it,
 * so that they stay valid. A Kalman filter of delay and drift weights the measurements, but leaves
 * the drift to drift.c. A fast sum shows when the source moves.
 */

#include "loop.h"

#include <math.h>

#include "limits.h"

/*
 * Figures of bench/align, seed 0, when one is changed alone. As it is: false lock 4.3 s, delay RMSE
 * 0.17 frames, drift RMSE 0.07 ppm ("drift"). First, time constants of the sums, seconds.
 */
#define MAX_TAU 3.0	      /* of the slow sum. 1.5: false lock 6.2 s; 6: 4.2 s */
#define MISFIT_TAU 0.8	      /* while corrections are too large. 0.4 and 1.6: the same */
#define MOVING_TAU 0.25	      /* while the source moves. 0.12: the same; 0.5: false lock 3.0 s */
#define MIN_TAU 0.4	      /* three frames without overlap */
#define TAU_SHARE 0.6	      /* of the sound so far: its beginning is aligned the least */
#define FAST_TAU 0.3	      /* 0.15: false lock 6.9 s; 0.6: 6.5 s; walk 49 frames off */
#define MAX_QUIET_SECONDS 8.0 /* then the slow sum is of another place. 4 and 16: the same */

#define FIRST_BLOCK_SECONDS 0.25 /* 0.5: a frame after 2.7 s, not 1.4 s */
#define BLOCK_SECONDS 1.5	 /* 0.8: RMSE 0.15 frames; 3: 0.23 */

/* Of the filter: deviations per root of a second, of delay in seconds, of drift per second. */
#define DELAY_NOISE 0.4e-6	/* 0.14 mm: a talker who sits still, with the clocks' jitter */
#define DRIFT_NOISE 0.3e-6	/* before, five times as much; not tuned */
#define OLD_DRIFT_NOISE 0.06e-6 /* 0.5 ppm in a minute: half of LOOP_MAX_WANDER */
#define OLD_ACTIVE 15.0		/* seconds of sound; not tuned */
#define ROOM 4e-6		/* deviation, seconds: the phases of a room are no lag */
#define LATE_ROOM 12e-6		/* once blocks know the delay better: 0.6 frames of 48 kHz */
#define MANY_BLOCKS 10		/* 5: drift 0.09 ppm, not 0.07 */
#define MIN_AGREEMENT 0.11f	/* of phases: below, the peak may be by chance */

/* Of a source that moves. */
#define FAR_DEVIATIONS 6.0   /* by chance 2e-9 */
#define FAR_SECONDS 80e-6    /* 2.7 cm: less is what a head moves */
#define FAR_SCATTER 100e-6   /* deviation of LOOP_FAR_LAGS lags that count as one */
#define FAR_BAD 0.3	     /* of a hop, for a lag that is ignored; not tuned */
#define MOVING_SECONDS 1.0   /* a step; not tuned */
#define MOVING_BOOST 60e-6   /* deviation per root of a second: 2 cm */
#define FIT_MISFIT 1.5	     /* 1 is ideal, of a mean over 33 measurements. 1.2 and 3: the same */
#define MISFIT_BOOST 8e-6    /* likewise, times the misfit above 2. 4 and 16 us: the same */
#define KNOWN_DRIFT 20e-6    /* deviation: less than the slowest walk, 7 mm/s */
#define RATE_STEP_ACTIVE 2.0 /* seconds of sound, twice. 1: "loud" RMSE 2.7 frames, not 0.4 */
#define MIN_RATE_STEP 15e-6  /* 7 and 30 ppm: the same */
#define MAX_RATE_STEP 200e-6 /* above, the source walks. 100 and 400 ppm: the same */
#define RATE_STEP_ALIKE 0.35 /* of the rate. 0.18: one of three steps of 80 ppm is found later */
#define RATE_STEP_DEVIATION 28e-6 /* above KNOWN_DRIFT: blocks are kept. 21, 56 ppm: the same */

/* Of estimates from blocks. */
#define SPREAD 30e-6	       /* seconds, of the lag of two blocks. 15 us: drift 0.10 ppm */
#define MIN_SPREAD 0.15e-6     /* of the drift, 0.15 ppm. 0.07 and 0.3 ppm: the same */
#define BLOCK_NOISE 12e-6      /* seconds, of a block. 6 us: RMSE 0.15 frames; 24 us: 0.20 */
#define MIN_BLOCK_NOISE 1.5e-6 /* seconds, of the lag of many. 3 us: RMSE 0.16 frames */

void loop_allocate(struct loop *loop, const struct cross_context *context,
		   const struct drift_tables *drift_tables, struct arena *arena)
{
	loop->context = context;
	cross_allocate(&loop->slow, context, arena);
	cross_allocate(&loop->fast, context, arena);
	cross_allocate(&loop->block.sum, context, arena);
	cross_weighted_allocate(&loop->weighted, context, arena);
	loop->lags = arena_floats(arena, CROSS_FINE);
	drift_allocate(&loop->blocks, drift_tables, arena);
}

WEIR_REALTIME void loop_block_clear(struct loop *loop)
{
	cross_clear(&loop->block.sum, loop->context);
	loop->block.active = loop->block.time = loop->block.weight = 0.0;
}

WEIR_REALTIME void loop_peaks_clear(struct loop *loop)
{
	loop->competing.n = loop->competing.n_doubts = loop->motion.n = 0;
	loop->block.is_current = false;
}

WEIR_REALTIME void loop_sums_clear(struct loop *loop)
{
	cross_clear(&loop->slow, loop->context);
	cross_clear(&loop->fast, loop->context);
	loop_block_clear(loop);
	loop->activity.active = loop->activity.fresh = loop->activity.quiet = 0.0;
	loop->motion.bad = loop->motion.moving = loop->motion.boost = 0.0;
	loop_peaks_clear(loop);
	change_clear(&loop->change);
}

WEIR_REALTIME void loop_drift_set(struct loop *loop, double drift, double deviation)
{
	loop->kalman.drift = fmin(fmax(drift, -ALIGN_MAX_DRIFT), ALIGN_MAX_DRIFT);
	loop->kalman.drift_variance = deviation * deviation;
	loop->kalman.covariance = 0.0;
}

WEIR_REALTIME void loop_drift_again(struct loop *loop, double drift, double deviation)
{
	loop_drift_set(loop, drift, deviation);
	drift_reset(&loop->blocks);
	loop_block_clear(loop);
}

WEIR_REALTIME void loop_start(struct loop *loop, double delay, double drift, double drift_deviation,
			      float polarity, double time)
{
	loop_sums_clear(loop);
	drift_reset(&loop->blocks);
	loop->kalman.time = loop->born = loop->activity.latest = loop->switched = time;
	loop->known.n = 0;
	loop->change = (struct change){ 0 };
	loop->kalman.delay = delay;
	loop->kalman.delay_variance = LOOP_START_DEVIATION * LOOP_START_DEVIATION;
	loop_drift_set(loop, drift, drift_deviation);
	loop->polarity = polarity;
	loop->motion.misfit = 1.0;
	loop->agreement = 0.0f;
	loop_rate_step_reset(loop);
}

WEIR_REALTIME void loop_predict(struct loop *loop, double time)
{
	const double ahead = time - loop->kalman.time;
	const double delay_noise = DELAY_NOISE * DELAY_NOISE + loop->motion.boost;
	const double drift_noise =
		loop->activity.active > OLD_ACTIVE ? OLD_DRIFT_NOISE : DRIFT_NOISE;

	loop->kalman.delay += loop->kalman.drift * ahead;
	known_delays_advance(&loop->known, loop->kalman.drift * ahead);
	loop->kalman.delay_variance += ahead * (2.0 * loop->kalman.covariance +
						ahead * loop->kalman.drift_variance + delay_noise);
	loop->kalman.covariance += ahead * loop->kalman.drift_variance;
	loop->kalman.drift_variance += ahead * drift_noise * drift_noise;
	loop->kalman.time = time;
}

/* While the drift is unknown, it may look like a walk. */
static WEIR_REALTIME bool drift_is_known(const struct loop *loop)
{
	return loop->kalman.drift_variance < KNOWN_DRIFT * KNOWN_DRIFT;
}

static WEIR_REALTIME double slow_tau(const struct loop *loop)
{
	const double tau = loop->motion.moving > 0.0	      ? MOVING_TAU
			   : loop->motion.misfit < FIT_MISFIT ? MAX_TAU
							      : MISFIT_TAU;

	return fmin(tau, fmax(MIN_TAU, TAU_SHARE * loop->activity.active));
}

static WEIR_REALTIME void accumulate(struct loop *loop, const struct frame *frame, double centre)
{
	const struct cross_context *context = loop->context;
	const double hop = loop_hop_seconds(loop);
	const double weight = (double)frame->activity;

	/* After long silence the source may be another one, or elsewhere. */
	loop->activity.quiet =
		frame->activity <= LOOP_MIN_ACTIVITY ? loop->activity.quiet + hop : 0.0;
	if (loop->activity.quiet > MAX_QUIET_SECONDS) {
		cross_clear(&loop->slow, loop->context);
		change_clear(&loop->change);
		loop->activity.fresh = 0.0;
	}

	/* The fast sum decays in silence too: another talker may follow. */
	cross_add(&loop->fast, &frame->cross, (float)exp(-hop / FAST_TAU), context);
	if (loop->change.is_seen) {
		loop_block_clear(loop);
		return;
	}
	if (frame->activity <= LOOP_MIN_ACTIVITY) {
		cross_add(&loop->slow, &frame->cross, 1.0f, context);
		return;
	}
	cross_add(&loop->slow, &frame->cross, (float)exp(-hop / slow_tau(loop)), context);
	if (loop->motion.moving > 0.0 && drift_is_known(loop)) {
		loop_block_clear(loop);
		return;
	}
	cross_add(&loop->block.sum, &frame->cross, 1.0f, context);
	loop->block.active += hop;
	loop->block.time += weight * centre;
	loop->block.weight += weight;
}

static WEIR_REALTIME void correct(struct loop *loop, double seconds)
{
	loop->kalman.delay += seconds;
	loop->rate_step.seconds += seconds;
	cross_advance(&loop->slow, seconds, loop->context);
	cross_advance(&loop->fast, seconds, loop->context);
	cross_advance(&loop->block.sum, seconds, loop->context);
	loop->block.corrected += seconds;
}

/* True when the lag is far off repeatedly, by the same amount: the source has jumped, or walks. */
static WEIR_REALTIME bool move_is_sure(struct loop *loop, double lag)
{
	latest_add(loop->motion.lag, &loop->motion.n, LOOP_FAR_LAGS, lag);
	loop->motion.bad += FAR_BAD * loop_hop_seconds(loop);
	if (loop->motion.moving > 0.0)
		return true;
	return loop->motion.n >= LOOP_FAR_LAGS &&
	       latest_scatter(loop->motion.lag, loop->motion.n) < FAR_SCATTER;
}

WEIR_REALTIME void loop_rate_step_reset(struct loop *loop)
{
	loop->rate_step = (struct loop_rate_step){
		.time = loop->kalman.time,
		.active = loop->activity.active,
	};
}

/* Returns by how much the drift has changed, per second, or 0. */
static WEIR_REALTIME double rate_step_detect(struct loop *loop)
{
	struct loop_rate_step *step = &loop->rate_step;

	/* Sound that is read again counts as active, but no time passes meanwhile. */
	if (loop->activity.active - step->active < RATE_STEP_ACTIVE ||
	    loop->kalman.time <= step->time)
		return 0.0;

	const double rate = step->seconds / (loop->kalman.time - step->time), before = step->rate;

	loop_rate_step_reset(loop);
	step->rate = rate;
	if (fabs(rate) < MIN_RATE_STEP || fabs(rate) > MAX_RATE_STEP ||
	    fabs(rate - before) > RATE_STEP_ALIKE * fabs(rate))
		return 0.0;
	step->rate = 0.0;
	return rate;
}

static WEIR_REALTIME void rate_step_watch(struct loop *loop)
{
	const double rate = rate_step_detect(loop);

	if (rate == 0.0 || !drift_is_known(loop))
		return;
	loop_drift_again(loop, loop->kalman.drift + rate, RATE_STEP_DEVIATION);
	loop->motion.moving = 0.0;
}

WEIR_REALTIME void loop_measure(struct loop *loop)
{
	const struct cross_context *context = loop->context;
	const double hop = loop_hop_seconds(loop), tau = slow_tau(loop);

	const struct cross_peak peak =
		cross_find(&loop->weighted, loop->lags, LOOP_REACH_SECONDS, context);
	const double window = CROSS_WINDOW / (double)context->rate;
	const double n = fmax(2.0, 2.0 * fmin(tau, loop->activity.active) / window);
	const double agreement = (double)peak.agreement;
	const double likely = 1.0 / (0.5 * peak.slope * n * agreement * agreement + 1e-9);
	const double n_shared = fmax(1.0, 2.0 * tau / hop);
	const double room = loop->blocks.n_added > MANY_BLOCKS ? LATE_ROOM : ROOM;
	const double noise = (likely + room * room) * n_shared;
	double variance = loop->kalman.delay_variance + noise;

	loop->agreement = peak.agreement;
	loop->motion.misfit =
		0.97 * loop->motion.misfit + 0.03 * fmin(peak.lag * peak.lag / variance, 25.0);
	if (peak.agreement < MIN_AGREEMENT || loop->change.is_seen) {
		loop->motion.bad += hop;
		return;
	}
	if (fabs(peak.lag) > FAR_DEVIATIONS * sqrt(variance) && fabs(peak.lag) > FAR_SECONDS) {
		if (!move_is_sure(loop, peak.lag))
			return;
		loop->kalman.delay_variance += LOOP_START_DEVIATION * LOOP_START_DEVIATION;
		variance = loop->kalman.delay_variance + noise;
		loop->kalman.covariance = 0.0;
		if (drift_is_known(loop))
			loop->motion.moving = MOVING_SECONDS;
	} else {
		loop->motion.n = 0;
		loop->motion.bad = fmax(0.0, loop->motion.bad - hop);
	}
	loop->motion.moving = fmax(0.0, loop->motion.moving - hop);
	if (loop->motion.moving > 0.0)
		loop->motion.boost = MOVING_BOOST * MOVING_BOOST;
	else if (loop->activity.active > 4.0)
		loop->motion.boost = MISFIT_BOOST * MISFIT_BOOST *
				     pow(fmax(0.0, loop->motion.misfit - 2.0), 2.0);
	else
		loop->motion.boost = 0.0;

	const double gain = loop->kalman.delay_variance / variance;

	loop->kalman.covariance *= 1.0 - gain;
	loop->kalman.delay_variance = fmax(loop->kalman.delay_variance * (1.0 - gain), 1e-12);
	correct(loop, gain * peak.lag);
	rate_step_watch(loop);
}

static WEIR_REALTIME void block_end(struct loop *loop)
{
	const double time = loop->block.time / loop->block.weight;

	drift_add(&loop->blocks, &loop->block.sum, time,
		  loop->kalman.delay - loop->kalman.drift * (loop->kalman.time - time),
		  loop->kalman.drift, loop->block.active, loop->kalman.time);
	loop->block.corrected = 0.0;
	loop->block.is_current = true;
	loop_block_clear(loop);
}

/* Short at first: an unknown drift smears long ones, and the first estimate comes soon. */
static WEIR_REALTIME double block_seconds(uint32_t n)
{
	return n < 8 ? FIRST_BLOCK_SECONDS : n < 14 ? 2.0 * FIRST_BLOCK_SECONDS : BLOCK_SECONDS;
}

WEIR_REALTIME void loop_add(struct loop *loop, const struct frame *frame, double centre)
{
	accumulate(loop, frame, centre);
	if (loop->block.active >= block_seconds(loop->blocks.n_added) &&
	    loop->blocks.stage == DRIFT_IDLE)
		block_end(loop);
	if (frame->activity <= LOOP_MIN_ACTIVITY)
		return;
	loop->activity.active += loop_hop_seconds(loop);
	loop->activity.fresh += loop_hop_seconds(loop) * (double)frame->activity;
}

WEIR_REALTIME void loop_estimate_take(struct loop *loop)
{
	const struct drift_estimate *estimate = &loop->blocks.estimate;

	loop->blocks.stage = DRIFT_IDLE;
	if (estimate->has_drift) {
		const double spread = SPREAD / estimate->span;

		loop->kalman.drift = estimate->drift;
		loop->kalman.drift_variance = fmin(loop->kalman.drift_variance,
						   spread * spread + MIN_SPREAD * MIN_SPREAD);
		loop->kalman.covariance = 0.0;
	}
	if (!estimate->has_delay || !loop->block.is_current || loop->motion.moving > 0.0)
		return;

	const uint32_t n = estimate->n_similar < 16 ? estimate->n_similar : 16;
	const double noise = BLOCK_NOISE * BLOCK_NOISE / n + MIN_BLOCK_NOISE * MIN_BLOCK_NOISE;
	double gain = loop->kalman.delay_variance / (loop->kalman.delay_variance + noise);

	if (n >= 3)
		gain = fmax(gain, 0.25);
	loop->kalman.delay_variance = fmax(loop->kalman.delay_variance * (1.0 - gain), 1e-12);
	loop->kalman.covariance = 0.0;
	correct(loop, gain * (estimate->lag - loop->block.corrected));
}
