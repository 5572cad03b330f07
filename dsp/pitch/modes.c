/* SPDX-License-Identifier: MIT */

/*
 * Three shifters, one per mode. One of them runs; while the mode changes, two do: the new one
 * takes input until its output is complete, and is then cross-faded in.
 */

#include "modes.h"

#include <math.h>

#include "dsp/minmax.h"

#define MAX_SEMITONES 24.0

/*
 * With a short fade, an attack that only one of the two shifters has output so far would come twice
 * or not at all; twice has 3 dB more energy than once. FADE_SECONDS_ATTACK is so much longer than
 * the maximum difference of the delays, 43 ms, that 0.1 dB are added. Without attacks the fade is
 * short, because a tone with opposite phases in the two shifters fades out and in again.
 */
#define FADE_SECONDS 0.02
#define FADE_SECONDS_ATTACK 0.2

WEIR_REALTIME void pitch_reset(void *state)
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

static WEIR_REALTIME struct shifter_settings settings_read(float *const control[])
{
	const double semitones =
		(double)*control[PITCH_SEMITONES] + (double)*control[PITCH_CENTS] / 100.0;

	return (struct shifter_settings){
		.semitones = fmin(fmax(semitones, -MAX_SEMITONES), MAX_SEMITONES),
		.glide_seconds = (double)*control[PITCH_GLIDE_MS] / 1000.0 / 3.0,
		.mix = *control[PITCH_MIX] / 100.0f,
		.keep_formants = *control[PITCH_FORMANT] > 0.0f,
	};
}

/* At the beginning of a hop, so that the frame of a change does not depend on the blocks. */
static WEIR_REALTIME void mode_read(struct pitch *pitch, enum pitch_mode mode)
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

/* Whether at least one of the shifters has still to output a strong attack that was found. */
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

	/* Both have found the same attacks: an unreported one is now the latest of the new shifter.
	 */
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

/* Frames to run at once: up to n, the next report or hop, or the next phase of a mode change. */
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

WEIR_REALTIME void pitch_run(void *state, float *const port[], uint32_t n_frames,
			     struct weir_reports *reports)
{
	struct pitch *pitch = state;
	const uint32_t n_channels = pitch->n_channels;
	float *const *control = port + 2 * (size_t)n_channels;
	const struct shifter_settings settings = settings_read(control);

	if (!pitch->started)
		mode_read(pitch, (enum pitch_mode) * control[PITCH_MODE]);
	for (uint32_t done = 0, n; done < n_frames; done += n) {
		const float *in[PITCH_MAX_CHANNELS];
		float *out[PITCH_MAX_CHANNELS];

		if (pitch->shifter[pitch->mode].hop_frame == 0)
			mode_read(pitch, (enum pitch_mode) * control[PITCH_MODE]);
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

WEIR_REALTIME struct weir_latency pitch_get_latency(const void *state, uint32_t input)
{
	const struct pitch *pitch = state;
	const uint32_t frames = shifter_delay(&pitch->shifter[pitch->mode]);

	(void)input;
	return (struct weir_latency){ .total = frames, .minimum = frames };
}
