/* SPDX-License-Identifier: MIT */
#ifndef WEIR_LOUDNESS_H
#define WEIR_LOUDNESS_H

#include "dsp/arena.h"

#define LOUDNESS_FIELDS 6 /* m, s, i, lra, m_max, s_max */

#define LOUDNESS_HOPS 300    /* of 10 ms, in the 3 s of the short-term loudness */
#define LOUDNESS_SHARES 8000 /* bins of 0.01 LU from -70 to 10 LUFS, the last open upwards */
#define LOUDNESS_COARSE 100  /* bins per coarse bin, by which sums are quick */

/* Per bin of loudness: the number of blocks and their energy. */
struct loudness_histogram {
	uint32_t count[LOUDNESS_SHARES], count_coarse[LOUDNESS_SHARES / LOUDNESS_COARSE];
	double energy[LOUDNESS_SHARES], energy_coarse[LOUDNESS_SHARES / LOUDNESS_COARSE];
};

/*
 * Loudness of EBU R 128, Tech 3341 and Tech 3342, ITU-R BS.1770-4, from the energies of hops of
 * 10 ms. Momentary and short-term loudness count the time before the start as silence. The
 * integrated loudness is known from the first block of 400 ms that passes the gates, the range from
 * the first 3 s. Maxima are known one whole window after their reset. Memory and time per hop are
 * constant.
 */
struct loudness {
	uint32_t n_channels;
	double energy[LOUDNESS_HOPS]; /* of hops, a ring */
	uint32_t next;
	uint32_t n_hops;	/* since the start of integration, at most LOUDNESS_HOPS */
	uint32_t n_since_reset; /* since the maxima were reset, at most LOUDNESS_HOPS */
	uint32_t n_block;	/* hops since a block of 400 ms ended */
	float integrated, range, momentary_max, short_term_max;
	struct loudness_histogram *blocks, *short_terms;
};

/* Then allocate twice, and reset. */
void loudness_init(struct loudness *loudness, uint32_t n_channels);
void loudness_allocate(struct loudness *loudness, struct arena *arena);

WEIR_REALTIME void loudness_reset(struct loudness *loudness);

/*
 * weight: one per channel, by its position. energy: the K-weighted mean square of each channel in
 * the hop. value: LOUDNESS_FIELDS; NaN where it is not known yet.
 */
WEIR_REALTIME void loudness_hop(struct loudness *loudness, const double *energy,
				const float *weight, float *value);

/* Resets the integrated loudness, its range and the maxima. */
WEIR_REALTIME void loudness_forget(struct loudness *loudness);

#endif
