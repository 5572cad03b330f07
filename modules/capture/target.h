/* SPDX-License-Identifier: MIT */
#ifndef WEIR_CAPTURE_TARGET_H
#define WEIR_CAPTURE_TARGET_H

#include <stdbool.h>

#include "graph.h"
#include "journal.h"
#include "sink.h"

/* The target of one stream in the metadata, and its original target, without the capture. */

/* Private. */
struct capture_target {
	const struct capture_graph *graph;
	const struct capture_sink *sink;
	struct capture_journal *journal;
	struct weir_registry_object *node; /* the stream's */
	char *original;			   /* target.object before ours, NULL: none */
	char *original_name;		   /* the name of its node, NULL: unknown */
	char *original_node;		   /* target.node before ours, NULL: none */
	bool is_sent;			   /* has the stream ever been redirected? */
	uint32_t remembered;		   /* the target.node that is ours, SPA_ID_INVALID: none */
};

void capture_target_init(struct capture_target *target, const struct capture_graph *graph,
			 const struct capture_sink *sink, struct capture_journal *journal,
			 struct weir_registry_object *node);
void capture_target_finish(struct capture_target *target);

/* NULL: none. */
const char *capture_target_get_original(const struct capture_target *target);
/* Has a user, the stream's application or another program chosen where the stream plays? */
bool capture_target_is_chosen(const struct capture_target *target);
/* Takes the present target as the original. */
void capture_target_adopt(struct capture_target *target);
/* Sets the target to a sink of the capture, ... */
void capture_target_set_sink(struct capture_target *target, const char *sink);
/* ...back to the original, */
void capture_target_reset(struct capture_target *target);
/* ...or leaves it, as the choice of a user or program. */
void capture_target_leave(struct capture_target *target);

#endif
