/* SPDX-License-Identifier: MIT */
#include <string.h>

#include <spa/utils/string.h>

#include "capture.h"

bool capture_target_is_serial(const char *target)
{
	return *target != '\0' && target[strspn(target, "0123456789")] == '\0';
}

struct weir_registry_object *capture_find_target(const struct capture *capture, const char *target)
{
	const char *key = target != NULL && capture_target_is_serial(target) ? PW_KEY_OBJECT_SERIAL
									     : PW_KEY_NODE_NAME;
	struct weir_registry_object *node;

	if (target == NULL)
		return NULL;
	spa_list_for_each(node, weir_registry_get_objects(capture->registry, WEIR_REGISTRY_NODE),
			  link)
	{
		if (spa_streq(pw_properties_get(node->props, key), target))
			return node;
	}
	return NULL;
}

/* Its node.name. */
static const char *target_get_name(const struct capture *capture, const char *target)
{
	const struct weir_registry_object *node = target != NULL && capture_target_is_serial(target)
							  ? capture_find_target(capture, target)
							  : NULL;

	return node != NULL ? pw_properties_get(node->props, PW_KEY_NODE_NAME) : target;
}

bool capture_is_target(const struct capture *capture, const char *target)
{
	return spa_streq(target_get_name(capture, target), capture->args.sink) ||
	       capture_is_virtual_target(capture, target);
}

bool capture_is_virtual_target(const struct capture *capture, const char *target)
{
	return spa_streq(target_get_name(capture, target), capture->sink.virtual_name);
}

struct weir_registry_object *capture_find_other(const struct capture *capture, const char *target)
{
	const char *name = target_get_name(capture, target);
	struct weir_registry_object *node;

	if (name == NULL)
		return NULL;
	spa_list_for_each(node, weir_registry_get_objects(capture->registry, WEIR_REGISTRY_NODE),
			  link)
	{
		if (node->id != capture->source_id &&
		    spa_streq(pw_properties_get(node->props, CAPTURE_SINK_KEY), name))
			return node;
	}
	return NULL;
}

/* Of two captures that want the same stream, the older one keeps it. */
static bool is_older(const struct capture *capture, const struct weir_registry_object *other)
{
	const struct weir_registry_object *source =
		weir_registry_find(capture->registry, WEIR_REGISTRY_NODE, capture->source_id);

	return source != NULL && source->serial < other->serial;
}

enum placement_event capture_target_event(const struct capture_stream *stream)
{
	const struct capture *capture = stream->capture;
	const char *target = stream->node->target, *home = capture_stream_get_home(stream);
	const struct weir_registry_object *other;

	if (capture_is_target(capture, target))
		return PLACEMENT_TARGET_SINK;
	other = capture_find_other(capture, target);
	if (other != NULL)
		return is_older(capture, other) ? PLACEMENT_TARGET_RIVAL : PLACEMENT_TARGET_CAPTURE;
	if (spa_streq(target, home))
		return PLACEMENT_TARGET_ORIGINAL;
	/* A capture in the daemon that ends sends a stream of its own hook to the default sink. */
	return home == NULL && spa_streq(target, CAPTURE_TARGET_DEFAULT) &&
			       stream->placement != PLACEMENT_ORIGINAL
		       ? PLACEMENT_TARGET_ORIGINAL
		       : PLACEMENT_TARGET_OTHER;
}
