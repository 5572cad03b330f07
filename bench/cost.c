/* SPDX-License-Identifier: MIT */

/*
 * Measures the cost of a unit.
 *
 * usage: cost UNIT BLOCK SECONDS [rate=HZ] [CONTROL=VALUE]...
 * prints: CPU_PERCENT MEAN_US WORST_US WORST/MEAN (CPU time of the thread; each block's is the
 * minimum of three passes, so that interrupts do not count; default rate: 48 kHz)
 *
 * usage: cost UNIT
 * prints: FIRST_KIB NEXT_KIB (memory of the first instance in a process, and of a second one)
 *
 * For instructions: valgrind --tool=callgrind --toggle-collect=weir_unit_run cost ...
 */

#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cost.h"
#include "dsp/unit.h"

static float audio[WEIR_MAX_PORTS][WEIR_MAX_FRAMES];
static float control[WEIR_MAX_PORTS];
static uint32_t rate = COST_RATE;

static void input_fill(const struct weir_unit *unit, unsigned long from, uint32_t n)
{
	for (uint32_t f = 0; f < n; f++) {
		const float x = cost_sound(from + f);

		for (uint32_t i = 0; i < unit->n_ports; i++)
			if (unit->ports[i].type == WEIR_AUDIO_IN)
				audio[i][f] = x * (i % 2 ? 0.7f : 1.0f);
	}
}

static void controls_set(const struct weir_unit *unit, char *settings[], int n)
{
	for (int s = 0; s < n; s++)
		if (strncmp(settings[s], "rate=", 5) == 0)
			rate = (uint32_t)atoi(settings[s] + 5);
	for (uint32_t i = 0; i < unit->n_ports; i++) {
		const size_t length = strlen(unit->ports[i].name);

		control[i] = unit->ports[i].def;
		for (int s = 0; s < n; s++)
			if (strncmp(settings[s], unit->ports[i].name, length) == 0 &&
			    settings[s][length] == '=')
				control[i] = strtof(settings[s] + length + 1, NULL);
	}
}

static void pass(const struct weir_unit *unit, uint32_t block, unsigned long n_blocks, double *cost)
{
	void *state = unit->create(rate);
	float *port[WEIR_MAX_PORTS];

	if (!state)
		exit(EXIT_FAILURE);
	srand(1);
	for (uint32_t i = 0; i < unit->n_ports; i++)
		port[i] = unit->ports[i].type == WEIR_AUDIO_IN ||
					  unit->ports[i].type == WEIR_AUDIO_OUT
				  ? audio[i]
				  : &control[i];
	for (unsigned long b = 0; b < n_blocks; b++) {
		input_fill(unit, b * block, block);

		const double begun = cost_clock();

		weir_unit_run(unit, state, port, block, NULL);
		cost[b] = fmin(cost[b], cost_clock() - begun);
	}
	unit->destroy(state);
}

static double allocated_kib(void)
{
	const struct mallinfo2 all = mallinfo2();

	return (double)(all.uordblks + all.hblkhd) / 1024.0;
}

static void memory_print(const struct weir_unit *unit)
{
	void *state[2];
	double kib[3] = { allocated_kib() };

	for (int i = 0; i < 2; i++) {
		state[i] = unit->create(rate);
		if (!state[i])
			exit(EXIT_FAILURE);
		kib[i + 1] = allocated_kib();
	}
	printf("%.0f %.0f\n", kib[1] - kib[0], kib[2] - kib[1]);
	for (int i = 0; i < 2; i++)
		unit->destroy(state[i]);
}

int main(int argc, char *argv[])
{
	const struct weir_unit *unit = argc > 1 ? weir_unit_find(argv[1]) : NULL;
	const uint32_t block = argc > 3 ? (uint32_t)atoi(argv[2]) : 0;

	if (unit && argc == 2) {
		memory_print(unit);
		return EXIT_SUCCESS;
	}
	if (!unit || block < 1 || block > WEIR_MAX_FRAMES) {
		fputs("usage: cost UNIT [BLOCK SECONDS [rate=HZ] [CONTROL=VALUE]...]\n", stderr);
		return EXIT_FAILURE;
	}

	controls_set(unit, argv + 4, argc - 4);

	const unsigned long n_blocks = (unsigned long)(atof(argv[3]) * rate / block);
	double *cost = cost_create(n_blocks, block);

	for (int i = 0; i < COST_PASSES; i++)
		pass(unit, block, n_blocks, cost);
	cost_print(cost, n_blocks, block, rate);
	free(cost);
	return EXIT_SUCCESS;
}
