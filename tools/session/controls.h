/* SPDX-License-Identifier: MIT */
#ifndef WEIR_SESSION_CONTROLS_H
#define WEIR_SESSION_CONTROLS_H

#include <pipewire/pipewire.h>
#include <stdbool.h>

/*
 * The two controls of a node that a page needs, from its Props, which name them "UNIT:CONTROL": the
 * calibration, which is added to levels, and the momentary control that resets the maxima.
 */

#define CONTROLS_MAX_KEY 128

struct controls {
	struct pw_proxy *proxy; /* of the node, NULL: none */
	struct spa_hook proxy_listener, node_listener;
	float calibration_db;
	char reset_key[CONTROLS_MAX_KEY]; /* "": the node has no reset */
	bool reset_is_on;
	uint32_t pulse_steps; /* of the reset, still to be sent */
};

/* The node's proxy, NULL: none. A pulse that has begun is sent to its end first. */
void controls_set_node(struct controls *controls, struct pw_proxy *proxy);
/* Queries the present values. */
void controls_query(struct controls *controls);

/* Begins a pulse of the reset: on, and off again. False when the node has none. */
bool controls_reset(struct controls *controls);
/* Sends the next step of the pulse, once a quantum and a report of 10 ms have passed. */
void controls_continue_pulse(struct controls *controls);

#endif
