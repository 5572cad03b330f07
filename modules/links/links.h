/* SPDX-License-Identifier: MIT */
#ifndef WEIR_LINKS_LINKS_H
#define WEIR_LINKS_LINKS_H

#include <pipewire/impl.h>
#include <regex.h>
#include <stdbool.h>

#include "graph/connection.h"
#include "graph/port.h"
#include "graph/registry.h"

/*
 * Links that are kept: args.c reads what is wanted, end.c finds the ports that it
 * names, pair.c makes and watches the link of two ports, links.c goes through all of them
 * whenever the graph has changed.
 */

struct links;

enum links_end_state {
	LINKS_END_PRESENT,
	LINKS_END_NO_NODE,
	LINKS_END_NO_PORT,
};

/* One end of a rule. It may name several nodes. */
struct links_end {
	const char *key;       /* "from" or "to" */
	const char *direction; /* of its ports: "out" or "in" */
	char *text;	       /* as the user wrote it, NULL: nothing */
	bool is_regex;
	regex_t regex;
	char *regex_port;     /* in text, NULL: none is named */
	bool follows_default; /* the sink that is the default one just now */

	enum links_end_state state;
	uint64_t missing_since; /* ns */
	bool seen;		/* was it ever present? */
	bool reported;		/* that it is missing */
};

struct links_rule {
	unsigned int index;
	struct links_end from;
	struct links_end to;
	bool passive;
};

struct links_args {
	struct links_rule *rules;
	unsigned int n_rules;
	bool follow_default; /* some rule does */
};

/* 0, or -EINVAL after one message that says what is wrong. */
int links_args_init(struct links_args *args, const char *string);
void links_args_finish(struct links_args *args);

/* Ports that one end names in one node. */
struct links_ports {
	struct weir_registry_object *node;
	size_t name_length; /* of the longest name of a node that the end begins with */
	struct weir_port_list list;
	bool named; /* one by one, not with the node */
};

/*
 * Goes through the nodes that the end names: starts with node NULL, ends with false. ports->list
 * may be empty.
 */
bool links_end_next(const struct links_end *end, struct weir_registry *registry,
		    struct links_ports *ports);
void links_end_set_state(struct links_end *end, enum links_end_state state);
/* Says what is missing if it is so for long enough. ns to the time to look again, 0: never. */
uint64_t links_end_report(struct links_end *end, const struct links_rule *rule,
			  struct weir_registry *registry);

enum links_pair_state {
	LINKS_PAIR_NEW,
	LINKS_PAIR_OURS,
	LINKS_PAIR_THEIRS, /* somebody else made the link before us */
	LINKS_PAIR_OVER,   /* failed or removed: not again before a port has come back */
};

/* Two ports that are to be linked. */
struct links_pair {
	struct spa_list link;
	struct links *links;
	uint32_t output; /* port ids */
	uint32_t input;
	char *name;
	bool passive;
	bool wanted;
	enum links_pair_state state;
	unsigned int n_unseen; /* theirs: how often it was not in the registry */
	bool logged;	       /* ours: as made */
	struct weir_link *own; /* ours */
};

enum links_timer {
	LINKS_TIMER_CONNECT,
	LINKS_TIMER_REFRESH,
	LINKS_TIMER_REPORT,
	LINKS_N_TIMERS,
};

struct links {
	struct links_args args;
	struct spa_hook module_listener;
	struct pw_context *context;
	struct spa_hook context_listener;
	struct weir_connection connection;
	struct spa_hook core_listener;
	struct weir_registry *registry; /* NULL: not connected */
	struct spa_list pairs;

	int sync;
	bool syncing;
	bool changed; /* since the sync was sent */
	bool passive_reported;
	bool refreshing; /* that timer runs */
	struct spa_source *timers[LINKS_N_TIMERS];
};

/* Takes args, also on failure. 0 or -errno. It ends with the module. */
int links_create(struct pw_impl_module *module, struct links_args *args);
/* Goes through everything soon, when the daemon has told all that it does just now. */
void links_update(struct links *links);

/* This pair is wanted. */
void links_pair_add(struct links *links, const struct weir_registry_object *output,
		    const struct weir_registry_object *input, bool passive);
/* Makes the link unless it is there, and logs what happened to it. */
void links_pair_update(struct links_pair *pair);
void links_pair_destroy(struct links_pair *pair);

#endif
