/* SPDX-License-Identifier: MIT */
#ifndef WEIR_LINKS_END_H
#define WEIR_LINKS_END_H

#include <regex.h>
#include <stdbool.h>
#include <stdint.h>

#include "graph/port.h"
#include "graph/registry.h"

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
	char *regex_port;     /* in text, NULL: no port is named */
	bool follows_default; /* the sink that is the default one just now */

	enum links_end_state state;
	uint64_t missing_since; /* ns */
	bool seen;		/* was it ever present? */
	bool reported;		/* that it is missing */
};

/* Ports that one end names in one node. */
struct links_ports {
	struct weir_registry_object *node;
	size_t name_length; /* of the longest name of a node with which the end begins */
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

/*
 * Logs which node or port has been missing for a while, for the rule of this number. Returns the ns
 * until the next call is due, 0: none is.
 */
uint64_t links_end_report(struct links_end *end, unsigned int rule, struct weir_registry *registry);

#endif
