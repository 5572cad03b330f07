/* SPDX-License-Identifier: MIT */
/*
 * A node that reports what it is told to, at the beginning of each cycle.
 *
 * reporter NODE [FIELD=VALUE[,VALUE]...]... [EVENT@SECONDS]...
 *
 * It has two inputs for sound, and runs without them. VALUE may be nan or inf.
 */
#include <lo/lo.h>
#include <pipewire/filter.h>
#include <pipewire/pipewire.h>
#include <spa/control/control.h>
#include <spa/pod/builder.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_BYTES 65536
#define MAX_PACKETS 8

struct packet {
	void *bytes;
	size_t size;
};

struct reporter {
	struct pw_main_loop *loop;
	struct pw_filter *filter;
	void *port;
	struct packet packet[MAX_PACKETS]; /* the bundle, then the events */
	uint32_t n_packets;
};

static void on_process(void *data, struct spa_io_position *position)
{
	struct reporter *reporter = data;
	struct pw_buffer *buffer = pw_filter_dequeue_buffer(reporter->port);
	struct spa_pod_builder builder;
	struct spa_pod_frame frame;

	(void)position;
	if (!buffer)
		return;

	struct spa_data *d = &buffer->buffer->datas[0];

	spa_pod_builder_init(&builder, d->data, d->maxsize);
	spa_pod_builder_push_sequence(&builder, &frame, 0);
	for (uint32_t i = 0; i < reporter->n_packets; i++) {
		spa_pod_builder_control(&builder, 0, SPA_CONTROL_OSC);
		spa_pod_builder_bytes(&builder, reporter->packet[i].bytes,
				      (uint32_t)reporter->packet[i].size);
	}
	spa_pod_builder_pop(&builder, &frame);
	d->chunk->offset = 0;
	d->chunk->size = builder.state.offset <= d->maxsize ? builder.state.offset : 0;
	pw_filter_queue_buffer(reporter->port, buffer);
}

static const struct pw_filter_events events = {
	PW_VERSION_FILTER_EVENTS,
	.process = on_process,
};

static void on_signal(void *data, int number)
{
	struct reporter *reporter = data;

	(void)number;
	pw_main_loop_quit(reporter->loop);
}

static lo_message read_values(char *values)
{
	lo_message message = lo_message_new();

	for (char *value = strtok(values, ","); value; value = strtok(NULL, ","))
		lo_message_add_float(message, strtof(value, NULL));
	return message;
}

/* Returns the names, with spaces between them. */
static void read_fields(struct reporter *reporter, char *argument[], char *names)
{
	lo_bundle bundle = lo_bundle_new(LO_TT_IMMEDIATE);
	char path[128];

	reporter->n_packets = 1;
	for (; *argument; argument++) {
		const size_t length = strcspn(*argument, "=@");
		const bool is_event = (*argument)[length] == '@';
		lo_message message = read_values(*argument + length + 1);

		snprintf(path, sizeof(path), "/test/%.*s", (int)length, *argument);
		sprintf(names + strlen(names), "%s%s", names[0] ? " " : "",
			path + strlen("/test/"));
		if (is_event) {
			struct packet *packet = &reporter->packet[reporter->n_packets++];

			packet->bytes = lo_message_serialise(message, path, NULL, &packet->size);
		} else {
			lo_bundle_add_message(bundle, path, message);
		}
	}
	reporter->packet[0].bytes = lo_bundle_serialise(bundle, NULL, &reporter->packet[0].size);
}

static void *port_add(struct reporter *reporter, enum pw_direction direction, const char *name,
		      const char *format, const struct spa_pod **params, uint32_t n_params)
{
	return pw_filter_add_port(
		reporter->filter, direction, PW_FILTER_PORT_FLAG_MAP_BUFFERS, sizeof(void *),
		pw_properties_new(PW_KEY_FORMAT_DSP, format, PW_KEY_PORT_NAME, name, NULL), params,
		n_params);
}

static void reporter_connect(struct reporter *reporter, const char *name, const char *names)
{
	uint8_t memory[1024];
	struct spa_pod_builder builder = SPA_POD_BUILDER_INIT(memory, sizeof(memory));
	const struct spa_pod *buffers = spa_pod_builder_add_object(
		&builder, SPA_TYPE_OBJECT_ParamBuffers, SPA_PARAM_Buffers,
		SPA_PARAM_BUFFERS_buffers, SPA_POD_Int(2), SPA_PARAM_BUFFERS_blocks, SPA_POD_Int(1),
		SPA_PARAM_BUFFERS_size, SPA_POD_CHOICE_RANGE_Int(MAX_BYTES, MAX_BYTES, INT32_MAX),
		SPA_PARAM_BUFFERS_stride, SPA_POD_Int(1));

	reporter->filter =
		pw_filter_new_simple(pw_main_loop_get_loop(reporter->loop), name,
				     pw_properties_new(PW_KEY_NODE_NAME, name, "weir.report", names,
						       PW_KEY_NODE_WANT_DRIVER, "true",
						       PW_KEY_NODE_ALWAYS_PROCESS, "true", NULL),
				     &events, reporter);
	reporter->port =
		port_add(reporter, PW_DIRECTION_OUTPUT, "report", "8 bit raw control", &buffers, 1);
	port_add(reporter, PW_DIRECTION_INPUT, "in-1", "32 bit float mono audio", NULL, 0);
	port_add(reporter, PW_DIRECTION_INPUT, "in-2", "32 bit float mono audio", NULL, 0);
	pw_filter_connect(reporter->filter, PW_FILTER_FLAG_RT_PROCESS, NULL, 0);
}

int main(int argc, char *argv[])
{
	struct reporter reporter = { 0 };
	char names[4096] = "";

	if (argc < 2)
		return 2;
	read_fields(&reporter, argv + 2, names);
	pw_init(NULL, NULL);
	reporter.loop = pw_main_loop_new(NULL);
	pw_loop_add_signal(pw_main_loop_get_loop(reporter.loop), SIGTERM, on_signal, &reporter);
	reporter_connect(&reporter, argv[1], names);
	pw_main_loop_run(reporter.loop);
	pw_filter_destroy(reporter.filter);
	pw_main_loop_destroy(reporter.loop);
	for (uint32_t i = 0; i < reporter.n_packets; i++)
		free(reporter.packet[i].bytes);
	return 0;
}
