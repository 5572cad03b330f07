/* SPDX-License-Identifier: MIT */
#ifndef WEIR_CAPTURE_OWN_RATE_H
#define WEIR_CAPTURE_OWN_RATE_H

#include "graph/registry.h"

/*
 * A rate that the stream's application sets. All functions but create take NULL, for an application
 * that sets none.
 */
struct capture_own_rate;

struct capture_own_rate_events {
	void (*changed)(void *data);
};

/* NULL: the stream's application sets none, or there is no memory. */
struct capture_own_rate *capture_own_rate_create(const struct weir_registry_object *node,
						 const struct capture_own_rate_events *events,
						 void *data);
void capture_own_rate_destroy(struct capture_own_rate *own);
/* The rate when it was last read; 1 if none was. */
double capture_own_rate_get(const struct capture_own_rate *own);
/* The rate that was written in its place. */
void capture_own_rate_set_sent(struct capture_own_rate *own, double rate);
/* Queries the rate as it is before the next message takes effect. */
void capture_own_rate_query(const struct capture_own_rate *own);

#endif
