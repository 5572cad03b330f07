/* SPDX-License-Identifier: MIT */
#include "node.h"

#include <errno.h>
#include <math.h>
#include <spa/node/utils.h>
#include <spa/param/audio/raw-types.h>
#include <spa/pod/builder.h>
#include <spa/utils/keys.h>
#include <spa/utils/names.h>
#include <spa/utils/string.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_RATE 48000u	    /* until the graph tells its own */
#define DEFAULT_QUANTUM_LIMIT 8192u /* frames */
#define MOST_QUANTUM 65536u	    /* PipeWire's own bound */
#define LONGEST_INTERVAL 1e9f	    /* ticks */
#define TICKS_PER_SECOND 10u
#define DEFAULT_METER_RATE 2.0f /* Props per second */
#define REMEMBER_TICKS 600u	/* a minute */
#define LATE_TICKS 10u		/* 1 s: there is no session manager */

/* Not in spa/utils/keys.h: PipeWire's own keys. */
#define KEY_MEDIA_CLASS "media.class"
#define KEY_NODE_DESCRIPTION "node.description"
#define KEY_QUANTUM_LIMIT "clock.quantum-limit"
#define KEY_REPORT "weir.report"
#define KEY_STATE "weir.state"

struct spa_log_topic node_log_topic = SPA_LOG_TOPIC(0, "weir.node");

/* An input that has nothing for this cycle is silent. */
static WEIR_REALTIME float *input_take(const struct port *port, uint32_t n_frames, float *silence)
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
 * Returns NULL when nobody takes this port's output, or there is no buffer for it. The buffers take
 * turns: what runs one cycle behind us still reads the last one.
 */
static WEIR_REALTIME struct spa_data *output_take(struct port *port)
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
		port->buffer = (port->buffer + 1) % port->n_buffers;
	while (!(port->free_buffers >> port->buffer & 1));
	io->buffer_id = port->buffer;
	io->status = SPA_STATUS_HAVE_DATA;
	port->free_buffers &= ~((uint64_t)1 << io->buffer_id);
	return &port->buffers[io->buffer_id]->datas[0];
}

static WEIR_REALTIME void chunk_fill(struct spa_data *data, uint32_t size, uint32_t stride)
{
	*data->chunk = (struct spa_chunk){ .size = size, .stride = (int32_t)stride };
}

/* The n-th output is the n-th channel; behind them is only the report. */
static WEIR_REALTIME void outputs_scale(struct node *node, float *const audio[], uint32_t n_frames)
{
	for (uint32_t i = 0; i < node->volume.n_channels; i++)
		volume_run(&node->volume, i, node->engine.rate,
			   audio[node->ports[SPA_DIRECTION_OUTPUT][i].unit_port], n_frames);
}

static WEIR_REALTIME uint32_t cycle_frames(const struct node *node)
{
	const uint64_t duration = node->position ? node->position->clock.duration : 0;

	return (uint32_t)SPA_MIN(duration, (uint64_t)node->quantum_limit);
}

static WEIR_REALTIME int node_process(void *object)
{
	struct node *node = object;
	const uint32_t n_frames = cycle_frames(node);
	float *audio[WEIR_MAX_PORTS];
	struct spa_data *report = NULL;

	for (uint32_t i = 0; i < node->n_ports[SPA_DIRECTION_INPUT]; i++) {
		const struct port *port = &node->ports[SPA_DIRECTION_INPUT][i];

		audio[port->unit_port] = input_take(port, n_frames, node->silence);
	}
	for (uint32_t i = 0; i < node->n_ports[SPA_DIRECTION_OUTPUT]; i++) {
		struct port *port = &node->ports[SPA_DIRECTION_OUTPUT][i];
		struct spa_data *data = output_take(port);

		if (port->is_report) {
			report = data;
			continue;
		}
		audio[port->unit_port] =
			data ? data->data : node->discard + (size_t)i * node->quantum_limit;
		if (data)
			chunk_fill(data, n_frames * sizeof(float), sizeof(float));
	}
	node->reports->n = 0;
	engine_run(node, audio, n_frames, report ? node->reports : NULL);
	if (node->has_media_class)
		outputs_scale(node, audio, n_frames);
	if (report)
		chunk_fill(report,
			   report_writer_run(&node->report_writer, node->reports, report->data,
					     report->maxsize),
			   1);
	return SPA_STATUS_HAVE_DATA | SPA_STATUS_NEED_DATA;
}

void node_in_data_thread(struct node *node, spa_invoke_func_t fn, void *argument)
{
	if (node->data_loop)
		spa_loop_invoke(node->data_loop, fn, 0, NULL, 0, true, argument);
	else
		fn(NULL, false, 0, NULL, 0, argument);
}

static void announce_meters(struct node *node)
{
	bool changed = false;

	for (uint32_t i = 0; i < node->unit->n_ports; i++) {
		const float value = node->control[i];

		if (node->unit->ports[i].type != WEIR_CONTROL_OUT || value == node->announced[i])
			continue;
		node->announced[i] = value;
		changed = true;
	}
	node->meter_ticks = 0;
	if (changed)
		node_touch_param(node, NODE_PROPS);
}

static void timer_arm(struct node *node, bool armed)
{
	struct timespec interval = { .tv_nsec = armed ? SPA_NSEC_PER_SEC / TICKS_PER_SECOND : 0 };

	if (node->timer)
		spa_loop_utils_update_timer(node->main_loop, node->timer, &interval, &interval,
					    false);
}

/*
 * In the main loop, while started or while ports wait. The data thread only leaves wishes: waking
 * us would cost it.
 */
static void on_timer(void *data, uint64_t expirations)
{
	struct node *node = data;
	const uint32_t rate = node->wanted_rate;

	(void)expirations;
	if (node->late_ticks == 1)
		ports_announce_late(node);
	else if (node->late_ticks)
		node->late_ticks--;
	if (!node->started) {
		timer_arm(node, node->late_ticks);
		return;
	}
	if (rate && rate != node->engine.rate)
		engine_rebuild(node, rate);
	node_update_latency(node);
	if (++node->meter_ticks == node->meter_interval)
		announce_meters(node);
	if (++node->unremembered < REMEMBER_TICKS)
		return;
	engine_ask(node);
	memory_save(&node->memory);
}

/* At this time clock.rate may still be the old one. */
static uint32_t upcoming_rate(const struct node *node)
{
	const struct spa_io_clock *clock = node->position ? &node->position->clock : NULL;

	if (clock && clock->target_rate.denom)
		return clock->target_rate.denom;
	return clock && clock->rate.denom ? clock->rate.denom : node->engine.rate;
}

static int node_start(struct node *node)
{
	const uint32_t rate = upcoming_rate(node);

	if (rate != node->engine.rate || !node->engine.state)
		engine_rebuild(node, rate);
	else if (!node->started)
		engine_begin(node);
	node->started = true;
	timer_arm(node, true);
	node_update_latency(node);
	announce_meters(node);
	return 0;
}

static void node_stop(struct node *node)
{
	if (!node->started)
		return;
	node->started = false;
	timer_arm(node, node->late_ticks);
	node_update_latency(node);
	announce_meters(node);
	engine_ask(node);
	memory_save(&node->memory);
}

static int node_send_command(void *object, const struct spa_command *command)
{
	struct node *node = object;

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

struct position_change {
	struct node *node;
	struct spa_io_position *position;
};

static WEIR_REALTIME int position_change(struct spa_loop *loop, bool async, uint32_t seq,
					 const void *data, size_t size, void *argument)
{
	struct position_change *change = argument;

	(void)loop, (void)async, (void)seq, (void)data, (void)size;
	change->node->position = change->position;
	return 0;
}

/* An exported node whose set_io refuses the clock is negotiated but never run. */
static int node_set_io(void *object, uint32_t id, void *data, size_t size)
{
	struct position_change change = { object, data };

	switch (id) {
	case SPA_IO_Clock:
		return 0;
	case SPA_IO_Position:
		if (size < sizeof(struct spa_io_position))
			change.position = NULL;
		node_in_data_thread(object, position_change, &change);
		return 0;
	default:
		return -ENOENT;
	}
}

void node_emit_info(struct node *node, bool full)
{
	const uint64_t old = full ? node->info.change_mask : 0;

	if (full)
		node->info.change_mask = node->info_all;
	if (node->info.change_mask)
		spa_node_emit_info(&node->hooks, &node->info);
	node->info.change_mask = old;
}

void node_touch_state(struct node *node)
{
	node->info.change_mask |= SPA_NODE_CHANGE_MASK_PROPS;
	node_emit_info(node, false);
}

void node_touch_param(struct node *node, enum node_param param)
{
	node->params[param].flags ^= SPA_PARAM_INFO_SERIAL;
	node->info.change_mask |= SPA_NODE_CHANGE_MASK_PARAMS;
	node_emit_info(node, false);
}

static int node_add_listener(void *object, struct spa_hook *listener,
			     const struct spa_node_events *events, void *data)
{
	struct node *node = object;
	struct spa_hook_list save;

	spa_hook_list_isolate(&node->hooks, &save, listener, events, data);
	node_emit_info(node, true);
	for (int direction = 0; direction < 2; direction++)
		for (uint32_t i = 0; i < node->n_ports[direction]; i++)
			port_emit_info(node, &node->ports[direction][i], true);
	spa_hook_list_join(&node->hooks, &save);
	return 0;
}

/* A node that is driven never calls back. */
static int node_set_callbacks(void *object, const struct spa_node_callbacks *callbacks, void *data)
{
	(void)object, (void)callbacks, (void)data;
	return 0;
}

static int node_sync(void *object, int seq)
{
	struct node *node = object;

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

const struct spa_node_methods node_methods = {
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

static void info_init(struct node *node, const struct spa_dict *info)
{
	const uint32_t n_params = node->has_media_class ? N_NODE_PARAMS : NODE_ENUM_FORMAT;

	node->params[NODE_PROP_INFO] = SPA_PARAM_INFO(SPA_PARAM_PropInfo, SPA_PARAM_INFO_READ);
	node->params[NODE_PROPS] = SPA_PARAM_INFO(SPA_PARAM_Props, SPA_PARAM_INFO_READWRITE);
	node->params[NODE_IO] = SPA_PARAM_INFO(SPA_PARAM_IO, SPA_PARAM_INFO_READ);
	node->params[NODE_PROCESS_LATENCY] =
		SPA_PARAM_INFO(SPA_PARAM_ProcessLatency, SPA_PARAM_INFO_READ);
	node->params[NODE_ENUM_FORMAT] = SPA_PARAM_INFO(SPA_PARAM_EnumFormat, SPA_PARAM_INFO_READ);
	node->params[NODE_PORT_CONFIG] =
		SPA_PARAM_INFO(SPA_PARAM_PortConfig, SPA_PARAM_INFO_READWRITE);
	node->props = SPA_DICT_INIT(node->items, 0);
	if (!info || !spa_dict_lookup(info, KEY_NODE_DESCRIPTION))
		node->items[node->props.n_items++] =
			SPA_DICT_ITEM_INIT(KEY_NODE_DESCRIPTION, node->unit->summary);
	if (node->unit->n_fields)
		node->items[node->props.n_items++] =
			SPA_DICT_ITEM_INIT(KEY_REPORT, node->report_writer.names);
	node->items[node->props.n_items++] = SPA_DICT_ITEM_INIT(KEY_STATE, node->state_text);
	node->info_all = SPA_NODE_CHANGE_MASK_FLAGS | SPA_NODE_CHANGE_MASK_PROPS |
			 SPA_NODE_CHANGE_MASK_PARAMS;
	node->info = (struct spa_node_info){
		.max_input_ports = node->n_ports[SPA_DIRECTION_INPUT],
		.max_output_ports = node->n_ports[SPA_DIRECTION_OUTPUT],
		.flags = SPA_NODE_FLAG_RT,
		.props = &node->props,
		.params = node->params,
		.n_params = n_params,
	};
}

/* UNIT.meter-rate: how often per second listeners are told of meters. */
static uint32_t meter_interval(const struct node *node, const struct spa_dict *info)
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
	return rate > 0.0f ? (uint32_t)fminf(ceilf(TICKS_PER_SECOND / rate), LONGEST_INTERVAL) : 0;
}

static void read_info(struct node *node, const struct spa_dict *info)
{
	const char *media_class = info ? spa_dict_lookup(info, KEY_MEDIA_CLASS) : NULL;
	const char *limit = info ? spa_dict_lookup(info, KEY_QUANTUM_LIMIT) : NULL;

	node->quantum_limit = DEFAULT_QUANTUM_LIMIT;
	if (!spa_atou32(limit, &node->quantum_limit, 10) || node->quantum_limit > MOST_QUANTUM ||
	    node->quantum_limit < DEFAULT_QUANTUM_LIMIT)
		node->quantum_limit = DEFAULT_QUANTUM_LIMIT;
	node->meter_interval = meter_interval(node, info);
	node->has_media_class = media_class;
	node->media_direction =
		media_class && (strstr(media_class, "Source") || strstr(media_class, "Output"))
			? SPA_DIRECTION_OUTPUT
			: SPA_DIRECTION_INPUT;
	/* WirePlumber sets up the inputs of what is virtual, also of a source. */
	node->late_direction =
		node->media_direction == SPA_DIRECTION_OUTPUT && !strstr(media_class, "Virtual")
			? SPA_DIRECTION_INPUT
			: SPA_DIRECTION_OUTPUT;
	for (uint32_t i = 0; i < node->unit->n_ports; i++)
		node->control[i] = node->unit->ports[i].def;
	for (uint32_t i = 0; info && i < info->n_items; i++)
		node_set_control_text(node, info->items[i].key, info->items[i].value);
}

int node_init(struct node *node, const struct weir_unit *unit, const struct spa_dict *info,
	      const struct spa_support *support, uint32_t n_support)
{
	int res;

	node->unit = unit;
	node->log = spa_support_find(support, n_support, SPA_TYPE_INTERFACE_Log);
	node->data_loop = spa_support_find(support, n_support, SPA_TYPE_INTERFACE_DataLoop);
	node->main_loop = spa_support_find(support, n_support, SPA_TYPE_INTERFACE_LoopUtils);
	spa_log_topic_init(node->log, &node_log_topic);
	spa_hook_list_init(&node->hooks);
	node->node.iface =
		SPA_INTERFACE_INIT(SPA_TYPE_INTERFACE_Node, SPA_VERSION_NODE, &node_methods, node);
	read_info(node, info);

	node->silence = calloc(node->quantum_limit, sizeof(float));
	node->reports = weir_reports_create_for(unit, WEIR_MIN_RATE, node->quantum_limit);
	if (!node->silence || !node->reports)
		return -errno;
	memory_init(&node->memory, unit, info, node->log);
	if ((res = report_writer_init(&node->report_writer, unit)) < 0)
		return res;
	ports_init(node);
	node->discard = calloc((size_t)node->n_ports[SPA_DIRECTION_OUTPUT] * node->quantum_limit,
			       sizeof(float));
	if (!node->discard)
		return -errno;
	engine_rebuild(node, DEFAULT_RATE);
	info_init(node, info);
	node_update_latency(node);
	if (node->main_loop) {
		node->timer = spa_loop_utils_add_timer(node->main_loop, on_timer, node);
		if (!node->timer)
			return -errno;
	}
	if (node->timer && node->has_media_class) {
		node->late_ticks = LATE_TICKS;
		timer_arm(node, true);
	}
	return 0;
}

void node_finish(struct node *node)
{
	node_stop(node);
	if (node->timer)
		spa_loop_utils_destroy_source(node->main_loop, node->timer);
	engine_finish(node);
	memory_finish(&node->memory);
	report_writer_finish(&node->report_writer);
	free(node->reports);
	free(node->silence);
	free(node->discard);
}
