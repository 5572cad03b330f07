/* SPDX-License-Identifier: MIT */
#ifndef WEIR_CAPTURE_VARISPEED_H
#define WEIR_CAPTURE_VARISPEED_H

#include <pipewire/impl.h>
#include <stdbool.h>

#include "graph.h"
#include "journal.h"
#include "own_rate.h"

/* At which rate one stream plays: the one that the capture wants (now), times the stream's own. */

/* Between two calls of capture_varispeed_tick. */
#define CAPTURE_TICK_MS 20

/* Private. */
struct capture_varispeed {
	const struct capture_graph *graph;
	struct capture_journal *journal;
	struct weir_registry_object *node;
	struct capture_own_rate *own_rate; /* NULL: the stream is not known to have one */
	double rate;		   /* as last sent, 0: never, and the stream's resampler is off */
	struct capture_fade *fade; /* NULL: none is under way */
	bool was_resampled;	   /* at another rate than 1 since the stream last stopped */
};

void capture_varispeed_init(struct capture_varispeed *varispeed, const struct capture_graph *graph,
			    struct capture_journal *journal, struct weir_registry_object *node);
void capture_varispeed_finish(struct capture_varispeed *varispeed);

/*
 * After the stream came, started or stopped, and after a change of now. prepare: it is to be made
 * ready for another rate before it starts.
 */
void capture_varispeed_update(struct capture_varispeed *varispeed, double now, bool prepare);
/* Does it need ticks? */
bool capture_varispeed_is_fading(const struct capture_varispeed *varispeed);
void capture_varispeed_tick(struct capture_varispeed *varispeed, double now);
/* May the stream have a rate of its own that has to be followed? */
bool capture_varispeed_has_own_rate(const struct capture_varispeed *varispeed, double now);
/* Has that rate read, and the product of both sent if it changed. */
void capture_varispeed_query_own_rate(const struct capture_varispeed *varispeed);
/* Back to 1, or as good as that, for good. */
void capture_varispeed_restore(struct capture_varispeed *varispeed);

/* In the daemon, before anybody else sees the stream. */
void capture_varispeed_prepare_impl(const struct capture_graph *graph, struct pw_impl_node *node,
				    double now);

#endif
