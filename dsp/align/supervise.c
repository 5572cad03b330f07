/* SPDX-License-Identifier: MIT */
#include "supervise.h"

#include <math.h>
#include <stdlib.h>

/*
 * Figures of bench/align, seeds 0 and 1, when one is changed alone. As it is, the median of speech
 * until the lock is 1.48 s ("lock"), until the delay is within a frame 1.70 s ("frame"), and false
 * locks take 7.5 s in 30 scenes; 4.3 s in the 15 of seed 0. No scene fails to lock.
 */
#define MIN_HEIGHT 8.5f	  /* deviations: by chance 3e-11, all lags together. 7.5, 9.5: the same */
#define MIN_LEAD 1.25f	  /* 1.1: frame 1.60 s, lock 1.44 s; 1.4: frame 1.90 s */
#define N_AGREE 2	  /* hops. 1: lock 1.44 s; 3: frame 1.90 s */
#define SURE_HEIGHT 15.3f /* 12 and 19: the same */
#define SURE_LEAD 1.5f	  /* 1.25 and 2: the same */
#define SURE_ROWS 2	  /* 1: lock 1.42 s; 4: lock 1.70 s, frame 2.05 s */
#define SURE_OWN 2.0f	  /* over the delay's. 1.4: false lock 9.6 s, "loud" 160 frames off */
#define REFLECTION_HOPS 8 /* 4: "near" is 43 frames off; 16: false lock 6.2 s */

#define CONFIRM_SECONDS 0.8e-3	/* half the loop's reach. 0.5 ms: the same; 1.2: false lock 6.2 */
#define LOCK_DEVIATION 60e-6	/* three frames of 48 kHz. 40 and 90 us: the same */
#define UNLOCK_DEVIATION 250e-6 /* half a period of 2 kHz. 150 and 400 us: the same */
#define LOCK_HEIGHT 7.0f	/* deviations, at the delay. 5.5 and 8.5: the same */
#define LOCK_HOPS 3		/* 2: lock 1.21 s; 5: lock 1.90 s */
#define LOCK_ACTIVE 0.8		/* seconds of sound. 0.4: false lock 4.7 s of 15 scenes */
#define PRIOR_LOCK_ACTIVE 0.25	/* LOOP_FIRST_ACTIVE: one measurement at least */
#define PRIOR_LOCK_HOPS 1	/* the prior stands for the others: tests/test-align-state.c */

#define N_DOUBTS 2		    /* frames. 1: false lock 4.2 s of 15 scenes; 4: 4.5 s */
#define SUPPORT_HEIGHT 6.0f	    /* deviations. 5 and 7.5: the same */
#define MAX_UNSUPPORTED_SECONDS 6.0 /* of sound. 3 and 12: the same */
#define MAX_BAD_SECONDS 3.0	    /* the slow sum's longest time constant. 1.5: the same */

#define NOW_HEIGHT (1.1f * MIN_HEIGHT) /* of the latest second. 0.95 and 1.3: the same */
#define COMPETING_SECONDS 1.2e-3       /* from the delay. 0.8 and 2 ms: the same */
#define COMPETING_NOW_SECONDS 0.9e-3   /* from the delay 0.5 s ago. 0.6, 1.4 ms: the same */
#define REST_SECONDS 4.0	       /* after a change of the delay. 2 and 8: the same */
#define REST_NOW_SECONDS 1.0	       /* about that of the short sum */
#define SILENCE_SECONDS 0.2	       /* less than a hop at 16 kHz: all silence counts there */

/* The search knows a drift that is far off, while the loop's blocks are few: test-align-jumps.c. */
#define DRIFT_HEIGHT 11.0f   /* deviations, above MIN_HEIGHT */
#define DRIFT_ACTIVE 2.5     /* seconds of sound: the eight first blocks, and one more */
#define DRIFT_HOPS 3	     /* before the latest one, with the same drift */
#define DRIFT_OFF 60e-6	     /* the search's grid has steps of 50 ppm */
#define FAR_DRIFT 375e-6     /* where these become 150 ppm */
#define DRIFT_FAR_OFF 160e-6 /* more than one of those */
#define SURE_DRIFT 20e-6     /* deviation of blocks that span 1.5 s */
#define SURE_FAR_DRIFT 5e-6  /* deviation of blocks that span 6 s */
#define VAGUE_DRIFT 60e-6    /* deviation, as DRIFT_OFF: not worth keeping */

/* By state, then event, in the order of their enums. */
static const uint8_t transition[SUPERVISE_N_STATES][SUPERVISE_N_EVENTS] = {
	[SUPERVISE_SEARCHING] = { SUPERVISE_ACQUIRING, SUPERVISE_SEARCHING, SUPERVISE_SEARCHING,
				  SUPERVISE_SEARCHING, SUPERVISE_SEARCHING, SUPERVISE_SEARCHING,
				  SUPERVISE_SEARCHING },
	[SUPERVISE_ACQUIRING] = { SUPERVISE_ACQUIRING, SUPERVISE_SEARCHING, SUPERVISE_ACQUIRING,
				  SUPERVISE_ACQUIRING, SUPERVISE_ACQUIRING, SUPERVISE_LOCKED,
				  SUPERVISE_ACQUIRING },
	[SUPERVISE_LOCKED] = { SUPERVISE_ACQUIRING, SUPERVISE_SEARCHING, SUPERVISE_HELD,
			       SUPERVISE_ACQUIRING, SUPERVISE_LOCKED, SUPERVISE_LOCKED,
			       SUPERVISE_HELD },
	[SUPERVISE_HELD] = { SUPERVISE_ACQUIRING, SUPERVISE_SEARCHING, SUPERVISE_HELD,
			     SUPERVISE_ACQUIRING, SUPERVISE_ACQUIRING, SUPERVISE_LOCKED,
			     SUPERVISE_HELD },
};

WEIR_REALTIME enum supervise_state supervise_next(enum supervise_state state,
						  enum supervise_event event)
{
	return (enum supervise_state)transition[state][event];
}

WEIR_REALTIME void supervisor_handle(struct supervisor *supervisor, enum supervise_event event)
{
	supervisor->state = supervise_next(supervisor->state, event);
}

WEIR_REALTIME void supervisor_reset(struct supervisor *supervisor)
{
	supervisor->state = SUPERVISE_SEARCHING;
	supervisor->silence = 0.0;
	supervisor->n_unconfirmed = 0;
	supervisor->candidate.count = 0;
	supervisor->competing.count = supervisor->competing_now.count = 0;
	supervisor->drift = 0.0;
	supervisor->n_same_drift = 0;
}

WEIR_REALTIME void supervisor_start(struct supervisor *supervisor, bool is_at_prior)
{
	supervisor_handle(supervisor, SUPERVISE_SET);
	supervisor->is_at_prior = is_at_prior;
	supervisor->n_agreed = is_at_prior ? N_AGREE : 0;
	supervisor->n_supported = supervisor->n_opposed = 0;
	supervisor->supported = 0.0;
	supervisor->candidate.count = supervisor->reflection.count = 0;
	supervisor->competing.count = supervisor->competing_now.count = 0;
}

WEIR_REALTIME void supervisor_move(struct supervisor *supervisor)
{
	supervisor_handle(supervisor, SUPERVISE_SET);
	supervisor->n_unconfirmed = supervisor->n_opposed = 0;
	supervisor->reflection.count = 0;
	supervisor->competing.count = supervisor->competing_now.count = 0;
}

WEIR_REALTIME bool supervisor_is_peak(const struct supervisor *supervisor,
				      const struct search_peak *peak, float height, float lead)
{
	return supervisor->silence == 0.0 && peak->height > height && peak->lead > lead &&
	       labs(peak->lag) <= supervisor->max_lag;
}

/* A hop without a peak ends the run. */
static WEIR_REALTIME void agreement_add(struct agreement *agreement, bool is_peak, int32_t lag)
{
	if (!is_peak)
		agreement->count = 0;
	else if (agreement->count > 0 && labs(lag - agreement->lag) <= SUPERVISE_SAME_LAG)
		agreement->count++;
	else
		agreement->count = 1;
	agreement->lag = lag;
}

static WEIR_REALTIME bool is_sure(const struct search *search)
{
	return search->peak.height > SURE_HEIGHT && search->peak.lead > SURE_LEAD &&
	       search->n_rows >= SURE_ROWS;
}

WEIR_REALTIME bool supervisor_accepts(struct supervisor *supervisor, const struct search *search)
{
	const bool is_peak = supervisor_is_peak(supervisor, &search->peak, MIN_HEIGHT, MIN_LEAD);

	agreement_add(&supervisor->candidate, is_peak, search->peak.lag);
	return is_peak && (supervisor->candidate.count > N_AGREE || is_sure(search));
}

/* Not confirmed yet, since the start or since a silence. */
static WEIR_REALTIME bool is_doubtful(const struct supervisor *supervisor)
{
	return supervisor->n_agreed < N_AGREE || supervisor->n_unconfirmed > 0;
}

/* The peaks of a hop against the delay. */
struct evidence {
	bool is_peak, is_peak_now;
	double off, off_now; /* seconds from the delay */
	double rest;	     /* seconds since the delay was last set to another one */
};

static WEIR_REALTIME void confirm(struct supervisor *supervisor, const struct evidence *evidence)
{
	if (!evidence->is_peak)
		return;
	if (fabs(evidence->off) < CONFIRM_SECONDS) {
		supervisor->n_unconfirmed -= supervisor->n_unconfirmed > 0;
		supervisor->n_agreed++;
	} else if (supervisor->n_unconfirmed > 0) {
		supervisor->n_unconfirmed = N_AGREE;
	}
}

/*
 * The peak of a reflection can be nearly as high as that of the direct sound: a lag that is higher
 * in most hops with sound is the direct one.
 */
static WEIR_REALTIME void reflection_watch(struct supervisor *supervisor,
					   const struct search *search,
					   const struct evidence *evidence)
{
	struct agreement *reflection = &supervisor->reflection;

	if (!evidence->is_peak || search->short_peak.height < MIN_HEIGHT ||
	    evidence->rest < REST_SECONDS)
		return;
	if (fabs(evidence->off) < CONFIRM_SECONDS) {
		reflection->count -= reflection->count > 0;
		return;
	}
	if (labs(search->peak.lag - reflection->lag) <= 2 * SUPERVISE_SAME_LAG)
		reflection->count++;
	else
		reflection->count = 1;
	reflection->lag = search->peak.lag;
}

/* A first peak that a drift has smeared can be half a period off, with inverted polarity. */
static WEIR_REALTIME void polarity_watch(struct supervisor *supervisor,
					 const struct search_peak *peak, const struct loop *loop,
					 const struct evidence *evidence)
{
	if (!evidence->is_peak || fabs(evidence->off) >= CONFIRM_SECONDS)
		return;
	if (peak->polarity == loop->polarity)
		supervisor->n_opposed = 0;
	else
		supervisor->n_opposed++;
}

static WEIR_REALTIME void collect(struct supervisor *supervisor, const struct search *search,
				  const struct loop *loop, double time)
{
	const struct search_peak *peak = &search->peak, *now = &search->short_peak;
	const double rate = (double)search->context->rate;
	const struct evidence evidence = {
		.is_peak = supervisor_is_peak(supervisor, peak, MIN_HEIGHT, MIN_LEAD),
		.is_peak_now = supervisor_is_peak(supervisor, now, NOW_HEIGHT, MIN_LEAD),
		.off = peak->lag / rate - loop_delay(loop, time),
		.off_now = now->lag / rate - loop_delay(loop, time - 0.5),
		.rest = time - loop->switched,
	};

	if (peak->height > SUPPORT_HEIGHT * peak->own ||
	    supervisor->supported > loop->activity.active)
		supervisor->supported = loop->activity.active;
	supervisor->n_supported += peak->height > LOCK_HEIGHT * peak->own;
	supervisor->n_same_drift =
		peak->drift == supervisor->drift ? supervisor->n_same_drift + 1 : 0;
	supervisor->drift = peak->drift;
	confirm(supervisor, &evidence);
	agreement_add(&supervisor->competing,
		      evidence.is_peak && fabs(evidence.off) > COMPETING_SECONDS &&
			      (is_doubtful(supervisor) || evidence.rest > REST_SECONDS),
		      peak->lag);
	agreement_add(&supervisor->competing_now,
		      evidence.is_peak_now && fabs(evidence.off_now) > COMPETING_NOW_SECONDS &&
			      now->own > SURE_OWN && evidence.rest > REST_NOW_SECONDS,
		      now->lag);
	reflection_watch(supervisor, search, &evidence);
	polarity_watch(supervisor, peak, loop, &evidence);
}

/* Has the peak of four seconds at another delay more evidence than the delay? */
static WEIR_REALTIME bool competing_wins(const struct supervisor *supervisor,
					 const struct search *search)
{
	const uint32_t count = supervisor->competing.count;

	if (is_doubtful(supervisor))
		return count > N_AGREE || (count > 0 && is_sure(search));
	return count > N_AGREE + 1 && search->peak.own > SURE_OWN;
}

WEIR_REALTIME enum supervise_verdict supervisor_review(struct supervisor *supervisor,
						       const struct search *search,
						       const struct loop *loop, double time)
{
	collect(supervisor, search, loop, time);
	if (competing_wins(supervisor, search) || supervisor->reflection.count > REFLECTION_HOPS ||
	    supervisor->n_opposed > N_AGREE)
		return SUPERVISE_MOVE;
	return supervisor->competing_now.count > N_AGREE ? SUPERVISE_MOVE_NOW : SUPERVISE_STAY;
}

WEIR_REALTIME bool supervisor_refutes_drift(const struct supervisor *supervisor,
					    const struct search_peak *peak, const struct loop *loop,
					    double time)
{
	const double off = fabs(peak->drift - loop->kalman.drift);
	const double deviation = sqrt(loop->kalman.drift_variance);

	return peak->height > DRIFT_HEIGHT && loop->activity.active > DRIFT_ACTIVE &&
	       time - loop->born < SUPERVISE_DRIFT_AGE && supervisor->n_same_drift >= DRIFT_HOPS &&
	       ((off > DRIFT_OFF && fabs(peak->drift) < FAR_DRIFT && deviation > SURE_DRIFT) ||
		(off > DRIFT_FAR_OFF && deviation > SURE_FAR_DRIFT));
}

WEIR_REALTIME bool supervisor_is_new(const struct supervisor *supervisor, const struct loop *loop)
{
	return supervisor->n_agreed < N_AGREE ||
	       loop->kalman.drift_variance >= VAGUE_DRIFT * VAGUE_DRIFT;
}

WEIR_REALTIME bool supervisor_silence(struct supervisor *supervisor, bool is_silent,
				      double hop_seconds)
{
	const bool has_ended = !is_silent && supervisor->silence > SILENCE_SECONDS;

	supervisor->silence = is_silent ? supervisor->silence + hop_seconds : 0.0;
	if (has_ended || (is_silent && supervisor->n_unconfirmed > 0))
		supervisor->n_unconfirmed = N_AGREE;
	return has_ended;
}

static WEIR_REALTIME bool is_proved(const struct supervisor *supervisor, const struct loop *loop)
{
	const bool is_at_prior = supervisor->is_at_prior;

	return loop->activity.active > (is_at_prior ? PRIOR_LOCK_ACTIVE : LOCK_ACTIVE) &&
	       supervisor->n_supported >= (is_at_prior ? PRIOR_LOCK_HOPS : LOCK_HOPS) &&
	       supervisor->n_agreed >= N_AGREE;
}

WEIR_REALTIME void supervisor_judge(struct supervisor *supervisor, const struct loop *loop,
				    bool is_silent, double time)
{
	const double deviation = loop_deviation(loop, time);
	const bool is_vague = deviation > UNLOCK_DEVIATION;
	enum supervise_event event = SUPERVISE_NEUTRAL;

	if (is_vague && supervisor_is_locked(supervisor))
		supervisor->n_unconfirmed = N_AGREE;
	if (is_silent || supervisor->silence > 0.0)
		event = SUPERVISE_SILENT;
	else if (is_vague || supervisor->n_unconfirmed > 0 || loop->change.is_seen)
		event = SUPERVISE_REFUTED;
	else if (deviation < LOCK_DEVIATION && is_proved(supervisor, loop))
		event = SUPERVISE_PROVED;
	supervisor_handle(supervisor, event);
}

WEIR_REALTIME bool supervisor_doubt(struct supervisor *supervisor, const struct loop *loop)
{
	if (loop->competing.n_doubts >= N_DOUBTS)
		supervisor_handle(supervisor, SUPERVISE_DOUBTED);
	return loop->motion.bad > MAX_BAD_SECONDS ||
	       loop->activity.active - supervisor->supported > MAX_UNSUPPORTED_SECONDS;
}
