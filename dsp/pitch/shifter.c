/* SPDX-License-Identifier: MIT */

/*
 * The map S from input time to places in the stretch buffer. Its slope is the pitch ratio
 * 2^(semitones / 12), which is interpolated linearly within a hop. The vocoder adds the
 * grain of input time t at S(t), and the output at time t is read at S(t - delay), so the
 * delay is the same at every ratio, and constant.
 *
 * Each stage runs at a fixed frame counted from the reset, and controls are read once
 * per hop, so the output does not depend on the size of the blocks.
 *
 * At 0 semitones the rotations of the vocoder shrink to nothing; then the buffer holds the
 * input, and the output can cross-fade to a plain delay and back inaudibly.
 */

#include <math.h>
#include <string.h>

#include "dsp/minmax.h"
#include "shifter.h"

#define ONE (UINT64_C(1) << 32) /* place */
#define SETTLED 1e-3		/* semitones: a glide this near its target has met it */
#define MIX_SECONDS 0.03
#define MIX_SETTLED 1e-4f

/* Hops after which no output depends on a frame. */
#define REST_HOPS (SHIFTER_DELAY + VOCODER_AHEAD)

WEIR_REALTIME void shifter_reset(struct shifter *shifter)
{
	for (uint32_t c = 0; c < shifter->n_channels; c++)
		memset(shifter->input[c], 0, 2 * (size_t)shifter->n_input * sizeof(float));
	shifter->frame = 0;
	shifter->first_silent = -(uint64_t)VOCODER_WINDOW * shifter->hop;
	shifter->hop_index = 0;
	shifter->hop_frame = 0;
	shifter->tick = 0;
	shifter->silent_hops = 0;
	shifter->started = false;
	vocoder_reset(&shifter->vocoder);
}

static WEIR_REALTIME struct knot *knot_at(struct shifter *shifter, uint64_t hop)
{
	return &shifter->knot[hop % SHIFTER_KNOTS];
}

/* The first place behind those that are read in the hop after that of this frame. */
static WEIR_REALTIME uint32_t open_place(struct shifter *shifter, uint64_t frame_hop)
{
	const uint64_t last_read = frame_hop + VOCODER_AHEAD + 2 - SHIFTER_DELAY;

	return (uint32_t)(knot_at(shifter, last_read)->place >> 32) + STRETCH_TAPS / 2 + 1;
}

/* Starts as if the settings had always been these. */
static WEIR_REALTIME void start(struct shifter *shifter, const struct shifter_settings *settings,
				uint64_t frame_hop)
{
	const double target = settings->semitones;
	const uint64_t step = (uint64_t)(exp2(target / 12.0) * (double)ONE);

	shifter->started = true;
	shifter->semitones = target;
	shifter->relax = target == 0.0 ? 0 : SHIFTER_RELAX_HOPS;
	shifter->rest_hops = target == 0.0 ? REST_HOPS : 0;
	shifter->plain = target == 0.0;
	shifter->mix = settings->mix;
	shifter->next_wet = shifter->plain ? 0.0f : shifter->mix;
	for (uint64_t i = 0; i < SHIFTER_KNOTS; i++)
		*knot_at(shifter, frame_hop - i) = (struct knot){ -i * step * shifter->hop, step };
	shifter->vocoder.stretch.open = open_place(shifter, frame_hop - 1);
}

/* The share of the remaining distance that a glide moves per hop. */
static WEIR_REALTIME double share_per_hop(const struct shifter *shifter, double seconds)
{
	return seconds > 0.0 ? 1.0 - exp(-(double)shifter->hop / (seconds * shifter->rate)) : 1.0;
}

static WEIR_REALTIME void glide_mix(struct shifter *shifter, float target)
{
	shifter->mix += (float)share_per_hop(shifter, MIX_SECONDS) * (target - shifter->mix);
	if (fabsf(target - shifter->mix) < MIX_SETTLED)
		shifter->mix = target;
}

/* A glide begins one hop late: the first hop gives the vocoder its first phases. */
static WEIR_REALTIME void glide(struct shifter *shifter, const struct shifter_settings *settings)
{
	const double target = settings->semitones;
	const bool at_rest = shifter->relax == 0;

	if (target == 0.0 && shifter->semitones == 0.0) {
		shifter->relax -= !at_rest;
		return;
	}
	shifter->relax = SHIFTER_RELAX_HOPS;
	if (at_rest)
		return;
	shifter->semitones +=
		share_per_hop(shifter, settings->glide_seconds) * (target - shifter->semitones);
	if (fabs(target - shifter->semitones) < SETTLED)
		shifter->semitones = target;
}

static WEIR_REALTIME uint64_t place_in(const struct stretch_reader *reader, uint64_t n_frames)
{
	return reader->place + n_frames * reader->step +
	       n_frames * (n_frames - 1) / 2 * reader->change;
}

/* A reader at the beginning of a hop that meets the place and the step at its end. */
static WEIR_REALTIME struct stretch_reader reader_at(struct shifter *shifter, uint64_t hop)
{
	const struct knot *from = knot_at(shifter, hop - 1), *to = knot_at(shifter, hop);
	const int64_t n = shifter->hop, change = (int64_t)(to->step - from->step) / n;
	struct stretch_reader reader = { from->place, from->step, (uint64_t)change };

	reader.step += (uint64_t)((int64_t)(to->place - place_in(&reader, shifter->hop)) / n);
	return reader;
}

/* At 0 semitones hops end on whole places, so that the buffer can be read without interpolation. */
static WEIR_REALTIME void extend_map(struct shifter *shifter, uint64_t frame_hop)
{
	const struct knot *from = knot_at(shifter, frame_hop - 1);
	const uint64_t step = (uint64_t)(exp2(shifter->semitones / 12.0) * (double)ONE);
	uint64_t place = from->place + (from->step + step) / 2 * shifter->hop;

	if (shifter->semitones == 0.0)
		place = (place + ONE / 2) / ONE * ONE;
	*knot_at(shifter, frame_hop) = (struct knot){ place, step };
}

static WEIR_REALTIME uint32_t whole_place(uint64_t place)
{
	return (uint32_t)((place + ONE / 2) >> 32);
}

/* The centre of a frame is the end of its hop, or the attack in it. */
static WEIR_REALTIME struct vocoder_frame next_frame(struct shifter *shifter, uint64_t frame_hop)
{
	const struct stretch_reader reader = reader_at(shifter, frame_hop);
	const uint64_t end = frame_hop * shifter->hop;
	struct onset_finder *onsets = &shifter->vocoder.onsets;
	struct vocoder_frame frame = {
		.centre = end,
		.place = whole_place(knot_at(shifter, frame_hop)->place),
		.speed = (float)knot_at(shifter, frame_hop)->step / (float)ONE,
	};

	for (uint32_t i = 0; i < ONSET_MAX && shifter->relax; i++) {
		struct onset *onset = &onsets->found[i];
		const uint64_t left = end - onset->frame;

		if (i >= onsets->n_found || left >= shifter->hop)
			continue;
		frame.attack = true;
		frame.centre = onset->frame;
		frame.place = whole_place(place_in(&reader, shifter->hop - left));
		onset->placed = true;
		onset->place = frame.place;
	}
	return frame;
}

static WEIR_REALTIME void begin_frame(struct shifter *shifter, bool keep_formants,
				      uint64_t frame_hop)
{
	struct vocoder_frame frame = next_frame(shifter, frame_hop);
	const uint64_t from = frame.centre - VOCODER_BEFORE * (uint64_t)shifter->hop;

	frame.work = shifter->relax ? VOCODER_SHIFT : VOCODER_PLAIN;
	if ((int64_t)(shifter->first_silent - from) <= 0)
		frame.work = VOCODER_SILENT;
	if (frame.work != VOCODER_SILENT)
		shifter->silent_hops = 0;
	else if (shifter->silent_hops < REST_HOPS)
		shifter->silent_hops++;
	frame.keep_formants = keep_formants;
	frame.keep_phase = shifter->semitones == 0.0
				   ? (float)shifter->relax / (float)(shifter->relax + 1)
				   : 1.0f;
	for (uint32_t c = 0; c < shifter->n_channels; c++)
		frame.input[c] = shifter->input[c] + from % shifter->n_input;
	vocoder_begin(&shifter->vocoder, &frame);
}

static WEIR_REALTIME void begin_read(struct shifter *shifter, uint64_t frame_hop)
{
	const uint64_t hop = frame_hop + VOCODER_AHEAD + 1 - SHIFTER_DELAY;

	shifter->reader = reader_at(shifter, hop);
	if (shifter->relax) {
		shifter->rest_hops = 0;
		shifter->plain = false;
	} else if (shifter->rest_hops < REST_HOPS) {
		shifter->rest_hops++;
	} else {
		shifter->plain = true;
	}
	shifter->wet = shifter->next_wet;
	shifter->next_wet = shifter->plain ? 0.0f : shifter->mix;
}

static WEIR_REALTIME void begin_hop(struct shifter *shifter,
				    const struct shifter_settings *settings)
{
	const uint64_t frame_hop = shifter->hop_index - VOCODER_AHEAD;

	if (shifter->started) {
		glide(shifter, settings);
		glide_mix(shifter, settings->mix);
	} else {
		start(shifter, settings, frame_hop);
	}
	extend_map(shifter, frame_hop);
	begin_frame(shifter, settings->keep_formants, frame_hop);
	begin_read(shifter, frame_hop);
}

static WEIR_REALTIME void begin_tick(struct shifter *shifter,
				     const struct shifter_settings *settings)
{
	if (shifter->tick % (shifter->n_ticks / ONSET_BLOCKS) == 0 && shifter->frame)
		onset_end_block(&shifter->vocoder.onsets, shifter->frame);
	if (shifter->tick == 0)
		begin_hop(shifter, settings);
	else if (shifter->tick <= shifter->vocoder.n_stages)
		vocoder_run_stage(&shifter->vocoder, shifter->tick - 1);
	else if (shifter->tick == shifter->vocoder.n_stages + 1)
		stretch_finish(&shifter->vocoder.stretch,
			       open_place(shifter, shifter->hop_index - VOCODER_AHEAD));
	shifter->tick++;
}

static WEIR_REALTIME bool is_silent(const float *const in[], uint32_t n_channels, uint32_t i)
{
	for (uint32_t c = 0; c < n_channels; c++)
		if (in[c][i] != 0.0f)
			return false;
	return true;
}

static WEIR_REALTIME void take_input(struct shifter *shifter, const float *const in[], uint32_t n)
{
	const uint64_t mask = shifter->n_input - 1;

	onset_take(&shifter->vocoder.onsets, in, n);
	for (uint32_t c = 0; c < shifter->n_channels; c++)
		for (uint32_t i = 0; i < n; i++) {
			const uint64_t at = (shifter->frame + i) & mask;

			shifter->input[c][at] = in[c][i];
			shifter->input[c][at + shifter->n_input] = in[c][i];
		}
	for (uint32_t i = n; i > 0; i--)
		if (!is_silent(in, shifter->n_channels, i - 1)) {
			shifter->first_silent = shifter->frame + i;
			break;
		}
}

static WEIR_REALTIME void give_output(struct shifter *shifter, float *const out[], uint32_t n)
{
	const uint64_t from = shifter->frame - shifter_delay(shifter);
	const float more = shifter->next_wet - shifter->wet;
	const bool is_dry = shifter->wet == 0.0f && more == 0.0f;
	const bool is_wet = shifter->wet == 1.0f && more == 0.0f;

	if (shifter->silent_hops == REST_HOPS) {
		for (uint32_t c = 0; c < shifter->n_channels; c++)
			memset(out[c], 0, n * sizeof(float));
		return;
	}
	if (!is_dry)
		stretch_read(&shifter->vocoder.stretch, &shifter->reader, out, n);
	for (uint32_t c = 0; c < shifter->n_channels; c++) {
		const float *delayed = shifter->input[c] + from % shifter->n_input;

		if (is_dry)
			memcpy(out[c], delayed, n * sizeof(float));
		for (uint32_t i = 0; i < n && !is_dry && !is_wet; i++) {
			const float passed = (float)(shifter->hop_frame + i) / (float)shifter->hop;
			const float wet = shifter->wet + more * smooth_step(passed);

			out[c][i] = delayed[i] + wet * (out[c][i] - delayed[i]);
		}
	}
}

WEIR_REALTIME void shifter_run(struct shifter *shifter, const struct shifter_settings *settings,
			       const float *const in[], float *const out[], uint32_t n_frames)
{
	for (uint32_t done = 0, n; done < n_frames; done += n) {
		const float *in_now[PITCH_MAX_CHANNELS];
		float *out_now[PITCH_MAX_CHANNELS];

		if (shifter->hop_frame == shifter->tick * shifter->hop / shifter->n_ticks)
			begin_tick(shifter, settings);
		n = min_u32(n_frames - done,
			    shifter->tick * shifter->hop / shifter->n_ticks - shifter->hop_frame);
		for (uint32_t c = 0; c < shifter->n_channels; c++) {
			in_now[c] = in[c] + done;
			out_now[c] = out[c] + done;
		}
		take_input(shifter, in_now, n);
		give_output(shifter, out_now, n);
		shifter->frame += n;
		shifter->hop_frame += n;
		if (shifter->hop_frame == shifter->hop) {
			shifter->hop_frame = 0;
			shifter->tick = 0;
			shifter->hop_index++;
		}
	}
}
