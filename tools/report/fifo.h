/* SPDX-License-Identifier: MIT */
#ifndef WEIR_REPORT_FIFO_H
#define WEIR_REPORT_FIFO_H

#include <spa/node/io.h>
#include <spa/utils/ringbuffer.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "dsp/unit.h"

/*
 * Reports on their way from the data thread to the main thread. Neither thread waits for the other:
 * entries that find no room are left out whole, and counted.
 */

#define FIFO_BYTES (1u << 20) /* 8 s of the largest reports of a unit */

/* The report of one frame: its hop of the analysis. */
struct fifo_entry {
	uint64_t frame;	 /* of the graph */
	uint32_t rate;	 /* of the graph, Hz */
	uint32_t lost;	 /* entries that found no room before this one */
	uint64_t missed; /* frames before this one that were not read */
	uint32_t size;	 /* bytes of its controls, which follow */
};

struct fifo {
	struct spa_ringbuffer ring;
	uint8_t *memory;
	atomic_bool restarted; /* set by the main thread: time begins anew */
	bool async;	       /* each cycle brings what the node made in the cycle before */

	/* The data thread's. */
	struct fifo_entry next;
	uint32_t clock_id;
	uint64_t expected;    /* where the graph's time continues, 0: anywhere */
	uint64_t position;    /* begin of this cycle */
	uint64_t report_base; /* begin of the cycle in which the node made its reports */
};

/* Returns 0 or -errno. */
int fifo_init(struct fifo *fifo, bool async);
void fifo_finish(struct fifo *fifo);

/* Data thread, first in every cycle. False: this cycle was seen before. */
WEIR_REALTIME bool fifo_begin(struct fifo *fifo, const struct spa_io_clock *clock);

/*
 * Data thread, after fifo_begin: adds the reports of this cycle. The memory of the sequence is
 * shared with the node that writes it, and may change meanwhile. Returns whether there is something
 * new.
 */
WEIR_REALTIME bool fifo_push(struct fifo *fifo, const void *sequence, uint32_t size);

/* Main thread: the gap before the next entry is not counted, for nothing was missed in it. */
void fifo_restart(struct fifo *fifo);

/* Main thread: false when there is no entry. `controls` has room for FIFO_BYTES. */
bool fifo_pop(struct fifo *fifo, struct fifo_entry *entry, void *controls);

#endif
