/* SPDX-License-Identifier: MIT */
#ifndef WEIR_CAPTURE_GRAPH_H
#define WEIR_CAPTURE_GRAPH_H

#include <stdbool.h>
#include <stdint.h>

#include "args.h"
#include "graph/connection.h"
#include "graph/registry.h"

/* WirePlumber's target for the default sink. */
#define CAPTURE_TARGET_DEFAULT "-1"
/* A node's property: does the session manager store and restore the node's volume? */
#define CAPTURE_RESTORE_PROPS_KEY "state.restore-props"
/* Value of WEIR_KEY_CAPTURE_STATE while the capture ends. */
#define CAPTURE_STATE_ENDING "ending"
/* Properties of a source: the sink of its redirected streams, "" for none; the process that has
 * loaded its module. */
#define CAPTURE_SINK_KEY "weir.capture.sink"
#define CAPTURE_HOST_KEY "weir.capture.host"
/* In the daemon, property of a stream: the capture that redirects it, "" for none. */
#define CAPTURE_OWNER_KEY "weir.capture.redirect"

/* What all parts of a capture read; capture.c alone writes it. */
struct capture_graph {
	const struct capture_args *args;
	struct weir_connection connection;
	struct weir_registry *registry;
	uint32_t source_id; /* the source's global id, SPA_ID_INVALID: not there */
	char *original_key; /* in the daemon, properties of a stream: its original target... */
	char *rate_key;	    /* ...and the rate with which it started */
};

/* Is the target a serial, not a name? */
bool capture_target_is_serial(const char *target);
/* The node of a target, a name or a serial. NULL: there is none. */
struct weir_registry_object *capture_graph_find_target(const struct capture_graph *graph,
						       const char *target);
/* The node.name of a target; of a node that is not there, the target itself. */
const char *capture_graph_get_target_name(const struct capture_graph *graph, const char *target);
/* The source of another capture that redirects to this target. NULL: there is none. */
struct weir_registry_object *capture_graph_find_other(const struct capture_graph *graph,
						      const char *target);
/* Is this capture older than that of the source "other"? The older one keeps a stream of both. */
bool capture_graph_is_older(const struct capture_graph *graph,
			    const struct weir_registry_object *other);

/* Is this stream linked to any node but the source? */
bool capture_graph_is_playing(const struct capture_graph *graph,
			      const struct weir_registry_object *stream);
/* Is the stream linked to a node of this name? */
bool capture_graph_is_linked(const struct capture_graph *graph,
			     const struct weir_registry_object *stream, const char *name);
/* NULL: there is none. */
struct weir_registry_object *capture_graph_find_client(const struct capture_graph *graph,
						       const struct weir_registry_object *stream);
/* The name by which users know the stream: the application's, or else the node's. */
const char *capture_graph_get_player(const struct capture_graph *graph,
				     const struct weir_registry_object *stream);

#endif
