/* SPDX-License-Identifier: MIT */
#include "path.h"

#include <string.h>

#include <spa/utils/string.h>

#include "graph/port.h"

bool capture_reach_has(const struct capture_reach *reach, uint32_t id)
{
	unsigned int i;

	for (i = 0; i < reach->n; i++) {
		if (reach->ids[i] == id)
			return true;
	}
	return false;
}

void capture_reach_add(struct capture_reach *reach, uint32_t id)
{
	if (reach->n < CAPTURE_MAX_REACH && !capture_reach_has(reach, id))
		reach->ids[reach->n++] = id;
}

static const char *group_get(const struct weir_registry_object *node)
{
	return node != NULL ? pw_properties_get(node->props, PW_KEY_NODE_LINK_GROUP) : NULL;
}

/* Along one link, or inside a filter that consists of two nodes. */
static void reach_follow(struct capture_reach *reach, struct weir_registry *registry, uint32_t id)
{
	const char *group = group_get(weir_registry_find(registry, WEIR_REGISTRY_NODE, id));
	struct weir_registry_object *object;

	spa_list_for_each(object, weir_registry_get_objects(registry, WEIR_REGISTRY_LINK), link)
	{
		if (object->owner_id == id)
			capture_reach_add(
				reach, weir_registry_object_get_id(object, PW_KEY_LINK_INPUT_NODE));
	}
	spa_list_for_each(object, weir_registry_get_objects(registry, WEIR_REGISTRY_NODE), link)
	{
		if (group != NULL && spa_streq(group_get(object), group))
			capture_reach_add(reach, object->id);
	}
}

void capture_reach_extend(struct capture_reach *reach, struct weir_registry *registry)
{
	unsigned int i;

	for (i = 0; i < reach->n; i++)
		reach_follow(reach, registry, reach->ids[i]);
}

static void reach_init(struct capture_reach *reach, struct weir_registry *registry, uint32_t id)
{
	reach->n = 0;
	capture_reach_add(reach, id);
	capture_reach_extend(reach, registry);
}

/* Does sound leave the graph here? Not at sinks of weir's or of this capture, nor in filters. */
static bool is_end(const struct capture_graph *graph, const struct weir_registry_object *node)
{
	const char *class = pw_properties_get(node->props, PW_KEY_MEDIA_CLASS);
	const char *name = pw_properties_get(node->props, PW_KEY_NODE_NAME);

	return (spa_streq(class, "Audio/Sink") || spa_streq(class, "Audio/Duplex")) &&
	       !spa_strstartswith(name != NULL ? name : "", "weir.") && group_get(node) == NULL &&
	       !spa_streq(name, graph->args->sink);
}

static bool reaches_end(const struct capture_graph *graph, uint32_t id)
{
	struct weir_registry_object *node;
	struct capture_reach reach;

	reach_init(&reach, graph->registry, id);
	spa_list_for_each(node, weir_registry_get_objects(graph->registry, WEIR_REGISTRY_NODE),
			  link)
	{
		if (node->id != id && capture_reach_has(&reach, node->id) && is_end(graph, node))
			return true;
	}
	return false;
}

static bool port_has_link(struct weir_registry *registry, const struct weir_registry_object *port)
{
	struct weir_registry_object *link;

	spa_list_for_each(link, weir_registry_get_objects(registry, WEIR_REGISTRY_LINK), link)
	{
		if (weir_registry_object_get_id(link, PW_KEY_LINK_OUTPUT_PORT) == port->id)
			return true;
	}
	return false;
}

/* The left or right output of the node that has no link, while the other side has one. */
static const struct weir_registry_object *missing_side(struct weir_registry *registry,
						       uint32_t node_id)
{
	const struct weir_registry_object *missing = NULL;
	struct weir_registry_object *port;
	bool has_linked = false;

	spa_list_for_each(port, weir_registry_get_objects(registry, WEIR_REGISTRY_PORT), link)
	{
		const char *channel = pw_properties_get(port->props, PW_KEY_AUDIO_CHANNEL);

		if (!weir_port_is_of(port, node_id, "out") ||
		    (!spa_streq(channel, "FL") && !spa_streq(channel, "FR")))
			continue;
		if (port_has_link(registry, port))
			has_linked = true;
		else
			missing = port;
	}
	return has_linked ? missing : NULL;
}

static char *side_get_missing(const struct capture_graph *graph,
			      const struct weir_registry_object *needs)
{
	const struct weir_registry_object *port = missing_side(graph->registry, graph->source_id);
	const char *name = pw_properties_get(needs->props, PW_KEY_NODE_NAME);

	if (port != NULL)
		return spa_aprintf("no link from weir.capture.%s:%s", graph->args->name,
				   weir_port_get_name(port));
	port = missing_side(graph->registry, needs->id);
	return port != NULL ? spa_aprintf("no link from %s:%s", name, weir_port_get_name(port))
			    : NULL;
}

/* Of several nodes of this name one is enough. */
char *capture_path_get_missing(const struct capture_graph *graph)
{
	const char *name = graph->args->name, *needs = graph->args->needs;
	struct weir_registry_object *node;
	bool present = false, reached = false;
	struct capture_reach reach;

	reach_init(&reach, graph->registry, graph->source_id);
	spa_list_for_each(node, weir_registry_get_objects(graph->registry, WEIR_REGISTRY_NODE),
			  link)
	{
		if (!spa_streq(pw_properties_get(node->props, PW_KEY_NODE_NAME), needs))
			continue;
		present = true;
		if (!capture_reach_has(&reach, node->id))
			continue;
		reached = true;
		if (reaches_end(graph, node->id))
			return side_get_missing(graph, node);
	}
	if (!present)
		return spa_aprintf("no node %s", needs);
	if (!reached)
		return spa_aprintf("no link from weir.capture.%s to %s", name, needs);
	return spa_aprintf("no link from %s to a sink", needs);
}
