/* SPDX-License-Identifier: MIT */

/*
 * What the SPA node itself promises, shown with the pitch unit.
 *
 * usage: test-node LIBSPA-WEIR.SO
 */

#include <endian.h>
#include <lo/lo.h>
#include <math.h>
#include <pipewire/pipewire.h>
#include <spa/control/control.h>
#include <spa/node/command.h>
#include <spa/node/utils.h>
#include <spa/param/latency-utils.h>
#include <spa/param/param.h>
#include <spa/param/props.h>
#include <spa/pod/builder.h>
#include <spa/pod/iter.h>
#include <spa/utils/dict.h>
#include <string.h>
#include <time.h>

#include "check.h"
#include "spa-rig.h"

#define QUANTUM 1024

static const char *library;
static struct spa_rig rig;

static void start(const struct spa_dict *info)
{
	rig_create(&rig, library, "weir.pitch", info);
	for (uint32_t i = 0; i < rig.n_ports; i++)
		rig_link(&rig, &rig.port[i]);
	CHECK(rig_command(&rig, SPA_NODE_COMMAND_Start) == 0);
}

/* Runs n cycles of a 1 kHz sine, and returns the power of the last at the left output. */
static float run_sine(int n_cycles)
{
	const uint32_t rate = rig.position.clock.rate.denom;
	const uint32_t n_frames = (uint32_t)rig.position.clock.duration;
	static uint64_t time;
	float samples[WEIR_MAX_FRAMES];
	float power = 0.0f;

	while (n_cycles--) {
		for (uint32_t f = 0; f < n_frames; f++)
			samples[f] = 0.5f * sinf(6283.1853f * (float)(time++ % rate) / (float)rate);
		rig_write(rig_port(&rig, "in-l"), samples, n_frames);
		rig_write(rig_port(&rig, "in-r"), samples, n_frames);
		rig_cycle(&rig);
	}

	const struct spa_data *data = rig_read(rig_port(&rig, "out-l"));

	CHECK(data && data->chunk->size == n_frames * sizeof(float));
	for (uint32_t f = 0; f < n_frames; f++)
		power += ((float *)data->data)[f] * ((float *)data->data)[f] / (float)n_frames;
	return power;
}

/* The value of "UNIT:..." in Props as a double, whatever its type. */
static double prop_value(const char *key)
{
	const struct spa_pod *pod;
	const char *name = NULL;
	double value = NAN;

	CHECK(rig_enum(&rig, NULL, SPA_PARAM_Props, 0));

	const struct spa_pod_prop *params =
		spa_pod_find_prop((struct spa_pod *)rig.param, NULL, SPA_PROP_params);

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

enum value_type { AS_INT, AS_LONG, AS_FLOAT, AS_DOUBLE, AS_BOOL, AS_STRING };

static int set_prop(const char *key, double value, enum value_type type)
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
	return spa_node_set_param(rig.node, SPA_PARAM_Props, 0, spa_pod_builder_pop(&b, &object));
}

static void test_any_number_sets_a_control(void)
{
	start(NULL);
	CHECK(set_prop("pitch:semitones", 3, AS_INT) == 0 && prop_value("pitch:semitones") == 3);
	CHECK(set_prop("pitch:semitones", 4, AS_LONG) == 0 && prop_value("pitch:semitones") == 4);
	CHECK(set_prop("pitch:semitones", 1.5, AS_FLOAT) == 0 &&
	      prop_value("pitch:semitones") == 1.5);
	CHECK(set_prop("pitch:semitones", -1.5, AS_DOUBLE) == 0 &&
	      prop_value("pitch:semitones") == -1.5);
	CHECK(set_prop("pitch:formant", 1, AS_BOOL) == 0 && prop_value("pitch:formant") == 1);
	CHECK(set_prop("pitch:formant", 0, AS_INT) == 0 && prop_value("pitch:formant") == 0);
	CHECK(set_prop("pitch:formant", 1, AS_STRING) == 0 && prop_value("pitch:formant") == 1);
	rig_destroy(&rig);
}

static void test_wrong_controls_change_nothing(void)
{
	start(NULL);
	CHECK(set_prop("pitch:semitones", 2, AS_FLOAT) == 0);
	CHECK(set_prop("pitch:semitones", 25, AS_FLOAT) == -EINVAL);
	CHECK(set_prop("pitch:semitones", NAN, AS_FLOAT) == -EINVAL);
	CHECK(set_prop("pitch:semitone", 1, AS_FLOAT) == -EINVAL);
	CHECK(set_prop("pitch:latency", 1, AS_FLOAT) == -EINVAL);
	CHECK(prop_value("pitch:semitones") == 2);
	rig_destroy(&rig);
}

/* What a Props object has as its params: names and values, each a pod of its own. */
static int set_params(uint32_t n_names, bool is_struct)
{
	_Alignas(8) uint8_t memory[512];
	struct spa_pod_builder b = SPA_POD_BUILDER_INIT(memory, sizeof(memory));
	struct spa_pod_frame object, params;

	spa_pod_builder_push_object(&b, &object, SPA_TYPE_OBJECT_Props, SPA_PARAM_Props);
	spa_pod_builder_prop(&b, SPA_PROP_params, 0);
	if (is_struct)
		spa_pod_builder_push_struct(&b, &params);
	spa_pod_builder_string(&b, "pitch:semitones");
	if (is_struct) {
		spa_pod_builder_float(&b, 5.0f);
		for (uint32_t i = 0; i < n_names; i++)
			spa_pod_builder_string(&b, "pitch:semitones");
		spa_pod_builder_pop(&b, &params);
	}
	return spa_node_set_param(rig.node, SPA_PARAM_Props, 0, spa_pod_builder_pop(&b, &object));
}

static void test_a_name_without_a_value_changes_nothing(void)
{
	start(NULL);
	CHECK(set_params(1, true) == -EINVAL && prop_value("pitch:semitones") == 0);
	CHECK(set_params(0, false) == -EINVAL && prop_value("pitch:semitones") == 0);
	CHECK(set_params(0, true) == 0 && prop_value("pitch:semitones") == 5);
	rig_destroy(&rig);
}

static void test_a_wrong_conf_value_leaves_the_default(void)
{
	const struct spa_dict_item items[] = { { "pitch:semitones", "many" },
					       { "pitch:formant", "true" },
					       { "pitch:nothing", "1" } };

	start(&SPA_DICT_INIT_ARRAY(items));
	CHECK(prop_value("pitch:semitones") == 0);
	CHECK(prop_value("pitch:formant") == 1);
	rig_destroy(&rig);
}

static void test_prop_info_describes_every_control(void)
{
	const char *name, *description;
	const struct spa_pod *type;
	uint32_t n, choice;

	start(NULL);
	CHECK(rig_enum(&rig, NULL, SPA_PARAM_PropInfo, 0));
	CHECK(spa_pod_parse_object((struct spa_pod *)rig.param, SPA_TYPE_OBJECT_PropInfo, NULL,
				   SPA_PROP_INFO_name, SPA_POD_String(&name),
				   SPA_PROP_INFO_description, SPA_POD_String(&description),
				   SPA_PROP_INFO_type, SPA_POD_PodChoice(&type)) >= 0);
	CHECK(strcmp(name, "pitch:semitones") == 0);
	CHECK(strstr(description, "[semitones]"));

	const struct spa_pod *values = spa_pod_get_values(type, &n, &choice);
	const float *range = SPA_POD_BODY(values);

	CHECK(choice == SPA_CHOICE_Range && n == 3);
	CHECK(range[0] == 0.0f && range[1] == -24.0f && range[2] == 24.0f);
	CHECK(rig_enum(&rig, NULL, SPA_PARAM_PropInfo, 2)); /* the meter */
	CHECK(rig_enum(&rig, NULL, SPA_PARAM_PropInfo, 6));
	CHECK(!rig_enum(&rig, NULL, SPA_PARAM_PropInfo, 7));
	rig_destroy(&rig);
}

static void test_missing_inputs_are_silent(void)
{
	const struct spa_data *data;

	start(NULL);
	rig_unlink(&rig, rig_port(&rig, "in-l"));
	rig_cycle(&rig); /* in-r is linked, but nothing came */
	data = rig_read(rig_port(&rig, "out-l"));
	CHECK(data && data->chunk->size == QUANTUM * sizeof(float));
	for (uint32_t f = 0; f < QUANTUM; f++)
		CHECK(((float *)data->data)[f] == 0.0f);
	rig_destroy(&rig);
}

/* What runs one cycle behind the node reads the buffer of the last cycle during this one. */
static void test_buffers_take_turns(void)
{
	const struct spa_data *last, *data;

	start(NULL);
	rig_cycle(&rig);
	data = rig_read(rig_port(&rig, "out-l"));
	for (int i = 0; i < 10; i++) {
		last = data;
		rig_cycle(&rig);
		data = rig_read(rig_port(&rig, "out-l"));
		CHECK(data && data != last);
	}
	rig_destroy(&rig);
}

static void test_any_quantum(void)
{
	start(NULL);
	for (uint32_t n_frames = 16; n_frames <= 8192; n_frames *= 2) {
		rig_set_clock(&rig, 48000, n_frames);
		CHECK(fabsf(run_sine(8192 * 4 / (int)n_frames) - 0.125f) < 0.01f || n_frames < 256);
	}
	rig_destroy(&rig);
}

/* The graph stops nodes around a new rate; without that, the node is silent, not wrong. */
static void test_rate_changes(void)
{
	start(NULL);
	CHECK(fabsf(run_sine(20) - 0.125f) < 0.01f);
	rig_set_clock(&rig, 96000, QUANTUM);
	CHECK(run_sine(20) == 0.0f);
	CHECK(rig_command(&rig, SPA_NODE_COMMAND_Suspend) == 0);
	CHECK(rig_command(&rig, SPA_NODE_COMMAND_Start) == 0);
	CHECK(fabsf(run_sine(40) - 0.125f) < 0.01f);
	rig_destroy(&rig);
}

/* No unit runs at 768 kHz, and hardly any sound card. */
static void test_no_rate_silences_the_sound(void)
{
	start(NULL);
	CHECK(set_prop("pitch:semitones", 12, AS_INT) == 0);
	for (int i = 0; i < 2; i++) {
		CHECK(rig_command(&rig, SPA_NODE_COMMAND_Suspend) == 0);
		rig_set_clock(&rig, 768000, QUANTUM);
		CHECK(rig_command(&rig, SPA_NODE_COMMAND_Start) == 0);
		run_sine(1);

		const float *out = rig_read(rig_port(&rig, "out-l"))->data;

		CHECK(memcmp(out, rig_port(&rig, "in-l")->memory[0], QUANTUM * sizeof(float)) == 0);
		CHECK(strncmp(rig.state, "cannot run at 768000 Hz", 23) == 0);
		CHECK(prop_value("pitch:latency") == 0.0);
		CHECK(rig_command(&rig, SPA_NODE_COMMAND_Suspend) == 0);
		rig_set_clock(&rig, 48000, QUANTUM);
		CHECK(rig_command(&rig, SPA_NODE_COMMAND_Start) == 0);
		CHECK(fabsf(run_sine(40) - 0.125f) < 0.01f);
		CHECK(memcmp(rig_read(rig_port(&rig, "out-l"))->data,
			     rig_port(&rig, "in-l")->memory[0], QUANTUM * sizeof(float)) != 0);
		CHECK(strcmp(rig.state, "ready") == 0 && prop_value("pitch:latency") > 0.0);
	}
	rig_destroy(&rig);
}

static void test_start_after_pause_begins_anew(void)
{
	start(NULL);
	run_sine(20);
	CHECK(rig_command(&rig, SPA_NODE_COMMAND_Pause) == 0);
	CHECK(rig_command(&rig, SPA_NODE_COMMAND_Start) == 0);
	rig_cycle(&rig);

	const float *out = rig_read(rig_port(&rig, "out-l"))->data;

	for (uint32_t f = 0; f < QUANTUM; f++)
		CHECK(out[f] == 0.0f);
	rig_destroy(&rig);
}

static struct spa_latency_info port_latency(const char *name, enum spa_direction direction)
{
	struct spa_latency_info info;

	CHECK(rig_enum(&rig, rig_port(&rig, name), SPA_PARAM_Latency, direction));
	CHECK(spa_latency_parse((struct spa_pod *)rig.param, &info) == 0);
	CHECK(info.direction == direction);
	return info;
}

/* What the graph tells a port of its peers; NULL: the last link is gone. Returns the result. */
static int set_peer_latency(const char *name, const struct spa_latency_info *peer)
{
	const struct rig_port *port = rig_port(&rig, name);
	_Alignas(8) uint8_t memory[512];
	struct spa_pod_builder b = SPA_POD_BUILDER_INIT(memory, sizeof(memory));

	return spa_node_port_set_param(rig.node, port->direction, port->id, SPA_PARAM_Latency, 0,
				       peer ? spa_latency_build(&b, SPA_PARAM_Latency, peer)
					    : NULL);
}

static bool declares(const char *name, enum spa_direction direction, int32_t min, int32_t max)
{
	const struct spa_latency_info info = port_latency(name, direction);

	return info.min_rate == min && info.max_rate == max;
}

static void test_latency_adds_to_that_of_the_peer(void)
{
	const struct spa_latency_info peer =
		SPA_LATENCY_INFO(SPA_DIRECTION_OUTPUT, .min_rate = 100, .max_rate = 100);
	struct spa_process_latency_info own;

	start(NULL);

	const int latency = (int)prop_value("pitch:latency");

	CHECK(latency > 0);
	CHECK(rig_enum(&rig, NULL, SPA_PARAM_ProcessLatency, 0));
	CHECK(spa_process_latency_parse((struct spa_pod *)rig.param, &own) == 0);
	CHECK((int)own.rate == latency);
	CHECK(declares("out-l", SPA_DIRECTION_OUTPUT, latency, latency));
	CHECK(declares("in-r", SPA_DIRECTION_INPUT, latency, latency));

	/* No other input is linked, so there is no shorter way. */
	CHECK(set_peer_latency("in-l", &peer) == 0);
	CHECK(declares("out-l", SPA_DIRECTION_OUTPUT, latency + 100, latency + 100));
	CHECK(declares("report", SPA_DIRECTION_OUTPUT, latency + 100, latency + 100));
	CHECK(set_peer_latency("in-l", NULL) == 0);
	CHECK(declares("out-l", SPA_DIRECTION_OUTPUT, latency, latency));
	CHECK(set_peer_latency("out-l", &peer) == -EINVAL);
	rig_destroy(&rig);
}

/* The report's reader plays nothing. */
static void test_latency_of_a_reader_is_nobodys(void)
{
	const struct spa_latency_info speaker =
		SPA_LATENCY_INFO(SPA_DIRECTION_INPUT, .min_rate = 2048, .max_rate = 2048);
	const struct spa_latency_info reader =
		SPA_LATENCY_INFO(SPA_DIRECTION_INPUT, .min_rate = 9999, .max_rate = 9999);
	const struct spa_latency_info none = SPA_LATENCY_INFO(SPA_DIRECTION_INPUT);

	start(NULL);

	const int all = (int)prop_value("pitch:latency") + 2048;

	CHECK(set_peer_latency("report", &reader) == 0);
	CHECK(set_peer_latency("out-l", &speaker) == 0);
	CHECK(declares("in-l", SPA_DIRECTION_INPUT, all, all));
	CHECK(declares("in-r", SPA_DIRECTION_INPUT, all, all));
	CHECK(set_peer_latency("out-r", &speaker) == 0);
	CHECK(set_peer_latency("report", NULL) == 0);
	CHECK(declares("in-l", SPA_DIRECTION_INPUT, all, all));

	/* A link to what has no latency is one all the same. */
	CHECK(set_peer_latency("out-l", NULL) == 0 && set_peer_latency("out-l", &none) == 0);
	CHECK(port_latency("in-l", SPA_DIRECTION_INPUT).min_rate == all - 2048);
	rig_destroy(&rig);
}

/* An async link adds quanta, a device nanoseconds: they are kept apart. */
static void test_all_units_of_latency_pass(void)
{
	const struct spa_latency_info peer =
		SPA_LATENCY_INFO(SPA_DIRECTION_INPUT, .min_quantum = 1.0f, .max_quantum = 2.0f,
				 .min_rate = 10, .max_rate = 20, .min_ns = 1000, .max_ns = 2000);

	start(NULL);

	const int latency = (int)prop_value("pitch:latency");

	CHECK(set_peer_latency("out-l", &peer) == 0 && set_peer_latency("out-r", &peer) == 0);

	const struct spa_latency_info info = port_latency("in-r", SPA_DIRECTION_INPUT);

	CHECK(info.min_quantum == 1.0f && info.max_quantum == 2.0f);
	CHECK(info.min_rate == latency + 10 && info.max_rate == latency + 20);
	CHECK(info.min_ns == 1000 && info.max_ns == 2000);
	rig_destroy(&rig);
}

/* The change is declared when the node pauses, at the latest. */
static void test_a_new_latency_is_declared(void)
{
	const struct spa_latency_info peer =
		SPA_LATENCY_INFO(SPA_DIRECTION_INPUT, .min_rate = 100, .max_rate = 100);

	start(NULL);

	const int before = (int)prop_value("pitch:latency");

	CHECK(set_peer_latency("out-l", &peer) == 0);
	CHECK(set_prop("pitch:mode", 0, AS_INT) == 0);
	run_sine(100);
	CHECK(rig_command(&rig, SPA_NODE_COMMAND_Pause) == 0);

	const int latency = (int)prop_value("pitch:latency");

	CHECK(latency > 0 && latency < before);
	CHECK(declares("in-l", SPA_DIRECTION_INPUT, latency + 100, latency + 100));
	CHECK(declares("out-r", SPA_DIRECTION_OUTPUT, latency, latency));
	rig_destroy(&rig);
}

/* What a reader of the report port counts. */
struct seen {
	int n_bundles, n_events;
	float semitones;
	uint32_t last_offset;
};

static void see_message(struct seen *seen, const uint8_t *bytes, uint32_t size)
{
	int result;
	lo_message message = lo_message_deserialise((void *)bytes, size, &result);

	CHECK(message);
	if (strcmp((const char *)bytes, "/pitch/semitones") == 0)
		seen->semitones = lo_message_get_argv(message)[0]->f;
	else if (strcmp((const char *)bytes, "/pitch/onset") == 0)
		seen->n_events++;
	else
		CHECK(!"a message that the unit does not declare");
	lo_message_free(message);
}

static void see_control(struct seen *seen, const struct spa_pod_control *control)
{
	const uint8_t *bytes = SPA_POD_BODY(&control->value);
	const uint32_t size = SPA_POD_BODY_SIZE(&control->value);
	const uint32_t head = 16; /* of a bundle */
	uint32_t length;

	CHECK(control->type == SPA_CONTROL_OSC);
	CHECK(control->offset < QUANTUM && control->offset >= seen->last_offset);
	seen->last_offset = control->offset;
	if (strcmp((const char *)bytes, "#bundle") != 0) {
		see_message(seen, bytes, size);
		return;
	}
	seen->n_bundles++;
	for (uint32_t at = head; at < size; at += 4 + length) {
		memcpy(&length, bytes + at, sizeof(length));
		length = be32toh(length);
		CHECK(length <= size - at - 4);
		see_message(seen, bytes + at + 4, length);
	}
}

/* Half a second of clicks gives a bundle every 10 ms, and events for the clicks. */
static void test_reports_leave_as_osc(const char *media_class)
{
	const struct spa_dict_item items[] = { { "media.class", media_class } };
	struct seen seen = { 0 };
	const struct spa_pod_control *control;
	float clicks[QUANTUM] = { 0 };

	start(media_class ? &SPA_DICT_INIT_ARRAY(items) : NULL);
	CHECK(set_prop("pitch:semitones", 3, AS_FLOAT) == 0);
	for (int cycle = 0; cycle < 48; cycle++) {
		clicks[500] = cycle % 12 == 11 ? 0.9f : 0.0f;
		rig_write(rig_port(&rig, "in-l"), clicks, QUANTUM);
		rig_write(rig_port(&rig, "in-r"), clicks, QUANTUM);
		rig_cycle(&rig);

		const struct spa_data *data = rig_read(rig_port(&rig, "report"));

		CHECK(data && data->chunk->size > 0);
		CHECK(data->chunk->size == SPA_POD_SIZE(data->data));
		seen.last_offset = 0;
		SPA_POD_SEQUENCE_FOREACH((struct spa_pod_sequence *)data->data, control)
		see_control(&seen, control);
	}
	CHECK(seen.n_bundles >= 48 * QUANTUM / 480 - 1 && seen.n_bundles <= 48 * QUANTUM / 480 + 1);
	CHECK(fabsf(seen.semitones - 3.0f) < 0.01f);
	CHECK(seen.n_events >= 3);
	rig_destroy(&rig);
}

static void play_square(float level, int n_cycles)
{
	float samples[QUANTUM];

	for (uint32_t f = 0; f < QUANTUM; f++)
		samples[f] = f / 32 % 2 ? level : -level;
	while (n_cycles--) {
		rig_write(rig_port(&rig, "in-l"), samples, QUANTUM);
		rig_write(rig_port(&rig, "in-r"), samples, QUANTUM);
		rig_cycle(&rig);
	}
}

/* A meter does not forget because nothing plays. */
static void test_what_is_measured_lasts_over_a_pause(void)
{
	double integrated;

	rig_create(&rig, library, "weir.analyze", NULL);
	for (uint32_t i = 0; i < rig.n_ports; i++)
		rig_link(&rig, &rig.port[i]);
	CHECK(rig_command(&rig, SPA_NODE_COMMAND_Start) == 0);
	play_square(0.5f, 100);
	integrated = prop_value("analyze:integrated");
	CHECK(integrated > -10.0 && fabs(prop_value("analyze:peak-max") + 6.02) < 0.01);
	for (int way = 0; way < 2; way++) {
		CHECK(rig_command(&rig, way ? SPA_NODE_COMMAND_Suspend : SPA_NODE_COMMAND_Pause) ==
		      0);
		CHECK(rig_command(&rig, SPA_NODE_COMMAND_Start) == 0);
		play_square(0.005f, 10);
		CHECK(fabs(prop_value("analyze:integrated") - integrated) < 0.5);
		CHECK(fabs(prop_value("analyze:peak-max") + 6.02) < 0.01);
	}
	rig_destroy(&rig);
}

/* As a session manager does. */
static int set_port_config(void)
{
	_Alignas(8) uint8_t memory[512];
	struct spa_pod_builder b = SPA_POD_BUILDER_INIT(memory, sizeof(memory));

	return spa_node_set_param(
		rig.node, SPA_PARAM_PortConfig, 0,
		spa_pod_builder_add_object(
			&b, SPA_TYPE_OBJECT_ParamPortConfig, SPA_PARAM_PortConfig,
			SPA_PARAM_PORT_CONFIG_direction, SPA_POD_Id(SPA_DIRECTION_INPUT),
			SPA_PARAM_PORT_CONFIG_mode, SPA_POD_Id(SPA_PARAM_PORT_CONFIG_MODE_dsp)));
}

/* The session manager takes formats and port configs from nodes with a media class only. */
static void test_media_class_offers_a_format(void)
{
	const struct spa_dict_item items[] = { { "media.class", "Audio/Sink" } };

	start(NULL);
	CHECK(!rig_enum(&rig, NULL, SPA_PARAM_EnumFormat, 0));
	CHECK(set_port_config() == -ENOENT);
	rig_destroy(&rig);

	rig_create(&rig, library, "weir.pitch", &SPA_DICT_INIT_ARRAY(items));
	CHECK(rig_enum(&rig, NULL, SPA_PARAM_EnumFormat, 0));

	const uint32_t before = rig.n_port_info;

	CHECK(set_port_config() == 0);
	CHECK(rig.n_port_info == before + 4); /* the two outputs: gone, and back */
	rig_destroy(&rig);
}

static void run_for(struct pw_loop *loop, double seconds)
{
	struct timespec now;
	double end;

	clock_gettime(CLOCK_MONOTONIC, &now);
	end = (double)now.tv_sec + 1e-9 * (double)now.tv_nsec + seconds;
	pw_loop_enter(loop);
	do {
		pw_loop_iterate(loop, 20);
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while ((double)now.tv_sec + 1e-9 * (double)now.tv_nsec < end);
	pw_loop_leave(loop);
}

/* Else it would take ports away that are just being linked. Without one they come after a second.
 */
static void test_ports_wait_for_the_session_manager(void)
{
	const struct spa_dict_item items[] = { { "media.class", "Audio/Source/Virtual" } };
	struct pw_main_loop *main_loop;

	pw_init(NULL, NULL);
	main_loop = pw_main_loop_new(NULL);
	CHECK(main_loop);
	for (int managed = 0; managed < 2; managed++) {
		rig_create_in(&rig, library, "weir.pitch", &SPA_DICT_INIT_ARRAY(items),
			      pw_main_loop_get_loop(main_loop)->utils);
		CHECK(rig.n_ports == 2 && rig.n_port_info == 2);
		if (managed)
			CHECK(set_port_config() == 0);
		else
			run_for(pw_main_loop_get_loop(main_loop), 1.2);
		CHECK(rig.n_ports == 5 && rig.n_port_info == 5);
		CHECK(set_port_config() == 0);
		CHECK(rig.n_port_info == 9); /* the report stays linked */
		rig_destroy(&rig);
	}
	pw_main_loop_destroy(main_loop);
	pw_deinit();
}

static void set_volume(float volume, bool mute)
{
	_Alignas(8) uint8_t memory[512];
	struct spa_pod_builder b = SPA_POD_BUILDER_INIT(memory, sizeof(memory));
	const float channels[2] = { volume, volume };
	const struct spa_pod *props = spa_pod_builder_add_object(
		&b, SPA_TYPE_OBJECT_Props, SPA_PARAM_Props, SPA_PROP_mute, SPA_POD_Bool(mute),
		SPA_PROP_channelVolumes, SPA_POD_Array(sizeof(float), SPA_TYPE_Float, 2, channels));

	CHECK(spa_node_set_param(rig.node, SPA_PARAM_Props, 0, props) == 0);
}

static void test_devices_have_a_volume(void)
{
	static const struct spa_dict_item items[] = { { "media.class", "Audio/Source/Virtual" } };
	static const struct spa_dict info = SPA_DICT_INIT_ARRAY(items);
	float power;

	start(&info);
	power = run_sine(20);
	set_volume(0.5f, false);
	CHECK(fabsf(run_sine(20) - power / 4.0f) < 0.005f);
	set_volume(0.5f, true);
	CHECK(run_sine(20) == 0.0f);
	set_volume(NAN, false);
	CHECK(fabsf(run_sine(20) - power / 4.0f) < 0.005f);
	set_volume(1.0f, false);
	CHECK(fabsf(run_sine(20) - power) < 0.005f);
	CHECK(rig_enum(&rig, NULL, SPA_PARAM_Props, 0));
	CHECK(spa_pod_find_prop((struct spa_pod *)rig.param, NULL, SPA_PROP_channelVolumes));
	set_volume(0.5f, true);
	CHECK(spa_node_set_param(rig.node, SPA_PARAM_Props, 0, NULL) == 0); /* all as it was */
	CHECK(fabsf(run_sine(20) - power) < 0.005f);
	rig_destroy(&rig);

	start(NULL);
	set_volume(0.0f, true);
	CHECK(fabsf(run_sine(20) - power) < 0.005f);
	rig_destroy(&rig);
}

/* 10 ms from all to nothing. */
static void test_volume_does_not_click(void)
{
	static const struct spa_dict_item items[] = { { "media.class", "Audio/Source/Virtual" } };
	static const struct spa_dict info = SPA_DICT_INIT_ARRAY(items);
	static float ones[QUANTUM];
	const struct spa_data *data;
	float last = 0.0f;

	start(&info);
	for (uint32_t f = 0; f < QUANTUM; f++)
		ones[f] = 1.0f;
	for (int i = 0; i < 22; i++) {
		if (i == 20)
			set_volume(1.0f, true);
		rig_write(rig_port(&rig, "in-l"), ones, QUANTUM);
		rig_cycle(&rig);
	}
	data = rig_read(rig_port(&rig, "out-l"));
	CHECK(data && ((float *)data->data)[QUANTUM - 1] == 0.0f);
	set_volume(1.0f, false);
	rig_write(rig_port(&rig, "in-l"), ones, QUANTUM);
	rig_cycle(&rig);
	data = rig_read(rig_port(&rig, "out-l"));
	CHECK(data);
	for (uint32_t f = 0; f < QUANTUM; f++) {
		CHECK(fabsf(((float *)data->data)[f] - last) < 0.0022f);
		last = ((float *)data->data)[f];
	}
	CHECK(last == 1.0f);
	rig_destroy(&rig);
}

int main(int argc, char *argv[])
{
	CHECK(argc == 2);
	library = argv[1];
	test_any_number_sets_a_control();
	test_wrong_controls_change_nothing();
	test_a_name_without_a_value_changes_nothing();
	test_a_wrong_conf_value_leaves_the_default();
	test_prop_info_describes_every_control();
	test_missing_inputs_are_silent();
	test_buffers_take_turns();
	test_any_quantum();
	test_rate_changes();
	test_no_rate_silences_the_sound();
	test_start_after_pause_begins_anew();
	test_latency_adds_to_that_of_the_peer();
	test_latency_of_a_reader_is_nobodys();
	test_all_units_of_latency_pass();
	test_a_new_latency_is_declared();
	test_reports_leave_as_osc(NULL);
	test_reports_leave_as_osc("Audio/Source/Virtual");
	test_reports_leave_as_osc("Audio/Sink");
	test_media_class_offers_a_format();
	test_ports_wait_for_the_session_manager();
	test_what_is_measured_lasts_over_a_pause();
	test_devices_have_a_volume();
	test_volume_does_not_click();
	return 0;
}
