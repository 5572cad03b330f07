/* SPDX-License-Identifier: MIT */
#ifndef WEIR_REPORT_FIELDS_H
#define WEIR_REPORT_FIELDS_H

#include <stdbool.h>
#include <stdint.h>

#include "dsp/unit.h"

/* What a node reports, as its OSC messages tell: names, and the latest values. */

#define FIELDS_MAX 128
#define FIELDS_MAX_EVENTS 32 /* in a hop */
#define FIELD_MAX_NAME 48

struct field {
	char name[FIELD_MAX_NAME];
	const struct weir_field *known; /* as its unit declares it; NULL: none that we know */
	bool fresh;   /* has a value that nobody has taken yet: who takes it says so here */
	double t;     /* of its value, s of the graph */
	float *value; /* count of them */
	uint32_t count;
};

struct field_event {
	char name[FIELD_MAX_NAME];
	float seconds; /* by which it preceded the hop */
};

struct fields {
	bool hold; /* of what units mark so: while nobody takes it, the highest of all reports */
	const struct weir_unit *unit; /* that reports, NULL: none that we know */
	struct field field[FIELDS_MAX];
	uint32_t n;
	struct field_event event[FIELDS_MAX_EVENTS]; /* of the latest hop */
	uint32_t n_events;
};

void fields_finish(struct fields *fields);

/* Takes in the controls of one hop; what is malformed is left out. */
void fields_read(struct fields *fields, double t, const void *controls, uint32_t size);

/* NULL when there is none. */
struct field *fields_find(struct fields *fields, const char *name);

#endif
