/* SPDX-License-Identifier: MIT */

/*
 * Whatever the microphones hear, the align units do not crash, their output is finite and no louder
 * than what they hear allows, and meters, reports and saved states keep the ranges that are
 * declared.
 */

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "dsp/align/align.h"

#define MAX_MICS 4
#define MAX_RUN 1000 /* frames */
#define MAX_GAIN 100.0f

/* What microphones hear: a sum of a tone, noise and clicks, whose level changes. */
struct sound {
	const char *name;
	double level;	   /* of all, at the beginning */
	double hz[4];	   /* tones; 0: none */
	double noise;	   /* level of noise that all hear */
	double own;	   /* level of noise of each microphone */
	double constant;   /* level of direct current */
	double click_hz;   /* full scale for one frame */
	double square_hz;  /* full scale */
	double sweep_hz;   /* by which the first tone rises per second */
	double decay;	   /* dB per second */
	double gate;	   /* seconds of sound, as many of digital silence; 0: always sound */
	double step_db;	   /* change of level at 3 s */
	double ends;	   /* seconds, 0: never */
	double later;	   /* seconds by which each microphone is later than the one before */
	double other_gain; /* of all microphones but the first; 0: 1 */
};

static const struct sound sounds[] = {
	{ .name = "500 Hz", .level = 0.125, .hz = { 500.0 } },
	{ .name = "800 Hz", .level = 0.125, .hz = { 800.0 } },
	{ .name = "1 kHz", .level = 0.125, .hz = { 1000.0 } },
	{ .name = "1200 Hz", .level = 0.125, .hz = { 1200.0 } },
	{ .name = "1 kHz, full scale", .level = 1.0, .hz = { 1000.0 } },
	{ .name = "1 kHz, 100 dB lower", .level = 1e-5, .hz = { 1000.0 } },
	{ .name = "bins of the analysis", .level = 0.2, .hz = { 250.0, 1000.0, 2000.0, 4000.0 } },
	{ .name = "a chord", .level = 0.2, .hz = { 261.63, 329.63, 392.0, 523.25 } },
	{ .name = "a tone that is gated", .level = 0.5, .hz = { 1000.0 }, .gate = 0.7 },
	{ .name = "a tone that decays to digital silence",
	  .level = 0.5,
	  .hz = { 1000.0 },
	  .decay = 60.0 },
	{ .name = "a chord that decays fast",
	  .level = 1.0,
	  .hz = { 250.0, 500.0, 1500.0 },
	  .decay = 200.0 },
	{ .name = "a sweep", .level = 0.5, .hz = { 100.0 }, .sweep_hz = 1500.0 },
	{ .name = "a tone by a late microphone", .level = 0.3, .hz = { 1000.0 }, .later = 0.0123 },
	{ .name = "a tone and noise below it", .level = 0.3, .hz = { 1000.0 }, .noise = 1e-6 },
	{ .name = "a tone that ends", .level = 0.3, .hz = { 700.0 }, .ends = 3.0 },
	{ .name = "one noise", .level = 0.1, .noise = 1.0 },
	{ .name = "one noise, later", .level = 0.1, .noise = 1.0, .later = 0.0213 },
	{ .name = "one noise, much later", .level = 0.1, .noise = 1.0, .later = 0.499 },
	{ .name = "one noise, gated", .level = 0.1, .noise = 1.0, .gate = 0.3, .later = 0.01 },
	{ .name = "one noise that decays",
	  .level = 1.0,
	  .noise = 1.0,
	  .decay = 40.0,
	  .later = 0.005 },
	{ .name = "one noise, upside down",
	  .level = 0.1,
	  .noise = 1.0,
	  .later = 0.01,
	  .other_gain = -1.0 },
	{ .name = "one noise, far softer",
	  .level = 1.0,
	  .noise = 1.0,
	  .later = 0.01,
	  .other_gain = 1e-5 },
	{ .name = "one noise, far louder",
	  .level = 1e-5,
	  .noise = 1.0,
	  .later = 0.01,
	  .other_gain = 1e5 },
	{ .name = "own noises", .level = 0.1, .own = 1.0 },
	{ .name = "one noise that becomes far louder",
	  .level = 1e-6,
	  .noise = 1.0,
	  .later = 0.01,
	  .step_db = 120.0 },
	{ .name = "one noise that becomes far softer",
	  .level = 1.0,
	  .noise = 1.0,
	  .later = 0.01,
	  .step_db = -140.0 },
	{ .name = "direct current", .level = 0.5, .constant = 1.0 },
	{ .name = "direct current that comes", .level = 1e-6, .constant = 1.0, .step_db = 120.0 },
	{ .name = "clicks", .level = 1.0, .click_hz = 3.0 },
	{ .name = "clicks, later", .level = 1.0, .click_hz = 3.0, .later = 0.01 },
	{ .name = "many clicks", .level = 1.0, .click_hz = 100.0 },
	{ .name = "a square, full scale", .level = 1.0, .square_hz = 100.0 },
	{ .name = "a square, as loud as can be", .level = 1000.0, .square_hz = 441.0 },
	{ .name = "a noise as loud as can be", .level = 999.0, .noise = 1.0, .later = 0.02 },
	{ .name = "half the rate", .level = 1.0, .square_hz = 1e9 },
	{ .name = "denormals", .level = 1e-40, .noise = 1.0 },
	{ .name = "below the least level", .level = 1e-9, .noise = 1.0, .later = 0.01 },
	{ .name = "powers below all floats", .level = 1e-20, .noise = 1.0, .later = 0.01 },
	{ .name = "around digital silence", .level = 1e-7, .noise = 1.0, .later = 0.01 },
	{ .name = "silence" },
};

static double random_at(uint64_t seed)
{
	seed = (seed + 0x9e3779b97f4a7c15u) * 0xbf58476d1ce4e5b9u;
	seed = (seed ^ seed >> 27) * 0x94d049bb133111ebu;
	return (double)((seed ^ seed >> 31) >> 11) / 4503599627370496.0 - 1.0;
}

static double level_at(const struct sound *sound, double time)
{
	double level = sound->level * pow(10.0, -sound->decay * time / 20.0);

	if (time >= 3.0)
		level *= pow(10.0, sound->step_db / 20.0);
	if (sound->gate > 0.0 && fmod(time, 2.0 * sound->gate) >= sound->gate)
		level = 0.0;
	return sound->ends > 0.0 && time >= sound->ends ? 0.0 : level;
}

/* Is this the frame in which a pulse of that rate begins? */
static bool begins(double hz, int64_t frame, uint32_t rate)
{
	return hz > 0.0 &&
	       floor(hz * (double)frame / rate) != floor(hz * (double)(frame - 1) / rate);
}

static float sample_of(const struct sound *sound, uint32_t m, int64_t frame, uint32_t rate)
{
	const int64_t at = frame - (int64_t)(m * sound->later * rate);
	const double time = (double)at / rate;
	double sum = sound->constant;

	if (at < 0)
		return 0.0f;
	for (int i = 0; i < 4; i++)
		if (sound->hz[i] > 0.0)
			sum += 0.25 *
			       sin(2.0 * M_PI *
				   fmod((sound->hz[i] + 0.5 * (i == 0) * sound->sweep_hz * time) *
						time,
					1.0));
	sum += sound->noise * random_at((uint64_t)at);
	sum += sound->own * random_at((uint64_t)at ^ (uint64_t)(m + 1) << 40);
	sum += begins(sound->click_hz, at, rate);
	if (sound->square_hz > 0.0)
		sum += sound->square_hz > rate			  ? at % 2 ? 1.0 : -1.0
		       : fmod(sound->square_hz * time, 1.0) < 0.5 ? 1.0
								  : -1.0;
	if (m > 0 && sound->other_gain != 0.0)
		sum *= sound->other_gain;
	return (float)(sum * level_at(sound, time));
}

/* A unit, and what goes in and comes out in one run. */
static struct {
	const struct weir_unit *unit;
	void *state;
	uint32_t rate, n_mics;
	struct weir_reports *reports;
	float audio[WEIR_MAX_PORTS][MAX_RUN], control[WEIR_MAX_PORTS];
	float *port[WEIR_MAX_PORTS];
	float loudest;
	const char *what;
} rig;

static void rig_begin(const char *unit, uint32_t rate)
{
	rig.unit = weir_unit_find(unit);
	rig.rate = rate;
	rig.n_mics = 0;
	rig.loudest = 0.0f;
	rig.state = rig.unit->create(rate);
	rig.reports = weir_reports_create(rig.unit, rate);
	CHECK(rig.state && rig.reports);
	for (uint32_t i = 0; i < rig.unit->n_ports; i++) {
		const struct weir_port *port = &rig.unit->ports[i];

		rig.control[i] = port->def;
		rig.n_mics += port->type == WEIR_AUDIO_IN;
		rig.port[i] = port->type <= WEIR_AUDIO_OUT ? rig.audio[i] : &rig.control[i];
	}
}

static void rig_end(void)
{
	rig.unit->destroy(rig.state);
	free(rig.reports);
}

static void fail(const char *what, const char *name, double value)
{
	fprintf(stderr, "%s at %u Hz, %s: %s %s is %g\n", rig.unit->name, rig.rate, rig.what, what,
		name, value);
	exit(EXIT_FAILURE);
}

static void meters_check(void)
{
	for (uint32_t i = 0; i < rig.unit->n_ports; i++) {
		const struct weir_port *port = &rig.unit->ports[i];

		if (port->type == WEIR_CONTROL_OUT &&
		    !(rig.control[i] >= port->min && rig.control[i] <= port->max))
			fail("meter", port->name, (double)rig.control[i]);
	}
}

/* Of the values that a report and a saved state have. */
static const struct range {
	const char *name;
	float min, max;
	bool may_be_unknown;
} ranges[] = {
	{ "delay_s", -1.5f, 1.5f, true },	  { "sro_ppm", -1600.0f, 1600.0f, true },
	{ "locked", 0.0f, 1.0f, false },	  { "confidence", 0.0f, 1.0f, false },
	{ "polarity", -1.0f, 1.0f, true },	  { "state", 0.0f, 3.0f, false },
	{ "weight", -MAX_GAIN, MAX_GAIN, false }, { "snr", -20.0f, 60.0f, false },
};

static void value_check(const struct weir_field *field, float value, const char *what)
{
	const struct range *range = ranges;

	while (strncmp(field->name, range->name, strlen(range->name)) != 0)
		CHECK(++range < ranges + sizeof(ranges) / sizeof(ranges[0]));
	if (!(value >= range->min && value <= range->max) &&
	    !(range->may_be_unknown && isnan(value)))
		fail(what, field->name, (double)value);
}

static void fields_check(const struct weir_field *fields, uint32_t n, const float *value,
			 const char *what)
{
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t j = 0; j < fields[i].count; j++)
			value_check(&fields[i], *value++, what);
}

static void saved_state_check(void)
{
	float saved[WEIR_MAX_STATE_VALUES];

	rig.unit->save_state(rig.state, saved);
	fields_check(rig.unit->state_fields, rig.unit->n_state_fields, saved, "saved state");
}

static void output_check(const float *out, uint32_t n)
{
	for (uint32_t f = 0; f < n; f++)
		if (!(fabsf(out[f]) <= MAX_GAIN * rig.loudest))
			fail("a sample of", "the output", (double)out[f]);
}

static void run_checked(uint32_t n)
{
	for (uint32_t m = 0; m < rig.n_mics; m++)
		for (uint32_t f = 0; f < n; f++)
			rig.loudest = fmaxf(rig.loudest, fabsf(rig.audio[m][f]));
	weir_unit_run(rig.unit, rig.state, rig.port, n, rig.reports);
	output_check(rig.audio[rig.n_mics], n);
	meters_check();
	for (uint32_t i = 0; i < rig.reports->n; i++)
		fields_check(rig.unit->fields, rig.unit->n_fields, rig.reports->report[i].value,
			     "report");
	saved_state_check();
}

static void check_sound(const struct sound *sound, double seconds)
{
	const int64_t n_frames = (int64_t)(seconds * rig.rate);

	rig.what = sound->name;
	for (int64_t frame = 0; frame < n_frames;) {
		const uint32_t n =
			n_frames - frame < MAX_RUN ? (uint32_t)(n_frames - frame) : MAX_RUN;

		for (uint32_t m = 0; m < rig.n_mics; m++)
			for (uint32_t f = 0; f < n; f++)
				rig.audio[m][f] = sample_of(sound, m, frame + f, rig.rate);
		run_checked(n);
		frame += n;
	}
}

static void test_any_sound_keeps_all_ranges(void)
{
	static const uint32_t rates[] = { 8000, 44100, 48000 };

	for (size_t r = 0; r < sizeof(rates) / sizeof(rates[0]); r++)
		for (size_t i = 0; i < sizeof(sounds) / sizeof(sounds[0]); i++) {
			rig_begin("align", rates[r]);
			check_sound(&sounds[i], 6.0);
			rig_end();
		}
}

static void test_a_tone_keeps_all_ranges_at_all_rates(void)
{
	static const struct sound tone = { .name = "a tone", .level = 0.125, .hz = { 1000.0 } };
	static const uint32_t rates[] = { 11025, 16000,	 22050,	 24000,	 32000, 88200,
					  96000, 176400, 192000, 352800, 384000 };

	for (size_t r = 0; r < sizeof(rates) / sizeof(rates[0]); r++) {
		rig_begin(r % 2 ? "align-4" : "align", rates[r]);
		check_sound(&tone, 5.0);
		rig_end();
	}
}

static double random_of(uint64_t *seed, double least, double most)
{
	*seed += 1;
	return least + (most - least) * (0.5 + 0.5 * random_at(*seed));
}

static bool is_chosen(uint64_t *seed, double share)
{
	return random_of(seed, 0.0, 1.0) < share;
}

static struct sound sound_mixed(uint64_t *seed)
{
	struct sound sound = { .name = "a mix", .level = pow(10.0, random_of(seed, -8.0, 2.0)) };

	for (int i = 0; i < 4; i++)
		if (is_chosen(seed, 0.4))
			sound.hz[i] = is_chosen(seed, 0.5)
					      ? 62.5 * floor(random_of(seed, 1.0, 100.0))
					      : random_of(seed, 20.0, 7000.0);
	if (is_chosen(seed, 0.5))
		sound.noise = pow(10.0, random_of(seed, -7.0, 0.0));
	if (is_chosen(seed, 0.3))
		sound.own = pow(10.0, random_of(seed, -7.0, 0.0));
	if (is_chosen(seed, 0.1))
		sound.constant = random_of(seed, -1.0, 1.0);
	if (is_chosen(seed, 0.2))
		sound.click_hz = random_of(seed, 0.3, 300.0);
	if (is_chosen(seed, 0.1))
		sound.square_hz = random_of(seed, 1.0, 20000.0);
	if (is_chosen(seed, 0.2))
		sound.sweep_hz = random_of(seed, -1000.0, 1000.0);
	if (is_chosen(seed, 0.3))
		sound.decay = random_of(seed, 0.0, 300.0);
	if (is_chosen(seed, 0.3))
		sound.gate = random_of(seed, 0.01, 1.0);
	if (is_chosen(seed, 0.3))
		sound.step_db = random_of(seed, -200.0, 60.0);
	if (is_chosen(seed, 0.6))
		sound.later = random_of(seed, 0.0, 0.4);
	if (is_chosen(seed, 0.4))
		sound.other_gain =
			(is_chosen(seed, 0.5) ? -1.0 : 1.0) * pow(10.0, random_of(seed, -4.0, 1.0));
	return sound;
}

/* Of all inputs: some are out of range, or no number. */
static void controls_change(uint64_t *seed)
{
	for (uint32_t i = 0; i < rig.unit->n_ports; i++) {
		const struct weir_port *port = &rig.unit->ports[i];
		const double room = 0.1 * (double)(port->max - port->min);

		if (port->type != WEIR_CONTROL_IN || is_chosen(seed, 0.7))
			continue;
		rig.control[i] =
			(float)random_of(seed, (double)port->min - room, (double)port->max + room);
		if (is_chosen(seed, 0.05))
			rig.control[i] = NAN;
	}
}

static void restore_anything(uint64_t *seed)
{
	float saved[WEIR_MAX_STATE_VALUES];

	for (uint32_t i = 0; i < WEIR_MAX_STATE_VALUES; i++)
		saved[i] = (float)(is_chosen(seed, 0.5) ? floor(random_of(seed, -1.0, 2.0))
							: random_of(seed, -2.0, 2.0));
	rig.unit->restore_state(rig.state, saved);
}

static void test_any_mix_under_any_controls_keeps_all_ranges(void)
{
	static const uint32_t rates[] = { 8000, 12000, 22050, 44100, 48000 };
	uint64_t seed = 1;

	for (int i = 0; i < 60; i++) {
		rig_begin(i % 3 ? "align" : "align-4", rates[i % 5]);
		restore_anything(&seed);
		for (int part = 0; part < 4; part++) {
			const struct sound sound = sound_mixed(&seed);

			if (part > 0)
				controls_change(&seed);
			if (is_chosen(&seed, 0.1))
				rig.unit->reset(rig.state);
			check_sound(&sound, random_of(&seed, 0.2, 6.0));
		}
		rig_end();
	}
}

int main(void)
{
	test_any_sound_keeps_all_ranges();
	test_a_tone_keeps_all_ranges_at_all_rates();
	test_any_mix_under_any_controls_keeps_all_ranges();
	return 0;
}
