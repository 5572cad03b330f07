/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "capture.h"
#include "graph/log.h"
#include "graph/props.h"
#include "spa/node.h"

#define RATE_KEY "capture:rate"

/*
 * The source is ours, in the daemon as in a process of its own, which exports it.
 *
 * It has a connection of its own for that. The daemon reads nothing from a client that binds the
 * session manager's metadata until the session manager has answered, and nothing from a session
 * manager that sets a node's parameter until the node's client has: over one connection both would
 * wait for each other for ever, and everybody who binds the metadata with them (1.4.2).
 */
struct capture_node {
	struct weir_connection connection; /* core is NULL in the daemon */
	struct node unit_node;
	struct pw_impl_node *impl;
	struct spa_hook impl_listener;
	struct pw_proxy *exported;
	struct spa_hook exported_listener;
	bool keeps_running;
	bool lost;
};

/* Without the source nothing may stay redirected: end, and give the streams back. */
void capture_node_lose(struct capture *capture)
{
	capture->graph.source_id = SPA_ID_INVALID;
	if (capture->module == NULL || capture->disconnected || capture->node->lost)
		return;
	capture->node->lost = true;
	pw_log_warn("weir.capture.%s: somebody removed the source: ending. Load the module again",
		    capture->args.name);
	pw_impl_module_schedule_destroy(capture->module);
}

static void impl_destroyed(void *data)
{
	struct capture *capture = data;

	spa_hook_remove(&capture->node->impl_listener);
	capture->node->impl = NULL;
	capture_node_lose(capture);
}

static void impl_info_changed(void *data, const struct pw_node_info *info)
{
	struct capture *capture = data;

	if (info->change_mask & PW_NODE_CHANGE_MASK_PARAMS)
		capture_rate_update(capture);
}

static const struct pw_impl_node_events impl_events = {
	PW_VERSION_IMPL_NODE_EVENTS,
	.destroy = impl_destroyed,
	.info_changed = impl_info_changed,
};

static void exported_bound(void *data, uint32_t id)
{
	struct capture *capture = data;

	capture->graph.source_id = id;
	weir_registry_sync(capture->graph.registry);
}

static void exported_removed(void *data)
{
	struct capture *capture = data;

	pw_proxy_destroy(capture->node->exported);
}

static void exported_destroyed(void *data)
{
	struct capture *capture = data;

	spa_hook_remove(&capture->node->exported_listener);
	capture->node->exported = NULL;
	capture_node_lose(capture);
}

static const struct pw_proxy_events exported_events = {
	PW_VERSION_PROXY_EVENTS,
	.bound = exported_bound,
	.removed = exported_removed,
	.destroy = exported_destroyed,
};

void capture_get_host(const struct capture *capture, char *text, size_t size)
{
	const char *conf = pw_properties_get(
		pw_context_get_properties(capture->graph.connection.context), PW_KEY_CONFIG_NAME);

	snprintf(text, size, "%s, process %d", conf != NULL ? conf : pw_get_prgname(), getpid());
}

static struct pw_properties *node_props(const struct capture *capture)
{
	char host[256];
	const struct pw_properties *context =
		pw_context_get_properties(capture->graph.connection.context);
	const char *name = capture->args.name;
	struct pw_properties *props = pw_properties_new(
		PW_KEY_MEDIA_CLASS, "Audio/Source/Virtual", PW_KEY_NODE_VIRTUAL, "true",
		/* Waking up from suspension would cost the first frames of a stream. */
		"session.suspend-timeout-seconds", "0", CAPTURE_RESTORE_PROPS_KEY, "false",
		CAPTURE_STATE_KEY, "waiting", "weir.capture.streams", "[]", NULL);

	if (props == NULL)
		return NULL;
	pw_properties_setf(props, PW_KEY_NODE_NAME, "weir.capture.%s", name);
	pw_properties_setf(props, PW_KEY_NODE_DESCRIPTION, "%s (captured)", name);
	pw_properties_set(props, PW_KEY_NODE_GROUP, capture->sink.virtual_name);
	pw_properties_set(props, "clock.quantum-limit",
			  pw_properties_get(context, "default.clock.quantum-limit"));
	capture_get_host(capture, host, sizeof(host));
	pw_properties_set(props, CAPTURE_HOST_KEY, host);
	pw_properties_set(props, RATE_KEY, pw_properties_get(capture->args.props, "capture.rate"));
	pw_properties_set(props, "capture:glide-ms",
			  pw_properties_get(capture->args.props, "capture.glide-ms"));
	return props;
}

/* Where there are several data threads, the unit's must be the one that runs the node. */
static void unit_node_set_loop(struct capture *capture, struct pw_properties *props)
{
#if PW_CHECK_VERSION(1, 2, 0)
	struct pw_loop *loop =
		pw_context_acquire_loop(capture->graph.connection.context, &props->dict);

	if (loop == NULL)
		return;
	pw_properties_set(props, PW_KEY_NODE_LOOP_NAME, loop->name);
	capture->node->unit_node.data_loop = loop->loop;
	pw_context_release_loop(capture->graph.connection.context, loop);
#else
	(void)capture;
	(void)props;
#endif
}

/* Takes props. */
static int unit_node_init(struct capture *capture, struct pw_properties *props)
{
	struct capture_node *node = capture->node;
	const struct spa_support *support;
	uint32_t n_support;
	int res;

	support = pw_context_get_support(capture->graph.connection.context, &n_support);
	res = node_init(&node->unit_node, &weir_capture, &props->dict, support, n_support);
	if (res < 0) {
		pw_properties_free(props);
		return res;
	}
	unit_node_set_loop(capture, props);
	pw_properties_set(props, RATE_KEY, NULL);
	pw_properties_set(props, "capture:glide-ms", NULL);
	node->impl = pw_context_create_node(capture->graph.connection.context, props, 0);
	if (node->impl == NULL)
		return -errno;
	pw_impl_node_add_listener(node->impl, &node->impl_listener, &impl_events, capture);
	res = pw_impl_node_set_implementation(node->impl, &node->unit_node.node);
	return res < 0 ? res : pw_impl_node_register(node->impl, NULL);
}

static int node_export(struct capture *capture)
{
	struct capture_node *node = capture->node;
	int res = weir_connection_init(&node->connection, capture->graph.connection.context);

	if (res < 0)
		return res;
	node->exported =
		pw_core_export(node->connection.core, PW_TYPE_INTERFACE_Node, NULL, node->impl, 0);
	if (node->exported == NULL) {
		res = -errno;
		pw_log_error("weir.capture.%s: the daemon takes no node from this process. Load "
			     "libpipewire-module-client-node before this module, as weir.conf does",
			     capture->args.name);
		return res;
	}
	pw_proxy_add_listener(node->exported, &node->exported_listener, &exported_events, capture);
	return 0;
}

int capture_node_create(struct capture *capture)
{
	struct pw_properties *props = node_props(capture);
	struct capture_node *node;
	int res;

	capture->graph.source_id = SPA_ID_INVALID;
	node = capture->node = calloc(1, sizeof(*node));
	if (props == NULL || node == NULL) {
		pw_properties_free(props);
		return -ENOMEM;
	}
	res = unit_node_init(capture, props);
	if (res == 0 && capture->graph.connection.in_daemon)
		capture->graph.source_id = pw_global_get_id(pw_impl_node_get_global(node->impl));
	else if (res == 0)
		res = node_export(capture);
	return res;
}

void capture_node_destroy(struct capture *capture)
{
	struct capture_node *node = capture->node;

	if (node == NULL)
		return;
	if (node->exported != NULL) {
		spa_hook_remove(&node->exported_listener);
		pw_proxy_destroy(node->exported);
	}
	if (node->impl != NULL) {
		spa_hook_remove(&node->impl_listener);
		pw_impl_node_destroy(node->impl);
	}
	weir_connection_finish(&node->connection);
	node_finish(&node->unit_node);
	free(node);
	capture->node = NULL;
}

float capture_node_get_control(const struct capture *capture, enum capture_port port)
{
	return capture->node->unit_node.control[port];
}

void capture_node_set_rate(struct capture *capture, double rate)
{
	struct weir_props props;

	weir_props_init(&props);
	weir_props_add_control(&props, RATE_KEY, SPA_POD_Float((float)rate));
	spa_node_set_param(&capture->node->unit_node.node, SPA_PARAM_Props, 0,
			   weir_props_get_pod(&props));
}

void capture_node_set(struct capture *capture, const char *key, const char *value)
{
	const struct spa_dict_item item = { key, value };

	if (capture->node->impl != NULL)
		pw_impl_node_update_properties(capture->node->impl, &SPA_DICT_INIT(&item, 1));
}

static bool is_recorded(const struct capture *capture)
{
	struct weir_registry_object *link;

	spa_list_for_each(
		link, weir_registry_get_objects(capture->graph.registry, WEIR_REGISTRY_LINK), link)
	{
		if (link->owner_id == capture->graph.source_id)
			return true;
	}
	return false;
}

/* Even over a passive link a stream that runs has what it is linked to run with it. */
void capture_node_update(struct capture *capture)
{
	struct capture_node *node = capture->node;

	if (node->impl != NULL)
		pw_impl_node_set_active(node->impl, node->keeps_running || is_recorded(capture));
}

void capture_node_keep_running(struct capture *capture, bool on)
{
	if (capture->node->keeps_running == on)
		return;
	capture->node->keeps_running = on;
	capture_node_set(capture, PW_KEY_NODE_ALWAYS_PROCESS, on ? "true" : "false");
	capture_node_update(capture);
}
