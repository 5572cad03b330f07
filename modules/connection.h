/* SPDX-License-Identifier: MIT */
#ifndef WEIR_CONNECTION_H
#define WEIR_CONNECTION_H

#include <pipewire/impl.h>
#include <stdbool.h>

/* The connection to the daemon that a module works through, in the daemon itself as well. */
struct connection {
	struct pw_context *context;
	struct pw_core *core; /* NULL: there is none */
	bool in_daemon;
};

/* 0 or -errno. core goes with the context at the latest: finish before, on its destroy event. */
int connection_init(struct connection *connection, struct pw_context *context);
void connection_finish(struct connection *connection);

#endif
