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

/* From the loop, never from within another call. */
struct session_events {
	/* Something is new, other or gone, or session_notify was called. All is known of what is.
	 */
	void (*changed)(void *data);
	/* The connection ends: what was made through it must be destroyed now. */
	void (*lost)(void *data);
	/*
	 * Ctrl-Z. The sound server waits for each node that it tells to begin, and all that plays
	 * waits with it: nodes must be destroyed now. Nothing is told until we go on.
	 */
	void (*stopping)(void *data);
	void (*continued)(void *data);
};

struct session {
	struct pw_main_loop *main_loop;
	struct pw_loop *loop;
	struct weir_connection connection;
	struct weir_registry *registry; /* NULL: there is no connection */
	bool ready;			/* all that there is has been told */
	bool has_async;			/* nodes that nobody waits for: since 1.2 */
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

/* Ends the program when there is no memory. Connects; session->res tells whether it could. */
void session_init(struct session *session, const struct session_events *events, void *data);
/* After what was made through the connection has been destroyed. */
void session_finish(struct session *session);

/* Runs until session_quit, or a signal that asks the program to end. */
void session_run(struct session *session);
void session_quit(struct session *session);

/* Now and then, where the default sink or source matters. */
void session_refresh_defaults(struct session *session);

/* Calls `changed` soon. */
void session_notify(struct session *session);

/* The node of this name, or else of this id, NULL: there is none. */
struct weir_registry_object *session_find_node(const struct session *session, const char *name);
/* That very one, NULL: it is gone, or serial is 0. Its id may be another one's by now. */
struct weir_registry_object *session_find_serial(const struct session *session, uint64_t serial);
/* "" when it has none. */
const char *session_get_name(const struct weir_registry_object *node);

/* What tools list and look for: the port by which a node reports, NULL: it has none. */
struct weir_registry_object *session_find_report(const struct session *session,
						 const struct weir_registry_object *node);

#endif
