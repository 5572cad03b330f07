/* SPDX-License-Identifier: MIT */

/* What dsp/analyze/f0.h promises, as a host sees it. */

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "check.h"
#include "hearing.h"

#define MAX_RATE 192000
#define MAX_SECONDS 2
#define MAX_REPORTS (MAX_SECONDS * 100)
#define TONE_SECONDS 0.3
#define HARMONICS 20
#define HIGHEST_HZ 9000.0

enum kind {
	SAWTOOTH,
	ODD,	 /* harmonics only */
	MISSING, /* the fundamental is */
	VOWEL,
	N_KINDS,
};

static const uint32_t rates[] = { 44100, 48000, 96000, 192000 };
static const double tone_hz[] = { 60.0, 87.3, 130.8, 196.0, 277.2, 392.0, 659.3, 960.0 };

#define N_RATES (sizeof(rates) / sizeof(rates[0]))
#define N_TONES (sizeof(tone_hz) / sizeof(tone_hz[0]))

static float input[MAX_RATE * MAX_SECONDS];
static float heard[MAX_REPORTS][2]; /* frequency, confidence */

static double harmonic_level(enum kind kind, int harmonic, double hz)
{
	switch (kind) {
	case ODD:
		return harmonic % 2 ? 1.0 / harmonic : 0.0;
	case MISSING:
		return harmonic > 1 ? 1.0 / harmonic : 0.0;
	case VOWEL:
		return exp(-pow((hz - 600.0) / 250.0, 2.0)) +
		       0.5 * exp(-pow((hz - 1200.0) / 300.0, 2.0)) + 0.02;
	default:
		return 1.0 / harmonic;
	}
}

static void noise_add(uint32_t n, double level)
{
	uint32_t seed = 7;

	for (uint32_t f = 0; f < n; f++) {
		seed = seed * 1664525u + 1013904223u;
		input[f] += (float)(level * ((double)seed / 2147483648.0 - 1.0));
	}
}

/* Adds a harmonic by turning a pointer: sines would take most of the test's time. */
static void harmonic_add(uint32_t rate, uint32_t n, double hz, double level, double phase)
{
	const double turn = 2.0 * M_PI * hz / rate, c = cos(turn), s = sin(turn);
	double x = level * cos(phase), y = level * sin(phase);

	for (uint32_t f = 0; f < n; f++) {
		const double turned = x * c - y * s;

		y = x * s + y * c;
		x = turned;
		input[f] += (float)y;
	}
}

/* Returns the frames; its power is that of noise of level 1 times noise_ratio. */
static uint32_t tone_fill(uint32_t rate, enum kind kind, double hz, double noise_ratio)
{
	const uint32_t n = (uint32_t)(rate * TONE_SECONDS);
	double power = 0.0;

	memset(input, 0, n * sizeof(float));
	for (int h = 1; h <= HARMONICS && h * hz < HIGHEST_HZ; h++) {
		const double level = 0.15 * harmonic_level(kind, h, h * hz);

		harmonic_add(rate, n, h * hz, level, h * h);
		power += level * level / 2.0;
	}
	noise_add(n, sqrt(3.0 * power * noise_ratio));
	return n;
}

static uint32_t hear(uint32_t rate, uint32_t n)
{
	const struct hearing hearing = {
		.rate = rate, .block = 256, .group = "pitch", .field = "f0", .n_values = 2
	};

	CHECK(n <= rate * MAX_SECONDS);
	return hearing_run(&hearing, input, n, heard[0]);
}

static double cents(double hz, double right_hz)
{
	return 1200.0 * log2(hz / right_hz);
}

/* The share of reports from 0.1 s on that name a pitch; it must be the right one. */
static double share_right(uint32_t n_reports, double hz, double tolerance_cents)
{
	uint32_t n = 0;

	CHECK(n_reports > 10);
	for (uint32_t i = 10; i < n_reports; i++) {
		if (heard[i][0] == 0.0f)
			continue;
		CHECK(fabs(cents((double)heard[i][0], hz)) < tolerance_cents);
		CHECK(heard[i][1] > 0.0f && heard[i][1] <= 1.0f);
		n++;
	}
	return (double)n / (n_reports - 10);
}

/* noise_ratio: its power over that of the tones. */
static void check_tones(uint32_t rate, enum kind kind, double noise_ratio, double tolerance_cents,
			double least_share)
{
	for (uint32_t t = 0; t < N_TONES; t++) {
		if (kind == VOWEL && tone_hz[t] > 450.0)
			continue;

		const uint32_t n = tone_fill(rate, kind, tone_hz[t], noise_ratio);

		CHECK(share_right(hear(rate, n), tone_hz[t], tolerance_cents) >= least_share);
		CHECK(noise_ratio > 0.0 || heard[20][1] > 0.95f);
	}
}

static void test_tones_have_their_pitch_at_every_rate(void)
{
	for (uint32_t r = 0; r < N_RATES; r++)
		for (int kind = 0; kind < N_KINDS; kind++)
			check_tones(rates[r], kind, 0.0, 5.0, 1.0);
}

static void test_the_range_is_50_to_2000_hz(void)
{
	static const double sine_hz[] = { 51.0, 330.0, 1250.0, 1950.0 };

	for (uint32_t i = 0; i < sizeof(sine_hz) / sizeof(sine_hz[0]); i++) {
		memset(input, 0, 48000 * sizeof(float));
		harmonic_add(48000, 24000, sine_hz[i], 0.001, 1.0);
		CHECK(share_right(hear(48000, 24000), sine_hz[i], 5.0) == 1.0);
	}
}

/* At 10 dB below the tone, white up to 24 kHz. A quarter of a semitone is what a singer hears. */
static void test_noise_does_not_change_the_octave(void)
{
	for (int kind = 0; kind < N_KINDS; kind++)
		check_tones(48000, kind, 0.1, 25.0, 0.8);
}

/* A sawtooth whose pitch is a function of time; returns the frames. */
static uint32_t course_fill(double seconds, double (*course_hz)(double seconds))
{
	const uint32_t n = (uint32_t)(48000 * seconds);
	double phase = 0.0;

	for (uint32_t f = 0; f < n; f++) {
		phase += 2.0 * M_PI * course_hz(f / 48000.0) / 48000.0;
		input[f] = 0.0f;
		for (int h = 1; h <= 8; h++)
			input[f] += (float)(0.15 * sin(h * phase) / h);
	}
	return n;
}

static double glide_hz(double seconds)
{
	return 80.0 * pow(10.0, seconds);
}

static void test_a_glide_lags_less_than_45_ms(void)
{
	const uint32_t n_reports = hear(48000, course_fill(1.0, glide_hz));

	CHECK(n_reports == 100);
	for (uint32_t i = 10; i < n_reports; i++) {
		const double lag = (i + 1) / 100.0 - log10((double)heard[i][0] / 80.0);

		CHECK(lag > 0.0 && lag < 0.045);
	}
}

static double steps_hz(double seconds)
{
	return 110.0 * pow(2.0, floor(seconds * 5.0) * 2.0 / 12.0);
}

static void test_steps_of_two_semitones_are_right_after_45_ms(void)
{
	const uint32_t n_reports = hear(48000, course_fill(2.0, steps_hz));

	for (uint32_t i = 10; i < n_reports; i++) {
		const double since_step = fmod((i + 1) / 100.0 + 1e-6, 0.2);

		if (since_step > 0.041)
			CHECK(fabs(cents((double)heard[i][0], steps_hz(i / 100.0))) < 20.0);
	}
}

static bool is_unvoiced(uint32_t n_reports)
{
	CHECK(n_reports > 90);
	for (uint32_t i = 0; i < n_reports; i++)
		if (heard[i][0] != 0.0f || heard[i][1] != 0.0f)
			return false;
	return true;
}

static void test_silence_and_noise_have_no_pitch(void)
{
	for (uint32_t r = 0; r < N_RATES; r++) {
		memset(input, 0, rates[r] * sizeof(float));
		CHECK(is_unvoiced(hear(rates[r], rates[r])));
		for (uint32_t f = 0; f < rates[r]; f++)
			input[f] = 0.5f;
		CHECK(is_unvoiced(hear(rates[r], rates[r])));
		memset(input, 0, rates[r] * sizeof(float));
		noise_add(rates[r], 0.3);
		CHECK(is_unvoiced(hear(rates[r], rates[r])));
		for (uint32_t f = 1; f < rates[r]; f++)
			input[f] = input[f - 1] +
				   3000.0f / (float)rates[r] * (input[f] - input[f - 1]);
		CHECK(is_unvoiced(hear(rates[r], rates[r])));
	}
}

static void test_a_tone_ends_with_its_sound(void)
{
	const uint32_t n = tone_fill(48000, SAWTOOTH, 220.0, 0.0);

	memset(input + n, 0, n * sizeof(float));

	const uint32_t n_reports = hear(48000, 2 * n);

	CHECK(heard[29][0] > 0.0f);
	for (uint32_t i = 36; i < n_reports; i++)
		CHECK(heard[i][0] == 0.0f);
}

static double draw(uint32_t *seed, double from, double to)
{
	*seed = *seed * 1664525u + 1013904223u;
	return from + (to - from) * (double)*seed / 4294967296.0;
}

/* What is struck above the range, at random: maxima at the shortest lags, of few samples. */
static void struck_fill(uint32_t rate, uint32_t n, uint32_t *seed)
{
	memset(input, 0, n * sizeof(float));
	for (int i = 0; i < 12; i++) {
		const uint32_t from = (uint32_t)draw(seed, 0.0, 0.8 * n);
		const double turn = 2.0 * M_PI * draw(seed, 1500.0, 5500.0) / rate;
		const double fall = exp(-1.0 / (draw(seed, 0.02, 0.5) * rate));
		double level = 0.1 * pow(10.0, draw(seed, -2.0, 0.0));

		for (uint32_t f = from; f < n; f++, level *= fall)
			input[f] += (float)(level * sin(turn * (f - from)));
	}
	noise_add(n, 0.001);
}

static void test_what_is_above_the_range_gives_no_pitch_above_it(void)
{
	uint32_t seed = 1;

	for (int i = 0; i < 20; i++) {
		struck_fill(48000, 96000, &seed);

		const uint32_t n = hear(48000, 96000);

		for (uint32_t r = 0; r < n; r++)
			CHECK(heard[r][0] == 0.0f ||
			      (heard[r][0] > 45.0f && heard[r][0] < 2500.0f));
	}
}

int main(void)
{
	test_tones_have_their_pitch_at_every_rate();
	test_the_range_is_50_to_2000_hz();
	test_noise_does_not_change_the_octave();
	test_a_glide_lags_less_than_45_ms();
	test_steps_of_two_semitones_are_right_after_45_ms();
	test_silence_and_noise_have_no_pitch();
	test_a_tone_ends_with_its_sound();
	test_what_is_above_the_range_gives_no_pitch_above_it();
	return 0;
}
