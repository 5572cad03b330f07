/* SPDX-License-Identifier: MIT */
#ifndef WEIR_SPA_INFO_H
#define WEIR_SPA_INFO_H

#include "node.h"

/* What the node and its ports show to listeners. */

/* After ports_info_init; `info` is that of weir_unit_node_create. */
void node_info_init(struct weir_unit_node *node, const struct spa_dict *info);

/* Makes the ports: one per audio port of the unit, and one for the report. */
void ports_info_init(struct weir_unit_node *node);

/* full: all of the info, as for a new listener; else the changes since the last call. */
void node_emit_info(struct weir_unit_node *node, bool full);
void port_emit_info(struct weir_unit_node *node, struct port *port, bool full);

/* state_text has changed. */
void node_notify_state(struct weir_unit_node *node);

/* The value of a param has changed. */
void node_notify_param(struct weir_unit_node *node, enum node_param param);
void port_notify_param(struct weir_unit_node *node, struct port *port, enum port_param param);

/* Shows the deferred ports. Returns whether there were any. */
bool ports_announce_deferred(struct weir_unit_node *node);

/*
 * Shows the deferred ports, or takes those of one side away and brings them back, unlinked. The
 * report stays: its readers are none of the session manager's.
 */
void ports_announce_again(struct weir_unit_node *node, enum spa_direction direction);

#endif
