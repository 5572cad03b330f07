/* SPDX-License-Identifier: MIT */
#ifndef WEIR_VAD_WEIGHTS_H
#define WEIR_VAD_WEIGHTS_H

#define SPEECH_INPUTS 106
#define SPEECH_ENTER 48
#define SPEECH_UNITS 64
#define SPEECH_CONFIRM 96

/*
 * What train/ finds. A weight is a character: its distance from SPEECH_ZERO times the scale of
 * the output that it belongs to. Those of an input follow each other.
 */
#define SPEECH_ZERO 'Q'

extern const char speech_enter[SPEECH_INPUTS * SPEECH_ENTER + 1];
extern const char speech_listen[SPEECH_ENTER * 3 * SPEECH_UNITS + 1];
extern const char speech_recall[SPEECH_UNITS * 3 * SPEECH_UNITS + 1];
extern const float speech_enter_scale[SPEECH_ENTER];
extern const float speech_enter_bias[SPEECH_ENTER];
extern const float speech_listen_scale[3 * SPEECH_UNITS];
extern const float speech_listen_bias[3 * SPEECH_UNITS];
extern const float speech_recall_scale[3 * SPEECH_UNITS];
extern const float speech_recall_bias[3 * SPEECH_UNITS];
extern const float speech_leave[SPEECH_ENTER + SPEECH_UNITS];
extern const float speech_leave_bias;

/* What train/train-beginnings finds: of the features, then of the units' state. */
extern const char speech_confirm[(SPEECH_INPUTS + SPEECH_UNITS) * SPEECH_CONFIRM + 1];
extern const float speech_confirm_scale[SPEECH_CONFIRM];
extern const float speech_confirm_input_scale[SPEECH_INPUTS + SPEECH_UNITS];
extern const float speech_confirm_bias[SPEECH_CONFIRM];
extern const float speech_confirm_leave[SPEECH_CONFIRM];
extern const float speech_confirm_leave_bias;

#endif
