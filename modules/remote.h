/* SPDX-License-Identifier: MIT */
#ifndef WEIR_REMOTE_H
#define WEIR_REMOTE_H

#include <pipewire/pipewire.h>

/*
 * A node or link that we have the daemon make. It vanishes with remote_destroy, and with the
 * connection, however that ends.
 */
struct remote {
	const char *type;
	uint32_t id; /* SPA_ID_INVALID: not there yet, or not any more */
	struct pw_proxy *proxy;
	struct spa_hook listener;
};

/* Takes props. NULL and errno on failure; the daemon's refusal is logged when it comes. */
struct remote *remote_create(struct pw_core *core, const char *factory, const char *type,
			     struct pw_properties *props);
void remote_destroy(struct remote *remote);

#endif
