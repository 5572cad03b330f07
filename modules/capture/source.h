/* SPDX-License-Identifier: MIT */
#ifndef WEIR_CAPTURE_SOURCE_H
#define WEIR_CAPTURE_SOURCE_H

#include <stdbool.h>

#include "graph.h"
#include "unit.h"

/* The source weir.capture.<name>: a node that runs the unit of unit.h. */
struct capture_source;

struct capture_source_events {
	/* The source has this global id. In the daemon, before capture_source_create returns. */
	void (*bound)(void *data, uint32_t id);
	/* Also while capture_source_create runs. */
	void (*controls_changed)(void *data);
	/* Refused, or another program removed it. May come twice. */
	void (*lost)(void *data);
};

/* group: its node.group. NULL and errno on failure. */
struct capture_source *capture_source_create(const struct capture_graph *graph, const char *group,
					     const struct capture_source_events *events,
					     void *data);
void capture_source_destroy(struct capture_source *source);

float capture_source_get_control(const struct capture_source *source, enum capture_port port);
void capture_source_set_rate(struct capture_source *source, double rate);
/* Sets one of its properties. */
void capture_source_set(struct capture_source *source, const char *key, const char *value);
/* After a change of the links that lead out of it. */
void capture_source_update(struct capture_source *source);
/* on: the source runs as soon as any stream runs, recorded or not. */
void capture_source_keep_running(struct capture_source *source, bool on);

/*
 * In the daemon, before there is a source. 0, or -EEXIST after a message: another capture has the
 * name.
 */
int capture_source_check_name_impl(struct capture_graph *graph);
/* Does an older capture have the name? Logs it, too. */
bool capture_source_name_is_taken(const struct capture_graph *graph);

#endif
