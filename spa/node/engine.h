/* SPDX-License-Identifier: MIT */
#ifndef WEIR_SPA_ENGINE_H
#define WEIR_SPA_ENGINE_H

#include <spa/node/io.h>
#include <spa/support/loop.h>
#include <stdatomic.h>

#include "dsp/unit.h"
#include "report.h"
#include "volume.h"

/*
 * What the data thread runs and owns: the unit's state and the buffers of its ports.
 *
 * process.c runs in the data thread, engine.c in the main thread. Each field belongs to one of
 * four kinds:
 *
 *   fixed     set by engine_init (data_loop: before the first cycle)
 *   invoked   changed by functions of engine.c, which have the data thread make the change between
 *             two cycles and wait for it; both threads may read the field
 *   private   the data thread alone reads and writes it, in each cycle
 *   atomic    one thread writes it, the other reads it; nothing is ordered by it
 */

#define ENGINE_MAX_BUFFERS 64

struct engine_port {
	uint32_t unit_port; /* fixed: index into the unit's ports; unused by the report */

	/* invoked */
	struct spa_io_buffers *io; /* NULL: not linked. What it points at is private */
	struct spa_buffer *buffers[ENGINE_MAX_BUFFERS];
	uint32_t n_buffers;

	/* private, outputs only; the first is set with the buffers */
	uint64_t free_buffers;	/* bit i is set while no consumer has buffer i */
	uint32_t latest_buffer; /* the last one that was written */
};

struct engine {
	/* fixed */
	const struct weir_unit *unit;
	struct spa_loop *data_loop; /* NULL: all is called from one thread */
	uint32_t quantum_limit;	    /* frames in one cycle, at most */
	uint32_t n_ports[2];	    /* audio ports, by spa_direction */
	struct report_writer report_writer;
	float *silence; /* quantum_limit zeros, never written: for inputs without sound */
	float *discard; /* behind silence, as many for each output: for outputs without a buffer */

	/* The n-th of a direction is the n-th audio port of the unit. */
	struct engine_port ports[2][WEIR_MAX_PORTS];
	struct engine_port report;

	/* invoked */
	void *state;   /* NULL: the unit cannot run at this rate, and sound passes through */
	uint32_t rate; /* Hz; 0: there is no state yet, and the outputs are silent */
	const struct spa_io_position *position;

	/* private */
	struct weir_reports *reports; /* of this cycle; fixed: the pointer and max */

	/*
	 * atomic: control inputs from the main thread. The others from the data thread, and from
	 * engine_set_rate, whose state has not run yet.
	 */
	_Atomic float control[WEIR_MAX_PORTS]; /* by port of the unit */
	_Atomic uint32_t total_latency[WEIR_MAX_PORTS], min_latency[WEIR_MAX_PORTS]; /* by input */
	_Atomic uint32_t wanted_rate; /* of the graph, when it is not `rate`; else 0 */

	struct volume volume; /* of the outputs; without channels when the node has no volume */
};

/*
 * Controls are at their defaults, the rate is 0. `engine` is all zero before; data_loop NULL: see
 * struct engine. Returns 0 or -errno; then engine_finish is due as well.
 */
int engine_init(struct engine *engine, const struct weir_unit *unit, struct spa_loop *data_loop,
		uint32_t quantum_limit);
void engine_finish(struct engine *engine);

/*
 * Makes a new state for this rate, which begins with the values that the old one saves. Without an
 * old one it begins with `values`, of which there are WEIR_MAX_STATE_VALUES.
 *
 * Returns 0, or -errno when the unit cannot run at this rate: sound then passes through.
 */
int engine_set_rate(struct engine *engine, uint32_t rate, float *values);

/* The rate of the first cycle after a start. */
uint32_t engine_get_next_rate(const struct engine *engine);

/*
 * Makes the state as if it were new, but for `values`. A cycle that runs meanwhile gives silence:
 * some states are tens of megabytes, so the main thread resets them.
 */
void engine_reset(struct engine *engine, const float *values);

/* Leaves `values` alone when there is no state, or the unit saves none. */
void engine_save_state(struct engine *engine, float *values);

void engine_set_position(struct engine *engine, const struct spa_io_position *position);
void engine_port_set_buffers(struct engine *engine, struct engine_port *port,
			     struct spa_buffer *buffers[], uint32_t n_buffers);
void engine_port_set_io(struct engine *engine, struct engine_port *port, struct spa_io_buffers *io);

/* One cycle. Returns the status of spa_node_process. */
WEIR_REALTIME int engine_process(struct engine *engine);

/* Runs the unit with its controls: audio is by port of the unit. */
WEIR_REALTIME void engine_run_unit(struct engine *engine, void *state, float *const audio[],
				   uint32_t n_frames, struct weir_reports *reports);

/* The consumer of an output gives a buffer back. Returns 0 or -EINVAL. */
WEIR_REALTIME int engine_port_reuse_buffer(struct engine_port *port, uint32_t buffer_id);

#endif
