/* SPDX-License-Identifier: MIT */
#ifndef WEIR_ALIGN_PLACES_H
#define WEIR_ALIGN_PLACES_H

#include <string.h>

#include "dsp/unit.h"

#define PLACES 4

/* Delays of talkers who are not heard now: what each would be now, the latest talker last. */
struct places {
	double delay[PLACES];
	uint32_t n;
};

/* Returns the index of a place of this delay, or n. */
WEIR_REALTIME uint32_t places_find(const struct places *places, double delay);

WEIR_REALTIME void places_move(struct places *places, double seconds);

/* The latest one. */
WEIR_REALTIME void places_add(struct places *places, double delay);

/* Standard deviation of the first n values. */
WEIR_REALTIME double latest_scatter(const double *value, uint32_t n);

/* Of the latest values, latest last, the oldest is forgotten for a new one. */
static inline WEIR_REALTIME void latest_add(double *values, uint32_t *n, uint32_t max, double value)
{
	if (*n == max)
		memmove(values, values + 1, --*n * sizeof(values[0]));
	values[(*n)++] = value;
}

#endif
