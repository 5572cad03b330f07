/* SPDX-License-Identifier: MIT */
#ifndef WEIR_SESSION_SELECTION_H
#define WEIR_SESSION_SELECTION_H

#include "session.h"

/* Does it have sound to measure? */
bool node_is_sink_or_source(const struct session *session, const struct weir_registry_object *node);
/* Has it a report port? */
bool node_has_report(const struct session *session, const struct weir_registry_object *node);
/* Will it have one, as far as is known of it? Ports of a sink or source come after it. */
bool node_will_report(const struct weir_registry_object *node);
/* Is it to be chosen from? What was made to measure a sink is not, unless somebody names it. */
bool node_is_reporting(const struct session *session, const struct weir_registry_object *node);

typedef bool node_is(const struct session *session, const struct weir_registry_object *node);

/* The names of what a node reports. */
#define NODE_REPORT_KEY "weir.report"

/* Of a node: what its unit does, one word while it runs. */
#define NODE_STATE_KEY "weir.state"
#define NODE_STATE_RUNS "ready"

/* Of a node that is made for as long as a program runs. */
#define NODE_PROBE_KEY "weir.probe"

/*
 * Their names, with commas between them, and with ids where several have one name; "none"; to be
 * released by free().
 */
char *selection_list(const struct session *session, node_is *is);

/*
 * The one of this name, or else of this id; NULL: there is none. Ends the program with a message
 * when there are several.
 */
struct weir_registry_object *selection_find(const struct session *session, node_is *is,
					    const char *name);

/* Has another one its name? */
bool selection_has_twin(const struct session *session, node_is *is,
			const struct weir_registry_object *node);

/* How many there are, and the last one of them. */
uint32_t selection_count(const struct session *session, node_is *is,
			 struct weir_registry_object **last);

#endif
