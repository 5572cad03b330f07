/* SPDX-License-Identifier: MIT */
#ifndef WEIR_CAPTURE_OWN_RATE_H
#define WEIR_CAPTURE_OWN_RATE_H

#include "graph/registry.h"

/*
 * A rate that the stream's application sets. All functions but create take NULL, for an application
 * that does not.
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
/* As it was when last read, 1: none. */
double capture_own_rate_get(const struct capture_own_rate *own);
/* What was written in its place. */
void capture_own_rate_set_sent(struct capture_own_rate *own, double rate);
/* Has it read as it is before what is sent next. */
void capture_own_rate_query(const struct capture_own_rate *own);

#endif
