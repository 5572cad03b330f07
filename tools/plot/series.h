/* SPDX-License-Identifier: MIT */
#ifndef WEIR_PLOT_SERIES_H
#define WEIR_PLOT_SERIES_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* The fields and events of a report that was written as JSON lines, each over time. */

#define SERIES_MAX 128
#define SERIES_NAME 48 /* bytes */

struct series {
	char name[SERIES_NAME];
	uint32_t count; /* values at a time; 0: an event */
	size_t n, room;
	double *t;    /* n, s */
	float *value; /* n times count; NAN where there is none */
};

struct report {
	struct series series[SERIES_MAX];
	uint32_t n;
	double begin, end; /* s */
};

/*
 * Ends the program with a message when the file cannot be read, or no line of it is a report. Warns
 * of what it skips: lines that are no reports, and fields whose count changes.
 */
void report_read(struct report *report, const char *path);
void report_finish(struct report *report);

/* NULL when there is none. */
struct series *report_find(struct report *report, const char *name);

#endif
