/* SPDX-License-Identifier: MIT */
#ifndef WEIR_GRAPH_KEYS_H
#define WEIR_GRAPH_KEYS_H

/*
 * Properties of weir's own that one part writes and another reads. spa/ writes the first three, and
 * has them in spa/node/info.c, for it includes nothing of PipeWire's library.
 */

/* Of a node: the names of the fields that it reports, with spaces between them. */
#define WEIR_KEY_REPORT "weir.report"
/* Of a node: the state of its unit, one word while it runs. */
#define WEIR_KEY_STATE "weir.state"
/* Value of port.extra: only the port's own name selects the port, not the name of its node. */
#define WEIR_PORT_NOT_BY_NODE "weir:not-by-node"

/* Of the source of a capture: its state, with a reason if it captures nothing; and the captured
 * streams, as JSON. */
#define WEIR_KEY_CAPTURE_STATE "weir.capture.state"
#define WEIR_KEY_CAPTURE_STREAMS "weir.capture.streams"

#endif
