/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
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
	free(engine->reports);
}

/* Asks the unit for its control outputs, which nothing has run yet. */
static void control_outputs_read(struct node *node, struct engine *engine)
{
	float control[WEIR_MAX_PORTS];
	float *port[WEIR_MAX_PORTS];

	for (uint32_t i = 0; i < node->unit->n_ports; i++) {
		control[i] = node->control[i];
		port[i] = &control[i];
	}
	weir_unit_run(node->unit, engine->state, port, 0, NULL);
	for (uint32_t i = 0; i < node->unit->n_ports; i++)
		if (node->unit->ports[i].type == WEIR_CONTROL_OUT)
			node->control[i] = control[i];
}

static WEIR_REALTIME int engine_remember(struct spa_loop *loop, bool async, uint32_t seq,
					 const void *data, size_t size, void *argument)
{
	struct node *node = argument;

	(void)loop, (void)async, (void)seq, (void)data, (void)size;
	node->unit->remember(node->engine.state, node->memory.value);
	return 0;
}

void engine_ask(struct node *node)
{
	if (node->unit->remember && node->engine.state)
		node_in_data_thread(node, engine_remember, node);
	node->unremembered = 0;
}

static WEIR_REALTIME void engine_recall(const struct node *node, void *state)
{
	if (node->unit->recall)
		node->unit->recall(state, node->memory.value);
}

int engine_rebuild(struct node *node, uint32_t rate)
{
	struct engine_swap swap = {
		.node = node,
		.engine = {
			.state = node->unit->create(rate),
			.rate = rate,
			.reports = weir_reports_create(node->unit, rate),
		},
	};

	if (!swap.engine.state || !swap.engine.reports) {
		const int res = -errno;

		spa_log_error(node->log,
			      "%s cannot run at %u Hz (%s): it stays silent. Use another rate, "
			      "for example pw-metadata -n settings 0 clock.force-rate 48000",
			      node->unit->name, rate, strerror(-res));
		node->refused_rate = rate;
		engine_destroy(node, &swap.engine);
		return res;
	}
	engine_ask(node);
	engine_recall(node, swap.engine.state);
	control_outputs_read(node, &swap.engine);
	node_in_data_thread(node, engine_swap, &swap);
	engine_destroy(node, &swap.engine);
	return 0;
}

static WEIR_REALTIME int engine_reset(struct spa_loop *loop, bool async, uint32_t seq,
				      const void *data, size_t size, void *argument)
{
	struct node *node = argument;

	(void)loop, (void)async, (void)seq, (void)data, (void)size;
	node->unit->reset(node->engine.state);
	engine_recall(node, node->engine.state);
	return 0;
}

void engine_begin(struct node *node)
{
	if (!node->unit->goes_on)
		node_in_data_thread(node, engine_reset, node);
}

void engine_finish(struct node *node)
{
	engine_destroy(node, &node->engine);
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
	for (uint32_t i = 0; i < unit->n_ports; i++) {
		const enum weir_port_type type = unit->ports[i].type;

		control[i] = atomic_load_explicit(&node->control[i], memory_order_relaxed);
		port[i] = type == WEIR_AUDIO_IN || type == WEIR_AUDIO_OUT ? audio[i] : &control[i];
		if (!fits && type == WEIR_AUDIO_OUT)
			memset(audio[i], 0, n_frames * sizeof(float));
	}
	if (!fits)
		return;
	weir_unit_run(unit, node->engine.state, port, n_frames, reports);
	for (uint32_t i = 0; i < unit->n_ports; i++)
		if (unit->ports[i].type == WEIR_CONTROL_OUT)
			atomic_store_explicit(&node->control[i], control[i], memory_order_relaxed);
}
