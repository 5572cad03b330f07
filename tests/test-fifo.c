/* SPDX-License-Identifier: MIT */

/* Reports on their way from the data thread: nothing is torn, and all that is left out is counted.
 */

#include <pthread.h>
#include <spa/control/control.h>
#include <spa/pod/builder.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "tools/report/fields.h"
#include "tools/report/fifo.h"

#define QUANTUM 1024

static uint8_t controls[FIFO_BYTES];

static const uint8_t onset[] = { '/', 'p', '/', 'o', 'n', 's', 'e',  't', 0,	0,
				 0,   0,   ',', 'f', 0,	  0,   0x3f, 0,	  0x00, 0x00 };

/* Not inline: GCC 14 takes a builder whose size it knows for one that copies out of bounds. */
static __attribute__((noinline)) void event_write(struct spa_pod_builder *builder, uint32_t frame)
{
	spa_pod_builder_control(builder, frame, SPA_CONTROL_OSC);
	spa_pod_builder_bytes(builder, onset, sizeof(onset));
}

/* A sequence of n hops, each an event. */
static uint32_t sequence_write(void *memory, uint32_t size, uint32_t n)
{
	struct spa_pod_builder builder = SPA_POD_BUILDER_INIT(memory, size);
	struct spa_pod_frame frame;

	spa_pod_builder_push_sequence(&builder, &frame, 0);
	for (uint32_t i = 0; i < n; i++)
		event_write(&builder, 480 * i);
	spa_pod_builder_pop(&builder, &frame);
	return builder.state.offset;
}

static bool cycle_of(struct fifo *fifo, uint32_t clock_id, uint32_t rate, uint64_t position,
		     const void *sequence, uint32_t size)
{
	const struct spa_io_clock clock = {
		.id = clock_id, .rate = { 1, rate }, .position = position, .duration = QUANTUM
	};

	return fifo_begin(fifo, &clock) && fifo_push(fifo, sequence, size);
}

static bool cycle(struct fifo *fifo, uint64_t position, const void *sequence, uint32_t size)
{
	return cycle_of(fifo, 0, 48000, position, sequence, size);
}

static void test_hops_keep_their_frames(void)
{
	_Alignas(8) uint8_t sequence[4096];
	const uint32_t size = sequence_write(sequence, sizeof(sequence), 2);
	struct fields fields = { 0 };
	struct fifo fifo;
	struct fifo_entry entry;

	for (int late = 0; late < 2; late++) {
		CHECK(fifo_init(&fifo, late) == 0);
		CHECK(cycle(&fifo, 10 * QUANTUM, sequence, size));
		CHECK(!cycle(&fifo, 10 * QUANTUM, sequence, size));
		CHECK(cycle(&fifo, 14 * QUANTUM, sequence, size));
		CHECK(fifo_pop(&fifo, &entry, controls));
		CHECK(entry.frame == (late ? 9 : 10) * QUANTUM && entry.rate == 48000);
		CHECK(fifo_pop(&fifo, &entry, controls));
		CHECK(entry.frame == (late ? 9 : 10) * QUANTUM + 480 && !entry.missed);
		fields_read(&fields, 1.0, controls, entry.size);
		CHECK(fields.n_events == 1 && strcmp(fields.event[0].name, "onset") == 0);
		CHECK(fields.event[0].seconds == 0.5f);
		CHECK(fifo_pop(&fifo, &entry, controls));
		CHECK(entry.frame == (late ? 13 : 14) * QUANTUM && entry.missed == 3 * QUANTUM);
		CHECK(fifo_pop(&fifo, &entry, controls) && !entry.missed);
		CHECK(!fifo_pop(&fifo, &entry, controls));
		fifo_restart(&fifo);
		CHECK(cycle(&fifo, 99 * QUANTUM, sequence, size));
		CHECK(fifo_pop(&fifo, &entry, controls) && !entry.missed);
		fifo_finish(&fifo);
	}
}

/* Each row is after a cycle of clock 0 at 48 kHz, and before one of its own clock. */
static void test_gaps_are_those_of_one_clock(void)
{
	static const struct {
		uint32_t clock_id, rate;
		uint64_t position, missed;
	} rows[] = {
		{ 0, 48000, 14 * QUANTUM, 3 * QUANTUM },
		{ 1, 48000, 14 * QUANTUM, 0 },
		{ 0, 44100, 14 * QUANTUM, 0 },
		{ 1, 48000, 10 * QUANTUM, 0 },
		{ 0, 44100, 10 * QUANTUM, 0 },
		{ 0, 48000, 5 * QUANTUM, 0 },
		{ 0, 48000, 11 * QUANTUM + 3599ull * 48000, 3599ull * 48000 },
		{ 0, 48000, 11 * QUANTUM + 3601ull * 48000, 0 },
	};
	_Alignas(8) uint8_t sequence[4096];
	const uint32_t size = sequence_write(sequence, sizeof(sequence), 1);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const uint32_t id = rows[i].clock_id, rate = rows[i].rate;
		const uint64_t at = rows[i].position;
		struct fifo fifo;
		struct fifo_entry entry;

		CHECK(fifo_init(&fifo, false) == 0);
		CHECK(cycle(&fifo, 10 * QUANTUM, sequence, size));
		CHECK(cycle_of(&fifo, id, rate, at, sequence, size));
		CHECK(cycle_of(&fifo, id, rate, at + 3 * QUANTUM, sequence, size));
		CHECK(fifo_pop(&fifo, &entry, controls) && !entry.missed && entry.rate == 48000);
		CHECK(fifo_pop(&fifo, &entry, controls) && entry.frame == at);
		CHECK(entry.missed == rows[i].missed && entry.rate == rate);
		CHECK(fifo_pop(&fifo, &entry, controls) && entry.missed == 2 * QUANTUM);
		fifo_finish(&fifo);
	}
}

#define N_CYCLES 200000
#define MAX_WORDS 1024

/* What the hop at a frame has to say; returns its size. No other says the same. */
static uint32_t words_fill(uint64_t frame, uint32_t words[MAX_WORDS])
{
	const uint32_t n = 1 + (uint32_t)(frame / (QUANTUM / 2) * 29 % MAX_WORDS);

	for (uint32_t i = 0; i < n; i++)
		words[i] = (uint32_t)frame * 2654435761u + i;
	return n * (uint32_t)sizeof(words[0]);
}

struct writing {
	struct fifo fifo;
	atomic_bool ended;
};

static void *cycles_write(void *data)
{
	struct writing *writing = data;
	_Alignas(8) uint8_t sequence[4096 + 2 * sizeof(uint32_t[MAX_WORDS])];
	uint32_t words[MAX_WORDS];

	for (uint64_t i = 0; i < N_CYCLES; i++) {
		struct spa_pod_builder builder = SPA_POD_BUILDER_INIT(sequence, sizeof(sequence));
		struct spa_pod_frame frame;

		spa_pod_builder_push_sequence(&builder, &frame, 0);
		for (uint32_t offset = 0; offset < QUANTUM; offset += QUANTUM / 2) {
			spa_pod_builder_control(&builder, offset, SPA_CONTROL_OSC);
			spa_pod_builder_bytes(&builder, words,
					      words_fill(i * QUANTUM + offset, words));
		}
		spa_pod_builder_pop(&builder, &frame);
		cycle(&writing->fifo, i * QUANTUM, sequence, builder.state.offset);
	}
	atomic_store_explicit(&writing->ended, true, memory_order_release);
	return NULL;
}

static void check_whole(const struct fifo_entry *entry)
{
	struct spa_pod_control control;
	uint32_t words[MAX_WORDS];
	const uint32_t size = words_fill(entry->frame, words);

	memcpy(&control, controls, sizeof(control));
	CHECK(entry->size == sizeof(control) + SPA_ROUND_UP_N(size, 8));
	CHECK(control.value.size == size);
	CHECK(memcmp(controls + sizeof(control), words, size) == 0);
}

/* The reader rests now and then, so that there is no room at times. */
static void test_nothing_is_torn_between_two_threads(void)
{
	static struct writing writing;
	uint64_t seen = 0, lost = 0;
	pthread_t writer;
	struct fifo_entry entry;
	bool ended;

	CHECK(fifo_init(&writing.fifo, false) == 0);
	CHECK(pthread_create(&writer, NULL, cycles_write, &writing) == 0);
	do {
		ended = atomic_load_explicit(&writing.ended, memory_order_acquire);
		for (; fifo_pop(&writing.fifo, &entry, controls); lost += entry.lost) {
			check_whole(&entry);
			if (++seen % 5000 == 0)
				usleep(2000);
		}
	} while (!ended);
	CHECK(pthread_join(writer, NULL) == 0);
	CHECK(seen + lost + writing.fifo.next.lost == 2 * N_CYCLES);
	CHECK(seen > 1000);
	fifo_finish(&writing.fifo);
}

static void test_what_finds_no_room_is_counted(void)
{
	_Alignas(8) uint8_t sequence[4096];
	const uint32_t size = sequence_write(sequence, sizeof(sequence), 2);
	uint64_t seen = 0, lost = 0, n = 0;
	struct fifo fifo;
	struct fifo_entry entry;

	CHECK(fifo_init(&fifo, false) == 0);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 10000; i++)
			cycle(&fifo, QUANTUM * ++n, sequence, size);
		for (; fifo_pop(&fifo, &entry, controls); seen++)
			lost += entry.lost;
	}
	cycle(&fifo, QUANTUM * ++n, sequence, size);
	for (; fifo_pop(&fifo, &entry, controls); seen++)
		lost += entry.lost;
	CHECK(lost > 10000);
	CHECK(seen + lost == 2 * n);
	fifo_finish(&fifo);
}

/* A stopped reader may find anything: the writer goes on. */
static void test_garbage_does_no_harm(void)
{
	_Alignas(8) uint8_t sequence[4096];
	struct fields fields = { 0 };
	struct fifo fifo;
	struct fifo_entry entry;

	srand(1);
	CHECK(fifo_init(&fifo, false) == 0);
	for (uint64_t i = 1; i < 20000; i++) {
		uint32_t size = sequence_write(sequence, sizeof(sequence), 8);

		for (int k = rand() % 20; k > 0; k--)
			sequence[(uint32_t)rand() % size] = (uint8_t)rand();
		if (i % 3 == 0)
			size = (uint32_t)rand() % (size + 1);
		cycle(&fifo, QUANTUM * i, sequence, size);
		while (fifo_pop(&fifo, &entry, controls)) {
			uint8_t *exact = malloc(entry.size);

			CHECK(exact && entry.size <= size);
			memcpy(exact, controls, entry.size);
			fields_read(&fields, 1.0, exact, entry.size);
			free(exact);
		}
	}
	fifo_finish(&fifo);
	fields_finish(&fields);
}

int main(void)
{
	test_hops_keep_their_frames();
	test_gaps_are_those_of_one_clock();
	test_nothing_is_torn_between_two_threads();
	test_what_finds_no_room_is_counted();
	test_garbage_does_no_harm();
	return 0;
}
