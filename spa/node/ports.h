/* SPDX-License-Identifier: MIT */
#ifndef WEIR_SPA_PORTS_H
#define WEIR_SPA_PORTS_H

#include "node.h"

/* Methods of spa_node that are about one port. */

/* NULL: none any more. Returns 0 or -EINVAL. */
int port_set_format(struct weir_unit_node *node, struct port *port, const struct spa_pod *format);

int node_port_use_buffers(void *object, enum spa_direction direction, uint32_t port_id,
			  uint32_t flags, struct spa_buffer *buffers[], uint32_t n_buffers);
int node_port_set_io(void *object, enum spa_direction direction, uint32_t port_id, uint32_t id,
		     void *data, size_t size);
WEIR_REALTIME int node_port_reuse_buffer(void *object, uint32_t port_id, uint32_t buffer_id);

#endif
