/* SPDX-License-Identifier: MIT */
#ifndef WEIR_REPORT_FIFO_H
#define WEIR_REPORT_FIFO_H

#include <spa/node/io.h>
#include <spa/utils/ringbuffer.h>
#include <stdbool.h>

#include "dsp/unit.h"

/*
 * What a report port sent, on its way from the data thread to the main thread. Neither waits for
 * the other: when there is no room whole hops are left out, and counted.
 */

#define HOPS_BYTES (1u << 20) /* 8 s of the most that a unit reports */

/* A hop: what was found at one frame. */
struct hop {
	uint64_t frame;	    /* the graph's */
	uint32_t rate;	    /* of the graph, Hz */
	uint32_t lost;	    /* hops that found no room before this one */
	uint64_t not_heard; /* frames before this one in which nobody listened */
	uint32_t size;	    /* of its controls, which follow */
};

struct hops {
	struct spa_ringbuffer ring;
	uint8_t *memory;
	bool restarted; /* by the main thread: time begins anew */
	bool late;	/* each cycle brings what was made in the one before */

	/* The data thread's. */
	struct hop next;
	uint32_t clock_id;
	uint64_t expected; /* where the graph's time continues, 0: anywhere */
	uint64_t position; /* where this cycle begins */
	uint64_t made;	   /* and where the one began that made what there is */
};

/* 0 or -errno. */
int hops_init(struct hops *hops, bool late);
void hops_finish(struct hops *hops);

/* Data thread: in every cycle. False: this cycle was seen before. */
WEIR_REALTIME bool hops_begin(struct hops *hops, const struct spa_io_clock *clock);

/*
 * Data thread: then what this cycle brought. Its memory is shared with who wrote it, and may change
 * while we read. Returns whether there is something new.
 */
WEIR_REALTIME bool hops_push(struct hops *hops, const void *sequence, uint32_t size);

/* Main thread: the next hop leaves gaps uncounted: nothing was to be heard. */
void hops_restart(struct hops *hops);

/* Main thread: false when there is none. `controls` has room for HOPS_BYTES. */
bool hops_pop(struct hops *hops, struct hop *hop, void *controls);

#endif
