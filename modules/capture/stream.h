/* SPDX-License-Identifier: MIT */
#ifndef WEIR_CAPTURE_STREAM_H
#define WEIR_CAPTURE_STREAM_H

#include <stdbool.h>

#include "graph.h"
#include "match.h"
#include "redirect.h"
#include "sink.h"
#include "tap.h"
#include "varispeed.h"

/* One stream that a capture has. */

struct capture_stream_events {
	/* capture_redirect_check_request is to be called when CAPTURE_REQUEST_SECONDS are over. */
	void (*requested)(void *data);
};

struct capture_stream {
	struct spa_list link;
	const struct capture_graph *graph;
	const struct capture_sink *sink;
	struct capture_journal *journal;
	const struct capture_stream_events *events;
	void *data;
	struct weir_registry_object *node;
	enum capture_fit fit;
	bool starting; /* in the daemon: the registry does not have the stream's first link yet */
	struct capture_redirect redirect;
	struct capture_tap tap;
	struct capture_varispeed varispeed;
};

/* Nothing happens to the node before capture_stream_start. NULL: no memory. */
struct capture_stream *
capture_stream_create(const struct capture_graph *graph, const struct capture_sink *sink,
		      struct capture_journal *journal, struct weir_registry_object *node,
		      enum capture_fit fit, const struct capture_stream_events *events, void *data);
void capture_stream_start(struct capture_stream *stream);
/* Has the stream play where and as it did before. */
void capture_stream_restore(struct capture_stream *stream);
void capture_stream_destroy(struct capture_stream *stream);

/* Makes or removes the links to the source, as they should be now. */
void capture_stream_link(struct capture_stream *stream);
/* In the daemon: the stream has its first link, which no client knows yet. */
void capture_stream_link_impl(struct capture_stream *stream);
/* After a new link from the stream to another node than the source. */
void capture_stream_add_link(struct capture_stream *stream);

#endif
