/* SPDX-License-Identifier: MIT */

/*
 * What the SPA node itself promises, shown with the pitch unit.
 *
 * usage: test-node LIBSPA-WEIR.SO
 */

#include <endian.h>
#include <lo/lo.h>
#include <math.h>
#include <spa/control/control.h>
#include <spa/node/command.h>
#include <spa/node/utils.h>
#include <spa/param/param.h>
#include <spa/param/props.h>
#include <spa/pod/builder.h>
#include <spa/pod/iter.h>
#include <spa/pod/parser.h>
#include <spa/utils/dict.h>
#include <string.h>

#include "check.h"
#include "pitch-node.h"

static const char *library; /* libspa-weir.so */
static struct spa_rig rig;

static void test_any_number_sets_a_control(void)
{
	pitch_start(&rig, library, NULL);
	CHECK(pitch_set_prop(&rig, "pitch:semitones", 3, AS_INT) == 0 &&
	      pitch_get_prop(&rig, "pitch:semitones") == 3);
	CHECK(pitch_set_prop(&rig, "pitch:semitones", 4, AS_LONG) == 0 &&
	      pitch_get_prop(&rig, "pitch:semitones") == 4);
	CHECK(pitch_set_prop(&rig, "pitch:semitones", 1.5, AS_FLOAT) == 0 &&
	      pitch_get_prop(&rig, "pitch:semitones") == 1.5);
	CHECK(pitch_set_prop(&rig, "pitch:semitones", -1.5, AS_DOUBLE) == 0 &&
	      pitch_get_prop(&rig, "pitch:semitones") == -1.5);
	CHECK(pitch_set_prop(&rig, "pitch:formant", 1, AS_BOOL) == 0 &&
	      pitch_get_prop(&rig, "pitch:formant") == 1);
	CHECK(pitch_set_prop(&rig, "pitch:formant", 0, AS_INT) == 0 &&
	      pitch_get_prop(&rig, "pitch:formant") == 0);
	CHECK(pitch_set_prop(&rig, "pitch:formant", 1, AS_STRING) == 0 &&
	      pitch_get_prop(&rig, "pitch:formant") == 1);
	rig_destroy(&rig);
}

static void test_wrong_controls_change_nothing(void)
{
	pitch_start(&rig, library, NULL);
	CHECK(pitch_set_prop(&rig, "pitch:semitones", 2, AS_FLOAT) == 0);
	CHECK(pitch_set_prop(&rig, "pitch:semitones", 25, AS_FLOAT) == -EINVAL);
	CHECK(pitch_set_prop(&rig, "pitch:semitones", NAN, AS_FLOAT) == -EINVAL);
	CHECK(pitch_set_prop(&rig, "pitch:semitone", 1, AS_FLOAT) == -EINVAL);
	CHECK(pitch_set_prop(&rig, "pitch:latency", 1, AS_FLOAT) == -EINVAL);
	CHECK(pitch_get_prop(&rig, "pitch:semitones") == 2);
	CHECK(pitch_set_prop(&rig, "pitch:mode", 1.5, AS_FLOAT) == -EINVAL);
	CHECK(pitch_get_prop(&rig, "pitch:mode") == 1);
	CHECK(pitch_set_prop(&rig, "pitch:formant", 0.5, AS_DOUBLE) == -EINVAL);
	CHECK(pitch_get_prop(&rig, "pitch:formant") == 0);
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
	pitch_start(&rig, library, NULL);
	CHECK(set_params(1, true) == -EINVAL && pitch_get_prop(&rig, "pitch:semitones") == 0);
	CHECK(set_params(0, false) == -EINVAL && pitch_get_prop(&rig, "pitch:semitones") == 0);
	CHECK(set_params(0, true) == 0 && pitch_get_prop(&rig, "pitch:semitones") == 5);
	rig_destroy(&rig);
}

static void test_a_wrong_conf_value_leaves_the_default(void)
{
	const struct spa_dict_item items[] = { { "pitch:semitones", "many" },
					       { "pitch:formant", "true" },
					       { "pitch:nothing", "1" } };

	pitch_start(&rig, library, &SPA_DICT_INIT_ARRAY(items));
	CHECK(pitch_get_prop(&rig, "pitch:semitones") == 0);
	CHECK(pitch_get_prop(&rig, "pitch:formant") == 1);
	rig_destroy(&rig);
}

static void test_prop_info_describes_every_control(void)
{
	const char *name, *description;
	const struct spa_pod *type;
	uint32_t n, choice;

	pitch_start(&rig, library, NULL);
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

	pitch_start(&rig, library, NULL);
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

	pitch_start(&rig, library, NULL);
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
	pitch_start(&rig, library, NULL);
	for (uint32_t n_frames = 16; n_frames <= 8192; n_frames *= 2) {
		rig_set_clock(&rig, 48000, n_frames);
		CHECK(fabsf(pitch_run_sine(&rig, 8192 * 4 / (int)n_frames) - 0.125f) < 0.01f ||
		      n_frames < 256);
	}
	rig_destroy(&rig);
}

/* The graph stops nodes around a new rate; without that, the node is silent, not wrong. */
static void test_rate_changes(void)
{
	pitch_start(&rig, library, NULL);
	CHECK(fabsf(pitch_run_sine(&rig, 20) - 0.125f) < 0.01f);
	rig_set_clock(&rig, 96000, QUANTUM);
	CHECK(pitch_run_sine(&rig, 20) == 0.0f);
	CHECK(rig_command(&rig, SPA_NODE_COMMAND_Suspend) == 0);
	CHECK(rig_command(&rig, SPA_NODE_COMMAND_Start) == 0);
	CHECK(fabsf(pitch_run_sine(&rig, 40) - 0.125f) < 0.01f);
	rig_destroy(&rig);
}

/* No unit runs at 768 kHz, and hardly any sound card. */
static void test_no_rate_silences_the_sound(void)
{
	pitch_start(&rig, library, NULL);
	CHECK(pitch_set_prop(&rig, "pitch:semitones", 12, AS_INT) == 0);
	for (int i = 0; i < 2; i++) {
		CHECK(rig_command(&rig, SPA_NODE_COMMAND_Suspend) == 0);
		rig_set_clock(&rig, 768000, QUANTUM);
		CHECK(rig_command(&rig, SPA_NODE_COMMAND_Start) == 0);
		pitch_run_sine(&rig, 1);

		const float *out = rig_read(rig_port(&rig, "out-l"))->data;

		CHECK(memcmp(out, rig_port(&rig, "in-l")->memory[0], QUANTUM * sizeof(float)) == 0);
		CHECK(strncmp(rig.state, "cannot run at 768000 Hz", 23) == 0);
		CHECK(pitch_get_prop(&rig, "pitch:latency") == 0.0);
		CHECK(rig_command(&rig, SPA_NODE_COMMAND_Suspend) == 0);
		rig_set_clock(&rig, 48000, QUANTUM);
		CHECK(rig_command(&rig, SPA_NODE_COMMAND_Start) == 0);
		CHECK(fabsf(pitch_run_sine(&rig, 40) - 0.125f) < 0.01f);
		CHECK(memcmp(rig_read(rig_port(&rig, "out-l"))->data,
			     rig_port(&rig, "in-l")->memory[0], QUANTUM * sizeof(float)) != 0);
		CHECK(strcmp(rig.state, "ready") == 0 &&
		      pitch_get_prop(&rig, "pitch:latency") > 0.0);
	}
	rig_destroy(&rig);
}

static void test_start_after_pause_begins_anew(void)
{
	pitch_start(&rig, library, NULL);
	pitch_run_sine(&rig, 20);
	CHECK(rig_command(&rig, SPA_NODE_COMMAND_Pause) == 0);
	CHECK(rig_command(&rig, SPA_NODE_COMMAND_Start) == 0);
	rig_cycle(&rig);

	const float *out = rig_read(rig_port(&rig, "out-l"))->data;

	for (uint32_t f = 0; f < QUANTUM; f++)
		CHECK(out[f] == 0.0f);
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

	pitch_start(&rig, library, media_class ? &SPA_DICT_INIT_ARRAY(items) : NULL);
	CHECK(pitch_set_prop(&rig, "pitch:semitones", 3, AS_FLOAT) == 0);
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
	integrated = pitch_get_prop(&rig, "analyze:i");
	CHECK(integrated > -10.0 && fabs(pitch_get_prop(&rig, "analyze:peak_max") + 6.02) < 0.01);
	for (int way = 0; way < 2; way++) {
		CHECK(rig_command(&rig, way ? SPA_NODE_COMMAND_Suspend : SPA_NODE_COMMAND_Pause) ==
		      0);
		CHECK(rig_command(&rig, SPA_NODE_COMMAND_Start) == 0);
		play_square(0.005f, 10);
		CHECK(fabs(pitch_get_prop(&rig, "analyze:i") - integrated) < 0.5);
		CHECK(fabs(pitch_get_prop(&rig, "analyze:peak_max") + 6.02) < 0.01);
	}
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
	test_reports_leave_as_osc(NULL);
	test_reports_leave_as_osc("Audio/Source/Virtual");
	test_reports_leave_as_osc("Audio/Sink");
	test_what_is_measured_lasts_over_a_pause();
	return 0;
}
