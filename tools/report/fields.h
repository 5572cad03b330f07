/* SPDX-License-Identifier: MIT */
#ifndef WEIR_REPORT_FIELDS_H
#define WEIR_REPORT_FIELDS_H

#include <stdbool.h>
#include <stdint.h>

#include "dsp/unit.h"

/* The fields that a node reports as OSC messages: their names and latest values. */

#define FIELDS_MAX 128
#define FIELDS_MAX_EVENTS 32 /* in a hop */
#define FIELD_MAX_NAME 48

struct field {
	char name[FIELD_MAX_NAME];
	const struct weir_field *known; /* as its unit declares it; NULL: not declared */
	bool fresh;			/* the value is new; the reader of the value clears this */
	double t;			/* of its value, s of the graph */
	float *value;			/* count of them */
	uint32_t count;
};

struct field_event {
	char name[FIELD_MAX_NAME];
	float seconds; /* by which it preceded the hop */
};

struct fields {
	bool hold; /* fields that units mark as held keep their maximum while they are fresh */
	const struct weir_unit *unit; /* that reports, NULL: unknown */
	struct field field[FIELDS_MAX];
	uint32_t n;
	struct field_event event[FIELDS_MAX_EVENTS]; /* of the latest hop */
	uint32_t n_events;
};

void fields_finish(struct fields *fields);

/* Reads the controls of one hop, and skips malformed ones. */
void fields_read(struct fields *fields, double t, const void *controls, uint32_t size);

/* NULL when there is none. */
struct field *fields_find(struct fields *fields, const char *name);

#endif
