/* SPDX-License-Identifier: MIT */
#ifndef WEIR_FUZZ_TAKE_H
#define WEIR_FUZZ_TAKE_H

#include "trial.h"

/* What a unit makes of a trial, in blocks of its own. */
struct take {
	const struct trial *trial;
	float *audio[WEIR_MAX_PORTS]; /* of inputs: copies; outputs may share them */
	float *memory[WEIR_MAX_PORTS];
	float control[TRIAL_SEGMENTS][WEIR_MAX_PORTS]; /* outputs: at the end of each segment */
	float saved[TRIAL_SEGMENTS][WEIR_MAX_STATE_VALUES];

	struct weir_reports *reports; /* NULL: nobody reads them */
	uint32_t n_values;	      /* of one report */
	uint32_t n_reports, max_reports;
	struct weir_report *report; /* frames of the whole take */
	float *values;
};

/*
 * Runs the trial in blocks of any size, with reports or without, with outputs in the buffers of
 * inputs or in their own. Ends the program when what comes out is out of its range.
 */
void take_run(struct take *take, const struct trial *trial, struct chance *chance, bool has_reports,
	      bool shares_buffers);
void take_finish(struct take *take);

/* Ends the program when the two differ in a bit. */
void takes_compare(const struct take *a, const struct take *b);

#endif
