/* SPDX-License-Identifier: MIT */
#ifndef WEIR_PITCH_NODE_H
#define WEIR_PITCH_NODE_H

#include <spa/utils/dict.h>

#include "spa-rig.h"

/* A node of the pitch unit in the plugin `library`, with all ports linked. */

#define QUANTUM 1024

void pitch_start(struct spa_rig *rig, const char *library, const struct spa_dict *info);

/* Runs n cycles of a 1 kHz sine, and returns the power of the last at the left output. */
float pitch_run_sine(struct spa_rig *rig, int n_cycles);

/* The value of "UNIT:..." in Props as a double, whatever its type; NaN: not there. */
double pitch_get_prop(struct spa_rig *rig, const char *key);

enum value_type { AS_INT, AS_LONG, AS_FLOAT, AS_DOUBLE, AS_BOOL, AS_STRING };

/* Returns the result of spa_node_set_param. */
int pitch_set_prop(struct spa_rig *rig, const char *key, double value, enum value_type type);

#endif
