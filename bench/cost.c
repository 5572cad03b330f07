/* SPDX-License-Identifier: MIT */

/*
 * What a unit costs: share of a core, mean and worst block.
 *
 * usage: cost UNIT BLOCK SECONDS [CONTROL=VALUE]...
 * prints: CPU_PERCENT MEAN_US WORST_US WORST/MEAN (thread time at 48 kHz; the worst of a block is
 * the least of three passes, so that interrupts do not count)
 *
 * For instructions: valgrind --tool=callgrind --toggle-collect=weir_unit_run cost ...
 */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../dsp/unit.h"

#define RATE 48000
#define N_PASSES 3
#define WARM_UP_SECONDS 0.5

static float audio[WEIR_MAX_PORTS][WEIR_MAX_FRAMES];
static float control[WEIR_MAX_PORTS];

static double thread_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Chords with beats: something to do for whatever looks for peaks and beginnings. */
static void input_fill(const struct weir_unit *unit, unsigned long from, uint32_t n)
{
	static const double hz[] = { 110, 164.8, 220, 277.2, 659.3, 1318.5, 3951 };

	for (uint32_t f = 0; f < n; f++) {
		const double t = (double)(from + f) / RATE, beat = fmod(t, 0.4);
		float x = (float)(rand() / (double)RAND_MAX - 0.5) * 0.3f *
			  expf(-30.0f * (float)beat);

		for (size_t i = 0; i < sizeof(hz) / sizeof(hz[0]); i++)
			x += 0.07f * (float)sin(2.0 * M_PI * hz[i] * t);
		for (uint32_t i = 0; i < unit->n_ports; i++)
			if (unit->ports[i].type == WEIR_AUDIO_IN)
				audio[i][f] = x * (i % 2 ? 0.7f : 1.0f);
	}
}

static void controls_set(const struct weir_unit *unit, char *settings[], int n)
{
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
	void *state = unit->create(RATE);
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

		const double begun = thread_seconds();

		weir_unit_run(unit, state, port, block, NULL);
		cost[b] = fmin(cost[b], thread_seconds() - begun);
	}
	unit->destroy(state);
}

int main(int argc, char *argv[])
{
	const struct weir_unit *unit = argc > 3 ? weir_unit_find(argv[1]) : NULL;
	const uint32_t block = unit ? (uint32_t)atoi(argv[2]) : 0;

	if (!unit || block < 1 || block > WEIR_MAX_FRAMES) {
		fputs("usage: cost UNIT BLOCK SECONDS [CONTROL=VALUE]...\n", stderr);
		return EXIT_FAILURE;
	}

	const unsigned long n_blocks = (unsigned long)(atof(argv[3]) * RATE / block);
	const unsigned long from = (unsigned long)(WARM_UP_SECONDS * RATE / block);
	double *cost = calloc(n_blocks, sizeof(*cost));
	double sum = 0.0, worst = 0.0;

	if (!cost || n_blocks <= from)
		return EXIT_FAILURE;
	for (unsigned long b = 0; b < n_blocks; b++)
		cost[b] = INFINITY;
	controls_set(unit, argv + 4, argc - 4);
	for (int i = 0; i < N_PASSES; i++)
		pass(unit, block, n_blocks, cost);
	for (unsigned long b = from; b < n_blocks; b++) {
		sum += cost[b];
		worst = fmax(worst, cost[b]);
	}

	const double mean = sum / (double)(n_blocks - from);

	printf("%.2f %.2f %.2f %.2f\n", 100.0 * mean * RATE / block, 1e6 * mean, 1e6 * worst,
	       worst / mean);
	free(cost);
	return EXIT_SUCCESS;
}
