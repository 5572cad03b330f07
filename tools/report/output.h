/* SPDX-License-Identifier: MIT */
#ifndef WEIR_REPORT_OUTPUT_H
#define WEIR_REPORT_OUTPUT_H

#include <pipewire/pipewire.h>
#include <stdbool.h>
#include <stdio.h>

/* Standard output without waiting for who reads it. */
struct output {
	FILE *file; /* what is written here goes out with output_flush */
	char *text;
	size_t size, written;

	struct pw_loop *loop;
	struct spa_source *source;
	bool waiting;

	void (*writable)(void *data);	       /* from the loop: output_flush would be true again */
	void (*closed)(void *data, int error); /* an errno: EPIPE when nobody reads any more */
	void *data;
};

/* Ends the program when there is no memory. */
void output_init(struct output *output, struct pw_loop *loop);
/* Also tells when nobody reads any more while nothing is written. A file has no such thing. */
void output_listen(struct output *output);
void output_finish(struct output *output);

/* False: who reads is slow. More may be written when all that there was has gone out. */
bool output_flush(struct output *output);

#endif
