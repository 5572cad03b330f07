/* SPDX-License-Identifier: MIT */
#include "params.h"

#include <errno.h>
#include <spa/node/utils.h>
#include <spa/param/audio/format-utils.h>
#include <spa/param/audio/raw-types.h>
#include <spa/param/props.h>
#include <spa/pod/builder.h>
#include <spa/pod/filter.h>

#include "controls.h"
#include "info.h"
#include "latency.h"
#include "ports.h"

#define PARAM_BYTES 8192

static struct spa_pod *build_props(const struct weir_unit_node *node, struct spa_pod_builder *b,
				   uint32_t index)
{
	struct spa_pod_frame object;

	if (index > 0)
		return NULL;
	spa_pod_builder_push_object(b, &object, SPA_TYPE_OBJECT_Props, SPA_PARAM_Props);
	controls_build(node, b);
	if (node->has_media_class)
		volume_build(&node->engine.volume, b);
	return spa_pod_builder_pop(b, &object);
}

static struct spa_pod *build_io(struct spa_pod_builder *b, uint32_t id, uint32_t io, size_t size)
{
	return spa_pod_builder_add_object(b, SPA_TYPE_OBJECT_ParamIO, id, SPA_PARAM_IO_id,
					  SPA_POD_Id(io), SPA_PARAM_IO_size,
					  SPA_POD_Int((int32_t)size));
}

static struct spa_pod *build_node_io(struct spa_pod_builder *b, uint32_t id, uint32_t index)
{
	switch (index) {
	case 0:
		return build_io(b, id, SPA_IO_Clock, sizeof(struct spa_io_clock));
	case 1:
		return build_io(b, id, SPA_IO_Position, sizeof(struct spa_io_position));
	default:
		return NULL;
	}
}

/* The channels of the side that the session manager links. */
static struct spa_pod *build_node_format(const struct weir_unit_node *node,
					 struct spa_pod_builder *b, uint32_t id, uint32_t index)
{
	struct spa_audio_info_raw raw = { .format = SPA_AUDIO_FORMAT_F32P };

	if (index > 0)
		return NULL;
	for (uint32_t i = 0; i < node->n_ports[node->media_direction]; i++) {
		const struct port *port = &node->ports[node->media_direction][i];

		if (!port->is_report)
			raw.position[raw.channels++] = channel_from_name(
				node->unit->ports[port->engine_port->unit_port].channel);
	}
	return spa_format_audio_raw_build(b, id, &raw);
}

static struct spa_pod *build_port_config(const struct weir_unit_node *node,
					 struct spa_pod_builder *b, uint32_t id, uint32_t index)
{
	if (index > 0)
		return NULL;
	return spa_pod_builder_add_object(
		b, SPA_TYPE_OBJECT_ParamPortConfig, id, SPA_PARAM_PORT_CONFIG_direction,
		SPA_POD_Id(node->media_direction), SPA_PARAM_PORT_CONFIG_mode,
		SPA_POD_Id(SPA_PARAM_PORT_CONFIG_MODE_dsp));
}

/* Returns NULL behind the last param of this id. */
static struct spa_pod *build_node_param(const struct weir_unit_node *node,
					struct spa_pod_builder *b, uint32_t id, uint32_t index)
{
	const struct spa_process_latency_info latency = { .rate = (int32_t)node->latency[0].total };

	switch (id) {
	case SPA_PARAM_PropInfo:
		return controls_build_prop_info(node, b, index);
	case SPA_PARAM_Props:
		return build_props(node, b, index);
	case SPA_PARAM_IO:
		return build_node_io(b, id, index);
	case SPA_PARAM_ProcessLatency:
		return index ? NULL : spa_process_latency_build(b, id, &latency);
	case SPA_PARAM_EnumFormat:
		return build_node_format(node, b, id, index);
	case SPA_PARAM_PortConfig:
		return build_port_config(node, b, id, index);
	default:
		return NULL;
	}
}

static struct spa_pod *build_port_format(const struct port *port, struct spa_pod_builder *b,
					 uint32_t id)
{
	if (port->is_report)
		return spa_pod_builder_add_object(
			b, SPA_TYPE_OBJECT_Format, id, SPA_FORMAT_mediaType,
			SPA_POD_Id(SPA_MEDIA_TYPE_application), SPA_FORMAT_mediaSubtype,
			SPA_POD_Id(SPA_MEDIA_SUBTYPE_control));
	/* DSP formats have no rate: that is in the Position of each cycle. */
	return spa_pod_builder_add_object(b, SPA_TYPE_OBJECT_Format, id, SPA_FORMAT_mediaType,
					  SPA_POD_Id(SPA_MEDIA_TYPE_audio), SPA_FORMAT_mediaSubtype,
					  SPA_POD_Id(SPA_MEDIA_SUBTYPE_dsp),
					  SPA_FORMAT_AUDIO_format,
					  SPA_POD_Id(SPA_AUDIO_FORMAT_DSP_F32));
}

/*
 * Two buffers are enough for a consumer that runs one cycle behind the node; a mixer may ask for
 * more. Each has room for the longest cycle, for the quantum can change while the node runs.
 */
static struct spa_pod *build_port_buffers(const struct weir_unit_node *node,
					  const struct port *port, struct spa_pod_builder *b,
					  uint32_t id)
{
	const uint32_t stride = port->is_report ? 1 : sizeof(float);
	const uint32_t size =
		port->is_report
			? report_writer_size(&node->engine.report_writer, node->engine.reports->max)
			: node->engine.quantum_limit * (uint32_t)sizeof(float);

	return spa_pod_builder_add_object(
		b, SPA_TYPE_OBJECT_ParamBuffers, id, SPA_PARAM_BUFFERS_buffers,
		SPA_POD_CHOICE_RANGE_Int(2, 1, ENGINE_MAX_BUFFERS), SPA_PARAM_BUFFERS_blocks,
		SPA_POD_Int(1), SPA_PARAM_BUFFERS_size,
		SPA_POD_CHOICE_STEP_Int((int32_t)size, (int32_t)size, INT32_MAX, (int32_t)stride),
		SPA_PARAM_BUFFERS_stride, SPA_POD_Int((int32_t)stride));
}

static struct spa_pod *build_port_param(const struct weir_unit_node *node, const struct port *port,
					struct spa_pod_builder *b, uint32_t id, uint32_t index)
{
	if (id == SPA_PARAM_Latency)
		return index < 2 ? spa_latency_build(b, id, &port->latency[index]) : NULL;
	if (index > 0)
		return NULL;

	switch (id) {
	case SPA_PARAM_EnumFormat:
		return build_port_format(port, b, id);
	case SPA_PARAM_Format:
		return port->has_format ? build_port_format(port, b, id) : NULL;
	case SPA_PARAM_Buffers:
		return port->has_format ? build_port_buffers(node, port, b, id) : NULL;
	case SPA_PARAM_IO:
		return build_io(b, id, SPA_IO_Buffers, sizeof(struct spa_io_buffers));
	default:
		return NULL;
	}
}

static bool offers(const struct spa_param_info *params, uint32_t n_params, uint32_t id)
{
	for (uint32_t i = 0; i < n_params; i++)
		if (params[i].id == id)
			return true;
	return false;
}

/* Emits up to num params that pass the filter; port is NULL for those of the node. */
static int emit_params(struct weir_unit_node *node, const struct port *port, int seq, uint32_t id,
		       uint32_t start, uint32_t num, const struct spa_pod *filter)
{
	struct spa_result_node_params result = { .id = id, .next = start };
	_Alignas(8) uint8_t memory[PARAM_BYTES];

	if (port ? !offers(port->info.params, port->info.n_params, id)
		 : !offers(node->info.params, node->info.n_params, id))
		return -ENOENT;

	for (uint32_t count = 0; count < num;) {
		struct spa_pod_builder b = SPA_POD_BUILDER_INIT(memory, sizeof(memory));
		struct spa_pod *param;

		result.index = result.next++;
		param = port ? build_port_param(node, port, &b, id, result.index)
			     : build_node_param(node, &b, id, result.index);
		if (!param)
			return 0;
		if (spa_pod_filter(&b, &result.param, param, filter) < 0)
			continue;
		spa_node_emit_result(&node->hooks, seq, 0, SPA_RESULT_TYPE_NODE_PARAMS, &result);
		count++;
	}
	return 0;
}

int node_enum_params(void *object, int seq, uint32_t id, uint32_t start, uint32_t num,
		     const struct spa_pod *filter)
{
	return emit_params(object, NULL, seq, id, start, num, filter);
}

int node_port_enum_params(void *object, int seq, enum spa_direction direction, uint32_t port_id,
			  uint32_t id, uint32_t start, uint32_t num, const struct spa_pod *filter)
{
	const struct port *port = node_get_port(object, direction, port_id);

	if (!port)
		return -EINVAL;
	return emit_params(object, port, seq, id, start, num, filter);
}

/* A session manager also sets properties that this node does not have: they are left alone. */
static int set_props(struct weir_unit_node *node, const struct spa_pod *props)
{
	const struct spa_pod_prop *params = NULL;
	int res;

	if (!props) {
		controls_reset(node);
		volume_reset(&node->engine.volume);
	} else if (!spa_pod_is_object(props)) {
		return -EINVAL;
	} else {
		params = spa_pod_find_prop(props, NULL, SPA_PROP_params);
	}
	if (params && (res = controls_set(node, &params->value)) < 0)
		return res;
	if (props && node->has_media_class)
		volume_parse(&node->engine.volume, props);
	node_notify_param(node, NODE_PROPS);
	return 0;
}

/*
 * There is only one mode, so the ports do not change. WirePlumber takes the config as set when the
 * node shows its Props (from 0.5 on), or when ports come and go (before). The ports of the other
 * direction do so: those that WirePlumber is about to link must stay. The first time they only
 * come: a link to a port that goes would be lost, and late messages about that link can keep an
 * exported node from starting (PipeWire 1.4.2).
 */
static int set_port_config(struct weir_unit_node *node, const struct spa_pod *param)
{
	uint32_t direction, mode;

	if (!param || spa_pod_parse_object(param, SPA_TYPE_OBJECT_ParamPortConfig, NULL,
					   SPA_PARAM_PORT_CONFIG_direction, SPA_POD_Id(&direction),
					   SPA_PARAM_PORT_CONFIG_mode, SPA_POD_Id(&mode)) < 0)
		return -EINVAL;
	if (direction > SPA_DIRECTION_OUTPUT || mode != SPA_PARAM_PORT_CONFIG_MODE_dsp)
		return -EINVAL;
	ports_announce_again(node, SPA_DIRECTION_REVERSE((enum spa_direction)direction));
	node_notify_param(node, NODE_PROPS);
	return 0;
}

int node_set_param(void *object, uint32_t id, uint32_t flags, const struct spa_pod *param)
{
	struct weir_unit_node *node = object;

	(void)flags;
	switch (id) {
	case SPA_PARAM_Props:
		return set_props(node, param);
	case SPA_PARAM_PortConfig:
		return node->has_media_class ? set_port_config(node, param) : -ENOENT;
	case SPA_PARAM_Format:
		return 0; /* WirePlumber takes the node for an adapter, and sets its format */
	default:
		return -ENOENT;
	}
}

int node_port_set_param(void *object, enum spa_direction direction, uint32_t port_id, uint32_t id,
			uint32_t flags, const struct spa_pod *param)
{
	struct weir_unit_node *node = object;
	struct port *port = node_get_port(node, direction, port_id);

	(void)flags;
	if (!port)
		return -EINVAL;
	switch (id) {
	case SPA_PARAM_Format:
		return port_set_format(node, port, param);
	case SPA_PARAM_Latency:
		return port_set_latency(node, port, param);
	default:
		return -ENOENT;
	}
}
