/* SPDX-License-Identifier: MIT */
#include "info.h"

#include <spa/node/utils.h>

/* Not in spa/utils/keys.h: PipeWire's own keys. */
#define KEY_NODE_DESCRIPTION "node.description"
#define KEY_FORMAT_DSP "format.dsp"
#define KEY_AUDIO_CHANNEL "audio.channel"
#define KEY_PORT_NAME "port.name"
#define KEY_PORT_PASSIVE "port.passive"
#define KEY_PORT_EXTRA "port.extra"
#define KEY_PORT_CONTROL "port.control"

/* weir's own */
#define KEY_REPORT "weir.report"
#define KEY_STATE "weir.state"

/* A port.extra, one of the few properties of a port that the registry shows: see unit.h, channel.
 */
#define PORT_NOT_BY_NODE "weir:not-by-node"

void node_emit_info(struct weir_unit_node *node, bool full)
{
	const uint64_t old = full ? node->info.change_mask : 0;

	if (full)
		node->info.change_mask = node->info_all;
	if (node->info.change_mask)
		spa_node_emit_info(&node->hooks, &node->info);
	node->info.change_mask = old;
}

void node_notify_state(struct weir_unit_node *node)
{
	node->info.change_mask |= SPA_NODE_CHANGE_MASK_PROPS;
	node_emit_info(node, false);
}

void node_notify_param(struct weir_unit_node *node, enum node_param param)
{
	node->params[param].flags ^= SPA_PARAM_INFO_SERIAL;
	node->info.change_mask |= SPA_NODE_CHANGE_MASK_PARAMS;
	node_emit_info(node, false);
}

void port_emit_info(struct weir_unit_node *node, struct port *port, bool full)
{
	const uint64_t old = full ? port->info.change_mask : 0;

	if (node->deferred_ticks && port->direction == node->deferred_direction)
		return;
	if (full)
		port->info.change_mask = port->info_all;
	if (port->info.change_mask)
		spa_node_emit_port_info(&node->hooks, port->direction, port->id, &port->info);
	port->info.change_mask = old;
}

void port_notify_param(struct weir_unit_node *node, struct port *port, enum port_param param)
{
	port->params[param].flags ^= SPA_PARAM_INFO_SERIAL;
	port->info.change_mask |= SPA_PORT_CHANGE_MASK_PARAMS;
	port_emit_info(node, port, false);
}

bool ports_announce_deferred(struct weir_unit_node *node)
{
	const enum spa_direction direction = node->deferred_direction;

	if (!node->deferred_ticks)
		return false;
	node->deferred_ticks = 0;
	for (uint32_t i = 0; i < node->n_ports[direction]; i++)
		port_emit_info(node, &node->ports[direction][i], true);
	return true;
}

void ports_announce_again(struct weir_unit_node *node, enum spa_direction direction)
{
	if (ports_announce_deferred(node))
		return;
	for (uint32_t i = 0; i < node->n_ports[direction]; i++)
		if (!node->ports[direction][i].is_report)
			spa_node_emit_port_info(&node->hooks, direction, i, NULL);
	for (uint32_t i = 0; i < node->n_ports[direction]; i++)
		if (!node->ports[direction][i].is_report)
			port_emit_info(node, &node->ports[direction][i], true);
}

void node_info_init(struct weir_unit_node *node, const struct spa_dict *info)
{
	const uint32_t n_params = node->has_media_class ? N_NODE_PARAMS : NODE_ENUM_FORMAT;

	node->params[NODE_PROP_INFO] = SPA_PARAM_INFO(SPA_PARAM_PropInfo, SPA_PARAM_INFO_READ);
	node->params[NODE_PROPS] = SPA_PARAM_INFO(SPA_PARAM_Props, SPA_PARAM_INFO_READWRITE);
	node->params[NODE_IO] = SPA_PARAM_INFO(SPA_PARAM_IO, SPA_PARAM_INFO_READ);
	node->params[NODE_PROCESS_LATENCY] =
		SPA_PARAM_INFO(SPA_PARAM_ProcessLatency, SPA_PARAM_INFO_READ);
	node->params[NODE_ENUM_FORMAT] = SPA_PARAM_INFO(SPA_PARAM_EnumFormat, SPA_PARAM_INFO_READ);
	node->params[NODE_PORT_CONFIG] =
		SPA_PARAM_INFO(SPA_PARAM_PortConfig, SPA_PARAM_INFO_READWRITE);
	node->props = SPA_DICT_INIT(node->items, 0);
	if (!info || !spa_dict_lookup(info, KEY_NODE_DESCRIPTION))
		node->items[node->props.n_items++] =
			SPA_DICT_ITEM_INIT(KEY_NODE_DESCRIPTION, node->unit->summary);
	if (node->unit->n_fields)
		node->items[node->props.n_items++] =
			SPA_DICT_ITEM_INIT(KEY_REPORT, node->engine.report_writer.names);
	node->items[node->props.n_items++] = SPA_DICT_ITEM_INIT(KEY_STATE, node->state_text);
	node->info_all = SPA_NODE_CHANGE_MASK_FLAGS | SPA_NODE_CHANGE_MASK_PROPS |
			 SPA_NODE_CHANGE_MASK_PARAMS;
	node->info = (struct spa_node_info){
		.max_input_ports = node->n_ports[SPA_DIRECTION_INPUT],
		.max_output_ports = node->n_ports[SPA_DIRECTION_OUTPUT],
		.flags = SPA_NODE_FLAG_RT,
		.props = &node->props,
		.params = node->params,
		.n_params = n_params,
	};
}

static void port_init(struct weir_unit_node *node, enum spa_direction direction,
		      const char *channel, const char *name, const char *format_dsp,
		      struct port init)
{
	struct port *port = &node->ports[direction][node->n_ports[direction]];
	uint32_t n_items = 0;

	*port = init;
	port->direction = direction;
	port->id = node->n_ports[direction]++;
	port->latency[SPA_DIRECTION_INPUT] = SPA_LATENCY_INFO(SPA_DIRECTION_INPUT);
	port->latency[SPA_DIRECTION_OUTPUT] = SPA_LATENCY_INFO(SPA_DIRECTION_OUTPUT);
	port->params[PORT_ENUM_FORMAT] = SPA_PARAM_INFO(SPA_PARAM_EnumFormat, SPA_PARAM_INFO_READ);
	port->params[PORT_FORMAT] = SPA_PARAM_INFO(SPA_PARAM_Format, SPA_PARAM_INFO_WRITE);
	port->params[PORT_BUFFERS] = SPA_PARAM_INFO(SPA_PARAM_Buffers, 0);
	port->params[PORT_IO] = SPA_PARAM_INFO(SPA_PARAM_IO, SPA_PARAM_INFO_READ);
	port->params[PORT_LATENCY] = SPA_PARAM_INFO(SPA_PARAM_Latency, SPA_PARAM_INFO_READWRITE);

	port->items[n_items++] = SPA_DICT_ITEM_INIT(KEY_FORMAT_DSP, format_dsp);
	port->items[n_items++] = SPA_DICT_ITEM_INIT(KEY_PORT_NAME, name);
	if (channel)
		port->items[n_items++] = SPA_DICT_ITEM_INIT(KEY_AUDIO_CHANNEL, channel);
	else if (!port->is_report)
		port->items[n_items++] = SPA_DICT_ITEM_INIT(KEY_PORT_EXTRA, PORT_NOT_BY_NODE);
	if (port->is_report) {
		/* Then a reader whose port is passive, too, keeps no node running. */
		port->items[n_items++] = SPA_DICT_ITEM_INIT(KEY_PORT_PASSIVE, "true");
		/* Otherwise WirePlumber would link the report to a channel of a speaker. */
		port->items[n_items++] = SPA_DICT_ITEM_INIT(KEY_PORT_CONTROL, "true");
	}
	port->props = SPA_DICT_INIT(port->items, n_items);
	port->info_all = SPA_PORT_CHANGE_MASK_FLAGS | SPA_PORT_CHANGE_MASK_PROPS |
			 SPA_PORT_CHANGE_MASK_PARAMS;
	port->info = (struct spa_port_info){
		.props = &port->props,
		.params = port->params,
		.n_params = N_PORT_PARAMS,
	};
}

void ports_info_init(struct weir_unit_node *node)
{
	struct engine *engine = &node->engine;

	for (int direction = 0; direction < 2; direction++)
		for (uint32_t i = 0; i < engine->n_ports[direction]; i++) {
			struct engine_port *engine_port = &engine->ports[direction][i];
			const struct weir_port *port = &node->unit->ports[engine_port->unit_port];

			port_init(node, direction, port->channel, port->name,
				  "32 bit float mono audio",
				  (struct port){ .engine_port = engine_port });
		}
	if (node->unit->n_fields)
		port_init(node, SPA_DIRECTION_OUTPUT, NULL, "report", "8 bit raw control",
			  (struct port){ .engine_port = &engine->report, .is_report = true });
}
