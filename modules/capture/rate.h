/* SPDX-License-Identifier: MIT */
#ifndef WEIR_CAPTURE_RATE_H
#define WEIR_CAPTURE_RATE_H

#include "source.h"
#include "streams.h"

/*
 * The rate at which all streams of a capture are to play: the value of the source's control, which
 * is reached by a glide, and 1 again when a stream is live.
 */
struct capture_rate;

/* NULL and errno on failure. */
struct capture_rate *capture_rate_create(const struct capture_graph *graph,
					 struct capture_source *source,
					 struct capture_streams *streams);
void capture_rate_destroy(struct capture_rate *rate);
/* After a change of the source's controls, or of which streams there are. */
void capture_rate_update(struct capture_rate *rate);
/* After the stream came, started or stopped. */
void capture_rate_update_stream(struct capture_rate *rate, struct capture_stream *stream);
/* In the daemon, before anybody else sees the stream. */
void capture_rate_prepare_impl(const struct capture_rate *rate, struct pw_impl_node *node);

#endif
