/* SPDX-License-Identifier: MIT */
#ifndef WEIR_GRAPH_LINK_H
#define WEIR_GRAPH_LINK_H

#include "connection.h"
#include "registry.h"

/*
 * A link between two ports that we make. It vanishes with weir_link_destroy, and with the
 * connection, however that ends. One that cannot be made for a reason that may pass is tried again,
 * for less than a second. One that failed for good or was removed is not made again by itself. One
 * that carries no sound although both of its nodes run is made anew.
 */

enum weir_link_state {
	WEIR_LINK_PENDING, /* or waiting to be tried again */
	WEIR_LINK_MADE,
	WEIR_LINK_GONE,
};

struct weir_link;

struct weir_link_events {
	/* Made, first active, or gone, after weir_link_create has returned. The link may not be
	 * destroyed from here. */
	void (*changed)(void *data, struct weir_link *link);
};

struct weir_link {
	struct spa_list link; /* its owner's */
	const struct weir_connection *connection;
	struct weir_registry *registry;
	uint32_t output; /* port ids, which are used again... */
	uint32_t input;
	uint64_t output_serial; /* ...unlike these */
	uint64_t input_serial;
	uint32_t output_node;
	uint32_t input_node;
	enum weir_link_state state;
	int res;	 /* gone: -errno when it cannot be, 0 when it was removed */
	char *error;	 /* in words, NULL: there is only res */
	bool was_active; /* has carried sound; not known in the daemon */
	bool wants_passive;
	bool is_passive; /* false although it is wanted: the daemon does not allow it */
	unsigned int n_retries;
	struct spa_source *timer; /* until it is tried again, or looked at; NULL: neither */

	const struct weir_link_events *events;
	void *data;
	struct weir_proxy *proxy;  /* outside the daemon */
	struct pw_impl_link *impl; /* in the daemon */
	struct spa_hook listener;
};

/*
 * NULL: no memory. In the daemon the link is made, gone or to be tried again on return, else it is
 * pending. connection and the ports' registry must outlive it.
 */
struct weir_link *weir_link_create(const struct weir_connection *connection,
				   const struct weir_registry_object *output,
				   const struct weir_registry_object *input, bool passive,
				   const struct weir_link_events *events, void *data);
void weir_link_destroy(struct weir_link *link);

#endif
