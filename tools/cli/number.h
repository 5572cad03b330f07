/* SPDX-License-Identifier: MIT */
#ifndef WEIR_CLI_NUMBER_H
#define WEIR_CLI_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

/* Of digits alone: strtoul() takes signs and spaces, and makes a large number of -1. */
bool number_parse(const char *text, uint32_t *number);

#endif
