/* SPDX-License-Identifier: MIT */
#ifndef WEIR_VAD_WEIGHTS_H
#define WEIR_VAD_WEIGHTS_H

#define VAD_INPUTS 106
#define VAD_ENTER 48
#define VAD_UNITS 64
#define VAD_CONFIRM 96

/*
 * What train/ finds. A weight is a character: its distance from VAD_ZERO times the scale of
 * the output that it belongs to. Those of an input follow each other.
 */
#define VAD_ZERO 'Q'

extern const char vad_enter[VAD_INPUTS * VAD_ENTER + 1];
extern const char vad_listen[VAD_ENTER * 3 * VAD_UNITS + 1];
extern const char vad_recall[VAD_UNITS * 3 * VAD_UNITS + 1];
extern const float vad_enter_scale[VAD_ENTER];
extern const float vad_enter_bias[VAD_ENTER];
extern const float vad_listen_scale[3 * VAD_UNITS];
extern const float vad_listen_bias[3 * VAD_UNITS];
extern const float vad_recall_scale[3 * VAD_UNITS];
extern const float vad_recall_bias[3 * VAD_UNITS];
extern const float vad_leave[VAD_ENTER + VAD_UNITS];
extern const float vad_leave_bias;

/* What train/train-beginnings finds: of the features, then of the units' state. */
extern const char vad_confirm[(VAD_INPUTS + VAD_UNITS) * VAD_CONFIRM + 1];
extern const float vad_confirm_scale[VAD_CONFIRM];
extern const float vad_confirm_input_scale[VAD_INPUTS + VAD_UNITS];
extern const float vad_confirm_bias[VAD_CONFIRM];
extern const float vad_confirm_leave[VAD_CONFIRM];
extern const float vad_confirm_leave_bias;

#endif
