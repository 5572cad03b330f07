/* SPDX-License-Identifier: MIT */
#ifndef WEIR_SESSION_CONTROLS_H
#define WEIR_SESSION_CONTROLS_H

#include <pipewire/pipewire.h>
#include <stdbool.h>

/*
 * What a page needs of a node's controls, which its Props name "UNIT:CONTROL": the one that is
 * added to its levels, and the switch by which it forgets its maxima.
 */

#define CONTROLS_MAX_KEY 128

struct controls {
	struct pw_proxy *proxy; /* of the node, NULL: none */
	struct spa_hook proxy_listener, node_listener;
	float calibration_db;
	char reset_key[CONTROLS_MAX_KEY]; /* "": it cannot forget */
	bool reset_is_on;
	uint32_t n_turns; /* of that switch that are to be made */
};

/* The node's proxy, NULL: none. A turn that is still to be made is made first. */
void controls_set_node(struct controls *controls, struct pw_proxy *proxy);
/* Asks for the controls as they are now. */
void controls_ask(struct controls *controls);

/* False when the node cannot. Begins to turn the switch on, and off again. */
bool controls_reset(struct controls *controls);
/* After the node had time to see the latest turn, in reports of 10 ms and quanta. */
void controls_turn(struct controls *controls);

#endif
