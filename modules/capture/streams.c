/* SPDX-License-Identifier: MIT */
#include "streams.h"

#include <errno.h>

#include "path.h"

struct capture_stream *capture_streams_find(const struct capture_streams *streams, uint32_t node_id)
{
	struct capture_stream *stream;

	spa_list_for_each(stream, &streams->list, link)
	{
		if (stream->node->id == node_id)
			return stream;
	}
	return NULL;
}

/*
 * Does a filter's stream play the sound of the source, or of another stream that is captured?
 * That sound would be in the source twice, or lead back into it.
 */
static bool plays_captured(const struct capture_streams *streams,
			   const struct weir_registry_object *node)
{
	const struct capture_stream *stream;
	struct capture_reach reach = { .n = 0 };

	if (pw_properties_get(node->props, PW_KEY_NODE_LINK_GROUP) == NULL)
		return false;
	capture_reach_add(&reach, streams->graph->source_id);
	spa_list_for_each(stream, &streams->list, link)
	{
		if (stream->node != node)
			capture_reach_add(&reach, stream->node->id);
	}
	capture_reach_extend(&reach, streams->graph->registry);
	return capture_reach_has(&reach, node->id);
}

static void stream_requested(void *data)
{
	struct capture_streams *streams = data;

	weir_context_timer_set(streams->graph->connection.context, streams->request_timer,
			       CAPTURE_REQUEST_SECONDS * SPA_NSEC_PER_SEC);
}

static const struct capture_stream_events stream_events = {
	.requested = stream_requested,
};

static void stream_add(struct capture_streams *streams, struct weir_registry_object *node,
		       enum capture_fit fit)
{
	struct capture_stream *stream =
		capture_stream_create(streams->graph, streams->sink, streams->journal, node, fit,
				      &stream_events, streams);

	if (stream == NULL)
		return;
	spa_list_append(&streams->list, &stream->link);
	streams->events->updated(streams->data, stream);
	capture_stream_start(stream);
	streams->events->changed(streams->data);
}

static void stream_remove(struct capture_streams *streams, struct capture_stream *stream)
{
	spa_list_remove(&stream->link);
	capture_stream_destroy(stream);
	streams->events->changed(streams->data);
}

void capture_streams_release(struct capture_streams *streams, bool restore)
{
	struct capture_stream *stream;

	spa_list_consume(stream, &streams->list, link)
	{
		if (restore)
			capture_stream_restore(stream);
		stream_remove(streams, stream);
	}
}

void capture_streams_update_node(struct capture_streams *streams, struct weir_registry_object *node)
{
	const struct capture_args *args = streams->graph->args;
	const struct weir_registry_object *client = capture_graph_find_client(streams->graph, node);
	struct capture_stream *stream = capture_streams_find(streams, node->id);
	enum capture_fit fit;

	if (!node->known || (client != NULL && !client->known))
		return;
	/* The process that started the stream's may be gone by now. */
	if (stream != NULL && stream->fit == CAPTURE_FIT_ANCESTOR)
		fit = stream->fit;
	else
		fit = capture_match_get_fit(&args->match, &args->exclude, &node->props->dict,
					    client != NULL ? &client->props->dict : NULL);
	if (fit != CAPTURE_FIT_NONE && plays_captured(streams, node))
		fit = CAPTURE_FIT_NONE;
	if (fit != CAPTURE_FIT_NONE && stream == NULL) {
		stream_add(streams, node, fit);
	} else if (fit != CAPTURE_FIT_NONE) {
		streams->events->updated(streams->data, stream);
	} else if (stream != NULL) {
		capture_stream_restore(stream);
		stream_remove(streams, stream);
	}
}

void capture_streams_update_nodes(struct capture_streams *streams)
{
	struct weir_registry *registry = streams->graph->registry;
	struct weir_registry_object *node;

	spa_list_for_each(node, weir_registry_get_objects(registry, WEIR_REGISTRY_NODE), link)
		capture_streams_update_node(streams, node);
}

void capture_streams_update_client(struct capture_streams *streams,
				   const struct weir_registry_object *client)
{
	struct weir_registry *registry = streams->graph->registry;
	struct weir_registry_object *node;

	spa_list_for_each(node, weir_registry_get_objects(registry, WEIR_REGISTRY_NODE), link)
	{
		if (node->owner_id == client->id)
			capture_streams_update_node(streams, node);
	}
}

void capture_streams_update_filters(struct capture_streams *streams)
{
	struct weir_registry *registry = streams->graph->registry;
	struct weir_registry_object *node;

	spa_list_for_each(node, weir_registry_get_objects(registry, WEIR_REGISTRY_NODE), link)
	{
		if (pw_properties_get(node->props, PW_KEY_NODE_LINK_GROUP) != NULL)
			capture_streams_update_node(streams, node);
	}
}

void capture_streams_check_owners(struct capture_streams *streams)
{
	struct capture_stream *stream;

	spa_list_for_each(stream, &streams->list, link)
		capture_redirect_check_owner(&stream->redirect);
}

void capture_streams_remove_node(struct capture_streams *streams,
				 const struct weir_registry_object *node)
{
	struct capture_stream *stream = capture_streams_find(streams, node->id);

	if (stream != NULL)
		stream_remove(streams, stream);
}

void capture_streams_add_port(struct capture_streams *streams,
			      const struct weir_registry_object *port)
{
	struct capture_stream *stream;

	spa_list_for_each(stream, &streams->list, link)
	{
		if (stream->node->id == port->owner_id ||
		    port->owner_id == streams->graph->source_id)
			capture_stream_link(stream);
	}
}

void capture_streams_remove_port(struct capture_streams *streams,
				 const struct weir_registry_object *port)
{
	struct capture_stream *stream;

	spa_list_for_each(stream, &streams->list, link)
		capture_tap_unlink_port(&stream->tap, port->id);
}

void capture_streams_add_link(struct capture_streams *streams,
			      const struct weir_registry_object *link)
{
	struct capture_stream *stream = capture_streams_find(streams, link->owner_id);

	if (stream == NULL)
		return;
	if (weir_registry_object_get_id(link, PW_KEY_LINK_INPUT_NODE) != streams->graph->source_id)
		capture_stream_add_link(stream);
	capture_stream_link(stream);
	streams->events->changed(streams->data);
}

void capture_streams_remove_link(struct capture_streams *streams,
				 const struct weir_registry_object *link)
{
	struct capture_stream *stream = capture_streams_find(streams, link->owner_id);

	if (stream == NULL)
		return;
	capture_redirect_remove_link(&stream->redirect);
	capture_stream_link(stream);
	streams->events->changed(streams->data);
}

void capture_streams_redirect(struct capture_streams *streams)
{
	struct capture_stream *stream;

	spa_list_for_each(stream, &streams->list, link) capture_redirect_update(&stream->redirect);
}

void capture_streams_lose_targets(struct capture_streams *streams)
{
	struct capture_stream *stream;

	spa_list_for_each(stream, &streams->list, link)
		capture_redirect_lose_targets(&stream->redirect);
}

static void request_timeout(void *data, uint64_t expirations)
{
	struct capture_streams *streams = data;
	struct capture_stream *stream;

	(void)expirations;
	spa_list_for_each(stream, &streams->list, link)
		capture_redirect_check_request(&stream->redirect);
	streams->events->moved(streams->data);
}

int capture_streams_init(struct capture_streams *streams, const struct capture_graph *graph,
			 const struct capture_sink *sink, struct capture_journal *journal,
			 const struct capture_streams_events *events, void *data)
{
	spa_list_init(&streams->list);
	streams->graph = graph;
	streams->sink = sink;
	streams->journal = journal;
	streams->events = events;
	streams->data = data;
	streams->request_timer = pw_loop_add_timer(
		pw_context_get_main_loop(graph->connection.context), request_timeout, streams);
	return streams->request_timer != NULL ? 0 : -errno;
}

void capture_streams_finish(struct capture_streams *streams)
{
	if (streams->graph != NULL)
		weir_context_timer_destroy(streams->graph->connection.context,
					   streams->request_timer);
}
