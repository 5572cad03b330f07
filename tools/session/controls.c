/* SPDX-License-Identifier: MIT */
#include "controls.h"

#include <spa/param/props.h>
#include <spa/pod/builder.h>
#include <spa/pod/iter.h>
#include <stdio.h>
#include <string.h>

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

static void read_control(struct controls *controls, const char *key, const struct spa_pod *value)
{
	const char *name = strchr(key, ':');
	float number;

	if (!name || strlen(key) >= CONTROLS_MAX_KEY)
		return;
	if (strcmp(name, ":calibration-db") == 0 && spa_pod_get_float(value, &number) == 0)
		controls->calibration_db = number;
	if (strcmp(name, ":reset") == 0 && spa_pod_get_bool(value, &controls->reset_is_on) == 0)
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
		while (controls->n_turns)
			controls_turn(controls);
		unhook(controls);
	}
	if (!proxy)
		return;
	controls->proxy = proxy;
	pw_proxy_add_listener(proxy, &controls->proxy_listener, &proxy_events, controls);
	pw_proxy_add_object_listener(proxy, &controls->node_listener, &node_events, controls);
	controls_ask(controls);
}

void controls_ask(struct controls *controls)
{
	if (controls->proxy)
		pw_node_enum_params((struct pw_node *)controls->proxy, 0, SPA_PARAM_Props, 0, 1,
				    NULL);
}

/* Of two turns the last one is off, whatever there was before. */
void controls_turn(struct controls *controls)
{
	uint8_t memory[512];
	struct spa_pod_builder b = SPA_POD_BUILDER_INIT(memory, sizeof(memory));
	struct spa_pod_frame object, params;

	if (!controls->proxy || !controls->n_turns)
		return;
	controls->n_turns--;
	spa_pod_builder_push_object(&b, &object, SPA_TYPE_OBJECT_Props, SPA_PARAM_Props);
	spa_pod_builder_prop(&b, SPA_PROP_params, 0);
	spa_pod_builder_push_struct(&b, &params);
	spa_pod_builder_string(&b, controls->reset_key);
	spa_pod_builder_bool(&b, controls->n_turns == 1);
	spa_pod_builder_pop(&b, &params);
	pw_node_set_param((struct pw_node *)controls->proxy, SPA_PARAM_Props, 0,
			  spa_pod_builder_pop(&b, &object));
}

/* What somebody left on is turned off first: only the change makes a node forget. */
bool controls_reset(struct controls *controls)
{
	if (!controls->proxy || !controls->reset_key[0])
		return false;
	if (controls->n_turns)
		return true;
	controls->n_turns = controls->reset_is_on ? 3 : 2;
	controls_turn(controls);
	return true;
}
