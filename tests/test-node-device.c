/* SPDX-License-Identifier: MIT */

/*
 * What the SPA node is to users and session managers when it has a media.class, shown with the
 * pitch unit.
 *
 * usage: test-node-device LIBSPA-WEIR.SO
 */

#include <math.h>
#include <pipewire/pipewire.h>
#include <spa/node/utils.h>
#include <spa/param/param.h>
#include <spa/param/props.h>
#include <spa/pod/builder.h>
#include <spa/pod/iter.h>

#include "check.h"
#include "pitch-node.h"

static const char *library; /* libspa-weir.so */
static struct spa_rig rig;

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

	pitch_start(&rig, library, NULL);
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

/* Else it would take ports away that are just being linked. */
static void test_ports_wait_for_the_session_manager(void)
{
	const struct spa_dict_item items[] = { { "media.class", "Audio/Source/Virtual" } };
	struct pw_main_loop *main_loop;

	pw_init(NULL, NULL);
	main_loop = pw_main_loop_new(NULL);
	CHECK(main_loop);
	rig_create_in(&rig, library, "weir.pitch", &SPA_DICT_INIT_ARRAY(items),
		      pw_main_loop_get_loop(main_loop)->utils);
	CHECK(rig.n_ports == 2 && rig.n_port_info == 2);
	CHECK(set_port_config() == 0);
	CHECK(rig.n_ports == 5 && rig.n_port_info == 5);
	CHECK(set_port_config() == 0);
	CHECK(rig.n_port_info == 9); /* the report stays linked */
	rig_destroy(&rig);
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

	pitch_start(&rig, library, &info);
	power = pitch_run_sine(&rig, 20);
	set_volume(0.5f, false);
	CHECK(fabsf(pitch_run_sine(&rig, 20) - power / 4.0f) < 0.005f);
	set_volume(0.5f, true);
	CHECK(pitch_run_sine(&rig, 20) == 0.0f);
	set_volume(NAN, false);
	CHECK(fabsf(pitch_run_sine(&rig, 20) - power / 4.0f) < 0.005f);
	set_volume(1.0f, false);
	CHECK(fabsf(pitch_run_sine(&rig, 20) - power) < 0.005f);
	CHECK(rig_enum(&rig, NULL, SPA_PARAM_Props, 0));
	CHECK(spa_pod_find_prop((struct spa_pod *)rig.param, NULL, SPA_PROP_channelVolumes));
	set_volume(0.5f, true);
	CHECK(spa_node_set_param(rig.node, SPA_PARAM_Props, 0, NULL) == 0); /* all as it was */
	CHECK(fabsf(pitch_run_sine(&rig, 20) - power) < 0.005f);
	rig_destroy(&rig);

	pitch_start(&rig, library, NULL);
	set_volume(0.0f, true);
	CHECK(fabsf(pitch_run_sine(&rig, 20) - power) < 0.005f);
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

	pitch_start(&rig, library, &info);
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
	test_media_class_offers_a_format();
	test_ports_wait_for_the_session_manager();
	test_devices_have_a_volume();
	test_volume_does_not_click();
	return 0;
}
