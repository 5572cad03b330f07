/* SPDX-License-Identifier: MIT */
#include "ports.h"

#include <errno.h>
#include <spa/param/format-utils.h>

#include "info.h"

/* Without a format a port has no buffers; a new format asks for new ones. */
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
	port->has_format = format;
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
	const struct port *port = node_get_port(node, direction, port_id);

	(void)flags;
	if (!port || n_buffers > ENGINE_MAX_BUFFERS)
		return -EINVAL;
	if (n_buffers && !port->has_format)
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
	const struct port *port = node_get_port(node, direction, port_id);

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
