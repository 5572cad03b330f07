/* SPDX-License-Identifier: MIT */
#include "pitch-node.h"

#include <math.h>
#include <spa/node/command.h>
#include <spa/node/utils.h>
#include <spa/param/props.h>
#include <spa/pod/builder.h>
#include <spa/pod/iter.h>
#include <string.h>

#include "check.h"

void pitch_start(struct spa_rig *rig, const char *library, const struct spa_dict *info)
{
	rig_create(rig, library, "weir.pitch", info);
	for (uint32_t i = 0; i < rig->n_ports; i++)
		rig_link(rig, &rig->port[i]);
	CHECK(rig_command(rig, SPA_NODE_COMMAND_Start) == 0);
}

float pitch_run_sine(struct spa_rig *rig, int n_cycles)
{
	const uint32_t rate = rig->position.clock.rate.denom;
	const uint32_t n_frames = (uint32_t)rig->position.clock.duration;
	static uint64_t time;
	float samples[WEIR_MAX_FRAMES];
	float power = 0.0f;

	while (n_cycles--) {
		for (uint32_t f = 0; f < n_frames; f++)
			samples[f] = 0.5f * sinf(6283.1853f * (float)(time++ % rate) / (float)rate);
		rig_write(rig_port(rig, "in-l"), samples, n_frames);
		rig_write(rig_port(rig, "in-r"), samples, n_frames);
		rig_cycle(rig);
	}

	const struct spa_data *data = rig_read(rig_port(rig, "out-l"));

	CHECK(data && data->chunk->size == n_frames * sizeof(float));
	for (uint32_t f = 0; f < n_frames; f++)
		power += ((float *)data->data)[f] * ((float *)data->data)[f] / (float)n_frames;
	return power;
}

double pitch_get_prop(struct spa_rig *rig, const char *key)
{
	const struct spa_pod *pod;
	const char *name = NULL;
	double value = NAN;

	CHECK(rig_enum(rig, NULL, SPA_PARAM_Props, 0));

	const struct spa_pod_prop *params =
		spa_pod_find_prop((struct spa_pod *)rig->param, NULL, SPA_PROP_params);

	CHECK(params);
	SPA_POD_STRUCT_FOREACH(&params->value, pod)
	{
		if (!name) {
			CHECK(spa_pod_get_string(pod, &name) == 0);
			continue;
		}
		if (strcmp(name, key) == 0 && spa_pod_is_float(pod))
			value = (double)SPA_POD_VALUE(struct spa_pod_float, pod);
		else if (strcmp(name, key) == 0 && spa_pod_is_bool(pod))
			value = SPA_POD_VALUE(struct spa_pod_bool, pod);
		else if (strcmp(name, key) == 0 && spa_pod_is_int(pod))
			value = SPA_POD_VALUE(struct spa_pod_int, pod);
		name = NULL;
	}
	return value;
}

int pitch_set_prop(struct spa_rig *rig, const char *key, double value, enum value_type type)
{
	_Alignas(8) uint8_t memory[512];
	struct spa_pod_builder b = SPA_POD_BUILDER_INIT(memory, sizeof(memory));
	struct spa_pod_frame object, params;

	spa_pod_builder_push_object(&b, &object, SPA_TYPE_OBJECT_Props, SPA_PARAM_Props);
	spa_pod_builder_prop(&b, SPA_PROP_params, 0);
	spa_pod_builder_push_struct(&b, &params);
	spa_pod_builder_string(&b, key);
	switch (type) {
	case AS_INT:
		spa_pod_builder_int(&b, (int32_t)value);
		break;
	case AS_LONG:
		spa_pod_builder_long(&b, (int64_t)value);
		break;
	case AS_FLOAT:
		spa_pod_builder_float(&b, (float)value);
		break;
	case AS_DOUBLE:
		spa_pod_builder_double(&b, value);
		break;
	case AS_BOOL:
		spa_pod_builder_bool(&b, value != 0.0);
		break;
	case AS_STRING:
		spa_pod_builder_string(&b, value != 0.0 ? "true" : "false");
		break;
	}
	spa_pod_builder_pop(&b, &params);
	return spa_node_set_param(rig->node, SPA_PARAM_Props, 0, spa_pod_builder_pop(&b, &object));
}
