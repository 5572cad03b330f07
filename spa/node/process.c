/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <spa/node/node.h>
#include <string.h>

#include "engine.h"

/* An input that has nothing for this cycle is silent. */
static WEIR_REALTIME float *input_take(const struct engine_port *port, uint32_t n_frames,
				       float *silence)
{
	struct spa_io_buffers *io = port->io;
	float *samples = silence;

	if (!io)
		return silence;
	if (io->status == SPA_STATUS_HAVE_DATA && io->buffer_id < port->n_buffers) {
		const struct spa_data *data = &port->buffers[io->buffer_id]->datas[0];
		const struct spa_chunk *chunk = data->chunk;

		if (!(chunk->flags & SPA_CHUNK_FLAG_EMPTY) && chunk->offset <= data->maxsize &&
		    chunk->size >= n_frames * sizeof(float) &&
		    data->maxsize - chunk->offset >= n_frames * sizeof(float))
			samples = SPA_PTROFF(data->data, chunk->offset, float);
	}
	io->status = SPA_STATUS_NEED_DATA;
	return samples;
}

/*
 * Returns NULL when the port is not linked, its last output has not been consumed, or no buffer is
 * free. The buffers are used in turn: over an async link the consumer reads the buffer of the last
 * cycle during this one.
 */
static WEIR_REALTIME struct spa_data *output_take(struct engine_port *port)
{
	struct spa_io_buffers *io = port->io;

	if (!io || !port->n_buffers || io->status == SPA_STATUS_HAVE_DATA)
		return NULL;
	if (io->buffer_id < port->n_buffers)
		port->free_buffers |= (uint64_t)1 << io->buffer_id;
	io->buffer_id = SPA_ID_INVALID;
	if (!port->free_buffers) {
		io->status = -EPIPE;
		return NULL;
	}
	do
		port->latest_buffer = (port->latest_buffer + 1) % port->n_buffers;
	while (!(port->free_buffers >> port->latest_buffer & 1));
	io->buffer_id = port->latest_buffer;
	io->status = SPA_STATUS_HAVE_DATA;
	port->free_buffers &= ~((uint64_t)1 << io->buffer_id);
	return &port->buffers[io->buffer_id]->datas[0];
}

WEIR_REALTIME int engine_port_reuse_buffer(struct engine_port *port, uint32_t buffer_id)
{
	if (buffer_id >= port->n_buffers)
		return -EINVAL;
	port->free_buffers |= (uint64_t)1 << buffer_id;
	return 0;
}

static WEIR_REALTIME void chunk_fill(struct spa_data *data, uint32_t size, uint32_t stride)
{
	*data->chunk = (struct spa_chunk){ .size = size, .stride = (int32_t)stride };
}

static WEIR_REALTIME void latency_store(struct engine *engine, const void *state)
{
	const struct weir_unit *unit = engine->unit;

	for (uint32_t i = 0; i < engine->n_ports[SPA_DIRECTION_INPUT]; i++) {
		const struct weir_latency latency = state && unit->get_latency
							    ? unit->get_latency(state, i)
							    : (struct weir_latency){ 0 };

		atomic_store_explicit(&engine->total_latency[i], latency.total,
				      memory_order_relaxed);
		atomic_store_explicit(&engine->min_latency[i], latency.minimum,
				      memory_order_relaxed);
	}
}

WEIR_REALTIME void engine_run_unit(struct engine *engine, void *state, float *const audio[],
				   uint32_t n_frames, struct weir_reports *reports)
{
	const struct weir_unit *unit = engine->unit;
	float control[WEIR_MAX_PORTS];
	float *port[WEIR_MAX_PORTS];

	for (uint32_t i = 0; i < unit->n_ports; i++) {
		const enum weir_port_type type = unit->ports[i].type;

		control[i] = atomic_load_explicit(&engine->control[i], memory_order_relaxed);
		port[i] = type == WEIR_AUDIO_IN || type == WEIR_AUDIO_OUT ? audio[i] : &control[i];
	}
	weir_unit_run(unit, state, port, n_frames, reports);
	latency_store(engine, state);
	for (uint32_t i = 0; i < unit->n_ports; i++)
		if (unit->ports[i].type == WEIR_CONTROL_OUT)
			atomic_store_explicit(&engine->control[i], control[i],
					      memory_order_relaxed);
}

static WEIR_REALTIME void outputs_silence(const struct engine *engine, float *const audio[],
					  uint32_t n_frames)
{
	for (uint32_t i = 0; i < engine->n_ports[SPA_DIRECTION_OUTPUT]; i++)
		memset(audio[engine->ports[SPA_DIRECTION_OUTPUT][i].unit_port], 0,
		       n_frames * sizeof(float));
}

static WEIR_REALTIME void outputs_scale(struct engine *engine, float *const audio[],
					uint32_t n_frames)
{
	for (uint32_t i = 0; i < engine->volume.n_channels; i++)
		volume_run(&engine->volume, i, engine->rate,
			   audio[engine->ports[SPA_DIRECTION_OUTPUT][i].unit_port], n_frames);
}

/* Gives silence until the state is made for the graph's rate. */
static WEIR_REALTIME void run(struct engine *engine, float *const audio[], uint32_t n_frames,
			      struct weir_reports *reports)
{
	const uint32_t rate = engine->position ? engine->position->clock.rate.denom : engine->rate;
	const bool fits = rate == engine->rate;

	atomic_store_explicit(&engine->wanted_rate, fits ? 0 : rate, memory_order_relaxed);
	if (fits)
		engine_run_unit(engine, engine->state, audio, n_frames, reports);
	else
		outputs_silence(engine, audio, n_frames);
}

static WEIR_REALTIME uint32_t cycle_frames(const struct engine *engine)
{
	const uint64_t duration = engine->position ? engine->position->clock.duration : 0;

	return (uint32_t)SPA_MIN(duration, (uint64_t)engine->quantum_limit);
}

WEIR_REALTIME int engine_process(struct engine *engine)
{
	const uint32_t n_frames = cycle_frames(engine);
	float *audio[WEIR_MAX_PORTS];

	for (uint32_t i = 0; i < engine->n_ports[SPA_DIRECTION_INPUT]; i++) {
		const struct engine_port *port = &engine->ports[SPA_DIRECTION_INPUT][i];

		audio[port->unit_port] = input_take(port, n_frames, engine->silence);
	}
	for (uint32_t i = 0; i < engine->n_ports[SPA_DIRECTION_OUTPUT]; i++) {
		struct engine_port *port = &engine->ports[SPA_DIRECTION_OUTPUT][i];
		struct spa_data *data = output_take(port);

		audio[port->unit_port] =
			data ? data->data : engine->discard + (size_t)i * engine->quantum_limit;
		if (data)
			chunk_fill(data, n_frames * sizeof(float), sizeof(float));
	}

	struct spa_data *report = output_take(&engine->report);

	engine->reports->n = 0;
	run(engine, audio, n_frames, report ? engine->reports : NULL);
	outputs_scale(engine, audio, n_frames);
	if (report)
		chunk_fill(report,
			   report_writer_run(&engine->report_writer, engine->reports, report->data,
					     report->maxsize),
			   1);
	return SPA_STATUS_HAVE_DATA | SPA_STATUS_NEED_DATA;
}
