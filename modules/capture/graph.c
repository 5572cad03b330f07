/* SPDX-License-Identifier: MIT */
#include "graph.h"

#include <string.h>

#include <spa/utils/string.h>

bool capture_target_is_serial(const char *target)
{
	return *target != '\0' && target[strspn(target, "0123456789")] == '\0';
}

static struct weir_registry_object *find_node(const struct capture_graph *graph, const char *key,
					      const char *value)
{
	struct weir_registry_object *node;

	spa_list_for_each(node, weir_registry_get_objects(graph->registry, WEIR_REGISTRY_NODE),
			  link)
	{
		if (spa_streq(pw_properties_get(node->props, key), value))
			return node;
	}
	return NULL;
}

struct weir_registry_object *capture_graph_find_target(const struct capture_graph *graph,
						       const char *target)
{
	if (target == NULL)
		return NULL;
	return find_node(graph,
			 capture_target_is_serial(target) ? PW_KEY_OBJECT_SERIAL : PW_KEY_NODE_NAME,
			 target);
}

const char *capture_graph_get_target_name(const struct capture_graph *graph, const char *target)
{
	const struct weir_registry_object *node = target != NULL && capture_target_is_serial(target)
							  ? capture_graph_find_target(graph, target)
							  : NULL;

	return node != NULL ? pw_properties_get(node->props, PW_KEY_NODE_NAME) : target;
}

struct weir_registry_object *capture_graph_find_other(const struct capture_graph *graph,
						      const char *target)
{
	const char *name = capture_graph_get_target_name(graph, target);
	struct weir_registry_object *node;

	if (name == NULL)
		return NULL;
	spa_list_for_each(node, weir_registry_get_objects(graph->registry, WEIR_REGISTRY_NODE),
			  link)
	{
		if (node->id != graph->source_id &&
		    spa_streq(pw_properties_get(node->props, CAPTURE_SINK_KEY), name))
			return node;
	}
	return NULL;
}

bool capture_graph_is_older(const struct capture_graph *graph,
			    const struct weir_registry_object *other)
{
	const struct weir_registry_object *source =
		weir_registry_find(graph->registry, WEIR_REGISTRY_NODE, graph->source_id);

	return source != NULL && source->serial < other->serial;
}

bool capture_graph_is_playing(const struct capture_graph *graph,
			      const struct weir_registry_object *stream)
{
	struct weir_registry_object *link;

	spa_list_for_each(link, weir_registry_get_objects(graph->registry, WEIR_REGISTRY_LINK),
			  link)
	{
		if (link->owner_id == stream->id &&
		    weir_registry_object_get_id(link, PW_KEY_LINK_INPUT_NODE) != graph->source_id)
			return true;
	}
	return false;
}

bool capture_graph_is_linked(const struct capture_graph *graph,
			     const struct weir_registry_object *stream, const char *name)
{
	const struct weir_registry_object *sink;
	struct weir_registry_object *link;

	spa_list_for_each(link, weir_registry_get_objects(graph->registry, WEIR_REGISTRY_LINK),
			  link)
	{
		if (link->owner_id != stream->id)
			continue;
		sink = weir_registry_find(
			graph->registry, WEIR_REGISTRY_NODE,
			weir_registry_object_get_id(link, PW_KEY_LINK_INPUT_NODE));
		if (sink != NULL &&
		    spa_streq(pw_properties_get(sink->props, PW_KEY_NODE_NAME), name))
			return true;
	}
	return false;
}

struct weir_registry_object *capture_graph_find_client(const struct capture_graph *graph,
						       const struct weir_registry_object *stream)
{
	return weir_registry_find(graph->registry, WEIR_REGISTRY_CLIENT, stream->owner_id);
}

const char *capture_graph_get_player(const struct capture_graph *graph,
				     const struct weir_registry_object *stream)
{
	static const char *const keys[] = {
		PW_KEY_APP_NAME,
		PW_KEY_APP_PROCESS_BINARY,
		PW_KEY_NODE_NAME,
	};
	const struct weir_registry_object *const objects[] = {
		stream,
		capture_graph_find_client(graph, stream),
	};
	const char *name = NULL;
	unsigned int i;

	for (i = 0; name == NULL && i < SPA_N_ELEMENTS(keys) * SPA_N_ELEMENTS(objects); i++) {
		if (objects[i % 2] != NULL)
			name = pw_properties_get(objects[i % 2]->props, keys[i / 2]);
	}
	return name != NULL ? name : "";
}
