/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <spa/utils/string.h>

#include "capture.h"
#include "daemon.h"
#include "graph/log.h"
#include "path.h"

#define REQUEST_SECONDS 3

const char *capture_stream_get_taker(const struct capture_stream *stream)
{
	const struct capture *capture = stream->capture;
	const char *owner = pw_properties_get(stream->node->props, CAPTURE_OWNER_KEY);
	const struct weir_registry_object *other =
		capture_graph_find_other(&capture->graph, stream->node->target);

	if (owner != NULL && *owner != '\0' && !spa_streq(owner, capture->args.name))
		return owner;
	if (other == NULL)
		return NULL;
	return pw_properties_get(other->props, PW_KEY_NODE_NAME) + strlen("weir.capture.");
}

bool capture_stream_is_free(const struct capture_stream *stream)
{
	char name[256];
	const struct weir_registry_object *taker;
	const char *sink;

	snprintf(name, sizeof(name), "weir.capture.%s", stream->taker);
	taker = capture_graph_find_target(&stream->capture->graph, name);
	sink = taker != NULL ? pw_properties_get(taker->props, CAPTURE_SINK_KEY) : NULL;
	return sink == NULL || *sink == '\0';
}

void capture_stream_watch(struct capture_stream *stream)
{
	const struct capture *capture = stream->capture;

	clock_gettime(CLOCK_MONOTONIC, &stream->requested);
	weir_context_timer_set(capture->graph.connection.context, capture->request_timer,
			       REQUEST_SECONDS * SPA_NSEC_PER_SEC);
}

/*
 * Does it stay where it plays until the session manager knows our sink? Asked for one that it does
 * not know, it takes the default one instead, which is not where this stream plays.
 */
static bool is_deferred(const struct capture_stream *stream)
{
	return !capture_sink_is_known(stream->capture->sink) && capture_stream_has_target(stream);
}

static void memory_pause(const struct capture_stream *stream, bool to_sink)
{
	const struct capture *capture = stream->capture;
	struct pw_impl_node *node =
		capture_daemon_find_node(capture->graph.connection.context, stream->node->id);

	if (node != NULL)
		capture_daemon_pause_memory(capture->graph.connection.context, node,
					    capture_sink_get_name(capture->sink), to_sink);
}

static void target_send(struct capture_stream *stream, bool to_sink)
{
	const struct capture *capture = stream->capture;
	const uint32_t id = stream->node->id;

	if (to_sink && is_deferred(stream))
		return;
	/* The session manager is not to remember where a stream is that we did not see start. */
	if (capture->graph.connection.in_daemon) {
		memory_pause(stream, to_sink);
		capture_daemon_set_property(capture->graph.connection.context, id,
					    CAPTURE_OWNER_KEY, to_sink ? capture->args.name : "");
	}
	if (to_sink) {
		capture_stream_watch(stream);
		free(stream->pending);
		stream->pending = strdup(capture_sink_get_name(capture->sink));
		capture_stream_set_target(stream, capture_sink_get_name(capture->sink));
	} else {
		capture_stream_reset_target(stream);
	}
}

/* Has the session manager been asked, or is there none to ask? */
static bool is_requested(const struct capture_stream *stream)
{
	return weir_registry_has_targets(stream->capture->graph.registry)
		       ? stream->placement == PLACEMENT_REQUESTED && !is_deferred(stream)
		       : stream->placement == PLACEMENT_REQUESTED ||
				 stream->placement == PLACEMENT_ORIGINAL;
}

/* A session manager moves a stream that plays within milliseconds, or not at all. */
bool capture_stream_is_overdue(const struct capture_stream *stream)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return is_requested(stream) && stream->node->running && capture_stream_is_playing(stream) &&
	       SPA_TIMESPEC_TO_NSEC(&now) >= SPA_TIMESPEC_TO_NSEC(&stream->requested) +
						     REQUEST_SECONDS * SPA_NSEC_PER_SEC;
}

static void placement_report(const struct capture_stream *stream)
{
	const struct capture *capture = stream->capture;

	if (stream->placement == PLACEMENT_TAKEN_OVER) {
		capture_stream_log(stream, "somebody else moved");
	} else if (stream->placement == PLACEMENT_IMMOVABLE) {
		pw_log_warn("weir.capture.%s: cannot move \"%s\" (stream %u): %s. "
			    "Use capture.mode = tap for it",
			    capture->args.name, capture_stream_get_name(stream), stream->node->id,
			    weir_registry_has_targets(capture->graph.registry)
				    ? "the session manager leaves it where it plays"
				    : "there is no session manager");
	} else if (stream->placement == PLACEMENT_OTHER_CAPTURE) {
		pw_log_warn("weir.capture.%s: weir.capture.%s redirects \"%s\" (stream %u) "
			    "already: leaving it. Have only one of them match it",
			    capture->args.name, stream->taker, capture_stream_get_name(stream),
			    stream->node->id);
	}
}

static void placement_act(struct capture_stream *stream, enum placement_action action)
{
	const struct capture *capture = stream->capture;
	const char *target = stream->node->target;

	switch (action) {
	case PLACEMENT_NOTHING:
		break;
	case PLACEMENT_ADOPT:
	case PLACEMENT_ADOPT_AND_SEND:
		capture_stream_adopt_target(stream);
		if (action == PLACEMENT_ADOPT_AND_SEND)
			target_send(stream, true);
		break;
	case PLACEMENT_CHECK:
		if (spa_streq(target, capture_sink_get_name(capture->sink)) ||
		    spa_streq(stream->pending, capture_sink_get_name(capture->sink)))
			break;
		SPA_FALLTHROUGH;
	case PLACEMENT_SEND:
		target_send(stream, true);
		break;
	case PLACEMENT_CHECK_BACK:
		if (spa_streq(target, capture_stream_get_home(stream)))
			break;
		SPA_FALLTHROUGH;
	case PLACEMENT_SEND_BACK:
		target_send(stream, false);
		break;
	case PLACEMENT_ASK:
		weir_registry_refresh(capture->graph.registry);
		break;
	case PLACEMENT_LEAVE:
		capture_stream_leave_target(stream);
		break;
	case PLACEMENT_REVIEW:
		capture_stream_redirect(stream);
		break;
	}
}

enum placement_event capture_target_event(const struct capture_stream *stream)
{
	const struct capture *capture = stream->capture;
	const char *target = stream->node->target, *home = capture_stream_get_home(stream);
	const struct weir_registry_object *other;

	if (capture_sink_is_target(capture->sink, target))
		return PLACEMENT_TARGET_SINK;
	other = capture_graph_find_other(&capture->graph, target);
	if (other != NULL)
		return capture_graph_is_older(&capture->graph, other) ? PLACEMENT_TARGET_RIVAL
								      : PLACEMENT_TARGET_CAPTURE;
	if (spa_streq(target, home))
		return PLACEMENT_TARGET_ORIGINAL;
	/* A capture in the daemon that ends sends a stream of its own hook to the default sink. */
	return home == NULL && spa_streq(target, CAPTURE_TARGET_DEFAULT) &&
			       stream->placement != PLACEMENT_ORIGINAL
		       ? PLACEMENT_TARGET_ORIGINAL
		       : PLACEMENT_TARGET_OTHER;
}

static void taker_note(struct capture_stream *stream)
{
	const char *taker = capture_stream_get_taker(stream);

	free(stream->taker);
	stream->taker = strdup(taker != NULL ? taker : "");
}

void capture_stream_handle(struct capture_stream *stream, enum placement_event event)
{
	const enum placement before = stream->placement;
	const struct placement_change change = placement_handle(before, event);

	if (event != PLACEMENT_WANT_SINK) {
		free(stream->pending);
		stream->pending = NULL;
	}
	stream->placement = change.next;
	if (change.next != before && change.next == PLACEMENT_OTHER_CAPTURE)
		taker_note(stream);
	if (change.next != before)
		placement_report(stream);
	if ((change.next == PLACEMENT_OTHER_CAPTURE) != (before == PLACEMENT_OTHER_CAPTURE))
		capture_stream_link(stream);
	if (change.next == PLACEMENT_REQUESTED &&
	    (change.next != before || change.action == PLACEMENT_SEND))
		capture_stream_watch(stream);
	placement_act(stream, change.action);
}

/* What its application asks for; only at its start the daemon's hook comes before that. */
static bool stream_is_immovable(const struct capture_stream *stream)
{
	const struct pw_properties *props = stream->node->props;

	if (capture_stream_is_at_sink(stream) ||
	    capture_sink_is_target(stream->capture->sink,
				   pw_properties_get(props, PW_KEY_TARGET_OBJECT)))
		return false;
	return pw_properties_get_bool(props, "node.dont-move", false) ||
	       (pw_properties_get_bool(props, PW_KEY_NODE_DONT_RECONNECT, false) &&
		capture_stream_is_playing(stream));
}

void capture_stream_redirect(struct capture_stream *stream)
{
	const struct capture *capture = stream->capture;

	if (!capture->args.redirect || !weir_registry_has_targets(capture->graph.registry))
		return;
	if (!capture_sink_is_redirecting(capture->sink))
		capture_stream_handle(stream, PLACEMENT_WANT_ORIGINAL);
	else if (stream->placement == PLACEMENT_ORIGINAL &&
		 capture_stream_get_taker(stream) != NULL)
		capture_stream_handle(stream, PLACEMENT_TARGET_CAPTURE);
	else if (stream_is_immovable(stream))
		capture_stream_handle(stream, PLACEMENT_REFUSED);
	else
		capture_stream_handle(stream, PLACEMENT_WANT_SINK);
}

/*
 * What the daemon's hook put there outlives the metadata, which goes with the session manager.
 * Until then the entry in the metadata has to stay: WirePlumber (0.5.8) works with a copy of the
 * properties that the stream had when it came, and without the entry would have it play at our sink
 * again.
 */
static void properties_restore(const struct capture_stream *stream)
{
	const struct capture *capture = stream->capture;
	const uint32_t id = stream->node->id;
	const char *before = pw_properties_get(stream->node->props, capture->graph.before_key);

	if (before != NULL)
		capture_daemon_set_property(
			capture->graph.connection.context, id, PW_KEY_TARGET_OBJECT,
			spa_streq(before, CAPTURE_TARGET_DEFAULT) ? NULL : before);
	capture_daemon_set_property(capture->graph.connection.context, id,
				    capture->graph.before_key, NULL);
	capture_daemon_set_property(capture->graph.connection.context, id, CAPTURE_OWNER_KEY, NULL);
}

void capture_stream_restore(struct capture_stream *stream)
{
	const struct capture *capture = stream->capture;

	capture_stream_restore_rate(stream);
	if (!capture->args.redirect || stream->placement == PLACEMENT_OTHER_CAPTURE)
		return;
	if (stream->placement != PLACEMENT_TAKEN_OVER) {
		if (capture->graph.connection.in_daemon)
			memory_pause(stream, false);
		capture_stream_reset_target(stream);
	}
	if (capture->graph.connection.in_daemon)
		properties_restore(stream);
}

struct weir_registry_object *capture_stream_get_client(const struct capture_stream *stream)
{
	return weir_registry_find(stream->capture->graph.registry, WEIR_REGISTRY_CLIENT,
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

void capture_stream_log(const struct capture_stream *stream, const char *what)
{
	pw_log_info("weir.capture.%s: %s \"%s\" (stream %u)", stream->capture->args.name, what,
		    capture_stream_get_name(stream), stream->node->id);
}

void capture_stream_create(struct capture *capture, struct weir_registry_object *node,
			   enum capture_fit fit)
{
	const char *rate = pw_properties_get(node->props, capture->graph.rate_key);
	struct capture_stream *stream = calloc(1, sizeof(*stream));

	if (stream == NULL)
		return;
	stream->capture = capture;
	stream->node = node;
	stream->fit = fit;
	stream->remembered = SPA_ID_INVALID;
	if (rate != NULL && capture->graph.connection.in_daemon)
		spa_atod(rate, &stream->rate);
	stream->own_rate = capture_own_rate_create(stream);
	spa_list_init(&stream->links);
	if (node->target != NULL && !capture_sink_is_virtual_target(capture->sink, node->target) &&
	    capture_graph_find_other(&capture->graph, node->target) == NULL)
		capture_stream_adopt_target(stream);
	spa_list_append(&capture->streams, &stream->link);
	capture_stream_log(stream, "captured");
	capture_stream_update_rate(stream);
	capture_stream_watch(stream);
	capture_stream_redirect(stream);
	capture_stream_link(stream);
	capture_rate_update(capture);
}

void capture_stream_destroy(struct capture_stream *stream)
{
	struct capture *capture = stream->capture;

	capture_stream_log(stream, "released");
	capture_stream_unlink(stream);
	capture_stream_end_fade(stream);
	capture_own_rate_destroy(stream->own_rate);
	capture_undo_forget(capture->undo, stream->node);
	spa_list_remove(&stream->link);
	free(stream->home);
	free(stream->home_name);
	free(stream->home_node);
	free(stream->pending);
	free(stream->taker);
	free(stream);
	capture_rate_update(capture);
}

void capture_streams_redirect(struct capture *capture)
{
	struct capture_stream *stream;

	/* First, for it tells another capture whose the target is. */
	capture_source_set(capture->source, CAPTURE_SINK_KEY,
			   capture_sink_is_redirecting(capture->sink)
				   ? capture_sink_get_name(capture->sink)
				   : "");
	spa_list_for_each(stream, &capture->streams, link) capture_stream_redirect(stream);
}

void capture_streams_check_others(struct capture *capture)
{
	struct capture_stream *stream;

	spa_list_for_each(stream, &capture->streams, link)
	{
		if (stream->placement == PLACEMENT_OTHER_CAPTURE && capture_stream_is_free(stream))
			capture_stream_handle(stream, PLACEMENT_OTHER_ENDED);
	}
}

struct capture_stream *capture_streams_find(const struct capture *capture, uint32_t node_id)
{
	struct capture_stream *stream;

	spa_list_for_each(stream, &capture->streams, link)
	{
		if (stream->node->id == node_id)
			return stream;
	}
	return NULL;
}

bool capture_streams_lead_to(const struct capture *capture, const struct weir_registry_object *node)
{
	const struct capture_stream *stream;
	struct capture_reach reach = { .n = 0 };

	if (pw_properties_get(node->props, PW_KEY_NODE_LINK_GROUP) == NULL)
		return false;
	capture_reach_add(&reach, capture->graph.source_id);
	spa_list_for_each(stream, &capture->streams, link)
	{
		if (stream->node != node)
			capture_reach_add(&reach, stream->node->id);
	}
	capture_reach_extend(&reach, capture->graph.registry);
	return capture_reach_has(&reach, node->id);
}

void capture_streams_check_requests(struct capture *capture)
{
	struct capture_stream *stream;

	spa_list_for_each(stream, &capture->streams, link)
	{
		if (capture_stream_is_at_sink(stream))
			capture_stream_handle(stream, PLACEMENT_LINKED_SINK);
		else if (capture_sink_is_redirecting(capture->sink) &&
			 capture_stream_is_overdue(stream))
			capture_stream_handle(stream, PLACEMENT_REFUSED);
	}
}
