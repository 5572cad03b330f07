/* SPDX-License-Identifier: MIT */
#ifndef WEIR_FUZZ_JUDGE_H
#define WEIR_FUZZ_JUDGE_H

#include "trial.h"

/* Each ends the program, and says why, when what a unit gives cannot be. */

/* Of a run of n frames: the fields of its reports, their frames and their number. */
void judge_reports(const struct weir_unit *unit, const struct weir_reports *reports,
		   uint32_t n_frames, uint32_t rate);

/* Control outputs: in the ranges that their ports declare. */
void judge_controls(const struct weir_unit *unit, const float *control);

/* CPU time of one run of n frames. */
void judge_work(double seconds, uint32_t n_frames, uint32_t rate);

/*
 * Of a trial, with the sound of each port. The sound is finite, and no 50 ms of an output are more
 * than 12 dB above the loudest 50 ms that an input had so far, or above -120 dB. An input's samples
 * count as they enter the unit; latency only makes "so far" more.
 */
void judge_sound(const struct trial *trial, float *const audio[]);

#endif
