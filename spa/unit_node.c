/* SPDX-License-Identifier: MIT */
#include "unit_node.h"

#include <errno.h>
#include <math.h>
#include <spa/node/utils.h>
#include <spa/utils/names.h>
#include <spa/utils/string.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spa/node/controls.h"
#include "spa/node/info.h"
#include "spa/node/latency.h"
#include "spa/node/log.h"
#include "spa/node/params.h"
#include "spa/node/ports.h"

#define DEFAULT_RATE 48000u	    /* Hz, until the first Start */
#define DEFAULT_QUANTUM_LIMIT 8192u /* frames */
#define MAX_QUANTUM 65536u	    /* PipeWire's own bound */
#define MAX_INTERVAL 1e9f	    /* ticks */
#define TICKS_PER_SECOND 10u
#define DEFAULT_METER_RATE 2.0f /* Props per second */
#define SAVE_TICKS 600u		/* a minute */
#define DEFERRED_TICKS 10u	/* 1 s: there is no session manager */

/* Not in spa/utils/keys.h: PipeWire's own keys. */
#define KEY_MEDIA_CLASS "media.class"
#define KEY_QUANTUM_LIMIT "clock.quantum-limit"

struct spa_log_topic weir_node_topic = SPA_LOG_TOPIC(0, "weir.node");

/* Shows Props if a control output has changed since they were last shown. */
static void announce_meters(struct weir_unit_node *node)
{
	bool changed = false;

	for (uint32_t i = 0; i < node->unit->n_ports; i++) {
		const float value = node->engine.control[i];

		if (node->unit->ports[i].type != WEIR_CONTROL_OUT || value == node->announced[i])
			continue;
		node->announced[i] = value;
		changed = true;
	}
	node->meter_ticks = 0;
	if (changed)
		node_notify_param(node, NODE_PROPS);
}

static void refusal_report(struct weir_unit_node *node, uint32_t rate, bool is_new, int error)
{
	snprintf(node->state_text, sizeof(node->state_text),
		 "cannot run at %u Hz: sound passes through", rate);
	if (is_new)
		spa_log_error(
			node->log,
			"weir.%s cannot run at %u Hz (%s): sound passes through it unchanged. "
			"Use another rate, for example "
			"pw-metadata -n settings 0 clock.force-rate 48000",
			node->unit->name, rate, strerror(error));
}

/* Keeps the saved state; the property weir.state has the result. */
static void set_rate(struct weir_unit_node *node, uint32_t rate)
{
	const uint32_t old_rate = node->engine.rate;
	const bool was_refused = !node->engine.state && old_rate;
	const int res = engine_set_rate(&node->engine, rate, node->saved_state.values);

	node->save_ticks = 0;
	if (res < 0) {
		refusal_report(node, rate, !was_refused || old_rate != rate, -res);
	} else {
		snprintf(node->state_text, sizeof(node->state_text), "ready");
		if (was_refused)
			spa_log_info(node->log, "weir.%s runs again, at %u Hz", node->unit->name,
				     rate);
	}
	node_notify_state(node);
}

static void save_state(struct weir_unit_node *node)
{
	engine_save_state(&node->engine, node->saved_state.values);
	node->save_ticks = 0;
	saved_state_write(&node->saved_state);
}

static void timer_arm(struct weir_unit_node *node, bool armed)
{
	struct timespec interval = { .tv_nsec = armed ? SPA_NSEC_PER_SEC / TICKS_PER_SECOND : 0 };

	if (node->timer)
		spa_loop_utils_update_timer(node->main_loop, node->timer, &interval, &interval,
					    false);
}

/*
 * In the main loop, while the node runs or ports are deferred. The data thread only stores changes:
 * to wake the main thread would take a system call.
 */
static void on_timer(void *data, uint64_t expirations)
{
	struct weir_unit_node *node = data;
	const uint32_t rate = node->engine.wanted_rate;

	(void)expirations;
	if (node->deferred_ticks == 1)
		ports_announce_deferred(node);
	else if (node->deferred_ticks)
		node->deferred_ticks--;
	if (!node->started) {
		timer_arm(node, node->deferred_ticks);
		return;
	}
	if (rate && rate != node->engine.rate)
		set_rate(node, rate);
	node_update_latency(node);
	if (++node->meter_ticks == node->meter_interval)
		announce_meters(node);
	if (++node->save_ticks < SAVE_TICKS)
		return;
	save_state(node);
}

static int node_start(struct weir_unit_node *node)
{
	const uint32_t rate = engine_get_next_rate(&node->engine);

	if (rate != node->engine.rate || !node->engine.state)
		set_rate(node, rate);
	else if (!node->started && !node->unit->continuous)
		engine_reset(&node->engine, node->saved_state.values);
	node->started = true;
	timer_arm(node, true);
	node_update_latency(node);
	announce_meters(node);
	return 0;
}

static void node_stop(struct weir_unit_node *node)
{
	if (!node->started)
		return;
	node->started = false;
	timer_arm(node, node->deferred_ticks);
	node_update_latency(node);
	announce_meters(node);
	save_state(node);
}

static int node_send_command(void *object, const struct spa_command *command)
{
	struct weir_unit_node *node = object;

	switch (SPA_NODE_COMMAND_ID(command)) {
	case SPA_NODE_COMMAND_Start:
		return node_start(node);
	case SPA_NODE_COMMAND_Suspend:
	case SPA_NODE_COMMAND_Pause:
		node_stop(node);
		return 0;
	default:
		return -ENOTSUP;
	}
}

/* An exported node whose set_io refuses the clock is negotiated but never run. */
static int node_set_io(void *object, uint32_t id, void *data, size_t size)
{
	struct weir_unit_node *node = object;

	switch (id) {
	case SPA_IO_Clock:
		return 0;
	case SPA_IO_Position:
		engine_set_position(&node->engine,
				    size < sizeof(struct spa_io_position) ? NULL : data);
		return 0;
	default:
		return -ENOENT;
	}
}

static int node_add_listener(void *object, struct spa_hook *listener,
			     const struct spa_node_events *events, void *data)
{
	struct weir_unit_node *node = object;
	struct spa_hook_list save;

	spa_hook_list_isolate(&node->hooks, &save, listener, events, data);
	node_emit_info(node, true);
	for (int direction = 0; direction < 2; direction++)
		for (uint32_t i = 0; i < node->n_ports[direction]; i++)
			port_emit_info(node, &node->ports[direction][i], true);
	spa_hook_list_join(&node->hooks, &save);
	return 0;
}

/* Only a driver calls back. */
static int node_set_callbacks(void *object, const struct spa_node_callbacks *callbacks, void *data)
{
	(void)object, (void)callbacks, (void)data;
	return 0;
}

static int node_sync(void *object, int seq)
{
	struct weir_unit_node *node = object;

	spa_node_emit_result(&node->hooks, seq, 0, 0, NULL);
	return 0;
}

static int node_no_port_change(void *object, enum spa_direction direction, uint32_t port_id)
{
	(void)object, (void)direction, (void)port_id;
	return -ENOTSUP;
}

static int node_no_port_add(void *object, enum spa_direction direction, uint32_t port_id,
			    const struct spa_dict *props)
{
	(void)props;
	return node_no_port_change(object, direction, port_id);
}

static WEIR_REALTIME int node_process(void *object)
{
	struct weir_unit_node *node = object;

	return engine_process(&node->engine);
}

static const struct spa_node_methods methods = {
	SPA_VERSION_NODE_METHODS,
	.add_listener = node_add_listener,
	.set_callbacks = node_set_callbacks,
	.sync = node_sync,
	.enum_params = node_enum_params,
	.set_param = node_set_param,
	.set_io = node_set_io,
	.send_command = node_send_command,
	.add_port = node_no_port_add,
	.remove_port = node_no_port_change,
	.port_enum_params = node_port_enum_params,
	.port_set_param = node_port_set_param,
	.port_use_buffers = node_port_use_buffers,
	.port_set_io = node_port_set_io,
	.port_reuse_buffer = node_port_reuse_buffer,
	.process = node_process,
};

/* UNIT.meter-rate: Props with new meters per second, at most. */
static uint32_t meter_interval(const struct weir_unit_node *node, const struct spa_dict *info)
{
	const char *text;
	char key[64];
	float rate = DEFAULT_METER_RATE;

	snprintf(key, sizeof(key), "%s.meter-rate", node->unit->name);
	text = info ? spa_dict_lookup(info, key) : NULL;
	if (text && (!spa_atof(text, &rate) || !(rate >= 0.0f && rate <= TICKS_PER_SECOND))) {
		spa_log_warn(node->log, "%s = %s: it must be a number from 0 to %u per second", key,
			     text, TICKS_PER_SECOND);
		rate = DEFAULT_METER_RATE;
	}
	return rate > 0.0f ? (uint32_t)fminf(ceilf(TICKS_PER_SECOND / rate), MAX_INTERVAL) : 0;
}

static uint32_t quantum_limit(const struct spa_dict *info)
{
	const char *text = info ? spa_dict_lookup(info, KEY_QUANTUM_LIMIT) : NULL;
	uint32_t limit;

	return spa_atou32(text, &limit, 10) && limit >= DEFAULT_QUANTUM_LIMIT &&
			       limit <= MAX_QUANTUM
		       ? limit
		       : DEFAULT_QUANTUM_LIMIT;
}

static void read_info(struct weir_unit_node *node, const struct spa_dict *info)
{
	const char *media_class = info ? spa_dict_lookup(info, KEY_MEDIA_CLASS) : NULL;

	node->meter_interval = meter_interval(node, info);
	node->has_media_class = media_class;
	node->media_direction =
		media_class && (strstr(media_class, "Source") || strstr(media_class, "Output"))
			? SPA_DIRECTION_OUTPUT
			: SPA_DIRECTION_INPUT;
	/* WirePlumber configures the inputs of virtual nodes, also of a source. */
	node->deferred_direction =
		node->media_direction == SPA_DIRECTION_OUTPUT && !strstr(media_class, "Virtual")
			? SPA_DIRECTION_INPUT
			: SPA_DIRECTION_OUTPUT;
	for (uint32_t i = 0; info && i < info->n_items; i++)
		controls_set_text(node, info->items[i].key, info->items[i].value);
}

/* Only a node that users see as a device or a stream has a volume. */
static void volume_channels_add(struct engine *engine)
{
	for (uint32_t i = 0; i < engine->n_ports[SPA_DIRECTION_OUTPUT]; i++) {
		const uint32_t port = engine->ports[SPA_DIRECTION_OUTPUT][i].unit_port;

		volume_add_channel(&engine->volume,
				   channel_from_name(engine->unit->ports[port].channel));
	}
}

static int node_init(struct weir_unit_node *node, const struct weir_unit *unit,
		     const struct spa_dict *info, const struct spa_support *support,
		     uint32_t n_support)
{
	int res;

	node->unit = unit;
	node->log = spa_support_find(support, n_support, SPA_TYPE_INTERFACE_Log);
	node->main_loop = spa_support_find(support, n_support, SPA_TYPE_INTERFACE_LoopUtils);
	spa_log_topic_init(node->log, &weir_node_topic);
	spa_hook_list_init(&node->hooks);
	node->spa_node.iface =
		SPA_INTERFACE_INIT(SPA_TYPE_INTERFACE_Node, SPA_VERSION_NODE, &methods, node);
	res = engine_init(&node->engine, unit,
			  spa_support_find(support, n_support, SPA_TYPE_INTERFACE_DataLoop),
			  quantum_limit(info));
	if (res < 0)
		return res;
	read_info(node, info);
	saved_state_init(&node->saved_state, unit, info, node->log);
	if (node->has_media_class)
		volume_channels_add(&node->engine);
	ports_info_init(node);
	set_rate(node, DEFAULT_RATE);
	node_info_init(node, info);
	node_update_latency(node);
	if (node->main_loop) {
		node->timer = spa_loop_utils_add_timer(node->main_loop, on_timer, node);
		if (!node->timer)
			return -errno;
	}
	if (node->timer && node->has_media_class) {
		node->deferred_ticks = DEFERRED_TICKS;
		timer_arm(node, true);
	}
	return 0;
}

struct weir_unit_node *weir_unit_node_create(const struct weir_unit *unit,
					     const struct spa_dict *info,
					     const struct spa_support *support, uint32_t n_support)
{
	struct weir_unit_node *node = calloc(1, sizeof(*node));
	int res;

	if (!node)
		return NULL;
	res = node_init(node, unit, info, support, n_support);
	if (res < 0) {
		weir_unit_node_destroy(node);
		errno = -res;
		return NULL;
	}
	return node;
}

void weir_unit_node_destroy(struct weir_unit_node *node)
{
	if (!node)
		return;
	node_stop(node);
	if (node->timer)
		spa_loop_utils_destroy_source(node->main_loop, node->timer);
	engine_finish(&node->engine);
	saved_state_finish(&node->saved_state);
	free(node);
}

struct spa_node *weir_unit_node_get_spa_node(struct weir_unit_node *node)
{
	return &node->spa_node;
}

void weir_unit_node_set_loop(struct weir_unit_node *node, struct spa_loop *data_loop)
{
	node->engine.data_loop = data_loop;
}

float weir_unit_node_get_control(const struct weir_unit_node *node, uint32_t port)
{
	return node->engine.control[port];
}
