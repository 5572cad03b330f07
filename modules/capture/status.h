/* SPDX-License-Identifier: MIT */
#ifndef WEIR_CAPTURE_STATUS_H
#define WEIR_CAPTURE_STATUS_H

#include "sink.h"
#include "source.h"
#include "streams.h"

/*
 * The state and the streams in the properties of the source. They come from the graph, from links
 * that exist and nodes that run, not from what was requested.
 */
struct capture_status;

/* NULL and errno on failure. */
struct capture_status *capture_status_create(const struct capture_graph *graph,
					     struct capture_source *source,
					     const struct capture_sink *sink,
					     const struct capture_streams *streams);
void capture_status_destroy(struct capture_status *status);
/* Shows state and streams in the source's properties, and logs what changed. */
void capture_status_show(struct capture_status *status);

#endif
