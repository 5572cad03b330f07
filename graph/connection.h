/* SPDX-License-Identifier: MIT */
#ifndef WEIR_GRAPH_CONNECTION_H
#define WEIR_GRAPH_CONNECTION_H

#include <pipewire/impl.h>
#include <stdbool.h>

/* The connection to the daemon that a module works through, in the daemon itself as well. */
struct weir_connection {
	struct pw_context *context;
	struct pw_core *core; /* NULL: there is none */
	bool in_daemon;
};

/* 0 or -errno. core goes with the context at the latest: finish before, on its destroy event. */
int weir_connection_init(struct weir_connection *connection, struct pw_context *context);
void weir_connection_finish(struct weir_connection *connection);

/* Does a core's error event mean that the connection is of no more use? */
bool weir_connection_is_lost(uint32_t id, int res);

/* Lets a timer of the context's main loop fire once, in so many ns; 0: never. */
void weir_context_timer_set(struct pw_context *context, struct spa_source *timer, uint64_t nsec);
/* Of the context's main loop; NULL: nothing. */
void weir_context_timer_destroy(struct pw_context *context, struct spa_source *timer);

#endif
