/* SPDX-License-Identifier: MIT */

/*
 * Onsets, tempo and beats of the analyze units. Truth is where the sounds were put. An onset counts
 * within 25 ms, a beat within 35 ms, a tempo within 2 %.
 */

#include <math.h>
#include <string.h>

#include "analyst.h"
#include "check.h"

#define MAX_SECONDS 20
#define MAX_RATE 96000
#define MAX_EVENTS 256
#define HIT_SECONDS 0.18

#define ONSET_SECONDS 0.025
#define BEAT_SECONDS 0.035
#define TEMPO_SHARE 0.02
#define SETTLED_SECONDS 4.5 /* 4 s of music */

enum hit { CLICK, KICK, SNARE, HAT, NOTE };
enum style { CLICKS, DRUMS, NOTES };

struct events {
	double at[MAX_EVENTS];
	uint32_t n;
};

static float sound[MAX_SECONDS * MAX_RATE];
static uint32_t seed;

/* From -1 to 1. */
static double noise(void)
{
	seed = seed * 1664525u + 1013904223u;
	return (double)seed / 2147483648.0 - 1.0;
}

static double harmonics(double frequency, double t, uint32_t n)
{
	double sum = 0.0;

	for (uint32_t k = 1; k <= n; k++)
		sum += sin(2.0 * M_PI * k * frequency * t) / k;
	return sum;
}

static void hit_add(enum hit hit, double at, double gain, uint32_t rate, struct events *onsets)
{
	const uint32_t first = (uint32_t)lround(at * rate);
	const double frequency = 220.0 * pow(2.0, floor(12.0 + 12.0 * noise()) / 12.0);
	double latest = 0.0;

	for (uint32_t i = 0; i < (uint32_t)(HIT_SECONDS * rate); i++) {
		const double t = (double)i / rate, dice = noise();
		double x = 0.0;

		switch (hit) {
		case CLICK:
			x = dice * exp(-t / 0.003);
			break;
		case KICK:
			x = sin(2.0 * M_PI * (50.0 * t + 1.2 * (1.0 - exp(-t / 0.02)))) *
			    exp(-t / 0.06);
			break;
		case SNARE:
			x = (0.6 * dice + 0.4 * sin(2.0 * M_PI * 190.0 * t)) * exp(-t / 0.04);
			break;
		case HAT:
			x = 0.5 * (dice - latest) * exp(-t / 0.015);
			break;
		case NOTE:
			x = 0.5 * harmonics(frequency, t, 7) * exp(-t / 0.12) *
			    fmin(1.0, t / 0.004);
			break;
		}
		latest = dice;
		sound[first + i] += (float)(0.3 * gain * x);
	}
	CHECK(onsets->n < MAX_EVENTS);
	onsets->at[onsets->n++] = at;
}

/* Noise at -66 dB. */
static void sound_begin(double seconds, uint32_t rate)
{
	CHECK(seconds * rate <= sizeof(sound) / sizeof(sound[0]));
	seed = 7;
	for (uint32_t i = 0; i < (uint32_t)(seconds * rate); i++)
		sound[i] = (float)(0.0009 * noise());
}

/* Beats from 0.5 s on. Drums have a soft hat between two beats, notes one after each fourth. */
static void music_fill(enum style style, double bpm, double seconds, uint32_t rate,
		       struct events *onsets, struct events *beats)
{
	const double period = 60.0 / bpm;
	double at = 0.5;

	onsets->n = beats->n = 0;
	for (uint32_t k = 0; at < seconds - 0.5 * period - HIT_SECONDS; at += period, k++) {
		const double between = at + 0.5 * period;

		CHECK(beats->n < MAX_EVENTS);
		beats->at[beats->n++] = at;
		if (style == CLICKS) {
			hit_add(CLICK, at, 1.0, rate, onsets);
		} else if (style == DRUMS) {
			hit_add(k % 2 ? SNARE : KICK, at, 1.0, rate, onsets);
			hit_add(HAT, between, 0.35, rate, onsets);
		} else {
			hit_add(NOTE, at, 1.0, rate, onsets);
			if (k % 4 == 3)
				hit_add(NOTE, between, 0.6, rate, onsets);
		}
	}
}

static void play(struct analyst *analyst, double seconds)
{
	analyst_begin(analyst);
	analyst_play(analyst, sound, (uint32_t)(seconds * analyst->rate));
}

/* The rates of this test are whole numbers of frames per hop. */
static double time_of(uint32_t report)
{
	return 0.01 * (report + 1);
}

/* What was told, beside what happened. */
struct match {
	uint32_t n, n_right;	 /* told, and of them within the tolerance */
	double latency_seconds;	 /* mean, from what happened until it was told */
	double offset_seconds;	 /* mean, by which the time told is later */
	double farthest_seconds; /* the most, either way */
	double jump_seconds;	 /* the most from one to the next */
};

static struct match events_match(const struct analyst *analyst, const char *field, double from,
				 const struct events *truth, double tolerance)
{
	struct match match = { 0 };
	double last = NAN;
	uint32_t next = 0;

	for (uint32_t i = 0; i < analyst->n; i++) {
		const double at = time_of(i) - (double)analyst_value(analyst, i, field, 0);

		if (isnan(at) || at < from)
			continue;
		match.n++;
		while (next < truth->n && truth->at[next] < at - tolerance)
			next++;
		if (next == truth->n || truth->at[next] > at + tolerance)
			continue;

		const double offset = at - truth->at[next];

		match.latency_seconds += time_of(i) - truth->at[next++];
		match.offset_seconds += offset;
		match.farthest_seconds = fmax(match.farthest_seconds, fabs(offset));
		match.jump_seconds = fmax(match.jump_seconds, fabs(offset - last));
		match.n_right++;
		last = offset;
	}
	match.latency_seconds /= match.n_right;
	match.offset_seconds /= match.n_right;
	return match;
}

/*
 * F: the harmonic mean of what is right of those told, and of those that happened. They are found
 * in steps of 5 ms: the mean is less than half of one away.
 */
static void check_onsets(const struct analyst *analyst, const struct events *truth, double least_f,
			 double farthest_seconds)
{
	const struct match match = events_match(analyst, "onset", 0.0, truth, ONSET_SECONDS);
	const double f = 2.0 * match.n_right / (match.n + truth->n);

	if (f < least_f || match.latency_seconds > 0.02)
		fprintf(stderr, "onsets: F %g, %g s late\n", f, match.latency_seconds);
	CHECK(f >= least_f);
	CHECK(match.latency_seconds <= 0.02);
	CHECK(fabs(match.offset_seconds) < 0.0025);
	CHECK(match.farthest_seconds < farthest_seconds);
}

static void check_tempo(const struct analyst *analyst, double bpm)
{
	for (uint32_t i = 0; i < analyst->n; i++) {
		const double told = (double)analyst_value(analyst, i, "bpm", 0);

		if (time_of(i) < SETTLED_SECONDS)
			continue;
		if (!(fabs(told / bpm - 1.0) <= TEMPO_SHARE))
			fprintf(stderr, "%g bpm at %g s instead of %g\n", told, time_of(i), bpm);
		CHECK(fabs(told / bpm - 1.0) <= TEMPO_SHARE);
		CHECK(analyst_value(analyst, i, "bpm_conf", 0) > 0.4f);
	}
}

/* They are foretold: told within the hop in which they are, and evenly. */
static void check_beats(const struct analyst *analyst, const struct events *truth)
{
	const struct match match =
		events_match(analyst, "beat", SETTLED_SECONDS, truth, BEAT_SECONDS);
	uint32_t n_true = 0;

	for (uint32_t i = 0; i < truth->n; i++)
		n_true += truth->at[i] >= SETTLED_SECONDS;
	CHECK(match.n_right + 1 >= n_true);
	CHECK(match.n <= n_true + 2);
	CHECK(match.latency_seconds < 0.02);
	CHECK(fabs(match.offset_seconds) < 0.005);
	CHECK(match.jump_seconds < 0.0035);
}

static void test_music_is_followed(struct analyst *analyst, enum style style, double bpm)
{
	static struct events onsets, beats;
	const double seconds = 9.0;

	sound_begin(seconds, analyst->rate);
	music_fill(style, bpm, seconds, analyst->rate, &onsets, &beats);
	play(analyst, seconds);
	check_onsets(analyst, &onsets, 0.96, style == NOTES ? ONSET_SECONDS : 0.004);
	check_tempo(analyst, bpm);
	check_beats(analyst, &beats);
}

/* Hits with peaks of 0.3 to 0.075 in noise of 0.035 (RMS); and no tempo in them. */
static void test_onsets_are_found_in_noise(struct analyst *analyst)
{
	static struct events onsets;
	const double seconds = 20.0;

	sound_begin(seconds, analyst->rate);
	onsets.n = 0;
	for (double at = 0.5; at < seconds - 0.5; at += 0.41 + 0.29 * noise()) {
		const double peak = pow(10.0, (noise() - 1.0) * 6.0 / 20.0);
		const enum hit hit = (enum hit)(uint32_t)(2.5 + 2.499 * noise());

		hit_add(hit, at, peak, analyst->rate, &onsets);
	}
	for (uint32_t i = 0; i < (uint32_t)(seconds * analyst->rate); i++)
		sound[i] += (float)(0.06 * noise());
	play(analyst, seconds);
	check_onsets(analyst, &onsets, 0.85, ONSET_SECONDS);
	for (uint32_t i = 0; i < analyst->n; i++)
		CHECK(analyst_value(analyst, i, "bpm_conf", 0) < 0.4f);
}

/* Clicks in pairs, of which the second is 20 dB louder. */
static void test_two_onsets_are_55_ms_apart(struct analyst *analyst)
{
	static const struct {
		double gap_seconds;
		uint32_t n_told;
	} rows[] = { { 0.03, 3 }, { 0.04, 3 }, { 0.05, 3 }, { 0.06, 6 } };
	static struct events onsets;

	for (uint32_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		sound_begin(3.0, analyst->rate);
		onsets.n = 0;
		for (double at = 0.5; at < 2.5; at += 0.7) {
			hit_add(CLICK, at, 0.1, analyst->rate, &onsets);
			hit_add(CLICK, at + rows[i].gap_seconds, 1.0, analyst->rate, &onsets);
		}
		play(analyst, 3.0);
		CHECK(events_match(analyst, "onset", 0.0, &onsets, ONSET_SECONDS).n ==
		      rows[i].n_told);
	}
}

/* For six beats what is between them is louder, as a syncope is: they stay where they were. */
static void test_beats_stay_where_they_are_expected(struct analyst *analyst)
{
	static struct events onsets, beats;
	const double seconds = 13.0, period = 0.6;
	double at = 0.5;

	sound_begin(seconds, analyst->rate);
	onsets.n = beats.n = 0;
	for (uint32_t k = 0; at < seconds - period; at += period, k++) {
		beats.at[beats.n++] = at;
		hit_add(SNARE, at, 1.0, analyst->rate, &onsets);
		if (k >= 12 && k < 18)
			hit_add(SNARE, at + 0.5 * period, 1.9, analyst->rate, &onsets);
	}
	play(analyst, seconds);
	check_tempo(analyst, 60.0 / period);
	check_beats(analyst, &beats);
}

static void check_nothing(struct analyst *analyst, double seconds)
{
	play(analyst, seconds);
	CHECK(isnan(analyst_max(analyst, "onset", 0.0, seconds)));
	CHECK(isnan(analyst_max(analyst, "beat", 0.0, seconds)));
	CHECK(isnan(analyst_max(analyst, "bpm", 0.0, seconds)));
	CHECK(analyst_max(analyst, "bpm_conf", 0.0, seconds) == 0.0);
}

static void test_what_is_steady_has_no_onsets(struct analyst *analyst)
{
	const uint32_t n = 5 * analyst->rate;
	double phase = 0.0;

	memset(sound, 0, n * sizeof(float));
	check_nothing(analyst, 5.0);
	for (uint32_t i = 0; i < n; i++)
		sound[i] = (float)(0.1 * noise());
	check_nothing(analyst, 5.0);
	for (uint32_t i = 0; i < n; i++) /* hum of the mains */
		sound[i] = (float)(0.1 * harmonics(50.0, (double)i / analyst->rate, 12) +
				   0.0001 * noise());
	check_nothing(analyst, 5.0);
	for (uint32_t i = 0; i < n; i++) { /* vibrato of a semitone */
		const double turn = sin(2.0 * M_PI * 5.5 * i / analyst->rate);

		phase += 440.0 * pow(2.0, 0.5 / 12.0 * turn) / analyst->rate;
		sound[i] = (float)(0.2 * harmonics(1.0, phase, 12) + 0.0001 * noise());
	}
	check_nothing(analyst, 5.0);
}

/* The music ends after 5 s. */
static void test_silence_has_no_beats(struct analyst *analyst)
{
	static struct events onsets, beats;
	const uint32_t end = 5 * analyst->rate;

	sound_begin(5.0, analyst->rate);
	music_fill(DRUMS, 120.0, 5.0, analyst->rate, &onsets, &beats);
	memset(sound + end, 0, end * sizeof(float));
	play(analyst, 10.0);
	CHECK(analyst_max(analyst, "bpm", 4.0, 5.0) > 100.0);
	CHECK(!isnan(analyst_max(analyst, "beat", 4.0, 5.0)));
	CHECK(isnan(analyst_max(analyst, "onset", 5.1, 10.0)));
	CHECK(isnan(analyst_max(analyst, "beat", 8.5, 10.0)));
	CHECK(isnan(analyst_max(analyst, "bpm", 8.5, 10.0)));
}

static void test_blocks_do_not_matter(struct analyst *analyst, double seconds)
{
	static const uint32_t blocks[] = { 1, 61, 480 };
	static struct events onsets, beats;
	uint32_t size, n;
	float *values;

	sound_begin(seconds, analyst->rate);
	music_fill(DRUMS, 174.0, seconds, analyst->rate, &onsets, &beats);
	play(analyst, seconds);
	n = analyst->n;
	size = n * analyst->n_values * (uint32_t)sizeof(float);
	values = malloc(size);
	CHECK(values);
	memcpy(values, analyst->values, size);
	for (uint32_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
		analyst->block = blocks[i];
		play(analyst, seconds);
		CHECK(analyst->n == n);
		CHECK(memcmp(analyst->values, values, size) == 0);
	}
	analyst->block = 1024;
	free(values);
}

int main(void)
{
	static const struct {
		enum style style;
		double bpm;
	} music[] = {
		{ CLICKS, 60 }, { CLICKS, 97 }, { CLICKS, 180 }, { DRUMS, 60 },	 { DRUMS, 84 },
		{ DRUMS, 174 }, { NOTES, 66 },	{ NOTES, 133 },	 { NOTES, 165 },
	};
	static const uint32_t rates[] = { 48000, 44100, 96000 };

	for (uint32_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		struct analyst analyst;

		analyst_init(&analyst, "analyze-mono", rates[i]);
		*analyst_control(&analyst, "loudness") = 0.0f;
		*analyst_control(&analyst, "rhythm") = 1.0f;
		for (uint32_t k = 0; k < sizeof(music) / sizeof(music[0]); k++)
			if (rates[i] == 48000 || k % 4 == 1)
				test_music_is_followed(&analyst, music[k].style, music[k].bpm);
		if (rates[i] == 48000) {
			test_onsets_are_found_in_noise(&analyst);
			test_two_onsets_are_55_ms_apart(&analyst);
			test_beats_stay_where_they_are_expected(&analyst);
			test_silence_has_no_beats(&analyst);
		}
		if (rates[i] == 44100)
			test_blocks_do_not_matter(&analyst, 4.0);
		test_what_is_steady_has_no_onsets(&analyst);
		analyst_finish(&analyst);
	}
	return 0;
}
