/* SPDX-License-Identifier: MIT */
#include "stream.h"

#include <stdlib.h>

#include "graph/log.h"

static void stream_log(const struct capture_stream *stream, const char *what)
{
	pw_log_info("weir.capture.%s: %s \"%s\" (stream %u)", stream->graph->args->name, what,
		    capture_graph_get_player(stream->graph, stream->node), stream->node->id);
}

/*
 * May the source be linked to this stream now? A link to the source alone would start the stream
 * before its sink can take it; link.passive does not prevent that while the source is recorded. So
 * a tap comes with the first link to anything else, and goes with the last. With a redirect it is
 * the sink that may miss the start.
 */
static bool is_linkable(const struct capture_stream *stream)
{
	if (stream->graph->source_id == SPA_ID_INVALID ||
	    stream->redirect.placement == PLACEMENT_OTHER_CAPTURE)
		return false;
	return capture_sink_is_redirecting(stream->sink) || stream->starting ||
	       capture_graph_is_playing(stream->graph, stream->node);
}

void capture_stream_link(struct capture_stream *stream)
{
	if (is_linkable(stream))
		capture_tap_link(&stream->tap);
	else
		capture_tap_unlink(&stream->tap);
}

void capture_stream_link_impl(struct capture_stream *stream)
{
	if (stream->starting)
		return;
	stream->starting = true;
	capture_stream_link(stream);
}

void capture_stream_add_link(struct capture_stream *stream)
{
	stream->starting = false;
	capture_redirect_add_link(&stream->redirect);
}

static void redirect_requested(void *data)
{
	const struct capture_stream *stream = data;

	stream->events->requested(stream->data);
}

static void redirect_owner_changed(void *data)
{
	capture_stream_link(data);
}

static const struct capture_redirect_events redirect_events = {
	.requested = redirect_requested,
	.owner_changed = redirect_owner_changed,
};

struct capture_stream *
capture_stream_create(const struct capture_graph *graph, const struct capture_sink *sink,
		      struct capture_journal *journal, struct weir_registry_object *node,
		      enum capture_fit fit, const struct capture_stream_events *events, void *data)
{
	struct capture_stream *stream = calloc(1, sizeof(*stream));

	if (stream == NULL)
		return NULL;
	stream->graph = graph;
	stream->sink = sink;
	stream->journal = journal;
	stream->events = events;
	stream->data = data;
	stream->node = node;
	stream->fit = fit;
	capture_redirect_init(&stream->redirect, graph, sink, journal, node, &redirect_events,
			      stream);
	capture_tap_init(&stream->tap, graph, node);
	capture_varispeed_init(&stream->varispeed, graph, journal, node);
	stream_log(stream, "captured");
	return stream;
}

void capture_stream_start(struct capture_stream *stream)
{
	capture_redirect_watch(&stream->redirect);
	capture_redirect_update(&stream->redirect);
	capture_stream_link(stream);
}

void capture_stream_restore(struct capture_stream *stream)
{
	capture_varispeed_restore(&stream->varispeed);
	capture_redirect_restore(&stream->redirect);
}

void capture_stream_destroy(struct capture_stream *stream)
{
	stream_log(stream, "released");
	capture_tap_unlink(&stream->tap);
	capture_varispeed_finish(&stream->varispeed);
	capture_redirect_finish(&stream->redirect);
	capture_journal_forget(stream->journal, stream->node);
	free(stream);
}
