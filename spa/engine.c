/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "node.h"

struct engine_swap {
	struct node *node;
	struct engine engine;
};

static WEIR_REALTIME int engine_swap(struct spa_loop *loop, bool async, uint32_t seq,
				     const void *data, size_t size, void *argument)
{
	struct engine_swap *swap = argument;
	const struct engine old = swap->node->engine;

	(void)loop, (void)async, (void)seq, (void)data, (void)size;
	swap->node->engine = swap->engine;
	swap->engine = old;
	return 0;
}

static void engine_destroy(struct node *node, struct engine *engine)
{
	if (engine->state)
		node->unit->destroy(engine->state);
}

static WEIR_REALTIME void latency_store(struct node *node, const void *state)
{
	for (uint32_t i = 0; i < node->n_ports[SPA_DIRECTION_INPUT]; i++) {
		const struct weir_latency latency = state && node->unit->get_latency
							    ? node->unit->get_latency(state, i)
							    : (struct weir_latency){ 0 };

		atomic_store_explicit(&node->total_latency[i], latency.total, memory_order_relaxed);
		atomic_store_explicit(&node->min_latency[i], latency.minimum, memory_order_relaxed);
	}
}

/* Asks the unit for its control outputs, which nothing has run yet. */
static void control_outputs_read(struct node *node, void *state)
{
	float control[WEIR_MAX_PORTS];
	float *port[WEIR_MAX_PORTS];

	for (uint32_t i = 0; i < node->unit->n_ports; i++) {
		control[i] = node->control[i];
		port[i] = &control[i];
	}
	weir_unit_run(node->unit, state, port, 0, NULL);
	latency_store(node, state);
	for (uint32_t i = 0; i < node->unit->n_ports; i++)
		if (node->unit->ports[i].type == WEIR_CONTROL_OUT)
			node->control[i] = control[i];
}

static WEIR_REALTIME int engine_save_state(struct spa_loop *loop, bool async, uint32_t seq,
					   const void *data, size_t size, void *argument)
{
	struct node *node = argument;

	(void)loop, (void)async, (void)seq, (void)data, (void)size;
	node->unit->save_state(node->engine.state, node->memory.value);
	return 0;
}

void engine_ask(struct node *node)
{
	if (node->unit->save_state && node->engine.state)
		node_in_data_thread(node, engine_save_state, node);
	node->unremembered = 0;
}

static WEIR_REALTIME void engine_restore_state(const struct node *node, void *state)
{
	if (node->unit->restore_state)
		node->unit->restore_state(state, node->memory.value);
}

/* At the rate of the engine that is to be replaced. */
static bool was_refused(const struct node *node)
{
	return !node->engine.state && node->engine.rate;
}

static void tell_refusal(struct node *node, uint32_t rate, int error)
{
	snprintf(node->state_text, sizeof(node->state_text),
		 "cannot run at %u Hz: sound passes through", rate);
	if (!was_refused(node) || node->engine.rate != rate)
		spa_log_error(node->log,
			      "weir.%s cannot run at %u Hz (%s): sound passes through it as it is. "
			      "Use another rate, for example "
			      "pw-metadata -n settings 0 clock.force-rate 48000",
			      node->unit->name, rate, strerror(error));
}

static void tell_success(struct node *node, uint32_t rate)
{
	snprintf(node->state_text, sizeof(node->state_text), "ready");
	if (was_refused(node))
		spa_log_info(node->log, "weir.%s runs again, at %u Hz", node->unit->name, rate);
}

void engine_rebuild(struct node *node, uint32_t rate)
{
	struct engine_swap swap = {
		.node = node,
		.engine = { .state = node->unit->create(rate), .rate = rate },
	};
	void *state = swap.engine.state;

	if (state)
		tell_success(node, rate);
	else
		tell_refusal(node, rate, errno);
	engine_ask(node);
	if (state) {
		engine_restore_state(node, state);
		control_outputs_read(node, state);
	}
	node_in_data_thread(node, engine_swap, &swap);
	if (!state)
		control_outputs_read(node, NULL);
	engine_destroy(node, &swap.engine);
	node_touch_state(node);
}

/*
 * Some states are tens of megabytes, so they are reset beside the data thread. If that runs the
 * node meanwhile, the node gives silence.
 */
void engine_begin(struct node *node)
{
	struct engine_swap swap = { .node = node };

	if (node->unit->continuous || !node->engine.state)
		return;
	node_in_data_thread(node, engine_swap, &swap);
	node->unit->reset(swap.engine.state);
	engine_restore_state(node, swap.engine.state);
	node_in_data_thread(node, engine_swap, &swap);
}

void engine_finish(struct node *node)
{
	engine_destroy(node, &node->engine);
}

static WEIR_REALTIME void outputs_silence(const struct weir_unit *unit, float *const audio[],
					  uint32_t n_frames)
{
	for (uint32_t i = 0; i < unit->n_ports; i++)
		if (unit->ports[i].type == WEIR_AUDIO_OUT)
			memset(audio[i], 0, n_frames * sizeof(float));
}

WEIR_REALTIME void engine_run(struct node *node, float *const audio[], uint32_t n_frames,
			      struct weir_reports *reports)
{
	const struct weir_unit *unit = node->unit;
	const uint32_t rate = node->position ? node->position->clock.rate.denom : node->engine.rate;
	const bool fits = rate == node->engine.rate;
	float control[WEIR_MAX_PORTS];
	float *port[WEIR_MAX_PORTS];

	atomic_store_explicit(&node->wanted_rate, fits ? 0 : rate, memory_order_relaxed);
	if (!fits) {
		outputs_silence(unit, audio, n_frames);
		return;
	}
	for (uint32_t i = 0; i < unit->n_ports; i++) {
		const enum weir_port_type type = unit->ports[i].type;

		control[i] = atomic_load_explicit(&node->control[i], memory_order_relaxed);
		port[i] = type == WEIR_AUDIO_IN || type == WEIR_AUDIO_OUT ? audio[i] : &control[i];
	}
	weir_unit_run(unit, node->engine.state, port, n_frames, reports);
	latency_store(node, node->engine.state);
	for (uint32_t i = 0; i < unit->n_ports; i++)
		if (unit->ports[i].type == WEIR_CONTROL_OUT)
			atomic_store_explicit(&node->control[i], control[i], memory_order_relaxed);
}
