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
 * One SPA node for every unit: a port per audio port, the controls as Props,
 * the report as a control port.
 *
 * All of this is for the main thread, and the engine for the data thread, too.
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
	uint32_t id;
	bool is_report;
	struct engine_port *engine_port; /* what the data thread has of it */

	uint64_t info_all;
	struct spa_port_info info;
	struct spa_param_info params[N_PORT_PARAMS];
	struct spa_dict_item items[4];
	struct spa_dict props;

	bool have_format;
	bool has_peer_latency; /* false while nothing is linked */
	struct spa_latency_info latency[2];
};

struct weir_unit_node {
	struct spa_node spa_node;

	struct spa_log *log;
	struct spa_loop_utils *main_loop;
	struct spa_source *timer;

	const struct weir_unit *unit;
	bool has_media_class;
	enum spa_direction media_direction;    /* of the ports that the session manager links */
	enum spa_direction deferred_direction; /* the other one, but see read_info */
	uint32_t deferred_ticks; /* of the timer, until its ports are shown; 0: they are */

	uint64_t info_all;
	struct spa_node_info info;
	struct spa_param_info params[N_NODE_PARAMS];
	struct spa_dict_item items[3];
	struct spa_dict props;
	char state_text[64]; /* the property weir.state: "ready", or why sound passes through */

	struct spa_hook_list hooks;

	struct port ports[2][WEIR_MAX_PORTS + 1];
	uint32_t n_ports[2];

	float announced[WEIR_MAX_PORTS];	     /* control outputs as last shown in Props */
	struct weir_latency latency[WEIR_MAX_PORTS]; /* of each input, as last declared */

	struct saved_state saved_state;
	uint32_t save_ticks; /* of the timer, since the state was last saved */

	uint32_t meter_interval; /* ticks of the timer between two Props with meters; 0: none */
	uint32_t meter_ticks;	 /* since the last ones */

	bool started;

	struct engine engine; /* the only part that the data thread knows */
};

/* Returns NULL when there is no such port. */
static inline struct port *node_get_port(struct weir_unit_node *node, enum spa_direction direction,
					 uint32_t id)
{
	return id < node->n_ports[direction] ? &node->ports[direction][id] : NULL;
}

#endif
