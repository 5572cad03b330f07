/* SPDX-License-Identifier: MIT */
#include "judge.h"

#include <stdlib.h>
#include <string.h>

#include "tests/check.h"

/*
 * What a field may be. Levels reach from the least one told, -200 dB, to +63 dB of samples at
 * WEIR_MAX_SAMPLE, and have the calibration of up to 200 dB added; a true peak, 10 dB more.
 */
struct range {
	const char *name; /* or its beginning, before a number */
	float min, max;
	bool is_whole;
	bool may_be_nan; /* not known: null where it is printed */
};

static const struct range ranges[] = {
	{ "peak", -300.0f, 270.0f, false, false },
	{ "peak_max", -300.0f, 270.0f, false, false },
	{ "tp", -300.0f, 280.0f, false, false },
	{ "tp_max", -300.0f, 280.0f, false, false },
	{ "rms", -300.0f, 270.0f, false, false },
	{ "crest", -0.01f, 100.0f, false, false },
	{ "laf", -300.0f, 270.0f, false, false },
	{ "las", -300.0f, 270.0f, false, false },
	{ "lcf", -300.0f, 270.0f, false, false },
	{ "lcs", -300.0f, 270.0f, false, false },
	{ "lzf", -300.0f, 270.0f, false, false },
	{ "lzs", -300.0f, 270.0f, false, false },
	{ "laf_max", -300.0f, 270.0f, false, false },
	{ "las_max", -300.0f, 270.0f, false, false },
	{ "lcf_max", -300.0f, 270.0f, false, false },
	{ "lcs_max", -300.0f, 270.0f, false, false },
	{ "lzf_max", -300.0f, 270.0f, false, false },
	{ "lzs_max", -300.0f, 270.0f, false, false },
	{ "clips", 0.0f, 1e6f, true, false },
	{ "m", -300.0f, 80.0f, false, false },
	{ "s", -300.0f, 80.0f, false, false },
	{ "i", -300.0f, 80.0f, false, false },
	{ "lra", 0.0f, 200.0f, false, false },
	{ "m_max", -300.0f, 80.0f, false, false },
	{ "s_max", -300.0f, 80.0f, false, false },
	{ "oct3", -300.0f, 270.0f, false, false },
	{ "zcr", 0.0f, 1.0f, false, false },
	{ "energy", 0.0f, 1e6f, false, false },
	{ "energy_entropy", 0.0f, 4.0f, false, false },
	{ "centroid", 0.0f, 1.0f, false, false },
	{ "spread", 0.0f, 1.0f, false, false },
	{ "entropy", 0.0f, 4.0f, false, false },
	{ "flux", 0.0f, 2.0f, false, false },
	{ "rolloff", 0.0f, 1.0f, false, false },
	{ "flatness", 0.0f, 1.0f, false, false },
	{ "mfcc", -1e3f, 1e3f, false, false },
	{ "chroma", 0.0f, 1.0f, false, false },
	{ "bpm", 0.0f, 400.0f, false, false },
	{ "bpm_conf", 0.0f, 1.0f, false, false },
	{ "f0", 0.0f, 5000.0f, false, false },
	{ "f0_conf", 0.0f, 1.0f, false, false },
	{ "vad", 0.0f, 1.0f, false, false },
	{ "semitones", -24.0f, 24.0f, false, false },
	{ "delay_s", -1.5f, 1.5f, false, true },
	{ "sro_ppm", -1600.0f, 1600.0f, false, true },
	{ "locked", 0.0f, 1.0f, true, false },
	{ "confidence", 0.0f, 1.0f, false, false },
	{ "polarity", -1.0f, 1.0f, true, false },
	{ "state", 0.0f, 3.0f, true, false },
	{ "weight#", -100.0f, 100.0f, false, false },
	{ "snr#", -20.0f, 60.0f, false, false },
};

#define EVENT_SECONDS 3.0f /* by which an event precedes its report, at most */

static const struct range event_range = { "an event", 0.0f, EVENT_SECONDS, false, false };

/* '#' stands for digits. */
static bool is_name(const char *pattern, const char *name)
{
	const size_t n = strcspn(pattern, "#");

	if (!pattern[n])
		return strcmp(pattern, name) == 0;
	return strncmp(pattern, name, n) == 0 && name[n] &&
	       name[n + strspn(name + n, "0123456789")] == '\0';
}

static const struct range *range_of(const struct weir_field *field)
{
	if (field->event)
		return &event_range;
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (is_name(ranges[i].name, field->name))
			return &ranges[i];
	fprintf(stderr, "the field %s needs a range in %s\n", field->name, __FILE__);
	exit(EXIT_FAILURE);
}

static bool is_in_range(const struct range *range, float value)
{
	if (isnan(value))
		return range->may_be_nan;
	return value >= range->min && value <= range->max &&
	       (!range->is_whole || value == floorf(value));
}

static void judge_report(const struct weir_unit *unit, const struct weir_report *report)
{
	const float *value = report->value;

	CHECK(unit->n_fields == 64 || report->present >> unit->n_fields == 0);
	for (uint32_t i = 0; i < unit->n_fields; value += unit->fields[i++].count) {
		if (!(report->present >> i & 1))
			continue;
		for (uint32_t j = 0; j < unit->fields[i].count; j++) {
			if (is_in_range(range_of(&unit->fields[i]), value[j]))
				continue;
			fprintf(stderr, "field %s[%u] is %g\n", unit->fields[i].name, j,
				(double)value[j]);
			exit(EXIT_FAILURE);
		}
	}
}

void judge_reports(const struct weir_unit *unit, const struct weir_reports *reports,
		   uint32_t n_frames, uint32_t rate)
{
	const double hop = (double)(unit->hop_seconds * (float)rate);

	CHECK(reports->n <= reports->max);
	CHECK(reports->n <= n_frames / (0.99 * hop) + 1.0);
	for (uint32_t i = 0; i < reports->n; i++) {
		CHECK(reports->report[i].frame < n_frames);
		CHECK(i == 0 || reports->report[i].frame > reports->report[i - 1].frame);
		judge_report(unit, &reports->report[i]);
	}
}

void judge_controls(const struct weir_unit *unit, const float *control)
{
	for (uint32_t i = 0; i < unit->n_ports; i++) {
		const struct weir_port *port = &unit->ports[i];
		const struct range range = { port->name, port->min, port->max,
					     port->kind != WEIR_FLOAT, false };

		if (port->type != WEIR_CONTROL_OUT || is_in_range(&range, control[i]))
			continue;
		fprintf(stderr, "control %s is %g\n", port->name, (double)control[i]);
		exit(EXIT_FAILURE);
	}
}

/* Sanitizers and slow machines take ten times as long as they need; a loop without end, longer. */
void judge_work(double seconds, uint32_t n_frames, uint32_t rate)
{
	CHECK(seconds <= 0.25 + 5.0 * n_frames / rate);
}

#define WINDOW_SECONDS 0.05
#define WINDOW_STEPS 8 /* by which windows follow each other, per window */
#define MAX_LOUDER_DB 12.0
#define MAX_LOUDER_DB_PITCH 6.0 /* dsp/pitch/pitch.h */
#define MIN_LOUDNESS 1e-12	/* -120 dB */

static double square(float sample)
{
	return fabsf(sample) <= WEIR_MAX_SAMPLE ? (double)sample * (double)sample : 0.0;
}

/* Of a ring of steps. */
static double mean_square(const double *step, uint32_t step_frames)
{
	double sum = 0.0;

	for (uint32_t i = 0; i < WINDOW_STEPS; i++)
		sum += step[i];
	return sum / (WINDOW_STEPS * (double)step_frames);
}

/*
 * Raises loudest[i] to the loudest window of the sound that ends up to the end of step i, wherever
 * it begins: two clicks may be in one window, and in none that begins with a step.
 */
static void loudest_raise(double *loudest, const float *sound, uint32_t n_steps,
			  uint32_t step_frames)
{
	const uint32_t window = WINDOW_STEPS * step_frames;
	double sum = 0.0, most = MIN_LOUDNESS;

	for (uint32_t f = 0; f < n_steps * step_frames; f++) {
		sum += square(sound[f]);
		if (f >= window)
			sum -= square(sound[f - window]);
		most = fmax(most, sum / window);
		loudest[f / step_frames] = fmax(loudest[f / step_frames], most);
	}
}

static double max_louder(const struct weir_unit *unit)
{
	const bool is_pitch = strncmp(unit->name, "pitch", strlen("pitch")) == 0;

	return pow(10.0, 0.1 * (is_pitch ? MAX_LOUDER_DB_PITCH : MAX_LOUDER_DB));
}

static void judge_output(const char *name, const float *sound, const double *loudest,
			 uint32_t n_steps, uint32_t step_frames, double most)
{
	double step[WINDOW_STEPS] = { 0.0 };

	for (uint32_t i = 0; i < n_steps; i++, sound += step_frames) {
		double *sum = &step[i % WINDOW_STEPS];

		*sum = 0.0;
		for (uint32_t f = 0; f < step_frames; f++)
			*sum += (double)sound[f] * (double)sound[f];
		if (mean_square(step, step_frames) <= most * loudest[i])
			continue;
		fprintf(stderr, "output %s is %.1f dB louder than the input up to frame %u\n", name,
			10.0 * log10(mean_square(step, step_frames) / loudest[i]),
			(i + 1) * step_frames);
		exit(EXIT_FAILURE);
	}
}

static void judge_finite(const char *name, const float *sound, uint32_t n_frames)
{
	for (uint32_t f = 0; f < n_frames; f++) {
		if (isfinite(sound[f]))
			continue;
		fprintf(stderr, "output %s is %g in frame %u\n", name, (double)sound[f], f);
		exit(EXIT_FAILURE);
	}
}

void judge_sound(const struct trial *trial, float *const audio[])
{
	const uint32_t step_frames = (uint32_t)(WINDOW_SECONDS / WINDOW_STEPS * trial->rate);
	const uint32_t n_steps = trial->n_frames / step_frames;
	double *loudest = calloc(n_steps, sizeof(*loudest));

	CHECK(loudest);
	for (uint32_t i = 0; i < trial->unit->n_ports; i++)
		if (trial->unit->ports[i].type == WEIR_AUDIO_IN)
			loudest_raise(loudest, trial->input[i], n_steps, step_frames);
	for (uint32_t i = 0; i < trial->unit->n_ports; i++) {
		if (trial->unit->ports[i].type != WEIR_AUDIO_OUT)
			continue;
		judge_finite(trial->unit->ports[i].name, audio[i], trial->n_frames);
		judge_output(trial->unit->ports[i].name, audio[i], loudest, n_steps, step_frames,
			     max_louder(trial->unit));
	}
	free(loudest);
}
