/* SPDX-License-Identifier: MIT */
#ifndef WEIR_CAPTURE_SINK_H
#define WEIR_CAPTURE_SINK_H

#include <stdbool.h>

#include "graph.h"

/*
 * Where captured streams are to play: args.sink, or a virtual sink that stands in for it, or where
 * they used to, while args.sink or the way through args.needs is missing.
 */
struct capture_sink;

struct capture_sink_events {
	/* Where streams are to play, or whether the session manager can link them there. */
	void (*changed)(void *data);
};

/* NULL and errno on failure. */
struct capture_sink *capture_sink_create(const struct capture_graph *graph,
					 const struct capture_sink_events *events, void *data);
void capture_sink_destroy(struct capture_sink *sink);
/* Once everything in the graph has been reported. */
void capture_sink_start(struct capture_sink *sink);
/* After a change of nodes, ports or links. */
void capture_sink_update(struct capture_sink *sink);
/* The capture ends: the virtual sink is not missed any more. */
void capture_sink_end(struct capture_sink *sink);

/* Are streams to play on another sink than their own? */
bool capture_sink_is_redirecting(const struct capture_sink *sink);
/* Where redirected streams are to play. */
const char *capture_sink_get_name(const struct capture_sink *sink);
const char *capture_sink_get_virtual_name(const struct capture_sink *sink);
/* Is the target, by name or serial, a sink of this capture... */
bool capture_sink_is_target(const struct capture_sink *sink, const char *target);
/* ...its virtual one, which no application chooses? */
bool capture_sink_is_virtual_target(const struct capture_sink *sink, const char *target);
/* Can the session manager link streams to the sink? */
bool capture_sink_is_known(const struct capture_sink *sink);
/* Is the virtual sink in use because args.sink is absent? */
bool capture_sink_is_substitute(const struct capture_sink *sink);
/* Is the virtual sink the default one? */
bool capture_sink_is_default(const struct capture_sink *sink);
/* Has args.sink gone, or could no virtual one be made? */
bool capture_sink_is_lost(const struct capture_sink *sink);
/* What is missing on the path through args.needs. NULL: nothing. */
const char *capture_sink_get_missing(const struct capture_sink *sink);

#endif
