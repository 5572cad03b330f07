/* SPDX-License-Identifier: MIT */
#ifndef WEIR_SESSION_SELECTION_H
#define WEIR_SESSION_SELECTION_H

#include "session.h"

/* Does the node have sound to measure? */
bool node_is_sink_or_source(const struct session *session, const struct weir_registry_object *node);
/* Does the node have a report port? */
bool node_has_report(const struct session *session, const struct weir_registry_object *node);
/* May the node get a report port? Ports of a sink or source appear after the node. */
bool node_will_report(const struct weir_registry_object *node);
/* Is the node one to choose from? Probes are not, unless the user names one. */
bool node_is_reporting(const struct session *session, const struct weir_registry_object *node);

typedef bool node_is(const struct session *session, const struct weir_registry_object *node);

/* Value of WEIR_KEY_STATE while the node's unit runs. */
#define NODE_STATE_RUNS "ready"

/* Of a probe, a node that ends with its program. */
#define NODE_PROBE_KEY "weir.probe"

/*
 * The names of the selected nodes, separated by commas, with ids where several nodes have one name;
 * "none". To be released by free().
 */
char *selection_list(const struct session *session, node_is *is);

/*
 * The selected node of this name, else of this id; NULL: there is none. Ends the program with a
 * message when several nodes have this name.
 */
struct weir_registry_object *selection_find(const struct session *session, node_is *is,
					    const char *name);

/* Does another selected node have the same name? */
bool selection_has_twin(const struct session *session, node_is *is,
			const struct weir_registry_object *node);

/* The number of selected nodes, and the last one. */
uint32_t selection_count(const struct session *session, node_is *is,
			 struct weir_registry_object **last);

#endif
