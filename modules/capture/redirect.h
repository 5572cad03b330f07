/* SPDX-License-Identifier: MIT */
#ifndef WEIR_CAPTURE_REDIRECT_H
#define WEIR_CAPTURE_REDIRECT_H

#include <stdbool.h>
#include <time.h>

#include "graph.h"
#include "journal.h"
#include "placement.h"
#include "sink.h"
#include "target.h"

/* Where one stream plays: turns reports of the graph into placement.h's events, and carries out the
 * actions. */

struct capture_redirect_events {
	/* capture_redirect_check_request is to be called when CAPTURE_REQUEST_SECONDS are over. */
	void (*requested)(void *data);
	/* Another capture redirects the stream now, or no longer does. */
	void (*owner_changed)(void *data);
};

#define CAPTURE_REQUEST_SECONDS 3

struct capture_redirect {
	/* Private. */
	const struct capture_graph *graph;
	const struct capture_sink *sink;
	const struct weir_registry_object *node; /* the stream's */
	const struct capture_redirect_events *events;
	void *data;
	struct capture_target target;
	struct timespec requested; /* when PLACEMENT_REQUESTED began */
	char *pending; /* the sink that was requested, until the metadata or a link answers */

	/* Read by others. */
	enum placement placement;
	char *owner; /* of PLACEMENT_OTHER_CAPTURE: the other capture's name */
};

void capture_redirect_init(struct capture_redirect *redirect, const struct capture_graph *graph,
			   const struct capture_sink *sink, struct capture_journal *journal,
			   struct weir_registry_object *node,
			   const struct capture_redirect_events *events, void *data);
void capture_redirect_finish(struct capture_redirect *redirect);
/* Has the stream play where it did before. */
void capture_redirect_restore(struct capture_redirect *redirect);

/* Requests the capture's sink, or the original target, as the capture now wants. */
void capture_redirect_update(struct capture_redirect *redirect);
/* Starts the time in which the stream must move... */
void capture_redirect_watch(struct capture_redirect *redirect);
/* ...and, when it is over, checks whether the stream has. */
void capture_redirect_check_request(struct capture_redirect *redirect);
/* After a link from the stream to anything but the source came... */
void capture_redirect_add_link(struct capture_redirect *redirect);
/* ...or one went. */
void capture_redirect_remove_link(struct capture_redirect *redirect);
/* After a change of the stream's target. */
void capture_redirect_update_target(struct capture_redirect *redirect);
/* The session manager went, and all targets with it. */
void capture_redirect_lose_targets(struct capture_redirect *redirect);
/* Another capture may have ended, or its redirection. */
void capture_redirect_check_owner(struct capture_redirect *redirect);

/* Is the stream linked to the capture's sink? */
bool capture_redirect_is_at_sink(const struct capture_redirect *redirect);

#endif
