/* SPDX-License-Identifier: MIT */

/* Reports on their way from the data thread: nothing is torn, and all that is left out is counted.
 */

#include <spa/control/control.h>
#include <spa/pod/builder.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../tools/fields.h"
#include "../tools/hops.h"
#include "check.h"

#define QUANTUM 1024

static uint8_t controls[HOPS_BYTES];

static const uint8_t onset[] = { '/', 'p', '/', 'o', 'n', 's', 'e',  't', 0,	0,
				 0,   0,   ',', 'f', 0,	  0,   0x3f, 0,	  0x00, 0x00 };

/* A sequence of n hops, each an event. */
static uint32_t sequence_write(void *memory, uint32_t size, uint32_t n)
{
	struct spa_pod_builder builder = SPA_POD_BUILDER_INIT(memory, size);
	struct spa_pod_frame frame;

	spa_pod_builder_push_sequence(&builder, &frame, 0);
	for (uint32_t i = 0; i < n; i++) {
		spa_pod_builder_control(&builder, 480 * i, SPA_CONTROL_OSC);
		spa_pod_builder_bytes(&builder, onset, sizeof(onset));
	}
	spa_pod_builder_pop(&builder, &frame);
	return builder.state.offset;
}

static bool cycle(struct hops *hops, uint64_t position, const void *sequence, uint32_t size)
{
	const struct spa_io_clock clock = { .rate = { 1, 48000 },
					    .position = position,
					    .duration = QUANTUM };

	return hops_begin(hops, &clock) && hops_push(hops, sequence, size);
}

static void test_hops_keep_their_frames(void)
{
	_Alignas(8) uint8_t sequence[4096];
	const uint32_t size = sequence_write(sequence, sizeof(sequence), 2);
	struct fields fields = { 0 };
	struct hops hops;
	struct hop hop;

	for (int late = 0; late < 2; late++) {
		CHECK(hops_init(&hops, late) == 0);
		CHECK(cycle(&hops, 10 * QUANTUM, sequence, size));
		CHECK(!cycle(&hops, 10 * QUANTUM, sequence, size));
		CHECK(cycle(&hops, 14 * QUANTUM, sequence, size));
		CHECK(hops_pop(&hops, &hop, controls));
		CHECK(hop.frame == (late ? 9 : 10) * QUANTUM && hop.rate == 48000);
		CHECK(hops_pop(&hops, &hop, controls));
		CHECK(hop.frame == (late ? 9 : 10) * QUANTUM + 480 && !hop.not_heard);
		fields_read(&fields, 1.0, controls, hop.size);
		CHECK(fields.n_events == 1 && strcmp(fields.event[0].name, "onset") == 0);
		CHECK(fields.event[0].seconds == 0.5f);
		CHECK(hops_pop(&hops, &hop, controls));
		CHECK(hop.frame == (late ? 13 : 14) * QUANTUM && hop.not_heard == 3 * QUANTUM);
		CHECK(hops_pop(&hops, &hop, controls) && !hop.not_heard);
		CHECK(!hops_pop(&hops, &hop, controls));
		hops_restart(&hops);
		CHECK(cycle(&hops, 99 * QUANTUM, sequence, size));
		CHECK(hops_pop(&hops, &hop, controls) && !hop.not_heard);
		hops_finish(&hops);
	}
}

static void test_what_finds_no_room_is_counted(void)
{
	_Alignas(8) uint8_t sequence[4096];
	const uint32_t size = sequence_write(sequence, sizeof(sequence), 2);
	uint64_t seen = 0, lost = 0, n = 0;
	struct hops hops;
	struct hop hop;

	CHECK(hops_init(&hops, false) == 0);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 10000; i++)
			cycle(&hops, QUANTUM * ++n, sequence, size);
		for (; hops_pop(&hops, &hop, controls); seen++)
			lost += hop.lost;
	}
	cycle(&hops, QUANTUM * ++n, sequence, size);
	for (; hops_pop(&hops, &hop, controls); seen++)
		lost += hop.lost;
	CHECK(lost > 10000);
	CHECK(seen + lost == 2 * n);
	hops_finish(&hops);
}

/* A stopped reader may find anything: the writer goes on. */
static void test_garbage_does_no_harm(void)
{
	_Alignas(8) uint8_t sequence[4096];
	struct fields fields = { 0 };
	struct hops hops;
	struct hop hop;

	srand(1);
	CHECK(hops_init(&hops, false) == 0);
	for (uint64_t i = 1; i < 20000; i++) {
		uint32_t size = sequence_write(sequence, sizeof(sequence), 8);

		for (int k = rand() % 20; k > 0; k--)
			sequence[(uint32_t)rand() % size] = (uint8_t)rand();
		if (i % 3 == 0)
			size = (uint32_t)rand() % (size + 1);
		cycle(&hops, QUANTUM * i, sequence, size);
		while (hops_pop(&hops, &hop, controls)) {
			uint8_t *exact = malloc(hop.size);

			CHECK(exact && hop.size <= size);
			memcpy(exact, controls, hop.size);
			fields_read(&fields, 1.0, exact, hop.size);
			free(exact);
		}
	}
	hops_finish(&hops);
	fields_finish(&fields);
}

int main(void)
{
	test_hops_keep_their_frames();
	test_what_finds_no_room_is_counted();
	test_garbage_does_no_harm();
	return 0;
}
