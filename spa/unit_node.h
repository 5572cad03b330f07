/* SPDX-License-Identifier: MIT */
#ifndef WEIR_SPA_UNIT_NODE_H
#define WEIR_SPA_UNIT_NODE_H

#include <spa/node/node.h>
#include <spa/support/loop.h>
#include <spa/support/plugin.h>
#include <spa/utils/dict.h>

#include "dsp/unit.h"

/*
 * An SPA node that runs a unit: a port per audio port, the controls as Props, the report as a
 * control port. The plugin libspa-weir.so has a factory for each unit; a module that has a node of
 * its own makes it here.
 *
 * All functions are for the main thread, as the methods of the node are, but for process and
 * port_reuse_buffer: the data thread calls these.
 */
struct weir_unit_node;

/*
 * From `support` come the log, the data loop and the main loop, which must outlive the node. A node
 * without a data loop has one thread for all its methods. One without a main loop shows changes of
 * meters, latency and rate when it starts and stops only.
 *
 * info: properties, as for spa_handle_factory.init; not kept, may be NULL. Those of weir are
 * UNIT:CONTROL, UNIT.meter-rate and UNIT.state.
 *
 * Returns NULL with errno set. The caller owns the node.
 */
struct weir_unit_node *weir_unit_node_create(const struct weir_unit *unit,
					     const struct spa_dict *info,
					     const struct spa_support *support, uint32_t n_support);

/* The node runs no more, and its hooks are removed. NULL is allowed. */
void weir_unit_node_destroy(struct weir_unit_node *node);

/* Lives as long as the node. */
struct spa_node *weir_unit_node_get_spa_node(struct weir_unit_node *node);

/* The loop of the data thread that will run the node, instead of that of `support`. Before Start.
 */
void weir_unit_node_set_loop(struct weir_unit_node *node, struct spa_loop *data_loop);

/* The value of a control input or output; port: index into the unit's ports. */
float weir_unit_node_get_control(const struct weir_unit_node *node, uint32_t port);

#endif
