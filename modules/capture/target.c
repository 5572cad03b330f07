/* SPDX-License-Identifier: MIT */

/*
 * A stream's target in the metadata: target.object, and target.node, an older form of it.
 *
 * WirePlumber stores for the application's next stream the value that was set last of the two. It
 * stores no names: a name makes it forget the stored target. In the daemon a property keeps
 * WirePlumber from storing (daemon.c); a capture in a process has WirePlumber store the original
 * target again, as target.node.
 *
 * WirePlumber itself sets target.node to "-1" when a stream whose application names a target is on
 * the default sink twice in a row, which can happen while the capture's sink appears. The stream
 * would go to the default sink when the capture's target is taken out. So target.node is restored
 * whatever its value is.
 */

#include "target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <spa/utils/string.h>

static bool is_default(const char *target)
{
	return spa_streq(target, CAPTURE_TARGET_DEFAULT);
}

/* A node that went and came back has another serial. */
static const char *original_resolve(const struct capture_target *target)
{
	const struct capture_graph *graph = target->graph;
	const struct weir_registry_object *node;

	if (target->original == NULL || !capture_target_is_serial(target->original) ||
	    capture_graph_find_target(graph, target->original) != NULL)
		return target->original;
	node = capture_graph_find_target(graph, target->original_name);
	return node != NULL ? pw_properties_get(node->props, PW_KEY_OBJECT_SERIAL) : NULL;
}

const char *capture_target_get_original(const struct capture_target *target)
{
	/* In the daemon the hook has set the property. Elsewhere any client may have. */
	if (target->original != NULL || !target->graph->connection.in_daemon)
		return original_resolve(target);
	return pw_properties_get(target->node->props, target->graph->original_key);
}

bool capture_target_is_chosen(const struct capture_target *target)
{
	const struct weir_registry_object *node = target->node;
	const char *chosen = capture_target_get_original(target);

	if (chosen == NULL)
		chosen = target->is_sent ? target->original_node : node->target_node;
	if (chosen == NULL)
		chosen = pw_properties_get(node->props, PW_KEY_TARGET_OBJECT);
	if (chosen == NULL)
		chosen = pw_properties_get(node->props, "node.target");
	return chosen != NULL && !is_default(chosen) &&
	       !capture_sink_is_target(target->sink, chosen);
}

/* Did the capture or WirePlumber set the stream's target.node, rather than a user or program? */
static bool target_node_is_ours(const struct capture_target *target)
{
	const char *object = target->node->target, *node = target->node->target_node;
	uint32_t id;

	if (is_default(node))
		return object != NULL && !is_default(object);
	return node != NULL && spa_atou32(node, &id, 10) && id == target->remembered;
}

static void original_set_node(struct capture_target *target)
{
	const char *node = target->node->target_node;

	if (target_node_is_ours(target))
		return;
	free(target->original_node);
	target->original_node = node != NULL ? strdup(node) : NULL;
}

void capture_target_adopt(struct capture_target *target)
{
	const char *object = target->node->target;
	const struct weir_registry_object *node = capture_graph_find_target(target->graph, object);
	const char *name = node != NULL ? pw_properties_get(node->props, PW_KEY_NODE_NAME) : NULL;

	free(target->original);
	free(target->original_name);
	target->original = object != NULL ? strdup(object) : NULL;
	target->original_name = name != NULL ? strdup(name) : NULL;
	original_set_node(target);
}

static void target_record(const struct capture_target *target, const char *object, const char *node)
{
	capture_journal_set(target->journal, target->node, CAPTURE_JOURNAL_TARGET, object);
	capture_journal_set(target->journal, target->node, CAPTURE_JOURNAL_TARGET_NODE, node);
}

/* A target.node is an id, which is another object's when the node has come back. */
static const char *original_get_node(const struct capture_target *target)
{
	return original_resolve(target) == target->original ? target->original_node : NULL;
}

void capture_target_set_sink(struct capture_target *target, const char *sink)
{
	const struct capture_graph *graph = target->graph;
	const struct weir_registry_object *original =
		capture_graph_find_target(graph, target->original);
	char id[16];

	if (!target->is_sent)
		original_set_node(target);
	target->is_sent = true;
	target_record(target, capture_target_get_original(target), original_get_node(target));
	weir_registry_set_target(graph->registry, target->node->id, sink);
	if (original == NULL || graph->connection.in_daemon)
		return;
	snprintf(id, sizeof(id), "%u", original->id);
	weir_registry_set_target_node(graph->registry, target->node->id, id);
	target->remembered = original->id;
}

void capture_target_reset(struct capture_target *target)
{
	struct weir_registry *registry = target->graph->registry;
	const char *original = capture_target_get_original(target);
	const char *node;

	if (!target->is_sent && spa_streq(original, target->node->target))
		return;
	if (!target->is_sent)
		original_set_node(target);
	node = original_get_node(target);
	target_record(target, original, node);
	weir_registry_set_target_node(registry, target->node->id, NULL);
	weir_registry_set_target(registry, target->node->id, original);
	if (node != NULL)
		weir_registry_set_target_node(registry, target->node->id, node);
	target->remembered = SPA_ID_INVALID;
}

void capture_target_leave(struct capture_target *target)
{
	const char *object = target->node->target, *node = target->node->target_node;
	const struct weir_registry_object *choice =
		capture_graph_find_target(target->graph, object);
	char id[16];

	if (target_node_is_ours(target)) {
		/* The value that is set last is stored: the choice. */
		if (choice != NULL)
			snprintf(id, sizeof(id), "%u", choice->id);
		node = choice != NULL ? id : target->original_node;
		weir_registry_set_target_node(target->graph->registry, target->node->id, node);
	}
	target_record(target, object, node);
	target->remembered = SPA_ID_INVALID;
}

void capture_target_init(struct capture_target *target, const struct capture_graph *graph,
			 const struct capture_sink *sink, struct capture_journal *journal,
			 struct weir_registry_object *node)
{
	*target = (struct capture_target){
		.graph = graph,
		.sink = sink,
		.journal = journal,
		.node = node,
		.remembered = SPA_ID_INVALID,
	};
}

void capture_target_finish(struct capture_target *target)
{
	free(target->original);
	free(target->original_name);
	free(target->original_node);
}
