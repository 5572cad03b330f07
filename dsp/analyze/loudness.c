/* SPDX-License-Identifier: MIT */
#include "loudness.h"

#include <math.h>
#include <string.h>

#include "dsp/minmax.h"
#include "dsp/simd.h"
#include "level.h"

/* ITU-R BS.1770-4, annex 1: blocks of 400 ms, each 100 ms after the one before, and two gates. */
#define MOMENTARY_HOPS 40
#define BLOCK_HOPS 10
#define ABSOLUTE -70.0f	  /* LUFS; EBU Tech 3342 as well */
#define BLOCK_GATE -10.0f /* LU */

/* EBU Tech 3342: from the 10th to the 95th percentile of the values above the gate. */
#define RANGE_GATE -20.0f /* LU */
#define RANGE_LOW 0.10
#define RANGE_HIGH 0.95

void loudness_init(struct loudness *loudness, uint32_t n_channels)
{
	loudness->n_channels = n_channels;
}

void loudness_allocate(struct loudness *loudness, struct arena *arena)
{
	loudness->blocks = arena_bytes(arena, sizeof(*loudness->blocks));
	loudness->short_terms = arena_bytes(arena, sizeof(*loudness->short_terms));
}

WEIR_REALTIME void loudness_forget(struct loudness *loudness)
{
	loudness->n_hops = loudness->n_block = loudness->n_since_reset = 0;
	loudness->integrated = loudness->range = NAN;
	loudness->momentary_max = loudness->short_term_max = MIN_LEVEL;
	memset(loudness->blocks, 0, sizeof(*loudness->blocks));
	memset(loudness->short_terms, 0, sizeof(*loudness->short_terms));
}

WEIR_REALTIME void loudness_reset(struct loudness *loudness)
{
	loudness->next = 0;
	memset(loudness->energy, 0, sizeof(loudness->energy));
	loudness_forget(loudness);
	loudness->n_since_reset = LOUDNESS_HOPS;
}

static WEIR_REALTIME float lufs(double energy)
{
	return max_f32(-0.691f + 10.0f * log10f((float)(energy + (double)MIN_SQUARE)), MIN_LEVEL);
}

static WEIR_REALTIME double momentary_of(const struct loudness *loudness)
{
	uint32_t i = (loudness->next + LOUDNESS_HOPS - MOMENTARY_HOPS) % LOUDNESS_HOPS;
	double sum = 0.0;

	for (uint32_t n = 0; n < MOMENTARY_HOPS; n++) {
		sum += loudness->energy[i];
		i = i + 1 < LOUDNESS_HOPS ? i + 1 : 0;
	}
	return sum / MOMENTARY_HOPS;
}

static WEIR_SIMD WEIR_REALTIME double short_term_of(const struct loudness *loudness)
{
	double sum[4] = { 0.0 };

	for (uint32_t i = 0; i < LOUDNESS_HOPS; i += 4)
		for (uint32_t k = 0; k < 4; k++)
			sum[k] += loudness->energy[i + k];
	return ((sum[0] + sum[2]) + (sum[1] + sum[3])) / LOUDNESS_HOPS;
}

/* Index in the histogram of a loudness above the absolute gate. */
static WEIR_REALTIME uint32_t share_of(float loud)
{
	return (uint32_t)min_f32(max_f32((loud - ABSOLUTE) * 100.0f, 0.0f),
				 (float)(LOUDNESS_SHARES - 1));
}

static WEIR_REALTIME void histogram_add(struct loudness_histogram *histogram, double energy)
{
	const float loud = lufs(energy);
	const uint32_t share = share_of(loud);

	if (loud <= ABSOLUTE)
		return;
	histogram->count[share]++;
	histogram->energy[share] += energy;
	histogram->count_coarse[share / LOUDNESS_COARSE]++;
	histogram->energy_coarse[share / LOUDNESS_COARSE] += energy;
}

/* Sums from `first` on, to the end of its coarse share or of all coarse shares. */
static WEIR_REALTIME void histogram_sum(const struct loudness_histogram *histogram, uint32_t first,
					uint64_t *count, double *energy)
{
	uint32_t i = first;

	*count = 0;
	*energy = 0.0;
	for (; i % LOUDNESS_COARSE; i++) {
		*count += histogram->count[i];
		*energy += histogram->energy[i];
	}
	for (i /= LOUDNESS_COARSE; i < LOUDNESS_SHARES / LOUDNESS_COARSE; i++) {
		*count += histogram->count_coarse[i];
		*energy += histogram->energy_coarse[i];
	}
}

/*
 * The first share that passes the relative gate too; LOUDNESS_SHARES when nothing was measured. The
 * share in which the gate lies counts as a whole, by its mean.
 */
static WEIR_REALTIME uint32_t gate_find(const struct loudness_histogram *histogram, float gate)
{
	uint64_t count;
	double energy;

	histogram_sum(histogram, 0, &count, &energy);
	if (!count)
		return LOUDNESS_SHARES;

	const double min_energy = energy / (double)count * pow(10.0, gate / 10.0);
	const uint32_t share = share_of(lufs(min_energy));

	return histogram->energy[share] < min_energy * histogram->count[share] ? share + 1 : share;
}

static WEIR_REALTIME float integrate(const struct loudness_histogram *histogram)
{
	const uint32_t first = gate_find(histogram, BLOCK_GATE);
	uint64_t count;
	double energy;

	if (first == LOUDNESS_SHARES)
		return NAN;
	histogram_sum(histogram, first, &count, &energy);
	return lufs(energy / (double)count);
}

/* The index of the value of this rank, of the values from `first` on. */
static WEIR_REALTIME uint32_t rank_find(const struct loudness_histogram *histogram, uint32_t first,
					uint64_t rank)
{
	uint64_t below = 0;
	uint32_t i = first;

	for (; i % LOUDNESS_COARSE; i++) {
		below += histogram->count[i];
		if (below > rank)
			return i;
	}
	while (below + histogram->count_coarse[i / LOUDNESS_COARSE] <= rank) {
		below += histogram->count_coarse[i / LOUDNESS_COARSE];
		i += LOUDNESS_COARSE;
	}
	for (; below + histogram->count[i] <= rank; i++)
		below += histogram->count[i];
	return i;
}

static WEIR_REALTIME float range_find(const struct loudness_histogram *histogram)
{
	const uint32_t first = gate_find(histogram, RANGE_GATE);
	uint64_t count;
	double energy;

	if (first == LOUDNESS_SHARES)
		return NAN;
	histogram_sum(histogram, first, &count, &energy);

	const double last = (double)(count - 1);
	const uint32_t low = rank_find(histogram, first, (uint64_t)(RANGE_LOW * last + 0.5));
	const uint32_t high = rank_find(histogram, first, (uint64_t)(RANGE_HIGH * last + 0.5));

	return (float)(high - low) * 0.01f;
}

/* Every 100 ms since the start of integration. */
static WEIR_REALTIME void block_end(struct loudness *loudness, double momentary, double short_term)
{
	if (loudness->n_hops >= MOMENTARY_HOPS) {
		histogram_add(loudness->blocks, momentary);
		loudness->integrated = integrate(loudness->blocks);
	}
	if (loudness->n_hops >= LOUDNESS_HOPS) {
		histogram_add(loudness->short_terms, short_term);
		loudness->range = range_find(loudness->short_terms);
	}
}

WEIR_REALTIME void loudness_hop(struct loudness *loudness, const double *energy,
				const float *weight, float *value)
{
	double sum = 0.0;

	for (uint32_t c = 0; c < loudness->n_channels; c++)
		sum += weight[c] * energy[c];
	loudness->energy[loudness->next] = sum;
	loudness->next = (loudness->next + 1) % LOUDNESS_HOPS;
	loudness->n_hops = min_u32(loudness->n_hops + 1, LOUDNESS_HOPS);
	loudness->n_since_reset = min_u32(loudness->n_since_reset + 1, LOUDNESS_HOPS);

	const double momentary = momentary_of(loudness);
	const double short_term = short_term_of(loudness);

	if (++loudness->n_block == BLOCK_HOPS) {
		loudness->n_block = 0;
		block_end(loudness, momentary, short_term);
	}
	value[0] = lufs(momentary);
	value[1] = lufs(short_term);
	value[2] = loudness->integrated;
	value[3] = loudness->range;
	value[4] = value[5] = NAN;
	if (loudness->n_since_reset >= MOMENTARY_HOPS)
		value[4] = loudness->momentary_max = max_f32(value[0], loudness->momentary_max);
	if (loudness->n_since_reset >= LOUDNESS_HOPS)
		value[5] = loudness->short_term_max = max_f32(value[1], loudness->short_term_max);
}
