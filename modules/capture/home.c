/* SPDX-License-Identifier: MIT */

/*
 * Where a stream plays without the capture, and what the session manager is told of it, in the
 * metadata: target.object, and target.node, an older form of it.
 *
 * WirePlumber remembers for the application's next stream what was set last of both, but no name:
 * that makes it forget what it has. In the daemon it is told not to look; a process has it remember
 * the original again, as target.node. WirePlumber itself sets target.node to "-1" when a stream
 * whose application names a target is on the default sink twice in a row, as it may be while a sink
 * of ours comes: the stream would go there when our target is taken out. So target.node is put back
 * whatever is there.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <spa/utils/string.h>

#include "capture.h"

static bool is_default(const char *target)
{
	return spa_streq(target, CAPTURE_TARGET_DEFAULT);
}

/* A serial of a node that went and came back has changed. */
static const char *home_resolve(const struct capture_stream *stream)
{
	const struct capture *capture = stream->capture;
	const struct weir_registry_object *node;

	if (stream->home == NULL || !capture_target_is_serial(stream->home) ||
	    capture_graph_find_target(&capture->graph, stream->home) != NULL)
		return stream->home;
	node = capture_graph_find_target(&capture->graph, stream->home_name);
	return node != NULL ? pw_properties_get(node->props, PW_KEY_OBJECT_SERIAL) : NULL;
}

const char *capture_stream_get_home(const struct capture_stream *stream)
{
	/* The property is the daemon's hook's: in another process anybody may have written it. */
	if (stream->home != NULL || !stream->capture->graph.connection.in_daemon)
		return home_resolve(stream);
	return pw_properties_get(stream->node->props, stream->capture->graph.before_key);
}

bool capture_stream_has_target(const struct capture_stream *stream)
{
	const struct weir_registry_object *node = stream->node;
	const char *target = capture_stream_get_home(stream);

	if (target == NULL)
		target = stream->is_sent ? stream->home_node : node->target_node;
	if (target == NULL)
		target = pw_properties_get(node->props, PW_KEY_TARGET_OBJECT);
	if (target == NULL)
		target = pw_properties_get(node->props, "node.target");
	return target != NULL && !is_default(target) &&
	       !capture_sink_is_target(stream->capture->sink, target);
}

/* Is its target.node not what somebody chose? */
static bool node_is_ours(const struct capture_stream *stream)
{
	const char *target = stream->node->target, *node = stream->node->target_node;
	uint32_t id;

	if (is_default(node))
		return target != NULL && !is_default(target);
	return node != NULL && spa_atou32(node, &id, 10) && id == stream->remembered;
}

static void home_set_node(struct capture_stream *stream)
{
	const char *node = stream->node->target_node;

	if (node_is_ours(stream))
		return;
	free(stream->home_node);
	stream->home_node = node != NULL ? strdup(node) : NULL;
}

void capture_stream_adopt_target(struct capture_stream *stream)
{
	const char *target = stream->node->target;
	const struct weir_registry_object *node =
		capture_graph_find_target(&stream->capture->graph, target);
	const char *name = node != NULL ? pw_properties_get(node->props, PW_KEY_NODE_NAME) : NULL;

	free(stream->home);
	free(stream->home_name);
	stream->home = target != NULL ? strdup(target) : NULL;
	stream->home_name = name != NULL ? strdup(name) : NULL;
	home_set_node(stream);
}

static void target_note(const struct capture_stream *stream, const char *target, const char *node)
{
	struct capture_undo *undo = stream->capture->undo;

	capture_undo_note(undo, stream->node, CAPTURE_UNDO_TARGET, target);
	capture_undo_note(undo, stream->node, CAPTURE_UNDO_TARGET_NODE, node);
}

/* An id does not outlive its node. */
static const char *home_get_node(const struct capture_stream *stream)
{
	return home_resolve(stream) == stream->home ? stream->home_node : NULL;
}

void capture_stream_set_target(struct capture_stream *stream, const char *sink)
{
	const struct capture *capture = stream->capture;
	const struct weir_registry_object *home =
		capture_graph_find_target(&capture->graph, stream->home);
	char id[16];

	if (!stream->is_sent)
		home_set_node(stream);
	stream->is_sent = true;
	target_note(stream, capture_stream_get_home(stream), home_get_node(stream));
	weir_registry_set_target(capture->graph.registry, stream->node->id, sink);
	if (home == NULL || capture->graph.connection.in_daemon)
		return;
	snprintf(id, sizeof(id), "%u", home->id);
	weir_registry_set_target_node(capture->graph.registry, stream->node->id, id);
	stream->remembered = home->id;
}

void capture_stream_reset_target(struct capture_stream *stream)
{
	struct weir_registry *registry = stream->capture->graph.registry;
	const char *home = capture_stream_get_home(stream);
	const char *node;

	if (!stream->is_sent && spa_streq(home, stream->node->target))
		return;
	if (!stream->is_sent)
		home_set_node(stream);
	node = home_get_node(stream);
	target_note(stream, home, node);
	weir_registry_set_target_node(registry, stream->node->id, NULL);
	weir_registry_set_target(registry, stream->node->id, home);
	if (node != NULL)
		weir_registry_set_target_node(registry, stream->node->id, node);
	stream->remembered = SPA_ID_INVALID;
}

void capture_stream_leave_target(struct capture_stream *stream)
{
	const char *target = stream->node->target, *node = stream->node->target_node;
	const struct weir_registry_object *choice =
		capture_graph_find_target(&stream->capture->graph, target);
	char id[16];

	if (node_is_ours(stream)) {
		/* What is set last is remembered: the choice. */
		if (choice != NULL)
			snprintf(id, sizeof(id), "%u", choice->id);
		node = choice != NULL ? id : stream->home_node;
		weir_registry_set_target_node(stream->capture->graph.registry, stream->node->id,
					      node);
	}
	target_note(stream, target, node);
	stream->remembered = SPA_ID_INVALID;
}
