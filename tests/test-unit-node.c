/* SPDX-License-Identifier: MIT */

/*
 * What the SPA node makes of a unit's answers: with a unit that is made for this, and a data loop
 * that knows when it runs.
 */

#include <errno.h>
#include <spa/control/control.h>
#include <spa/node/command.h>
#include <spa/param/buffers.h>
#include <spa/param/latency-utils.h>
#include <spa/pod/iter.h>
#include <spa/pod/parser.h>
#include <spa/utils/dict.h>
#include <spa/utils/names.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "spa-rig.h"
#include "spa/unit_node.h"

#define QUANTUM 1024
#define BAD_RATE 768000

static bool is_in_data_thread, has_no_memory;
static int n_created, n_reset;

/* Of the latest run. */
static float *outputs[2];

static int state_memory;
static struct weir_latency latencies[2];
static uint32_t hop_frames, frames_until_report;

static void *fake_create(uint32_t rate)
{
	CHECK(!is_in_data_thread);
	if (rate == BAD_RATE || has_no_memory) {
		errno = has_no_memory ? ENOMEM : EINVAL;
		return NULL;
	}
	n_created++;
	hop_frames = frames_until_report = rate / 100;
	return &state_memory;
}

static void fake_destroy(void *state)
{
	CHECK(!is_in_data_thread && state == &state_memory);
	n_created--;
}

/* In code that must not print. */
static bool is_right = true;

static WEIR_REALTIME void require(bool condition)
{
	is_right &= condition;
}

/* Of a large state this would be too long for a data thread. */
static WEIR_REALTIME void fake_reset(void *state)
{
	require(!is_in_data_thread && state == &state_memory);
	n_reset++;
}

static WEIR_REALTIME struct weir_latency fake_get_latency(const void *state, uint32_t input)
{
	require(state == &state_memory);
	return latencies[input];
}

/* The two channels change places, so that it shows who gave the sound. */
static WEIR_REALTIME void fake_run(void *state, float *const port[], uint32_t n_frames,
				   struct weir_reports *reports)
{
	require(state == &state_memory);
	memcpy(port[2], port[1], n_frames * sizeof(float));
	memcpy(port[3], port[0], n_frames * sizeof(float));
	outputs[0] = port[2];
	outputs[1] = port[3];
	*port[4] = (float)latencies[0].total;
	*port[5] += 1.0f;
	for (uint32_t f = 0; f < n_frames; f++) {
		if (--frames_until_report > 0)
			continue;

		struct weir_report *report = weir_reports_add(reports, f);

		frames_until_report = hop_frames;
		if (!report)
			continue;
		report->value[0] = report->value[1] = 1.0f;
		report->present = 3;
	}
}

static const struct weir_port ports[] = {
	{ .name = "in-1", .type = WEIR_AUDIO_IN, .unit = "", .help = "", .channel = "FL" },
	{ .name = "in-2", .type = WEIR_AUDIO_IN, .unit = "", .help = "", .channel = "FR" },
	{ .name = "out-1", .type = WEIR_AUDIO_OUT, .unit = "", .help = "", .channel = "FL" },
	{ .name = "out-2", .type = WEIR_AUDIO_OUT, .unit = "", .help = "", .channel = "FR" },
	{ .name = "latency", .type = WEIR_CONTROL_OUT, .unit = "", .help = "", .max = 100.0f },
	{ .name = "meter", .type = WEIR_CONTROL_OUT, .unit = "", .help = "", .max = 1e6f },
};

static const struct weir_field fields[] = {
	{ .name = "value", .unit = "", .help = "", .count = 1 },
	{ .name = "event", .unit = "", .help = "", .count = 1, .event = true },
};

static const struct weir_unit fake = {
	.name = "fake",
	.summary = "Fake",
	.ports = ports,
	.n_ports = sizeof(ports) / sizeof(ports[0]),
	.fields = fields,
	.n_fields = 2,
	.hop_seconds = 0.01f,
	.create = fake_create,
	.destroy = fake_destroy,
	.reset = fake_reset,
	.run = fake_run,
	.get_latency = fake_get_latency,
};

static int fake_invoke(void *object, spa_invoke_func_t fn, uint32_t seq, const void *data,
		       size_t size, bool block, void *user_data)
{
	int res;

	(void)object;
	CHECK(block && !is_in_data_thread);
	is_in_data_thread = true;
	res = fn(NULL, false, seq, data, size, user_data);
	is_in_data_thread = false;
	return res;
}

static const struct spa_loop_methods loop_methods = {
	SPA_VERSION_LOOP_METHODS,
	.invoke = fake_invoke,
};

/* A main loop whose time the test makes. */
static struct spa_source timer;
static spa_source_timer_func_t timer_function;
static void *timer_data;
static long timer_ns; /* 0: not armed */

static struct spa_source *fake_add_timer(void *object, spa_source_timer_func_t func, void *data)
{
	(void)object;
	timer_function = func;
	timer_data = data;
	return &timer;
}

static int fake_update_timer(void *object, struct spa_source *source, struct timespec *value,
			     struct timespec *interval, bool absolute)
{
	(void)object, (void)value;
	CHECK(source == &timer && !absolute);
	timer_ns = interval->tv_nsec;
	return 0;
}

static void fake_destroy_source(void *object, struct spa_source *source)
{
	(void)object;
	CHECK(source == &timer);
}

static const struct spa_loop_utils_methods utils_methods = {
	SPA_VERSION_LOOP_UTILS_METHODS,
	.add_timer = fake_add_timer,
	.update_timer = fake_update_timer,
	.destroy_source = fake_destroy_source,
};

static struct spa_rig rig;
static struct weir_unit_node *node;

/* In a graph of 48000 Hz and a quantum of QUANTUM. */
static void pass_seconds(double seconds)
{
	static double cycles;

	for (double t = 0.0; t < seconds; t += 1e-9 * (double)timer_ns) {
		for (cycles += 1e-9 * (double)timer_ns * 48000 / QUANTUM; cycles >= 1.0; cycles--)
			rig_cycle(&rig);
		timer_function(timer_data, 1);
	}
}

static void create(const struct spa_dict *info)
{
	static struct spa_loop loop;
	static struct spa_loop_utils utils;
	const struct spa_support support[] = { { SPA_TYPE_INTERFACE_DataLoop, &loop },
					       { SPA_TYPE_INTERFACE_LoopUtils, &utils } };

	loop.iface = SPA_INTERFACE_INIT(SPA_TYPE_INTERFACE_DataLoop, SPA_VERSION_LOOP,
					&loop_methods, NULL);
	utils.iface = SPA_INTERFACE_INIT(SPA_TYPE_INTERFACE_LoopUtils, SPA_VERSION_LOOP_UTILS,
					 &utils_methods, NULL);
	memset(&rig, 0, sizeof(rig));
	node = weir_unit_node_create(&fake, info, support, SPA_N_ELEMENTS(support));
	CHECK(node);
	rig_attach(&rig, weir_unit_node_get_spa_node(node));
}

static void start(const struct spa_dict *info)
{
	create(info);
	for (uint32_t i = 0; i < rig.n_ports; i++)
		rig_link(&rig, &rig.port[i]);
	CHECK(rig_command(&rig, SPA_NODE_COMMAND_Start) == 0);
}

static void stop(void)
{
	rig_detach(&rig);
	weir_unit_node_destroy(node);
	CHECK(n_created == 0 && is_right);
}

/* 1 at the first input, 2 at the second: is that, swapped or not, what comes out? */
static bool gives(float first, float second)
{
	const uint32_t n_frames = (uint32_t)rig.position.clock.duration;
	float one[RIG_FRAMES], two[RIG_FRAMES];

	for (uint32_t f = 0; f < n_frames; f++) {
		one[f] = 1.0f;
		two[f] = 2.0f;
	}
	rig_write(rig_port(&rig, "in-1"), one, n_frames);
	rig_write(rig_port(&rig, "in-2"), two, n_frames);
	rig_cycle(&rig);

	const struct spa_data *data[] = { rig_read(rig_port(&rig, "out-1")),
					  rig_read(rig_port(&rig, "out-2")) };

	for (int i = 0; i < 2; i++) {
		CHECK(data[i] && data[i]->chunk->size == n_frames * sizeof(float));
		for (uint32_t f = 0; f < n_frames; f++)
			if (((float *)data[i]->data)[f] != (i ? second : first))
				return false;
	}
	return true;
}

static void restart(uint32_t rate)
{
	CHECK(rig_command(&rig, SPA_NODE_COMMAND_Suspend) == 0);
	rig_set_clock(&rig, rate, QUANTUM);
	CHECK(rig_command(&rig, SPA_NODE_COMMAND_Start) == 0);
}

static void set_peer_latency(const char *name, int32_t frames)
{
	const struct rig_port *port = rig_port(&rig, name);
	_Alignas(8) uint8_t memory[512];
	struct spa_pod_builder b = SPA_POD_BUILDER_INIT(memory, sizeof(memory));
	struct spa_latency_info peer = SPA_LATENCY_INFO(SPA_DIRECTION_REVERSE(port->direction));

	peer.min_rate = peer.max_rate = frames;
	CHECK(spa_node_port_set_param(rig.node, port->direction, port->id, SPA_PARAM_Latency, 0,
				      spa_latency_build(&b, SPA_PARAM_Latency, &peer)) == 0);
}

static bool declares(const char *name, int32_t min, int32_t max)
{
	const struct rig_port *port = rig_port(&rig, name);
	struct spa_latency_info info;

	CHECK(rig_enum(&rig, port, SPA_PARAM_Latency, port->direction));
	CHECK(spa_latency_parse((struct spa_pod *)rig.param, &info) == 0);
	return (int32_t)info.min_rate == min && (int32_t)info.max_rate == max;
}

static bool declares_process_latency(uint32_t frames)
{
	struct spa_process_latency_info info;

	CHECK(rig_enum(&rig, NULL, SPA_PARAM_ProcessLatency, 0));
	CHECK(spa_process_latency_parse((struct spa_pod *)rig.param, &info) == 0);
	return (uint32_t)info.rate == frames;
}

static void latency_change(uint32_t total_1, uint32_t minimum_1, uint32_t total_2,
			   uint32_t minimum_2)
{
	latencies[0] = (struct weir_latency){ total_1, minimum_1 };
	latencies[1] = (struct weir_latency){ total_2, minimum_2 };
	rig_cycle(&rig);
	restart(48000);
}

/* As of align, when the second microphone is the later one. */
static void test_each_input_has_a_latency(void)
{
	start(NULL);
	latency_change(1000, 32, 40, 32);
	CHECK(declares_process_latency(1000));
	CHECK(declares("in-1", 32, 32) && declares("in-2", 32, 32));
	CHECK(declares("out-1", 1000, 1000) && declares("out-2", 40, 40));

	set_peer_latency("in-1", 5);
	CHECK(declares("out-1", 1005, 1005) && declares("out-2", 1005, 1005));
	set_peer_latency("in-2", 500);
	CHECK(declares("out-1", 1005, 1005) && declares("out-2", 540, 540));
	CHECK(declares("report", 1005, 1005));

	set_peer_latency("out-2", 256);
	CHECK(declares("in-1", 288, 288) && declares("in-2", 288, 288));
	latency_change(1000, 700, 40, 32);
	CHECK(declares("in-1", 956, 956) && declares("in-2", 288, 288));
	latency_change(0, 0, 0, 0);
	CHECK(declares("in-1", 256, 256) && declares("out-1", 5, 5));
	CHECK(declares_process_latency(0));
	stop();
}

static void test_sound_passes_at_a_rate_that_the_unit_refuses(void)
{
	latencies[0] = (struct weir_latency){ 77, 77 };
	start(NULL);
	CHECK(declares("in-1", 77, 77));
	CHECK(gives(2.0f, 1.0f) && declares_process_latency(77) && strcmp(rig.state, "ready") == 0);
	restart(BAD_RATE);
	CHECK(gives(1.0f, 2.0f) && declares_process_latency(0) && declares("in-1", 0, 0));
	CHECK(strcmp(rig.state, "cannot run at 768000 Hz: sound passes through") == 0);
	restart(BAD_RATE);
	CHECK(gives(1.0f, 2.0f));
	restart(48000);
	CHECK(gives(2.0f, 1.0f) && declares_process_latency(77) && strcmp(rig.state, "ready") == 0);
	stop();
}

static void test_sound_passes_without_memory_until_there_is_some(void)
{
	has_no_memory = true;
	start(NULL);
	CHECK(gives(1.0f, 2.0f) && declares_process_latency(0));
	CHECK(strcmp(rig.state, "cannot run at 48000 Hz: sound passes through") == 0);
	has_no_memory = false;
	restart(48000);
	CHECK(gives(2.0f, 1.0f) && strcmp(rig.state, "ready") == 0);
	stop();
}

/* Several megabytes, for some: fake_reset checks where. */
static void test_reset_leaves_the_data_thread_alone(void)
{
	start(NULL);
	n_reset = 0;
	CHECK(rig_command(&rig, SPA_NODE_COMMAND_Pause) == 0);
	CHECK(rig_command(&rig, SPA_NODE_COMMAND_Start) == 0);
	CHECK(n_reset == 1 && gives(2.0f, 1.0f));
	stop();
}

static void test_outputs_without_links_are_buffers_of_their_own(void)
{
	start(NULL);
	rig_unlink(&rig, rig_port(&rig, "out-1"));
	rig_unlink(&rig, rig_port(&rig, "out-2"));
	rig_cycle(&rig);
	CHECK(outputs[0] + QUANTUM <= outputs[1] || outputs[1] + QUANTUM <= outputs[0]);
	stop();
}

/* Controls of the latest cycle: a bundle and an event for each report. */
static uint32_t controls_count(void)
{
	const struct spa_data *data = rig_read(rig_port(&rig, "report"));
	const struct spa_pod_control *control;
	uint32_t n = 0;

	CHECK(data && data->chunk->size <= data->maxsize);
	SPA_POD_SEQUENCE_FOREACH((struct spa_pod_sequence *)data->data, control)
	n++;
	return n;
}

/* The report's buffers have the minimum size that the node asks for at its present rate. */
static void report_buffers_shrink(void)
{
	struct rig_port *report = rig_port(&rig, "report");
	const struct spa_pod_prop *prop;
	uint32_t n, choice;

	CHECK(rig_enum(&rig, report, SPA_PARAM_Buffers, 0));
	prop = spa_pod_find_prop((struct spa_pod *)rig.param, NULL, SPA_PARAM_BUFFERS_size);
	CHECK(prop);

	const int32_t *size = SPA_POD_BODY(spa_pod_get_values(&prop->value, &n, &choice));

	for (int i = 0; i < 2; i++)
		report->data[i].maxsize = (uint32_t)*size;
}

static void test_no_report_is_lost_at_any_rate_and_quantum(void)
{
	static const struct spa_dict_item items[] = { { "clock.quantum-limit", "16384" } };
	static const struct spa_dict info = SPA_DICT_INIT_ARRAY(items);
	static const uint32_t rates[] = { 48000, 8000 };
	static const uint32_t quanta[] = { 2048, 8192, 16384 };

	start(&info);
	report_buffers_shrink();
	for (size_t i = 0; i < SPA_N_ELEMENTS(rates) * SPA_N_ELEMENTS(quanta); i++) {
		const uint32_t rate = rates[i / SPA_N_ELEMENTS(quanta)];
		const uint32_t quantum = quanta[i % SPA_N_ELEMENTS(quanta)];
		const uint32_t n_cycles = 10;
		uint32_t n = 0;

		restart(rate);
		rig_set_clock(&rig, rate, quantum);
		for (uint32_t cycle = 0; cycle < n_cycles; cycle++) {
			CHECK(gives(2.0f, 1.0f));
			n += controls_count();
		}
		CHECK(n / 2 >= n_cycles * quantum / (rate / 100) - 1);
		CHECK(n / 2 <= n_cycles * quantum / (rate / 100) + 1);
	}
	stop();
}

static void test_a_limit_that_no_graph_has_is_left_alone(void)
{
	static const char *const limits[] = {
		"0", "-1", "4294967295", "-18446744073709551600", "x", "4294968320", "1073741825"
	};

	for (size_t i = 0; i < SPA_N_ELEMENTS(limits); i++) {
		const struct spa_dict_item item = { "clock.quantum-limit", limits[i] };

		start(&SPA_DICT_INIT(&item, 1));
		restart(48000);
		rig_set_clock(&rig, 48000, QUANTUM);
		CHECK(gives(2.0f, 1.0f));
		stop();
	}
}

/* Each notification reaches every pw-mon and mixer. */
static void test_meters_are_shown_twice_a_second(void)
{
	static const struct {
		const char *text;
		uint32_t n;
	} rates[] = { { NULL, 20 },   { "10", 100 }, { "0.5", 5 }, { "0", 0 },	  { "11", 20 },
		      { "1e-30", 0 }, { "nan", 20 }, { "-1", 20 }, { "inf", 20 }, { "0,5", 20 } };

	for (size_t i = 0; i < SPA_N_ELEMENTS(rates); i++) {
		const struct spa_dict_item item = { "fake.meter-rate", rates[i].text };

		start(&SPA_DICT_INIT(&item, rates[i].text != NULL));
		CHECK(timer_ns > 0);
		pass_seconds(1.0);

		const uint32_t before = rig.n_info;

		pass_seconds(10.0);
		CHECK(rig.n_info - before <= rates[i].n + 1);
		CHECK(rig.n_info - before + 1 >= rates[i].n);
		CHECK(rig_command(&rig, SPA_NODE_COMMAND_Pause) == 0);
		CHECK(rig.n_info > before && timer_ns == 0);
		stop();
	}
}

static void test_a_latency_is_declared_in_a_tenth_of_a_second(void)
{
	const struct spa_dict_item item = { "fake.meter-rate", "0" };

	latencies[0].minimum = 77;
	start(&SPA_DICT_INIT(&item, 1));
	CHECK(declares("in-1", 77, 77));
	latencies[0].minimum = 99;
	pass_seconds(0.2);
	CHECK(declares("in-1", 99, 99));
	stop();
}

/* A session manager would ask for the ports of a device before it links them. */
static void test_ports_come_in_a_second_without_a_session_manager(void)
{
	const struct spa_dict_item item = { "media.class", "Audio/Source/Virtual" };
	long waited_ns = 0;

	create(&SPA_DICT_INIT(&item, 1));
	CHECK(rig.n_ports == 2 && rig.n_port_info == 2);
	while (rig.n_ports == 2) {
		CHECK(timer_ns > 0 && waited_ns < SPA_NSEC_PER_SEC);
		waited_ns += timer_ns;
		timer_function(timer_data, 1);
	}
	CHECK(waited_ns == SPA_NSEC_PER_SEC && timer_ns == 0);
	CHECK(rig.n_ports == 5 && rig.n_port_info == 5);
	stop();
}

/* Not every change of the rate stops the node. */
static void test_a_rate_that_comes_while_running_is_followed(void)
{
	start(NULL);
	rig_set_clock(&rig, BAD_RATE, QUANTUM);
	CHECK(gives(0.0f, 0.0f));
	pass_seconds(0.2);
	CHECK(gives(1.0f, 2.0f));
	rig_set_clock(&rig, 44100, QUANTUM);
	CHECK(gives(0.0f, 0.0f));
	pass_seconds(0.2);
	CHECK(gives(2.0f, 1.0f));
	stop();
}

int main(void)
{
	test_meters_are_shown_twice_a_second();
	test_a_latency_is_declared_in_a_tenth_of_a_second();
	test_a_rate_that_comes_while_running_is_followed();
	test_ports_come_in_a_second_without_a_session_manager();
	test_each_input_has_a_latency();
	test_sound_passes_at_a_rate_that_the_unit_refuses();
	test_sound_passes_without_memory_until_there_is_some();
	test_reset_leaves_the_data_thread_alone();
	test_outputs_without_links_are_buffers_of_their_own();
	test_no_report_is_lost_at_any_rate_and_quantum();
	test_a_limit_that_no_graph_has_is_left_alone();
	return 0;
}
