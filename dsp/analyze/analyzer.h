/* SPDX-License-Identifier: MIT */
#ifndef WEIR_ANALYZER_H
#define WEIR_ANALYZER_H

#include "analyze.h"
#include "dsp/arena.h"
#include "dsp/vad/vad.h"
#include "f0.h"
#include "features.h"
#include "loudness.h"
#include "meter.h"
#include "rhythm.h"
#include "third_octave.h"

#define ANALYZE_CHANNELS 8

/* The fields of the report, in its order. */
enum analyze_field {
	ANALYZE_METER = 0,
	ANALYZE_CLIP = ANALYZE_METER + METER_FIELDS,
	ANALYZE_EBU,
	ANALYZE_OCT3 = ANALYZE_EBU + LOUDNESS_FIELDS,
	ANALYZE_FEATURE,
	ANALYZE_ONSET = ANALYZE_FEATURE + FEATURES_FIELDS,
	ANALYZE_BEAT,
	ANALYZE_BPM,
	ANALYZE_F0 = ANALYZE_BPM + 2,
	ANALYZE_VAD = ANALYZE_F0 + 2,
	ANALYZE_SPEECH_START,
	ANALYZE_SPEECH_END,
	ANALYZE_N_FIELDS,
};

/* The maximum number of floats in a report: that of eight channels. */
#define ANALYZE_MAX_VALUES                                   \
	(METER_FIELDS * ANALYZE_CHANNELS + LOUDNESS_FIELDS + \
	 THIRD_OCTAVE_BANDS * ANALYZE_CHANNELS + FEATURES_VALUES + 16)

struct analyze {
	uint32_t n_channels;
	uint32_t hop_frames; /* that of the voice detector */
	uint32_t frame;	     /* within the hop */
	bool was_reset, has_layout;
	bool was_speech;	      /* when the voice group went off, in this hop */
	bool is_on[ANALYZE_N_GROUPS]; /* groups, in this hop */
	uint32_t n_values;
	uint32_t offset[ANALYZE_N_FIELDS]; /* of a field's first value */

	struct meter meter;
	struct loudness loudness;
	struct third_octave third_octave;
	struct features features;
	struct rhythm rhythm;
	struct f0 f0;
	struct vad vad;

	/* The values of the latest hop, laid out as in a report; NaN: not known. */
	float value[ANALYZE_MAX_VALUES];
	float recent_peak, recent_rms;
	void *memory;
};

WEIR_REALTIME void analyze_reset(void *state);
WEIR_REALTIME void analyze_run(void *state, float *const port[], uint32_t n_frames,
			       struct weir_reports *reports);

#endif
