/* SPDX-License-Identifier: MIT */
#ifndef WEIR_ANALYZE_ONSETS_H
#define WEIR_ANALYZE_ONSETS_H

#include <stdbool.h>

#include "dsp/arena.h"

#define ONSETS_BANDS 24
#define ONSETS_DELAY 4	/* steps of levels that are kept; a power of two */
#define ONSETS_GROUPS 4 /* of bands: accents compare the amplitudes of groups */
#define ONSETS_POWERS 8 /* steps, a power of two */

/* Seconds from an onset until the end of the step that finds it. */
#define ONSETS_AGE 0.0085f
/* Seconds from an onset until the middle of its accents. */
#define ONSETS_ACCENT_AGE 0.0115f

struct onsets_band {
	uint32_t first, end; /* bins */
	float share[2];	     /* of the first and the last of them */
	uint32_t group;
};

/* Peak hold of a level. */
struct onsets_hold {
	float level;
	uint32_t steps; /* since the level was reached, HOLD_STEPS at most */
};

/* The second difference of the signal, which shows clicks and other short, high sounds. */
struct onsets_edges {
	uint32_t lag;		      /* frames from one sample of the difference to the next */
	float weight;		      /* of a rise: more samples have less variance */
	float latest, smooth, floor;  /* power */
	float level[2][ONSETS_DELAY]; /* ln(power): of a step's highest quarter, of the step */
	struct onsets_hold hold[2];
};

/* Onset detection in steps of about 5 ms. */
struct onsets {
	uint32_t n; /* frames of the window */
	struct weir_fft fft;
	float *window, *time, *power;
	fftwf_complex *bins;
	uint32_t n_bands;
	struct onsets_band band[ONSETS_BANDS];

	uint64_t n_steps;
	float energy[ONSETS_BANDS], smooth[ONSETS_BANDS], floor[ONSETS_BANDS]; /* power */
	float level[ONSETS_DELAY][ONSETS_BANDS];			       /* ln(power) */
	struct onsets_hold hold[ONSETS_BANDS];
	float amplitude[ONSETS_DELAY][ONSETS_GROUPS];
	struct onsets_edges edges;
	float loudness[ONSETS_POWERS]; /* mean square of a step */
	float mean;		       /* of rises, between onsets */
	bool is_rising;		       /* the level has risen since the step before */
	bool is_calm;		       /* the rise fell below CALM, and no onset came since */
	uint32_t rest;		       /* steps since the latest onset */
};

struct onsets_found {
	bool onset;   /* ONSETS_AGE before the end of the step */
	float accent; /* rise of the amplitude, where it may be an onset */
	float level;  /* amplitude */
};

/* Returns 0 or -ENOMEM. Then allocate twice, init_tables and reset. */
int onsets_init(struct onsets *onsets, uint32_t rate);
void onsets_allocate(struct onsets *onsets, struct arena *arena);
void onsets_init_tables(struct onsets *onsets);

/* A zeroed one is allowed. */
void onsets_finish(struct onsets *onsets);

WEIR_REALTIME void onsets_reset(struct onsets *onsets);

/* recent: the latest n frames, of which the last n_new are those of the step. */
WEIR_REALTIME void onsets_step(struct onsets *onsets, const float *recent, uint32_t n_new,
			       struct onsets_found *found);

#endif
