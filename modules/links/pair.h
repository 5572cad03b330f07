/* SPDX-License-Identifier: MIT */
#ifndef WEIR_LINKS_PAIR_H
#define WEIR_LINKS_PAIR_H

#include <stdbool.h>
#include <stdint.h>

#include "graph/connection.h"
#include "graph/registry.h"

struct links_pairs_events {
	/* The link of a pair has changed: links_pair_update is due for all pairs, but not from
	 * here. */
	void (*changed)(void *data);
};

/* The pairs of one connection. Its owner sets all fields. */
struct links_pairs {
	const struct weir_connection *connection;
	struct weir_registry *registry;
	struct spa_list list;  /* of links_pair.link */
	bool passive_reported; /* that the sound server ignores "passive": once is enough */
	const struct links_pairs_events *events;
	void *data;
};

enum links_pair_state {
	LINKS_PAIR_NEW,
	LINKS_PAIR_OURS,
	LINKS_PAIR_THEIRS, /* another client made the link first */
	LINKS_PAIR_OVER,   /* failed or removed: not again before a port has come back */
};

/* Two ports that are to be linked. */
struct links_pair {
	struct spa_list link;
	struct links_pairs *pairs;
	uint32_t output; /* port ids */
	uint32_t input;
	char *name;
	bool passive;
	bool wanted;
	enum links_pair_state state;
	unsigned int n_unseen; /* theirs: how often the link was not in the registry */
	bool logged;	       /* ours: as made */
	struct weir_link *own; /* ours */
};

/* Marks the pair of these ports as wanted; adds it if it is new. */
void links_pair_add(struct links_pairs *pairs, const struct weir_registry_object *output,
		    const struct weir_registry_object *input, bool passive);
/* Makes the link unless it exists, and logs its changes. */
void links_pair_update(struct links_pair *pair);
void links_pair_destroy(struct links_pair *pair);

#endif
