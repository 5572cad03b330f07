/* SPDX-License-Identifier: MIT */
#ifndef WEIR_ALIGN_PAIR_H
#define WEIR_ALIGN_PAIR_H

#include "search.h"
#include "track.h"
#include "weights.h"

/*
 * Finds and follows one microphone, the second, by another, the first. The search says where it
 * is, the tracker how exactly; the search goes on, and takes the tracker elsewhere when the sound
 * is there.
 */

/* Where it was, and how fast its clock: found before, or told by someone who did. */
struct pair_known {
	bool is_known, is_told;
	double delay, drift; /* the delay at the time of telling */
	float polarity;
	uint32_t n_hops; /* for which the delay is believed where little speaks for it */
};

struct pair {
	struct search search;
	struct track track;
	struct weights weights;

	bool is_tracking, is_locked;
	bool holds; /* the delay may be used: locked, or was when a microphone fell silent */
	uint64_t n_hops, n_frames; /* seen of search and tracker */
	double time;		   /* of the latest sample */
	double silent;		   /* seconds of silence */
	bool is_unproven;	   /* after that, or long unheard: not found yet where it was */
	struct pair_known known, latest; /* the latest is what there is to tell a later one */
	bool is_as_told;		 /* tracking began where it was said to be */
	int32_t candidate, elsewhere, elsewhere_now, rival;
	uint32_t n_candidates, n_elsewhere, n_elsewhere_now; /* hops that agree */
	double alike;	      /* the drift of the latest hop's peak */
	uint32_t n_alike;     /* hops before that, in a row, with that drift */
	uint32_t n_rival;     /* hops whose peak is at the rival, less those at the delay */
	uint32_t n_opposed;   /* hops whose peak is at the delay, but of the other polarity */
	uint32_t n_confirmed; /* hops in a row whose peak is at the delay */
	uint32_t n_agreed;    /* such hops since tracking began */
	uint32_t n_supported; /* hops whose correlation is high at the delay */
	double supported;     /* seconds of sound after which it last was */
	int32_t max_lag;
};

void pair_allocate(struct pair *pair, const struct front_end_context *front_context,
		   const struct cross_context *cross, const struct drift_tables *drift_tables,
		   uint32_t max_parts, struct arena *arena);
WEIR_REALTIME void pair_reset(struct pair *pair);

/* Forgets where the second microphone is, and how fast its clock. */
WEIR_REALTIME void pair_forget(struct pair *pair);

/* Tells where it was heard before. What is found otherwise counts more. */
WEIR_REALTIME void pair_tell(struct pair *pair, double delay, double drift, float polarity);

/* Delays are looked for up to this. */
WEIR_REALTIME void pair_limit(struct pair *pair, double seconds);

WEIR_REALTIME uint32_t pair_step(struct pair *pair, const struct front_end *front1,
				 const struct front_end *front2);

/* Seconds since something was last heard. */
static inline WEIR_REALTIME double pair_unheard(const struct pair *pair)
{
	const double delay = track_delay(&pair->track, pair->time);

	return pair->time - pair->track.heard - (delay > 0.0 ? delay : 0.0);
}

/* Decides whether the delay holds now. When it is held it does. */
WEIR_REALTIME void pair_judge(struct pair *pair, const struct front_end *front1,
			      const struct front_end *front2, bool is_held);

#endif
