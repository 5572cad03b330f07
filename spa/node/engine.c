/* SPDX-License-Identifier: MIT */
#include "engine.h"

#include <errno.h>
#include <spa/node/node.h>
#include <stdlib.h>

/* Calls fn in the data thread between two cycles, and waits for it. */
static void invoke(struct engine *engine, spa_invoke_func_t fn, void *argument)
{
	if (engine->data_loop)
		spa_loop_invoke(engine->data_loop, fn, 0, NULL, 0, true, argument);
	else
		fn(NULL, false, 0, NULL, 0, argument);
}

static void audio_ports_init(struct engine *engine)
{
	for (uint32_t i = 0; i < engine->unit->n_ports; i++) {
		const enum weir_port_type type = engine->unit->ports[i].type;
		const enum spa_direction direction =
			type == WEIR_AUDIO_IN ? SPA_DIRECTION_INPUT : SPA_DIRECTION_OUTPUT;

		if (type == WEIR_AUDIO_IN || type == WEIR_AUDIO_OUT)
			engine->ports[direction][engine->n_ports[direction]++].unit_port = i;
	}
}

int engine_init(struct engine *engine, const struct weir_unit *unit, struct spa_loop *data_loop,
		uint32_t quantum_limit)
{
	engine->unit = unit;
	engine->data_loop = data_loop;
	engine->quantum_limit = quantum_limit;
	for (uint32_t i = 0; i < unit->n_ports; i++)
		engine->control[i] = unit->ports[i].def;
	audio_ports_init(engine);
	engine->silence = calloc(
		(size_t)(1 + engine->n_ports[SPA_DIRECTION_OUTPUT]) * quantum_limit, sizeof(float));
	engine->reports = weir_reports_create_for(unit, WEIR_MIN_RATE, quantum_limit);
	if (!engine->silence || !engine->reports)
		return -ENOMEM;
	engine->discard = engine->silence + quantum_limit;
	return report_writer_init(&engine->report_writer, unit);
}

void engine_finish(struct engine *engine)
{
	if (engine->state)
		engine->unit->destroy(engine->state);
	report_writer_finish(&engine->report_writer);
	free(engine->reports);
	free(engine->silence);
}

struct values_save {
	const struct engine *engine;
	float *values;
};

static WEIR_REALTIME int values_save(struct spa_loop *loop, bool async, uint32_t seq,
				     const void *data, size_t size, void *argument)
{
	struct values_save *save = argument;

	(void)loop, (void)async, (void)seq, (void)data, (void)size;
	save->engine->unit->save_state(save->engine->state, save->values);
	return 0;
}

void engine_save_state(struct engine *engine, float *values)
{
	struct values_save save = { engine, values };

	if (engine->unit->save_state && engine->state)
		invoke(engine, values_save, &save);
}

struct state_swap {
	struct engine *engine;
	void *state;
	uint32_t rate;
};

static WEIR_REALTIME int state_swap(struct spa_loop *loop, bool async, uint32_t seq,
				    const void *data, size_t size, void *argument)
{
	struct state_swap *swap = argument;
	struct engine *engine = swap->engine;
	const struct state_swap old = { engine, engine->state, engine->rate };

	(void)loop, (void)async, (void)seq, (void)data, (void)size;
	engine->state = swap->state;
	engine->rate = swap->rate;
	*swap = old;
	return 0;
}

/* Of a state that no cycle has run yet. */
static void control_outputs_update(struct engine *engine, void *state)
{
	float *audio[WEIR_MAX_PORTS];

	for (uint32_t i = 0; i < engine->unit->n_ports; i++)
		audio[i] = engine->silence;
	engine_run_unit(engine, state, audio, 0, NULL);
}

int engine_set_rate(struct engine *engine, uint32_t rate, float *values)
{
	const struct weir_unit *unit = engine->unit;
	struct state_swap swap = { engine, unit->create(rate), rate };
	const int res = swap.state ? 0 : -errno;
	void *state = swap.state;

	engine_save_state(engine, values);
	if (state) {
		if (unit->restore_state)
			unit->restore_state(state, values);
		control_outputs_update(engine, state);
	}
	invoke(engine, state_swap, &swap);
	if (!state)
		control_outputs_update(engine, NULL);
	if (swap.state)
		unit->destroy(swap.state);
	return res;
}

/* Before the first cycle clock.rate may still be that of the last one. */
uint32_t engine_get_next_rate(const struct engine *engine)
{
	const struct spa_io_clock *clock = engine->position ? &engine->position->clock : NULL;

	if (clock && clock->target_rate.denom)
		return clock->target_rate.denom;
	return clock && clock->rate.denom ? clock->rate.denom : engine->rate;
}

void engine_reset(struct engine *engine, const float *values)
{
	struct state_swap swap = { .engine = engine };

	if (!engine->state)
		return;
	invoke(engine, state_swap, &swap);
	engine->unit->reset(swap.state);
	if (engine->unit->restore_state)
		engine->unit->restore_state(swap.state, values);
	invoke(engine, state_swap, &swap);
}

struct position_change {
	struct engine *engine;
	const struct spa_io_position *position;
};

static WEIR_REALTIME int position_change(struct spa_loop *loop, bool async, uint32_t seq,
					 const void *data, size_t size, void *argument)
{
	const struct position_change *change = argument;

	(void)loop, (void)async, (void)seq, (void)data, (void)size;
	change->engine->position = change->position;
	return 0;
}

void engine_set_position(struct engine *engine, const struct spa_io_position *position)
{
	struct position_change change = { engine, position };

	invoke(engine, position_change, &change);
}

struct buffers_change {
	struct engine_port *port;
	struct spa_buffer **buffers;
	uint32_t n_buffers;
};

static WEIR_REALTIME int buffers_change(struct spa_loop *loop, bool async, uint32_t seq,
					const void *data, size_t size, void *argument)
{
	const struct buffers_change *change = argument;
	struct engine_port *port = change->port;

	(void)loop, (void)async, (void)seq, (void)data, (void)size;
	port->n_buffers = change->n_buffers;
	port->free_buffers = 0;
	for (uint32_t i = 0; i < change->n_buffers; i++) {
		port->buffers[i] = change->buffers[i];
		port->free_buffers |= (uint64_t)1 << i;
	}
	return 0;
}

void engine_port_set_buffers(struct engine *engine, struct engine_port *port,
			     struct spa_buffer *buffers[], uint32_t n_buffers)
{
	struct buffers_change change = { port, buffers, n_buffers };

	invoke(engine, buffers_change, &change);
}

struct io_change {
	struct engine_port *port;
	struct spa_io_buffers *io;
};

static WEIR_REALTIME int io_change(struct spa_loop *loop, bool async, uint32_t seq,
				   const void *data, size_t size, void *argument)
{
	const struct io_change *change = argument;

	(void)loop, (void)async, (void)seq, (void)data, (void)size;
	change->port->io = change->io;
	return 0;
}

void engine_port_set_io(struct engine *engine, struct engine_port *port, struct spa_io_buffers *io)
{
	struct io_change change = { port, io };

	invoke(engine, io_change, &change);
}
