/* SPDX-License-Identifier: MIT */
#ifndef WEIR_RUN_DESCRIBE_H
#define WEIR_RUN_DESCRIBE_H

#include "dsp/unit.h"

/* Prints all units, a line each. */
void describe_units(void);

/* Prints the ports and report fields of a unit. */
void describe_unit(const struct weir_unit *unit);

#endif
