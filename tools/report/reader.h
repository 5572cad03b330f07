/* SPDX-License-Identifier: MIT */
#ifndef WEIR_REPORT_READER_H
#define WEIR_REPORT_READER_H

#include <pipewire/filter.h>
#include <stdatomic.h>

#include "fifo.h"
#include "graph/link.h"
#include "tools/session/session.h"

/*
 * Reads the report port of one node: a node of our own with one port, linked to the report port
 * whenever that is there. The graph does not wait for the reader (PipeWire 1.2 or newer): a reader
 * that is stopped does not stop the sound.
 */

struct reader {
	struct session *session;
	const char *name; /* of our own node */

	/* From the loop, when reader_next has something to return. */
	void (*filled)(void *data);
	void *data;

	struct pw_filter *filter; /* NULL: there is no connection */
	struct spa_hook listener;
	void *port;
	struct spa_source *arrived;
	struct fifo fifo;
	struct weir_link *link;
	uint64_t report_serial; /* the port that link is from */
	void *controls;		/* of the entry that is read */
	uint64_t last_frame, entry_frames;
	atomic_bool skips; /* the next cycle that has reports; cleared by the data thread */
};

/* Ends the program when there is no memory. */
void reader_init(struct reader *reader, struct session *session, const char *name);
void reader_finish(struct reader *reader);

/* When the graph has changed: the report port to read, NULL: absent. */
void reader_set_port(struct reader *reader, const struct weir_registry_object *port);
/* Skips the next cycle that has reports. */
void reader_skip_cycle(struct reader *reader);
/* When the connection is lost, or the program is about to stop. */
void reader_disconnect(struct reader *reader);

bool reader_is_linked(const struct reader *reader);

struct reading {
	double t;	      /* s of the graph */
	uint64_t lost;	      /* reports before this one that could not be read */
	const void *controls; /* for fields_read */
	uint32_t size;
};

/* False when there is no report. */
bool reader_next(struct reader *reader, struct reading *reading);

#endif
