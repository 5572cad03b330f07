/* SPDX-License-Identifier: MIT */
#ifndef WEIR_LOUDNESS_H
#define WEIR_LOUDNESS_H

#include "dsp/arena.h"

#define LOUDNESS_FIELDS 6 /* m, s, i, lra, m_max, s_max */

#define LOUDNESS_HOPS 300    /* of 10 ms, in the short-term loudness */
#define LOUDNESS_SHARES 8000 /* hundredths of a LU, from -70 to 10 LUFS and above */
#define LOUDNESS_COARSE 100  /* of them at once */

/* How often which loudness was measured, and the energy of that. */
struct loudness_histogram {
	uint32_t count[LOUDNESS_SHARES], count_coarse[LOUDNESS_SHARES / LOUDNESS_COARSE];
	double energy[LOUDNESS_SHARES], energy_coarse[LOUDNESS_SHARES / LOUDNESS_COARSE];
};

/*
 * Loudness of EBU R 128, Tech 3341 and Tech 3342, ITU-R BS.1770-4; from the energies of hops of
 * 10 ms. What is momentary or short-term counts what was before the start as silence. What is
 * integrated is told from the first 400 ms, and what is a range from the first 3 s, that pass the
 * gates. Maxima are not told before all of a window is behind the moment at which they were
 * forgotten. Memory and work do not grow with time.
 */
struct loudness {
	uint32_t n_channels;
	double energy[LOUDNESS_HOPS]; /* of hops, a ring */
	uint32_t next;
	uint32_t n_hops;  /* since what is integrated began, at most LOUDNESS_HOPS */
	uint32_t n_heard; /* since the maxima were forgotten, at most LOUDNESS_HOPS */
	uint32_t n_block; /* hops since a block of 400 ms ended */
	float integrated, range, momentary_max, short_term_max;
	struct loudness_histogram *blocks, *short_terms;
};

/* Then place, twice, and reset. */
void loudness_init(struct loudness *loudness, uint32_t n_channels);
void loudness_allocate(struct loudness *loudness, struct arena *arena);

WEIR_REALTIME void loudness_reset(struct loudness *loudness);

/*
 * weight: of each channel, by its position. energy: its mean square in the hop, K-weighted. NaN:
 * not known yet.
 */
WEIR_REALTIME void loudness_hop(struct loudness *loudness, const double *energy,
				const float *weight, float *value);

/* Forgets the integrated loudness, its range and the maxima. */
WEIR_REALTIME void loudness_forget(struct loudness *loudness);

#endif
