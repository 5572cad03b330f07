/* SPDX-License-Identifier: MIT */
#include "mics.h"

#include <math.h>
#include <string.h>

#include "check.h"
#include "realtime.h"

#define MARGIN (2 * RATE) /* frames of the source before the first and after the last one */

uint32_t rate = RATE;
static float source[MAX_FRAMES + 2 * MARGIN];

float heard[MAX_MICS][MAX_FRAMES], noise[MAX_MICS][MAX_FRAMES], mic[MAX_MICS][MAX_FRAMES];
float output[MAX_FRAMES];

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
void source_fill(uint64_t seed)
{
	const uint32_t n = MAX_FRAMES + 2 * MARGIN, n_syllable = rate * 3 / 20;
	const double high = 1.0 - exp(-2.0 * M_PI * 2000.0 / rate);
	const double low = 1.0 - exp(-2.0 * M_PI * 150.0 / rate);
	double once = 0.0, twice = 0.0, hum = 0.0, level = 0.0, sum = 0.0;

	for (uint32_t f = 0, begin = 0, end = 0, n_syllables = 0; f < n; f++) {
		if (f == end) {
			const double breath = n_syllables++ % 8 ? 0.0 : 0.4;

			level = 0.65 + 0.35 * random_get(&seed);
			begin = end;
			end += (uint32_t)((0.24 + 0.06 * random_get(&seed) + breath) * rate);
		}

		const uint32_t since = f - begin;
		const double swell = since < n_syllable ? sin(M_PI * since / n_syllable) : 0.0;

		once += high * (random_get(&seed) - once);
		twice += high * (once - twice);
		hum += low * (twice - hum);
		source[f] = (float)(level * swell * swell * (twice - hum));
		sum += (double)source[f] * (double)source[f];
	}
	for (uint32_t f = 0; f < n; f++)
		source[f] *= (float)(LEVEL / sqrt(sum / n));
}

/*
 * The source between its frames: a sinc through a Blackman window of 96 taps, flat to 0.94 of half
 * the rate. Neither is taken from a table, so the place is exact.
 */
#define TAPS 96

static double source_at(double frame)
{
	const double whole = floor(frame), fraction = frame - whole;
	const int32_t tap = MARGIN + (int32_t)whole - (TAPS / 2 - 1);
	const double turn = 2.0 * M_PI / TAPS, twice_cos = 2.0 * cos(turn);
	double t = -(TAPS / 2 - 1) - fraction, sum = 0.0;
	double here = cos(turn * t), before = cos(turn * (t - 1.0));
	double sine = sin(M_PI * t) / M_PI;

	CHECK(tap >= 0 && tap + TAPS <= MAX_FRAMES + 2 * MARGIN);
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

void mic_hear(uint32_t m, struct place place, uint32_t from, uint32_t to)
{
	const double delay = place.delay_ms / 1000.0 * rate, drift = place.drift_ppm * 1e-6;
	const double noise_peak = LEVEL * sqrt(3.0) * pow(10.0, -place.snr_db / 20.0);
	uint64_t seed = 1000 + m;

	CHECK(to <= MAX_FRAMES);
	for (uint32_t f = from; f < to; f++) {
		heard[m][f] = (float)(place.gain * source_at((f - delay) / (1.0 + drift)));
		noise[m][f] = (float)(noise_peak * random_get(&seed));
		mic[m][f] = heard[m][f] + noise[m][f];
	}
}

const struct weir_unit *unit;
void *state;
uint32_t next_frame;
static float control[WEIR_MAX_PORTS];

void unit_begin(const char *name)
{
	if (unit)
		unit->destroy(state);
	unit = weir_unit_find(name);
	CHECK(unit);
	state = unit->create(rate);
	CHECK(state);
	next_frame = 0;
	for (uint32_t i = 0; i < unit->n_ports; i++)
		control[i] = unit->ports[i].def;
}

void scene_begin(struct place second, uint32_t seconds)
{
	source_fill(1);
	mic_hear(0, later(0.0), 0, seconds * rate);
	mic_hear(1, second, 0, seconds * rate);
	unit_begin("align");
}

uint32_t port_named(const char *name)
{
	uint32_t i = 0;

	while (i < unit->n_ports && strcmp(unit->ports[i].name, name) != 0)
		i++;
	CHECK(i < unit->n_ports);
	return i;
}

double get(const char *name)
{
	return (double)control[port_named(name)];
}

void set(const char *name, double value)
{
	control[port_named(name)] = (float)value;
}

double choice(const char *name, const char *its_name)
{
	const struct weir_port *port = &unit->ports[port_named(name)];
	int i = 0;

	while (i < (int)port->max && strcmp(port->choices[i], its_name) != 0)
		i++;
	CHECK(strcmp(port->choices[i], its_name) == 0);
	return i;
}

/* What finds and follows is at work here, and may not allocate either. */
void run(uint32_t to)
{
	float *port[WEIR_MAX_PORTS];

	CHECK(to <= MAX_FRAMES);
	while (next_frame < to) {
		const uint32_t left = to - next_frame, n = left < BLOCK ? left : BLOCK;

		for (uint32_t i = 0; i < unit->n_ports; i++)
			port[i] = &control[i];
		for (uint32_t m = 0; unit->ports[m].type == WEIR_AUDIO_IN; m++)
			port[m] = mic[m] + next_frame;
		port[port_named("out")] = output + next_frame;
		realtime_begin();
		weir_unit_run(unit, state, port, n, NULL);
		realtime_end();
		next_frame += n;
	}
}

bool is_near(double value, double wanted, double tolerance)
{
	return fabs(value - wanted) <= tolerance;
}

void run_until_found(uint32_t to, double delay_ms)
{
	run(to);
	CHECK(get("locked") == 1.0);
	CHECK(is_near(get("delay-ms"), delay_ms, EXACT_MS));
}

void run_while_not_found(uint32_t to)
{
	while (next_frame < to) {
		run(next_frame + RATE / 10);
		CHECK(get("locked") == 0.0);
	}
}
