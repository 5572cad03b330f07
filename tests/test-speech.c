/* SPDX-License-Identifier: MIT */

/* The voice activity detector of the analyze unit: dsp/vad/vad.h, and the unit with it. */

#include <math.h>
#include <string.h>

#include "analyst.h"
#include "check.h"
#include "dsp/minmax.h"
#include "dsp/vad/vad.h"

#define SECONDS 8
#define HOPS (100 * SECONDS)
#define MAX_RATE 192000
#define FROM 2.0 /* somebody speaks from here */
#define TO 5.0	 /* to here */

/* What the unit's controls are by default. */
static const struct vad_control usual = {
	.threshold = 0.75f,
	.onset_ms = 30.0f,
	.hangover_ms = 200.0f,
};

static float input[MAX_RATE * SECONDS];

struct outcome {
	float probability[HOPS];
	int8_t change[HOPS]; /* 1: speech starts, -1: it ends */
	int n_started, n_ended;
	float ago[HOPS];       /* seconds, where speech starts */
	double started, ended; /* seconds, of the first */
};

static float noise(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return (float)*seed / 2147483648.0f - 1.0f;
}

/* Harmonics below 3.5 kHz through the formants of four vowels, in four syllables per second. */
static double voice(double t, double turns)
{
	static const double formant[][3] = {
		{ 730, 1090, 2440 }, { 270, 2290, 3010 }, { 530, 1840, 2480 }, { 300, 870, 2240 }
	};
	const double *hz = formant[(int)(t * 4.0) % 4];
	const double loud = fmax(0.0, sin(M_PI * fmod(t * 4.0, 1.0) * 1.2));
	double sum = 0.0;

	for (int k = 1; k <= 24; k++) {
		double size = 0.0;

		for (int f = 0; f < 3; f++)
			size += 1.0 / ((1 + f) * (1.0 + pow((k * 130.0 - hz[f]) / 90.0, 2.0)));
		sum += size * sin(2.0 * M_PI * k * turns);
	}
	return 0.1 * loud * sum;
}

static void input_fill_until(uint32_t rate, double to)
{
	uint32_t seed = 1;
	double turns = 0.0;

	for (uint32_t f = 0; f < rate * SECONDS; f++) {
		const double t = (double)f / rate;

		turns += 130.0 * (1.0 + 0.2 * sin(2.0 * M_PI * 0.6 * t)) / rate;
		input[f] = 1e-3f * noise(&seed);
		if (t >= FROM && t < to)
			input[f] += (float)voice(t - FROM, turns);
	}
}

static void input_fill(uint32_t rate)
{
	input_fill_until(rate, TO);
}

static void *speech_create(struct vad *vad, uint32_t rate)
{
	struct arena arena = { 0 };

	*vad = (struct vad){ 0 };
	CHECK(vad_init(vad, rate) == 0);
	vad_allocate(vad, &arena);
	arena.memory = aligned_alloc(WEIR_FFT_ALIGN, arena.size);
	CHECK(arena.memory);
	memset(arena.memory, 0x55, arena.size);
	arena.size = 0;
	vad_allocate(vad, &arena);
	vad_init_tables(vad);
	vad_reset(vad);
	return arena.memory;
}

static void hear(struct vad *vad, uint32_t rate, uint32_t block, const struct vad_control *control,
		 struct outcome *outcome)
{
	const uint32_t hop = (rate + 50) / 100;
	bool active = vad->active;

	*outcome = (struct outcome){ 0 };
	for (uint32_t h = 0; h < HOPS; h++) {
		struct vad_found found;

		for (uint32_t f = 0; f < hop; f += block)
			vad_run(vad, input + h * hop + f, min_u32(block, hop - f));
		vad_hop(vad, control, &found);
		CHECK(found.probability >= 0.0f && found.probability <= 1.0f);
		outcome->probability[h] = found.probability;
		outcome->change[h] = (int8_t)(found.started - found.ended);
		outcome->ago[h] = found.ago;
		if (found.started && outcome->n_started++ == 0)
			outcome->started = 0.01 * (h + 1);
		if (found.ended && outcome->n_ended++ == 0)
			outcome->ended = 0.01 * (h + 1);
		CHECK(!(found.started && active) && !(found.ended && !active));
		active = found.started || (active && !found.ended);
		CHECK(found.active == active);
	}
}

static void hear_new(uint32_t rate, uint32_t block, const struct vad_control *control,
		     struct outcome *outcome)
{
	struct vad vad;
	void *memory = speech_create(&vad, rate);

	hear(&vad, rate, block, control, outcome);
	vad_finish(&vad);
	free(memory);
}

/* When speech began, as an event's time tells it. */
static double start_of(const struct outcome *outcome)
{
	const int h = (int)lround(100.0 * outcome->started) - 1;

	return outcome->started - (double)outcome->ago[h];
}

static void test_speech_is_found_at_every_rate(void)
{
	static const uint32_t rate[] = { 8000, 11025, 16000, 22050, 44100, 48000, 96000, 192000 };
	static struct outcome outcome[8];

	for (int i = 0; i < 8; i++) {
		input_fill(rate[i]);
		hear_new(rate[i], 64, &usual, &outcome[i]);
		CHECK(outcome[i].n_started == 1 && outcome[i].n_ended == 1);
		CHECK(outcome[i].started > FROM && outcome[i].started < FROM + 0.2);
		CHECK(outcome[i].ended > TO && outcome[i].ended < TO + 0.35);
		CHECK(fabs(start_of(&outcome[i]) - FROM) < 0.05);
	}
	for (int i = 2; i < 8; i++) {
		int differ = 0;

		for (int h = 0; h < HOPS; h++)
			differ += (outcome[i].probability[h] > 0.5f) !=
				  (outcome[5].probability[h] > 0.5f);
		CHECK(differ < HOPS / 50);
	}
}

static void test_the_block_size_changes_nothing(void)
{
	static const uint32_t block[] = { 1, 7, 160, 256, 480 };
	static struct outcome first, other;

	input_fill(48000);
	hear_new(48000, 480, &usual, &first);
	for (int i = 0; i < 5; i++) {
		hear_new(48000, block[i], &usual, &other);
		CHECK(memcmp(&first, &other, sizeof(first)) == 0);
	}
}

static void test_reset_equals_new(void)
{
	static struct outcome first, again;
	struct vad vad;
	void *memory = speech_create(&vad, 44100);

	input_fill(44100);
	hear(&vad, 44100, 441, &usual, &first);
	vad_run(&vad, input, 100);
	vad_reset(&vad);
	hear(&vad, 44100, 441, &usual, &again);
	CHECK(memcmp(&first, &again, sizeof(first)) == 0);
	vad_finish(&vad);
	free(memory);
}

static void test_silence_and_noise_are_no_speech(void)
{
	static const float loud[] = { 0.0f, 1e-30f, 1e-4f, 0.03f, 1.0f };
	static struct outcome outcome;

	for (int i = 0; i < 5; i++) {
		uint32_t seed = 7;

		for (uint32_t f = 0; f < 48000 * SECONDS; f++)
			input[f] = loud[i] * noise(&seed);
		hear_new(48000, 480, &usual, &outcome);
		CHECK(outcome.n_started == 0);
	}
}

/* Probabilities in range and, as hear() checks, never NaN; and it recovers. */
static void test_extremes_do_no_harm(void)
{
	static struct outcome extreme, after;
	struct vad vad;
	void *memory = speech_create(&vad, 48000);

	for (uint32_t f = 0; f < 48000 * SECONDS; f++)
		input[f] = f % 3000 == 0   ? 1000.0f
			   : f / 48000 % 2 ? (f & 64 ? 1e3f : -1e3f)
					   : 1e-40f;
	hear(&vad, 48000, 480, &usual, &extreme);
	input_fill(48000);
	hear(&vad, 48000, 480, &usual, &after);
	CHECK(after.n_started >= 1);
	vad_finish(&vad);
	free(memory);
}

static void test_onset_and_hangover_delay_the_events(void)
{
	const struct vad_control late = { 0.75f, 200.0f, 500.0f };
	static struct outcome soon, later;

	input_fill(48000);
	hear_new(48000, 480, &usual, &soon);
	hear_new(48000, 480, &late, &later);
	CHECK(later.started > soon.started + 0.05 && later.started < soon.started + 0.3);
	CHECK(later.ended > soon.ended + 0.1 && later.ended < soon.ended + 0.4);
	CHECK(memcmp(soon.probability, later.probability, sizeof(soon.probability)) == 0);
}

static void test_the_threshold_decides(void)
{
	const struct vad_control never = { 1.0f, 30.0f, 200.0f };
	const struct vad_control always = { 0.0f, 30.0f, 200.0f };
	static struct outcome outcome;

	input_fill(48000);
	for (uint32_t f = 0; f < 48000 * SECONDS; f++)
		input[f] *= 0.5f;
	hear_new(48000, 480, &never, &outcome);
	CHECK(outcome.n_started == 0);
	hear_new(48000, 480, &always, &outcome);
	CHECK(outcome.n_started == 1 && outcome.n_ended == 0);
}

/* Of the probability, in the n hops to this one. */
static double mean_of(const struct outcome *outcome, double seconds, int n)
{
	const int end = (int)lround(100.0 * seconds);
	double sum = 0.0;

	for (int h = end - n; h < end; h++)
		sum += (double)outcome->probability[h];
	return sum / n;
}

static void test_events_are_where_the_means_pass_their_limits(void)
{
	static struct outcome outcome;

	input_fill(48000);
	hear_new(48000, 480, &usual, &outcome);
	CHECK(mean_of(&outcome, outcome.started - 0.01, 3) < 0.75);
	CHECK(mean_of(&outcome, outcome.started, 3) >= 0.75);
	CHECK(mean_of(&outcome, outcome.ended - 0.01, 20) >= 0.375);
	CHECK(mean_of(&outcome, outcome.ended, 20) < 0.375);
}

/* However short the sound was: here it is soon as improbable as before. */
static void test_speech_lasts_as_long_as_the_hangover(void)
{
	const struct vad_control patient = { 0.75f, 30.0f, 500.0f };
	static struct outcome outcome;

	for (double seconds = 0.05; seconds < 0.2; seconds += 0.05) {
		input_fill_until(48000, FROM + seconds);
		hear_new(48000, 480, &patient, &outcome);
		CHECK(outcome.n_started == 1 && outcome.n_ended == 1);
		CHECK(outcome.ended - outcome.started > 0.495);
	}
}

/* Noise with the period of a hop, so that each window has the same spectrum. */
static void test_what_sounds_from_the_start_on_does_not_stand_out(void)
{
	struct vad vad;
	struct vad_found found;
	void *memory = speech_create(&vad, VAD_RATE);
	uint32_t seed = 3;

	for (uint32_t f = 0; f < VAD_HOP; f++)
		input[f] = 0.1f * noise(&seed);
	for (uint32_t h = 0; h < 100; h++) {
		const float *above = vad.features.value, *rise = above + 2 * VAD_BANDS;

		vad_run(&vad, input, VAD_HOP);
		vad_hop(&vad, &usual, &found);
		for (uint32_t b = 0; b < VAD_BANDS; b++)
			CHECK(fabsf(above[b]) < 0.01f && fabsf(rise[b]) < 0.01f);
	}
	vad_finish(&vad);
	free(memory);
}

enum sort { SORT_SINE, SORT_STRINGS, SORT_PIANO, SORT_ORGAN, SORT_BELL, SORT_CHORD, N_SORTS };

/* A note as of this instrument, t seconds after its beginning. */
static double note(enum sort sort, double hz, double t)
{
	static const double bell[] = { 1.0, 2.0, 2.4, 3.0, 4.5, 5.33 };
	const double attack = fmin(1.0, t / (sort == SORT_STRINGS ? 0.06 : 0.005));
	double sum = 0.0;

	if (sort == SORT_CHORD)
		return (note(SORT_PIANO, hz, t) + note(SORT_PIANO, 1.26 * hz, t) +
			note(SORT_PIANO, 1.5 * hz, t)) /
		       2.0;
	if (sort == SORT_SINE)
		return attack * sin(2.0 * M_PI * hz * t);
	if (sort == SORT_BELL) {
		for (int i = 0; i < 6; i++)
			sum += sin(2.0 * M_PI * bell[i] * hz * t + i) * exp(-(1.0 + i) * t);
		return 0.4 * attack * sum;
	}
	for (int k = 1; k * hz < 7000.0; k++) {
		const double bow = sort == SORT_STRINGS ? 0.02 * sin(34.6 * t) : 0.0;
		const double fall = sort == SORT_PIANO ? exp(-(1.0 + 0.3 * k) * t) : 1.0;
		const double size = sort == SORT_ORGAN ? (k <= 4 || k == 8) : pow(k, -1.2);

		sum += size * fall * sin(k * (2.0 * M_PI * hz * t + bow) + k * k);
	}
	return 0.5 * attack * sum;
}

/* Silence or noise, from FROM on with a note; returns whether that starts speech. */
static bool note_starts_speech(enum sort sort, double hz, float noise_level, double level)
{
	static struct outcome outcome;
	uint32_t seed = 9;

	for (uint32_t f = 0; f < VAD_RATE * SECONDS; f++) {
		const double t = (double)f / VAD_RATE - FROM;

		input[f] = noise_level * noise(&seed);
		if (t >= 0.0 && t < 3.0)
			input[f] += (float)(level * note(sort, hz, t));
	}
	hear_new(VAD_RATE, VAD_HOP, &usual, &outcome);
	return outcome.n_started > 0;
}

/* One in 20 may; all of these did while what begins was not looked at again. */
static void test_music_that_begins_is_no_speech(void)
{
	static const double hz[] = { 131.0, 196.0, 262.0, 440.0, 659.0 };
	static const float noise_level[] = { 0.0f, 1e-3f, 1e-2f };
	int n = 0, n_started = 0;

	for (enum sort sort = 0; sort < N_SORTS; sort++)
		for (int h = 0; h < 5; h++)
			for (int l = 0; l < 3; l++, n++)
				n_started += note_starts_speech(sort, hz[h], noise_level[l], 0.15);
	CHECK(n == 90 && 20 * n_started <= n);
}

/* Syllables from one of the four vowels on; returns the seconds until they start speech. */
static double voice_latency(double hz, int vowel, float noise_level)
{
	static struct outcome outcome;
	uint32_t seed = 5;
	double turns = 0.0;

	for (uint32_t f = 0; f < VAD_RATE * SECONDS; f++) {
		const double t = (double)f / VAD_RATE - FROM;

		turns += hz * (1.0 + 0.2 * sin(2.0 * M_PI * 0.6 * t)) / VAD_RATE;
		input[f] = noise_level * noise(&seed);
		if (t >= 0.0 && t < 3.0)
			input[f] += (float)voice(t + 0.25 * vowel, turns);
	}
	hear_new(VAD_RATE, VAD_HOP, &usual, &outcome);
	return outcome.n_started > 0 ? outcome.started - FROM : INFINITY;
}

/* Half of it within 50 ms, of which the onset is 30. */
static void test_speech_is_told_soon(void)
{
	static const float noise_level[] = { 0.0f, 1e-3f, 1e-2f };
	int n = 0, n_soon = 0;

	for (int hz = 90; hz <= 230; hz += 20)
		for (int vowel = 0; vowel < 4; vowel++)
			for (int l = 0; l < 3; l++, n++)
				n_soon += voice_latency(hz, vowel, noise_level[l]) < 0.055;
	CHECK(n == 96 && 2 * n_soon >= n);
}

/* ago: of each hop, or NULL where it is always that many seconds. */
static void check_told(const struct analyst *analyst, const char *field,
		       const struct outcome *outcome, int8_t change, const float *ago,
		       float seconds)
{
	for (uint32_t h = 0; h < HOPS; h++) {
		const float told = analyst_value(analyst, h, field, 0);

		CHECK(isnan(told) == (outcome->change[h] != change));
		CHECK(isnan(told) || (ago ? told == ago[h] && told >= seconds : told == seconds));
	}
}

/* As its controls say, of which the first are the defaults; and as long ago as they look back. */
static void test_the_unit_tells_what_the_detector_finds(void)
{
	const struct vad_control controls[] = {
		usual,
		{ 0.75f, 120.0f, 200.0f },
		{ 0.75f, 30.0f, 400.0f },
		{ 0.95f, 30.0f, 200.0f },
	};
	static struct outcome outcome[4];
	struct analyst analyst;

	input_fill(48000);
	analyst_init(&analyst, "analyze-mono", 48000);
	*analyst_control(&analyst, "voice") = 1.0f;
	for (int i = 0; i < 4; i++) {
		hear_new(48000, 480, &controls[i], &outcome[i]);
		CHECK(outcome[i].n_started > 0 && outcome[i].n_ended == outcome[i].n_started);
		for (int k = 0; k < i; k++)
			CHECK(memcmp(outcome[i].change, outcome[k].change,
				     sizeof(outcome[i].change)) != 0);
		if (i > 0) {
			*analyst_control(&analyst, "voice-threshold") = controls[i].threshold;
			*analyst_control(&analyst, "voice-onset-ms") = controls[i].onset_ms;
			*analyst_control(&analyst, "voice-hangover-ms") = controls[i].hangover_ms;
		}
		analyst_begin(&analyst);
		analyst_play(&analyst, input, 48000 * SECONDS);
		CHECK(analyst.n == HOPS);
		for (uint32_t h = 0; h < HOPS; h++)
			CHECK(analyst_value(&analyst, h, "vad", 0) == outcome[i].probability[h]);
		check_told(&analyst, "speech_start", &outcome[i], 1, outcome[i].ago,
			   controls[i].onset_ms / 1000.0f);
		check_told(&analyst, "speech_end", &outcome[i], -1, NULL,
			   controls[i].hangover_ms / 1000.0f);
	}
	analyst_finish(&analyst);
}

/* In the first hop that is off; and where nobody spoke nothing ends. */
static void test_speech_ends_where_it_is_switched_off(void)
{
	struct analyst analyst;

	input_fill(48000);
	analyst_init(&analyst, "analyze-mono", 48000);
	for (uint32_t seconds = 1; seconds < 4; seconds += 2) {
		const uint32_t off = 100 * seconds;

		*analyst_control(&analyst, "voice") = 1.0f;
		analyst_begin(&analyst);
		analyst_play(&analyst, input, 480 * off);
		*analyst_control(&analyst, "voice") = 0.0f;
		analyst_play(&analyst, input + 480 * off, 480 * off);
		for (uint32_t h = 0; h < analyst.n; h++) {
			const float told = analyst_value(&analyst, h, "speech_end", 0);

			CHECK(h == off && seconds > FROM ? told == 0.01f : isnan(told));
		}
	}
	analyst_finish(&analyst);
}

int main(void)
{
	test_speech_is_found_at_every_rate();
	test_the_block_size_changes_nothing();
	test_reset_equals_new();
	test_silence_and_noise_are_no_speech();
	test_extremes_do_no_harm();
	test_onset_and_hangover_delay_the_events();
	test_the_threshold_decides();
	test_events_are_where_the_means_pass_their_limits();
	test_speech_lasts_as_long_as_the_hangover();
	test_what_sounds_from_the_start_on_does_not_stand_out();
	test_music_that_begins_is_no_speech();
	test_speech_is_told_soon();
	test_the_unit_tells_what_the_detector_finds();
	test_speech_ends_where_it_is_switched_off();
	return 0;
}
