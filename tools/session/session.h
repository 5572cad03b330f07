/* SPDX-License-Identifier: MIT */
#ifndef WEIR_SESSION_SESSION_H
#define WEIR_SESSION_SESSION_H

#include "graph/connection.h"
#include "graph/registry.h"

/*
 * A program's session with a PipeWire daemon, and the loop that runs it. A daemon that goes away is
 * waited for until it is back.
 */

struct session;

/* Called from the loop, never from within another function of the session. */
struct session_events {
	/*
	 * Objects were added, changed or removed, or session_notify was called. All objects of the
	 * registry are complete.
	 */
	void (*changed)(void *data);
	/* The connection is lost: destroy all objects that were created through it. */
	void (*lost)(void *data);
	/*
	 * Ctrl-Z. A stopped program would block the graph, for the sound server waits for each node
	 * that it starts: destroy all nodes. No other event comes until `continued`.
	 */
	void (*stopping)(void *data);
	void (*continued)(void *data);
};

struct session {
	struct pw_main_loop *main_loop;
	struct pw_loop *loop;
	struct weir_connection connection;
	struct weir_registry *registry; /* NULL: there is no connection */
	bool ready;			/* the registry has all objects */
	bool has_async;			/* the daemon has asynchronous nodes: since 1.2 */
	int res;			/* of the latest attempt to connect, 0 or -errno */

	const struct session_events *events;
	void *data;
	struct spa_hook core_listener;
	struct spa_source *timer;
	struct spa_source *notified;
	struct spa_source *stop_timer;
	bool is_stopping;
	bool is_lost;
	bool has_new_clients; /* or some that went: see weir_registry_refresh */
};

/* Connects, with the result in session->res. Ends the program when there is no memory. */
void session_init(struct session *session, const struct session_events *events, void *data);
/* After all objects that were created through the connection have been destroyed. */
void session_finish(struct session *session);

/* Runs until session_quit, or a signal that asks the program to end. */
void session_run(struct session *session);
void session_quit(struct session *session);

/* To be called once a second or so if the default sink or source matters. */
void session_refresh_defaults(struct session *session);

/* Calls `changed` soon. */
void session_notify(struct session *session);

/* The node of this name, else of this id, NULL: there is none. */
struct weir_registry_object *session_find_node(const struct session *session, const char *name);
/* The node of this serial, NULL: it is gone, or serial is 0. Ids are used again, serials are not.
 */
struct weir_registry_object *session_find_serial(const struct session *session, uint64_t serial);
/* "" when the node has no name. */
const char *session_get_name(const struct weir_registry_object *node);

/* The port by which a node reports, NULL: it has none. */
struct weir_registry_object *session_find_report(const struct session *session,
						 const struct weir_registry_object *node);

#endif
