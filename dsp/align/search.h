/* SPDX-License-Identifier: MIT */
#ifndef WEIR_ALIGN_SEARCH_H
#define WEIR_ALIGN_SEARCH_H

#include "front_end.h"

#define SEARCH_HOP_BLOCKS 4 /* of FRONT_END_BLOCK: a row */
#define SEARCH_ROWS 16	    /* rows summed, newest first */
#define SEARCH_SHORT_ROWS 4 /* rows of the sum that shows the present delay */
#define SEARCH_DRIFTS 31
#define SEARCH_TILE 256
#define SEARCH_PAD 128 /* blank lags before and behind a row */

/* The highest peak of the correlation, and its height over others. */
struct search_peak {
	int32_t lag; /* samples of the analysis by which the other microphone is later */
	double drift;
	float height;	/* over the deviation of the rest */
	float lead;	/* over the second highest */
	float own;	/* over the height at the known lag; 1 if that is out of range */
	float polarity; /* 1 or -1 */
};

struct search_tile {
	float max, sum_of_squares;
	int32_t at;    /* column of the row */
	uint8_t drift; /* of SEARCH_DRIFTS */
	bool is_negative;
};

/* How the rows are summed: their number, weights and shifts, and the known lag. */
struct search_sum {
	uint32_t n_rows;
	float weight[SEARCH_ROWS];
	int32_t shift[SEARCH_DRIFTS][SEARCH_ROWS];
	uint32_t n_drifts;
	double drift[SEARCH_DRIFTS];
	int32_t expected_column;
	float expected; /* height there */
};

enum search_stage {
	SEARCH_CROSS, /* for each block of a hop, then for the hop: */
	SEARCH_LAGS,
	SEARCH_SUM,
	SEARCH_SHORT, /* while a lag is known */
};

/*
 * Searches for the lag between two microphones: correlates the whitened sounds of a hop at all
 * lags, and sums the hops of four seconds along each drift of a grid.
 */
struct search {
	const struct front_end_context *context;
	uint32_t n_parts, max_parts; /* of FRONT_END_BLOCK lags, per direction */
	uint32_t n_columns;	     /* 2 * n_parts * FRONT_END_BLOCK, half of them negative lags */

	uint64_t n_blocks; /* taken */
	uint32_t hop_block;
	uint32_t step; /* within the stage */
	enum search_stage stage;

	fftwf_complex *cross; /* [2 * max_parts][FRONT_END_BLOCK_BINS] of this hop */
	float *row[SEARCH_ROWS];
	uint32_t n_rows, newest; /* n_rows: rows in use */
	struct search_tile *tile;

	/* A known lag adds the short sum; a known drift replaces the grid of drifts. */
	bool is_lag_known, is_drift_known;
	int32_t known_lag;
	double known_drift;

	struct search_sum sum;
	struct search_peak peak, short_peak; /* of the latest hop */
	uint64_t n_hops;		     /* completed: peaks are new */
};

void search_allocate(struct search *search, const struct front_end_context *context,
		     uint32_t max_parts, struct arena *arena);
WEIR_REALTIME void search_reset(struct search *search);

/* Forgets the rows, and limits lags to n_parts * FRONT_END_BLOCK. */
WEIR_REALTIME void search_restart(struct search *search, uint32_t n_parts);

WEIR_REALTIME uint32_t search_step(struct search *search, const struct front_end *front1,
				   const struct front_end *front2);

#endif
