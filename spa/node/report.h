/* SPDX-License-Identifier: MIT */
#ifndef WEIR_SPA_REPORT_H
#define WEIR_SPA_REPORT_H

#include "dsp/unit.h"

/*
 * A unit's reports as OSC in a control buffer.
 *
 * Each report becomes one OSC bundle with a message /UNIT/FIELD and its floats
 * for every field that has a value; each event a message of its own, with the
 * seconds by which it preceded the report. Both carry the frame of the report
 * as offset.
 *
 * The messages are encoded once, with zeros, so that the data thread only
 * copies them and fills in the floats.
 */

struct report_message {
	uint8_t *bytes; /* OSC, on the heap */
	uint32_t size;
	uint32_t n_floats; /* the last 4 * n_floats bytes */
	bool event;
};

struct report_writer {
	struct report_message message[WEIR_MAX_FIELDS];
	uint32_t n_messages;
	uint8_t *bundle_head; /* "#bundle" and the time tag "immediately" */
	uint32_t bundle_head_size;
	char *names; /* of all fields, with spaces between them */
};

/* Returns 0 or -errno; then finish is due as well. */
int report_writer_init(struct report_writer *writer, const struct weir_unit *unit);
void report_writer_finish(struct report_writer *writer);

/* The bytes that n_reports can take at most. */
uint32_t report_writer_size(const struct report_writer *writer, uint32_t n_reports);

/* Writes a spa_pod_sequence, and returns its size in bytes: reports that do not fit are omitted. */
WEIR_REALTIME uint32_t report_writer_run(const struct report_writer *writer,
					 const struct weir_reports *reports, void *bytes,
					 uint32_t size);

#endif
