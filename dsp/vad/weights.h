/* SPDX-License-Identifier: MIT */
#ifndef WEIR_VAD_WEIGHTS_H
#define WEIR_VAD_WEIGHTS_H

#define VAD_INPUTS 106
#define VAD_INPUT_UNITS 48
#define VAD_GRU_UNITS 64
#define VAD_CONFIRM_UNITS 96

/*
 * Made by train/. A weight is a character: its distance from VAD_ZERO times the scale of its
 * output. The weights of one input follow each other.
 */
#define VAD_ZERO 'Q'

extern const char vad_input[VAD_INPUTS * VAD_INPUT_UNITS + 1];
extern const char vad_gru_input[VAD_INPUT_UNITS * 3 * VAD_GRU_UNITS + 1];
extern const char vad_gru_recurrent[VAD_GRU_UNITS * 3 * VAD_GRU_UNITS + 1];
extern const float vad_input_scale[VAD_INPUT_UNITS];
extern const float vad_input_bias[VAD_INPUT_UNITS];
extern const float vad_gru_input_scale[3 * VAD_GRU_UNITS];
extern const float vad_gru_input_bias[3 * VAD_GRU_UNITS];
extern const float vad_gru_recurrent_scale[3 * VAD_GRU_UNITS];
extern const float vad_gru_recurrent_bias[3 * VAD_GRU_UNITS];
extern const float vad_output[VAD_INPUT_UNITS + VAD_GRU_UNITS];
extern const float vad_output_bias;

/* Made by train/train-beginnings. Inputs: the features, then the state of the GRU. */
extern const char vad_confirm[(VAD_INPUTS + VAD_GRU_UNITS) * VAD_CONFIRM_UNITS + 1];
extern const float vad_confirm_scale[VAD_CONFIRM_UNITS];
extern const float vad_confirm_input_scale[VAD_INPUTS + VAD_GRU_UNITS];
extern const float vad_confirm_bias[VAD_CONFIRM_UNITS];
extern const float vad_confirm_output[VAD_CONFIRM_UNITS];
extern const float vad_confirm_output_bias;

#endif
