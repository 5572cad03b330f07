/* SPDX-License-Identifier: MIT */
#include "controls.h"

#include <spa/pod/iter.h>
#include <stdio.h>
#include <string.h>

#include "dsp/unit.h"
#include "graph/props.h"

static void unhook(struct controls *controls)
{
	spa_hook_remove(&controls->node_listener);
	spa_hook_remove(&controls->proxy_listener);
	*controls = (struct controls){ 0 };
}

static void on_destroy(void *data)
{
	unhook(data);
}

static const struct pw_proxy_events proxy_events = {
	PW_VERSION_PROXY_EVENTS,
	.destroy = on_destroy,
};

/* Is the key that of the unit's control input of this role? */
static bool has_role(const struct weir_unit *unit, const char *key, enum weir_role role)
{
	const uint32_t i = weir_unit_find_role(unit, WEIR_CONTROL_IN, role);

	return i < unit->n_ports && strcmp(strchr(key, ':') + 1, unit->ports[i].name) == 0;
}

static void read_control(struct controls *controls, const char *key, const struct spa_pod *value)
{
	const size_t length = strcspn(key, ":");
	const struct weir_unit *unit;
	char name[CONTROLS_MAX_KEY];
	float number;

	if (!key[length] || strlen(key) >= CONTROLS_MAX_KEY)
		return;
	snprintf(name, sizeof(name), "%.*s", (int)length, key);
	unit = weir_unit_find(name);
	if (!unit)
		return;
	if (has_role(unit, key, WEIR_ROLE_CALIBRATION) && spa_pod_get_float(value, &number) == 0)
		controls->calibration_db = number;
	if (has_role(unit, key, WEIR_ROLE_RESET) &&
	    spa_pod_get_bool(value, &controls->reset_is_on) == 0)
		strcpy(controls->reset_key, key);
}

static void on_param(void *data, int seq, uint32_t id, uint32_t index, uint32_t next,
		     const struct spa_pod *param)
{
	const struct spa_pod_prop *prop;
	const struct spa_pod *pod;
	const char *key = NULL;

	(void)seq, (void)index, (void)next;
	if (id != SPA_PARAM_Props || !param || !spa_pod_is_object(param))
		return;
	prop = spa_pod_find_prop(param, NULL, SPA_PROP_params);
	if (!prop || !spa_pod_is_struct(&prop->value))
		return;
	SPA_POD_STRUCT_FOREACH(&prop->value, pod)
	{
		if (key) {
			read_control(data, key, pod);
			key = NULL;
		} else if (spa_pod_get_string(pod, &key) < 0) {
			return;
		}
	}
}

static const struct pw_node_events node_events = {
	PW_VERSION_NODE_EVENTS,
	.param = on_param,
};

void controls_set_node(struct controls *controls, struct pw_proxy *proxy)
{
	if (controls->proxy == proxy)
		return;
	if (controls->proxy) {
		while (controls->pulse_steps)
			controls_continue_pulse(controls);
		unhook(controls);
	}
	if (!proxy)
		return;
	controls->proxy = proxy;
	pw_proxy_add_listener(proxy, &controls->proxy_listener, &proxy_events, controls);
	pw_proxy_add_object_listener(proxy, &controls->node_listener, &node_events, controls);
	controls_query(controls);
}

void controls_query(struct controls *controls)
{
	if (controls->proxy)
		pw_node_enum_params((struct pw_node *)controls->proxy, 0, SPA_PARAM_Props, 0, 1,
				    NULL);
}

/* The last step of a pulse is off, whatever was before. */
void controls_continue_pulse(struct controls *controls)
{
	struct weir_props props;

	if (!controls->proxy || !controls->pulse_steps)
		return;
	controls->pulse_steps--;
	weir_props_init(&props);
	weir_props_add_control(&props, controls->reset_key,
			       SPA_POD_Bool(controls->pulse_steps == 1));
	weir_props_send(&props, controls->proxy);
}

/* A control that was left on is set off first: the node resets when the control becomes on. */
bool controls_reset(struct controls *controls)
{
	if (!controls->proxy || !controls->reset_key[0])
		return false;
	if (controls->pulse_steps)
		return true;
	controls->pulse_steps = controls->reset_is_on ? 3 : 2;
	controls_continue_pulse(controls);
	return true;
}
