/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer.h"
#include "dsp/declare.h"
#include "level.h"

static void analyze_destroy(void *state)
{
	struct analyze *analyze = state;

	if (!analyze)
		return;
	features_finish(&analyze->features);
	rhythm_finish(&analyze->rhythm);
	f0_finish(&analyze->f0);
	vad_finish(&analyze->vad);
	free(analyze->memory);
	free(analyze);
}

static void analyze_allocate(struct analyze *analyze, struct arena *arena)
{
	loudness_allocate(&analyze->loudness, arena);
	third_octave_allocate(&analyze->third_octave, arena);
	features_allocate(&analyze->features, arena);
	rhythm_allocate(&analyze->rhythm, arena);
	f0_allocate(&analyze->f0, arena);
	vad_allocate(&analyze->vad, arena);
}

static void analyze_init_tables(struct analyze *analyze)
{
	third_octave_init_tables(&analyze->third_octave);
	features_init_tables(&analyze->features);
	rhythm_init_tables(&analyze->rhythm);
	f0_init_tables(&analyze->f0);
	vad_init_tables(&analyze->vad);
}

static int analyze_init(struct analyze *analyze, uint32_t rate, uint32_t n_channels)
{
	struct arena arena = { 0 };

	analyze->n_channels = n_channels;
	analyze->has_layout = n_channels == ANALYZE_CHANNELS;
	analyze->hop_frames = vad_hop_frames(rate);
	meter_init(&analyze->meter, rate, n_channels);
	loudness_init(&analyze->loudness, n_channels);
	third_octave_init(&analyze->third_octave, rate, n_channels);
	if (features_init(&analyze->features, rate, analyze->hop_frames) < 0 ||
	    rhythm_init(&analyze->rhythm, rate, analyze->hop_frames) < 0 ||
	    f0_init(&analyze->f0, rate) < 0 || vad_init(&analyze->vad, rate) < 0)
		return -ENOMEM;
	analyze_allocate(analyze, &arena);
	analyze->memory = aligned_alloc(WEIR_FFT_ALIGN, arena.size);
	if (!analyze->memory)
		return -ENOMEM;
	memset(analyze->memory, 0, arena.size);
	arena = (struct arena){ .memory = analyze->memory };
	analyze_allocate(analyze, &arena);
	analyze_init_tables(analyze);
	analyze_reset(analyze);
	return 0;
}

static void *analyze_create(uint32_t rate, const struct weir_unit *unit, uint32_t n_channels)
{
	struct analyze *analyze;

	if (rate < WEIR_MIN_RATE || rate > WEIR_MAX_RATE) {
		errno = EINVAL;
		return NULL;
	}
	analyze = calloc(1, sizeof(*analyze));
	if (!analyze)
		return NULL;
	for (uint32_t i = 0; i < unit->n_fields; i++) {
		analyze->offset[i] = analyze->n_values;
		analyze->n_values += unit->fields[i].count;
	}
	if (analyze_init(analyze, rate, n_channels) == 0)
		return analyze;
	analyze_destroy(analyze);
	errno = ENOMEM;
	return NULL;
}

static void *create_1(uint32_t rate)
{
	return analyze_create(rate, &weir_analyze_mono, 1);
}

static void *create_2(uint32_t rate)
{
	return analyze_create(rate, &weir_analyze, 2);
}

static void *create_8(uint32_t rate)
{
	return analyze_create(rate, &weir_analyze_8, 8);
}

#define IN(port, text, position) AUDIO_IN("in" port, text, position)
#define OUT(port, text, position) AUDIO_OUT("out" port, text " unchanged", position)

#define GROUP(port, text) TOGGLE_IN(port, text, 1.0f)

#define LEVEL_IN(port, unit, text) CONTROL_OUT(port, WEIR_FLOAT, unit, text, MIN_LEVEL, MAX_LEVEL)
#define LEVEL(port, text) LEVEL_IN(port, "dB", text)
#define LOUDNESS(port, text) CONTROL_OUT(port, WEIR_FLOAT, "LUFS", text, MIN_LEVEL, 70.0f)

/* In the order of the header. */
#define INPUTS                                                                                    \
	GROUP("levels", "Report peaks and levels"),                                               \
		GROUP("loudness", "Report the loudness of EBU R 128"),                            \
		GROUP("thirds", "Report third-octave bands"),                                     \
		GROUP("features", "Report features of the spectrum"),                             \
		GROUP("rhythm", "Report onsets, beats and tempo"),                                \
		GROUP("pitch", "Report the fundamental frequency"),                               \
		GROUP("voice", "Report speech"),                                                  \
		CONTROL_IN("calibration-db", WEIR_FLOAT, "dB",                                    \
			   "Sound pressure level of a sine at full scale", -100.0f, 0.0f, 200.0f, \
			   .role = WEIR_ROLE_CALIBRATION),                                        \
		CONTROL_IN("smoothing", WEIR_FLOAT, "ms",                                         \
			   "Time constant of third-octave bands and features", 0.0f, 0.0f,        \
			   10000.0f),                                                             \
		TOGGLE_IN("reset", "A change from 0 to 1 resets maxima and integrated loudness",  \
			  0.0f, .role = WEIR_ROLE_RESET),                                         \
		CONTROL_IN("voice-threshold", WEIR_FLOAT, "",                                     \
			   "Minimum probability that counts as speech", 0.0f, 0.75f, 1.0f),       \
		CONTROL_IN("voice-onset-ms", WEIR_FLOAT, "ms",                                    \
			   "Speech needed before speech_start", 0.0f, 30.0f, 120.0f),             \
		CONTROL_IN("voice-hangover-ms", WEIR_FLOAT, "ms",                                 \
			   "Silence needed before speech_end", 0.0f, 200.0f, 400.0f)

static const char *const layouts[] = { "5.1", "7.1" };

#define LAYOUT                                                                                  \
	CHOICE_IN("layout", "Loudness weights of the rear channels: of 5.1 or of 7.1", layouts, \
		  0.0f, 1.0f, .role = WEIR_ROLE_LAYOUT)

#define SHARE(port, text) CONTROL_OUT(port, WEIR_FLOAT, "", text, 0.0f, 1.0f)

/* In the order of the header. */
#define OUTPUTS                                                                                    \
	LEVEL_IN("peak_200ms", "dBFS", "Highest sample of the last 0.2 s"),                        \
		LEVEL_IN("peak_max", "dBFS", "Highest sample since the reset"),                    \
		LEVEL_IN("tp_max", "dBTP", "Highest true peak since the reset"),                   \
		LEVEL("rms_200ms", "Root mean square of the last 0.2 s"),                          \
		LEVEL("crest", "Peak above root mean square, in 10 ms"),                           \
		LEVEL("laf", "A-weighted level, fast (IEC 61672)"),                                \
		LEVEL("las", "A-weighted level, slow (IEC 61672)"),                                \
		LEVEL("lcf", "C-weighted level, fast (IEC 61672)"),                                \
		LEVEL("lcs", "C-weighted level, slow (IEC 61672)"),                                \
		LEVEL("lzf", "Z-weighted level, fast (IEC 61672)"),                                \
		LEVEL("lzs", "Z-weighted level, slow (IEC 61672)"),                                \
		CONTROL_OUT("clips", WEIR_INTEGER, "", "Clips of a channel since the reset", 0.0f, \
			    1e6f),                                                                 \
		LOUDNESS("m", "Momentary loudness, of 400 ms (EBU R 128)"),                        \
		LOUDNESS("s", "Short-term loudness, of 3 s (EBU R 128)"),                          \
		LOUDNESS("i", "Integrated loudness since the reset (EBU R 128)"),                  \
		CONTROL_OUT("lra", WEIR_FLOAT, "LU", "Loudness range since the reset (EBU R 128)", \
			    0.0f, 200.0f),                                                         \
		LOUDNESS("m_max", "Highest momentary loudness since the reset"),                   \
		LOUDNESS("s_max", "Highest short-term loudness since the reset"),                  \
		SHARE("zcr", "Zero crossings per sample"),                                         \
		CONTROL_OUT("energy", WEIR_FLOAT, "", "Mean square", 0.0f, 1e6f),                  \
		CONTROL_OUT("energy_entropy", WEIR_FLOAT, "bit",                                   \
			    "Entropy of the energy of ten sub-frames", 0.0f, 4.0f),                \
		SHARE("centroid", "Centre of the spectrum; 1: half of the rate"),                  \
		SHARE("spread", "Spread of the spectrum; 1: half of the rate"),                    \
		CONTROL_OUT("entropy", WEIR_FLOAT, "bit",                                          \
			    "Entropy of the energy of ten spectral bands", 0.0f, 4.0f),            \
		CONTROL_OUT("flux", WEIR_FLOAT, "", "Change of the spectrum", 0.0f, 2.0f),         \
		SHARE("rolloff", "Frequency with 90 % of the energy below; 1: half of the rate"),  \
		SHARE("flatness", "Geometric over arithmetic mean of the power"),                  \
		CONTROL_OUT("bpm", WEIR_FLOAT, "bpm", "Tempo, beats per minute; 0: not known",     \
			    0.0f, 400.0f),                                                         \
		SHARE("bpm_conf", "Confidence of the tempo"),                                      \
		CONTROL_OUT("f0", WEIR_FLOAT, "Hz", "Fundamental frequency; 0: none", 0.0f,        \
			    5000.0f),                                                              \
		SHARE("f0_conf", "Confidence of the fundamental frequency"),                       \
		SHARE("vad", "Probability of speech"),                                             \
		CONTROL_OUT("speech", WEIR_TOGGLE, "", "1 while somebody speaks", 0.0f, 1.0f)

static const struct weir_port ports_of_1[] = {
	IN("", "Sound", "MONO"),
	OUT("", "Sound", "MONO"),
	INPUTS,
	OUTPUTS,
};

static const struct weir_port ports_of_2[] = {
	IN("-l", "Left", "FL"),
	IN("-r", "Right", "FR"),
	OUT("-l", "Left", "FL"),
	OUT("-r", "Right", "FR"),
	INPUTS,
	OUTPUTS,
};

static const struct weir_port ports_of_8[] = {
	IN("-fl", "Front left", "FL"),
	IN("-fr", "Front right", "FR"),
	IN("-fc", "Front centre", "FC"),
	IN("-lfe", "Low frequencies", "LFE"),
	IN("-rl", "Rear left", "RL"),
	IN("-rr", "Rear right", "RR"),
	IN("-sl", "Side left", "SL"),
	IN("-sr", "Side right", "SR"),
	OUT("-fl", "Front left", "FL"),
	OUT("-fr", "Front right", "FR"),
	OUT("-fc", "Front centre", "FC"),
	OUT("-lfe", "Low frequencies", "LFE"),
	OUT("-rl", "Rear left", "RL"),
	OUT("-rr", "Rear right", "RR"),
	OUT("-sl", "Side left", "SL"),
	OUT("-sr", "Side right", "SR"),
	INPUTS,
	LAYOUT,
	OUTPUTS,
};

/* Counted from 1, as weir_display.panel is. */
enum {
	PANEL_METERS = 1,
	PANEL_LOUDNESS,
	PANEL_LEVELS,
	PANEL_MAXIMA,
	PANEL_PEAKS,
	PANEL_SPECTRUM,
	PANEL_MUSIC,
};

static const struct weir_panel panels[] = {
	[PANEL_METERS - 1] = { WEIR_PANEL_METERS, "" },
	[PANEL_LOUDNESS - 1] = { WEIR_PANEL_NUMBERS, "Loudness" },
	[PANEL_LEVELS - 1] = { WEIR_PANEL_NUMBERS, "Level dB" },
	[PANEL_MAXIMA - 1] = { WEIR_PANEL_NUMBERS, "Max dB" },
	[PANEL_PEAKS - 1] = { WEIR_PANEL_NUMBERS, "Peak dB" },
	[PANEL_SPECTRUM - 1] = { WEIR_PANEL_SPECTRUM, "" },
	[PANEL_MUSIC - 1] = { WEIR_PANEL_LABELS, "" },
};

static const struct weir_word voice_words[] = { { "--", WEIR_NEITHER }, { "speech", WEIR_GOOD } };

#define SHOWN(its_panel, text, ...) .display = { .panel = its_panel, .label = text, __VA_ARGS__ }

/* Silence would press everything else to the upper edge of a display. */
#define LEVEL_RANGE .min = -90.0f, .max = 0.0f
#define SPECTRUM_RANGE .min = -120.0f, .max = 0.0f

#define OF_LEVELS(field, unit, text, n, ...) \
	FIELD(field, unit, text, n, .per_channel = 1, .group = "levels", __VA_ARGS__)
#define WEIGHTED(field, text, n, label, ...)                \
	OF_LEVELS(field, "dB", text, n, .calibrated = true, \
		  SHOWN(PANEL_LEVELS, label, LEVEL_RANGE, __VA_ARGS__))
#define WEIGHTED_MAX(field, n, label)                                                  \
	OF_LEVELS(field "_max", "dB", "Maximum of " field " since the last report", n, \
		  .calibrated = true, .hold = true, .maximum_of = field,               \
		  SHOWN(PANEL_MAXIMA, label, LEVEL_RANGE))
#define OF_LOUDNESS(field, unit, text, ...) \
	FIELD(field, unit, text, 1, .group = "loudness", __VA_ARGS__)
#define FEATURE(field, unit, text, n) FIELD(field, unit, text, n, .group = "features")

#define FIELDS(n)                                                                                \
	OF_LEVELS("peak", "dBFS", "Highest sample since the last report", n, .hold = true,       \
		  SHOWN(PANEL_METERS, "peak", .view = WEIR_VIEW_MARK, LEVEL_RANGE, .rank = 5)),  \
		OF_LEVELS("peak_max", "dBFS", "Highest sample since the reset", n,               \
			  .maximum_of = "peak", SHOWN(PANEL_METERS, "max", LEVEL_RANGE)),        \
		OF_LEVELS("tp", "dBTP", "True peak since the last report", n, .hold = true,      \
			  SHOWN(PANEL_PEAKS, "true", LEVEL_RANGE)),                              \
		OF_LEVELS("tp_max", "dBTP", "True peak since the reset", n, .maximum_of = "tp",  \
			  SHOWN(PANEL_PEAKS, "max", LEVEL_RANGE)),                               \
		OF_LEVELS("rms", "dB", "Root mean square since the last report", n,              \
			  .calibrated = true,                                                    \
			  SHOWN(PANEL_METERS, "RMS", .view = WEIR_VIEW_BAR, LEVEL_RANGE,         \
				.rank = 4)),                                                     \
		OF_LEVELS("crest", "dB", "Peak above root mean square", n,                       \
			  SHOWN(PANEL_PEAKS, "crest")),                                          \
		WEIGHTED("laf", "A-weighted, fast", n, "A", .rank = 3),                          \
		WEIGHTED("las", "A-weighted, slow", n, "slow"),                                  \
		WEIGHTED("lcf", "C-weighted, fast", n, "C"),                                     \
		WEIGHTED("lcs", "C-weighted, slow", n, "slow"),                                  \
		WEIGHTED("lzf", "Z-weighted, fast", n, "Z"),                                     \
		WEIGHTED("lzs", "Z-weighted, slow", n, "slow"), WEIGHTED_MAX("laf", n, "A"),     \
		WEIGHTED_MAX("las", n, "slow"), WEIGHTED_MAX("lcf", n, "C"),                     \
		WEIGHTED_MAX("lcs", n, "slow"), WEIGHTED_MAX("lzf", n, "Z"),                     \
		WEIGHTED_MAX("lzs", n, "slow"),                                                  \
		OF_LEVELS("clips", "", "Clips since the reset", n),                              \
		EVENT("clip", "A channel began to clip", .group = "levels"),                     \
		OF_LOUDNESS("m", "LUFS", "Momentary loudness, of 400 ms",                        \
			    SHOWN(PANEL_LOUDNESS, "M", LEVEL_RANGE, .rank = 1)),                 \
		OF_LOUDNESS("s", "LUFS", "Short-term loudness, of 3 s",                          \
			    SHOWN(PANEL_LOUDNESS, "S", LEVEL_RANGE, .rank = 2)),                 \
		OF_LOUDNESS("i", "LUFS", "Integrated loudness since the reset",                  \
			    SHOWN(PANEL_LOUDNESS, "I", LEVEL_RANGE)),                            \
		OF_LOUDNESS("lra", "LU", "Loudness range since the reset",                       \
			    SHOWN(PANEL_LOUDNESS, "LRA")),                                       \
		OF_LOUDNESS("m_max", "LUFS", "Highest momentary loudness since the reset",       \
			    .maximum_of = "m", SHOWN(PANEL_LOUDNESS, "Mmax", LEVEL_RANGE)),      \
		OF_LOUDNESS("s_max", "LUFS", "Highest short-term loudness since the reset",      \
			    .maximum_of = "s", SHOWN(PANEL_LOUDNESS, "Smax", LEVEL_RANGE)),      \
		FIELD("oct3", "dB", "31 third-octave bands, 20 Hz to 20 kHz", 31 * (n),          \
		      .per_channel = 31, .group = "thirds", .calibrated = true,                  \
		      SHOWN(PANEL_SPECTRUM, "", .view = WEIR_VIEW_THIRDS, SPECTRUM_RANGE,        \
			    .rank = 6)),                                                         \
		FEATURE("zcr", "", "Zero crossings per sample", 1),                              \
		FEATURE("energy", "", "Mean square", 1),                                         \
		FEATURE("energy_entropy", "bit", "Entropy of the energy of ten sub-frames", 1),  \
		FEATURE("centroid", "", "Centre of the spectrum; 1: half of the rate", 1),       \
		FEATURE("spread", "", "Spread of the spectrum; 1: half of the rate", 1),         \
		FEATURE("entropy", "bit", "Entropy of the energy of ten spectral bands", 1),     \
		FEATURE("flux", "", "Change of the spectrum", 1),                                \
		FEATURE("rolloff", "",                                                           \
			"Frequency with 90 % of the energy below; 1: half of the rate", 1),      \
		FEATURE("flatness", "", "Geometric over arithmetic mean of the power", 1),       \
		FEATURE("mfcc", "", "Mel frequency cepstral coefficients", 13),                  \
		FEATURE("chroma", "", "Shares of the 12 pitch classes, from A on", 12),          \
		EVENT("onset", "A sound begins", .group = "rhythm"),                             \
		EVENT("beat", "A beat", .group = "rhythm"),                                      \
		FIELD("bpm", "bpm", "Tempo", 1, .group = "rhythm",                               \
		      SHOWN(PANEL_MUSIC, "Tempo", .rank = 8)),                                   \
		FIELD("bpm_conf", "", "Confidence of the tempo, 0 to 1", 1, .group = "rhythm",   \
		      SHOWN(PANEL_MUSIC, "", .view = WEIR_VIEW_CONFIDENCE)),                     \
		FIELD("f0", "Hz", "Fundamental frequency; 0: none", 1, .group = "pitch",         \
		      SHOWN(PANEL_MUSIC, "Pitch", .view = WEIR_VIEW_NOTE, .rank = 7)),           \
		FIELD("f0_conf", "", "Confidence of the frequency, 0 to 1", 1, .group = "pitch", \
		      SHOWN(PANEL_MUSIC, "", .view = WEIR_VIEW_CONFIDENCE)),                     \
		FIELD("vad", "", "Probability of speech, 0 to 1", 1, .group = "voice",           \
		      SHOWN(PANEL_MUSIC, "Voice", .view = WEIR_VIEW_WORD, .words = voice_words,  \
			    .n_words = COUNT(voice_words), .rank = 9)),                          \
		EVENT("speech_start", "Speech starts", .group = "voice"),                        \
		EVENT("speech_end", "Speech ends", .group = "voice")

static const struct weir_field fields_of_1[] = { FIELDS(1) };
static const struct weir_field fields_of_2[] = { FIELDS(2) };
static const struct weir_field fields_of_8[] = { FIELDS(8) };

#define SHARED                                                                              \
	.hop_seconds = VAD_HOP_SECONDS, .destroy = analyze_destroy, .reset = analyze_reset, \
	.run = analyze_run, .continuous = true, .panels = panels, .n_panels = COUNT(panels)

const struct weir_unit weir_analyze = UNIT("analyze", 705, "Levels and features of a stereo sound",
					   ports_of_2, fields_of_2, create_2, SHARED);
const struct weir_unit weir_analyze_mono =
	UNIT("analyze-mono", 706, "Levels and features of one channel", ports_of_1, fields_of_1,
	     create_1, SHARED);
const struct weir_unit weir_analyze_8 =
	UNIT("analyze-8", 707, "Levels and features of eight channels", ports_of_8, fields_of_8,
	     create_8, SHARED);
