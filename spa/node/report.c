/* SPDX-License-Identifier: MIT */
#include "report.h"

#include <endian.h>
#include <errno.h>
#include <lo/lo.h>
#include <spa/control/control.h>
#include <spa/pod/pod.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PATH 128

/* Where the next control is written: bytes + used. */
struct cursor {
	uint8_t *bytes;
	uint32_t used, size;
};

static int message_encode(struct report_message *message, const struct weir_unit *unit,
			  const struct weir_field *field)
{
	char path[MAX_PATH];
	size_t size;
	lo_message lo = lo_message_new();

	if (!lo)
		return -ENOMEM;
	for (uint32_t i = 0; i < field->count; i++)
		lo_message_add_float(lo, 0.0f);
	snprintf(path, sizeof(path), "/%s/%s", unit->name, field->name);
	message->bytes = lo_message_serialise(lo, path, NULL, &size);
	message->size = (uint32_t)size;
	message->n_floats = field->count;
	message->event = field->event;
	lo_message_free(lo);
	return message->bytes ? 0 : -ENOMEM;
}

static int bundle_head_encode(struct report_writer *writer)
{
	size_t size;
	lo_bundle bundle = lo_bundle_new(LO_TT_IMMEDIATE);

	if (!bundle)
		return -ENOMEM;
	writer->bundle_head = lo_bundle_serialise(bundle, NULL, &size);
	writer->bundle_head_size = (uint32_t)size;
	lo_bundle_free(bundle);
	return writer->bundle_head ? 0 : -ENOMEM;
}

static int names_join(struct report_writer *writer, const struct weir_unit *unit)
{
	size_t size = 1, used = 0;

	for (uint32_t i = 0; i < unit->n_fields; i++)
		size += strlen(unit->fields[i].name) + 1;
	writer->names = calloc(1, size);
	for (uint32_t i = 0; writer->names && i < unit->n_fields; i++)
		used += (size_t)snprintf(writer->names + used, size - used, "%s%s", i ? " " : "",
					 unit->fields[i].name);
	return writer->names ? 0 : -ENOMEM;
}

int report_writer_init(struct report_writer *writer, const struct weir_unit *unit)
{
	int res = bundle_head_encode(writer);

	if (res == 0)
		res = names_join(writer, unit);
	for (; res == 0 && writer->n_messages < unit->n_fields; writer->n_messages++)
		res = message_encode(&writer->message[writer->n_messages], unit,
				     &unit->fields[writer->n_messages]);
	return res;
}

void report_writer_finish(struct report_writer *writer)
{
	free(writer->bundle_head);
	free(writer->names);
	for (uint32_t i = 0; i < writer->n_messages; i++)
		free(writer->message[i].bytes);
}

uint32_t report_writer_size(const struct report_writer *writer, uint32_t n_reports)
{
	uint32_t size =
		SPA_ROUND_UP_N(sizeof(struct spa_pod_control) + writer->bundle_head_size, 8);

	for (uint32_t i = 0; i < writer->n_messages; i++)
		size += SPA_ROUND_UP_N(sizeof(struct spa_pod_control) + writer->message[i].size, 8);
	return (uint32_t)sizeof(struct spa_pod_sequence) + n_reports * size;
}

/* Returns the bytes of a control with `size` bytes, or NULL when there is no room. */
static WEIR_REALTIME uint8_t *cursor_push(struct cursor *cursor, uint32_t offset, uint32_t size)
{
	const uint32_t padded = (uint32_t)sizeof(struct spa_pod_control) + SPA_ROUND_UP_N(size, 8);

	if (cursor->size - cursor->used < padded)
		return NULL;

	struct spa_pod_control *control = (struct spa_pod_control *)(cursor->bytes + cursor->used);

	cursor->used += padded;
	*control = (struct spa_pod_control){
		.offset = offset,
		.type = SPA_CONTROL_OSC,
		.value = { size, SPA_TYPE_Bytes },
	};
	memset((uint8_t *)(control + 1) + (size & ~7u), 0,
	       padded - sizeof(*control) - (size & ~7u));
	return (uint8_t *)(control + 1);
}

static WEIR_REALTIME void message_fill(const struct report_message *message, uint8_t *to,
				       const float *value)
{
	const uint32_t head = message->size - 4 * message->n_floats;

	memcpy(to, message->bytes, head);
	for (uint32_t i = 0; i < message->n_floats; i++) {
		uint32_t word;

		memcpy(&word, &value[i], sizeof(word));
		word = htobe32(word);
		memcpy(to + head + 4 * i, &word, sizeof(word));
	}
}

static WEIR_REALTIME bool is_present(const struct weir_report *report, uint32_t field)
{
	return report->present >> field & 1;
}

static WEIR_REALTIME void write_bundle(const struct report_writer *writer, struct cursor *cursor,
				       const struct weir_report *report)
{
	uint32_t size = writer->bundle_head_size;
	const float *value = report->value;

	for (uint32_t i = 0; i < writer->n_messages; i++)
		if (is_present(report, i) && !writer->message[i].event)
			size += 4 + writer->message[i].size;
	if (size == writer->bundle_head_size)
		return;

	uint8_t *to = cursor_push(cursor, report->frame, size);

	if (!to)
		return;
	memcpy(to, writer->bundle_head, writer->bundle_head_size);
	to += writer->bundle_head_size;
	for (uint32_t i = 0; i < writer->n_messages; value += writer->message[i++].n_floats) {
		const struct report_message *message = &writer->message[i];
		const uint32_t length = htobe32(message->size);

		if (!is_present(report, i) || message->event)
			continue;
		memcpy(to, &length, sizeof(length));
		message_fill(message, to + 4, value);
		to += 4 + message->size;
	}
}

static WEIR_REALTIME void write_events(const struct report_writer *writer, struct cursor *cursor,
				       const struct weir_report *report)
{
	const float *value = report->value;

	for (uint32_t i = 0; i < writer->n_messages; value += writer->message[i++].n_floats) {
		const struct report_message *message = &writer->message[i];

		if (!is_present(report, i) || !message->event)
			continue;

		uint8_t *to = cursor_push(cursor, report->frame, message->size);

		if (to)
			message_fill(message, to, value);
	}
}

/*
 * Written by hand and not with spa_pod_builder, whose overflow callback could be
 * anything: this one has no callbacks.
 */
WEIR_REALTIME uint32_t report_writer_run(const struct report_writer *writer,
					 const struct weir_reports *reports, void *bytes,
					 uint32_t size)
{
	struct spa_pod_sequence *sequence = bytes;
	struct cursor cursor = { bytes, sizeof(*sequence), size };

	if (size < sizeof(*sequence))
		return 0;
	for (uint32_t i = 0; i < reports->n; i++) {
		write_bundle(writer, &cursor, &reports->report[i]);
		write_events(writer, &cursor, &reports->report[i]);
	}
	*sequence = (struct spa_pod_sequence){
		.pod = { cursor.used - (uint32_t)sizeof(sequence->pod), SPA_TYPE_Sequence },
	};
	return cursor.used;
}
