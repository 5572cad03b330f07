/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include <spa/utils/string.h>

#include "capture.h"
#include "log.h"

#define STREAM_CLASS "Stream/Output/Audio"

/* What the user calls the process id: pipewire-pulse's own is of no use. */
static const char *client_pid(const struct spa_dict *node, const struct spa_dict *client)
{
	const char *api = spa_dict_lookup(client, PW_KEY_CLIENT_API);

	if (api == NULL)
		api = spa_dict_lookup(node, PW_KEY_CLIENT_API);
	return spa_streq(api, "pipewire-pulse") ? NULL : spa_dict_lookup(client, PW_KEY_SEC_PID);
}

struct pw_properties *capture_merge_props(const struct spa_dict *node,
					  const struct spa_dict *client)
{
	struct pw_properties *props = pw_properties_new(NULL, NULL);
	const char *pid = client != NULL ? client_pid(node, client) : NULL;

	if (props == NULL)
		return NULL;
	if (client != NULL)
		pw_properties_update(props, client);
	pw_properties_update(props, node);
	if (pid != NULL)
		pw_properties_set(props, PW_KEY_APP_PROCESS_ID, pid);
	return props;
}

enum capture_fit capture_matches(const struct capture *capture, const struct spa_dict *node,
				 const struct spa_dict *client)
{
	const struct capture_args *args = &capture->args;
	struct pw_properties *props;
	enum capture_fit fit = CAPTURE_NOT;

	if (!spa_streq(spa_dict_lookup(node, PW_KEY_MEDIA_CLASS), STREAM_CLASS))
		return CAPTURE_NOT;
	props = capture_merge_props(node, client);
	if (props == NULL)
		return CAPTURE_NOT;
	if (capture_match_fits(&args->match, props))
		fit = CAPTURE_ITSELF;
	else if (capture_match_fits_ancestor(&args->match, props))
		fit = CAPTURE_INHERITED;
	if (fit != CAPTURE_NOT && (capture_match_fits(&args->exclude, props) ||
				   capture_match_fits_ancestor(&args->exclude, props)))
		fit = CAPTURE_NOT;
	pw_properties_free(props);
	return fit;
}

void capture_impl_set(const struct capture *capture, uint32_t node_id, const char *key,
		      const char *value)
{
	struct pw_global *global = pw_context_find_global(capture->connection.context, node_id);
	const struct spa_dict_item item = { key, value };

	if (global != NULL && pw_global_is_type(global, PW_TYPE_INTERFACE_Node))
		pw_impl_node_update_properties(pw_global_get_object(global),
					       &SPA_DICT_INIT(&item, 1));
}

bool capture_is_redirecting(const struct capture *capture)
{
	return capture->args.redirect && !capture->sink.lost && !capture->sink.needs_missing;
}

const char *capture_stream_get_home(const struct capture_stream *stream)
{
	/* The property is the daemon's hook's: in another process anybody may have written it. */
	if (stream->before != NULL || !stream->capture->connection.in_daemon)
		return stream->before;
	return pw_properties_get(stream->node->props, stream->capture->before_key);
}

void capture_stream_redirect(struct capture_stream *stream)
{
	const struct capture *capture = stream->capture;
	const bool redirecting = capture_is_redirecting(capture);
	const char *target =
		redirecting ? capture_sink_get_name(capture) : capture_stream_get_home(stream);

	if (!capture->args.redirect || stream->moved || !registry_has_targets(capture->registry))
		return;
	/* Reports get lost (1.4.2): one that seems to be at home may have been sent away. */
	if (spa_streq(stream->node->target, target) &&
	    (redirecting || stream->told != CAPTURE_AT_SINK))
		return;
	/* The session manager is not to remember where a stream is that we did not see start. */
	if (capture->connection.in_daemon)
		capture_impl_set(capture, stream->node->id, CAPTURE_RESTORE_KEY, "false");
	stream->told = redirecting ? CAPTURE_AT_SINK : CAPTURE_AT_HOME;
	capture_undo_note(capture->undo, stream->node, CAPTURE_UNDO_TARGET,
			  capture_stream_get_home(stream));
	registry_set_target(capture->registry, stream->node->id, target);
}

void capture_stream_restore(struct capture_stream *stream)
{
	const struct capture *capture = stream->capture;

	const char *home = capture_stream_get_home(stream);

	capture_stream_restore_rate(stream);
	if (!capture->args.redirect)
		return;
	if (!stream->moved)
		registry_set_target(capture->registry, stream->node->id, home);
	/* It outlives the metadata, which goes with the session manager. */
	if (capture->connection.in_daemon) {
		capture_impl_set(capture, stream->node->id, PW_KEY_TARGET_OBJECT,
				 spa_streq(home, CAPTURE_TARGET_DEFAULT) ? NULL : home);
		capture_impl_set(capture, stream->node->id, capture->before_key, NULL);
	}
}

struct registry_object *capture_stream_get_client(const struct capture_stream *stream)
{
	return registry_find(stream->capture->registry, REGISTRY_CLIENT, stream->node->owner_id);
}

const char *capture_stream_get_name(const struct capture_stream *stream)
{
	static const char *const keys[] = {
		PW_KEY_APP_NAME,
		PW_KEY_APP_PROCESS_BINARY,
		PW_KEY_NODE_NAME,
	};
	const struct registry_object *const objects[] = {
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

void capture_stream_create(struct capture *capture, struct registry_object *node,
			   enum capture_fit fit)
{
	const char *rate = pw_properties_get(node->props, capture->rate_key);
	struct capture_stream *stream = calloc(1, sizeof(*stream));

	if (stream == NULL)
		return;
	stream->capture = capture;
	stream->node = node;
	stream->fit = fit;
	if (rate != NULL && capture->connection.in_daemon)
		spa_atod(rate, &stream->rate);
	spa_list_init(&stream->links);
	if (node->target != NULL && !capture_is_target(capture, node->target))
		stream->before = strdup(node->target);
	spa_list_append(&capture->streams, &stream->link);
	capture_stream_log(stream, "captured");
	capture_stream_update_rate(stream);
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
	capture_undo_forget(capture->undo, stream->node);
	spa_list_remove(&stream->link);
	free(stream->before);
	free(stream);
	capture_rate_update(capture);
}
