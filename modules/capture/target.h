/* SPDX-License-Identifier: MIT */
#ifndef WEIR_CAPTURE_TARGET_H
#define WEIR_CAPTURE_TARGET_H

#include <stdbool.h>

#include "graph.h"
#include "journal.h"
#include "sink.h"

/* What the metadata says of where one stream is to play, and what it said before the capture. */

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

/* Where the stream plays without us: a target, NULL for none. */
const char *capture_target_get_original(const struct capture_target *target);
/* Has somebody, the stream's application for one, said where it is to play? */
bool capture_target_is_chosen(const struct capture_target *target);
/* What the metadata says now is the original. */
void capture_target_adopt(struct capture_target *target);
/* Tells the session manager of a sink of ours, that the stream is to be where it was, ... */
void capture_target_set_sink(struct capture_target *target, const char *sink);
void capture_target_reset(struct capture_target *target);
/* ...or nothing: what the metadata says is somebody's choice. */
void capture_target_leave(struct capture_target *target);

#endif
