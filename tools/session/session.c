/* SPDX-License-Identifier: MIT */
#include "session.h"

#include <errno.h>
#include <signal.h>
#include <spa/utils/string.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "graph/log.h"
#include "graph/port.h"
#include "tools/cli/message.h"
#include "tools/cli/number.h"

#define CONNECT_NSEC SPA_NSEC_PER_SEC
#define STOP_NSEC (50 * SPA_NSEC_PER_MSEC) /* until the sound server knows that nodes are gone */
#define CONTROL_FORMAT "8 bit raw control"
#define REPORT_PORT "report"

PW_LOG_TOPIC(weir_topic, "weir");

void graph_touch(struct graph *graph)
{
	pw_loop_signal_event(graph->loop, graph->touched);
}

static void registry_changed(void *data, struct weir_registry_object *object)
{
	struct graph *graph = data;

	graph->has_new_clients |= object->type == WEIR_REGISTRY_CLIENT;
	graph_touch(graph);
}

static void default_changed(void *data)
{
	graph_touch(data);
}

static void registry_ready(void *data)
{
	struct graph *graph = data;

	graph->ready = true;
	graph_touch(graph);
}

static const struct weir_registry_events registry_events = {
	.changed = registry_changed,
	.removed = registry_changed,
	.default_sink_changed = default_changed,
	.default_source_changed = default_changed,
	.ready = registry_ready,
};

static void core_info(void *data, const struct pw_core_info *info)
{
	struct graph *graph = data;
	int major = 0, minor = 0;

	sscanf(info->version, "%d.%d", &major, &minor);
	graph->has_async =
		(major > 1 || (major == 1 && minor >= 2)) && pw_check_library_version(1, 2, 0);
}

static void core_error(void *data, uint32_t id, int seq, int res, const char *message)
{
	struct graph *graph = data;

	(void)seq;
	(void)message;
	if (!weir_connection_is_lost(id, res))
		return;
	graph->is_lost = true;
	graph_touch(graph);
}

static const struct pw_core_events core_events = {
	PW_VERSION_CORE_EVENTS,
	.info = core_info,
	.error = core_error,
};

static void graph_connect(struct graph *graph)
{
	graph->res = weir_connection_init(&graph->connection, graph->connection.context);
	if (graph->res == 0) {
		pw_core_add_listener(graph->connection.core, &graph->core_listener, &core_events,
				     graph);
		graph->registry =
			weir_registry_create(graph->connection.core, &registry_events, graph);
		if (!graph->registry)
			fail("%s", strerror(errno));
		return;
	}
	weir_context_timer_set(graph->connection.context, graph->timer, CONNECT_NSEC);
}

static void graph_disconnect(struct graph *graph)
{
	graph->ready = false;
	weir_registry_destroy(graph->registry);
	graph->registry = NULL;
	spa_hook_remove(&graph->core_listener);
	weir_connection_finish(&graph->connection);
}

static void on_timer(void *data, uint64_t expirations)
{
	(void)expirations;
	graph_connect(data);
}

/* Where Ctrl-Z is told. */
static struct graph *signalled;
static volatile sig_atomic_t stop_is_asked;

/* No signal of the loop, which takes a file for each. */
static void on_ctrl_z(int number)
{
	const int error = errno;

	(void)number;
	stop_is_asked = 1;
	graph_touch(signalled);
	errno = error;
}

static void on_stop_timer(void *data, uint64_t expirations)
{
	struct graph *graph = data;

	(void)expirations;
	pw_loop_destroy_source(graph->loop, graph->stop_timer);
	kill(getpid(), SIGSTOP);
	graph->is_stopping = false;
	graph->events->continued(graph->data);
	graph_touch(graph);
}

static void graph_leave(struct graph *graph)
{
	if (graph->is_stopping)
		return;
	graph->stop_timer = pw_loop_add_timer(graph->loop, on_stop_timer, graph);
	if (!graph->stop_timer)
		fail("%s", strerror(errno));
	graph->is_stopping = true;
	graph->events->stopping(graph->data);
	weir_context_timer_set(graph->connection.context, graph->stop_timer, STOP_NSEC);
}

static void on_touched(void *data, uint64_t count)
{
	struct graph *graph = data;

	(void)count;
	if (stop_is_asked)
		graph_leave(graph);
	stop_is_asked = 0;
	if (graph->is_stopping)
		return;
	if (graph->is_lost && graph->registry) {
		graph->is_lost = false;
		graph->events->lost(graph->data);
		graph_disconnect(graph);
		weir_context_timer_set(graph->connection.context, graph->timer, CONNECT_NSEC);
	}
	if (graph->ready || !graph->registry)
		graph->events->changed(graph->data);
}

static void on_signal(void *data, int number)
{
	(void)number;
	graph_quit(data);
}

void graph_init(struct graph *graph, const struct graph_events *events, void *data)
{
	PW_LOG_TOPIC_INIT(weir_topic);
	*graph = (struct graph){ .events = events, .data = data };
	graph->main_loop = pw_main_loop_new(NULL);
	if (!graph->main_loop)
		fail("%s", strerror(errno));
	graph->loop = pw_main_loop_get_loop(graph->main_loop);
	graph->connection.context = pw_context_new(graph->loop, NULL, 0);
	graph->timer = pw_loop_add_timer(graph->loop, on_timer, graph);
	graph->touched = pw_loop_add_event(graph->loop, on_touched, graph);
	if (!graph->connection.context || !graph->timer || !graph->touched)
		fail("%s", strerror(errno));
	signalled = graph;
	signal(SIGTSTP, on_ctrl_z);
	pw_loop_add_signal(graph->loop, SIGINT, on_signal, graph);
	pw_loop_add_signal(graph->loop, SIGTERM, on_signal, graph);
	graph_connect(graph);
}

void graph_finish(struct graph *graph)
{
	if (graph->registry)
		graph_disconnect(graph);
	pw_context_destroy(graph->connection.context);
	pw_main_loop_destroy(graph->main_loop);
}

void graph_run(struct graph *graph)
{
	pw_main_loop_run(graph->main_loop);
}

void graph_quit(struct graph *graph)
{
	pw_main_loop_quit(graph->main_loop);
}

void graph_refresh_defaults(struct graph *graph)
{
	if (graph->registry && graph->has_new_clients)
		weir_registry_refresh(graph->registry);
	graph->has_new_clients = false;
}

const char *graph_get_name(const struct weir_registry_object *node)
{
	const char *name = pw_properties_get(node->props, PW_KEY_NODE_NAME);

	return name ? name : "";
}

struct weir_registry_object *graph_find_node(const struct graph *graph, const char *name)
{
	struct weir_registry_object *node, *found = NULL;
	uint32_t id = SPA_ID_INVALID;

	number_parse(name, &id);
	spa_list_for_each(node, weir_registry_get_objects(graph->registry, WEIR_REGISTRY_NODE),
			  link)
	{
		if (strcmp(graph_get_name(node), name) == 0)
			return node;
		if (node->id == id)
			found = node;
	}
	return found;
}

struct weir_registry_object *graph_find_serial(const struct graph *graph, uint64_t serial)
{
	struct weir_registry_object *node;

	spa_list_for_each(node, weir_registry_get_objects(graph->registry, WEIR_REGISTRY_NODE),
			  link)
	{
		if (serial && node->serial == serial)
			return node;
	}
	return NULL;
}

struct weir_registry_object *graph_find_report(const struct graph *graph,
					       const struct weir_registry_object *node)
{
	struct weir_registry_object *port;

	spa_list_for_each(port, weir_registry_get_objects(graph->registry, WEIR_REGISTRY_PORT),
			  link)
	{
		if (weir_port_is_of(port, node->id, "out") &&
		    strcmp(weir_port_get_name(port), REPORT_PORT) == 0 &&
		    spa_streq(pw_properties_get(port->props, PW_KEY_FORMAT_DSP), CONTROL_FORMAT))
			return port;
	}
	return NULL;
}
