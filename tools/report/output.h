/* SPDX-License-Identifier: MIT */
#ifndef WEIR_REPORT_OUTPUT_H
#define WEIR_REPORT_OUTPUT_H

#include <pipewire/pipewire.h>
#include <stdbool.h>
#include <stdio.h>

#include "fields.h"
#include "filter.h"
#include "osc.h"

/*
 * Reports as JSON lines on standard output, without waiting for the program that reads them; or as
 * OSC.
 */
struct output {
	const struct filter *filter;
	struct osc *osc; /* NULL: JSON lines */

	FILE *file; /* of lines that output_flush writes */
	char *text;
	size_t size, written;

	struct pw_loop *loop;
	struct spa_source *source;
	bool waiting;

	void (*writable)(void *data);	       /* from the loop: all was flushed */
	void (*closed)(void *data, int error); /* errno, EPIPE: the reader has ended */
	void *data;
};

/* osc NULL: as JSON lines. Ends the program if there is no memory. */
void output_init(struct output *output, struct pw_loop *loop, const struct filter *filter,
		 struct osc *osc);
void output_finish(struct output *output);

/* The parts of the report of time t, s. Fields are output once. */
void output_add_lost(struct output *output, double t, uint64_t lost);
void output_add_fields(struct output *output, struct fields *fields, double t);
void output_add_events(struct output *output, const struct fields *fields, double t);
void output_end_report(struct output *output);

/* False: the reader is slow. Nothing may be added until `writable` is called. */
bool output_flush(struct output *output);

#endif
