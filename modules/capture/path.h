/* SPDX-License-Identifier: MIT */
#ifndef WEIR_CAPTURE_PATH_H
#define WEIR_CAPTURE_PATH_H

#include <stdbool.h>
#include <stdint.h>

#include "graph.h"

/* Paths of sound through the graph. */

/* Further nodes of a larger graph are left out. */
#define CAPTURE_MAX_REACH 256

/* The nodes that sound reaches. */
struct capture_reach {
	uint32_t ids[CAPTURE_MAX_REACH];
	unsigned int n;
};

void capture_reach_add(struct capture_reach *reach, uint32_t id);
/* Adds all nodes that sound reaches from those already in it. */
void capture_reach_extend(struct capture_reach *reach, struct weir_registry *registry);
bool capture_reach_has(const struct capture_reach *reach, uint32_t id);

/*
 * What keeps the captured sound from reaching a sink, through args.needs and the links that lead
 * from the source to it. NULL: nothing. To be freed.
 */
char *capture_path_get_missing(const struct capture_graph *graph);

#endif
