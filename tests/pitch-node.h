/* SPDX-License-Identifier: MIT */
#ifndef WEIR_PITCH_NODE_H
#define WEIR_PITCH_NODE_H

#include <spa/utils/dict.h>

#include "spa-rig.h"

/* A node of the pitch unit, with all ports linked. */

#define QUANTUM 1024

extern const char *library; /* libspa-weir.so */
extern struct spa_rig rig;

void start(const struct spa_dict *info);

/* Runs n cycles of a 1 kHz sine, and returns the power of the last at the left output. */
float run_sine(int n_cycles);

/* The value of "UNIT:..." in Props as a double, whatever its type. */
double prop_value(const char *key);

enum value_type { AS_INT, AS_LONG, AS_FLOAT, AS_DOUBLE, AS_BOOL, AS_STRING };

int set_prop(const char *key, double value, enum value_type type);

#endif
