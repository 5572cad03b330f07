/* SPDX-License-Identifier: MIT */

/*
 * Prints what a unit reports, as it comes through the graph.
 *
 * usage: read-reports        then: pw-link weir.pitch:report read-reports:input
 *
 * Each line is the graph's time in frames, the OSC path and the values. A bundle
 * holds all fields of one report; an event is a message of its own, with the
 * seconds by which it preceded the report.
 */

#include <lo/lo.h>
#include <pipewire/filter.h>
#include <pipewire/pipewire.h>
#include <spa/control/control.h>
#include <spa/param/buffers.h>
#include <spa/pod/builder.h>
#include <spa/pod/iter.h>
#include <stdio.h>
#include <string.h>

#define MAX_BYTES (256 * 1024) /* of all reports of a cycle */
#define BUNDLE_HEAD 16	       /* "#bundle" and a time tag */

struct reader {
	struct pw_main_loop *loop;
	struct pw_filter *filter;
	void *port;
};

static void print_message(uint64_t frame, const uint8_t *bytes, uint32_t size)
{
	lo_message message = lo_message_deserialise((void *)bytes, size, NULL);

	if (!message)
		return;
	printf("%llu %s", (unsigned long long)frame, (const char *)bytes);
	for (int i = 0; i < lo_message_get_argc(message); i++)
		printf(" %g", (double)lo_message_get_argv(message)[i]->f);
	putchar('\n');
	lo_message_free(message);
}

static void print_packet(uint64_t frame, const uint8_t *bytes, uint32_t size)
{
	if (size < BUNDLE_HEAD || strcmp((const char *)bytes, "#bundle") != 0) {
		print_message(frame, bytes, size);
		return;
	}
	for (uint32_t at = BUNDLE_HEAD; at + 4 <= size;) {
		const uint32_t length = (uint32_t)bytes[at] << 24 | (uint32_t)bytes[at + 1] << 16 |
					(uint32_t)bytes[at + 2] << 8 | bytes[at + 3];

		if (length > size - at - 4)
			return;
		print_message(frame, bytes + at + 4, length);
		at += 4 + length;
	}
}

/* In the main loop: the filter has no PW_FILTER_FLAG_RT_PROCESS. */
static void on_process(void *data, struct spa_io_position *position)
{
	struct reader *reader = data;
	struct pw_buffer *buffer = pw_filter_dequeue_buffer(reader->port);
	struct spa_pod_control *control;

	if (!buffer)
		return;

	const struct spa_data *d = &buffer->buffer->datas[0];
	struct spa_pod *pod =
		spa_pod_from_data(d->data, d->maxsize, d->chunk->offset, d->chunk->size);

	if (pod && spa_pod_is_sequence(pod)) {
		SPA_POD_SEQUENCE_FOREACH((struct spa_pod_sequence *)pod, control)
		if (control->type == SPA_CONTROL_OSC)
			print_packet(position->clock.position + control->offset,
				     SPA_POD_BODY(&control->value),
				     SPA_POD_BODY_SIZE(&control->value));
	}
	pw_filter_queue_buffer(reader->port, buffer);
	fflush(stdout);
}

static const struct pw_filter_events events = {
	PW_VERSION_FILTER_EVENTS,
	.process = on_process,
};

static void on_signal(void *data, int number)
{
	struct reader *reader = data;

	(void)number;
	pw_main_loop_quit(reader->loop);
}

int main(int argc, char *argv[])
{
	struct reader reader = { 0 };
	uint8_t memory[256];
	struct spa_pod_builder builder = SPA_POD_BUILDER_INIT(memory, sizeof(memory));
	/* What comes in goes through a mixer, whose 8192 bytes are few for many fields. */
	const struct spa_pod *buffers = spa_pod_builder_add_object(
		&builder, SPA_TYPE_OBJECT_ParamBuffers, SPA_PARAM_Buffers, SPA_PARAM_BUFFERS_size,
		SPA_POD_CHOICE_RANGE_Int(MAX_BYTES, MAX_BYTES, INT32_MAX));

	pw_init(&argc, &argv);
	reader.loop = pw_main_loop_new(NULL);
	pw_loop_add_signal(pw_main_loop_get_loop(reader.loop), SIGINT, on_signal, &reader);
	pw_loop_add_signal(pw_main_loop_get_loop(reader.loop), SIGTERM, on_signal, &reader);
	reader.filter = pw_filter_new_simple(
		pw_main_loop_get_loop(reader.loop), "read-reports",
		pw_properties_new(PW_KEY_NODE_NAME, "read-reports", NULL), &events, &reader);
	reader.port = pw_filter_add_port(reader.filter, PW_DIRECTION_INPUT,
					 PW_FILTER_PORT_FLAG_MAP_BUFFERS, sizeof(void *),
					 pw_properties_new(PW_KEY_FORMAT_DSP, "8 bit raw control",
							   PW_KEY_PORT_NAME, "input", NULL),
					 &buffers, 1);
	if (!reader.port || pw_filter_connect(reader.filter, 0, NULL, 0) < 0) {
		fputs("read-reports: no connection to PipeWire. Is it running?\n", stderr);
		return 1;
	}
	pw_main_loop_run(reader.loop);
	pw_filter_destroy(reader.filter);
	pw_main_loop_destroy(reader.loop);
	pw_deinit();
	return 0;
}
