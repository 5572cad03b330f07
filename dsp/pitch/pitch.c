/* SPDX-License-Identifier: MIT */

/*
 * Three shifters, one per mode. One is heard; while the mode changes, two run: the new one
 * is fed until all that it gives is complete, and then faded in.
 */

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "dsp/declare.h"
#include "dsp/minmax.h"
#include "pitch.h"
#include "shifter.h"

#define MOST_RATE 384000
#define MOST_SEMITONES 24.0

/*
 * A short fade would let an attack be heard twice, or not at all, that only one of the two shifters
 * has given yet: twice has 3 dB more energy than once. A fade that is this much longer than the
 * difference of the delays, 43 ms at most, adds 0.1 dB. Without attacks it is short, because a tone
 * whose phases are opposite in both fades out and in.
 */
#define FADE_SECONDS 0.02
#define FADE_SECONDS_ATTACK 0.2

static const double hop_seconds[PITCH_N_MODES] = {
	[PITCH_LOW_LATENCY] = 128.0 / 48000.0,
	[PITCH_BALANCED] = 256.0 / 48000.0,
	[PITCH_QUALITY] = 384.0 / 48000.0,
};

struct pitch {
	uint32_t rate, n_channels;
	struct shifter shifter[PITCH_N_MODES];
	bool started;
	enum pitch_mode mode, next; /* the same while the mode is not changing */
	uint32_t warm_up, fade;	    /* frames of the change that are to come; one is 0 */
	uint32_t n_fade;
	float faded[PITCH_MAX_CHANNELS][WEIR_BLOCK];

	uint32_t report_frames; /* until the next report */
	uint32_t n_onsets_reported;
};

static WEIR_REALTIME void pitch_reset(void *state)
{
	struct pitch *pitch = state;

	for (int m = 0; m < PITCH_N_MODES; m++)
		shifter_reset(&pitch->shifter[m]);
	pitch->started = false;
	pitch->mode = pitch->next = PITCH_BALANCED;
	pitch->warm_up = pitch->fade = 0;
	pitch->report_frames = pitch->rate / 100;
	pitch->n_onsets_reported = 0;
}

static void pitch_destroy(void *state)
{
	struct pitch *pitch = state;

	if (!pitch)
		return;
	for (int m = 0; m < PITCH_N_MODES; m++)
		shifter_finish(&pitch->shifter[m]);
	free(pitch);
}

static void *pitch_create(uint32_t rate, uint32_t n_channels)
{
	struct pitch *pitch;

	if (rate < WEIR_MIN_RATE || rate > MOST_RATE) {
		errno = EINVAL;
		return NULL;
	}
	pitch = calloc(1, sizeof(*pitch));
	if (!pitch)
		return NULL;
	pitch->rate = rate;
	pitch->n_channels = n_channels;
	for (int m = 0; m < PITCH_N_MODES; m++)
		if (shifter_init(&pitch->shifter[m], rate, n_channels, hop_seconds[m]) < 0) {
			pitch_destroy(pitch);
			errno = ENOMEM;
			return NULL;
		}
	pitch_reset(pitch);
	return pitch;
}

static void *create_mono(uint32_t rate)
{
	return pitch_create(rate, 1);
}

static void *create_stereo(uint32_t rate)
{
	return pitch_create(rate, 2);
}

static void *create_8(uint32_t rate)
{
	return pitch_create(rate, 8);
}

static WEIR_REALTIME struct shifter_settings settings_read(float *const control[])
{
	const double semitones =
		(double)*control[PITCH_SEMITONES] + (double)*control[PITCH_CENTS] / 100.0;

	return (struct shifter_settings){
		.semitones = fmin(fmax(semitones, -MOST_SEMITONES), MOST_SEMITONES),
		.glide_seconds = (double)*control[PITCH_GLIDE_MS] / 1000.0 / 3.0,
		.mix = *control[PITCH_MIX] / 100.0f,
		.keep_formants = *control[PITCH_FORMANT] > 0.0f,
	};
}

/* At the beginning of a hop, so that it happens at the same frame whatever the blocks. */
static WEIR_REALTIME void look_at_mode(struct pitch *pitch, enum pitch_mode mode)
{
	struct shifter *next = &pitch->shifter[mode];

	if (!pitch->started)
		pitch->mode = pitch->next = mode;
	pitch->started = true;
	if (pitch->next != pitch->mode || mode == pitch->mode)
		return;
	shifter_reset(next);
	pitch->next = mode;
	pitch->warm_up = SHIFTER_WARM_UP * next->hop;
}

/* Whether a strong attack is known that one of the shifters is still to give. */
static WEIR_REALTIME bool has_attack(const struct pitch *pitch)
{
	const struct shifter *shifter = &pitch->shifter[pitch->mode];
	const struct shifter *next = &pitch->shifter[pitch->next];
	const struct onset_finder *onsets = &shifter->vocoder.onsets;

	for (uint32_t i = 0; i < ONSET_MAX && i < onsets->n_found; i++) {
		const uint64_t ago = shifter->frame - onsets->found[i].frame;

		if (onsets->found[i].strong &&
		    (ago < shifter_delay(shifter) || ago < shifter_delay(next)))
			return true;
	}
	return false;
}

static WEIR_REALTIME void warm_up(struct pitch *pitch, uint32_t n)
{
	pitch->warm_up -= n;
	if (pitch->warm_up > 0)
		return;
	pitch->n_fade =
		(uint32_t)((has_attack(pitch) ? FADE_SECONDS_ATTACK : FADE_SECONDS) * pitch->rate);
	pitch->fade = pitch->n_fade;
}

static WEIR_REALTIME void fade_over(struct pitch *pitch, float *const out[], uint32_t n)
{
	const uint32_t passed = pitch->n_fade - pitch->fade;

	for (uint32_t i = 0; i < n; i++) {
		const float share = smooth_step((float)(passed + i) / (float)pitch->n_fade);

		for (uint32_t c = 0; c < pitch->n_channels; c++)
			out[c][i] += share * (pitch->faded[c][i] - out[c][i]);
	}
	pitch->fade -= n;
	if (pitch->fade > 0)
		return;

	const uint32_t n_before = pitch->shifter[pitch->mode].vocoder.onsets.n_found;
	const uint32_t n_next = pitch->shifter[pitch->next].vocoder.onsets.n_found;

	/* Both have found the attacks: what is still to be reported of one is of the other. */
	pitch->n_onsets_reported = n_next - (n_next > 0 && pitch->n_onsets_reported != n_before);
	pitch->mode = pitch->next;
}

static WEIR_REALTIME void run_next(struct pitch *pitch, const struct shifter_settings *settings,
				   const float *const in[], float *const out[], uint32_t n)
{
	float *faded[PITCH_MAX_CHANNELS];

	for (uint32_t c = 0; c < pitch->n_channels; c++)
		faded[c] = pitch->faded[c];
	shifter_run(&pitch->shifter[pitch->next], settings, in, faded, n);
	if (pitch->warm_up > 0)
		warm_up(pitch, n);
	else
		fade_over(pitch, out, n);
}

static WEIR_REALTIME void report(struct pitch *pitch, struct weir_reports *reports, uint32_t frame)
{
	const struct shifter *shifter = &pitch->shifter[pitch->mode];
	const struct onset_finder *onsets = &shifter->vocoder.onsets;
	struct weir_report *report = weir_reports_add(reports, frame);
	const bool attack = pitch->n_onsets_reported != onsets->n_found && onsets->n_found;
	const struct onset *latest = &onsets->found[(onsets->n_found - 1) % ONSET_MAX];

	pitch->n_onsets_reported = onsets->n_found;
	pitch->report_frames = pitch->rate / 100;
	if (!report)
		return;
	report->value[PITCH_REPORT_SEMITONES] = (float)shifter->semitones;
	report->present = 1 << PITCH_REPORT_SEMITONES;
	if (!attack)
		return;
	report->value[PITCH_REPORT_ONSET] =
		(float)(shifter->frame - latest->frame) / (float)pitch->rate;
	report->present |= 1 << PITCH_REPORT_ONSET;
}

/* Frames that can be run at once: up to n, the next report, hop, or turn of a change. */
static WEIR_REALTIME uint32_t count_frames(const struct pitch *pitch, uint32_t n)
{
	const struct shifter *shifter = &pitch->shifter[pitch->mode];
	const uint32_t limits[] = {
		pitch->report_frames,
		shifter->hop - shifter->hop_frame,
		pitch->warm_up ? pitch->warm_up : n,
		pitch->fade ? pitch->fade : n,
	};

	for (uint32_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		n = min_u32(n, limits[i]);
	return n;
}

static WEIR_REALTIME void pitch_run(void *state, float *const port[], uint32_t n_frames,
				    struct weir_reports *reports)
{
	struct pitch *pitch = state;
	const uint32_t n_channels = pitch->n_channels;
	float *const *control = port + 2 * (size_t)n_channels;
	const struct shifter_settings settings = settings_read(control);

	if (!pitch->started)
		look_at_mode(pitch, (enum pitch_mode) * control[PITCH_MODE]);
	for (uint32_t done = 0, n; done < n_frames; done += n) {
		const float *in[PITCH_MAX_CHANNELS];
		float *out[PITCH_MAX_CHANNELS];

		if (pitch->shifter[pitch->mode].hop_frame == 0)
			look_at_mode(pitch, (enum pitch_mode) * control[PITCH_MODE]);
		n = count_frames(pitch, n_frames - done);
		for (uint32_t c = 0; c < n_channels; c++) {
			in[c] = port[c] + done;
			out[c] = port[n_channels + c] + done;
		}
		shifter_run(&pitch->shifter[pitch->mode], &settings, in, out, n);
		if (pitch->next != pitch->mode)
			run_next(pitch, &settings, in, out, n);
		pitch->report_frames -= n;
		if (pitch->report_frames == 0)
			report(pitch, reports, done + n - 1);
	}
	*control[PITCH_LATENCY] = (float)shifter_delay(&pitch->shifter[pitch->mode]);
}

static WEIR_REALTIME struct weir_latency pitch_get_latency(const void *state, uint32_t input)
{
	const struct pitch *pitch = state;
	const uint32_t frames = shifter_delay(&pitch->shifter[pitch->mode]);

	(void)input;
	return (struct weir_latency){ .total = frames, .minimum = frames };
}

static const char *const mode_names[] = {
	[PITCH_LOW_LATENCY] = "low-latency",
	[PITCH_BALANCED] = "balanced",
	[PITCH_QUALITY] = "quality",
};

/* In the order of the header. */
#define CONTROLS                                                                                   \
	CONTROL_IN("semitones", WEIR_FLOAT, "semitones", "How far the pitch is moved", -24.0f,     \
		   0.0f, 24.0f),                                                                   \
		TOGGLE_IN("formant", "Keep the spectral envelope where it is", 0.0f),              \
		CONTROL_OUT("latency", WEIR_INTEGER, "frames",                                     \
			    "Delay of the output against the input", 0.0f, 32768.0f),              \
		CONTROL_IN("cents", WEIR_FLOAT, "cents",                                           \
			   "Added to semitones, to 24 semitones at most", -100.0f, 0.0f, 100.0f),  \
		CONTROL_IN("mix", WEIR_FLOAT, "%",                                                 \
			   "How much is shifted sound; the rest is the input, just as late", 0.0f, \
			   100.0f, 100.0f),                                                        \
		CHOICE_IN("mode",                                                                  \
			  "Length of the windows: less delay, or more partials told apart",        \
			  mode_names, PITCH_BALANCED, PITCH_QUALITY),                              \
		CONTROL_IN("glide-ms", WEIR_FLOAT, "ms",                                           \
			   "How long a change of the shift takes, to 95 %", 0.0f, 100.0f,          \
			   10000.0f)

static const struct weir_port mono_ports[] = {
	AUDIO_IN("in-mono", "Mono input", "MONO"),
	AUDIO_OUT("out-mono", "Mono output", "MONO"),
	CONTROLS,
};

static const struct weir_port stereo_ports[] = {
	AUDIO_IN("in-l", "Left input", "FL"),
	AUDIO_IN("in-r", "Right input", "FR"),
	AUDIO_OUT("out-l", "Left output", "FL"),
	AUDIO_OUT("out-r", "Right output", "FR"),
	CONTROLS,
};

static const struct weir_port ports_of_8[] = {
	AUDIO_IN("in-fl", "Front left input", "FL"),
	AUDIO_IN("in-fr", "Front right input", "FR"),
	AUDIO_IN("in-fc", "Front centre input", "FC"),
	AUDIO_IN("in-lfe", "Low frequency input", "LFE"),
	AUDIO_IN("in-rl", "Rear left input", "RL"),
	AUDIO_IN("in-rr", "Rear right input", "RR"),
	AUDIO_IN("in-sl", "Side left input", "SL"),
	AUDIO_IN("in-sr", "Side right input", "SR"),
	AUDIO_OUT("out-fl", "Front left output", "FL"),
	AUDIO_OUT("out-fr", "Front right output", "FR"),
	AUDIO_OUT("out-fc", "Front centre output", "FC"),
	AUDIO_OUT("out-lfe", "Low frequency output", "LFE"),
	AUDIO_OUT("out-rl", "Rear left output", "RL"),
	AUDIO_OUT("out-rr", "Rear right output", "RR"),
	AUDIO_OUT("out-sl", "Side left output", "SL"),
	AUDIO_OUT("out-sr", "Side right output", "SR"),
	CONTROLS,
};

static const struct weir_field fields[] = {
	[PITCH_REPORT_SEMITONES] = FIELD("semitones", "semitones",
					 "Shift in force, on its way to the control's value", 1),
	[PITCH_REPORT_ONSET] = EVENT("onset", "An attack was found, this long before the report"),
};

#define SHARED                                                                                  \
	.hop_seconds = 0.01f, .destroy = pitch_destroy, .reset = pitch_reset, .run = pitch_run, \
	.get_latency = pitch_get_latency

const struct weir_unit weir_pitch = UNIT("pitch", 700, "Pitch shifter for stereo sound",
					 stereo_ports, fields, create_stereo, SHARED);
const struct weir_unit weir_pitch_mono = UNIT("pitch-mono", 701, "Pitch shifter for mono sound",
					      mono_ports, fields, create_mono, SHARED);
const struct weir_unit weir_pitch_8 = UNIT("pitch-8", 702, "Pitch shifter for eight channels",
					   ports_of_8, fields, create_8, SHARED);
