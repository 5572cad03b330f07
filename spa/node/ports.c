/* SPDX-License-Identifier: MIT */
#include "node.h"

#include <errno.h>
#include <spa/node/utils.h>
#include <spa/param/format-utils.h>
#include <spa/utils/string.h>
#include <string.h>

/* Not in spa/utils/keys.h: PipeWire's own keys. */
#define KEY_FORMAT_DSP "format.dsp"
#define KEY_AUDIO_CHANNEL "audio.channel"
#define KEY_PORT_NAME "port.name"
#define KEY_PORT_PASSIVE "port.passive"
#define KEY_PORT_EXTRA "port.extra"
#define KEY_PORT_CONTROL "port.control"

struct port *node_port(struct weir_unit_node *node, enum spa_direction direction, uint32_t id)
{
	return id < node->n_ports[direction] ? &node->ports[direction][id] : NULL;
}

void port_emit_info(struct weir_unit_node *node, struct port *port, bool full)
{
	const uint64_t old = full ? port->info.change_mask : 0;

	if (node->late_ticks && port->direction == node->late_direction)
		return;
	if (full)
		port->info.change_mask = port->info_all;
	if (port->info.change_mask)
		spa_node_emit_port_info(&node->hooks, port->direction, port->id, &port->info);
	port->info.change_mask = old;
}

void port_touch_param(struct weir_unit_node *node, struct port *port, enum port_param param)
{
	port->params[param].flags ^= SPA_PARAM_INFO_SERIAL;
	port->info.change_mask |= SPA_PORT_CHANGE_MASK_PARAMS;
	port_emit_info(node, port, false);
}

bool ports_announce_late(struct weir_unit_node *node)
{
	const enum spa_direction direction = node->late_direction;

	if (!node->late_ticks)
		return false;
	node->late_ticks = 0;
	for (uint32_t i = 0; i < node->n_ports[direction]; i++)
		port_emit_info(node, &node->ports[direction][i], true);
	return true;
}

void ports_announce_again(struct weir_unit_node *node, enum spa_direction direction)
{
	if (ports_announce_late(node))
		return;
	for (uint32_t i = 0; i < node->n_ports[direction]; i++)
		if (!node->ports[direction][i].is_report)
			spa_node_emit_port_info(&node->hooks, direction, i, NULL);
	for (uint32_t i = 0; i < node->n_ports[direction]; i++)
		if (!node->ports[direction][i].is_report)
			port_emit_info(node, &node->ports[direction][i], true);
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
		/* A reader that is passive, too, keeps nobody awake. */
		port->items[n_items++] = SPA_DICT_ITEM_INIT(KEY_PORT_PASSIVE, "true");
		/* WirePlumber would link it to a channel of a speaker. */
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

void ports_init(struct weir_unit_node *node)
{
	struct engine *engine = &node->engine;

	for (int direction = 0; direction < 2; direction++)
		for (uint32_t i = 0; i < engine->n_ports[direction]; i++) {
			struct engine_port *engine_port = &engine->ports[direction][i];
			const struct weir_port *port = &node->unit->ports[engine_port->unit_port];

			port_init(node, direction, port->channel, port->name,
				  "32 bit float mono audio",
				  (struct port){ .engine_port = engine_port });
			if (direction == SPA_DIRECTION_OUTPUT && node->has_media_class)
				volume_add_channel(&engine->volume,
						   channel_from_name(port->channel));
		}
	if (node->unit->n_fields)
		port_init(node, SPA_DIRECTION_OUTPUT, NULL, "report", "8 bit raw control",
			  (struct port){ .engine_port = &engine->report, .is_report = true });
}

/* Buffers go with the format: the node is told anew how large they must be. */
int port_set_format(struct weir_unit_node *node, struct port *port, const struct spa_pod *format)
{
	uint32_t type, subtype;

	if (format) {
		if (spa_format_parse(format, &type, &subtype) < 0)
			return -EINVAL;
		if (port->is_report
			    ? type != SPA_MEDIA_TYPE_application ||
				      subtype != SPA_MEDIA_SUBTYPE_control
			    : type != SPA_MEDIA_TYPE_audio || subtype != SPA_MEDIA_SUBTYPE_dsp)
			return -EINVAL;
	}
	node_port_use_buffers(node, port->direction, port->id, 0, NULL, 0);
	port->have_format = format;
	port->params[PORT_FORMAT].flags = format ? SPA_PARAM_INFO_READWRITE : SPA_PARAM_INFO_WRITE;
	port->params[PORT_BUFFERS].flags = format ? SPA_PARAM_INFO_READ : 0;
	port->info.change_mask |= SPA_PORT_CHANGE_MASK_PARAMS;
	port_emit_info(node, port, false);
	return 0;
}

int node_port_use_buffers(void *object, enum spa_direction direction, uint32_t port_id,
			  uint32_t flags, struct spa_buffer *buffers[], uint32_t n_buffers)
{
	struct weir_unit_node *node = object;
	const struct port *port = node_port(node, direction, port_id);

	(void)flags;
	if (!port || n_buffers > ENGINE_MAX_BUFFERS)
		return -EINVAL;
	if (n_buffers && !port->have_format)
		return -EIO;
	for (uint32_t i = 0; i < n_buffers; i++)
		if (buffers[i]->n_datas < 1 || !buffers[i]->datas[0].data ||
		    (!port->is_report && direction == SPA_DIRECTION_OUTPUT &&
		     buffers[i]->datas[0].maxsize < node->engine.quantum_limit * sizeof(float)))
			return -EINVAL;
	engine_port_set_buffers(&node->engine, port->engine_port, buffers, n_buffers);
	return 0;
}

int node_port_set_io(void *object, enum spa_direction direction, uint32_t port_id, uint32_t id,
		     void *data, size_t size)
{
	struct weir_unit_node *node = object;
	const struct port *port = node_port(node, direction, port_id);

	if (!port)
		return -EINVAL;
	if (id != SPA_IO_Buffers)
		return -ENOENT;
	engine_port_set_io(&node->engine, port->engine_port,
			   size < sizeof(struct spa_io_buffers) ? NULL : data);
	return 0;
}

/* SPA calls it in the data thread. */
WEIR_REALTIME int node_port_reuse_buffer(void *object, uint32_t port_id, uint32_t buffer_id)
{
	struct weir_unit_node *node = object;

	if (port_id >= node->n_ports[SPA_DIRECTION_OUTPUT])
		return -EINVAL;
	return engine_port_reuse_buffer(node->ports[SPA_DIRECTION_OUTPUT][port_id].engine_port,
					buffer_id);
}
