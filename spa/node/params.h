/* SPDX-License-Identifier: MIT */
#ifndef WEIR_SPA_PARAMS_H
#define WEIR_SPA_PARAMS_H

#include "node.h"

/* Methods of spa_node: enum_params and set_param of the node and its ports. */

int node_enum_params(void *object, int seq, uint32_t id, uint32_t start, uint32_t num,
		     const struct spa_pod *filter);
int node_set_param(void *object, uint32_t id, uint32_t flags, const struct spa_pod *param);
int node_port_enum_params(void *object, int seq, enum spa_direction direction, uint32_t port_id,
			  uint32_t id, uint32_t start, uint32_t num, const struct spa_pod *filter);
int node_port_set_param(void *object, enum spa_direction direction, uint32_t port_id, uint32_t id,
			uint32_t flags, const struct spa_pod *param);

#endif
