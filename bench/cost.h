/* SPDX-License-Identifier: MIT */
#ifndef WEIR_COST_H
#define WEIR_COST_H

/* Shared by programs that measure cost, in C and C++: the sound, the clock and the figures. */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define COST_RATE 48000
#define COST_PASSES 3 /* of which the minimum counts per block, which excludes interrupts */
#define COST_WARM_UP_SECONDS 0.5

static inline double cost_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/*
 * Chords with beats, which have spectral peaks and onsets. Call frame after frame, after srand(1).
 */
static inline float cost_sound(unsigned long frame)
{
	static const double hz[] = { 110, 164.8, 220, 277.2, 659.3, 1318.5, 3951 };
	const double t = (double)frame / COST_RATE, beat = fmod(t, 0.4);
	float x = (float)(rand() / (double)RAND_MAX - 0.5) * 0.3f * expf(-30.0f * (float)beat);

	for (size_t i = 0; i < sizeof(hz) / sizeof(hz[0]); i++)
		x += 0.07f * (float)sin(2.0 * M_PI * hz[i] * t);
	return x;
}

/* Returns n_blocks times, all infinite, to be freed with free(); exits without memory. */
static inline double *cost_create(unsigned long n_blocks, unsigned long block)
{
	double *cost = (double *)calloc(n_blocks, sizeof(*cost));

	if (!cost || n_blocks * block <= COST_WARM_UP_SECONDS * COST_RATE)
		exit(EXIT_FAILURE);
	for (unsigned long b = 0; b < n_blocks; b++)
		cost[b] = INFINITY;
	return cost;
}

/* Prints CPU_PERCENT MEAN_US WORST_US WORST/MEAN at a rate, without the warm-up. */
static inline void cost_print(const double *cost, unsigned long n_blocks, unsigned long block,
			      double rate)
{
	const unsigned long from =
		(unsigned long)(COST_WARM_UP_SECONDS * COST_RATE / (double)block);
	double sum = 0.0, worst = 0.0;

	for (unsigned long b = from; b < n_blocks; b++) {
		sum += cost[b];
		worst = fmax(worst, cost[b]);
	}

	const double mean = sum / (double)(n_blocks - from);

	printf("%.2f %.2f %.2f %.2f\n", 100.0 * mean * rate / (double)block, 1e6 * mean,
	       1e6 * worst, worst / mean);
}

#endif
