/* SPDX-License-Identifier: MIT */

/*
 * In the daemon: the session manager is not to remember a target that the capture set. While a
 * property of the stream (state.restore-target) is false, WirePlumber stores no target of it.
 * WirePlumber makes links only after it has handled every target that it has read. So the property
 * is restored when the stream is linked as the capture's target demands, and a target that is
 * chosen afterwards is stored. When a capture ends, that link is made after its end: so a memory
 * belongs to no capture.
 */

#include "daemon.h"

#include <stdlib.h>
#include <string.h>

#include <spa/utils/string.h>

#define RESTORE_KEY "state.restore-target"
/* Within this time the session manager has read a target even if no link follows. */
#define MAX_SECONDS 3

/* Of all captures in the daemon. Main thread. */
static struct spa_list memories = SPA_LIST_INIT(&memories);

struct memory {
	struct spa_list link;
	struct pw_context *context;
	struct spa_hook context_listener;
	struct pw_impl_node *node;
	struct spa_hook node_listener;
	struct spa_source *timer;
	char *previous; /* the property, NULL: none */
	char *sink;
	bool to_sink; /* ends with a link to this sink; or else to any node but it and sources */
};

static void memory_destroy(struct memory *memory)
{
	spa_list_remove(&memory->link);
	spa_hook_remove(&memory->context_listener);
	spa_hook_remove(&memory->node_listener);
	weir_context_timer_destroy(memory->context, memory->timer);
	free(memory->previous);
	free(memory->sink);
	free(memory);
}

static void memory_set(struct pw_impl_node *node, const char *value)
{
	const struct spa_dict_item item = { RESTORE_KEY, value };

	pw_impl_node_update_properties(node, &SPA_DICT_INIT(&item, 1));
}

static void memory_end(struct memory *memory)
{
	memory_set(memory->node, memory->previous);
	memory_destroy(memory);
}

static void memory_timeout(void *data, uint64_t expirations)
{
	(void)expirations;
	memory_end(data);
}

static bool link_fits(const struct memory *memory, const struct pw_properties *link)
{
	const uint32_t output =
		pw_properties_get_uint32(link, PW_KEY_LINK_OUTPUT_NODE, SPA_ID_INVALID);
	struct pw_global *input = pw_context_find_global(
		memory->context,
		pw_properties_get_uint32(link, PW_KEY_LINK_INPUT_NODE, SPA_ID_INVALID));
	const char *name;

	if (output != pw_impl_node_get_info(memory->node)->id || input == NULL)
		return false;
	name = pw_properties_get(pw_global_get_properties(input), PW_KEY_NODE_NAME);
	if (name == NULL)
		return false;
	if (memory->to_sink)
		return spa_streq(name, memory->sink);
	return !spa_streq(name, memory->sink) && !spa_strstartswith(name, "weir.capture.");
}

static void global_added(void *data, struct pw_global *global)
{
	struct memory *memory = data;

	if (pw_global_is_type(global, PW_TYPE_INTERFACE_Link) &&
	    link_fits(memory, pw_global_get_properties(global)))
		memory_end(memory);
}

static void context_destroy(void *data)
{
	memory_destroy(data);
}

static const struct pw_context_events context_events = {
	PW_VERSION_CONTEXT_EVENTS,
	.destroy = context_destroy,
	.global_added = global_added,
};

static void node_destroy(void *data)
{
	memory_destroy(data);
}

static const struct pw_impl_node_events node_events = {
	PW_VERSION_IMPL_NODE_EVENTS,
	.destroy = node_destroy,
};

static struct memory *memory_find(const struct pw_impl_node *node)
{
	struct memory *memory;

	spa_list_for_each(memory, &memories, link)
	{
		if (memory->node == node)
			return memory;
	}
	return NULL;
}

static struct memory *memory_create(struct pw_context *context, struct pw_impl_node *node)
{
	const char *previous = pw_properties_get(pw_impl_node_get_properties(node), RESTORE_KEY);
	struct memory *memory = calloc(1, sizeof(*memory));

	if (memory == NULL)
		return NULL;
	memory->context = context;
	memory->node = node;
	memory->previous = previous != NULL ? strdup(previous) : NULL;
	memory->timer =
		pw_loop_add_timer(pw_context_get_main_loop(context), memory_timeout, memory);
	spa_list_append(&memories, &memory->link);
	pw_context_add_listener(context, &memory->context_listener, &context_events, memory);
	pw_impl_node_add_listener(node, &memory->node_listener, &node_events, memory);
	return memory;
}

void capture_daemon_pause_memory(struct pw_context *context, struct pw_impl_node *node,
				 const char *sink, bool to_sink)
{
	struct memory *memory = memory_find(node);

	if (memory == NULL)
		memory = memory_create(context, node);
	if (memory == NULL)
		return;
	free(memory->sink);
	memory->sink = strdup(sink);
	memory->to_sink = to_sink;
	memory_set(node, "false");
	if (memory->timer != NULL)
		weir_context_timer_set(context, memory->timer, MAX_SECONDS * SPA_NSEC_PER_SEC);
}

struct pw_impl_node *capture_daemon_find_node(struct pw_context *context, uint32_t id)
{
	struct pw_global *global = pw_context_find_global(context, id);

	return global != NULL && pw_global_is_type(global, PW_TYPE_INTERFACE_Node)
		       ? pw_global_get_object(global)
		       : NULL;
}

const struct spa_dict *capture_daemon_get_client_props(struct pw_context *context, uint32_t id)
{
	struct pw_global *global = pw_context_find_global(context, id);

	if (global == NULL || !pw_global_is_type(global, PW_TYPE_INTERFACE_Client))
		return NULL;
	return &pw_impl_client_get_properties(pw_global_get_object(global))->dict;
}

void capture_daemon_set_property(struct pw_context *context, uint32_t node_id, const char *key,
				 const char *value)
{
	struct pw_impl_node *node = capture_daemon_find_node(context, node_id);
	const struct spa_dict_item item = { key, value };

	if (node != NULL)
		pw_impl_node_update_properties(node, &SPA_DICT_INIT(&item, 1));
}

void capture_daemon_redirect(const struct capture_graph *graph, struct pw_impl_node *node,
			     const char *sink)
{
	const char *original =
		pw_properties_get(pw_impl_node_get_properties(node), PW_KEY_TARGET_OBJECT);
	const struct spa_dict_item items[] = {
		{ graph->original_key, original != NULL ? original : CAPTURE_TARGET_DEFAULT },
		{ PW_KEY_TARGET_OBJECT, sink },
		{ CAPTURE_OWNER_KEY, graph->args->name },
	};
	const char *owner = pw_properties_get(pw_impl_node_get_properties(node), CAPTURE_OWNER_KEY);

	/* Another capture in the daemon has redirected the stream already. */
	if (owner != NULL && *owner != '\0')
		return;

	pw_impl_node_update_properties(node, &SPA_DICT_INIT_ARRAY(items));
	capture_daemon_pause_memory(graph->connection.context, node, sink, true);
}
