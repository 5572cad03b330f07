/* SPDX-License-Identifier: MIT */
#include "mics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "realtime.h"

#define MARGIN (2 * RATE) /* frames of the source before the first and after the last one */

#define SOURCE_FRAMES (MAX_FRAMES + 2 * MARGIN)

struct mics *mics_create(void)
{
	struct mics *mics = calloc(1, sizeof(*mics));

	CHECK(mics);
	mics->rate = RATE;
	mics->source = calloc(SOURCE_FRAMES, sizeof(float));
	CHECK(mics->source);
	return mics;
}

void mics_destroy(struct mics *mics)
{
	if (mics->unit)
		mics->unit->destroy(mics->state);
	free(mics->source);
	free(mics);
}

struct place later(double delay_ms)
{
	return (struct place){ .delay_ms = delay_ms, .gain = 1.0, .snr_db = QUIET_DB };
}

double random_get(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (double)(*seed >> 32) / 2147483648.0 - 1.0;
}

/*
 * Speech, as far as it matters here: noise from 150 Hz to 2 kHz, in syllables of 150 ms that are 30
 * to 150 ms apart, with a breath after every eighth.
 */
void mics_source(struct mics *mics, uint64_t seed)
{
	const uint32_t n = SOURCE_FRAMES, n_syllable = mics->rate * 3 / 20;
	const double high = 1.0 - exp(-2.0 * M_PI * 2000.0 / mics->rate);
	const double low = 1.0 - exp(-2.0 * M_PI * 150.0 / mics->rate);
	double once = 0.0, twice = 0.0, hum = 0.0, level = 0.0, sum = 0.0;

	for (uint32_t f = 0, begin = 0, end = 0, n_syllables = 0; f < n; f++) {
		if (f == end) {
			const double breath = n_syllables++ % 8 ? 0.0 : 0.4;

			level = 0.65 + 0.35 * random_get(&seed);
			begin = end;
			end += (uint32_t)((0.24 + 0.06 * random_get(&seed) + breath) * mics->rate);
		}

		const uint32_t since = f - begin;
		const double swell = since < n_syllable ? sin(M_PI * since / n_syllable) : 0.0;

		once += high * (random_get(&seed) - once);
		twice += high * (once - twice);
		hum += low * (twice - hum);
		mics->source[f] = (float)(level * swell * swell * (twice - hum));
		sum += (double)mics->source[f] * (double)mics->source[f];
	}
	for (uint32_t f = 0; f < n; f++)
		mics->source[f] *= (float)(LEVEL / sqrt(sum / n));
}

/*
 * The source between its frames: a sinc through a Blackman window of 96 taps, flat to 0.94 of half
 * the rate. Neither is taken from a table, so the place is exact.
 */
#define TAPS 96

static double source_at(const float *source, double frame)
{
	const double whole = floor(frame), fraction = frame - whole;
	const int32_t tap = MARGIN + (int32_t)whole - (TAPS / 2 - 1);
	const double turn = 2.0 * M_PI / TAPS, twice_cos = 2.0 * cos(turn);
	double t = -(TAPS / 2 - 1) - fraction, sum = 0.0;
	double here = cos(turn * t), before = cos(turn * (t - 1.0));
	double sine = sin(M_PI * t) / M_PI;

	CHECK(tap >= 0 && tap + TAPS <= SOURCE_FRAMES);
	if (fraction == 0.0)
		return (double)source[tap + TAPS / 2 - 1];
	for (int i = 0; i < TAPS; i++, t += 1.0) {
		const double window = 0.34 + 0.5 * here + 0.16 * here * here;
		const double next = twice_cos * here - before;

		sum += (double)source[tap + i] * window * sine / t;
		before = here;
		here = next;
		sine = -sine;
	}
	return sum;
}

void mics_record(struct mics *mics, uint32_t m, struct place place, uint32_t from, uint32_t to)
{
	const double delay = place.delay_ms / 1000.0 * mics->rate, drift = place.drift_ppm * 1e-6;
	const double noise_peak = LEVEL * sqrt(3.0) * pow(10.0, -place.snr_db / 20.0);
	uint64_t seed = 1000 + m;

	CHECK(to <= MAX_FRAMES);
	for (uint32_t f = from; f < to; f++) {
		mics->heard[m][f] =
			(float)(place.gain * source_at(mics->source, (f - delay) / (1.0 + drift)));
		mics->noise[m][f] = (float)(noise_peak * random_get(&seed));
		mics->mic[m][f] = mics->heard[m][f] + mics->noise[m][f];
	}
}

void mics_unit(struct mics *mics, const char *name)
{
	if (mics->unit)
		mics->unit->destroy(mics->state);
	mics->unit = weir_unit_find(name);
	CHECK(mics->unit);
	mics->state = mics->unit->create(mics->rate);
	CHECK(mics->state);
	mics->next_frame = 0;
	for (uint32_t i = 0; i < mics->unit->n_ports; i++)
		mics->control[i] = mics->unit->ports[i].def;
}

void mics_scene(struct mics *mics, struct place second, uint32_t seconds)
{
	mics_source(mics, 1);
	mics_record(mics, 0, later(0.0), 0, seconds * mics->rate);
	mics_record(mics, 1, second, 0, seconds * mics->rate);
	mics_unit(mics, "align");
}

uint32_t mics_port(const struct mics *mics, const char *name)
{
	uint32_t i = 0;

	while (i < mics->unit->n_ports && strcmp(mics->unit->ports[i].name, name) != 0)
		i++;
	CHECK(i < mics->unit->n_ports);
	return i;
}

double mics_get(const struct mics *mics, const char *name)
{
	return (double)mics->control[mics_port(mics, name)];
}

void mics_set(struct mics *mics, const char *name, double value)
{
	mics->control[mics_port(mics, name)] = (float)value;
}

double mics_choice(const struct mics *mics, const char *name, const char *its_name)
{
	const struct weir_port *port = &mics->unit->ports[mics_port(mics, name)];
	int i = 0;

	while (i < (int)port->max && strcmp(port->choices[i], its_name) != 0)
		i++;
	CHECK(strcmp(port->choices[i], its_name) == 0);
	return i;
}

/* What finds and follows is at work here, and may not allocate either. */
void mics_run(struct mics *mics, uint32_t to)
{
	float *port[WEIR_MAX_PORTS];

	CHECK(to <= MAX_FRAMES);
	while (mics->next_frame < to) {
		const uint32_t left = to - mics->next_frame, n = left < BLOCK ? left : BLOCK;

		for (uint32_t i = 0; i < mics->unit->n_ports; i++)
			port[i] = &mics->control[i];
		for (uint32_t m = 0; mics->unit->ports[m].type == WEIR_AUDIO_IN; m++)
			port[m] = mics->mic[m] + mics->next_frame;
		port[mics_port(mics, "out")] = mics->output + mics->next_frame;
		realtime_begin();
		weir_unit_run(mics->unit, mics->state, port, n, NULL);
		realtime_end();
		mics->next_frame += n;
	}
}

bool is_near(double value, double wanted, double tolerance)
{
	return fabs(value - wanted) <= tolerance;
}

void mics_run_until_found(struct mics *mics, uint32_t to, double delay_ms)
{
	mics_run(mics, to);
	CHECK(mics_get(mics, "locked") == 1.0);
	CHECK(is_near(mics_get(mics, "delay_ms"), delay_ms, EXACT_MS));
}

void mics_run_while_not_found(struct mics *mics, uint32_t to)
{
	while (mics->next_frame < to) {
		mics_run(mics, mics->next_frame + RATE / 10);
		CHECK(mics_get(mics, "locked") == 0.0);
	}
}
