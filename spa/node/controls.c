/* SPDX-License-Identifier: MIT */
#include "controls.h"

#include <errno.h>
#include <math.h>
#include <spa/param/props.h>
#include <spa/pod/iter.h>
#include <spa/utils/string.h>
#include <stdio.h>
#include <string.h>

#include "log.h"

#define MAX_KEY 128

/* The name of a control in Props: "pitch:semitones". */
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

/* A SPA choice: the default, then its range. */
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

struct spa_pod *controls_build_prop_info(const struct weir_unit_node *node,
					 struct spa_pod_builder *b, uint32_t index)
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

void controls_build(const struct weir_unit_node *node, struct spa_pod_builder *b)
{
	struct spa_pod_frame params;
	char key[MAX_KEY];

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
 * Returns 0, or -EINVAL with a message if the control is unknown or a meter, or if the value is out
 * of its range; text: the value as it was written, NULL for a number.
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

/* NaN when the text is none of the control's values. */
static float control_parse(const struct weir_port *port, const char *text)
{
	float value;

	return weir_control_parse(port, text, &value) ? value : NAN;
}

void controls_set_text(struct weir_unit_node *node, const char *key, const char *value)
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

/* pw-cli sends 3 as an Int, so any type of number is taken. */
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
		     "weir.%s: params must be pairs of a name and a value, as in "
		     "params = [ \"%s:NAME\" 1.0 ]",
		     node->unit->name, node->unit->name);
	return -EINVAL;
}

/* Sets all controls of the struct, or none when one of them is wrong. */
int controls_set(struct weir_unit_node *node, const struct spa_pod *params)
{
	float control[WEIR_MAX_PORTS];
	const struct spa_pod *pod;
	const char *key = NULL;

	if (!spa_pod_is_struct(params))
		return params_refuse(node);
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

void controls_reset(struct weir_unit_node *node)
{
	for (uint32_t i = 0; i < node->unit->n_ports; i++)
		if (node->unit->ports[i].type == WEIR_CONTROL_IN)
			node->engine.control[i] = node->unit->ports[i].def;
}
