/* SPDX-License-Identifier: MIT */
#include "analyst.h"

#include <math.h>
#include <string.h>

#include "check.h"
#include "realtime.h"

#define CHUNK 4800

void analyst_init(struct analyst *analyst, const char *unit, uint32_t rate)
{
	static const char *const off[] = { "thirds", "features", "rhythm", "pitch", "voice" };

	memset(analyst, 0, sizeof(*analyst));
	analyst->unit = weir_unit_find(unit);
	CHECK(analyst->unit);
	analyst->state = analyst->unit->create(rate);
	analyst->reports = weir_reports_create(analyst->unit, rate);
	CHECK(analyst->state && analyst->reports);
	analyst->rate = rate;
	analyst->block = 1024;
	for (uint32_t i = 0; i < analyst->unit->n_ports; i++) {
		analyst->control[i] = analyst->unit->ports[i].def;
		analyst->n_channels += analyst->unit->ports[i].type == WEIR_AUDIO_IN;
	}
	for (uint32_t i = 0; i < analyst->unit->n_fields; i++)
		analyst->n_values += analyst->unit->fields[i].count;
	for (uint32_t c = 0; c < ANALYST_CHANNELS; c++)
		analyst->gain[c] = 1.0f;
	for (uint32_t i = 0; i < sizeof(off) / sizeof(off[0]); i++)
		*analyst_control(analyst, off[i]) = 0.0f;
}

void analyst_finish(struct analyst *analyst)
{
	analyst->unit->destroy(analyst->state);
	free(analyst->reports);
	free(analyst->values);
}

void analyst_begin(struct analyst *analyst)
{
	analyst->unit->reset(analyst->state);
	analyst->n = 0;
}

float *analyst_control(struct analyst *analyst, const char *name)
{
	uint32_t i = 0;

	while (i < analyst->unit->n_ports && strcmp(analyst->unit->ports[i].name, name) != 0)
		i++;
	CHECK(i < analyst->unit->n_ports);
	return &analyst->control[i];
}

static void keep(struct analyst *analyst, const struct weir_report *report)
{
	float *value;

	if (analyst->n == analyst->max) {
		analyst->max = 2 * analyst->max + 1024;
		analyst->values = realloc(analyst->values,
					  (size_t)analyst->max * analyst->n_values * sizeof(float));
		CHECK(analyst->values);
	}
	value = analyst->values + (size_t)analyst->n++ * analyst->n_values;
	memcpy(value, report->value, analyst->n_values * sizeof(float));
	for (uint32_t i = 0; i < analyst->unit->n_fields; i++)
		for (uint32_t k = 0; k < analyst->unit->fields[i].count; k++, value++)
			if (!(report->present >> i & 1))
				*value = NAN;
}

static void run(struct analyst *analyst, const float *const sound[], uint32_t from, uint32_t n)
{
	static float audio[2 * ANALYST_CHANNELS][WEIR_MAX_FRAMES];
	float *port[WEIR_MAX_PORTS];

	for (uint32_t i = 0; i < analyst->unit->n_ports; i++)
		port[i] = i < 2 * analyst->n_channels ? audio[i] : &analyst->control[i];
	for (uint32_t c = 0; c < analyst->n_channels; c++)
		for (uint32_t i = 0; i < n; i++)
			audio[c][i] = analyst->gain[c] * sound[c][from + i];
	realtime_begin();
	weir_unit_run(analyst->unit, analyst->state, port, n, analyst->reports);
	realtime_end();
	for (uint32_t i = 0; i < analyst->reports->n; i++)
		keep(analyst, &analyst->reports->report[i]);
}

void analyst_play_each(struct analyst *analyst, const float *const sound[], uint32_t n)
{
	for (uint32_t done = 0, part; done < n; done += part) {
		part = n - done < analyst->block ? n - done : analyst->block;
		run(analyst, sound, done, part);
	}
}

void analyst_play(struct analyst *analyst, const float *sound, uint32_t n)
{
	const float *same[ANALYST_CHANNELS];

	for (uint32_t c = 0; c < ANALYST_CHANNELS; c++)
		same[c] = sound;
	analyst_play_each(analyst, same, n);
}

static double fade(double at, double fade_seconds)
{
	return at < fade_seconds ? 0.5 - 0.5 * cos(M_PI * at / fade_seconds) : 1.0;
}

/* By rotation, begun anew for each chunk: a call of sin() for each sample would take most time. */
void analyst_tone(struct analyst *analyst, double frequency, double level_db, double seconds,
		  double fade_seconds)
{
	const uint32_t n = (uint32_t)lround(seconds * analyst->rate);
	const double step = 2.0 * M_PI * frequency / analyst->rate;
	const double amplitude = pow(10.0, level_db / 20.0), turn_re = cos(step),
		     turn_im = sin(step);
	static float sound[CHUNK];

	for (uint32_t from = 0; from < n; from += CHUNK) {
		const uint32_t end = n - from < CHUNK ? n - from : CHUNK;
		double re = amplitude * cos(step * from), im = amplitude * sin(step * from);

		for (uint32_t i = 0; i < end; i++) {
			const double at = (double)(from + i) / analyst->rate;
			const double left = (double)(n - from - i) / analyst->rate;
			const double next = re * turn_re - im * turn_im;

			sound[i] = (float)im;
			if (at < fade_seconds || left < fade_seconds)
				sound[i] *= (float)fade(fmin(at, left), fade_seconds);
			im = re * turn_im + im * turn_re;
			re = next;
		}
		analyst_play(analyst, sound, end);
	}
}

static uint32_t place_of(const struct analyst *analyst, const char *field)
{
	uint32_t place = 0, i = 0;

	while (i < analyst->unit->n_fields && strcmp(analyst->unit->fields[i].name, field) != 0)
		place += analyst->unit->fields[i++].count;
	CHECK(i < analyst->unit->n_fields);
	return place;
}

float analyst_value(const struct analyst *analyst, uint32_t report, const char *field, uint32_t i)
{
	CHECK(report < analyst->n);
	return analyst->values[(size_t)report * analyst->n_values + place_of(analyst, field) + i];
}

float analyst_last(const struct analyst *analyst, const char *field, uint32_t i)
{
	return analyst_value(analyst, analyst->n - 1, field, i);
}

/* The first report at or after this time; a hop is 10 ms. */
static uint32_t report_at(double seconds)
{
	const uint32_t i = (uint32_t)ceil(100.0 * seconds - 1e-6);

	return i > 0 ? i - 1 : 0;
}

double analyst_max(const struct analyst *analyst, const char *field, double from, double to)
{
	double most = NAN;

	for (uint32_t i = report_at(from); i < report_at(to); i++)
		most = fmax(most, (double)analyst_value(analyst, i, field, 0));
	return most;
}

double analyst_min(const struct analyst *analyst, const char *field, double from, double to)
{
	double least = NAN;

	for (uint32_t i = report_at(from); i < report_at(to); i++)
		least = fmin(least, (double)analyst_value(analyst, i, field, 0));
	return least;
}

double analyst_mean(const struct analyst *analyst, const char *field, double from, double to)
{
	const uint32_t first = report_at(from), end = report_at(to);
	double sum = 0.0;

	for (uint32_t i = first; i < end; i++)
		sum += pow(10.0, (double)analyst_value(analyst, i, field, 0) / 10.0);
	return 10.0 * log10(sum / (end - first));
}
