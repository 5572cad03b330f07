/* SPDX-License-Identifier: MIT */
#ifndef WEIR_GRAPH_KEYS_H
#define WEIR_GRAPH_KEYS_H

/*
 * Properties of weir's own that one part writes and another reads. spa/ writes the first three, and
 * has them in spa/node/info.c, for it includes nothing of PipeWire's library.
 */

/* Of a node: the names of the fields that it reports, with spaces between them. */
#define WEIR_KEY_REPORT "weir.report"
/* Of a node: what its unit does, one word while it runs. */
#define WEIR_KEY_STATE "weir.state"
/* Value of port.extra: the port is meant by its own name only, not by that of its node. */
#define WEIR_PORT_NOT_BY_NODE "weir:not-by-node"

/* Of the source of a capture: what it captures, or why nothing; and which streams, as JSON. */
#define WEIR_KEY_CAPTURE_STATE "weir.capture.state"
#define WEIR_KEY_CAPTURE_STREAMS "weir.capture.streams"

#endif
