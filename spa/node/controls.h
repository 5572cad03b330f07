/* SPDX-License-Identifier: MIT */
#ifndef WEIR_SPA_CONTROLS_H
#define WEIR_SPA_CONTROLS_H

#include <spa/pod/builder.h>

#include "node.h"

/* The unit's controls as Props: each has the key "UNIT:CONTROL". */

/* The PropInfo of the index-th control; NULL behind the last one. */
struct spa_pod *controls_build_prop_info(const struct weir_unit_node *node,
					 struct spa_pod_builder *b, uint32_t index);

/* The property `params` of an object Props, with all controls. */
void controls_build(const struct weir_unit_node *node, struct spa_pod_builder *b);

/*
 * Sets all controls of `params`, a struct of keys and values in turn, or none when one of them is
 * wrong. Returns 0, or -EINVAL after a message.
 */
int controls_set(struct weir_unit_node *node, const struct spa_pod *params);

/* Sets a control from a conf file; a wrong value is logged. Other keys are left alone. */
void controls_set_text(struct weir_unit_node *node, const char *key, const char *value);

/* All inputs to their defaults. */
void controls_reset(struct weir_unit_node *node);

#endif
