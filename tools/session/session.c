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

void session_notify(struct session *session)
{
	pw_loop_signal_event(session->loop, session->notified);
}

static void registry_changed(void *data, struct weir_registry_object *object)
{
	struct session *session = data;

	session->has_new_clients |= object->type == WEIR_REGISTRY_CLIENT;
	session_notify(session);
}

static void default_changed(void *data)
{
	session_notify(data);
}

static void registry_ready(void *data)
{
	struct session *session = data;

	session->ready = true;
	session_notify(session);
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
	struct session *session = data;
	int major = 0, minor = 0;

	sscanf(info->version, "%d.%d", &major, &minor);
	session->has_async =
		(major > 1 || (major == 1 && minor >= 2)) && pw_check_library_version(1, 2, 0);
}

static void core_error(void *data, uint32_t id, int seq, int res, const char *message)
{
	struct session *session = data;

	(void)seq;
	(void)message;
	if (!weir_connection_is_lost(id, res))
		return;
	session->is_lost = true;
	session_notify(session);
}

static const struct pw_core_events core_events = {
	PW_VERSION_CORE_EVENTS,
	.info = core_info,
	.error = core_error,
};

static void session_connect(struct session *session)
{
	session->res = weir_connection_init(&session->connection, session->connection.context);
	if (session->res == 0) {
		pw_core_add_listener(session->connection.core, &session->core_listener,
				     &core_events, session);
		session->registry =
			weir_registry_create(session->connection.core, &registry_events, session);
		if (!session->registry)
			die("%s", strerror(errno));
		return;
	}
	weir_context_timer_set(session->connection.context, session->timer, CONNECT_NSEC);
}

static void session_disconnect(struct session *session)
{
	session->ready = false;
	weir_registry_destroy(session->registry);
	session->registry = NULL;
	spa_hook_remove(&session->core_listener);
	weir_connection_finish(&session->connection);
}

static void on_timer(void *data, uint64_t expirations)
{
	(void)expirations;
	session_connect(data);
}

/* The session that Ctrl-Z stops. */
static struct session *signalled;
static volatile sig_atomic_t stop_is_asked;

/* A handler of our own: the loop takes a file descriptor for each signal. */
static void on_ctrl_z(int number)
{
	const int error = errno;

	(void)number;
	stop_is_asked = 1;
	session_notify(signalled);
	errno = error;
}

static void on_stop_timer(void *data, uint64_t expirations)
{
	struct session *session = data;

	(void)expirations;
	pw_loop_destroy_source(session->loop, session->stop_timer);
	kill(getpid(), SIGSTOP);
	session->is_stopping = false;
	session->events->continued(session->data);
	session_notify(session);
}

static void session_leave(struct session *session)
{
	if (session->is_stopping)
		return;
	session->stop_timer = pw_loop_add_timer(session->loop, on_stop_timer, session);
	if (!session->stop_timer)
		die("%s", strerror(errno));
	session->is_stopping = true;
	session->events->stopping(session->data);
	weir_context_timer_set(session->connection.context, session->stop_timer, STOP_NSEC);
}

static void on_notified(void *data, uint64_t count)
{
	struct session *session = data;

	(void)count;
	if (stop_is_asked)
		session_leave(session);
	stop_is_asked = 0;
	if (session->is_stopping)
		return;
	if (session->is_lost && session->registry) {
		session->is_lost = false;
		session->events->lost(session->data);
		session_disconnect(session);
		weir_context_timer_set(session->connection.context, session->timer, CONNECT_NSEC);
	}
	if (session->ready || !session->registry)
		session->events->changed(session->data);
}

static void on_signal(void *data, int number)
{
	(void)number;
	session_quit(data);
}

void session_init(struct session *session, const struct session_events *events, void *data)
{
	PW_LOG_TOPIC_INIT(weir_topic);
	*session = (struct session){ .events = events, .data = data };
	session->main_loop = pw_main_loop_new(NULL);
	if (!session->main_loop)
		die("%s", strerror(errno));
	session->loop = pw_main_loop_get_loop(session->main_loop);
	session->connection.context = pw_context_new(session->loop, NULL, 0);
	session->timer = pw_loop_add_timer(session->loop, on_timer, session);
	session->notified = pw_loop_add_event(session->loop, on_notified, session);
	if (!session->connection.context || !session->timer || !session->notified)
		die("%s", strerror(errno));
	signalled = session;
	signal(SIGTSTP, on_ctrl_z);
	pw_loop_add_signal(session->loop, SIGINT, on_signal, session);
	pw_loop_add_signal(session->loop, SIGTERM, on_signal, session);
	session_connect(session);
}

void session_finish(struct session *session)
{
	if (session->registry)
		session_disconnect(session);
	pw_context_destroy(session->connection.context);
	pw_main_loop_destroy(session->main_loop);
}

void session_run(struct session *session)
{
	pw_main_loop_run(session->main_loop);
}

void session_quit(struct session *session)
{
	pw_main_loop_quit(session->main_loop);
}

void session_refresh_defaults(struct session *session)
{
	if (session->registry && session->has_new_clients)
		weir_registry_refresh(session->registry);
	session->has_new_clients = false;
}

const char *session_get_name(const struct weir_registry_object *node)
{
	const char *name = pw_properties_get(node->props, PW_KEY_NODE_NAME);

	return name ? name : "";
}

struct weir_registry_object *session_find_node(const struct session *session, const char *name)
{
	struct weir_registry_object *node, *found = NULL;
	uint32_t id = SPA_ID_INVALID;

	number_parse(name, &id);
	spa_list_for_each(node, weir_registry_get_objects(session->registry, WEIR_REGISTRY_NODE),
			  link)
	{
		if (strcmp(session_get_name(node), name) == 0)
			return node;
		if (node->id == id)
			found = node;
	}
	return found;
}

struct weir_registry_object *session_find_serial(const struct session *session, uint64_t serial)
{
	struct weir_registry_object *node;

	spa_list_for_each(node, weir_registry_get_objects(session->registry, WEIR_REGISTRY_NODE),
			  link)
	{
		if (serial && node->serial == serial)
			return node;
	}
	return NULL;
}

struct weir_registry_object *session_find_report(const struct session *session,
						 const struct weir_registry_object *node)
{
	struct weir_registry_object *port;

	spa_list_for_each(port, weir_registry_get_objects(session->registry, WEIR_REGISTRY_PORT),
			  link)
	{
		if (weir_port_is_of(port, node->id, "out") &&
		    strcmp(weir_port_get_name(port), REPORT_PORT) == 0 &&
		    spa_streq(pw_properties_get(port->props, PW_KEY_FORMAT_DSP), CONTROL_FORMAT))
			return port;
	}
	return NULL;
}
