/* SPDX-License-Identifier: MIT */
#ifndef WEIR_SPA_NODE_H
#define WEIR_SPA_NODE_H

#include <spa/node/io.h>
#include <spa/node/node.h>
#include <spa/param/latency-utils.h>
#include <spa/param/param.h>
#include <spa/support/loop.h>
#include <spa/utils/hook.h>

#include "dsp/unit.h"
#include "engine.h"
#include "log.h"
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

/* A port.extra, one of the few properties of a port that the registry shows: see unit.h, channel.
 */
#define PORT_NOT_BY_NODE "weir:not-by-node"

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
	enum spa_direction media_direction; /* of the ports that the session manager links */
	enum spa_direction late_direction;  /* of those that nobody sees before it is ready */
	uint32_t late_ticks;		    /* of the timer, until they come anyway; 0: they came */

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

	struct memory memory;
	uint32_t unremembered; /* ticks of the timer since it was last looked at */

	uint32_t meter_interval; /* ticks of the timer between two Props with meters; 0: none */
	uint32_t meter_ticks;	 /* since the last ones */

	bool started;

	struct engine engine; /* the only part that the data thread knows */
};

void node_emit_info(struct weir_unit_node *node, bool full);

/* Tells listeners that state_text has changed. */
void node_touch_state(struct weir_unit_node *node);

/* Tells listeners that the value of one of the node's params is another. */
void node_touch_param(struct weir_unit_node *node, enum node_param param);

/* ports.c */

void ports_init(struct weir_unit_node *node);

/* Returns NULL when there is no such port. */
struct port *node_port(struct weir_unit_node *node, enum spa_direction direction, uint32_t id);
void port_emit_info(struct weir_unit_node *node, struct port *port, bool full);

/* Tells listeners that the value of one of the port's params is another. */
void port_touch_param(struct weir_unit_node *node, struct port *port, enum port_param param);

/*
 * Shows the ports that waited, or takes those of one side away and brings them back, unlinked. The
 * report stays: its readers are none of the session manager's.
 */
void ports_announce_again(struct weir_unit_node *node, enum spa_direction direction);

/* Returns whether any waited. */
bool ports_announce_late(struct weir_unit_node *node);

int port_set_format(struct weir_unit_node *node, struct port *port, const struct spa_pod *format);
int node_port_use_buffers(void *object, enum spa_direction direction, uint32_t port_id,
			  uint32_t flags, struct spa_buffer *buffers[], uint32_t n_buffers);
int node_port_set_io(void *object, enum spa_direction direction, uint32_t port_id, uint32_t id,
		     void *data, size_t size);
int node_port_reuse_buffer(void *object, uint32_t port_id, uint32_t buffer_id);

/* latency.c */

/* Declares what the unit's latency is by now. */
void node_update_latency(struct weir_unit_node *node);

/* After a port's latency or the node's own has changed. */
void node_declare_latency(struct weir_unit_node *node);

/* Takes the latency of the port's peers; NULL: there are none any more. Returns 0 or -EINVAL. */
int port_set_latency(struct weir_unit_node *node, struct port *port, const struct spa_pod *param);

/* params.c */

/* Returns the id of a channel, e.g. of "FL". */
uint32_t channel_from_name(const char *name);

int node_enum_params(void *object, int seq, uint32_t id, uint32_t start, uint32_t num,
		     const struct spa_pod *filter);
int node_set_param(void *object, uint32_t id, uint32_t flags, const struct spa_pod *param);
int node_port_enum_params(void *object, int seq, enum spa_direction direction, uint32_t port_id,
			  uint32_t id, uint32_t start, uint32_t num, const struct spa_pod *filter);
int node_port_set_param(void *object, enum spa_direction direction, uint32_t port_id, uint32_t id,
			uint32_t flags, const struct spa_pod *param);

/* Sets the control "unit:control" from a conf file; a wrong one is logged and left alone. */
void node_set_control_text(struct weir_unit_node *node, const char *key, const char *value);

#endif
