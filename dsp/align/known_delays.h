/* SPDX-License-Identifier: MIT */
#ifndef WEIR_ALIGN_KNOWN_DELAYS_H
#define WEIR_ALIGN_KNOWN_DELAYS_H

#include <string.h>

#include "dsp/unit.h"

#define KNOWN_DELAYS 4

/* Delays of talkers who are silent now, in seconds, moved on by the drift; the latest one last. */
struct known_delays {
	double delay[KNOWN_DELAYS];
	uint32_t n;
};

/* Returns the index of this delay, or n. */
WEIR_REALTIME uint32_t known_delays_find(const struct known_delays *known, double delay);

/* Adds `seconds` to all delays. */
WEIR_REALTIME void known_delays_advance(struct known_delays *known, double seconds);

/* Makes this delay the latest one; drops the oldest when there is no room. */
WEIR_REALTIME void known_delays_add(struct known_delays *known, double delay);

/* Standard deviation of the first n values. */
WEIR_REALTIME double latest_scatter(const double *value, uint32_t n);

/* Appends a value to the latest `max` ones, and drops the oldest when there is no room. */
static inline WEIR_REALTIME void latest_add(double *values, uint32_t *n, uint32_t max, double value)
{
	if (*n == max)
		memmove(values, values + 1, --*n * sizeof(values[0]));
	values[(*n)++] = value;
}

#endif
