/* SPDX-License-Identifier: MIT */
#include "take.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "judge.h"
#include "tests/check.h"
#include "tests/realtime.h"

static double cpu_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static bool is_audio(const struct weir_port *port)
{
	return port->type == WEIR_AUDIO_IN || port->type == WEIR_AUDIO_OUT;
}

static float *sound_create(uint32_t n_frames)
{
	float *sound = malloc(n_frames * sizeof(float));

	CHECK(sound);
	for (uint32_t f = 0; f < n_frames; f++)
		sound[f] = NAN; /* is seen where it is not written over */
	return sound;
}

/* The i-th output in the buffer of the i-th input. */
static void buffers_share(struct take *take)
{
	const struct weir_unit *unit = take->trial->unit;

	for (uint32_t in = 0, out = 0; in < unit->n_ports; in++) {
		if (unit->ports[in].type != WEIR_AUDIO_IN)
			continue;
		while (out < unit->n_ports && unit->ports[out].type != WEIR_AUDIO_OUT)
			out++;
		if (out < unit->n_ports)
			take->audio[out++] = take->audio[in];
	}
}

static void take_init(struct take *take, const struct trial *trial, bool has_reports,
		      bool shares_buffers)
{
	const struct weir_unit *unit = trial->unit;

	*take = (struct take){ .trial = trial };
	for (uint32_t i = 0; i < unit->n_ports; i++) {
		if (!is_audio(&unit->ports[i]))
			continue;
		take->audio[i] = take->memory[i] = sound_create(trial->n_frames);
		if (trial->input[i])
			memcpy(take->audio[i], trial->input[i], trial->n_frames * sizeof(float));
	}
	if (shares_buffers)
		buffers_share(take);
	if (!has_reports)
		return;
	for (uint32_t i = 0; i < unit->n_fields; i++)
		take->n_values += unit->fields[i].count;
	take->max_reports =
		unit->n_fields ? (uint32_t)(TRIAL_SECONDS / (double)unit->hop_seconds) + 16 : 1;
	take->reports = weir_reports_create(unit, trial->rate);
	take->report = calloc(take->max_reports, sizeof(*take->report));
	take->values = calloc((size_t)take->max_reports * take->n_values + 1, sizeof(float));
	CHECK(take->reports && take->report && take->values);
}

void take_finish(struct take *take)
{
	for (uint32_t i = 0; i < WEIR_MAX_PORTS; i++)
		free(take->memory[i]);
	free(take->reports);
	free(take->report);
	free(take->values);
}

static void reports_keep(struct take *take, uint32_t from)
{
	for (uint32_t i = 0; i < take->reports->n; i++) {
		const struct weir_report *report = &take->reports->report[i];
		struct weir_report *kept = &take->report[take->n_reports];

		CHECK(take->n_reports < take->max_reports);
		*kept = *report;
		kept->frame += from;
		kept->value = take->values + (size_t)take->n_reports++ * take->n_values;
		memcpy(kept->value, report->value, take->n_values * sizeof(float));
	}
}

static void block_run(struct take *take, void *state, float *control, uint32_t from, uint32_t n)
{
	const struct weir_unit *unit = take->trial->unit;
	float *port[WEIR_MAX_PORTS];

	for (uint32_t i = 0; i < unit->n_ports; i++)
		port[i] = is_audio(&unit->ports[i]) ? take->audio[i] + from : control + i;

	const double before = cpu_seconds();

	realtime_begin();
	weir_unit_run(unit, state, port, n, take->reports);
	realtime_end();
	judge_work(cpu_seconds() - before, n, take->trial->rate);
	judge_controls(unit, control);
	if (!take->reports)
		return;
	judge_reports(unit, take->reports, n, take->trial->rate);
	reports_keep(take, from);
}

/* A habit of a host: blocks of one size, or of any. */
static uint32_t block_size(struct chance *chance, uint32_t usual)
{
	static const uint32_t odd[] = { 0,   1,	  2,   3,    7,	   31,	 64,   127,  255,
					256, 257, 509, 1021, 1024, 4093, 5000, 8191, 8192 };

	return usual ? usual : CHANCE_OF(chance, odd);
}

static uint32_t usual_size(struct chance *chance)
{
	static const uint32_t usual[] = { 0, 0, 0, 0, 17, 64, 128, 256, 480, 1024, 2039, 8192 };

	return CHANCE_OF(chance, usual);
}

static void segment_begin(struct take *take, void *state, uint32_t i)
{
	const struct weir_unit *unit = take->trial->unit;
	const struct trial_segment *segment = &take->trial->segment[i];
	float *saved = take->saved[i];

	realtime_begin();
	if (unit->save_state)
		unit->save_state(state, saved);
	if (segment->resets)
		unit->reset(state);
	if (segment->restores_own)
		unit->restore_state(state, saved);
	if (segment->restores_any)
		unit->restore_state(state, segment->saved);
	realtime_end();
}

void take_run(struct take *take, const struct trial *trial, struct chance *chance, bool has_reports,
	      bool shares_buffers)
{
	void *state = trial->unit->create(trial->rate);
	uint32_t from = 0;

	CHECK(state);
	take_init(take, trial, has_reports, shares_buffers);
	for (uint32_t i = 0; i < trial->n_segments; i++) {
		const struct trial_segment *segment = &trial->segment[i];
		const uint32_t end = from + segment->n_frames, usual = usual_size(chance);

		memcpy(take->control[i], segment->control, sizeof(segment->control));
		segment_begin(take, state, i);
		while (from < end) {
			const uint32_t size = block_size(chance, usual);
			const uint32_t n = size < end - from ? size : end - from;

			block_run(take, state, take->control[i], from, n);
			from += n;
		}
	}
	trial->unit->destroy(state);
}

static void reports_compare(const struct take *a, const struct take *b)
{
	const struct weir_unit *unit = a->trial->unit;

	CHECK(a->n_reports == b->n_reports);
	for (uint32_t i = 0; i < a->n_reports; i++) {
		const float *x = a->report[i].value, *y = b->report[i].value;

		CHECK(a->report[i].frame == b->report[i].frame);
		CHECK(a->report[i].present == b->report[i].present);
		for (uint32_t f = 0; f < unit->n_fields; f++) {
			const uint32_t count = unit->fields[f].count;

			if (a->report[i].present >> f & 1)
				CHECK(memcmp(x, y, count * sizeof(float)) == 0);
			x += count;
			y += count;
		}
	}
}

void takes_compare(const struct take *a, const struct take *b)
{
	const struct trial *trial = a->trial;

	for (uint32_t i = 0; i < trial->unit->n_ports; i++)
		if (trial->unit->ports[i].type == WEIR_AUDIO_OUT)
			CHECK(memcmp(a->audio[i], b->audio[i], trial->n_frames * sizeof(float)) ==
			      0);
	CHECK(memcmp(a->control, b->control, sizeof(a->control)) == 0);
	CHECK(memcmp(a->saved, b->saved, sizeof(a->saved)) == 0);
	if (a->reports && b->reports)
		reports_compare(a, b);
}
