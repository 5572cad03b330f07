/* SPDX-License-Identifier: MIT */
#include "fields.h"

#include <endian.h>
#include <math.h>
#include <spa/control/control.h>
#include <spa/pod/pod.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUNDLE_HEAD 16 /* "#bundle" and a time tag */

/* An OSC message, taken apart. */
struct message {
	const char *address;
	const char *name; /* the last part of its address */
	const uint8_t *value;
	uint32_t count;
};

void fields_finish(struct fields *fields)
{
	for (uint32_t i = 0; i < fields->n; i++)
		free(fields->field[i].value);
}

struct field *fields_find(struct fields *fields, const char *name)
{
	for (uint32_t i = 0; i < fields->n; i++)
		if (strcmp(fields->field[i].name, name) == 0)
			return &fields->field[i];
	return NULL;
}

static float read_float(const uint8_t *bytes)
{
	uint32_t word;
	float value;

	memcpy(&word, bytes, sizeof(word));
	word = be32toh(word);
	memcpy(&value, &word, sizeof(value));
	return value;
}

/* The size of a string with its padding, 0 when it does not end. */
static uint32_t string_size(const uint8_t *bytes, uint32_t size)
{
	const uint32_t length = (uint32_t)strnlen((const char *)bytes, size);
	const uint32_t padded = (length / 4 + 1) * 4;

	return length < size && padded <= size ? padded : 0;
}

static bool is_name(const char *name)
{
	const size_t length = strlen(name);

	return length > 0 && length < FIELD_MAX_NAME &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") ==
		       length;
}

/* Only floats: units report nothing else. */
static bool message_read(struct message *message, const uint8_t *bytes, uint32_t size)
{
	const uint32_t path = string_size(bytes, size);
	const uint32_t tags = path ? string_size(bytes + path, size - path) : 0;
	const char *slash = tags ? strrchr((const char *)bytes, '/') : NULL;

	if (!slash || bytes[path] != ',' || !is_name(slash + 1))
		return false;
	message->address = (const char *)bytes;
	message->name = slash + 1;
	message->count = (uint32_t)strspn((const char *)bytes + path + 1, "f");
	message->value = bytes + path + tags;
	return message->count > 0 && !bytes[path + 1 + message->count] &&
	       message->count <= (size - path - tags) / 4;
}

/* The unit of the address "/UNIT/FIELD", or of another address one that has such a field. */
static const struct weir_unit *find_unit(const struct message *message)
{
	char name[FIELD_MAX_NAME];

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(message->address + 1, "/"),
		 message->address + 1);

	const struct weir_unit *unit = weir_unit_find(name);

	if (unit)
		return unit;
	for (uint32_t i = 0; (unit = weir_unit_get(i)); i++)
		if (weir_unit_find_field(unit, message->name))
			break;
	return unit;
}

static struct field *field_get(struct fields *fields, const struct message *message)
{
	struct field *field = fields_find(fields, message->name);

	if (!field && fields->n < FIELDS_MAX) {
		field = &fields->field[fields->n++];
		if (!fields->unit)
			fields->unit = find_unit(message);
		*field = (struct field){ 0 };
		if (fields->unit)
			field->known = weir_unit_find_field(fields->unit, message->name);
		strcpy(field->name, message->name);
	}
	if (field && field->count != message->count) {
		float *value = realloc(field->value, message->count * sizeof(*value));

		if (!value)
			return NULL;
		field->value = value;
		field->count = message->count;
		field->fresh = false;
	}
	return field;
}

static void read_field(struct fields *fields, double t, const uint8_t *bytes, uint32_t size)
{
	struct message message;
	struct field *field = NULL;
	bool is_held;

	if (message_read(&message, bytes, size))
		field = field_get(fields, &message);
	if (!field)
		return;
	is_held = fields->hold && field->known && field->known->hold && field->fresh;
	for (uint32_t i = 0; i < message.count; i++) {
		const float value = read_float(message.value + 4 * i);

		field->value[i] = is_held ? fmaxf(field->value[i], value) : value;
	}
	field->t = t;
	field->fresh = true;
}

static void read_bundle(struct fields *fields, double t, const uint8_t *bytes, uint32_t size)
{
	uint32_t at = BUNDLE_HEAD, length;

	for (; at + 4 <= size; at += 4 + length) {
		memcpy(&length, bytes + at, sizeof(length));
		length = be32toh(length);
		if (length > size - at - 4)
			return;
		read_field(fields, t, bytes + at + 4, length);
	}
}

static void add_event(struct fields *fields, const struct message *message)
{
	struct field_event *event = &fields->event[fields->n_events];

	if (fields->n_events == FIELDS_MAX_EVENTS)
		return;
	fields->n_events++;
	strcpy(event->name, message->name);
	event->seconds = read_float(message->value);
}

static void read_packet(struct fields *fields, double t, const uint8_t *bytes, uint32_t size)
{
	struct message message;

	if (size >= BUNDLE_HEAD && memcmp(bytes, "#bundle", 8) == 0)
		read_bundle(fields, t, bytes, size);
	else if (message_read(&message, bytes, size))
		add_event(fields, &message);
}

void fields_read(struct fields *fields, double t, const void *controls, uint32_t size)
{
	const uint8_t *bytes = controls;
	struct spa_pod_control control;

	fields->n_events = 0;
	for (uint32_t at = 0; at <= size && size - at >= sizeof(control);
	     at += (uint32_t)sizeof(control) + SPA_ROUND_UP_N(control.value.size, 8)) {
		memcpy(&control, bytes + at, sizeof(control));
		if (control.value.size > size - at - sizeof(control))
			return;
		if (control.type == SPA_CONTROL_OSC && control.value.type == SPA_TYPE_Bytes)
			read_packet(fields, t, bytes + at + sizeof(control), control.value.size);
	}
}
