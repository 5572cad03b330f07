/* SPDX-License-Identifier: MIT */

/* What dsp/align/align.h promises, with microphones whose delay and drift are known exactly. */

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "../dsp/unit.h"
#include "check.h"
#include "realtime.h"

#define RATE 48000
#define MAX_MICS 4
#define MAX_FRAMES (33 * RATE) /* 8 seconds at 192 kHz */
#define MARGIN (2 * RATE)      /* frames of the source before the first and after the last one */
#define BLOCK 480
#define PI 3.14159265358979323846

#define LEVEL 0.1     /* of the source, rms */
#define QUIET_DB 30.0 /* source over noise, where noise is not what a test is about */
#define DELAY_MS 123.4
#define DELAY_FRAMES 5923 /* and a fifth */
#define EXACT_MS 0.02	  /* 1 frame is 0.021 ms */

static uint32_t rate = RATE;
static float source[MAX_FRAMES + 2 * MARGIN];

/* Of each microphone: the source in it, its own noise, and the sum of them. */
static float heard[MAX_MICS][MAX_FRAMES], noise[MAX_MICS][MAX_FRAMES], mic[MAX_MICS][MAX_FRAMES];
static float output[MAX_FRAMES];

/* What sounds in microphone 1 at t sounds here at t + delay + drift * t. */
struct place {
	double delay_ms, drift_ppm, gain, snr_db;
};

static struct place later(double delay_ms)
{
	return (struct place){ .delay_ms = delay_ms, .gain = 1.0, .snr_db = QUIET_DB };
}

/* From -1 to 1. */
static double random_get(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (double)(*seed >> 32) / 2147483648.0 - 1.0;
}

/*
 * Speech, as far as it matters here: noise from 150 Hz to 2 kHz, in syllables of 150 ms that are 30
 * to 150 ms apart, with a breath after every eighth.
 */
static void source_fill(uint64_t seed)
{
	const uint32_t n = MAX_FRAMES + 2 * MARGIN, n_syllable = rate * 3 / 20;
	const double high = 1.0 - exp(-2.0 * PI * 2000.0 / rate);
	const double low = 1.0 - exp(-2.0 * PI * 150.0 / rate);
	double once = 0.0, twice = 0.0, hum = 0.0, level = 0.0, sum = 0.0;

	for (uint32_t f = 0, begin = 0, end = 0, n_syllables = 0; f < n; f++) {
		if (f == end) {
			const double breath = n_syllables++ % 8 ? 0.0 : 0.4;

			level = 0.65 + 0.35 * random_get(&seed);
			begin = end;
			end += (uint32_t)((0.24 + 0.06 * random_get(&seed) + breath) * rate);
		}

		const uint32_t since = f - begin;
		const double swell = since < n_syllable ? sin(PI * since / n_syllable) : 0.0;

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
	const double turn = 2.0 * PI / TAPS, twice_cos = 2.0 * cos(turn);
	double t = -(TAPS / 2 - 1) - fraction, sum = 0.0;
	double here = cos(turn * t), before = cos(turn * (t - 1.0));
	double sine = sin(PI * t) / PI;

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

/* From one frame of the microphone to another. */
static void mic_hear(uint32_t m, struct place place, uint32_t from, uint32_t to)
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

/* The unit that hears the microphones. */
static const struct weir_unit *unit;
static void *state;
static uint32_t next_frame;
static float control[WEIR_MAX_PORTS];

/* A new one, in place of the one before. */
static void unit_begin(const char *name)
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

/* Two microphones that hear the same, and the unit that is to find that. */
static void scene_begin(struct place second, uint32_t seconds)
{
	source_fill(1);
	mic_hear(0, later(0.0), 0, seconds * rate);
	mic_hear(1, second, 0, seconds * rate);
	unit_begin("align");
}

static uint32_t port_named(const char *name)
{
	uint32_t i = 0;

	while (i < unit->n_ports && strcmp(unit->ports[i].name, name) != 0)
		i++;
	CHECK(i < unit->n_ports);
	return i;
}

static double get(const char *name)
{
	return (double)control[port_named(name)];
}

static void set(const char *name, double value)
{
	control[port_named(name)] = (float)value;
}

static double choice(const char *name, const char *its_name)
{
	const struct weir_port *port = &unit->ports[port_named(name)];
	int i = 0;

	while (i < (int)port->max && strcmp(port->choices[i], its_name) != 0)
		i++;
	CHECK(strcmp(port->choices[i], its_name) == 0);
	return i;
}

/* What finds and follows is at work here, and may not allocate either. */
static void run(uint32_t to)
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

static bool is_near(double value, double wanted, double tolerance)
{
	return fabs(value - wanted) <= tolerance;
}

static void run_until_found(uint32_t to, double delay_ms)
{
	run(to);
	CHECK(get("locked") == 1.0);
	CHECK(is_near(get("delay-ms"), delay_ms, EXACT_MS));
}

static void run_while_not_found(uint32_t to)
{
	while (next_frame < to) {
		run(next_frame + RATE / 10);
		CHECK(get("locked") == 0.0);
	}
}

static double product(const float *x, const float *y, uint32_t n)
{
	double sum = 0.0;

	for (uint32_t i = 0; i < n; i++)
		sum += (double)x[i] * (double)y[i];
	return sum;
}

/* What a part of a sound is multiplied by in it: the projection. */
static double part_of(const float *sound, const float *part, uint32_t n)
{
	return product(sound, part, n) / product(part, part, n);
}

static double part_db(const float *sound, const float *part, uint32_t n)
{
	return 20.0 * log10(part_of(sound, part, n));
}

/* A part over all else that sounds. */
static double snr_db(const float *sound, const float *part, uint32_t n)
{
	const double signal = product(sound, part, n) * part_of(sound, part, n);

	return 10.0 * log10(signal / (product(sound, sound, n) - signal));
}

/* What became of the sound in microphone 1 from that frame on. */
static const float *output_of(uint32_t from)
{
	return output + from + (uint32_t)get("latency");
}

/* The frames by which the output is later than the sound: where it resembles it most. */
static uint32_t latency_measured(const float *sound, uint32_t from, uint32_t n, uint32_t most)
{
	uint32_t best = 0;
	double most_alike = 0.0;

	for (uint32_t lag = 0; lag <= most; lag++) {
		const double alike = product(output + from + lag, sound + from, n);

		if (alike > most_alike) {
			most_alike = alike;
			best = lag;
		}
	}
	return best;
}

static void check_found(double delay_ms)
{
	scene_begin(later(delay_ms), 8);
	run(4 * rate);
	CHECK(get("locked") == 1.0);
	run_until_found(8 * rate, delay_ms);
	CHECK(get("state") == choice("state", "locked"));
	CHECK(get("polarity") == 1.0);
}

static void test_a_delay_is_found_in_four_seconds(void)
{
	check_found(DELAY_MS);
	check_found(-456.7);
}

static void test_a_delay_is_found_at_other_rates(void)
{
	static const uint32_t rates[] = { 8000, 16000, 44100, 96000, 192000 };

	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		rate = rates[i];
		check_found(DELAY_MS);
	}
	rate = RATE;
}

static void check_followed(double drift_ppm)
{
	scene_begin((struct place){ DELAY_MS, drift_ppm, 1.0, QUIET_DB }, 25);
	run_until_found(25 * RATE, DELAY_MS + drift_ppm * 25e-3);
	CHECK(is_near(get("drift-ppm"), drift_ppm, 1.0));
}

static void test_a_drift_is_found_and_followed(void)
{
	check_followed(100.0);
	check_followed(-300.0);
}

/* Were it added as it is, both would cancel. 0.5 dB is half of what can be heard. */
static void test_an_upside_down_microphone_is_turned(void)
{
	scene_begin((struct place){ DELAY_MS, 0.0, -1.0, QUIET_DB }, 14);
	run_until_found(14 * RATE, DELAY_MS);
	CHECK(get("polarity") == -1.0);
	CHECK(get("weight-1") > 0.3 && get("weight-2") < -0.3);
	CHECK(is_near(part_db(output_of(10 * RATE), mic[0] + 10 * RATE, 3 * RATE), 0.0, 0.5));
}

/* Steady noise gives no reason to prefer the other one. It comes out of silence in 5 ms. */
static void test_microphone_1_is_heard_while_nothing_is_found(void)
{
	const uint32_t from = RATE / 100, n = 19 * RATE;

	scene_begin((struct place){ .gain = 0.0 }, 20);
	mic_hear(0, (struct place){ .gain = 0.0 }, 0, 20 * RATE);
	run_while_not_found(20 * RATE);
	CHECK(memcmp(output_of(from), mic[0] + from, n * sizeof(float)) == 0);
}

static void test_unrelated_sources_are_not_aligned(void)
{
	scene_begin(later(DELAY_MS), 20);
	source_fill(2);
	mic_hear(1, later(DELAY_MS), 0, 20 * RATE);
	run_while_not_found(20 * RATE);
}

static void check_latency(double delay_ms)
{
	scene_begin(later(delay_ms), 16);
	run_until_found(16 * RATE, delay_ms);

	const uint32_t latency = (uint32_t)get("latency");

	CHECK(latency_measured(mic[0], 13 * RATE, 2 * RATE, latency + 200) == latency);
	CHECK(latency <= fmax(0.0, delay_ms / 1000.0 * RATE) + 64.0);
}

static void test_declared_latency_is_measured_when_locked(void)
{
	check_latency(20.3);
	check_latency(-20.3);
}

/* How much more SNR the output has than the better microphone. */
static double snr_won_db(double snr_1_db, double snr_2_db)
{
	const uint32_t from = 12 * RATE, n = 10 * RATE;

	scene_begin((struct place){ DELAY_MS, 0.0, 1.0, snr_2_db }, 23);
	mic_hear(0, (struct place){ 0.0, 0.0, 1.0, snr_1_db }, 0, 23 * RATE);
	run_until_found(23 * RATE, DELAY_MS);
	return snr_db(output_of(from), heard[0] + from, n) -
	       fmax(snr_db(mic[0] + from, heard[0] + from, n),
		    snr_db(mic[1] + from, heard[1] + from, n));
}

/* Two equal and independent noises: 3.01 dB at most. */
static void test_two_microphones_are_better_than_one(void)
{
	CHECK(snr_won_db(10.0, 10.0) >= 2.3);
}

/* At equal parts 4.4 dB would be lost. With the best weights 0.41 dB are won. */
static void test_a_noisier_microphone_does_no_harm(void)
{
	CHECK(snr_won_db(20.0, 10.0) >= -0.2);
	CHECK(get("weight-1") > 2.0 * get("weight-2"));
	CHECK(snr_won_db(10.0, 20.0) >= -0.2);
	CHECK(get("weight-2") > 2.0 * get("weight-1"));
}

static double largest_step(const float *sound, uint32_t n)
{
	double step = 0.0;

	for (uint32_t i = 1; i < n; i++)
		step = fmax(step, fabs((double)sound[i] - (double)sound[i - 1]));
	return step;
}

/* Where a cut would click most. There is no breath of 0.75 s. */
static uint32_t loudest_frame(const float *sound, uint32_t from)
{
	uint32_t loudest = from;

	for (uint32_t f = from; f < from + RATE * 3 / 4; f++)
		if (fabsf(sound[f]) > fabsf(sound[loudest]))
			loudest = f;
	return loudest;
}

/*
 * One microphone is off for three seconds, without a click, and found again three seconds later.
 * Returns the frame of microphone 1 at which that began.
 */
static uint32_t run_with_gap(uint32_t m)
{
	const uint32_t from = loudest_frame(mic[m], 15 * RATE), to = from + 3 * RATE;
	const uint32_t sooner = m == 0 ? 0 : DELAY_FRAMES, around = RATE / 50;
	const double usual_step = largest_step(mic[0], 15 * RATE);

	memset(mic[m] + from, 0, (to - from) * sizeof(float));
	run_until_found(from, DELAY_MS);

	const double latency = get("latency");

	run(to);
	CHECK(get("state") == choice("state", "one-mic"));
	run_until_found(to + 3 * RATE, DELAY_MS);
	CHECK(get("latency") == latency);
	CHECK(largest_step(output_of(from - sooner - around), 2 * around) <= usual_step);
	CHECK(largest_step(output_of(to - sooner - around), 2 * around) <= usual_step);
	return from - sooner;
}

static void test_a_silent_microphone_2_leaves_microphone_1(void)
{
	scene_begin(later(DELAY_MS), 23);

	const uint32_t from = run_with_gap(1);

	CHECK(is_near(part_db(output_of(from), mic[0] + from, 3 * RATE), 0.0, 0.1));
}

static void test_a_silent_microphone_1_leaves_microphone_2_as_loud(void)
{
	scene_begin((struct place){ DELAY_MS, 0.0, 0.5, QUIET_DB }, 23);

	const uint32_t from = run_with_gap(0), most = DELAY_FRAMES + 200;

	CHECK(is_near(part_db(output_of(from), heard[0] + from, 3 * RATE), 0.0, 0.5));
	CHECK(is_near(latency_measured(heard[0], from + RATE, RATE, most), get("latency"), 1.0));
}

static void test_another_delay_after_silence_is_found(void)
{
	scene_begin(later(DELAY_MS), 18);
	memset(mic[1] + 12 * RATE, 0, 3 * RATE * sizeof(float));
	mic_hear(1, later(DELAY_MS + 37.0), 15 * RATE, 18 * RATE);
	run_until_found(12 * RATE, DELAY_MS);
	run_until_found(18 * RATE, DELAY_MS + 37.0);
}

/* Through what is unrelated, and through what would be found elsewhere. */
static void test_hold_keeps_the_delay(void)
{
	scene_begin(later(DELAY_MS), 26);
	mic_hear(1, later(DELAY_MS + 37.0), 20 * RATE, 26 * RATE);
	source_fill(2);
	mic_hear(1, later(DELAY_MS), 10 * RATE, 20 * RATE);
	run_until_found(10 * RATE, DELAY_MS);
	set("hold", 1.0);
	run_until_found(26 * RATE, DELAY_MS);
}

static void test_reset_forgets_the_delay(void)
{
	scene_begin(later(DELAY_MS), 12);
	run_until_found(8 * RATE, DELAY_MS);
	set("reset", 1.0);
	run(8 * RATE + BLOCK);
	CHECK(get("locked") == 0.0 && get("delay-ms") == 0.0);
	CHECK(get("state") == choice("state", "searching"));
	run_until_found(12 * RATE, DELAY_MS);
}

static void test_delays_are_looked_for_up_to_the_limit(void)
{
	scene_begin(later(300.0), 12);
	set("lag-limit-ms", 100.0);
	run_while_not_found(12 * RATE);
	scene_begin(later(1200.0), 10);
	set("lag-limit-ms", 1500.0);
	run_until_found(10 * RATE, 1200.0);
}

/* Whole frames apart, so that each noise can be told in the output. */
static void test_average_takes_equal_parts_of_unequal_microphones(void)
{
	const uint32_t from = 15 * RATE, n = 5 * RATE, delay = 1000;
	const double delay_ms = 1000.0 * delay / RATE;

	scene_begin((struct place){ delay_ms, 0.0, 1.0, 15.0 }, 21);
	run_until_found(12 * RATE, delay_ms);
	CHECK(get("weight-1") > 2.0 * get("weight-2"));
	set("weight", choice("weight", "average"));
	run(21 * RATE);
	CHECK(is_near(get("weight-1"), 0.5, 0.02) && is_near(get("weight-2"), 0.5, 0.02));

	const float *sound = output_of(from);

	CHECK(is_near(part_of(sound, noise[0] + from, n), 0.5, 0.05));
	CHECK(is_near(part_of(sound, noise[1] + from + delay, n), 0.5, 0.05));
}

static void test_three_delays_are_found_at_once(void)
{
	scene_begin(later(50.5), 10);
	mic_hear(2, later(-120.3), 0, 10 * RATE);
	mic_hear(3, later(310.7), 0, 10 * RATE);
	unit_begin("align-4");
	run(10 * RATE);
	CHECK(get("locked-2") == 1.0 && get("locked-3") == 1.0 && get("locked-4") == 1.0);
	CHECK(is_near(get("delay-ms-2"), 50.5, EXACT_MS));
	CHECK(is_near(get("delay-ms-3"), -120.3, EXACT_MS));
	CHECK(is_near(get("delay-ms-4"), 310.7, EXACT_MS));
}

/* What is in the output besides the source. */
static double largest_rest(uint32_t from, uint32_t to)
{
	const float *sound = output_of(0);
	double rest = 0.0;

	for (uint32_t f = from; f < to; f++)
		rest = fmax(rest, fabs((double)sound[f] - (double)heard[0][f]));
	return rest;
}

/*
 * Both hear the same, so only noise changes: the mean of two becomes that of one, twice at most.
 * With a drift, dropouts begin anywhere between the frames of the other microphone.
 */
static void check_dropouts(uint32_t m, double drift_ppm)
{
	scene_begin((struct place){ DELAY_MS, drift_ppm, 1.0, QUIET_DB }, 24);
	for (uint32_t f = 15 * RATE; f < 23 * RATE; f += RATE / 2)
		memset(mic[m] + loudest_frame(mic[m], f), 0, RATE / 20 * sizeof(float));
	run(24 * RATE);
	CHECK(largest_rest(15 * RATE, 23 * RATE) <= 2.0 * largest_rest(12 * RATE, 14 * RATE));
}

static void test_dropouts_are_not_heard(void)
{
	check_dropouts(0, 0.0);
	check_dropouts(1, 100.0);
}

/* Neither as loud as microphone 1 nor where that has the same sound. */
static void test_one_microphone_can_be_heard_as_it_is(void)
{
	const uint32_t from = 10 * RATE, n = 2 * RATE;

	scene_begin((struct place){ DELAY_MS, 0.0, 0.5, QUIET_DB }, 13);
	run_until_found(8 * RATE, DELAY_MS);
	set("weight", choice("weight", "mic-2"));
	run(13 * RATE);

	const uint32_t lag = latency_measured(mic[1], from, n, 8000);

	CHECK(memcmp(output + from + lag, mic[1] + from, n * sizeof(float)) == 0);
}

int main(void)
{
	test_a_delay_is_found_in_four_seconds();
	test_a_delay_is_found_at_other_rates();
	test_a_drift_is_found_and_followed();
	test_an_upside_down_microphone_is_turned();
	test_microphone_1_is_heard_while_nothing_is_found();
	test_unrelated_sources_are_not_aligned();
	test_declared_latency_is_measured_when_locked();
	test_two_microphones_are_better_than_one();
	test_a_noisier_microphone_does_no_harm();
	test_a_silent_microphone_2_leaves_microphone_1();
	test_a_silent_microphone_1_leaves_microphone_2_as_loud();
	test_another_delay_after_silence_is_found();
	test_hold_keeps_the_delay();
	test_reset_forgets_the_delay();
	test_delays_are_looked_for_up_to_the_limit();
	test_average_takes_equal_parts_of_unequal_microphones();
	test_three_delays_are_found_at_once();
	test_dropouts_are_not_heard();
	test_one_microphone_can_be_heard_as_it_is();
	unit->destroy(state);
	return 0;
}
