/* SPDX-License-Identifier: MIT */
#include "capture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <spa/utils/result.h>
#include <spa/utils/string.h>

#include "log.h"

#define STREAM_CLASS "Stream/Output/Audio"
#define RESTORE_KEY "state.restore-target"
/* WirePlumber's word for the default sink. */
#define TARGET_DEFAULT "-1"
/* An answer takes less than a millisecond; without one the daemon is not there any more. */
#define UNDO_SECONDS 1

/* What the user calls the process id: pipewire-pulse's own is of no use. */
static const char *client_pid(const struct spa_dict *node, const struct spa_dict *client)
{
	const char *api = spa_dict_lookup(client, PW_KEY_CLIENT_API);

	if (api == NULL)
		api = spa_dict_lookup(node, PW_KEY_CLIENT_API);
	return spa_streq(api, "pipewire-pulse") ? NULL : spa_dict_lookup(client, PW_KEY_SEC_PID);
}

static int rule_matched(void *data, const char *location, const char *action, const char *str,
			size_t len)
{
	bool *matched = data;

	(void)location;
	(void)action;
	(void)str;
	(void)len;
	*matched = true;
	return 0;
}

/* client may be NULL. Where both have a property, the stream's counts. */
static bool capture_matches(const struct capture *capture, const struct spa_dict *node,
			    const struct spa_dict *client)
{
	const char *media_class = spa_dict_lookup(node, PW_KEY_MEDIA_CLASS);
	struct pw_properties *props;
	const char *pid;
	bool matched = false;

	if (!spa_streq(media_class, STREAM_CLASS))
		return false;
	props = pw_properties_new(NULL, NULL);
	if (props == NULL)
		return false;
	if (client != NULL)
		pw_properties_update(props, client);
	pw_properties_update(props, node);
	pid = client != NULL ? client_pid(node, client) : NULL;
	if (pid != NULL)
		pw_properties_set(props, PW_KEY_APP_PROCESS_ID, pid);
	pw_conf_match_rules(capture->args.rules, strlen(capture->args.rules), "capture.match",
			    &props->dict, rule_matched, &matched);
	pw_properties_free(props);
	return matched;
}

static const struct spa_dict *impl_client_dict(struct pw_context *context, uint32_t id)
{
	struct pw_global *global = pw_context_find_global(context, id);

	if (global == NULL || !pw_global_is_type(global, PW_TYPE_INTERFACE_Client))
		return NULL;
	return &pw_impl_client_get_properties(pw_global_get_object(global))->dict;
}

/* Keeps the session manager from remembering where a stream is put that we did not see start. */
static void impl_node_forget_target(struct pw_context *context, uint32_t id)
{
	static const struct spa_dict_item items[] = { { RESTORE_KEY, "false" } };
	struct pw_global *global = pw_context_find_global(context, id);

	if (global != NULL && pw_global_is_type(global, PW_TYPE_INTERFACE_Node))
		pw_impl_node_update_properties(pw_global_get_object(global),
					       &SPA_DICT_INIT_ARRAY(items));
}

static bool target_is_ours(const struct capture *capture, const char *target)
{
	return spa_streq(target, capture->args.sink) ||
	       spa_streq(target, capture->sink.virtual_name);
}

static void stream_redirect(struct capture_stream *stream)
{
	const struct capture *capture = stream->capture;
	const char *target = capture_sink_get_name(capture);

	if (!capture->args.redirect || stream->moved || !registry_has_targets(capture->registry) ||
	    spa_streq(stream->node->target, target))
		return;
	if (capture->in_daemon)
		impl_node_forget_target(capture->context, stream->node->id);
	registry_set_target(capture->registry, stream->node->id, target);
}

static void stream_restore(struct capture_stream *stream)
{
	const struct capture *capture = stream->capture;
	const char *before = stream->before;

	if (!capture->args.redirect || stream->moved)
		return;
	if (before == NULL)
		before = pw_properties_get(stream->node->props, capture->before_key);
	registry_set_target(capture->registry, stream->node->id, before);
}

void capture_redirect(struct capture *capture)
{
	struct capture_stream *stream;

	spa_list_for_each(stream, &capture->streams, link) stream_redirect(stream);
}

static struct capture_stream *stream_find(struct capture *capture, uint32_t node_id)
{
	struct capture_stream *stream;

	spa_list_for_each(stream, &capture->streams, link)
	{
		if (stream->node->id == node_id)
			return stream;
	}
	return NULL;
}

static void stream_log(const struct capture_stream *stream, const char *what)
{
	const char *name = pw_properties_get(stream->node->props, PW_KEY_APP_NAME);

	if (name == NULL)
		name = pw_properties_get(stream->node->props, PW_KEY_NODE_NAME);
	pw_log_info("weir.capture.%s: %s \"%s\" (stream %u)", stream->capture->args.name, what,
		    name != NULL ? name : "", stream->node->id);
}

static void stream_create(struct capture *capture, struct registry_object *node)
{
	struct capture_stream *stream = calloc(1, sizeof(*stream));

	if (stream == NULL)
		return;
	stream->capture = capture;
	stream->node = node;
	spa_list_init(&stream->links);
	if (node->target != NULL && !target_is_ours(capture, node->target))
		stream->before = strdup(node->target);
	spa_list_append(&capture->streams, &stream->link);
	stream_log(stream, "captured");
	stream_redirect(stream);
	capture_stream_link(stream);
}

static void stream_destroy(struct capture_stream *stream)
{
	stream_log(stream, "released");
	capture_stream_unlink(stream);
	spa_list_remove(&stream->link);
	free(stream->before);
	free(stream);
}

static void node_update(struct capture *capture, struct registry_object *node)
{
	struct registry_object *client =
		registry_find(capture->registry, REGISTRY_CLIENT, node->owner_id);
	struct capture_stream *stream = stream_find(capture, node->id);
	bool matches;

	if (!node->known || (client != NULL && !client->known))
		return;
	matches = capture_matches(capture, &node->props->dict,
				  client != NULL ? &client->props->dict : NULL);
	if (matches && stream == NULL) {
		stream_create(capture, node);
	} else if (!matches && stream != NULL) {
		stream_restore(stream);
		stream_destroy(stream);
	}
}

static void port_update(struct capture *capture, const struct registry_object *port)
{
	struct capture_stream *stream = stream_find(capture, port->owner_id);

	if (stream != NULL) {
		capture_stream_link(stream);
	} else if (port->owner_id == capture->source->id) {
		spa_list_for_each(stream, &capture->streams, link) capture_stream_link(stream);
	}
}

static void link_update(struct capture *capture, const struct registry_object *link)
{
	struct capture_stream *stream = stream_find(capture, link->owner_id);

	if (stream != NULL)
		capture_stream_link(stream);
}

/*
 * A client does not hear of a change in the metadata while another one binds it (1.4.2): what the
 * session manager restores may replace our target unnoticed. The link it makes then tells.
 */
static void link_check(struct capture *capture, const struct registry_object *link)
{
	const uint32_t input = registry_object_get_id(link, PW_KEY_LINK_INPUT_NODE);
	const struct registry_object *node = registry_find(capture->registry, REGISTRY_NODE, input);
	struct capture_stream *stream = stream_find(capture, link->owner_id);
	const char *target = capture_sink_get_name(capture);

	if (stream == NULL || node == NULL || input == capture->source->id)
		return;
	stream->starting = false;
	if (!capture->args.redirect || stream->moved ||
	    spa_streq(pw_properties_get(node->props, PW_KEY_NODE_NAME), target))
		return;
	registry_set_target(capture->registry, stream->node->id, target);
}

static void registry_changed(void *data, struct registry_object *object)
{
	struct capture *capture = data;
	struct registry_object *node;

	if (capture->undone)
		return;
	switch (object->type) {
	case REGISTRY_CLIENT:
		spa_list_for_each(node, registry_get_objects(capture->registry, REGISTRY_NODE),
				  link)
		{
			if (node->owner_id == object->id)
				node_update(capture, node);
		}
		return;
	case REGISTRY_NODE:
		node_update(capture, object);
		break;
	case REGISTRY_PORT:
		port_update(capture, object);
		break;
	default:
		link_check(capture, object);
		link_update(capture, object);
		return;
	}
	if (capture->sink.known)
		capture_sink_update(capture);
}

static void registry_removed(void *data, struct registry_object *object)
{
	struct capture *capture = data;
	struct capture_stream *stream;

	if (capture->undone)
		return;
	if (object->type == REGISTRY_NODE) {
		stream = stream_find(capture, object->id);
		if (stream != NULL)
			stream_destroy(stream);
	} else if (object->type == REGISTRY_PORT) {
		spa_list_for_each(stream, &capture->streams, link)
			capture_stream_unlink_port(stream, object->id);
	} else if (object->type == REGISTRY_LINK) {
		link_update(capture, object);
	}
	if (capture->sink.known)
		capture_sink_update(capture);
}

static void registry_target_changed(void *data, struct registry_object *node)
{
	struct capture *capture = data;
	struct capture_stream *stream = stream_find(capture, node->id);

	if (stream == NULL || capture->undone || target_is_ours(capture, node->target))
		return;
	/* The session manager restores what it remembers before it links the stream. */
	if (registry_has_targets(capture->registry) && capture_stream_is_playing(stream)) {
		stream->moved = true;
		stream_log(stream, "somebody else moved");
		return;
	}
	free(stream->before);
	stream->before = node->target != NULL ? strdup(node->target) : NULL;
	stream_redirect(stream);
}

static void registry_ready(void *data)
{
	struct capture *capture = data;

	if (capture->undone)
		return;
	capture_sink_update(capture);
	capture_redirect(capture);
}

static const struct registry_events registry_events = {
	.changed = registry_changed,
	.removed = registry_removed,
	.target_changed = registry_target_changed,
	.ready = registry_ready,
};

static void capture_destroy(struct capture *capture)
{
	struct capture_stream *stream;

	if (capture->registry != NULL) {
		spa_list_consume(stream, &capture->streams, link) stream_destroy(stream);
		spa_hook_remove(&capture->context_listener);
		spa_hook_remove(&capture->core_listener);
	}
	if (capture->module != NULL)
		spa_hook_remove(&capture->module_listener);
	capture_sink_finish(capture);
	remote_destroy(capture->source);
	registry_destroy(capture->registry);
	if (capture->undo_timer != NULL)
		pw_loop_destroy_source(pw_context_get_main_loop(capture->context),
				       capture->undo_timer);
	if (capture->core != NULL)
		pw_core_disconnect(capture->core);
	free(capture->before_key);
	pw_properties_free(capture->args.props);
	free(capture);
}

/* The daemon handles what we sent in order, so its answer says that the streams are free. */
static void capture_undo(struct capture *capture)
{
	struct capture_stream *stream;

	spa_list_consume(stream, &capture->streams, link)
	{
		stream_restore(stream);
		stream_destroy(stream);
	}
	capture->undone = true;
	capture->undo_sync = pw_core_sync(capture->core, PW_ID_CORE, 0);
}

static void undo_timer_set(struct capture *capture, struct timespec value)
{
	pw_loop_update_timer(pw_context_get_main_loop(capture->context), capture->undo_timer,
			     &value, NULL, false);
}

static void undo_timeout(void *data, uint64_t expirations)
{
	(void)expirations;
	capture_destroy(data);
}

/* The connection must carry the undoing before it ends, and the loop runs on: end later. */
static void module_destroy(void *data)
{
	struct capture *capture = data;

	spa_hook_remove(&capture->module_listener);
	capture->module = NULL;
	capture->undo_timer = pw_loop_add_timer(pw_context_get_main_loop(capture->context),
						undo_timeout, capture);
	if (capture->disconnected || capture->undo_timer == NULL) {
		capture_destroy(capture);
		return;
	}
	capture_undo(capture);
	undo_timer_set(capture, (struct timespec){ .tv_sec = UNDO_SECONDS });
}

static const struct pw_impl_module_events module_events = {
	PW_VERSION_IMPL_MODULE_EVENTS,
	.destroy = module_destroy,
};

/*
 * The end of the process. Connections go next, modules last; and nobody runs the loop any more.
 * In the daemon there is nothing left to put right.
 */
static void context_destroy(void *data)
{
	struct capture *capture = data;
	struct pw_loop *loop = pw_context_get_main_loop(capture->context);
	int i;

	if (!capture->in_daemon && !capture->disconnected) {
		if (!capture->undone)
			capture_undo(capture);
		pw_loop_enter(loop);
		for (i = 0; i < 10 && !capture->undo_answered && !capture->disconnected; i++)
			pw_loop_iterate(loop, UNDO_SECONDS * 1000 / 10);
		pw_loop_leave(loop);
	}
	capture_destroy(capture);
}

/*
 * In the daemon a new stream comes here before any client hears of it: the session manager never
 * sees it with another target, so that no frame reaches the default sink, and does not remember
 * this target.
 */
static void impl_node_added(const struct capture *capture, struct pw_impl_node *node)
{
	const struct pw_properties *props = pw_impl_node_get_properties(node);
	const char *before;
	uint32_t client;

	client = pw_properties_get_uint32(props, PW_KEY_CLIENT_ID, SPA_ID_INVALID);
	if (!capture_matches(capture, &props->dict, impl_client_dict(capture->context, client)))
		return;

	before = pw_properties_get(props, PW_KEY_TARGET_OBJECT);
	const struct spa_dict_item items[] = {
		{ capture->before_key, before != NULL ? before : TARGET_DEFAULT },
		{ PW_KEY_TARGET_OBJECT, capture_sink_get_name(capture) },
		{ RESTORE_KEY, "false" },
	};
	pw_impl_node_update_properties(node, &SPA_DICT_INIT_ARRAY(items));
}

/* Links to the source that are made together with the stream's first one miss nothing. */
static void impl_link_added(struct capture *capture, const struct pw_properties *props)
{
	struct capture_stream *stream = stream_find(
		capture, pw_properties_get_uint32(props, PW_KEY_LINK_OUTPUT_NODE, SPA_ID_INVALID));

	if (stream == NULL || stream->starting ||
	    pw_properties_get_uint32(props, PW_KEY_LINK_INPUT_NODE, SPA_ID_INVALID) ==
		    capture->source->id)
		return;
	stream->starting = true;
	capture_stream_link(stream);
}

static void context_global_added(void *data, struct pw_global *global)
{
	struct capture *capture = data;

	if (!capture->in_daemon || capture->module == NULL)
		return;
	if (capture->args.redirect && pw_global_is_type(global, PW_TYPE_INTERFACE_Node))
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

	if (!capture->undone || id != PW_ID_CORE || seq != capture->undo_sync)
		return;
	capture->undo_answered = true;
	/* Not from here: the connection is in use. */
	if (capture->undo_timer != NULL)
		undo_timer_set(capture, (struct timespec){ .tv_nsec = 1 });
}

static void core_error(void *data, uint32_t id, int seq, int res, const char *message)
{
	struct capture *capture = data;

	(void)seq;
	if (id != PW_ID_CORE || res != -EPIPE)
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

struct pw_properties *capture_node_props(const char *name, const char *description,
					 const char *media_class)
{
	/* No link group: the two would be started together, before both have a format (1.4.2). */
	return pw_properties_new(
		"factory.name", "support.null-audio-sink", PW_KEY_NODE_NAME, name,
		PW_KEY_NODE_DESCRIPTION, description, PW_KEY_MEDIA_CLASS, media_class,
		"audio.position", "FL,FR", PW_KEY_NODE_VIRTUAL, "true",
		/* Waking up from suspension would cost the first frames of a stream. */
		"session.suspend-timeout-seconds", "0", NULL);
}

static struct remote *source_create(struct capture *capture)
{
	struct pw_properties *props = NULL;
	char *name = spa_aprintf("weir.capture.%s", capture->args.name);
	char *description = spa_aprintf("%s (captured)", capture->args.name);

	if (name != NULL && description != NULL)
		props = capture_node_props(name, description, "Audio/Source/Virtual");
	free(name);
	free(description);
	return remote_create(capture->core, "adapter", PW_TYPE_INTERFACE_Node, props);
}

/*
 * The daemon connects to its own socket. Its "internal" connection has no event to resume a client
 * with: binding the session manager's metadata over it ends the daemon (1.4.2).
 */
static struct pw_core *capture_connect(const struct capture *capture)
{
	const struct pw_properties *props = pw_context_get_properties(capture->context);
	const char *name = pw_properties_get(props, PW_KEY_CORE_NAME);

	if (!capture->in_daemon || name == NULL)
		return pw_context_connect(capture->context, NULL, 0);
	return pw_context_connect(capture->context,
				  pw_properties_new(PW_KEY_REMOTE_NAME, name, NULL), 0);
}

int capture_create(struct pw_impl_module *module, const struct capture_args *args)
{
	struct pw_context *context = pw_impl_module_get_context(module);
	struct capture *capture = calloc(1, sizeof(*capture));
	int res;

	if (capture == NULL) {
		pw_properties_free(args->props);
		return -ENOMEM;
	}
	capture->args = *args;
	capture->context = context;
	capture->in_daemon = pw_properties_get_bool(pw_context_get_properties(context),
						    PW_KEY_CORE_DAEMON, false);
	spa_list_init(&capture->streams);
	capture->before_key = spa_aprintf("weir.capture.%s.before", args->name);
	capture->core = capture_connect(capture);
	if (capture->before_key == NULL || capture->core == NULL || capture_sink_init(capture) < 0)
		goto error;
	capture->source = source_create(capture);
	if (capture->source == NULL)
		goto error;
	capture->registry = registry_create(capture->core, &registry_events, capture);
	if (capture->registry == NULL)
		goto error;
	pw_core_add_listener(capture->core, &capture->core_listener, &core_events, capture);
	pw_context_add_listener(context, &capture->context_listener, &context_events, capture);
	pw_impl_module_add_listener(module, &capture->module_listener, &module_events, capture);
	capture->module = module;
	return 0;
error:
	res = -errno;
	pw_log_error("weir.capture.%s: no connection to PipeWire: %s", args->name,
		     spa_strerror(res));
	capture_destroy(capture);
	return res;
}
