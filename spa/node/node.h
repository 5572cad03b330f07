/* SPDX-License-Identifier: MIT */
#ifndef WEIR_SPA_NODE_H
#define WEIR_SPA_NODE_H

#include <spa/node/io.h>
#include <spa/node/node.h>
#include <spa/param/latency-utils.h>
#include <spa/param/param.h>
#include <spa/utils/hook.h>

#include "dsp/unit.h"
#include "engine.h"
#include "state.h"

/*
 * The struct that the parts of a node share. unit_node.h describes a node.
 *
 * Everything here belongs to the main thread, but the engine, which both threads use.
 */

enum node_param {
	NODE_PROP_INFO,
	NODE_PROPS,
	NODE_IO,
	NODE_PROCESS_LATENCY,
	NODE_ENUM_FORMAT, /* this and the next only for nodes with a media.class */
	NODE_PORT_CONFIG,
	N_NODE_PARAMS,
};

enum port_param {
	PORT_ENUM_FORMAT,
	PORT_FORMAT,
	PORT_BUFFERS,
	PORT_IO,
	PORT_LATENCY,
	N_PORT_PARAMS,
};

struct port {
	enum spa_direction direction;
	uint32_t id; /* of the direction: 0, 1, ... */
	bool is_report;
	struct engine_port *engine_port; /* the data thread's part of the port */

	/* The info for listeners, and which of its parts have changed. */
	uint64_t info_all;
	struct spa_port_info info;
	struct spa_param_info params[N_PORT_PARAMS];
	struct spa_dict_item items[4]; /* of props */
	struct spa_dict props;

	bool has_format;
	bool has_peer_latency; /* false while nothing is linked */

	/*
	 * By spa_direction: that of the port's own direction is declared by the port, the other one
	 * by its peers.
	 */
	struct spa_latency_info latency[2];
};

struct weir_unit_node {
	struct spa_node spa_node;

	struct spa_log *log;		  /* NULL: none */
	struct spa_loop_utils *main_loop; /* NULL: none; then the timer is NULL, too */
	struct spa_source *timer;

	const struct weir_unit *unit;
	bool has_media_class;
	enum spa_direction media_direction; /* of the ports that the session manager links */

	/*
	 * A session manager that sets the node's port config expects that ports appear, and links
	 * of ports that go away just then are lost. So the ports of the direction that is not
	 * configured are shown after that, or when the ticks of the timer are over; 0: they are
	 * shown.
	 */
	enum spa_direction deferred_direction;
	uint32_t deferred_ticks;

	/* The info for listeners, and which of its parts have changed. */
	uint64_t info_all;
	struct spa_node_info info;
	struct spa_param_info params[N_NODE_PARAMS];
	struct spa_dict_item items[3]; /* of props */
	struct spa_dict props;
	char state_text[64]; /* the property weir.state: "ready", or why sound passes through */

	struct spa_hook_list hooks; /* spa_node_events */

	/* In each direction as in the engine; behind the outputs is the report. */
	struct port ports[2][WEIR_MAX_PORTS + 1];
	uint32_t n_ports[2];

	float announced[WEIR_MAX_PORTS];	     /* control outputs as last shown in Props */
	struct weir_latency latency[WEIR_MAX_PORTS]; /* of each input, as last declared */

	struct saved_state saved_state;
	uint32_t save_ticks; /* of the timer, since the state was last saved */

	uint32_t meter_interval; /* ticks of the timer between two Props with meters; 0: none */
	uint32_t meter_ticks;	 /* since the last ones */

	bool started; /* between the commands Start and Pause or Suspend */

	struct engine engine; /* the only part that the data thread knows */
};

/* Returns NULL when there is no such port. */
static inline struct port *node_get_port(struct weir_unit_node *node, enum spa_direction direction,
					 uint32_t id)
{
	return id < node->n_ports[direction] ? &node->ports[direction][id] : NULL;
}

#endif
