/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "align.h"
#include "aligner.h"
#include "dsp/declare.h"

#define TICK_SAMPLES 8 /* of the analysis */

static void align_destroy(void *state)
{
	struct align *align = state;

	if (!align)
		return;
	front_end_context_finish(&align->front_context);
	cross_context_finish(&align->cross_context);
	post_finish(&align->post);
	free(align->memory);
	free(align);
}

static void align_allocate(struct align *align, struct arena *arena)
{
	const double lag = ALIGN_MAX_LAG_SECONDS * (double)align->front_context.rate;
	const uint32_t n_parts = (uint32_t)ceil(lag / FRONT_END_BLOCK);

	front_end_context_allocate(&align->front_context, arena);
	cross_context_allocate(&align->cross_context, arena);
	drift_tables_allocate(&align->drift_tables, &align->cross_context, arena);
	for (uint32_t m = 0; m < align->n_mics; m++)
		front_end_allocate(&align->front[m], &align->front_context, arena);
	for (uint32_t m = 1; m < align->n_mics; m++)
		pair_allocate(&align->pair[m], &align->front_context, &align->cross_context,
			      &align->drift_tables, n_parts, arena);
	mix_allocate(&align->mix, arena);
	post_allocate(&align->post, arena);
}

static void align_fill(struct align *align)
{
	front_end_context_fill(&align->front_context);
	cross_context_fill(&align->cross_context);
	drift_tables_fill(&align->drift_tables);
	for (uint32_t m = 1; m < align->n_mics; m++)
		weights_fill(&align->pair[m].weights, LOOP_HOP / (double)align->front_context.rate);
	mix_fill(&align->mix);
	post_fill(&align->post);
}

static int align_init(struct align *align, uint32_t rate, uint32_t n_mics)
{
	struct arena arena = { 0 };

	align->rate = rate;
	align->n_mics = n_mics;
	if (front_end_context_init(&align->front_context, rate, ALIGN_MAX_LAG_SECONDS,
				   (double)TRACK_MAX_LATE_SECONDS, CROSS_WINDOW) < 0 ||
	    cross_context_init(&align->cross_context, &align->front_context) < 0 ||
	    post_init(&align->post, rate, n_mics) < 0)
		return -ENOMEM;
	align->tick_frames = TICK_SAMPLES * align->front_context.factor;
	mix_init(&align->mix, rate, n_mics, ALIGN_MAX_LAG_SECONDS);
	align_allocate(align, &arena);
	align->memory = aligned_alloc(WEIR_FFT_ALIGN, arena.size);
	if (!align->memory)
		return -ENOMEM;
	memset(align->memory, 0, arena.size);
	arena = (struct arena){ .memory = align->memory };
	align_allocate(align, &arena);
	align_fill(align);
	align_reset(align);
	return 0;
}

static void *align_create(uint32_t rate, uint32_t n_mics)
{
	struct align *align;

	if (rate < WEIR_MIN_RATE || rate > WEIR_MAX_RATE) {
		errno = EINVAL;
		return NULL;
	}
	align = calloc(1, sizeof(*align));
	if (!align || align_init(align, rate, n_mics) == 0)
		return align;
	align_destroy(align);
	errno = ENOMEM;
	return NULL;
}

static void *create_2(uint32_t rate)
{
	return align_create(rate, 2);
}

static void *create_4(uint32_t rate)
{
	return align_create(rate, 4);
}

static const char *const weight_names[] = {
	"auto", "average", "mic-1", "mic-2", "mic-3", "mic-4",
};

static const char *const state_names[] = {
	[ALIGN_SEARCHING] = "searching",
	[ALIGN_TRACKING] = "locked",
	[ALIGN_COASTING] = "coasting",
	[ALIGN_ONE_MIC] = "one-mic",
};

#define MIC(number, position) AUDIO_IN("mic-" number, "Microphone " number, position)

/* In the order of the header. */
#define CONTROLS(max_weight)                                                                      \
	AUDIO_OUT("out", "All microphones as one", "MONO"),                                       \
		CONTROL_IN("lag-limit-ms", WEIR_FLOAT, "ms", "Largest delay to search for", 0.0f, \
			   750.0f, 1500.0f),                                                      \
		TOGGLE_IN("post-filter", "Attenuate what the microphones do not share", 0.0f),    \
		CHOICE_IN("weight", "By noise, by equal speech levels, or one microphone only",   \
			  weight_names, ALIGN_AUTO, max_weight),                                  \
		TOGGLE_IN("hold", "Hold the known delay and drift", 0.0f),                        \
		TOGGLE_IN("reset", "A change from 0 to 1 forgets delay and drift", 0.0f,          \
			  .role = WEIR_ROLE_RESET),                                               \
		CONTROL_OUT("latency", WEIR_INTEGER, "frames",                                    \
			    "Delay of the output against microphone 1", 0.0f, 600000.0f),         \
		CONTROL_OUT("state", WEIR_CHOICE, "",                                             \
			    "0 searching, 1 locked, 2 coasting, 3 one-mic", ALIGN_SEARCHING,      \
			    ALIGN_ONE_MIC, .choices = state_names)

#define OF_EACH(suffix, number)                                                                   \
	CONTROL_OUT("delay_ms" suffix, WEIR_FLOAT, "ms",                                          \
		    "Delay of microphone " number " against microphone 1", -1500.0f, 1500.0f),    \
		CONTROL_OUT("sro_ppm" suffix, WEIR_FLOAT, "ppm",                                  \
			    "Clock drift (sampling rate offset) of microphone " number, -1600.0f, \
			    1600.0f),                                                             \
		CONTROL_OUT("locked" suffix, WEIR_TOGGLE, "",                                     \
			    "1: the delay of microphone " number " is confirmed", 0.0f, 1.0f),    \
		CONTROL_OUT("confidence" suffix, WEIR_FLOAT, "",                                  \
			    "Agreement of phases of microphone " number, 0.0f, 1.0f),             \
		CONTROL_OUT("polarity" suffix, WEIR_FLOAT, "",                                    \
			    "-1: inverted polarity of microphone " number, -1.0f, 1.0f)

#define WEIGHT(number)                                                                     \
	CONTROL_OUT("weight" number, WEIR_FLOAT, "", "Gain applied to microphone " number, \
		    -100.0f, 100.0f)

#define SNR(number)                                                                                \
	CONTROL_OUT("snr" number, WEIR_FLOAT, "dB", "Speech-to-noise ratio of microphone " number, \
		    -20.0f, 60.0f)

static const struct weir_port ports_of_2[] = {
	MIC("1", "AUX0"), MIC("2", "AUX1"), CONTROLS(ALIGN_MIC_1 + 1.0f),
	OF_EACH("", "2"), WEIGHT("1"),	    WEIGHT("2"),
	SNR("1"),	  SNR("2"),
};

static const struct weir_port ports_of_4[] = {
	MIC("1", "AUX0"),
	MIC("2", "AUX1"),
	MIC("3", "AUX2"),
	MIC("4", "AUX3"),
	CONTROLS(ALIGN_MIC_1 + 3.0f),
	OF_EACH("_2", "2"),
	OF_EACH("_3", "3"),
	OF_EACH("_4", "4"),
	WEIGHT("1"),
	WEIGHT("2"),
	WEIGHT("3"),
	WEIGHT("4"),
	SNR("1"),
	SNR("2"),
	SNR("3"),
	SNR("4"),
};

static const struct weir_panel panels[] = { { WEIR_PANEL_INPUTS, "Alignment" } };

static const struct weir_word state_words[] = {
	[ALIGN_SEARCHING] = { "searching", WEIR_PENDING },
	[ALIGN_TRACKING] = { "LOCKED", WEIR_GOOD },
	[ALIGN_COASTING] = { "coasting: nobody speaks", WEIR_GOOD },
	[ALIGN_ONE_MIC] = { "one microphone only", WEIR_BAD },
};

/* All fields are in the only panel, which has a row for each input. */
#define SHOWN(text, its_view, ...) \
	.display = { .panel = 1, .label = text, .view = its_view, __VA_ARGS__ }

#define FIELDS(n_pairs)                                                                       \
	FIELD("delay_s", "s", "Delay of each other microphone against the first", n_pairs,    \
	      SHOWN("lag", WEIR_VIEW_DELAY, .input = 2)),                                     \
		FIELD("sro_ppm", "ppm",                                                       \
		      "Clock drift (sampling rate offset) of each other microphone", n_pairs, \
		      SHOWN("drift", WEIR_VIEW_DRIFT, .input = 2)),                           \
		FIELD("locked", "", "1: the delay is confirmed", n_pairs,                     \
		      SHOWN("", WEIR_VIEW_NONE)),                                             \
		FIELD("confidence", "", "Agreement of phases, 0 to 1", n_pairs,               \
		      SHOWN("confidence", WEIR_VIEW_CONFIDENCE)),                             \
		FIELD("polarity", "", "-1: inverted polarity", n_pairs,                       \
		      SHOWN("inv", WEIR_VIEW_SIGN, .input = 2)),                              \
		FIELD("state", "", "0 searching, 1 locked, 2 coasting, 3 one-mic", 1,         \
		      SHOWN("", WEIR_VIEW_WORD, .words = state_words,                         \
			    .n_words = COUNT(state_words)))

#define WEIGHT_FIELD(number)                                                  \
	FIELD("weight" #number, "", "Gain applied to microphone " #number, 1, \
	      SHOWN("weight", WEIR_VIEW_BAR, .input = number, .max = 1.0f))
#define SNR_FIELD(number)                                                             \
	FIELD("snr" #number, "dB", "Speech-to-noise ratio of microphone " #number, 1, \
	      SHOWN("SNR", WEIR_VIEW_NUMBER, .input = number))

static const struct weir_field fields_of_2[] = {
	FIELDS(1), WEIGHT_FIELD(1), WEIGHT_FIELD(2), SNR_FIELD(1), SNR_FIELD(2),
};

static const struct weir_field fields_of_4[] = {
	FIELDS(3),    WEIGHT_FIELD(1), WEIGHT_FIELD(2), WEIGHT_FIELD(3), WEIGHT_FIELD(4),
	SNR_FIELD(1), SNR_FIELD(2),    SNR_FIELD(3),	SNR_FIELD(4),
};

#define STATE_FIELDS(n_pairs)                                                               \
	FIELD("delay_s", "s", "Delay of each other microphone against the first", n_pairs), \
		FIELD("sro_ppm", "ppm", "Clock drift of each other microphone", n_pairs),   \
		FIELD("polarity", "", "-1: inverted polarity", n_pairs)

static const struct weir_field state_fields_of_2[] = { STATE_FIELDS(1) };
static const struct weir_field state_fields_of_4[] = { STATE_FIELDS(3) };

#define SHARED                                                                                  \
	.hop_seconds = ALIGN_REPORT_SECONDS, .destroy = align_destroy, .reset = align_reset,    \
	.run = align_run, .get_latency = align_get_latency, .n_state_fields = ALIGN_N_SAVED,    \
	.save_state = align_save_state, .restore_state = align_restore_state, .panels = panels, \
	.n_panels = COUNT(panels)

const struct weir_unit weir_align =
	UNIT("align", 703, "Two microphones with unknown delay and drift become one", ports_of_2,
	     fields_of_2, create_2, SHARED, .state_fields = state_fields_of_2);
const struct weir_unit weir_align_4 =
	UNIT("align-4", 704, "Four microphones with unknown delays and drifts become one",
	     ports_of_4, fields_of_4, create_4, SHARED, .state_fields = state_fields_of_4);
