/* SPDX-License-Identifier: MIT */

/*
 * The course of time. The slope of the map S from input time to the tape is the pitch
 * ratio 2^(semitones / 12), which moves in a line through each hop. The vocoder puts
 * the grain of input time t at S(t), and the output at time t is the tape at
 * S(t - delay), so the delay is the same at every ratio, and constant.
 *
 * All work is done at fixed frames counted from reset, and a control is looked at once
 * per hop, so the output does not depend on the size of the blocks.
 *
 * At 0 semitones the rotations of the vocoder shrink to nothing; then the tape is the
 * input, and the output can pass over to a plain delay and back unheard.
 */

#include <math.h>
#include <string.h>

#include "state.h"

#define ONE (UINT64_C(1) << 32) /* place on the tape */
#define SETTLED 1e-3		/* semitones: a glide this near its target has met it */

/* Hops at rest after which no frame that was turned can be heard. */
#define REST_HOPS (PITCH_DELAY + VOCODER_AHEAD)

WEIR_REALTIME void pitch_reset(void *state)
{
	struct pitch *pitch = state;

	for (int c = 0; c < 2; c++)
		memset(pitch->input[c], 0, 2 * (size_t)pitch->n_input * sizeof(float));
	pitch->frame = 0;
	pitch->first_silent = -(uint64_t)VOCODER_WINDOW * pitch->hop;
	pitch->hop_index = 0;
	pitch->hop_frame = 0;
	pitch->tick = 0;
	pitch->started = false;
	pitch->report_frames = pitch->rate / 100;
	pitch->n_onsets_reported = 0;
	vocoder_reset(&pitch->vocoder);
}

static WEIR_REALTIME struct knot *knot_at(struct pitch *pitch, uint64_t hop)
{
	return &pitch->knot[hop % PITCH_KNOTS];
}

/* The first place on the tape that is not needed in the hop after the one of this frame. */
static WEIR_REALTIME uint32_t open_place(struct pitch *pitch, uint64_t frame_hop)
{
	const uint64_t last_read = frame_hop + VOCODER_AHEAD + 2 - PITCH_DELAY;

	return (uint32_t)(knot_at(pitch, last_read)->place >> 32) + TAPE_TAPS / 2 + 1;
}

/* As if it had always been so. */
static WEIR_REALTIME void start(struct pitch *pitch, double target, uint64_t frame_hop)
{
	const uint64_t step = (uint64_t)(exp2(target / 12.0) * (double)ONE);

	pitch->started = true;
	pitch->semitones = target;
	pitch->relax = target == 0.0 ? 0 : PITCH_RELAX_HOPS;
	pitch->rest_hops = target == 0.0 ? REST_HOPS : 0;
	pitch->dry = target == 0.0 ? 1.0f : 0.0f;
	for (uint64_t i = 0; i < PITCH_KNOTS; i++)
		*knot_at(pitch, frame_hop - i) = (struct knot){ -i * step * pitch->hop, step };
	pitch->vocoder.tape.open = open_place(pitch, frame_hop - 1);
}

/* One hop at rest comes before a glide: it gives the vocoder phases to begin with. */
static WEIR_REALTIME void glide(struct pitch *pitch, double target)
{
	const bool at_rest = pitch->relax == 0;

	if (target == 0.0 && pitch->semitones == 0.0) {
		pitch->relax -= !at_rest;
		return;
	}
	pitch->relax = PITCH_RELAX_HOPS;
	if (at_rest)
		return;
	pitch->semitones += pitch->glide * (target - pitch->semitones);
	if (fabs(target - pitch->semitones) < SETTLED)
		pitch->semitones = target;
}

static WEIR_REALTIME uint64_t place_in(const struct tape_head *head, uint64_t n_frames)
{
	return head->place + n_frames * head->step + n_frames * (n_frames - 1) / 2 * head->change;
}

/* A head at the beginning of a hop that meets the place and the step at its end. */
static WEIR_REALTIME struct tape_head head_at(struct pitch *pitch, uint64_t hop)
{
	const struct knot *from = knot_at(pitch, hop - 1), *to = knot_at(pitch, hop);
	const int64_t n = pitch->hop, change = (int64_t)(to->step - from->step) / n;
	struct tape_head head = { from->place, from->step, (uint64_t)change };

	head.step += (uint64_t)((int64_t)(to->place - place_in(&head, pitch->hop)) / n);
	return head;
}

/* At 0 semitones hops end on whole places, so that the tape can be read without a shift. */
static WEIR_REALTIME void extend_map(struct pitch *pitch, uint64_t frame_hop)
{
	const struct knot *from = knot_at(pitch, frame_hop - 1);
	const uint64_t step = (uint64_t)(exp2(pitch->semitones / 12.0) * (double)ONE);
	uint64_t place = from->place + (from->step + step) / 2 * pitch->hop;

	if (pitch->semitones == 0.0)
		place = (place + ONE / 2) / ONE * ONE;
	*knot_at(pitch, frame_hop) = (struct knot){ place, step };
}

static WEIR_REALTIME uint32_t whole_place(uint64_t place)
{
	return (uint32_t)((place + ONE / 2) >> 32);
}

/* The centre of a frame is the end of its hop, or the attack in it. */
static WEIR_REALTIME struct vocoder_frame next_frame(struct pitch *pitch, uint64_t frame_hop)
{
	const struct tape_head head = head_at(pitch, frame_hop);
	const uint64_t end = frame_hop * pitch->hop;
	struct onset_finder *onsets = &pitch->vocoder.onsets;
	struct vocoder_frame frame = {
		.centre = end,
		.place = whole_place(knot_at(pitch, frame_hop)->place),
		.speed = (float)knot_at(pitch, frame_hop)->step / (float)ONE,
	};

	for (uint32_t i = 0; i < ONSET_MAX && pitch->relax; i++) {
		struct onset *onset = &onsets->found[i];
		const uint64_t left = end - onset->frame;

		if (i >= onsets->n_found || left >= pitch->hop)
			continue;
		frame.attack = true;
		frame.centre = onset->frame;
		frame.place = whole_place(place_in(&head, pitch->hop - left));
		onset->placed = true;
		onset->place = frame.place;
	}
	return frame;
}

static WEIR_REALTIME void begin_frame(struct pitch *pitch, bool keep_formants, uint64_t frame_hop)
{
	struct vocoder_frame frame = next_frame(pitch, frame_hop);
	const uint64_t from = frame.centre - VOCODER_BEFORE * (uint64_t)pitch->hop;

	frame.work = pitch->relax ? VOCODER_SHIFT : VOCODER_PLAIN;
	if ((int64_t)(pitch->first_silent - from) <= 0)
		frame.work = VOCODER_SILENT;
	frame.keep_formants = keep_formants;
	frame.keep_turn =
		pitch->semitones == 0.0 ? (float)pitch->relax / (float)(pitch->relax + 1) : 1.0f;
	for (int c = 0; c < 2; c++)
		frame.input[c] = pitch->input[c] + from % pitch->n_input;
	vocoder_begin(&pitch->vocoder, &frame);
}

static WEIR_REALTIME void begin_read(struct pitch *pitch, uint64_t frame_hop)
{
	const uint64_t hop = frame_hop + VOCODER_AHEAD + 1 - PITCH_DELAY;

	pitch->head = head_at(pitch, hop);
	pitch->dry = roundf(pitch->dry);
	pitch->dry_step = 0.0f;
	if (pitch->relax) {
		pitch->rest_hops = 0;
		pitch->dry_step = -pitch->dry / (float)pitch->hop;
	} else if (pitch->rest_hops < REST_HOPS) {
		pitch->rest_hops++;
	} else {
		pitch->dry_step = (1.0f - pitch->dry) / (float)pitch->hop;
	}
}

static WEIR_REALTIME void begin_hop(struct pitch *pitch, float *const port[])
{
	const uint64_t frame_hop = pitch->hop_index - VOCODER_AHEAD;
	const double target = (double)*port[PITCH_SEMITONES];

	if (pitch->started)
		glide(pitch, target);
	else
		start(pitch, target, frame_hop);
	extend_map(pitch, frame_hop);
	begin_frame(pitch, *port[PITCH_FORMANT] > 0.0f, frame_hop);
	begin_read(pitch, frame_hop);
}

static WEIR_REALTIME void begin_tick(struct pitch *pitch, float *const port[])
{
	if (pitch->tick % (VOCODER_STAGES / ONSET_BLOCKS) == 0 && pitch->frame)
		onset_end_block(&pitch->vocoder.onsets, pitch->frame);
	if (pitch->tick == 0)
		begin_hop(pitch, port);
	vocoder_run_stage(&pitch->vocoder, pitch->tick);
	pitch->tick++;
	if (pitch->tick == VOCODER_STAGES)
		tape_finish(&pitch->vocoder.tape,
			    open_place(pitch, pitch->hop_index - VOCODER_AHEAD));
}

static WEIR_REALTIME void take_input(struct pitch *pitch, const float *in[2], uint32_t n)
{
	const uint64_t mask = pitch->n_input - 1;

	onset_take(&pitch->vocoder.onsets, in[0], in[1], n);
	for (uint32_t i = 0; i < n; i++) {
		const uint64_t at = (pitch->frame + i) & mask;

		for (int c = 0; c < 2; c++) {
			pitch->input[c][at] = in[c][i];
			pitch->input[c][at + pitch->n_input] = in[c][i];
		}
		if (in[0][i] != 0.0f || in[1][i] != 0.0f)
			pitch->first_silent = pitch->frame + i + 1;
	}
}

static WEIR_REALTIME void give_output(struct pitch *pitch, float *out[2], uint32_t n)
{
	const uint64_t from = pitch->frame - PITCH_DELAY * (uint64_t)pitch->hop;
	const float *delayed[2];

	for (int c = 0; c < 2; c++)
		delayed[c] = pitch->input[c] + from % pitch->n_input;
	if (pitch->dry == 1.0f && pitch->dry_step == 0.0f) {
		for (int c = 0; c < 2; c++)
			memcpy(out[c], delayed[c], n * sizeof(float));
		return;
	}
	tape_read(&pitch->vocoder.tape, &pitch->head, out[0], out[1], n);
	for (uint32_t i = 0; i < n && (pitch->dry > 0.0f || pitch->dry_step > 0.0f); i++) {
		pitch->dry += pitch->dry_step;
		for (int c = 0; c < 2; c++)
			out[c][i] += pitch->dry * (delayed[c][i] - out[c][i]);
	}
}

static WEIR_REALTIME void report(struct pitch *pitch, struct weir_reports *reports, uint32_t frame)
{
	const struct onset_finder *onsets = &pitch->vocoder.onsets;
	struct weir_report *report = weir_reports_add(reports, frame);
	const bool attack = pitch->n_onsets_reported != onsets->n_found;
	const struct onset *latest = &onsets->found[(onsets->n_found - 1) % ONSET_MAX];

	pitch->n_onsets_reported = onsets->n_found;
	pitch->report_frames = pitch->rate / 100;
	if (!report)
		return;
	report->value[PITCH_REPORT_SEMITONES] = (float)pitch->semitones;
	report->present = 1 << PITCH_REPORT_SEMITONES;
	if (!attack)
		return;
	report->value[PITCH_REPORT_ONSET] =
		(float)(pitch->frame - latest->frame) / (float)pitch->rate;
	report->present |= 1 << PITCH_REPORT_ONSET;
}

static WEIR_REALTIME uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

WEIR_REALTIME void pitch_run(void *state, float *const port[], uint32_t n_frames,
			     struct weir_reports *reports)
{
	struct pitch *pitch = state;

	for (uint32_t done = 0, n; done < n_frames; done += n) {
		if (pitch->hop_frame == pitch->tick * pitch->hop / VOCODER_STAGES)
			begin_tick(pitch, port);

		const uint32_t tick_end = pitch->tick * pitch->hop / VOCODER_STAGES;
		const float *in[2] = { port[PITCH_IN_L] + done, port[PITCH_IN_R] + done };
		float *out[2] = { port[PITCH_OUT_L] + done, port[PITCH_OUT_R] + done };

		n = least(n_frames - done,
			  least(tick_end - pitch->hop_frame, pitch->report_frames));
		take_input(pitch, in, n);
		give_output(pitch, out, n);
		pitch->frame += n;
		pitch->hop_frame += n;
		pitch->report_frames -= n;
		if (pitch->report_frames == 0)
			report(pitch, reports, done + n - 1);
		if (pitch->hop_frame == pitch->hop) {
			pitch->hop_frame = 0;
			pitch->tick = 0;
			pitch->hop_index++;
		}
	}
	*port[PITCH_LATENCY] = (float)(PITCH_DELAY * pitch->hop);
}
