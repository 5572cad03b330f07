/* SPDX-License-Identifier: MIT */
#include "sounds.h"

#include <stdlib.h>
#include <string.h>

#include "tests/check.h"

#define MAX_PARTS 3
#define MAX_TONES 6

/* A sound is added to n frames of x, with its peak near 1. */
typedef void fill_sound(struct chance *chance, double *x, uint32_t n, double rate);

/* Round frequencies, those of the edges, and any. */
static double frequency(struct chance *chance, double rate)
{
	static const double round[] = { 50.0, 100.0, 440.0, 500.0, 800.0, 1000.0, 1200.0, 3000.0 };

	switch (chance_below(chance, 8)) {
	case 0:
		return 0.5 * rate;
	case 1:
		return rate / (double)(2 + chance_below(chance, 64));
	case 2:
		return chance_log(chance, 0.1, 20.0);
	case 3:
	case 4:
		return fmin(CHANCE_OF(chance, round), 0.5 * rate);
	default:
		return chance_log(chance, 20.0, 0.5 * rate);
	}
}

static void add_tone(double *x, uint32_t n, double hz, double rate, double phase, double level)
{
	const double step = 2.0 * M_PI * hz / rate, turn_re = cos(step), turn_im = sin(step);
	double re = level * cos(phase), im = level * sin(phase);

	for (uint32_t i = 0; i < n; i++) {
		const double last = re;

		x[i] += im;
		re = re * turn_re - im * turn_im;
		im = im * turn_re + last * turn_im;
	}
}

static void fill_tone(struct chance *chance, double *x, uint32_t n, double rate)
{
	const double hz = frequency(chance, rate);

	add_tone(x, n, hz, rate, chance_below(chance, 4) * M_PI / 2.0, 1.0);
}

static void fill_tones(struct chance *chance, double *x, uint32_t n, double rate)
{
	const uint32_t n_tones = 2 + chance_below(chance, MAX_TONES - 1);

	for (uint32_t i = 0; i < n_tones; i++) {
		const double hz = frequency(chance, rate);
		const double phase = chance_between(chance, 0.0, 2.0 * M_PI);

		add_tone(x, n, hz, rate, phase, chance_log(chance, 1e-4, 1.0) / n_tones);
	}
}

/* Down to denormals and zero, one decay or several. */
static void fill_decay(struct chance *chance, double *x, uint32_t n, double rate)
{
	const double keep = exp(-1.0 / (chance_log(chance, 0.0003, 0.3) * rate));
	const uint32_t period =
		chance_one_in(chance, 2) ? n : (uint32_t)(chance_log(chance, 0.01, 1.0) * rate) + 1;
	double level = 1.0;

	fill_tone(chance, x, n, rate);
	for (uint32_t i = 0; i < n; i++) {
		level = i % period == 0 ? 1.0 : level * keep;
		x[i] *= level;
	}
}

/* A pulse train through a resonance: a voice that is never out of breath. */
static void fill_voice(struct chance *chance, double *x, uint32_t n, double rate)
{
	const double pitch = chance_log(chance, 60.0, 500.0), radius = exp(-M_PI * 120.0 / rate);
	const double formant = fmin(chance_log(chance, 300.0, 3000.0), 0.45 * rate);
	const double feedback = 2.0 * radius * cos(2.0 * M_PI * formant / rate);
	double phase = 0.0, y1 = 0.0, y2 = 0.0;

	for (uint32_t i = 0; i < n; i++) {
		const double y = (phase >= 1.0 ? 0.5 : 0.0) + feedback * y1 - radius * radius * y2;

		phase += pitch / rate - (phase >= 1.0);
		y2 = y1;
		y1 = y;
		x[i] += y;
	}
}

static void fill_noise(struct chance *chance, double *x, uint32_t n, double rate)
{
	(void)rate;
	for (uint32_t i = 0; i < n; i++)
		x[i] += chance_between(chance, -1.0, 1.0);
}

static void fill_low_noise(struct chance *chance, double *x, uint32_t n, double rate)
{
	const double share = 1.0 - exp(-2.0 * M_PI * chance_log(chance, 5.0, 2000.0) / rate);
	double y = 0.0;

	for (uint32_t i = 0; i < n; i++) {
		y += share * (chance_between(chance, -1.0, 1.0) - y);
		x[i] += y / sqrt(share);
	}
}

static void fill_constant(struct chance *chance, double *x, uint32_t n, double rate)
{
	const double level = chance_one_in(chance, 2) ? 1.0 : -1.0;

	(void)rate;
	for (uint32_t i = 0; i < n; i++)
		x[i] += level;
}

static void fill_click(struct chance *chance, double *x, uint32_t n, double rate)
{
	const uint32_t at = chance_below(chance, n);

	(void)rate;
	x[at] += chance_one_in(chance, 2) ? 1.0 : -1.0;
}

static void fill_clicks(struct chance *chance, double *x, uint32_t n, double rate)
{
	const uint32_t period = (uint32_t)(chance_log(chance, 0.001, 0.5) * rate) + 1;

	for (uint32_t i = chance_below(chance, period); i < n; i += period)
		x[i] += 1.0;
}

static void fill_square(struct chance *chance, double *x, uint32_t n, double rate)
{
	const double step = frequency(chance, rate) / rate;

	for (uint32_t i = 0; i < n; i++)
		x[i] += fmod(i * step, 1.0) < 0.5 ? 1.0 : -1.0;
}

static void fill_sawtooth(struct chance *chance, double *x, uint32_t n, double rate)
{
	const double step = frequency(chance, rate) / rate;

	for (uint32_t i = 0; i < n; i++)
		x[i] += 2.0 * fmod(i * step, 1.0) - 1.0;
}

static void fill_steps(struct chance *chance, double *x, uint32_t n, double rate)
{
	const uint32_t length = (uint32_t)(chance_log(chance, 0.001, 0.5) * rate) + 1;
	double level = 0.0;

	for (uint32_t i = 0; i < n; i++) {
		if (i % length == 0)
			level = chance_between(chance, -1.0, 1.0);
		x[i] += level;
	}
}

static void fill_sweep(struct chance *chance, double *x, uint32_t n, double rate)
{
	const double from = frequency(chance, rate) / rate, to = frequency(chance, rate) / rate;
	double phase = 0.0;

	for (uint32_t i = 0; i < n; i++) {
		x[i] += sin(2.0 * M_PI * phase);
		phase += from * pow(to / from, (double)i / n);
		phase -= floor(phase);
	}
}

static void fill_beating(struct chance *chance, double *x, uint32_t n, double rate)
{
	const double hz = chance_log(chance, 0.5, 50.0);

	fill_tone(chance, x, n, rate);
	for (uint32_t i = 0; i < n; i++)
		x[i] *= 0.5 + 0.5 * sin(2.0 * M_PI * hz * i / rate);
}

static fill_sound *const sounds[] = {
	fill_tone,     fill_tones, fill_decay,	fill_voice,    fill_noise, fill_low_noise,
	fill_constant, fill_click, fill_clicks, fill_square,   fill_steps, fill_sweep,
	fill_beating,  fill_voice, fill_decay,	fill_sawtooth,
};

/* Words, with nothing at all between them; hard edges, or soft ones of 5 ms. */
static void gate(struct chance *chance, double *x, uint32_t n, double rate)
{
	const double fade = chance_one_in(chance, 2) ? 0.0 : 0.005 * rate;
	const double leak = chance_one_in(chance, 3) ? 1e-4 : 0.0;
	bool is_open = chance_one_in(chance, 2);

	for (uint32_t from = 0, length; from < n; from += length, is_open = !is_open) {
		length = (uint32_t)(chance_log(chance, 0.02, 1.0) * rate) + 1;
		for (uint32_t i = from; i < from + length && i < n; i++) {
			const double edge = fmin(i - from + 1.0, from + length - i);

			x[i] *= is_open ? fmin(1.0, edge / (fade + 1.0)) : leak;
		}
	}
}

/* From a frame on, or up to it, nothing. */
static void cut(struct chance *chance, double *x, uint32_t n)
{
	const uint32_t at = chance_below(chance, n);

	if (chance_one_in(chance, 2))
		memset(x, 0, at * sizeof(*x));
	else
		memset(x + at, 0, (n - at) * sizeof(*x));
}

static void spoil(struct chance *chance, float *x, uint32_t n)
{
	static const float bad[] = { NAN,    -NAN,    INFINITY, -INFINITY, 1e30f,  -1e30f,
				     1e-40f, -1e-45f, 1000.0f,	-1000.0f,  1001.0f };
	const uint32_t n_bad = (uint32_t)chance_log(chance, 1.0, 1000.0);
	const uint32_t from = chance_below(chance, n);
	const bool is_run = chance_one_in(chance, 2);
	const float value = CHANCE_OF(chance, bad);

	for (uint32_t i = 0; i < n_bad; i++) {
		const uint32_t at = is_run ? (from + i) % n : chance_below(chance, n);

		x[at] = is_run ? value : CHANCE_OF(chance, bad);
	}
}

/* Mostly what is usual, sometimes next to nothing, or all that is allowed. */
static double level(struct chance *chance)
{
	switch (chance_below(chance, 8)) {
	case 0:
		return chance_log(chance, 1e-40, 1e-5);
	case 1:
		return chance_log(chance, 1.0, 1000.0);
	case 2:
	case 3:
		return 1.0;
	default:
		return chance_log(chance, 1e-5, 1.0);
	}
}

static void fill_own(struct chance *chance, float *to, uint32_t n, uint32_t rate, double *part)
{
	const uint32_t n_parts =
		chance_one_in(chance, 12) ? 0 : 1 + chance_below(chance, MAX_PARTS);

	memset(to, 0, n * sizeof(*to));
	for (uint32_t i = 0; i < n_parts; i++) {
		const double gain = level(chance);

		memset(part, 0, n * sizeof(*part));
		CHANCE_OF(chance, sounds)(chance, part, n, rate);
		if (chance_one_in(chance, 2))
			gate(chance, part, n, rate);
		if (chance_one_in(chance, 3))
			cut(chance, part, n);
		for (uint32_t f = 0; f < n; f++)
			to[f] += (float)(gain * part[f]);
	}
}

/* As a second microphone has it, or the other channel of a record. */
static void fill_copy(struct chance *chance, float *to, const float *from, uint32_t n,
		      uint32_t rate)
{
	const double sign = chance_one_in(chance, 3) ? -1.0 : 1.0;
	const double gain =
		sign * (chance_one_in(chance, 2) ? 1.0 : chance_log(chance, 1e-6, 100.0));
	const double noise = chance_one_in(chance, 3) ? chance_log(chance, 1e-8, 1.0) : 0.0;
	const uint32_t most = (uint32_t)(chance_log(chance, 1e-4, 1.0) * rate);
	const uint32_t delay = chance_one_in(chance, 3) ? 0 : chance_below(chance, most + 1);

	for (uint32_t i = 0; i < n; i++) {
		to[i] = i < delay ? 0.0f : (float)(gain * (double)from[i - delay]);
		if (noise > 0.0)
			to[i] += (float)(noise * chance_between(chance, -1.0, 1.0));
	}
}

void sounds_fill(struct chance *chance, float *const channel[], uint32_t n_channels, uint32_t n,
		 uint32_t rate)
{
	double *part = malloc(n * sizeof(*part));

	CHECK(part);
	for (uint32_t c = 0; c < n_channels; c++) {
		if (c == 0 || chance_one_in(chance, 4))
			fill_own(chance, channel[c], n, rate, part);
		else
			fill_copy(chance, channel[c], channel[chance_below(chance, c)], n, rate);
		if (chance_one_in(chance, 8))
			spoil(chance, channel[c], n);
	}
	free(part);
}
