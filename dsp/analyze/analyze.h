/* SPDX-License-Identifier: MIT */
#ifndef WEIR_ANALYZE_H
#define WEIR_ANALYZE_H

#include "dsp/unit.h"

/*
 * Analyze: measures a sound, and passes it through unchanged, without latency.
 *
 * The unit reports every 10 ms (rate / 100 frames, rounded), at any quantum. Levels and
 * third-octave bands have one value per channel; features, rhythm, pitch and voice are computed
 * from the mean of all channels. A group whose control is 0 costs nothing, and its fields are
 * absent; so are values that are not known yet.
 *
 *	levels		sample peak, true peak, RMS, crest, meter of IEC 61672, clipping
 *	loudness	EBU R 128: momentary, short-term, integrated, range
 *	thirds		31 third-octave bands of IEC 61260, 20 Hz to 20 kHz
 *	features	short-term features, as pyAudioAnalysis defines them, of the last 50 ms
 *	rhythm		onsets, beats, tempo
 *	pitch		fundamental frequency
 *	voice		speech: its probability, where it starts and ends
 *
 * With eight channels, loudness weighs RL and RR by 1.41 in the `layout` 5.1 and by 1 in 7.1, SL
 * and SR by 1.41, and ignores LFE (ITU-R BS.1770-4, table 4).
 *
 * Levels are in dB relative to a sine at full scale, plus `calibration-db`. A change of `reset`
 * from 0 to 1 resets all maxima, the integrated loudness and its range; a pause of the graph resets
 * nothing. Rates: 8 to 384 kHz.
 */

/* Ports: the inputs, as many outputs, then these. Help and ranges: analyze_setup.c */
enum {
	ANALYZE_LEVELS, /* groups, 0 or 1 */
	ANALYZE_LOUDNESS,
	ANALYZE_THIRD_OCTAVE,
	ANALYZE_FEATURES,
	ANALYZE_RHYTHM,
	ANALYZE_PITCH,
	ANALYZE_VOICE,
	ANALYZE_N_GROUPS,
	ANALYZE_CALIBRATION = ANALYZE_N_GROUPS, /* dB */
	ANALYZE_SMOOTHING,			/* ms, of third-octave bands and features */
	ANALYZE_RESET,
	ANALYZE_VOICE_THRESHOLD, /* of the probability */
	ANALYZE_VOICE_ONSET,	 /* ms for which it is above that when speech starts */
	ANALYZE_VOICE_HANGOVER,	 /* ms for which it is below when speech ends */
	ANALYZE_N_INPUTS,
	/* In the order of the report, of channels the highest. */
	ANALYZE_OUT_PEAK_200MS = ANALYZE_N_INPUTS, /* of the last 0.2 s */
	ANALYZE_OUT_PEAK_MAX,
	ANALYZE_OUT_TP_MAX,    /* since the reset */
	ANALYZE_OUT_RMS_200MS, /* of the last 0.2 s */
	ANALYZE_OUT_CREST,
	ANALYZE_OUT_LAF,
	ANALYZE_OUT_LAS,
	ANALYZE_OUT_LCF,
	ANALYZE_OUT_LCS,
	ANALYZE_OUT_LZF,
	ANALYZE_OUT_LZS,
	ANALYZE_OUT_CLIPS, /* since the reset */
	ANALYZE_OUT_M,
	ANALYZE_OUT_S,
	ANALYZE_OUT_I,
	ANALYZE_OUT_LRA,
	ANALYZE_OUT_M_MAX,
	ANALYZE_OUT_S_MAX,
	ANALYZE_OUT_FEATURES, /* the nine that are one number, as in features.h */
	ANALYZE_OUT_BPM = ANALYZE_OUT_FEATURES + 9,
	ANALYZE_OUT_BPM_CONF,
	ANALYZE_OUT_F0,
	ANALYZE_OUT_F0_CONF,
	ANALYZE_OUT_VAD,
	ANALYZE_OUT_SPEECH, /* 0 or 1 */
	ANALYZE_N_CONTROLS,
};

/* Of analyze-8 alone, before its outputs: 0: 5.1, 1: 7.1. */
#define ANALYZE_LAYOUT ANALYZE_N_INPUTS

extern const struct weir_unit weir_analyze;
extern const struct weir_unit weir_analyze_mono;
extern const struct weir_unit weir_analyze_8;

#endif
