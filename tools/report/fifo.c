/* SPDX-License-Identifier: MIT */
#include "fifo.h"

#include <errno.h>
#include <spa/control/control.h>
#include <spa/pod/pod.h>
#include <stdlib.h>
#include <string.h>

/* Between two of a driver's cycles: more is a clock that was set. */
#define MOST_SECONDS 3600u

int hops_init(struct hops *hops, bool late)
{
	*hops = (struct hops){ .memory = malloc(HOPS_BYTES), .late = late };
	spa_ringbuffer_init(&hops->ring);
	return hops->memory ? 0 : -errno;
}

void hops_finish(struct hops *hops)
{
	free(hops->memory);
}

void hops_restart(struct hops *hops)
{
	__atomic_store_n(&hops->restarted, true, __ATOMIC_RELEASE);
}

WEIR_REALTIME bool hops_begin(struct hops *hops, const struct spa_io_clock *clock)
{
	const uint64_t position = clock->position;

	if (__atomic_exchange_n(&hops->restarted, false, __ATOMIC_ACQ_REL) ||
	    hops->clock_id != clock->id || hops->next.rate != clock->rate.denom)
		hops->expected = 0;
	hops->clock_id = clock->id;
	hops->next.rate = clock->rate.denom;
	if (hops->expected && position + clock->duration == hops->expected)
		return false;
	if (hops->expected && position > hops->expected &&
	    position - hops->expected < (uint64_t)MOST_SECONDS * clock->rate.denom)
		hops->next.not_heard += position - hops->expected;
	hops->made = position;
	if (hops->late)
		hops->made =
			position == hops->expected ? hops->position : position - clock->duration;
	hops->position = position;
	hops->expected = position + clock->duration;
	return true;
}

static WEIR_REALTIME bool hop_write(struct hops *hops, const void *controls)
{
	const uint32_t size = (uint32_t)sizeof(hops->next) + hops->next.size;
	uint32_t at;
	const int32_t filled = spa_ringbuffer_get_write_index(&hops->ring, &at);

	if (filled < 0 || size > HOPS_BYTES - (uint32_t)filled) {
		hops->next.lost++;
		return false;
	}
	spa_ringbuffer_write_data(&hops->ring, hops->memory, HOPS_BYTES, at & (HOPS_BYTES - 1),
				  &hops->next, sizeof(hops->next));
	spa_ringbuffer_write_data(&hops->ring, hops->memory, HOPS_BYTES,
				  (at + (uint32_t)sizeof(hops->next)) & (HOPS_BYTES - 1), controls,
				  hops->next.size);
	spa_ringbuffer_write_update(&hops->ring, (int32_t)(at + size));
	hops->next.lost = 0;
	hops->next.not_heard = 0;
	return true;
}

/* Each number is read once: it may be another one the next time. */
WEIR_REALTIME bool hops_push(struct hops *hops, const void *sequence, uint32_t size)
{
	const uint8_t *bytes = sequence;
	uint32_t at = sizeof(struct spa_pod_sequence), begin = at, frame = 0;
	bool pushed = false;

	while (at <= size && size - at >= sizeof(struct spa_pod_control)) {
		struct spa_pod_control control;

		memcpy(&control, bytes + at, sizeof(control));
		if (at > begin && control.offset != frame) {
			hops->next.frame = hops->made + frame;
			hops->next.size = at - begin;
			pushed |= hop_write(hops, bytes + begin);
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
		hops->next.frame = hops->made + frame;
		hops->next.size = at - begin;
		pushed |= hop_write(hops, bytes + begin);
	}
	return pushed;
}

bool hops_pop(struct hops *hops, struct hop *hop, void *controls)
{
	uint32_t at;

	if (spa_ringbuffer_get_read_index(&hops->ring, &at) < (int32_t)sizeof(*hop))
		return false;
	spa_ringbuffer_read_data(&hops->ring, hops->memory, HOPS_BYTES, at & (HOPS_BYTES - 1), hop,
				 sizeof(*hop));
	spa_ringbuffer_read_data(&hops->ring, hops->memory, HOPS_BYTES,
				 (at + (uint32_t)sizeof(*hop)) & (HOPS_BYTES - 1), controls,
				 hop->size);
	spa_ringbuffer_read_update(&hops->ring, (int32_t)(at + sizeof(*hop) + hop->size));
	return true;
}
