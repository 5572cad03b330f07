/* SPDX-License-Identifier: MIT */
#ifndef WEIR_CAPTURE_STREAM_H
#define WEIR_CAPTURE_STREAM_H

#include <stdbool.h>
#include <time.h>

#include "graph.h"
#include "journal.h"
#include "match.h"
#include "placement.h"
#include "sink.h"
#include "source.h"
#include "tap.h"
#include "target.h"
#include "varispeed.h"

/* The streams that a capture has: where they play, and their links to the source. */

struct capture_streams_events {
	/* Some were moved in time, or cannot be moved. */
	void (*changed)(void *data);
};

struct capture_streams {
	struct spa_list list; /* of capture_stream */
	const struct capture_graph *graph;
	struct capture_sink *sink;
	struct capture_source *source;
	struct capture_journal *journal; /* NULL: in the daemon, or there is none */
	const struct capture_streams_events *events;
	void *data;
	struct spa_source *request_timer; /* looks for those that should have been moved by now */
};

struct capture_stream {
	struct spa_list link;
	struct capture_streams *streams;
	struct weir_registry_object *node;
	enum capture_fit fit;
	enum placement placement;
	struct timespec requested; /* when that began, if it is PLACEMENT_REQUESTED */
	char *pending;		   /* the sink that it was sent to, and nothing has answered yet */
	char *owner;		   /* the other capture's name, if it is PLACEMENT_OTHER_CAPTURE */
	bool starting; /* in the daemon: its first link is there, but not yet in the registry */
	struct capture_target target;
	struct capture_tap tap;
	struct capture_varispeed varispeed;
};

/* 0 or -errno. streams must be zero. */
int capture_streams_init(struct capture_streams *streams, const struct capture_graph *graph,
			 const struct capture_streams_events *events, void *data);
/* When they are all destroyed. */
void capture_streams_finish(struct capture_streams *streams);

struct capture_stream *capture_streams_find(const struct capture_streams *streams,
					    uint32_t node_id);
/* Tells all where to play. */
void capture_streams_redirect(struct capture_streams *streams);
/* Their links to the source as they should be now. */
void capture_streams_link(struct capture_streams *streams);
void capture_streams_unlink_port(struct capture_streams *streams, uint32_t port_id);
/* Those that another capture had, and has not any more. */
void capture_streams_check_owners(struct capture_streams *streams);
/* The session manager went, and all targets with it. */
void capture_streams_lose_targets(struct capture_streams *streams);
/*
 * Does a filter's stream play what comes from the source, or from another stream that is captured?
 * It would be in the source twice, or lead back into it.
 */
bool capture_streams_lead_to(const struct capture_streams *streams,
			     const struct weir_registry_object *node);

/* It does nothing before capture_stream_start. NULL: no memory. */
struct capture_stream *capture_stream_create(struct capture_streams *streams,
					     struct weir_registry_object *node,
					     enum capture_fit fit);
void capture_stream_start(struct capture_stream *stream);
/* Has it play where and as it did before. */
void capture_stream_restore(struct capture_stream *stream);
void capture_stream_destroy(struct capture_stream *stream);

/* Its links to the source as they should be now. */
void capture_stream_link(struct capture_stream *stream);
/* In the daemon: its first link is there, before any client hears of it. */
void capture_stream_link_impl(struct capture_stream *stream);
/* After a link from it to anything else came... */
void capture_stream_add_link(struct capture_stream *stream);
/* ...or a link from it went. */
void capture_stream_remove_link(struct capture_stream *stream);
/* After a change of its target. */
void capture_stream_update_target(struct capture_stream *stream);

/* Is it linked to anything but the source? */
bool capture_stream_is_playing(const struct capture_stream *stream);
/* Is it linked to the capture's sink? */
bool capture_stream_is_at_sink(const struct capture_stream *stream);
/* NULL: there is none. */
struct weir_registry_object *capture_stream_get_client(const struct capture_stream *stream);
/* As users know it: the application's, or else the node's. */
const char *capture_stream_get_name(const struct capture_stream *stream);

#endif
