/* SPDX-License-Identifier: MIT */
#ifndef WEIR_GRAPH_PROXY_H
#define WEIR_GRAPH_PROXY_H

#include <pipewire/pipewire.h>

/*
 * A node or link that the daemon creates for us, and destroys at weir_proxy_destroy or when the
 * connection ends, however that ends.
 */
struct weir_proxy {
	const char *type;
	uint32_t id;		   /* SPA_ID_INVALID: not there yet, or not any more */
	struct pw_proxy *pw_proxy; /* NULL: gone */
	struct spa_hook listener;
	const struct weir_proxy_events *events; /* NULL: no listener */
	void *data;
};

struct weir_proxy_events {
	void (*bound)(void *data);
	/* Destroyed by another client, or refused: then res is -errno, error the daemon's reason.
	 */
	void (*gone)(void *data, int res, const char *error);
};

/* Takes ownership of props. NULL and errno on failure. Without listener, a refusal is logged. */
struct weir_proxy *weir_proxy_create(struct pw_core *core, const char *factory, const char *type,
				     struct pw_properties *props);
/* Before the loop runs again. weir_proxy_destroy is no event. */
void weir_proxy_add_listener(struct weir_proxy *proxy, const struct weir_proxy_events *events,
			     void *data);
void weir_proxy_destroy(struct weir_proxy *proxy);

#endif
