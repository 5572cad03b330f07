/* SPDX-License-Identifier: MIT */
#include "stream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <spa/utils/string.h>

#include "daemon.h"
#include "graph/log.h"
#include "path.h"

#define REQUEST_SECONDS 3

struct weir_registry_object *capture_stream_get_client(const struct capture_stream *stream)
{
	return weir_registry_find(stream->streams->graph->registry, WEIR_REGISTRY_CLIENT,
				  stream->node->owner_id);
}

const char *capture_stream_get_name(const struct capture_stream *stream)
{
	static const char *const keys[] = {
		PW_KEY_APP_NAME,
		PW_KEY_APP_PROCESS_BINARY,
		PW_KEY_NODE_NAME,
	};
	const struct weir_registry_object *const objects[] = {
		stream->node,
		capture_stream_get_client(stream),
	};
	const char *name = NULL;
	unsigned int i;

	for (i = 0; name == NULL && i < SPA_N_ELEMENTS(keys) * SPA_N_ELEMENTS(objects); i++) {
		if (objects[i % 2] != NULL)
			name = pw_properties_get(objects[i % 2]->props, keys[i / 2]);
	}
	return name != NULL ? name : "";
}

static void stream_log(const struct capture_stream *stream, const char *what)
{
	pw_log_info("weir.capture.%s: %s \"%s\" (stream %u)", stream->streams->graph->args->name,
		    what, capture_stream_get_name(stream), stream->node->id);
}

bool capture_stream_is_playing(const struct capture_stream *stream)
{
	const struct capture_graph *graph = stream->streams->graph;
	struct weir_registry_object *link;

	spa_list_for_each(link, weir_registry_get_objects(graph->registry, WEIR_REGISTRY_LINK),
			  link)
	{
		if (link->owner_id == stream->node->id &&
		    weir_registry_object_get_id(link, PW_KEY_LINK_INPUT_NODE) != graph->source_id)
			return true;
	}
	return false;
}

bool capture_stream_is_at_sink(const struct capture_stream *stream)
{
	const struct capture_graph *graph = stream->streams->graph;
	const struct weir_registry_object *sink;
	struct weir_registry_object *link;

	spa_list_for_each(link, weir_registry_get_objects(graph->registry, WEIR_REGISTRY_LINK),
			  link)
	{
		if (link->owner_id != stream->node->id)
			continue;
		sink = weir_registry_find(
			graph->registry, WEIR_REGISTRY_NODE,
			weir_registry_object_get_id(link, PW_KEY_LINK_INPUT_NODE));
		if (sink != NULL && spa_streq(pw_properties_get(sink->props, PW_KEY_NODE_NAME),
					      capture_sink_get_name(stream->streams->sink)))
			return true;
	}
	return false;
}

/* The name of another capture that redirects it. NULL: there is none. */
static const char *find_owner(const struct capture_stream *stream)
{
	const struct capture_graph *graph = stream->streams->graph;
	const char *owner = pw_properties_get(stream->node->props, CAPTURE_OWNER_KEY);
	const struct weir_registry_object *other =
		capture_graph_find_other(graph, stream->node->target);

	if (owner != NULL && *owner != '\0' && !spa_streq(owner, graph->args->name))
		return owner;
	if (other == NULL)
		return NULL;
	return pw_properties_get(other->props, PW_KEY_NODE_NAME) + strlen("weir.capture.");
}

/* Does the capture that has it redirect no longer? */
static bool is_free(const struct capture_stream *stream)
{
	char name[256];
	const struct weir_registry_object *owner;
	const char *sink;

	snprintf(name, sizeof(name), "weir.capture.%s", stream->owner);
	owner = capture_graph_find_target(stream->streams->graph, name);
	sink = owner != NULL ? pw_properties_get(owner->props, CAPTURE_SINK_KEY) : NULL;
	return sink == NULL || *sink == '\0';
}

/* From now on: is it moved in time? */
static void request_watch(struct capture_stream *stream)
{
	const struct capture_graph *graph = stream->streams->graph;

	clock_gettime(CLOCK_MONOTONIC, &stream->requested);
	weir_context_timer_set(graph->connection.context, stream->streams->request_timer,
			       REQUEST_SECONDS * SPA_NSEC_PER_SEC);
}

/*
 * Does it stay where it plays until the session manager knows our sink? Asked for one that it does
 * not know, it takes the default one instead, which is not where this stream plays.
 */
static bool is_deferred(const struct capture_stream *stream)
{
	return !capture_sink_is_known(stream->streams->sink) &&
	       capture_target_is_chosen(&stream->target);
}

static void memory_pause(const struct capture_stream *stream, bool to_sink)
{
	const struct capture_graph *graph = stream->streams->graph;
	struct pw_impl_node *node =
		capture_daemon_find_node(graph->connection.context, stream->node->id);

	if (node != NULL)
		capture_daemon_pause_memory(graph->connection.context, node,
					    capture_sink_get_name(stream->streams->sink), to_sink);
}

static void target_send(struct capture_stream *stream, bool to_sink)
{
	const struct capture_graph *graph = stream->streams->graph;
	const uint32_t id = stream->node->id;

	if (to_sink && is_deferred(stream))
		return;
	/* The session manager is not to remember where a stream is that we did not see start. */
	if (graph->connection.in_daemon) {
		memory_pause(stream, to_sink);
		capture_daemon_set_property(graph->connection.context, id, CAPTURE_OWNER_KEY,
					    to_sink ? graph->args->name : "");
	}
	if (to_sink) {
		request_watch(stream);
		free(stream->pending);
		stream->pending = strdup(capture_sink_get_name(stream->streams->sink));
		capture_target_set_sink(&stream->target,
					capture_sink_get_name(stream->streams->sink));
	} else {
		capture_target_reset(&stream->target);
	}
}

/*
 * May the source hear this stream now? A link to the source alone would start the stream before its
 * sink can hear it; link.passive does not prevent that while the source is recorded. So a tap comes
 * with the first link to anything else, and goes with the last. With a redirect it is the sink that
 * may miss the start.
 */
static bool stream_is_linkable(const struct capture_stream *stream)
{
	const struct capture_graph *graph = stream->streams->graph;

	if (graph->source_id == SPA_ID_INVALID || stream->placement == PLACEMENT_OTHER_CAPTURE)
		return false;
	return capture_sink_is_redirecting(stream->streams->sink) || stream->starting ||
	       capture_stream_is_playing(stream);
}

void capture_stream_link(struct capture_stream *stream)
{
	if (stream_is_linkable(stream))
		capture_tap_link(&stream->tap);
	else
		capture_tap_unlink(&stream->tap);
}

/* Has the session manager been asked, or is there none to ask? */
static bool is_requested(const struct capture_stream *stream)
{
	return weir_registry_has_targets(stream->streams->graph->registry)
		       ? stream->placement == PLACEMENT_REQUESTED && !is_deferred(stream)
		       : stream->placement == PLACEMENT_REQUESTED ||
				 stream->placement == PLACEMENT_ORIGINAL;
}

/* A session manager moves a stream that plays within milliseconds, or not at all. */
static bool is_overdue(const struct capture_stream *stream)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return is_requested(stream) && stream->node->running && capture_stream_is_playing(stream) &&
	       SPA_TIMESPEC_TO_NSEC(&now) >= SPA_TIMESPEC_TO_NSEC(&stream->requested) +
						     REQUEST_SECONDS * SPA_NSEC_PER_SEC;
}

static void stream_redirect(struct capture_stream *stream);

static void placement_report(const struct capture_stream *stream)
{
	const struct capture_graph *graph = stream->streams->graph;

	if (stream->placement == PLACEMENT_TAKEN_OVER) {
		stream_log(stream, "somebody else moved");
	} else if (stream->placement == PLACEMENT_IMMOVABLE) {
		pw_log_warn("weir.capture.%s: cannot move \"%s\" (stream %u): %s. "
			    "Use capture.mode = tap for it",
			    graph->args->name, capture_stream_get_name(stream), stream->node->id,
			    weir_registry_has_targets(graph->registry)
				    ? "the session manager leaves it where it plays"
				    : "there is no session manager");
	} else if (stream->placement == PLACEMENT_OTHER_CAPTURE) {
		pw_log_warn("weir.capture.%s: weir.capture.%s redirects \"%s\" (stream %u) "
			    "already: leaving it. Have only one of them match it",
			    graph->args->name, stream->owner, capture_stream_get_name(stream),
			    stream->node->id);
	}
}

static void placement_act(struct capture_stream *stream, enum placement_action action)
{
	const struct capture_graph *graph = stream->streams->graph;
	const char *target = stream->node->target;

	switch (action) {
	case PLACEMENT_NOTHING:
		break;
	case PLACEMENT_ADOPT:
	case PLACEMENT_ADOPT_AND_SEND:
		capture_target_adopt(&stream->target);
		if (action == PLACEMENT_ADOPT_AND_SEND)
			target_send(stream, true);
		break;
	case PLACEMENT_CHECK:
		if (spa_streq(target, capture_sink_get_name(stream->streams->sink)) ||
		    spa_streq(stream->pending, capture_sink_get_name(stream->streams->sink)))
			break;
		SPA_FALLTHROUGH;
	case PLACEMENT_SEND:
		target_send(stream, true);
		break;
	case PLACEMENT_CHECK_BACK:
		if (spa_streq(target, capture_target_get_original(&stream->target)))
			break;
		SPA_FALLTHROUGH;
	case PLACEMENT_SEND_BACK:
		target_send(stream, false);
		break;
	case PLACEMENT_REFRESH:
		weir_registry_refresh(graph->registry);
		break;
	case PLACEMENT_LEAVE:
		capture_target_leave(&stream->target);
		break;
	case PLACEMENT_REVIEW:
		stream_redirect(stream);
		break;
	}
}

/* What the target that it has now means for its placement. */
static enum placement_event target_event(const struct capture_stream *stream)
{
	const struct capture_graph *graph = stream->streams->graph;
	const char *target = stream->node->target,
		   *original = capture_target_get_original(&stream->target);
	const struct weir_registry_object *other;

	if (capture_sink_is_target(stream->streams->sink, target))
		return PLACEMENT_TARGET_SINK;
	other = capture_graph_find_other(graph, target);
	if (other != NULL)
		return capture_graph_is_older(graph, other) ? PLACEMENT_TARGET_RIVAL
							    : PLACEMENT_TARGET_CAPTURE;
	if (spa_streq(target, original))
		return PLACEMENT_TARGET_ORIGINAL;
	/* A capture in the daemon that ends sends a stream of its own hook to the default sink. */
	return original == NULL && spa_streq(target, CAPTURE_TARGET_DEFAULT) &&
			       stream->placement != PLACEMENT_ORIGINAL
		       ? PLACEMENT_TARGET_ORIGINAL
		       : PLACEMENT_TARGET_OTHER;
}

static void owner_note(struct capture_stream *stream)
{
	const char *owner = find_owner(stream);

	free(stream->owner);
	stream->owner = strdup(owner != NULL ? owner : "");
}

/* Changes its placement, and does what that takes. */
static void stream_handle(struct capture_stream *stream, enum placement_event event)
{
	const enum placement before = stream->placement;
	const struct placement_change change = placement_handle(before, event);

	if (event != PLACEMENT_WANT_SINK) {
		free(stream->pending);
		stream->pending = NULL;
	}
	stream->placement = change.next;
	if (change.next != before && change.next == PLACEMENT_OTHER_CAPTURE)
		owner_note(stream);
	if (change.next != before)
		placement_report(stream);
	if ((change.next == PLACEMENT_OTHER_CAPTURE) != (before == PLACEMENT_OTHER_CAPTURE))
		capture_stream_link(stream);
	if (change.next == PLACEMENT_REQUESTED && change.next != before)
		request_watch(stream);
	placement_act(stream, change.action);
}

/* What its application asks for; only at its start the daemon's hook comes before that. */
static bool stream_is_immovable(const struct capture_stream *stream)
{
	const struct pw_properties *props = stream->node->props;

	if (capture_stream_is_at_sink(stream) ||
	    capture_sink_is_target(stream->streams->sink,
				   pw_properties_get(props, PW_KEY_TARGET_OBJECT)))
		return false;
	return pw_properties_get_bool(props, "node.dont-move", false) ||
	       (pw_properties_get_bool(props, PW_KEY_NODE_DONT_RECONNECT, false) &&
		capture_stream_is_playing(stream));
}

static void stream_redirect(struct capture_stream *stream)
{
	const struct capture_graph *graph = stream->streams->graph;

	if (!graph->args->redirect || !weir_registry_has_targets(graph->registry))
		return;
	if (!capture_sink_is_redirecting(stream->streams->sink))
		stream_handle(stream, PLACEMENT_WANT_ORIGINAL);
	else if (stream->placement == PLACEMENT_ORIGINAL && find_owner(stream) != NULL)
		stream_handle(stream, PLACEMENT_TARGET_CAPTURE);
	else if (stream_is_immovable(stream))
		stream_handle(stream, PLACEMENT_REFUSED);
	else
		stream_handle(stream, PLACEMENT_WANT_SINK);
}

/*
 * What the daemon's hook put there outlives the metadata, which goes with the session manager.
 * Until then the entry in the metadata has to stay: WirePlumber (0.5.8) works with a copy of the
 * properties that the stream had when it came, and without the entry would have it play at our sink
 * again.
 */
static void properties_restore(const struct capture_stream *stream)
{
	const struct capture_graph *graph = stream->streams->graph;
	const uint32_t id = stream->node->id;
	const char *before = pw_properties_get(stream->node->props, graph->before_key);

	if (before != NULL)
		capture_daemon_set_property(graph->connection.context, id, PW_KEY_TARGET_OBJECT,
					    spa_streq(before, CAPTURE_TARGET_DEFAULT) ? NULL
										      : before);
	capture_daemon_set_property(graph->connection.context, id, graph->before_key, NULL);
	capture_daemon_set_property(graph->connection.context, id, CAPTURE_OWNER_KEY, NULL);
}

void capture_stream_restore(struct capture_stream *stream)
{
	const struct capture_graph *graph = stream->streams->graph;

	capture_varispeed_restore(&stream->varispeed);
	if (!graph->args->redirect || stream->placement == PLACEMENT_OTHER_CAPTURE)
		return;
	if (stream->placement != PLACEMENT_TAKEN_OVER) {
		if (graph->connection.in_daemon)
			memory_pause(stream, false);
		capture_target_reset(&stream->target);
	}
	if (graph->connection.in_daemon)
		properties_restore(stream);
}

void capture_stream_link_impl(struct capture_stream *stream)
{
	if (stream->starting)
		return;
	stream->starting = true;
	capture_stream_link(stream);
}

/*
 * A client does not hear of a change in the metadata while another one binds it (1.4.2): what the
 * session manager restores may replace our target unnoticed. The link it makes then tells.
 */
void capture_stream_add_link(struct capture_stream *stream)
{
	const struct capture_graph *graph = stream->streams->graph;

	stream->starting = false;
	if (!weir_registry_has_targets(graph->registry))
		request_watch(stream);
	else if (graph->args->redirect)
		stream_handle(stream, capture_stream_is_at_sink(stream) ? PLACEMENT_LINKED_SINK
									: PLACEMENT_LINKED_OTHER);
}

void capture_stream_remove_link(struct capture_stream *stream)
{
	if (stream->streams->graph->args->redirect && !capture_stream_is_at_sink(stream))
		stream_handle(stream, PLACEMENT_UNLINKED);
}

void capture_stream_update_target(struct capture_stream *stream)
{
	if (!stream->streams->graph->args->redirect)
		return;
	stream_handle(stream, target_event(stream));
	if (capture_stream_is_at_sink(stream))
		stream_handle(stream, PLACEMENT_LINKED_SINK);
}

struct capture_stream *capture_stream_create(struct capture_streams *streams,
					     struct weir_registry_object *node,
					     enum capture_fit fit)
{
	const struct capture_graph *graph = streams->graph;
	struct capture_stream *stream = calloc(1, sizeof(*stream));

	if (stream == NULL)
		return NULL;
	stream->streams = streams;
	stream->node = node;
	stream->fit = fit;
	capture_target_init(&stream->target, graph, streams->sink, streams->journal, node);
	capture_tap_init(&stream->tap, graph, node);
	capture_varispeed_init(&stream->varispeed, graph, streams->journal, node);
	if (node->target != NULL && !capture_sink_is_virtual_target(streams->sink, node->target) &&
	    capture_graph_find_other(graph, node->target) == NULL)
		capture_target_adopt(&stream->target);
	spa_list_append(&streams->list, &stream->link);
	stream_log(stream, "captured");
	return stream;
}

void capture_stream_start(struct capture_stream *stream)
{
	request_watch(stream);
	stream_redirect(stream);
	capture_stream_link(stream);
}

void capture_stream_destroy(struct capture_stream *stream)
{
	stream_log(stream, "released");
	capture_tap_unlink(&stream->tap);
	capture_varispeed_finish(&stream->varispeed);
	capture_target_finish(&stream->target);
	capture_journal_forget(stream->streams->journal, stream->node);
	spa_list_remove(&stream->link);
	free(stream->pending);
	free(stream->owner);
	free(stream);
}

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

void capture_streams_redirect(struct capture_streams *streams)
{
	const struct capture_sink *sink = streams->sink;
	struct capture_stream *stream;

	/* First, for it tells another capture whose the target is. */
	capture_source_set(streams->source, CAPTURE_SINK_KEY,
			   capture_sink_is_redirecting(sink) ? capture_sink_get_name(sink) : "");
	spa_list_for_each(stream, &streams->list, link) stream_redirect(stream);
}

void capture_streams_link(struct capture_streams *streams)
{
	struct capture_stream *stream;

	spa_list_for_each(stream, &streams->list, link) capture_stream_link(stream);
}

void capture_streams_unlink_port(struct capture_streams *streams, uint32_t port_id)
{
	struct capture_stream *stream;

	spa_list_for_each(stream, &streams->list, link)
		capture_tap_unlink_port(&stream->tap, port_id);
}

void capture_streams_check_owners(struct capture_streams *streams)
{
	struct capture_stream *stream;

	spa_list_for_each(stream, &streams->list, link)
	{
		if (stream->placement == PLACEMENT_OTHER_CAPTURE && is_free(stream))
			stream_handle(stream, PLACEMENT_OTHER_ENDED);
	}
}

void capture_streams_lose_targets(struct capture_streams *streams)
{
	struct capture_stream *stream;

	if (!streams->graph->args->redirect)
		return;
	spa_list_for_each(stream, &streams->list, link)
		stream_handle(stream, PLACEMENT_TARGETS_GONE);
}

bool capture_streams_lead_to(const struct capture_streams *streams,
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

static void request_timeout(void *data, uint64_t expirations)
{
	struct capture_streams *streams = data;
	struct capture_stream *stream;

	(void)expirations;
	spa_list_for_each(stream, &streams->list, link)
	{
		if (capture_stream_is_at_sink(stream))
			stream_handle(stream, PLACEMENT_LINKED_SINK);
		else if (capture_sink_is_redirecting(streams->sink) && is_overdue(stream))
			stream_handle(stream, PLACEMENT_REFUSED);
	}
	streams->events->changed(streams->data);
}

int capture_streams_init(struct capture_streams *streams, const struct capture_graph *graph,
			 const struct capture_streams_events *events, void *data)
{
	spa_list_init(&streams->list);
	streams->graph = graph;
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
