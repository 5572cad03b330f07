/* SPDX-License-Identifier: MIT */
#ifndef WEIR_SPA_LATENCY_H
#define WEIR_SPA_LATENCY_H

#include "node.h"

/* What the ports declare of latency: what the peers of the other side declare, and the unit's. */

/* Takes what the data thread says of the unit, and declares it where it has changed. */
void node_update_latency(struct weir_unit_node *node);

/* Takes the latency of the port's peers; NULL: there are none any more. Returns 0 or -EINVAL. */
int port_set_latency(struct weir_unit_node *node, struct port *port, const struct spa_pod *param);

#endif
