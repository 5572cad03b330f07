/* SPDX-License-Identifier: MIT */
#include "node.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <spa/node/utils.h>
#include <spa/param/audio/format-utils.h>
#include <spa/param/audio/raw-types.h>
#include <spa/param/props.h>
#include <spa/pod/builder.h>
#include <spa/pod/filter.h>
#include <spa/utils/string.h>
#include <stdio.h>
#include <string.h>

#define MAX_KEY 128
#define PARAM_BYTES 8192

/* "pitch:semitones": under this name the control of a unit is known in Props. */
static void control_key(const struct weir_unit_node *node, uint32_t port, char *key)
{
	snprintf(key, MAX_KEY, "%s:%s", node->unit->name, node->unit->ports[port].name);
}

static bool is_control(const struct weir_port *port)
{
	return port->type == WEIR_CONTROL_IN || port->type == WEIR_CONTROL_OUT;
}

/* The port of the index-th control, or n_ports. */
static uint32_t control_port(const struct weir_unit_node *node, uint32_t index)
{
	uint32_t i = 0;

	for (; i < node->unit->n_ports; i++)
		if (is_control(&node->unit->ports[i]) && index-- == 0)
			break;
	return i;
}

static void add_control_value(struct spa_pod_builder *b, const struct weir_port *port, float value)
{
	if (port->kind == WEIR_TOGGLE)
		spa_pod_builder_bool(b, value >= 0.5f);
	else if (port->kind == WEIR_FLOAT)
		spa_pod_builder_float(b, value);
	else
		spa_pod_builder_int(b, (int32_t)lrintf(value));
}

/* The default with the range behind it: a choice is what hosts show as a range. */
static void add_control_type(struct spa_pod_builder *b, const struct weir_port *port)
{
	struct spa_pod_frame frame;

	if (port->type == WEIR_CONTROL_OUT) {
		add_control_value(b, port, 0.0f);
		return;
	}
	spa_pod_builder_push_choice(
		b, &frame, port->kind == WEIR_TOGGLE ? SPA_CHOICE_Enum : SPA_CHOICE_Range, 0);
	add_control_value(b, port, port->def);
	add_control_value(b, port, port->min);
	add_control_value(b, port, port->max);
	spa_pod_builder_pop(b, &frame);
}

static void add_control_labels(struct spa_pod_builder *b, const struct weir_port *port)
{
	struct spa_pod_frame frame;

	if (port->kind != WEIR_CHOICE)
		return;
	spa_pod_builder_prop(b, SPA_PROP_INFO_labels, 0);
	spa_pod_builder_push_struct(b, &frame);
	for (int32_t i = 0; i <= (int32_t)(port->max - port->min); i++) {
		spa_pod_builder_int(b, (int32_t)port->min + i);
		spa_pod_builder_string(b, port->choices[i]);
	}
	spa_pod_builder_pop(b, &frame);
}

static struct spa_pod *build_prop_info(const struct weir_unit_node *node, struct spa_pod_builder *b,
				       uint32_t index)
{
	const uint32_t i = control_port(node, index);
	const struct weir_port *port = &node->unit->ports[i];
	struct spa_pod_frame frame;
	char key[MAX_KEY], description[256];

	if (i == node->unit->n_ports)
		return NULL;
	control_key(node, i, key);
	snprintf(description, sizeof(description), "%s%s%s%s%s", port->help,
		 port->unit[0] ? " [" : "", port->unit, port->unit[0] ? "]" : "",
		 port->type == WEIR_CONTROL_OUT ? " (read-only)" : "");

	spa_pod_builder_push_object(b, &frame, SPA_TYPE_OBJECT_PropInfo, SPA_PARAM_PropInfo);
	spa_pod_builder_add(b, SPA_PROP_INFO_name, SPA_POD_String(key), SPA_PROP_INFO_description,
			    SPA_POD_String(description), 0);
	spa_pod_builder_prop(b, SPA_PROP_INFO_type, 0);
	add_control_type(b, port);
	spa_pod_builder_add(b, SPA_PROP_INFO_params, SPA_POD_Bool(true), 0);
	add_control_labels(b, port);
	return spa_pod_builder_pop(b, &frame);
}

static struct spa_pod *build_props(const struct weir_unit_node *node, struct spa_pod_builder *b,
				   uint32_t index)
{
	struct spa_pod_frame object, params;
	char key[MAX_KEY];

	if (index > 0)
		return NULL;
	spa_pod_builder_push_object(b, &object, SPA_TYPE_OBJECT_Props, SPA_PARAM_Props);
	spa_pod_builder_prop(b, SPA_PROP_params, 0);
	spa_pod_builder_push_struct(b, &params);
	for (uint32_t i = 0; i < node->unit->n_ports; i++) {
		if (!is_control(&node->unit->ports[i]))
			continue;
		control_key(node, i, key);
		spa_pod_builder_string(b, key);
		add_control_value(b, &node->unit->ports[i], node->engine.control[i]);
	}
	spa_pod_builder_pop(b, &params);
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

/* spa_type_audio_channel is there in every version; the look-up by name is not. */
uint32_t channel_from_name(const char *name)
{
	for (const struct spa_type_info *i = spa_type_audio_channel; i->name; i++)
		if (spa_streq(strrchr(i->name, ':') + 1, name))
			return i->type;
	return SPA_AUDIO_CHANNEL_UNKNOWN;
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
		return build_prop_info(node, b, index);
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
	return spa_pod_builder_add_object(b, SPA_TYPE_OBJECT_Format, id, SPA_FORMAT_mediaType,
					  SPA_POD_Id(SPA_MEDIA_TYPE_audio), SPA_FORMAT_mediaSubtype,
					  SPA_POD_Id(SPA_MEDIA_SUBTYPE_dsp),
					  SPA_FORMAT_AUDIO_format,
					  SPA_POD_Id(SPA_AUDIO_FORMAT_DSP_F32));
}

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
		return port->have_format ? build_port_format(port, b, id) : NULL;
	case SPA_PARAM_Buffers:
		return port->have_format ? build_port_buffers(node, port, b, id) : NULL;
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
	const struct port *port = node_port(object, direction, port_id);

	if (!port)
		return -EINVAL;
	return emit_params(object, port, seq, id, start, num, filter);
}

static uint32_t control_find(const struct weir_unit_node *node, const char *key)
{
	char name[MAX_KEY];

	for (uint32_t i = 0; i < node->unit->n_ports; i++) {
		control_key(node, i, name);
		if (is_control(&node->unit->ports[i]) && spa_streq(name, key))
			return i;
	}
	return node->unit->n_ports;
}

static void warn_no_control(const struct weir_unit_node *node, const char *key)
{
	char names[512] = "";

	for (uint32_t i = 0; i < node->unit->n_ports; i++) {
		const size_t used = strlen(names);

		if (node->unit->ports[i].type == WEIR_CONTROL_IN)
			snprintf(names + used, sizeof(names) - used, " \"%s:%s\"", node->unit->name,
				 node->unit->ports[i].name);
	}
	spa_log_warn(node->log, "there is no control \"%s\". weir.%s has:%s", key, node->unit->name,
		     names);
}

/*
 * Returns 0, or -EINVAL with a message when nobody can set the control to this value; text: as it
 * was written, NULL for a number.
 */
static int control_check(const struct weir_unit_node *node, const char *key, float value,
			 const char *text)
{
	const uint32_t i = control_find(node, key);
	char number[32];

	if (i == node->unit->n_ports) {
		warn_no_control(node, key);
		return -EINVAL;
	}

	const struct weir_port *port = &node->unit->ports[i];

	if (port->type == WEIR_CONTROL_IN && value >= port->min && value <= port->max &&
	    (port->kind == WEIR_FLOAT || value == rintf(value)))
		return 0;
	snprintf(number, sizeof(number), "%g", value);
	if (port->type == WEIR_CONTROL_OUT)
		spa_log_warn(node->log, "\"%s\" is a meter: it can only be read", key);
	else
		spa_log_warn(node->log, "\"%s\" = %s: it must be a%s number from %g to %g %s", key,
			     text ? text : number, port->kind == WEIR_FLOAT ? "" : " whole",
			     port->min, port->max, port->unit);
	return -EINVAL;
}

/* The name of a choice, or a number, or true or false; NaN for anything else. */
static float control_parse(const struct weir_port *port, const char *text)
{
	float value;

	for (int32_t i = 0; port->choices && i <= (int32_t)(port->max - port->min); i++)
		if (spa_streq(port->choices[i], text))
			return port->min + (float)i;
	if (spa_atof(text, &value))
		return value;
	if (spa_streq(text, "true"))
		return 1.0f;
	return spa_streq(text, "false") ? 0.0f : NAN;
}

void node_set_control_text(struct weir_unit_node *node, const char *key, const char *value)
{
	const size_t length = strlen(node->unit->name);

	if (strncmp(key, node->unit->name, length) != 0 || key[length] != ':')
		return;

	const uint32_t i = control_find(node, key);
	const float number =
		i < node->unit->n_ports ? control_parse(&node->unit->ports[i], value) : NAN;

	if (control_check(node, key, number, value) == 0)
		node->engine.control[i] = number;
}

/* pw-cli sends 3 as an Int: whatever is a number will do. */
static float pod_number(const struct weir_port *port, const struct spa_pod *pod)
{
	const char *text;
	int64_t l;
	int32_t i;
	double d;
	float f;
	bool b;

	if (spa_pod_get_float(pod, &f) == 0)
		return f;
	if (spa_pod_get_double(pod, &d) == 0)
		return (float)d;
	if (spa_pod_get_int(pod, &i) == 0)
		return (float)i;
	if (spa_pod_get_long(pod, &l) == 0)
		return (float)l;
	if (spa_pod_get_bool(pod, &b) == 0)
		return b ? 1.0f : 0.0f;
	return spa_pod_get_string(pod, &text) == 0 ? control_parse(port, text) : NAN;
}

static int params_refuse(const struct weir_unit_node *node)
{
	spa_log_warn(node->log,
		     "weir.%s: params must be names and values in turn, as in "
		     "params = [ \"%s:NAME\" 1.0 ]",
		     node->unit->name, node->unit->name);
	return -EINVAL;
}

/* Sets all controls of the struct, or none when one of them is wrong. */
static int set_controls(struct weir_unit_node *node, const struct spa_pod *params)
{
	float control[WEIR_MAX_PORTS];
	const struct spa_pod *pod;
	const char *key = NULL;

	for (uint32_t i = 0; i < node->unit->n_ports; i++)
		control[i] = node->engine.control[i];
	SPA_POD_STRUCT_FOREACH(params, pod)
	{
		if (!key) {
			if (spa_pod_get_string(pod, &key) < 0)
				return params_refuse(node);
			continue;
		}

		const uint32_t i = control_find(node, key);
		const float value =
			i < node->unit->n_ports ? pod_number(&node->unit->ports[i], pod) : NAN;

		const char *text = NULL;

		spa_pod_get_string(pod, &text);
		if (control_check(node, key, value, text) < 0)
			return -EINVAL;
		control[i] = value;
		key = NULL;
	}
	if (key)
		return params_refuse(node);
	for (uint32_t i = 0; i < node->unit->n_ports; i++)
		if (node->unit->ports[i].type == WEIR_CONTROL_IN)
			node->engine.control[i] = control[i];
	return 0;
}

static void reset_controls(struct weir_unit_node *node)
{
	for (uint32_t i = 0; i < node->unit->n_ports; i++)
		if (node->unit->ports[i].type == WEIR_CONTROL_IN)
			node->engine.control[i] = node->unit->ports[i].def;
	volume_reset(&node->engine.volume);
}

/* Other properties that a session manager sets on any node are not ours. */
static int set_props(struct weir_unit_node *node, const struct spa_pod *props)
{
	const struct spa_pod_prop *prop = NULL;
	int res = 0;

	if (!props)
		reset_controls(node);
	else if (!spa_pod_is_object(props))
		return -EINVAL;
	else
		prop = spa_pod_find_prop(props, NULL, SPA_PROP_params);
	if (prop && !spa_pod_is_struct(&prop->value))
		return params_refuse(node);
	if (prop && (res = set_controls(node, &prop->value)) < 0)
		return res;
	if (props && node->has_media_class)
		volume_parse(&node->engine.volume, props);
	node_touch_param(node, NODE_PROPS);
	return 0;
}

/*
 * The ports are what they are: there is only one mode. WirePlumber takes it as set when the node
 * shows its Props (from 0.5 on) or ports come and go (before). Those of the other side do so: the
 * ones that it is about to link must stay. The first time they only come: a link that somebody was
 * making of them would be lost, and its late messages can keep an exported node from starting
 * (PipeWire 1.4.2).
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
	node_touch_param(node, NODE_PROPS);
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
		return 0; /* of the adapter that the session manager takes us for */
	default:
		return -ENOENT;
	}
}

int node_port_set_param(void *object, enum spa_direction direction, uint32_t port_id, uint32_t id,
			uint32_t flags, const struct spa_pod *param)
{
	struct weir_unit_node *node = object;
	struct port *port = node_port(node, direction, port_id);

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
