/* SPDX-License-Identifier: MIT */
#ifndef WEIR_SPA_LATENCY_H
#define WEIR_SPA_LATENCY_H

#include "node.h"

/* The latency that ports declare: the latency of the peers of the other side plus the unit's. */

/* Declares the unit's latency, as the data thread has stored it, if it has changed. */
void node_update_latency(struct weir_unit_node *node);

/* Takes the latency of the port's peers; NULL: there are none any more. Returns 0 or -EINVAL. */
int port_set_latency(struct weir_unit_node *node, struct port *port, const struct spa_pod *param);

#endif
