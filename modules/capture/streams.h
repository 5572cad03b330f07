/* SPDX-License-Identifier: MIT */
#ifndef WEIR_CAPTURE_STREAMS_H
#define WEIR_CAPTURE_STREAMS_H

#include <stdbool.h>

#include "graph.h"
#include "journal.h"
#include "sink.h"
#include "stream.h"

/* The streams that a capture has, as the registry's nodes, ports and links come and go. */

struct capture_streams_events {
	/* A new stream, before its target is set; or a stream that has started or stopped. */
	void (*updated)(void *data, struct capture_stream *stream);
	/* A stream has come or gone, has started to play or stopped. */
	void (*changed)(void *data);
	/* Requested moves of streams are done, or overdue. */
	void (*moved)(void *data);
};

struct capture_streams {
	struct spa_list list; /* of capture_stream */

	/* Private. */
	const struct capture_graph *graph;
	const struct capture_sink *sink;
	struct capture_journal *journal;
	const struct capture_streams_events *events;
	void *data;
	struct spa_source *request_timer; /* until all requested moves should be done */
};

/* 0 or -errno. journal may be NULL. */
int capture_streams_init(struct capture_streams *streams, const struct capture_graph *graph,
			 const struct capture_sink *sink, struct capture_journal *journal,
			 const struct capture_streams_events *events, void *data);
/* streams may be zero, and else must be without a stream. */
void capture_streams_finish(struct capture_streams *streams);
/* Forgets all streams; with restore, has them play where and as they did before. */
void capture_streams_release(struct capture_streams *streams, bool restore);

/* NULL: the node is no captured stream. */
struct capture_stream *capture_streams_find(const struct capture_streams *streams,
					    uint32_t node_id);
/* After a change of this node, of all nodes, of a client. */
void capture_streams_update_node(struct capture_streams *streams,
				 struct weir_registry_object *node);
void capture_streams_update_nodes(struct capture_streams *streams);
void capture_streams_update_client(struct capture_streams *streams,
				   const struct weir_registry_object *client);
/* Streams that another capture had may be free now. */
void capture_streams_check_owners(struct capture_streams *streams);
void capture_streams_remove_node(struct capture_streams *streams,
				 const struct weir_registry_object *node);
/* A port is new, or has gone. */
void capture_streams_add_port(struct capture_streams *streams,
			      const struct weir_registry_object *port);
void capture_streams_remove_port(struct capture_streams *streams,
				 const struct weir_registry_object *port);
/* A link is new, or has gone. */
void capture_streams_add_link(struct capture_streams *streams,
			      const struct weir_registry_object *link);
void capture_streams_remove_link(struct capture_streams *streams,
				 const struct weir_registry_object *link);
/* After a change of a link: filters may now play the sound of another node. */
void capture_streams_update_filters(struct capture_streams *streams);

/* Requests, for each stream, the output on which it is to play now. */
void capture_streams_redirect(struct capture_streams *streams);
/* The session manager went, and all targets with it. */
void capture_streams_lose_targets(struct capture_streams *streams);

#endif
