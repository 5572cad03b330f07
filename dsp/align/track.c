/* SPDX-License-Identifier: MIT */
#include "track.h"

#include <math.h>

#include "moves.h"

#define MIN_FRESH 3e-3 /* beyond noise by chance. bench/align: half: RMSE 0.19; twice: the same */
#define FIRST_BLOCKS 4 /* as drift.c's MIN_BLOCKS: before, a competing peak may be due to drift */
#define FAST_MAX_RHO 0.95f /* bench/align: 0.9 and 0.98: the same */
#define SLOW_MAX_RHO 0.98f /* as drift.c's MAX_RHO. bench/align: 0.96 and 0.99: the same */
#define ESTIMATE_COST 4

void track_allocate(struct track *track, const struct cross_context *context,
		    const struct drift_tables *drift_tables, struct arena *arena)
{
	frame_allocate(&track->latest, context, arena);
	loop_allocate(&track->loop, context, drift_tables, arena);
}

static WEIR_REALTIME void frames_start(struct track *track, double first)
{
	track->frame = llrint(first * (double)track->loop.context->rate);
	track->stage = TRACK_FIRST_SPECTRUM;
}

WEIR_REALTIME void track_start(struct track *track, double delay, double drift,
			       double drift_deviation, float polarity, double time, double first)
{
	loop_start(&track->loop, delay, drift, drift_deviation, polarity, time);
	frames_start(track, first);
}

WEIR_REALTIME void track_jump(struct track *track, double delay, float polarity, double time,
			      double first)
{
	moves_jump(&track->loop, delay, polarity, time);
	frames_start(track, first);
}

static WEIR_REALTIME double frame_centre(const struct track *track)
{
	return (double)(track->frame + CROSS_WINDOW / 2) / (double)track->loop.context->rate;
}

/* Sample of the second microphone at which the frame begins there. */
static WEIR_REALTIME double position_2(const struct track *track)
{
	return (double)track->frame +
	       loop_delay(&track->loop, frame_centre(track)) * (double)track->loop.context->rate;
}

static WEIR_REALTIME bool frame_is_there(struct track *track, const struct front_end *front1,
					 const struct front_end *front2)
{
	/* The samples of the frame are overwritten: the unit was held, or the search was late. */
	if (track->frame + (int64_t)(TRACK_MAX_LATE_SECONDS * track->loop.context->rate) <
	    (int64_t)front1->n_samples)
		track->frame = (int64_t)front1->n_samples;

	const double before = -fmin(position_2(track), (double)track->frame);
	const double slowest = LOOP_HOP * (1.0 + fmin(track->loop.kalman.drift, 0.0));

	if (before > 0.0)
		track->frame += LOOP_HOP * (int64_t)ceil(before / slowest);

	const double end = fmax(position_2(track), (double)track->frame) + CROSS_WINDOW + 32;

	return end <= (double)front1->n_samples && end <= (double)front2->n_samples;
}

/* Skips a frame with digital silence: its phases are those of the silence. */
static WEIR_REALTIME void first_spectrum(struct track *track, const struct front_end *front1,
					 const struct front_end *front2)
{
	const int64_t second = (int64_t)floor(position_2(track));

	if (!front_end_is_whole(front1, track->frame, CROSS_WINDOW) ||
	    !front_end_is_whole(front2, second, CROSS_WINDOW)) {
		track->frame += LOOP_HOP;
		track->stage = TRACK_FIRST_SPECTRUM;
		return;
	}
	frame_transform(&track->latest, front1, 0, track->frame);
}

static WEIR_REALTIME void second_spectrum(struct track *track, const struct front_end *front1,
					  const struct front_end *front2)
{
	(void)front1;
	frame_transform(&track->latest, front2, 1, (int64_t)floor(position_2(track)));
}

static WEIR_REALTIME void compare(struct track *track, const struct front_end *front1,
				  const struct front_end *front2)
{
	frame_compare(&track->latest, front1, front2, track->loop.polarity);
}

static WEIR_REALTIME void match(struct track *track, const struct front_end *front1,
				const struct front_end *front2)
{
	struct loop *loop = &track->loop;
	const struct cross_context *context = loop->context;
	const double position = position_2(track);
	const bool was_seen = loop->change.is_seen;
	struct frame *latest = &track->latest;

	(void)front1, (void)front2;
	cross_advance(&latest->cross, (position - floor(position)) / (double)context->rate,
		      context);
	track->centre = frame_centre(track);
	if (track->centre > loop->kalman.time)
		loop_predict(loop, track->centre);
	if (latest->activity <= LOOP_MIN_ACTIVITY) {
		track->stage = TRACK_ACCUMULATE;
		return;
	}
	change_watch(&loop->change, &latest->cross, &loop->slow, latest->power[0],
		     loop_hop_seconds(loop), &loop->weighted, context);
	cross_weighted_measure(&loop->weighted, context);
	if (loop->change.is_seen && !was_seen)
		cross_clear(&loop->fast, context); /* it would hide a talker who begins now */
}

static WEIR_REALTIME void transform(struct track *track, const struct front_end *front1,
				    const struct front_end *front2)
{
	(void)front1, (void)front2;
	cross_transform(&track->loop.weighted, track->loop.lags, track->loop.context);
}

/* After a jump this frame was read at the wrong delay: skips it. */
static WEIR_REALTIME void match_look(struct track *track, const struct front_end *front1,
				     const struct front_end *front2)
{
	(void)front1, (void)front2;
	if (!moves_match(&track->loop))
		return;
	track->frame += LOOP_HOP;
	track->stage = TRACK_FIRST_SPECTRUM;
}

static WEIR_REALTIME void accumulate(struct track *track, const struct front_end *front1,
				     const struct front_end *front2)
{
	struct loop *loop = &track->loop;
	struct loop_activity *activity = &loop->activity;

	(void)front1, (void)front2;
	track->frame += LOOP_HOP;
	track->n_frames++;
	track->stage = TRACK_FIRST_SPECTRUM;
	loop_add(loop, &track->latest, track->centre);
	if (track->latest.activity <= LOOP_MIN_ACTIVITY || activity->fresh < MIN_FRESH)
		return;
	activity->latest = loop->kalman.time;
	if (activity->active >= LOOP_FIRST_ACTIVE)
		track->stage =
			loop->blocks.n_added >= FIRST_BLOCKS ? TRACK_LOOK_WEIGH : TRACK_WEIGH;
}

static WEIR_REALTIME void look_weigh(struct track *track, const struct front_end *front1,
				     const struct front_end *front2)
{
	struct loop *loop = &track->loop;

	(void)front1, (void)front2;
	cross_weigh(&loop->fast, FAST_MAX_RHO, false, &loop->weighted, loop->context);
}

static WEIR_REALTIME void look(struct track *track, const struct front_end *front1,
			       const struct front_end *front2)
{
	(void)front1, (void)front2;
	moves_look(&track->loop);
}

static WEIR_REALTIME void weigh(struct track *track, const struct front_end *front1,
				const struct front_end *front2)
{
	struct loop *loop = &track->loop;

	(void)front1, (void)front2;
	cross_weigh(&loop->slow, SLOW_MAX_RHO, true, &loop->weighted, loop->context);
}

static WEIR_REALTIME void measure(struct track *track, const struct front_end *front1,
				  const struct front_end *front2)
{
	(void)front1, (void)front2;
	loop_measure(&track->loop);
}

/* A stage may set another one than the next. */
static const struct {
	void (*run)(struct track *track, const struct front_end *front1,
		    const struct front_end *front2) WEIR_REALTIME;
	uint32_t cost;
	enum track_stage next;
} stages[] = {
	[TRACK_FIRST_SPECTRUM] = { first_spectrum, 6, TRACK_SECOND_SPECTRUM },
	[TRACK_SECOND_SPECTRUM] = { second_spectrum, 5, TRACK_COMPARE },
	[TRACK_COMPARE] = { compare, 9, TRACK_MATCH },
	[TRACK_MATCH] = { match, 8, TRACK_MATCH_TRANSFORM },
	[TRACK_MATCH_TRANSFORM] = { transform, 9, TRACK_MATCH_LOOK },
	[TRACK_MATCH_LOOK] = { match_look, 6, TRACK_ACCUMULATE },
	[TRACK_ACCUMULATE] = { accumulate, 3, TRACK_FIRST_SPECTRUM },
	[TRACK_LOOK_WEIGH] = { look_weigh, 4, TRACK_LOOK_TRANSFORM },
	[TRACK_LOOK_TRANSFORM] = { transform, 9, TRACK_LOOK },
	[TRACK_LOOK] = { look, 6, TRACK_WEIGH },
	[TRACK_WEIGH] = { weigh, 4, TRACK_TRANSFORM },
	[TRACK_TRANSFORM] = { transform, 9, TRACK_MEASURE },
	[TRACK_MEASURE] = { measure, 7, TRACK_FIRST_SPECTRUM },
};

WEIR_REALTIME uint32_t track_step(struct track *track, const struct front_end *front1,
				  const struct front_end *front2)
{
	const enum track_stage stage = track->stage;

	if (stage == TRACK_FIRST_SPECTRUM && !frame_is_there(track, front1, front2))
		return 0;
	track->stage = stages[stage].next;
	stages[stage].run(track, front1, front2);
	return stages[stage].cost;
}

WEIR_REALTIME uint32_t track_drift_step(struct track *track)
{
	struct loop *loop = &track->loop;

	if (track->stage != TRACK_FIRST_SPECTRUM)
		return 0;
	if (loop->blocks.stage != DRIFT_DONE)
		return drift_step(&loop->blocks);
	loop_estimate_take(loop);
	return ESTIMATE_COST;
}
