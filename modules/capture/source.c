/* SPDX-License-Identifier: MIT */
#include "source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <spa/utils/string.h>

#include "graph/keys.h"
#include "graph/log.h"
#include "graph/props.h"
#include "spa/unit_node.h"

#define RATE_KEY "capture:rate"

/*
 * The source is a node of this process: of the daemon, or of a process that exports it.
 *
 * The export has a connection of its own. The daemon reads nothing from a client that binds the
 * session manager's metadata until the session manager has answered, and nothing from a session
 * manager that sets a node's parameter until the node's client has: over one connection both would
 * wait for each other for ever, and so would every client that binds the metadata (1.4.2).
 */
struct capture_source {
	const struct capture_graph *graph;
	const struct capture_source_events *events;
	void *data;
	struct weir_connection connection; /* core is NULL in the daemon */
	struct weir_unit_node *unit_node;
	struct pw_impl_node *impl;
	struct spa_hook impl_listener;
	struct pw_proxy *exported;
	struct spa_hook exported_listener;
	bool keeps_running;
};

static void impl_destroyed(void *data)
{
	struct capture_source *source = data;

	spa_hook_remove(&source->impl_listener);
	source->impl = NULL;
	source->events->lost(source->data);
}

static void impl_info_changed(void *data, const struct pw_node_info *info)
{
	struct capture_source *source = data;

	if (info->change_mask & PW_NODE_CHANGE_MASK_PARAMS)
		source->events->controls_changed(source->data);
}

static const struct pw_impl_node_events impl_events = {
	PW_VERSION_IMPL_NODE_EVENTS,
	.destroy = impl_destroyed,
	.info_changed = impl_info_changed,
};

static void exported_bound(void *data, uint32_t id)
{
	struct capture_source *source = data;

	source->events->bound(source->data, id);
}

static void exported_removed(void *data)
{
	struct capture_source *source = data;

	pw_proxy_destroy(source->exported);
}

static void exported_destroyed(void *data)
{
	struct capture_source *source = data;

	spa_hook_remove(&source->exported_listener);
	source->exported = NULL;
	source->events->lost(source->data);
}

static const struct pw_proxy_events exported_events = {
	PW_VERSION_PROXY_EVENTS,
	.bound = exported_bound,
	.removed = exported_removed,
	.destroy = exported_destroyed,
};

/* The process that the module is in, by its configuration file and number. */
static void host_get(struct pw_context *context, char *text, size_t size)
{
	const char *conf =
		pw_properties_get(pw_context_get_properties(context), PW_KEY_CONFIG_NAME);

	snprintf(text, size, "%s, process %d", conf != NULL ? conf : pw_get_prgname(), getpid());
}

static struct pw_properties *node_props(const struct capture_graph *graph, const char *group)
{
	char host[256];
	const struct pw_properties *context = pw_context_get_properties(graph->connection.context);
	const char *name = graph->args->name;
	struct pw_properties *props = pw_properties_new(
		PW_KEY_MEDIA_CLASS, "Audio/Source/Virtual", PW_KEY_NODE_VIRTUAL, "true",
		/* Waking up from suspension would cost the first frames of a stream. */
		"session.suspend-timeout-seconds", "0", CAPTURE_RESTORE_PROPS_KEY, "false",
		WEIR_KEY_CAPTURE_STATE, "waiting", WEIR_KEY_CAPTURE_STREAMS, "[]", NULL);

	if (props == NULL)
		return NULL;
	pw_properties_setf(props, PW_KEY_NODE_NAME, "weir.capture.%s", name);
	pw_properties_setf(props, PW_KEY_NODE_DESCRIPTION, "%s (captured)", name);
	pw_properties_set(props, PW_KEY_NODE_GROUP, group);
	pw_properties_set(props, "clock.quantum-limit",
			  pw_properties_get(context, "default.clock.quantum-limit"));
	host_get(graph->connection.context, host, sizeof(host));
	pw_properties_set(props, CAPTURE_HOST_KEY, host);
	pw_properties_set(props, RATE_KEY, pw_properties_get(graph->args->props, "capture.rate"));
	pw_properties_set(props, "capture:glide-ms",
			  pw_properties_get(graph->args->props, "capture.glide-ms"));
	return props;
}

/* There may be several data threads: the unit needs the one that runs the node. */
static void unit_node_set_loop(struct capture_source *source, struct pw_properties *props)
{
#if PW_CHECK_VERSION(1, 2, 0)
	struct pw_loop *loop =
		pw_context_acquire_loop(source->graph->connection.context, &props->dict);

	if (loop == NULL)
		return;
	pw_properties_set(props, PW_KEY_NODE_LOOP_NAME, loop->name);
	weir_unit_node_set_loop(source->unit_node, loop->loop);
	pw_context_release_loop(source->graph->connection.context, loop);
#else
	(void)source;
	(void)props;
#endif
}

/* Takes props. */
static int unit_node_init(struct capture_source *source, struct pw_properties *props)
{
	const struct spa_support *support;
	uint32_t n_support;
	int res;

	support = pw_context_get_support(source->graph->connection.context, &n_support);
	source->unit_node = weir_unit_node_create(&weir_capture, &props->dict, support, n_support);
	if (source->unit_node == NULL) {
		res = -errno;
		pw_properties_free(props);
		return res;
	}
	unit_node_set_loop(source, props);
	pw_properties_set(props, RATE_KEY, NULL);
	pw_properties_set(props, "capture:glide-ms", NULL);
	source->impl = pw_context_create_node(source->graph->connection.context, props, 0);
	if (source->impl == NULL)
		return -errno;
	pw_impl_node_add_listener(source->impl, &source->impl_listener, &impl_events, source);
	res = pw_impl_node_set_implementation(source->impl,
					      weir_unit_node_get_spa_node(source->unit_node));
	return res < 0 ? res : pw_impl_node_register(source->impl, NULL);
}

static int node_export(struct capture_source *source)
{
	int res = weir_connection_init(&source->connection, source->graph->connection.context);

	if (res < 0)
		return res;
	source->exported = pw_core_export(source->connection.core, PW_TYPE_INTERFACE_Node, NULL,
					  source->impl, 0);
	if (source->exported == NULL) {
		res = -errno;
		pw_log_error(
			"weir.capture.%s: this process cannot export a node to the daemon. Load "
			"libpipewire-module-client-node before this module, as weir.conf does",
			source->graph->args->name);
		return res;
	}
	pw_proxy_add_listener(source->exported, &source->exported_listener, &exported_events,
			      source);
	return 0;
}

struct capture_source *capture_source_create(const struct capture_graph *graph, const char *group,
					     const struct capture_source_events *events, void *data)
{
	struct pw_properties *props = node_props(graph, group);
	struct capture_source *source = calloc(1, sizeof(*source));
	int res;

	if (props == NULL || source == NULL) {
		pw_properties_free(props);
		free(source);
		return NULL;
	}
	source->graph = graph;
	source->events = events;
	source->data = data;
	res = unit_node_init(source, props);
	if (res == 0 && graph->connection.in_daemon)
		events->bound(data, pw_global_get_id(pw_impl_node_get_global(source->impl)));
	else if (res == 0)
		res = node_export(source);
	if (res == 0)
		return source;
	capture_source_destroy(source);
	errno = -res;
	return NULL;
}

void capture_source_destroy(struct capture_source *source)
{
	if (source == NULL)
		return;
	if (source->exported != NULL) {
		spa_hook_remove(&source->exported_listener);
		pw_proxy_destroy(source->exported);
	}
	if (source->impl != NULL) {
		spa_hook_remove(&source->impl_listener);
		pw_impl_node_destroy(source->impl);
	}
	weir_connection_finish(&source->connection);
	weir_unit_node_destroy(source->unit_node);
	free(source);
}

float capture_source_get_control(const struct capture_source *source, enum capture_port port)
{
	return weir_unit_node_get_control(source->unit_node, port);
}

void capture_source_set_rate(struct capture_source *source, double rate)
{
	struct weir_props props;

	weir_props_init(&props);
	weir_props_add_control(&props, RATE_KEY, SPA_POD_Float((float)rate));
	spa_node_set_param(weir_unit_node_get_spa_node(source->unit_node), SPA_PARAM_Props, 0,
			   weir_props_get_pod(&props));
}

void capture_source_set(struct capture_source *source, const char *key, const char *value)
{
	const struct spa_dict_item item = { key, value };

	if (source->impl != NULL)
		pw_impl_node_update_properties(source->impl, &SPA_DICT_INIT(&item, 1));
}

static bool is_recorded(const struct capture_source *source)
{
	struct weir_registry_object *link;

	spa_list_for_each(
		link, weir_registry_get_objects(source->graph->registry, WEIR_REGISTRY_LINK), link)
	{
		if (link->owner_id == source->graph->source_id)
			return true;
	}
	return false;
}

/* A stream that runs makes the nodes that it is linked to run, even over a passive link. */
void capture_source_update(struct capture_source *source)
{
	if (source->impl != NULL)
		pw_impl_node_set_active(source->impl, source->keeps_running || is_recorded(source));
}

void capture_source_keep_running(struct capture_source *source, bool on)
{
	if (source->keeps_running == on)
		return;
	source->keeps_running = on;
	capture_source_set(source, PW_KEY_NODE_ALWAYS_PROCESS, on ? "true" : "false");
	capture_source_update(source);
}

/*
 * Names of captures are unique: otherwise each stream would be linked to two sources of one name,
 * and be sent to two virtual sinks. The older capture stays.
 */
static void twin_report(const struct capture_graph *graph, const struct spa_dict *twin)
{
	const char *host = spa_dict_lookup(twin, CAPTURE_HOST_KEY);
	char own[256];

	host_get(graph->connection.context, own, sizeof(own));
	pw_log_error("weir.capture.%s: the capture in \"%s\" has this name already: that in \"%s\" "
		     "does not start. Give one another capture.name, or delete one of the files",
		     graph->args->name, host != NULL ? host : "?", own);
}

static bool is_twin(const struct capture_graph *graph, const struct spa_dict *props)
{
	char name[256];

	snprintf(name, sizeof(name), "weir.capture.%s", graph->args->name);
	return spa_streq(spa_dict_lookup(props, PW_KEY_NODE_NAME), name) &&
	       !spa_streq(spa_dict_lookup(props, WEIR_KEY_CAPTURE_STATE), CAPTURE_STATE_ENDING);
}

static int impl_check(void *data, struct pw_global *global)
{
	const struct capture_graph *graph = data;
	const struct pw_properties *props;

	if (!pw_global_is_type(global, PW_TYPE_INTERFACE_Node))
		return 0;
	props = pw_impl_node_get_properties(pw_global_get_object(global));
	if (!is_twin(graph, &props->dict))
		return 0;
	twin_report(graph, &props->dict);
	return -EEXIST;
}

int capture_source_check_name_impl(struct capture_graph *graph)
{
	return pw_context_for_each_global(graph->connection.context, impl_check, graph);
}

bool capture_source_name_is_taken(const struct capture_graph *graph)
{
	const struct weir_registry_object *own =
		weir_registry_find(graph->registry, WEIR_REGISTRY_NODE, graph->source_id);
	struct weir_registry_object *node;

	spa_list_for_each(node, weir_registry_get_objects(graph->registry, WEIR_REGISTRY_NODE),
			  link)
	{
		if (node == own || !node->known || !is_twin(graph, &node->props->dict) ||
		    (own != NULL && own->serial < node->serial))
			continue;
		twin_report(graph, &node->props->dict);
		return true;
	}
	return false;
}
