/* SPDX-License-Identifier: MIT */
#include "analyzer.h"

#include <math.h>
#include <string.h>

#include "dsp/minmax.h"
#include "level.h"

/* ITU-R BS.1770-4, table 4; in the order of the channels of analyze-8, by layout. */
static const float weight[2][ANALYZE_CHANNELS] = {
	{ 1.0f, 1.0f, 1.0f, 0.0f, 1.41f, 1.41f, 1.41f, 1.41f },
	{ 1.0f, 1.0f, 1.0f, 0.0f, 1.0f, 1.0f, 1.41f, 1.41f },
};

static WEIR_REALTIME void group_reset(struct analyze *analyze, uint32_t group)
{
	switch (group) {
	case ANALYZE_LEVELS:
		meter_forget(&analyze->meter);
		break;
	case ANALYZE_LOUDNESS:
		loudness_reset(&analyze->loudness);
		break;
	case ANALYZE_THIRD_OCTAVE:
		third_octave_reset(&analyze->third_octave);
		break;
	case ANALYZE_FEATURES:
		features_reset(&analyze->features);
		break;
	case ANALYZE_RHYTHM:
		rhythm_reset(&analyze->rhythm);
		break;
	case ANALYZE_PITCH:
		f0_reset(&analyze->f0);
		break;
	case ANALYZE_VOICE:
		vad_reset(&analyze->vad);
		break;
	}
}

WEIR_REALTIME void analyze_reset(void *state)
{
	struct analyze *analyze = state;

	meter_reset(&analyze->meter);
	for (uint32_t group = 0; group < ANALYZE_N_GROUPS; group++) {
		group_reset(analyze, group);
		analyze->is_on[group] = false;
	}
	analyze->frame = 0;
	analyze->was_reset = analyze->was_speech = false;
	analyze->recent_peak = analyze->recent_rms = MIN_LEVEL;
	for (uint32_t i = 0; i < analyze->n_values; i++)
		analyze->value[i] = NAN;
}

/* Loudness takes the K-weighted energy from the meter. */
static WEIR_REALTIME bool meter_is_on(const struct analyze *analyze)
{
	return analyze->is_on[ANALYZE_LEVELS] || analyze->is_on[ANALYZE_LOUDNESS];
}

/* Groups switch at the beginning of a hop; one that is switched off is reset. */
static WEIR_REALTIME void hop_begin(struct analyze *analyze, float *const control[])
{
	const bool was_metered = meter_is_on(analyze);

	analyze->was_speech = analyze->vad.active && !(*control[ANALYZE_VOICE] > 0.0f);
	for (uint32_t group = 0; group < ANALYZE_N_GROUPS; group++) {
		const bool was_on = analyze->is_on[group];

		analyze->is_on[group] = *control[group] > 0.0f;
		if (was_on && !analyze->is_on[group])
			group_reset(analyze, group);
	}
	if (was_metered && !meter_is_on(analyze))
		meter_reset(&analyze->meter);
}

static WEIR_REALTIME void reset_look(struct analyze *analyze, bool reset)
{
	if (reset && !analyze->was_reset) {
		meter_forget(&analyze->meter);
		loudness_forget(&analyze->loudness);
	}
	analyze->was_reset = reset;
}

static WEIR_REALTIME float *value_of(struct analyze *analyze, uint32_t field)
{
	return analyze->value + analyze->offset[field];
}

static WEIR_REALTIME void levels_find(struct analyze *analyze, float calibration)
{
	float *value = value_of(analyze, ANALYZE_METER);

	meter_hop(&analyze->meter, calibration, value);
	if (!analyze->is_on[ANALYZE_LEVELS]) {
		for (uint32_t i = 0; i < METER_FIELDS * analyze->n_channels; i++)
			value[i] = NAN;
		return;
	}
	*value_of(analyze, ANALYZE_CLIP) = meter_clipped(&analyze->meter);
	meter_recent(&analyze->meter, calibration, &analyze->recent_peak, &analyze->recent_rms);
}

static WEIR_REALTIME void loudness_find(struct analyze *analyze, float *const control[])
{
	const bool is_7_1 = analyze->has_layout && *control[ANALYZE_LAYOUT] > 0.0f;
	double energy[ANALYZE_CHANNELS];

	for (uint32_t c = 0; c < analyze->n_channels; c++)
		energy[c] = meter_energy(&analyze->meter, c);
	loudness_hop(&analyze->loudness, energy, weight[is_7_1], value_of(analyze, ANALYZE_EBU));
}

static WEIR_REALTIME void rhythm_find(struct analyze *analyze)
{
	struct rhythm_found found;

	rhythm_hop(&analyze->rhythm, &found);
	*value_of(analyze, ANALYZE_ONSET) = found.onset;
	*value_of(analyze, ANALYZE_BEAT) = found.beat;
	*value_of(analyze, ANALYZE_BPM) = found.bpm;
	*value_of(analyze, ANALYZE_BPM + 1) = found.confidence;
}

/* Speech ended one hangover before its end is detected. */
static WEIR_REALTIME void speech_find(struct analyze *analyze, float *const control[])
{
	const struct vad_control how = {
		.threshold = *control[ANALYZE_VOICE_THRESHOLD],
		.onset_ms = *control[ANALYZE_VOICE_ONSET],
		.hangover_ms = *control[ANALYZE_VOICE_HANGOVER],
	};
	struct vad_found found;

	vad_hop(&analyze->vad, &how, &found);
	*value_of(analyze, ANALYZE_VAD) = found.probability;
	if (found.started)
		*value_of(analyze, ANALYZE_SPEECH_START) = found.ago;
	if (found.ended)
		*value_of(analyze, ANALYZE_SPEECH_END) = how.hangover_ms / 1000.0f;
}

static WEIR_REALTIME void hop_end(struct analyze *analyze, float *const control[])
{
	const float calibration = *control[ANALYZE_CALIBRATION];
	const float smoothing = *control[ANALYZE_SMOOTHING] / 1000.0f;

	for (uint32_t i = 0; i < analyze->n_values; i++)
		analyze->value[i] = NAN;
	analyze->recent_peak = analyze->recent_rms = MIN_LEVEL;
	reset_look(analyze, *control[ANALYZE_RESET] > 0.0f);
	if (meter_is_on(analyze))
		levels_find(analyze, calibration);
	if (analyze->is_on[ANALYZE_LOUDNESS])
		loudness_find(analyze, control);
	if (analyze->is_on[ANALYZE_THIRD_OCTAVE])
		third_octave_hop(&analyze->third_octave, calibration, smoothing,
				 value_of(analyze, ANALYZE_OCT3));
	if (analyze->is_on[ANALYZE_FEATURES])
		features_hop(&analyze->features, smoothing, value_of(analyze, ANALYZE_FEATURE));
	if (analyze->is_on[ANALYZE_RHYTHM])
		rhythm_find(analyze);
	if (analyze->is_on[ANALYZE_PITCH])
		f0_hop(&analyze->f0, value_of(analyze, ANALYZE_F0),
		       value_of(analyze, ANALYZE_F0 + 1));
	if (analyze->is_on[ANALYZE_VOICE])
		speech_find(analyze, control);
	else if (analyze->was_speech)
		*value_of(analyze, ANALYZE_SPEECH_END) = VAD_HOP_SECONDS;
}

static WEIR_REALTIME void report(struct analyze *analyze, struct weir_reports *reports,
				 uint32_t frame)
{
	struct weir_report *report = weir_reports_add(reports, frame);

	if (!report)
		return;
	memcpy(report->value, analyze->value, analyze->n_values * sizeof(float));
	for (uint32_t i = 0; i < ANALYZE_N_FIELDS; i++)
		report->present |= (uint64_t)!isnan(*value_of(analyze, i)) << i;
}

static WEIR_REALTIME void mix_run(struct analyze *analyze, float *const in[], uint32_t n)
{
	const bool *is_on = analyze->is_on;
	const float share = 1.0f / (float)analyze->n_channels;
	float mix[WEIR_BLOCK];

	if (!is_on[ANALYZE_FEATURES] && !is_on[ANALYZE_RHYTHM] && !is_on[ANALYZE_PITCH] &&
	    !is_on[ANALYZE_VOICE])
		return;
	for (uint32_t i = 0; i < n; i++) {
		float sum = in[0][i];

		for (uint32_t c = 1; c < analyze->n_channels; c++)
			sum += in[c][i];
		mix[i] = sum * share;
	}
	if (is_on[ANALYZE_FEATURES])
		features_run(&analyze->features, mix, n);
	if (is_on[ANALYZE_RHYTHM])
		rhythm_run(&analyze->rhythm, mix, n);
	if (is_on[ANALYZE_PITCH])
		f0_run(&analyze->f0, mix, n);
	if (is_on[ANALYZE_VOICE])
		vad_run(&analyze->vad, mix, n);
}

/* The fields that control outputs show, as the maximum of the channels; all but those of 0.2 s and
 * speech. */
static const struct {
	uint32_t control, field;
	bool is_per_channel;
	float unknown;
} shown[] = {
	{ ANALYZE_OUT_PEAK_MAX, METER_PEAK_MAX, true, MIN_LEVEL },
	{ ANALYZE_OUT_TP_MAX, METER_TP_MAX, true, MIN_LEVEL },
	{ ANALYZE_OUT_CREST, METER_CREST, true, 0.0f },
	{ ANALYZE_OUT_LAF, METER_LAF, true, MIN_LEVEL },
	{ ANALYZE_OUT_LAS, METER_LAS, true, MIN_LEVEL },
	{ ANALYZE_OUT_LCF, METER_LCF, true, MIN_LEVEL },
	{ ANALYZE_OUT_LCS, METER_LCS, true, MIN_LEVEL },
	{ ANALYZE_OUT_LZF, METER_LZF, true, MIN_LEVEL },
	{ ANALYZE_OUT_LZS, METER_LZS, true, MIN_LEVEL },
	{ ANALYZE_OUT_CLIPS, METER_CLIPS, true, 0.0f },
	{ ANALYZE_OUT_M, ANALYZE_EBU, false, MIN_LEVEL },
	{ ANALYZE_OUT_S, ANALYZE_EBU + 1, false, MIN_LEVEL },
	{ ANALYZE_OUT_I, ANALYZE_EBU + 2, false, MIN_LEVEL },
	{ ANALYZE_OUT_LRA, ANALYZE_EBU + 3, false, 0.0f },
	{ ANALYZE_OUT_M_MAX, ANALYZE_EBU + 4, false, MIN_LEVEL },
	{ ANALYZE_OUT_S_MAX, ANALYZE_EBU + 5, false, MIN_LEVEL },
	{ ANALYZE_OUT_BPM, ANALYZE_BPM, false, 0.0f },
	{ ANALYZE_OUT_BPM_CONF, ANALYZE_BPM + 1, false, 0.0f },
	{ ANALYZE_OUT_F0, ANALYZE_F0, false, 0.0f },
	{ ANALYZE_OUT_F0_CONF, ANALYZE_F0 + 1, false, 0.0f },
	{ ANALYZE_OUT_VAD, ANALYZE_VAD, false, 0.0f },
};

/* out: the control outputs, from ANALYZE_N_INPUTS on. */
static WEIR_REALTIME void controls_write(struct analyze *analyze, float *const out[])
{
	for (uint32_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
		const float *value = value_of(analyze, shown[i].field);
		const uint32_t n = shown[i].is_per_channel ? analyze->n_channels : 1;
		float max = isnan(value[0]) ? shown[i].unknown : value[0];

		for (uint32_t c = 1; c < n; c++)
			max = max_f32(value[c], max);
		*out[shown[i].control - ANALYZE_N_INPUTS] = max;
	}
	for (uint32_t i = 0; i < FEATURES_MFCC; i++) {
		const float value = value_of(analyze, ANALYZE_FEATURE)[i];

		*out[ANALYZE_OUT_FEATURES - ANALYZE_N_INPUTS + i] = isnan(value) ? 0.0f : value;
	}
	*out[ANALYZE_OUT_PEAK_200MS - ANALYZE_N_INPUTS] = analyze->recent_peak;
	*out[ANALYZE_OUT_RMS_200MS - ANALYZE_N_INPUTS] = analyze->recent_rms;
	*out[ANALYZE_OUT_SPEECH - ANALYZE_N_INPUTS] =
		analyze->is_on[ANALYZE_VOICE] && analyze->vad.active;
}

WEIR_REALTIME void analyze_run(void *state, float *const port[], uint32_t n_frames,
			       struct weir_reports *reports)
{
	struct analyze *analyze = state;
	float *const *control = port + 2 * analyze->n_channels;

	for (uint32_t done = 0, n; done < n_frames; done += n) {
		float *in[ANALYZE_CHANNELS];

		if (analyze->frame == 0)
			hop_begin(analyze, control);
		n = min_u32(n_frames - done, analyze->hop_frames - analyze->frame);
		for (uint32_t c = 0; c < analyze->n_channels; c++) {
			in[c] = port[c] + done;
			memcpy(port[analyze->n_channels + c] + done, in[c], n * sizeof(float));
		}
		if (meter_is_on(analyze))
			meter_run(&analyze->meter, in, n);
		if (analyze->is_on[ANALYZE_THIRD_OCTAVE])
			third_octave_run(&analyze->third_octave, in, n);
		mix_run(analyze, in, n);
		analyze->frame += n;
		if (analyze->frame == analyze->hop_frames) {
			analyze->frame = 0;
			hop_end(analyze, control);
			report(analyze, reports, done + n - 1);
		}
	}
	controls_write(analyze, control + ANALYZE_N_INPUTS + analyze->has_layout);
}
