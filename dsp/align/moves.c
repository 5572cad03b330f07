/* SPDX-License-Identifier: MIT */
#include "moves.h"

#include <math.h>

/*
 * Figures of bench/align, seed 0, when one is changed alone. As it is: false lock 4.3 s, delay RMSE
 * 0.17 frames.
 */
#define SWITCH_REACH_SECONDS 0.012 /* 4 m between two talkers. 6 and 24 ms: the same */
#define MATCH_REACH 0.4		   /* of the window. 0.2: "jump" found after 0.3 s; 0.5: the same */
#define KNOWN_ACTIVE 1.0	   /* seconds of sound. 0.5: the same; 2: false lock 4.2 s */
#define DOUBT_SECONDS 0.8e-3	   /* 0.4 ms: the same; 1.4 ms: false lock 4.4 s */
#define NEW_PHASES_SECONDS 1.0	   /* of sound in a changed room. 0.5 and 2: the same */
#define SWITCH_DEVIATION 50e-6	   /* seconds. 25 us: RMSE 0.19 frames; 100 us: 0.16 */
#define SWITCH_SCATTER 60e-6	   /* seconds, of frames in a row. 30 and 120 us: the same */
#define MOVED_SECONDS 0.8	   /* 0.4: false lock 3.0 s, a step of the rate is found later */
#define MOVE_HEIGHT 9.0f	   /* deviations. 7 and 11: the same */
#define MOVE_LEAD 1.35f		   /* over the height at the delay. 1.15, 1.6: the same */
#define SWITCH_HEIGHT 7.0f	   /* 5.5: the same; 9: false lock 6.6 s, walk 49 frames off */
#define SWITCH_LEAD 1.7f	   /* 1.4: the same; 2.2: false lock 6.6 s, walk 49 frames off */
#define KNOWN_HEIGHT 5.0f	   /* 4 and 6.5: the same */
#define DOUBT_HEIGHT 4.5f	   /* 3.5 and 6: the same */
#define DOUBT_LEAD 1.5f		   /* 1.2: false lock 3.8 s; 2: 4.4 s */
#define KNOWN_FRAMES 2		   /* 1: false lock 4.2 s; 4: the same */

static WEIR_REALTIME void delay_leave(struct loop *loop)
{
	loop->switched = loop->kalman.time;
	if (loop->activity.active >= KNOWN_ACTIVE)
		known_delays_add(&loop->known, loop->kalman.delay);
}

WEIR_REALTIME void moves_jump(struct loop *loop, double delay, float polarity, double time)
{
	delay_leave(loop);
	known_delays_advance(&loop->known, loop->kalman.drift * (time - loop->kalman.time));
	loop_sums_clear(loop);
	loop->kalman.time = loop->activity.latest = loop->switched = time;
	loop->kalman.delay = delay;
	loop->kalman.delay_variance = LOOP_START_DEVIATION * LOOP_START_DEVIATION;
	loop->kalman.covariance = 0.0;
	loop->polarity = polarity;
	loop_rate_step_reset(loop);
}

/* The source has moved to a near lag; or another talker speaks, at a known delay or a new one. */
static WEIR_REALTIME void talker_change(struct loop *loop, double lag)
{
	const struct cross_context *context = loop->context;

	change_clear(&loop->change);

	const uint32_t known = known_delays_find(&loop->known, loop->kalman.delay + lag);
	const bool is_known = known < loop->known.n;

	if (!is_known && fabs(lag) < LOOP_REACH_SECONDS) {
		loop->motion.moving = MOVED_SECONDS;
		cross_copy(&loop->slow, &loop->fast, context);
		loop_block_clear(loop);
		return;
	}

	const double delay = is_known ? loop->known.delay[known] : loop->kalman.delay + lag;

	cross_advance(&loop->fast, delay - loop->kalman.delay, context);
	cross_copy(&loop->slow, &loop->fast, context);
	loop_block_clear(loop);
	delay_leave(loop);
	loop->kalman.delay = delay;
	loop->kalman.delay_variance = SWITCH_DEVIATION * SWITCH_DEVIATION;
	loop->kalman.covariance = loop->motion.moving = loop->motion.bad = 0.0;
	loop->activity.active = is_known ? KNOWN_ACTIVE : LOOP_FIRST_ACTIVE;
	loop_rate_step_reset(loop);
	loop_peaks_clear(loop);
}

WEIR_REALTIME void moves_look(struct loop *loop)
{
	const struct cross_context *context = loop->context;

	const struct cross_peak peak =
		cross_find(&loop->weighted, loop->lags, SWITCH_REACH_SECONDS, context);
	const bool is_known =
		known_delays_find(&loop->known, loop->kalman.delay + peak.lag) < loop->known.n;
	const bool is_far = fabs(peak.lag) > LOOP_REACH_SECONDS;
	const float height = is_known ? KNOWN_HEIGHT : is_far ? SWITCH_HEIGHT : MOVE_HEIGHT;
	const float lead = is_far && !is_known ? SWITCH_LEAD : MOVE_LEAD;
	const uint32_t n_frames = is_known ? KNOWN_FRAMES : LOOP_COMPETING;

	if (fabs(peak.lag) > DOUBT_SECONDS && peak.height > DOUBT_HEIGHT &&
	    peak.height > DOUBT_LEAD * peak.own)
		loop->competing.n_doubts++;
	else
		loop->competing.n_doubts = 0;
	if (loop->change.seconds > NEW_PHASES_SECONDS && fabs(peak.lag) < DOUBT_SECONDS &&
	    peak.height > SWITCH_HEIGHT) {
		change_clear(&loop->change);
		cross_copy(&loop->slow, &loop->fast, context);
	}
	if (peak.height <= height || peak.height <= lead * peak.own) {
		loop->competing.n = 0;
		return;
	}
	latest_add(loop->competing.lag, &loop->competing.n, LOOP_COMPETING, peak.lag);
	if (loop->competing.n >= n_frames &&
	    latest_scatter(loop->competing.lag + loop->competing.n - n_frames, n_frames) <
		    SWITCH_SCATTER)
		talker_change(loop, peak.lag);
}

/* The delay has jumped in the same room: its phases stay valid. */
static WEIR_REALTIME void delay_shift(struct loop *loop, double seconds)
{
	known_delays_advance(&loop->known, seconds);
	loop->kalman.delay += seconds;
	loop->kalman.delay_variance = SWITCH_DEVIATION * SWITCH_DEVIATION;
	loop->kalman.covariance = loop->motion.moving = loop->motion.bad = 0.0;
	loop->switched = loop->kalman.time;
	loop_peaks_clear(loop);
	cross_clear(&loop->fast, loop->context);
	loop_block_clear(loop);
	loop_rate_step_reset(loop);
}

WEIR_REALTIME bool moves_match(struct loop *loop)
{
	const struct cross_context *context = loop->context;
	const double reach = MATCH_REACH * CROSS_WINDOW / (double)context->rate;
	const struct cross_peak peak = cross_find(&loop->weighted, loop->lags, reach, context);

	if (!change_is_jump(&loop->change, &peak))
		return false;
	delay_shift(loop, peak.lag);
	return true;
}
