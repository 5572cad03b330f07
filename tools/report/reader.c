/* SPDX-License-Identifier: MIT */
#include "reader.h"

#include <errno.h>
#include <spa/control/control.h>
#include <spa/param/buffers.h>
#include <spa/pod/builder.h>
#include <spa/utils/result.h>
#include <stdlib.h>
#include <string.h>

#include "graph/port.h"
#include "tools/cli/message.h"

#define CYCLE_BYTES (256 * 1024) /* all reports of a cycle: 17 of 10 ms at a quantum of 8192 */

/* Data thread. */
static bool is_skipped(struct reader *reader, uint32_t size)
{
	return size > sizeof(struct spa_pod_sequence) &&
	       atomic_exchange_explicit(&reader->skips, false, memory_order_acq_rel);
}

static void on_process(void *data, struct spa_io_position *position)
{
	struct reader *reader = data;
	const bool is_new = position && fifo_begin(&reader->fifo, &position->clock);
	struct pw_buffer *buffer = pw_filter_dequeue_buffer(reader->port);

	if (!buffer)
		return;

	const struct spa_data *d = &buffer->buffer->datas[0];
	const uint32_t size = d->chunk->size, offset = d->chunk->offset;

	if (is_new && d->data && offset <= d->maxsize && size <= d->maxsize - offset &&
	    !is_skipped(reader, size) &&
	    fifo_push(&reader->fifo, (const uint8_t *)d->data + offset, size))
		pw_loop_signal_event(reader->session->loop, reader->arrived);
	pw_filter_queue_buffer(reader->port, buffer);
}

static void on_state(void *data, enum pw_filter_state old, enum pw_filter_state state,
		     const char *error)
{
	struct reader *reader = data;

	(void)old;
	(void)error;
	if (state != PW_FILTER_STATE_ERROR)
		fifo_restart(&reader->fifo);
}

static const struct pw_filter_events filter_events = {
	PW_VERSION_FILTER_EVENTS,
	.state_changed = on_state,
	.process = on_process,
};

static void on_arrived(void *data, uint64_t count)
{
	struct reader *reader = data;

	(void)count;
	if (reader->filter)
		reader->filled(reader->data);
}

void reader_init(struct reader *reader, struct session *session, const char *name)
{
	*reader = (struct reader){ .session = session, .name = name };
	reader->controls = malloc(FIFO_BYTES);
	reader->arrived = pw_loop_add_event(session->loop, on_arrived, reader);
	if (!reader->controls || !reader->arrived)
		die("%s", strerror(errno));
}

void reader_finish(struct reader *reader)
{
	reader_disconnect(reader);
	pw_loop_destroy_source(reader->session->loop, reader->arrived);
	free(reader->controls);
}

/* Is the link as it should be? One that failed is not made again for the same port. */
static bool link_is_settled(const struct reader *reader, const struct weir_registry_object *port)
{
	return port && port->serial == reader->report_serial &&
	       (reader->link->state != WEIR_LINK_GONE || reader->link->res != 0);
}

static void unlink_port(struct reader *reader)
{
	if (reader->link)
		weir_link_destroy(reader->link);
	reader->link = NULL;
}

void reader_disconnect(struct reader *reader)
{
	unlink_port(reader);
	if (!reader->filter)
		return;
	pw_filter_destroy(reader->filter);
	reader->filter = NULL;
	fifo_finish(&reader->fifo);
}

/* The port has a mixer, which drops what exceeds its 8192 bytes (PipeWire 1.4.2). */
static void *port_add(struct pw_filter *filter)
{
	uint8_t memory[256];
	struct spa_pod_builder builder = SPA_POD_BUILDER_INIT(memory, sizeof(memory));
	const struct spa_pod *buffers = spa_pod_builder_add_object(
		&builder, SPA_TYPE_OBJECT_ParamBuffers, SPA_PARAM_Buffers, SPA_PARAM_BUFFERS_size,
		SPA_POD_CHOICE_RANGE_Int(CYCLE_BYTES, CYCLE_BYTES, INT32_MAX));

	return pw_filter_add_port(filter, PW_DIRECTION_INPUT, PW_FILTER_PORT_FLAG_MAP_BUFFERS,
				  sizeof(void *),
				  pw_properties_new(PW_KEY_FORMAT_DSP, "8 bit raw control",
						    PW_KEY_PORT_NAME, "input", NULL),
				  &buffers, 1);
}

static void reader_connect(struct reader *reader)
{
	const bool async = reader->session->has_async;
	int res = fifo_init(&reader->fifo, async);

	if (res < 0)
		die("%s", strerror(-res));
	reader->last_frame = 0;
	reader->filter =
		pw_filter_new(reader->session->connection.core, reader->name,
			      pw_properties_new(PW_KEY_NODE_NAME, reader->name, PW_KEY_NODE_PASSIVE,
						"true", PW_KEY_NODE_PAUSE_ON_IDLE, "false",
						"node.async", async ? "true" : "false", NULL));
	if (!reader->filter)
		die("%s", strerror(errno));
	pw_filter_add_listener(reader->filter, &reader->listener, &filter_events, reader);
	reader->port = port_add(reader->filter);
	res = reader->port ? pw_filter_connect(reader->filter, PW_FILTER_FLAG_RT_PROCESS, NULL, 0)
			   : -errno;
	if (res < 0)
		die("cannot create the node that reads reports: %s", spa_strerror(res));
}

static struct weir_registry_object *find_own_port(const struct reader *reader)
{
	const uint32_t id = pw_filter_get_node_id(reader->filter);
	struct weir_registry_object *port;

	spa_list_for_each(port,
			  weir_registry_get_objects(reader->session->registry, WEIR_REGISTRY_PORT),
			  link)
	{
		if (id != SPA_ID_INVALID && weir_port_is_of(port, id, "in"))
			return port;
	}
	return NULL;
}

static void on_link(void *data, struct weir_link *link)
{
	struct reader *reader = data;

	if (link->state == WEIR_LINK_GONE && link->res != 0)
		warn("cannot link the report port: %s",
		     link->error ? link->error : spa_strerror(link->res));
	session_notify(reader->session);
}

static const struct weir_link_events link_events = {
	.changed = on_link,
};

bool reader_is_linked(const struct reader *reader)
{
	return reader->link && reader->link->state == WEIR_LINK_MADE;
}

void reader_set_port(struct reader *reader, const struct weir_registry_object *port)
{
	const struct weir_registry_object *own;

	if (!reader->filter && port)
		reader_connect(reader);
	if (reader->link && !link_is_settled(reader, port))
		unlink_port(reader);
	own = reader->filter ? find_own_port(reader) : NULL;
	if (reader->link || !port || !own)
		return;
	reader->report_serial = port->serial;
	reader->link = weir_link_create(&reader->session->connection, port, own, true, &link_events,
					reader);
}

void reader_skip_cycle(struct reader *reader)
{
	atomic_store_explicit(&reader->skips, true, memory_order_release);
}

/* Missed frames become entries by the shortest distance of two entries that was seen. */
static uint64_t count_lost(struct reader *reader, const struct fifo_entry *entry)
{
	const uint64_t step = entry->frame - reader->last_frame;
	uint64_t lost = entry->lost;

	if (entry->missed && reader->entry_frames)
		lost += (entry->missed + reader->entry_frames / 2) / reader->entry_frames;
	else if (entry->missed)
		lost++;
	if (reader->last_frame && !lost && entry->frame > reader->last_frame &&
	    (!reader->entry_frames || step < reader->entry_frames))
		reader->entry_frames = step;
	reader->last_frame = entry->frame;
	return lost;
}

bool reader_next(struct reader *reader, struct reading *reading)
{
	struct fifo_entry entry;

	if (!reader->filter || !fifo_pop(&reader->fifo, &entry, reader->controls))
		return false;
	reading->t = entry.rate ? (double)(entry.frame + 1) / entry.rate : 0.0;
	reading->lost = count_lost(reader, &entry);
	reading->controls = reader->controls;
	reading->size = entry.size;
	return true;
}
