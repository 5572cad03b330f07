/* SPDX-License-Identifier: MIT */
#ifndef WEIR_ALIGN_SUPERVISE_H
#define WEIR_ALIGN_SUPERVISE_H

#include "loop.h"
#include "search.h"

/* State of a microphone. */
enum supervise_state {
	SUPERVISE_SEARCHING, /* no delay is known */
	SUPERVISE_ACQUIRING, /* a delay is tracked, not proved */
	SUPERVISE_LOCKED,    /* proved, and used */
	SUPERVISE_HELD,	     /* used as before while it is in doubt or a microphone is silent */
	SUPERVISE_N_STATES,
};

enum supervise_event {
	SUPERVISE_SET,	   /* tracking starts, or moves to another delay */
	SUPERVISE_LOST,	   /* the delay is given up */
	SUPERVISE_SILENT,  /* a microphone has digital silence */
	SUPERVISE_REFUTED, /* the delay is vague, must be confirmed, or the phases have changed */
	SUPERVISE_NEUTRAL, /* no evidence against the delay */
	SUPERVISE_PROVED,  /* all conditions of a lock hold */
	SUPERVISE_DOUBTED, /* a few frames have a competing peak */
	SUPERVISE_N_EVENTS,
};

#define SUPERVISE_SAME_LAG 8 /* samples of the analysis between lags that agree */
#define SUPERVISE_DRIFT_AGE \
	8.0 /* seconds of tracking until the search uses the drift of the loop */

WEIR_REALTIME enum supervise_state supervise_next(enum supervise_state state,
						  enum supervise_event event);

/* Hops of the search in a row with about the same lag. */
struct agreement {
	int32_t lag; /* of the latest, samples of the analysis */
	uint32_t count;
};

/* Judges the tracked delay by the peaks of the search, hop by hop. */
struct supervisor {
	enum supervise_state state;
	int32_t max_lag; /* samples of the analysis */
	double silence;	 /* seconds of digital silence; 0: both microphones have sound */

	struct agreement candidate;	/* while searching */
	struct agreement competing;	/* peaks of four seconds away from the delay */
	struct agreement competing_now; /* peaks of the latest second away from the delay */
	struct agreement reflection;	/* hops that peak at its lag, less those at the delay */
	double drift;			/* of the latest hop's peak */
	uint32_t n_same_drift;		/* hops before that, in a row, with that drift */

	bool is_at_prior;	/* tracking started at the prior delay */
	uint32_t n_opposed;	/* hops that peak at the delay with the other polarity */
	uint32_t n_unconfirmed; /* hops in a row at the delay that a lock still needs */
	uint32_t n_agreed;	/* hops that peaked at the delay since tracking started */
	uint32_t n_supported;	/* hops whose correlation is high at the delay */
	double supported;	/* seconds of sound at the latest such hop */
};

/* What to do with the tracked delay. */
enum supervise_verdict {
	SUPERVISE_STAY,
	SUPERVISE_MOVE,	    /* to the peak of four seconds */
	SUPERVISE_MOVE_NOW, /* to the peak of the latest second */
};

WEIR_REALTIME void supervisor_handle(struct supervisor *supervisor, enum supervise_event event);

/* Forgets the delay. */
WEIR_REALTIME void supervisor_reset(struct supervisor *supervisor);

/* Tracking starts. A prior delay that is found again counts as agreed. */
WEIR_REALTIME void supervisor_start(struct supervisor *supervisor, bool is_at_prior);

/* Tracking goes on at another delay of the same microphone. */
WEIR_REALTIME void supervisor_move(struct supervisor *supervisor);

/* While there is sound: are height and lead of the peak large enough, and its lag in range? */
WEIR_REALTIME bool supervisor_is_peak(const struct supervisor *supervisor,
				      const struct search_peak *peak, float height, float lead);

/* After a hop while searching: is its peak good enough to start there? */
WEIR_REALTIME bool supervisor_accepts(struct supervisor *supervisor, const struct search *search);

/* After a hop while tracking, which ended at `time`. */
WEIR_REALTIME enum supervise_verdict supervisor_review(struct supervisor *supervisor,
						       const struct search *search,
						       const struct loop *loop, double time);

/* After that: has the search found a drift that the loop's first blocks have missed? */
WEIR_REALTIME bool supervisor_refutes_drift(const struct supervisor *supervisor,
					    const struct search_peak *peak, const struct loop *loop,
					    double time);

/* Is the delay so new, or the drift so vague, that tracking should start anew elsewhere? */
WEIR_REALTIME bool supervisor_is_new(const struct supervisor *supervisor, const struct loop *loop);

/* After a hop. Returns true when a silence has ended after which the search must start anew. */
WEIR_REALTIME bool supervisor_silence(struct supervisor *supervisor, bool is_silent,
				      double hop_seconds);

/* Proves or refutes the delay by the state of the loop at `time`. */
WEIR_REALTIME void supervisor_judge(struct supervisor *supervisor, const struct loop *loop,
				    bool is_silent, double time);

/* After that: doubts the delay, or returns true when it is lost. */
WEIR_REALTIME bool supervisor_doubt(struct supervisor *supervisor, const struct loop *loop);

static inline WEIR_REALTIME bool supervisor_is_tracking(const struct supervisor *supervisor)
{
	return supervisor->state != SUPERVISE_SEARCHING;
}

static inline WEIR_REALTIME bool supervisor_is_locked(const struct supervisor *supervisor)
{
	return supervisor->state == SUPERVISE_LOCKED;
}

/* May the delay be used? */
static inline WEIR_REALTIME bool supervisor_holds(const struct supervisor *supervisor)
{
	return supervisor->state == SUPERVISE_LOCKED || supervisor->state == SUPERVISE_HELD;
}

#endif
