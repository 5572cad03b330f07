/* SPDX-License-Identifier: MIT */
#ifndef WEIR_ALIGN_PAIR_H
#define WEIR_ALIGN_PAIR_H

#include "supervise.h"
#include "track.h"
#include "weights.h"

/* The expected delay, drift and polarity of a microphone that is searched for. */
struct pair_prior {
	enum {
		PAIR_NO_PRIOR,
		PAIR_KEPT,
		PAIR_RESTORED
	} source;	     /* of this run, or an earlier one */
	double delay, drift; /* restored: the delay at time 0 */
	float polarity;
	uint32_t n_hops; /* of the search in which a lower peak at that delay is enough */
};

/*
 * Finds and tracks the delay of one microphone, the second, against another, the first. The search
 * gives a coarse delay, the loop an exact one; the search goes on, and the supervisor moves the
 * loop when the sound is at another delay.
 */
struct pair {
	struct search search;
	struct track track;
	struct weights weights;
	struct supervisor supervisor;
	struct pair_prior prior, latest; /* latest: of the latest lock, for a later prior */
	uint64_t n_hops, n_frames;	 /* of search and loop, handled so far */
	double time;			 /* of the latest sample, seconds */
};

void pair_allocate(struct pair *pair, const struct front_end_context *front_context,
		   const struct cross_context *cross, const struct drift_tables *drift_tables,
		   uint32_t max_parts, struct arena *arena);
WEIR_REALTIME void pair_reset(struct pair *pair);

/* Forgets delay and drift of the second microphone. */
WEIR_REALTIME void pair_forget(struct pair *pair);

/* Restores delay, drift and polarity of an earlier run. A lock at another delay replaces them. */
WEIR_REALTIME void pair_set_prior(struct pair *pair, double delay, double drift, float polarity);

/* Limits the delays of the search. */
WEIR_REALTIME void pair_limit(struct pair *pair, double seconds);

WEIR_REALTIME uint32_t pair_step(struct pair *pair, const struct front_end *front1,
				 const struct front_end *front2);

/* Seconds since a frame had sound in both microphones. */
static inline WEIR_REALTIME double pair_pause(const struct pair *pair)
{
	const double delay = loop_delay(&pair->track.loop, pair->time);

	return pair->time - pair->track.loop.activity.latest - (delay > 0.0 ? delay : 0.0);
}

/* Decides whether the delay may be used. With is_held nothing changes. */
WEIR_REALTIME void pair_judge(struct pair *pair, const struct front_end *front1,
			      const struct front_end *front2, bool is_held);

#endif
