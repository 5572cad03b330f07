/* SPDX-License-Identifier: MIT */

/*
 * Three shifters, one per mode. One is heard; while the mode changes, two run: the new one
 * is fed until all that it gives is complete, and then faded in.
 */

#include <errno.h>
#include <math.h>
#include <stdlib.h>

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
	float faded[PITCH_CHANNELS][WEIR_BLOCK];

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
	float *faded[PITCH_CHANNELS];

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
		const float *in[PITCH_CHANNELS];
		float *out[PITCH_CHANNELS];

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

#define INPUT(suffix, which, position)                                                           \
	{                                                                                        \
		.name = "in-" suffix, .type = WEIR_AUDIO_IN, .unit = "", .help = which " input", \
		.channel = position                                                              \
	}
#define OUTPUT(suffix, which, position)                                    \
	{                                                                  \
		.name = "out-" suffix, .type = WEIR_AUDIO_OUT, .unit = "", \
		.help = which " output", .channel = position               \
	}

/* In the order of the header. */
#define CONTROLS                                                                               \
	{ .name = "semitones",                                                                 \
	  .type = WEIR_CONTROL_IN,                                                             \
	  .kind = WEIR_FLOAT,                                                                  \
	  .unit = "semitones",                                                                 \
	  .help = "How far the pitch is moved",                                                \
	  .min = -24.0f,                                                                       \
	  .def = 0.0f,                                                                         \
	  .max = 24.0f },                                                                      \
		{ .name = "formant",                                                           \
		  .type = WEIR_CONTROL_IN,                                                     \
		  .kind = WEIR_TOGGLE,                                                         \
		  .unit = "",                                                                  \
		  .help = "Keep the spectral envelope where it is",                            \
		  .min = 0.0f,                                                                 \
		  .def = 0.0f,                                                                 \
		  .max = 1.0f },                                                               \
		{ .name = "latency",                                                           \
		  .type = WEIR_CONTROL_OUT,                                                    \
		  .kind = WEIR_INTEGER,                                                        \
		  .unit = "frames",                                                            \
		  .help = "Delay of the output against the input",                             \
		  .min = 0.0f,                                                                 \
		  .max = 32768.0f },                                                           \
		{ .name = "cents",                                                             \
		  .type = WEIR_CONTROL_IN,                                                     \
		  .kind = WEIR_FLOAT,                                                          \
		  .unit = "cents",                                                             \
		  .help = "Added to semitones, to 24 semitones at most",                       \
		  .min = -100.0f,                                                              \
		  .def = 0.0f,                                                                 \
		  .max = 100.0f },                                                             \
		{ .name = "mix",                                                               \
		  .type = WEIR_CONTROL_IN,                                                     \
		  .kind = WEIR_FLOAT,                                                          \
		  .unit = "%",                                                                 \
		  .help = "How much is shifted sound; the rest is the input, just as late",    \
		  .min = 0.0f,                                                                 \
		  .def = 100.0f,                                                               \
		  .max = 100.0f },                                                             \
		{ .name = "mode",                                                              \
		  .type = WEIR_CONTROL_IN,                                                     \
		  .kind = WEIR_CHOICE,                                                         \
		  .unit = "",                                                                  \
		  .help = "Length of the windows: less delay, or more partials told apart",    \
		  .choices = mode_names,                                                       \
		  .min = PITCH_LOW_LATENCY,                                                    \
		  .def = PITCH_BALANCED,                                                       \
		  .max = PITCH_QUALITY },                                                      \
	{                                                                                      \
		.name = "glide-ms", .type = WEIR_CONTROL_IN, .kind = WEIR_FLOAT, .unit = "ms", \
		.help = "How long a change of the shift takes, to 95 %", .min = 0.0f,          \
		.def = 100.0f, .max = 10000.0f                                                 \
	}

static const struct weir_port mono_ports[] = {
	INPUT("mono", "Mono", "MONO"),
	OUTPUT("mono", "Mono", "MONO"),
	CONTROLS,
};

static const struct weir_port stereo_ports[] = {
	INPUT("l", "Left", "FL"),
	INPUT("r", "Right", "FR"),
	OUTPUT("l", "Left", "FL"),
	OUTPUT("r", "Right", "FR"),
	CONTROLS,
};

static const struct weir_port ports_of_8[] = {
	INPUT("fl", "Front left", "FL"),
	INPUT("fr", "Front right", "FR"),
	INPUT("fc", "Front centre", "FC"),
	INPUT("lfe", "Low frequency", "LFE"),
	INPUT("rl", "Rear left", "RL"),
	INPUT("rr", "Rear right", "RR"),
	INPUT("sl", "Side left", "SL"),
	INPUT("sr", "Side right", "SR"),
	OUTPUT("fl", "Front left", "FL"),
	OUTPUT("fr", "Front right", "FR"),
	OUTPUT("fc", "Front centre", "FC"),
	OUTPUT("lfe", "Low frequency", "LFE"),
	OUTPUT("rl", "Rear left", "RL"),
	OUTPUT("rr", "Rear right", "RR"),
	OUTPUT("sl", "Side left", "SL"),
	OUTPUT("sr", "Side right", "SR"),
	CONTROLS,
};

static const struct weir_field fields[] = {
	[PITCH_REPORT_SEMITONES] = { .name = "semitones",
				     .unit = "semitones",
				     .help = "Shift in force, on its way to the control's value",
				     .count = 1 },
	[PITCH_REPORT_ONSET] = { .name = "onset",
				 .unit = "s",
				 .help = "An attack was found, this long before the report",
				 .count = 1,
				 .event = true },
};

#define UNIT(unit_name, unit_id, unit_summary, unit_ports, unit_create)                         \
	{                                                                                       \
		.name = unit_name, .id = unit_id, .summary = unit_summary, .ports = unit_ports, \
		.n_ports = sizeof(unit_ports) / sizeof((unit_ports)[0]), .fields = fields,      \
		.n_fields = PITCH_N_FIELDS, .hop_seconds = 0.01f, .create = unit_create,        \
		.destroy = pitch_destroy, .reset = pitch_reset, .run = pitch_run,               \
		.get_latency = pitch_get_latency                                                \
	}

const struct weir_unit weir_pitch =
	UNIT("pitch", 700, "Pitch shifter for stereo sound", stereo_ports, create_stereo);
const struct weir_unit weir_pitch_mono =
	UNIT("pitch-mono", 701, "Pitch shifter for mono sound", mono_ports, create_mono);
const struct weir_unit weir_pitch_8 =
	UNIT("pitch-8", 702, "Pitch shifter for eight channels", ports_of_8, create_8);
