/* SPDX-License-Identifier: MIT */

/*
 * With w1 and w2 the whitened sounds and T the length of a hop, hop u gives a row
 *
 *	r_u(l) = sum over t in hop u of  w1(t - l) w2(t)	l >= 0
 *	         sum over t in hop u of  w1(t) w2(t + l)	l < 0
 *
 * by overlap-save, for one block of lags after the other. A drift e of the clocks moves the peak by
 * e T per hop, so the sum
 *
 *	R_e(l) = sum over h of  exp(-h T / tau) r_(u-h)(l - round(e T h))
 *
 * is highest at the present lag and the drift of the clocks. Receivers of satellite navigation
 * acquire a signal in the same way (E. D. Kaplan, C. J. Hegarty, "Understanding GPS", chapter 5),
 * with the Doppler shift in place of the drift. The sign of the peak is the polarity.
 */

#include "search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dsp/simd.h"

#define PARTS_PER_STEP 4      /* the work of a step of cost 4 */
#define TAU_SECONDS 4.0	      /* as long as SEARCH_ROWS rows */
#define SHORT_TAU_SECONDS 0.9 /* as long as SEARCH_SHORT_ROWS rows */
#define NEAR_LAG 24	      /* samples, 1.5 ms at 16 kHz: the reach of the loop */
#define SHORT_NEAR_LAG 12     /* samples: half of that */
#define NEAR_STEPS 7	      /* of drifts on each side of 0 */
#define NEAR_STEP 50e-6	      /* in SEARCH_ROWS hops of 0.256 s it moves a peak by 3 samples */
#define FAR_STEP 150e-6	      /* of clocks without a crystal, whose peak is wide */
#define DRIFTS_PER_STEP 16    /* the work of a step of cost 6 */
#define SHORT_TILES 4	      /* tiles in one step when there is one drift only */

void search_allocate(struct search *search, const struct front_end_context *context,
		     uint32_t max_parts, struct arena *arena)
{
	const size_t n_columns = 2 * (size_t)max_parts * FRONT_END_BLOCK;

	search->context = context;
	search->max_parts = max_parts;
	search->cross = arena_bins(arena, 2 * (size_t)max_parts * FRONT_END_BLOCK_BINS);
	for (int i = 0; i < SEARCH_ROWS; i++)
		search->row[i] = arena_floats(arena, n_columns + 2 * SEARCH_PAD);
	search->tile = arena_bytes(arena, n_columns / SEARCH_TILE * sizeof(struct search_tile));
}

WEIR_REALTIME void search_restart(struct search *search, uint32_t n_parts)
{
	search->n_parts = n_parts;
	search->n_columns = 2 * n_parts * FRONT_END_BLOCK;
	search->hop_block = search->step = 0;
	search->stage = SEARCH_CROSS;
	search->n_rows = search->newest = 0;
	search->is_lag_known = search->is_drift_known = false;
}

WEIR_REALTIME void search_reset(struct search *search)
{
	search_restart(search, search->max_parts);
	search->n_blocks = search->n_hops = 0;
	search->known_lag = 0;
	search->known_drift = 0.0;
}

static WEIR_SIMD WEIR_REALTIME void cross_add(float *restrict sum, const float *restrict alone,
					      const float *restrict both)
{
	for (uint32_t k = 0; k < 2 * (FRONT_END_BLOCK + 1); k += 2) {
		sum[k] += alone[k] * both[k] + alone[k + 1] * both[k + 1];
		sum[k + 1] += alone[k] * both[k + 1] - alone[k + 1] * both[k];
	}
}

/* Part p of the first half holds lags of p blocks and more, of the other half lags below zero. */
static WEIR_REALTIME bool cross_step(struct search *search, const struct front_end *front1,
				     const struct front_end *front2)
{
	const uint64_t block = search->n_blocks;
	const uint32_t n_parts = search->n_parts;

	for (uint32_t i = 0; i < PARTS_PER_STEP && search->step < 2 * n_parts; i++) {
		const uint32_t part = search->step % n_parts;
		const bool is_negative = search->step >= n_parts;
		const struct front_end *now = is_negative ? front1 : front2;
		const struct front_end *then = is_negative ? front2 : front1;
		fftwf_complex *sum = search->cross + (size_t)search->step * FRONT_END_BLOCK_BINS;

		if (search->hop_block == 0)
			memset(sum, 0, FRONT_END_BLOCK_BINS * sizeof(fftwf_complex));
		if (block >= part)
			cross_add((float *)sum, (const float *)now->alone[block % FRONT_END_ALONE],
				  (const float *)front_end_spectrum(then, block - part));
		search->step++;
	}
	if (search->step < 2 * n_parts)
		return false;
	search->step = 0;
	search->n_blocks++;
	if (++search->hop_block < SEARCH_HOP_BLOCKS)
		return false;
	search->hop_block = 0;
	search->newest = (search->newest + 1) % SEARCH_ROWS;
	return true;
}

/* Sample n of the inverse transform of part p is lag (p + 1) * FRONT_END_BLOCK - n. */
static WEIR_REALTIME bool lags_step(struct search *search, const struct front_end *front1,
				    const struct front_end *front2)
{
	const uint32_t part = search->step % search->n_parts;
	const bool is_negative = search->step >= search->n_parts;
	float *row = search->row[search->newest] + SEARCH_PAD;
	float *zero = row + (size_t)search->n_parts * FRONT_END_BLOCK;
	float *time = search->context->time;

	(void)front1, (void)front2;
	weir_fft_inverse(&search->context->block_fft,
			 search->cross + (size_t)search->step * FRONT_END_BLOCK_BINS, time);
	if (is_negative)
		memcpy(zero - (part + 1) * (size_t)FRONT_END_BLOCK + 1, time + 1,
		       (part > 0 ? FRONT_END_BLOCK : FRONT_END_BLOCK - 1) * sizeof(float));
	else
		for (uint32_t n = 1; n <= FRONT_END_BLOCK; n++)
			zero[part * FRONT_END_BLOCK + FRONT_END_BLOCK - n] = time[n];
	if (++search->step < 2 * search->n_parts)
		return false;
	row[0] = 0.0f; /* the only column that no part has */
	memset(row - SEARCH_PAD, 0, SEARCH_PAD * sizeof(float));
	memset(row + search->n_columns, 0, SEARCH_PAD * sizeof(float));
	search->n_rows += search->n_rows < SEARCH_ROWS;
	return true;
}

static WEIR_REALTIME double drift_of(int step)
{
	const int size = abs(step), n_near = size < NEAR_STEPS ? size : NEAR_STEPS;
	const double drift = n_near * NEAR_STEP + (size - n_near) * FAR_STEP;

	return step < 0 ? -drift : drift;
}

static WEIR_REALTIME void sum_begin(struct search *search)
{
	const bool is_short = search->stage == SEARCH_SHORT;
	const uint32_t n_rows = is_short ? SEARCH_SHORT_ROWS : SEARCH_ROWS;
	const double hop = (double)SEARCH_HOP_BLOCKS * FRONT_END_BLOCK;
	const double tau = is_short ? SHORT_TAU_SECONDS : TAU_SECONDS;
	struct search_sum *sum = &search->sum;

	sum->n_rows = search->n_rows < n_rows ? search->n_rows : n_rows;
	sum->n_drifts = search->is_drift_known || is_short ? 1 : SEARCH_DRIFTS;
	sum->expected_column = search->known_lag + (int32_t)search->n_columns / 2;
	sum->expected = 0.0f;
	for (uint32_t d = 0; d < sum->n_drifts; d++) {
		sum->drift[d] = sum->n_drifts == 1 ? search->known_drift
						   : drift_of((int)d - SEARCH_DRIFTS / 2);
		for (uint32_t h = 0; h < sum->n_rows; h++)
			sum->shift[d][h] = (int32_t)lrint(sum->drift[d] * hop * h);
	}
	for (uint32_t h = 0; h < sum->n_rows; h++)
		sum->weight[h] = (float)exp(-hop * h / (double)search->context->rate / tau);
}

static WEIR_SIMD WEIR_REALTIME void rows_sum(float *restrict sum, const float *const row[],
					     const struct search_sum *how)
{
	for (uint32_t i = 0; i < SEARCH_TILE; i += 32) {
		weir_lanes lane[4] = { { 0 }, { 0 }, { 0 }, { 0 } };

		for (uint32_t h = 0; h < how->n_rows; h++)
			for (uint32_t j = 0; j < 4; j++)
				lane[j] +=
					how->weight[h] * *(const weir_lanes *)(row[h] + i + 8 * j);
		for (uint32_t j = 0; j < 4; j++)
			*(weir_lanes *)(sum + i + 8 * j) = lane[j];
	}
}

/* Returns the maximum magnitude, and the sum of squares. Floats >= 0 compare like their bits. */
static WEIR_SIMD WEIR_REALTIME float sum_measure(const float *restrict sum, float *restrict squares)
{
	typedef int32_t bits __attribute__((vector_size(32)));
	union {
		bits bits;
		float value[8];
	} max = { { 0 } };
	weir_lanes square = { 0 };

	for (uint32_t i = 0; i < SEARCH_TILE; i += 8) {
		const weir_lanes value = *(const weir_lanes *)(sum + i);
		const bits size = (bits)value & INT32_MAX, more = size > max.bits;

		max.bits = (size & more) | (max.bits & ~more);
		square += value * value;
	}
	for (uint32_t j = 1; j < 8; j++) {
		max.value[0] = max.value[j] > max.value[0] ? max.value[j] : max.value[0];
		square[0] += square[j];
	}
	*squares = square[0];
	return max.value[0];
}

static WEIR_REALTIME void expected_look(struct search *search, const float *sum, int32_t column)
{
	const int32_t near = search->stage == SEARCH_SHORT ? SHORT_NEAR_LAG : NEAR_LAG;
	const int32_t known = search->sum.expected_column - column;
	const int32_t first = known > near ? known - near : 0;

	for (int32_t i = first; i <= known + near && i < SEARCH_TILE; i++)
		if (fabsf(sum[i]) > search->sum.expected)
			search->sum.expected = fabsf(sum[i]);
}

static WEIR_REALTIME void tile_look(struct search *search, uint32_t index, uint32_t drift)
{
	const struct search_sum *how = &search->sum;
	const int32_t column = (int32_t)(index * SEARCH_TILE);
	struct search_tile *tile = &search->tile[index];
	const float *row[SEARCH_ROWS];
	float sum[SEARCH_TILE], squares;

	for (uint32_t h = 0; h < how->n_rows; h++)
		row[h] = search->row[(search->newest + SEARCH_ROWS - h) % SEARCH_ROWS] +
			 SEARCH_PAD + column - how->shift[drift][h];

	rows_sum(sum, row, how);

	const float max = sum_measure(sum, &squares);

	tile->sum_of_squares += squares;
	if (search->is_lag_known)
		expected_look(search, sum, column);
	if (max <= tile->max)
		return;
	tile->max = max;
	tile->drift = (uint8_t)drift;
	tile->at = 0;
	while (tile->at < SEARCH_TILE - 1 && fabsf(sum[tile->at]) != max)
		tile->at++;
	tile->is_negative = sum[tile->at] < 0.0f;
	tile->at += column;
}

/* The deviation and the second peak are those of all tiles but the peak's and its neighbours. */
static WEIR_REALTIME void peak_find(struct search *search, struct search_peak *peak)
{
	const uint32_t n_tiles = search->n_columns / SEARCH_TILE;
	const struct search_tile *tile = search->tile;
	float second = 0.0f, squares = 0.0f;
	uint32_t best = 0, n = 0;

	for (uint32_t i = 1; i < n_tiles; i++)
		if (tile[i].max > tile[best].max)
			best = i;
	for (uint32_t i = 0; i < n_tiles; i++) {
		if (i + 1 >= best && i <= best + 1)
			continue;
		second = tile[i].max > second ? tile[i].max : second;
		squares += tile[i].sum_of_squares;
		n += SEARCH_TILE * search->sum.n_drifts;
	}
	peak->lag = tile[best].at - (int32_t)search->n_columns / 2;
	peak->drift = search->sum.drift[tile[best].drift];
	peak->height = tile[best].max / (sqrtf(squares / (float)n) + 1e-12f);
	peak->lead = tile[best].max / (second + 1e-12f);
	peak->own = search->sum.expected > 0.0f ? tile[best].max / search->sum.expected : 1.0f;
	peak->polarity = tile[best].is_negative ? -1.0f : 1.0f;
}

static WEIR_REALTIME bool sum_step(struct search *search, const struct front_end *front1,
				   const struct front_end *front2)
{
	const uint32_t n_tiles = search->n_columns / SEARCH_TILE;

	(void)front1, (void)front2;
	if (search->step == 0)
		sum_begin(search);

	const uint32_t n_drifts = search->sum.n_drifts, n = n_drifts == 1 ? SHORT_TILES : 1;
	const uint32_t n_parts = (n_drifts + DRIFTS_PER_STEP - 1) / DRIFTS_PER_STEP;

	for (uint32_t i = 0; i < n && search->step < n_tiles * n_parts; i++, search->step++) {
		const uint32_t tile = search->step / n_parts;
		const uint32_t first = search->step % n_parts * DRIFTS_PER_STEP;

		if (first == 0)
			search->tile[tile] = (struct search_tile){ 0 };
		for (uint32_t d = first; d < n_drifts && d < first + DRIFTS_PER_STEP; d++)
			tile_look(search, tile, d);
	}
	if (search->step < n_tiles * n_parts)
		return false;
	peak_find(search, search->stage == SEARCH_SUM ? &search->peak : &search->short_peak);
	if (search->stage == SEARCH_SUM && search->is_lag_known) {
		search->stage = SEARCH_SHORT;
		return false;
	}
	search->n_hops++;
	return true;
}

/* A step returns true when its stage is done; it may set another stage than the next. */
static const struct {
	bool (*step)(struct search *search, const struct front_end *front1,
		     const struct front_end *front2) WEIR_REALTIME;
	uint32_t cost;
	enum search_stage next;
} stages[] = {
	[SEARCH_CROSS] = { cross_step, 4, SEARCH_LAGS },
	[SEARCH_LAGS] = { lags_step, 5, SEARCH_SUM },
	[SEARCH_SUM] = { sum_step, 6, SEARCH_CROSS },
	[SEARCH_SHORT] = { sum_step, 2, SEARCH_CROSS },
};

WEIR_REALTIME uint32_t search_step(struct search *search, const struct front_end *front1,
				   const struct front_end *front2)
{
	const uint64_t ready =
		front1->n_blocks < front2->n_blocks ? front1->n_blocks : front2->n_blocks;

	if (ready > search->n_blocks + FRONT_END_ALONE - 1) {
		search_restart(search, search->n_parts);
		search->n_blocks = ready;
	}

	const enum search_stage stage = search->stage;

	if (stage == SEARCH_CROSS && search->n_blocks >= ready)
		return 0;
	if (stages[stage].step(search, front1, front2))
		search->stage = stages[stage].next;
	if (search->stage != stage)
		search->step = 0;
	return stages[stage].cost;
}
