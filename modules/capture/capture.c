/* SPDX-License-Identifier: MIT */
#include "capture.h"

#include <errno.h>
#include <stdlib.h>

#include <spa/utils/result.h>

#include "daemon.h"
#include "graph.h"
#include "graph/keys.h"
#include "graph/log.h"
#include "journal.h"
#include "rate.h"
#include "sink.h"
#include "source.h"
#include "status.h"
#include "streams.h"

/* The daemon answers within a millisecond, or is gone. */
#define UNDO_SECONDS 1

enum capture_stage {
	CAPTURE_CHECKING, /* whether an older capture has its name */
	CAPTURE_RUNNING,
	CAPTURE_ENDING, /* nothing is captured any more... */
	CAPTURE_ENDED,	/* ...and the daemon has undone everything */
};

struct capture {
	enum capture_stage stage;
	struct capture_args args;
	struct capture_graph graph;
	struct spa_hook context_listener;
	struct pw_impl_module *module; /* NULL while unloading */
	struct spa_hook module_listener;
	struct spa_hook core_listener;
	bool disconnected;

	struct capture_journal *journal; /* NULL: in the daemon, or there is none */
	struct capture_sink *sink;
	struct capture_source *source;
	bool source_is_lost;
	struct capture_streams streams;
	struct capture_rate *rate;
	struct capture_status *status;

	/* While the capture ends. */
	int undo_sync;
	struct spa_source *undo_timer;
};

static void capture_end(struct capture *capture)
{
	capture->stage = CAPTURE_ENDING;
	capture_sink_end(capture->sink);
}

static void rate_update(void *data)
{
	struct capture *capture = data;

	if (capture->stage < CAPTURE_ENDING && capture->rate != NULL)
		capture_rate_update(capture->rate);
}

/* Where streams are to play may have changed. */
static void streams_redirect(struct capture *capture)
{
	/* First: from this property another capture learns whose target the sink is. */
	capture_source_set(capture->source, CAPTURE_SINK_KEY,
			   capture_sink_is_redirecting(capture->sink)
				   ? capture_sink_get_name(capture->sink)
				   : "");
	capture_streams_redirect(&capture->streams);
}

static void source_bound(void *data, uint32_t id)
{
	struct capture *capture = data;

	capture->graph.source_id = id;
	if (capture->graph.registry != NULL)
		weir_registry_sync(capture->graph.registry);
}

/* Without the source no stream may stay redirected: ends, and restores the streams. */
static void source_lost(void *data)
{
	struct capture *capture = data;

	capture->graph.source_id = SPA_ID_INVALID;
	if (capture->module == NULL || capture->disconnected || capture->source_is_lost)
		return;
	capture->source_is_lost = true;
	pw_log_warn("weir.capture.%s: another program removed the source, which ends the capture. "
		    "Load the module again",
		    capture->args.name);
	pw_impl_module_schedule_destroy(capture->module);
}

static const struct capture_source_events source_events = {
	.bound = source_bound,
	.controls_changed = rate_update,
	.lost = source_lost,
};

static void sink_changed(void *data)
{
	struct capture *capture = data;

	if (capture->stage >= CAPTURE_ENDING)
		return;
	streams_redirect(capture);
	capture_status_show(capture->status);
}

static const struct capture_sink_events sink_events = {
	.changed = sink_changed,
};

static void streams_updated(void *data, struct capture_stream *stream)
{
	const struct capture *capture = data;

	capture_rate_update_stream(capture->rate, stream);
}

/* After a change that concerns no other part. */
static void status_update(void *data)
{
	struct capture *capture = data;

	capture_status_show(capture->status);
}

static const struct capture_streams_events streams_events = {
	.updated = streams_updated,
	.changed = rate_update,
	.moved = status_update,
};

/* May the capture go on? */
static bool name_check(struct capture *capture)
{
	if (capture->graph.connection.in_daemon || capture->module == NULL ||
	    !capture_source_name_is_taken(&capture->graph))
		return capture->module != NULL;
	pw_impl_module_schedule_destroy(capture->module);
	capture_end(capture);
	return false;
}

/* After a change of a link. */
static void source_update(struct capture *capture, const struct weir_registry_object *link)
{
	if (link->owner_id == capture->graph.source_id)
		capture_source_update(capture->source);
}

static void registry_changed(void *data, struct weir_registry_object *object)
{
	struct capture *capture = data;
	struct capture_streams *streams = &capture->streams;

	if (capture->stage != CAPTURE_RUNNING)
		return;
	switch (object->type) {
	case WEIR_REGISTRY_CLIENT:
		capture_streams_update_client(streams, object);
		break;
	case WEIR_REGISTRY_NODE:
		if (!name_check(capture))
			return;
		capture_streams_update_node(streams, object);
		capture_streams_check_owners(streams);
		break;
	case WEIR_REGISTRY_PORT:
		capture_streams_add_port(streams, object);
		break;
	default:
		capture_streams_add_link(streams, object);
		source_update(capture, object);
		capture_streams_update_filters(streams);
		break;
	}
	capture_sink_update(capture->sink);
	capture_status_show(capture->status);
}

static void registry_removed(void *data, struct weir_registry_object *object)
{
	struct capture *capture = data;
	struct capture_streams *streams = &capture->streams;

	if (capture->stage >= CAPTURE_ENDING)
		return;
	if (object->type == WEIR_REGISTRY_NODE) {
		if (object->id == capture->graph.source_id)
			source_lost(capture);
		capture_streams_remove_node(streams, object);
		capture_streams_check_owners(streams);
	} else if (object->type == WEIR_REGISTRY_PORT) {
		capture_streams_remove_port(streams, object);
	} else if (object->type == WEIR_REGISTRY_LINK) {
		capture_streams_remove_link(streams, object);
		source_update(capture, object);
		if (capture->stage == CAPTURE_RUNNING)
			capture_streams_update_filters(streams);
	}
	capture_sink_update(capture->sink);
	capture_status_show(capture->status);
}

static void registry_target_changed(void *data, struct weir_registry_object *node)
{
	struct capture *capture = data;
	struct capture_stream *stream = capture_streams_find(&capture->streams, node->id);

	if (stream == NULL || capture->stage >= CAPTURE_ENDING || !capture->args.redirect)
		return;
	capture_redirect_update_target(&stream->redirect);
	capture_status_show(capture->status);
}

static void registry_ready(void *data)
{
	struct capture *capture = data;

	/* In a process of its own the source has another connection: it may come later. */
	if (capture->graph.source_id == SPA_ID_INVALID)
		return;
	if (capture->stage == CAPTURE_CHECKING && name_check(capture)) {
		capture->stage = CAPTURE_RUNNING;
		capture_streams_update_nodes(&capture->streams);
	}
	if (capture->stage != CAPTURE_RUNNING)
		return;
	capture_sink_start(capture->sink);
	streams_redirect(capture);
	capture_status_show(capture->status);
}

static void registry_targets_gone(void *data)
{
	struct capture *capture = data;

	if (capture->stage >= CAPTURE_ENDING || !capture->args.redirect)
		return;
	capture_streams_lose_targets(&capture->streams);
	capture_status_show(capture->status);
}

static const struct weir_registry_events registry_events = {
	.changed = registry_changed,
	.default_sink_changed = status_update,
	.removed = registry_removed,
	.target_changed = registry_target_changed,
	.targets_gone = registry_targets_gone,
	.ready = registry_ready,
};

static void capture_destroy(struct capture *capture)
{
	if (capture->graph.registry != NULL) {
		capture_streams_release(&capture->streams, false);
		spa_hook_remove(&capture->context_listener);
		spa_hook_remove(&capture->core_listener);
	}
	if (capture->module != NULL)
		spa_hook_remove(&capture->module_listener);
	capture_sink_destroy(capture->sink);
	capture_status_destroy(capture->status);
	capture_rate_destroy(capture->rate);
	capture_source_destroy(capture->source);
	weir_registry_destroy(capture->graph.registry);
	weir_context_timer_destroy(capture->graph.connection.context, capture->undo_timer);
	capture_streams_finish(&capture->streams);
	weir_connection_finish(&capture->graph.connection);
	capture_journal_finish(capture->journal);
	free(capture->graph.original_key);
	free(capture->graph.rate_key);
	capture_args_finish(&capture->args);
	free(capture);
}

/* The daemon handles requests in order: its answer means that the streams are restored. */
static void capture_undo(struct capture *capture)
{
	capture_streams_release(&capture->streams, true);
	capture_source_set(capture->source, WEIR_KEY_CAPTURE_STATE, CAPTURE_STATE_ENDING);
	capture_end(capture);
	capture->undo_sync = pw_core_sync(capture->graph.connection.core, PW_ID_CORE, 0);
}

static void undo_timeout(void *data, uint64_t expirations)
{
	(void)expirations;
	capture_destroy(data);
}

/* Ends later, while the loop runs on: the connection must carry the requests that undo. */
static void module_destroy(void *data)
{
	struct capture *capture = data;

	spa_hook_remove(&capture->module_listener);
	capture->module = NULL;
	capture->undo_timer = pw_loop_add_timer(
		pw_context_get_main_loop(capture->graph.connection.context), undo_timeout, capture);
	if (capture->disconnected || capture->undo_timer == NULL) {
		capture_destroy(capture);
		return;
	}
	capture_undo(capture);
	weir_context_timer_set(capture->graph.connection.context, capture->undo_timer,
			       UNDO_SECONDS * SPA_NSEC_PER_SEC);
}

static const struct pw_impl_module_events module_events = {
	PW_VERSION_IMPL_MODULE_EVENTS,
	.destroy = module_destroy,
};

/*
 * The end of the process: connections are closed next, modules are destroyed last, and the loop
 * does not run any more. In the daemon there is nothing to undo.
 */
static void context_destroy(void *data)
{
	struct capture *capture = data;
	struct pw_loop *loop = pw_context_get_main_loop(capture->graph.connection.context);
	int i;

	/* The loop below must not destroy the capture. */
	if (capture->module != NULL)
		spa_hook_remove(&capture->module_listener);
	capture->module = NULL;
	weir_context_timer_destroy(capture->graph.connection.context, capture->undo_timer);
	capture->undo_timer = NULL;
	if (!capture->graph.connection.in_daemon && !capture->disconnected) {
		if (capture->stage < CAPTURE_ENDING)
			capture_undo(capture);
		pw_loop_enter(loop);
		for (i = 0; i < 10 && capture->stage != CAPTURE_ENDED && !capture->disconnected;
		     i++)
			pw_loop_iterate(loop, UNDO_SECONDS * 1000 / 10);
		pw_loop_leave(loop);
	}
	capture_destroy(capture);
}

static void impl_node_added(const struct capture *capture, struct pw_impl_node *node)
{
	const struct pw_properties *props = pw_impl_node_get_properties(node);
	const uint32_t client = pw_properties_get_uint32(props, PW_KEY_CLIENT_ID, SPA_ID_INVALID);

	if (capture_match_get_fit(&capture->args.match, &capture->args.exclude, &props->dict,
				  capture_daemon_get_client_props(capture->graph.connection.context,
								  client)) == CAPTURE_FIT_NONE)
		return;
	if (capture_sink_is_redirecting(capture->sink))
		capture_daemon_redirect(&capture->graph, node,
					capture_sink_get_name(capture->sink));
	capture_rate_prepare_impl(capture->rate, node);
}

/* The source gets every frame if its links are made together with the stream's first one. */
static void impl_link_added(struct capture *capture, const struct pw_properties *props)
{
	struct capture_stream *stream = capture_streams_find(
		&capture->streams,
		pw_properties_get_uint32(props, PW_KEY_LINK_OUTPUT_NODE, SPA_ID_INVALID));

	if (stream == NULL || pw_properties_get_uint32(props, PW_KEY_LINK_INPUT_NODE,
						       SPA_ID_INVALID) == capture->graph.source_id)
		return;
	capture_stream_link_impl(stream);
}

static void context_global_added(void *data, struct pw_global *global)
{
	struct capture *capture = data;

	if (!capture->graph.connection.in_daemon || capture->module == NULL)
		return;
	if (pw_global_is_type(global, PW_TYPE_INTERFACE_Node))
		impl_node_added(capture, pw_global_get_object(global));
	else if (pw_global_is_type(global, PW_TYPE_INTERFACE_Link))
		impl_link_added(capture, pw_global_get_properties(global));
}

static const struct pw_context_events context_events = {
	PW_VERSION_CONTEXT_EVENTS,
	.destroy = context_destroy,
	.global_added = context_global_added,
};

static void core_done(void *data, uint32_t id, int seq)
{
	struct capture *capture = data;

	if (capture->stage < CAPTURE_ENDING || id != PW_ID_CORE || seq != capture->undo_sync)
		return;
	capture->stage = CAPTURE_ENDED;
	/* Not from here: the connection is in use. */
	if (capture->undo_timer != NULL)
		weir_context_timer_set(capture->graph.connection.context, capture->undo_timer, 1);
}

static void core_error(void *data, uint32_t id, int seq, int res, const char *message)
{
	struct capture *capture = data;

	(void)seq;
	if (!weir_connection_is_lost(id, res))
		return;
	pw_log_warn("weir.capture.%s: connection lost: %s", capture->args.name, message);
	capture->disconnected = true;
	if (capture->module != NULL)
		pw_impl_module_schedule_destroy(capture->module);
}

static const struct pw_core_events core_events = {
	PW_VERSION_CORE_EVENTS,
	.done = core_done,
	.error = core_error,
};

static int parts_create(struct capture *capture)
{
	const struct capture_graph *graph = &capture->graph;
	const struct pw_properties *core = pw_core_get_properties(graph->connection.core);

	capture->sink = capture_sink_create(graph, &sink_events, capture);
	if (capture->sink == NULL)
		return -errno;
	capture->source = capture_source_create(graph, capture_sink_get_virtual_name(capture->sink),
						&source_events, capture);
	if (capture->source == NULL)
		return -errno;
	if (!graph->connection.in_daemon)
		capture->journal = capture_journal_start(
			capture->args.name, pw_properties_get(core, PW_KEY_REMOTE_NAME));
	if (capture_streams_init(&capture->streams, graph, capture->sink, capture->journal,
				 &streams_events, capture) < 0)
		return -errno;
	capture->rate = capture_rate_create(graph, capture->source, &capture->streams);
	if (capture->rate == NULL)
		return -errno;
	capture->status =
		capture_status_create(graph, capture->source, capture->sink, &capture->streams);
	return capture->status != NULL ? 0 : -errno;
}

/* 0, or -errno after a message. */
static int capture_start(struct capture *capture, struct pw_context *context)
{
	struct capture_graph *graph = &capture->graph;
	const char *name = capture->args.name;
	int res = weir_connection_init(&graph->connection, context);

	if (res < 0) {
		pw_log_error("weir.capture.%s: no connection to PipeWire: %s", name,
			     spa_strerror(res));
		return res;
	}
	graph->original_key = spa_aprintf("weir.capture.%s.original-target", name);
	graph->rate_key = spa_aprintf("weir.capture.%s.rate", name);
	if (graph->original_key == NULL || graph->rate_key == NULL)
		return -ENOMEM;
	if (graph->connection.in_daemon && (res = capture_source_check_name_impl(graph)) < 0)
		return res;
	if (graph->connection.in_daemon)
		capture->stage = CAPTURE_RUNNING;
	res = parts_create(capture);
	if (res < 0) {
		pw_log_error("weir.capture.%s: cannot create the source: %s", name,
			     spa_strerror(res));
		return res;
	}
	graph->registry = weir_registry_create(graph->connection.core, &registry_events, capture);
	return graph->registry != NULL ? 0 : -errno;
}

int capture_create(struct pw_impl_module *module, struct capture_args *args)
{
	struct pw_context *context = pw_impl_module_get_context(module);
	struct capture *capture = calloc(1, sizeof(*capture));
	int res;

	if (capture == NULL) {
		capture_args_finish(args);
		return -ENOMEM;
	}
	capture->args = *args;
	capture->graph.args = &capture->args;
	capture->graph.source_id = SPA_ID_INVALID;
	res = capture_start(capture, context);
	if (res < 0) {
		capture_destroy(capture);
		return res;
	}
	pw_core_add_listener(capture->graph.connection.core, &capture->core_listener, &core_events,
			     capture);
	pw_context_add_listener(context, &capture->context_listener, &context_events, capture);
	pw_impl_module_add_listener(module, &capture->module_listener, &module_events, capture);
	capture->module = module;
	return 0;
}
