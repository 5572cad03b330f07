/* SPDX-License-Identifier: MIT */
#ifndef WEIR_CAPTURE_TAP_H
#define WEIR_CAPTURE_TAP_H

#include "graph.h"

/* The links from one stream to the source. */

/* Private. */
struct capture_tap {
	const struct capture_graph *graph;
	const struct weir_registry_object *node; /* the stream's */
	struct spa_list links;
};

void capture_tap_init(struct capture_tap *tap, const struct capture_graph *graph,
		      const struct weir_registry_object *node);

/* Makes the links that are missing. */
void capture_tap_link(struct capture_tap *tap);
void capture_tap_unlink_port(struct capture_tap *tap, uint32_t port_id);
void capture_tap_unlink(struct capture_tap *tap);
/* The first of the stream's ports that lacks a link; a new one does for a moment. NULL: none. */
const struct weir_registry_object *capture_tap_get_missing_port(const struct capture_tap *tap);

#endif
