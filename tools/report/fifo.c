/* SPDX-License-Identifier: MIT */
#include "fifo.h"

#include <errno.h>
#include <spa/control/control.h>
#include <spa/pod/pod.h>
#include <stdlib.h>
#include <string.h>

/* Between two cycles of a driver: a longer gap is a clock that was set. */
#define MAX_GAP_SECONDS 3600u

int fifo_init(struct fifo *fifo, bool async)
{
	*fifo = (struct fifo){ .memory = malloc(FIFO_BYTES), .async = async };
	spa_ringbuffer_init(&fifo->ring);
	return fifo->memory ? 0 : -errno;
}

void fifo_finish(struct fifo *fifo)
{
	free(fifo->memory);
}

void fifo_restart(struct fifo *fifo)
{
	atomic_store_explicit(&fifo->restarted, true, memory_order_release);
}

WEIR_REALTIME bool fifo_begin(struct fifo *fifo, const struct spa_io_clock *clock)
{
	const uint64_t position = clock->position;

	if (atomic_exchange_explicit(&fifo->restarted, false, memory_order_acq_rel) ||
	    fifo->clock_id != clock->id || fifo->next.rate != clock->rate.denom)
		fifo->expected = 0;
	fifo->clock_id = clock->id;
	fifo->next.rate = clock->rate.denom;
	if (fifo->expected && position + clock->duration == fifo->expected)
		return false;
	if (fifo->expected && position > fifo->expected &&
	    position - fifo->expected < (uint64_t)MAX_GAP_SECONDS * clock->rate.denom)
		fifo->next.missed += position - fifo->expected;
	fifo->report_base = position;
	if (fifo->async)
		fifo->report_base =
			position == fifo->expected ? fifo->position : position - clock->duration;
	fifo->position = position;
	fifo->expected = position + clock->duration;
	return true;
}

static WEIR_REALTIME bool entry_write(struct fifo *fifo, const void *controls)
{
	const uint32_t size = (uint32_t)sizeof(fifo->next) + fifo->next.size;
	uint32_t at;
	const int32_t filled = spa_ringbuffer_get_write_index(&fifo->ring, &at);

	if (filled < 0 || size > FIFO_BYTES - (uint32_t)filled) {
		fifo->next.lost++;
		return false;
	}
	spa_ringbuffer_write_data(&fifo->ring, fifo->memory, FIFO_BYTES, at & (FIFO_BYTES - 1),
				  &fifo->next, sizeof(fifo->next));
	spa_ringbuffer_write_data(&fifo->ring, fifo->memory, FIFO_BYTES,
				  (at + (uint32_t)sizeof(fifo->next)) & (FIFO_BYTES - 1), controls,
				  fifo->next.size);
	spa_ringbuffer_write_update(&fifo->ring, (int32_t)(at + size));
	fifo->next.lost = 0;
	fifo->next.missed = 0;
	return true;
}

/* Each number is read once: the node may change it between two reads. */
WEIR_REALTIME bool fifo_push(struct fifo *fifo, const void *sequence, uint32_t size)
{
	const uint8_t *bytes = sequence;
	uint32_t at = sizeof(struct spa_pod_sequence), begin = at, frame = 0;
	bool pushed = false;

	while (at <= size && size - at >= sizeof(struct spa_pod_control)) {
		struct spa_pod_control control;

		memcpy(&control, bytes + at, sizeof(control));
		if (at > begin && control.offset != frame) {
			fifo->next.frame = fifo->report_base + frame;
			fifo->next.size = at - begin;
			pushed |= entry_write(fifo, bytes + begin);
			begin = at;
		}
		frame = control.offset;
		if (control.value.size > size - at - sizeof(control))
			break;
		at += (uint32_t)sizeof(control) + SPA_ROUND_UP_N(control.value.size, 8);
	}
	if (at > size)
		at = size;
	if (at > begin) {
		fifo->next.frame = fifo->report_base + frame;
		fifo->next.size = at - begin;
		pushed |= entry_write(fifo, bytes + begin);
	}
	return pushed;
}

bool fifo_pop(struct fifo *fifo, struct fifo_entry *entry, void *controls)
{
	uint32_t at;

	if (spa_ringbuffer_get_read_index(&fifo->ring, &at) < (int32_t)sizeof(*entry))
		return false;
	spa_ringbuffer_read_data(&fifo->ring, fifo->memory, FIFO_BYTES, at & (FIFO_BYTES - 1),
				 entry, sizeof(*entry));
	spa_ringbuffer_read_data(&fifo->ring, fifo->memory, FIFO_BYTES,
				 (at + (uint32_t)sizeof(*entry)) & (FIFO_BYTES - 1), controls,
				 entry->size);
	spa_ringbuffer_read_update(&fifo->ring, (int32_t)(at + sizeof(*entry) + entry->size));
	return true;
}
