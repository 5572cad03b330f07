/* SPDX-License-Identifier: MIT */

/*
 * What the SPA node declares of latency, shown with the pitch unit.
 *
 * usage: test-node-latency LIBSPA-WEIR.SO
 */

#include <spa/node/command.h>
#include <spa/node/utils.h>
#include <spa/param/latency-utils.h>
#include <spa/pod/builder.h>

#include "check.h"
#include "pitch-node.h"

static const char *library; /* libspa-weir.so */
static struct spa_rig rig;

static struct spa_latency_info port_latency(const char *name, enum spa_direction direction)
{
	struct spa_latency_info info;

	CHECK(rig_enum(&rig, rig_port(&rig, name), SPA_PARAM_Latency, direction));
	CHECK(spa_latency_parse((struct spa_pod *)rig.param, &info) == 0);
	CHECK(info.direction == direction);
	return info;
}

/* As the graph sets the latency of a port's peers; NULL: the last link is gone. */
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

	return (int32_t)info.min_rate == min && (int32_t)info.max_rate == max;
}

static void test_latency_adds_to_that_of_the_peer(void)
{
	const struct spa_latency_info peer =
		SPA_LATENCY_INFO(SPA_DIRECTION_OUTPUT, .min_rate = 100, .max_rate = 100);
	struct spa_process_latency_info own;

	pitch_start(&rig, library, NULL);

	const int latency = (int)pitch_get_prop(&rig, "pitch:latency");

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

	pitch_start(&rig, library, NULL);

	const int all = (int)pitch_get_prop(&rig, "pitch:latency") + 2048;

	CHECK(set_peer_latency("report", &reader) == 0);
	CHECK(set_peer_latency("out-l", &speaker) == 0);
	CHECK(declares("in-l", SPA_DIRECTION_INPUT, all, all));
	CHECK(declares("in-r", SPA_DIRECTION_INPUT, all, all));
	CHECK(set_peer_latency("out-r", &speaker) == 0);
	CHECK(set_peer_latency("report", NULL) == 0);
	CHECK(declares("in-l", SPA_DIRECTION_INPUT, all, all));

	/* A link to what has no latency is one all the same. */
	CHECK(set_peer_latency("out-l", NULL) == 0 && set_peer_latency("out-l", &none) == 0);
	CHECK((int32_t)port_latency("in-l", SPA_DIRECTION_INPUT).min_rate == all - 2048);
	rig_destroy(&rig);
}

/* An async link adds quanta, a device nanoseconds: they are kept apart. */
static void test_all_units_of_latency_pass(void)
{
	const struct spa_latency_info peer =
		SPA_LATENCY_INFO(SPA_DIRECTION_INPUT, .min_quantum = 1.0f, .max_quantum = 2.0f,
				 .min_rate = 10, .max_rate = 20, .min_ns = 1000, .max_ns = 2000);

	pitch_start(&rig, library, NULL);

	const int latency = (int)pitch_get_prop(&rig, "pitch:latency");

	CHECK(set_peer_latency("out-l", &peer) == 0 && set_peer_latency("out-r", &peer) == 0);

	const struct spa_latency_info info = port_latency("in-r", SPA_DIRECTION_INPUT);

	CHECK(info.min_quantum == 1.0f && info.max_quantum == 2.0f);
	CHECK((int32_t)info.min_rate == latency + 10 && (int32_t)info.max_rate == latency + 20);
	CHECK(info.min_ns == 1000 && info.max_ns == 2000);
	rig_destroy(&rig);
}

/* The change is declared when the node pauses, at the latest. */
static void test_a_new_latency_is_declared(void)
{
	const struct spa_latency_info peer =
		SPA_LATENCY_INFO(SPA_DIRECTION_INPUT, .min_rate = 100, .max_rate = 100);

	pitch_start(&rig, library, NULL);

	const int before = (int)pitch_get_prop(&rig, "pitch:latency");

	CHECK(set_peer_latency("out-l", &peer) == 0);
	CHECK(pitch_set_prop(&rig, "pitch:mode", 0, AS_INT) == 0);
	pitch_run_sine(&rig, 100);
	CHECK(rig_command(&rig, SPA_NODE_COMMAND_Pause) == 0);

	const int latency = (int)pitch_get_prop(&rig, "pitch:latency");

	CHECK(latency > 0 && latency < before);
	CHECK(declares("in-l", SPA_DIRECTION_INPUT, latency + 100, latency + 100));
	CHECK(declares("out-r", SPA_DIRECTION_OUTPUT, latency, latency));
	rig_destroy(&rig);
}

int main(int argc, char *argv[])
{
	CHECK(argc == 2);
	library = argv[1];
	test_latency_adds_to_that_of_the_peer();
	test_latency_of_a_reader_is_nobodys();
	test_all_units_of_latency_pass();
	test_a_new_latency_is_declared();
	return 0;
}
