/* SPDX-License-Identifier: MIT */

/* What dsp/pitch/pitch.h promises. */

#include <complex.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "check.h"
#include "dsp/pitch/pitch.h"
#include "realtime.h"

#define RATE 48000
#define SECONDS 3
#define N_FRAMES (RATE * SECONDS)
#define N_TONES 6

static const double tone_hz[N_TONES] = { 110.0, 392.0, 880.0, 1976.0, 4430.0, 9960.0 };
static const double tone_level[N_TONES] = { 0.2, 0.15, 0.1, 0.06, 0.04, 0.03 };
static const double tone_phase_apart[N_TONES] = { 0.0, 1.5, -0.7, 3.0, -1.5, 0.7 }; /* L to R */

static float input[2][N_FRAMES], output[2][N_FRAMES];

/* Semitones as they change over a run. */
struct course {
	float from, to;
	uint32_t change_frame; /* from here on `to` */
	bool formant;
};

/* As a host has them that sets nothing. */
static float cents, mix = 100.0f, mode = PITCH_BALANCED, glide_ms = 100.0f;

/* Runs n frames from frame f on; returns the latency. */
static uint32_t run_block(void *state, uint32_t f, uint32_t n, float semitones, bool keep_formants,
			  struct weir_reports *reports)
{
	float formant = keep_formants, latency = -1.0f;
	float *port[] = { input[0] + f, input[1] + f, output[0] + f, output[1] + f,
			  &semitones,	&formant,     &cents,	     &mix,
			  &mode,	&glide_ms,    &latency };

	weir_unit_run(&weir_pitch, state, port, n, reports);
	return (uint32_t)latency;
}

/* Runs the whole input, 64 frames at a time; returns the latency. */
static uint32_t run(struct course course)
{
	void *state = weir_pitch.create(RATE);
	uint32_t latency = 0;

	CHECK(state);
	for (uint32_t f = 0; f < N_FRAMES; f += 64)
		latency = run_block(state, f, 64, f < course.change_frame ? course.from : course.to,
				    course.formant, NULL);
	CHECK(latency == run_block(state, 0, 0, 0.0f, false, NULL));
	weir_pitch.destroy(state);
	return latency;
}

static void input_clear(void)
{
	memset(input, 0, sizeof(input));
}

static void input_fill_noise(uint32_t from, uint32_t to, float level)
{
	uint32_t seed = 5;

	for (uint32_t f = from; f < to; f++)
		for (int c = 0; c < 2; c++) {
			seed = seed * 1664525u + 1013904223u;
			input[c][f] = level * ((float)seed / 2147483648.0f - 1.0f);
		}
}

static void input_fill_tones(int n_tones)
{
	input_clear();
	for (int i = 0; i < n_tones; i++)
		for (uint32_t f = 0; f < N_FRAMES; f++) {
			const double phase = 2.0 * M_PI * tone_hz[i] * f / RATE;

			input[0][f] += (float)(tone_level[i] * sin(phase));
			input[1][f] += (float)(tone_level[i] * sin(phase + tone_phase_apart[i]));
		}
}

/*
 * Amplitude and phase of a tone, seen through a Hann window of 0.2 s. Tones 100 Hz
 * apart are 20 bins apart in it and leak less than -90 dB into each other.
 */
#define SPAN 9600

static double hann(uint32_t i)
{
	return 0.5 - 0.5 * cos(2.0 * M_PI * (i + 0.5) / SPAN);
}

static double complex tone_at(const float *sound, uint32_t from, double hz)
{
	double complex sum = 0.0;

	for (uint32_t i = 0; i < SPAN; i++)
		sum += sound[from + i] * hann(i) * cexp(-2.0 * M_PI * I * hz * (from + i) / RATE);
	return sum * 4.0 / SPAN;
}

/* The deviation of a tone from its ideal frequency, in cents, from the phase half a second on. */
static double cents_off(const float *sound, uint32_t from, double hz)
{
	const double complex a = tone_at(sound, from, hz);
	const double complex b = tone_at(sound, from + RATE / 2, hz);

	return 1200.0 / log(2.0) * carg(b / a) / (2.0 * M_PI * 0.5) / hz;
}

/* Signal over all that is no tone, dB. */
static double sinad(const float *sound, uint32_t from, double ratio)
{
	static double rest[SPAN];
	double all = 0.0, bad = 0.0;

	for (uint32_t i = 0; i < SPAN; i++) {
		rest[i] = sound[from + i];
		all += rest[i] * rest[i] * hann(i) * hann(i);
	}
	for (int t = 0; t < N_TONES; t++) {
		const double complex a = tone_at(sound, from, tone_hz[t] * ratio);

		for (uint32_t i = 0; i < SPAN; i++)
			rest[i] -= creal(
				a * cexp(2.0 * M_PI * I * tone_hz[t] * ratio * (from + i) / RATE));
	}
	for (uint32_t i = 0; i < SPAN; i++)
		bad += rest[i] * rest[i] * hann(i) * hann(i);
	return 10.0 * log10(all / bad);
}

/* 0.1 cent is a hundredth of what a trained ear tells apart; 30 dB is the aim of the unit. */
static void check_tones(float semitones)
{
	const double ratio = pow(2.0, (double)semitones / 12.0);

	run((struct course){ .from = semitones, .to = semitones });
	for (int t = 0; t < N_TONES; t++)
		CHECK(fabs(cents_off(output[0], RATE, tone_hz[t] * ratio)) <= 0.1);
	CHECK(sinad(output[0], RATE, ratio) >= 30.0);
	CHECK(sinad(output[1], RATE, ratio) >= 30.0);
}

static void test_tones_have_the_right_pitch_and_stay_clean(void)
{
	input_fill_tones(N_TONES);
	check_tones(-12.0f);
	check_tones(-7.0f);
	check_tones(-3.0f);
	check_tones(4.0f);
}

/* Both channels are turned by one angle, so only what is no tone disturbs: -30 dB are 1.8 degrees.
 */
static void test_phase_between_channels_is_kept(void)
{
	const double ratio = pow(2.0, 4.0 / 12.0);

	input_fill_tones(N_TONES);
	run((struct course){ .from = 4.0f, .to = 4.0f });
	for (int t = 0; t < N_TONES; t++) {
		const double complex l = tone_at(output[0], RATE, tone_hz[t] * ratio);
		const double complex r = tone_at(output[1], RATE, tone_hz[t] * ratio);
		const double complex off = r / l * cexp(-I * tone_phase_apart[t]);

		CHECK(fabs(carg(off)) < 1.8 * M_PI / 180.0);
		CHECK(fabs(20.0 * log10(cabs(off))) < 0.3);
	}
}

static bool is_delayed(uint32_t from, uint32_t latency)
{
	for (int c = 0; c < 2; c++)
		if (memcmp(output[c] + from, input[c] + from - latency,
			   (N_FRAMES - from) * sizeof(float)) != 0)
			return false;
	return true;
}

static void test_no_shift_is_a_plain_delay(void)
{
	input_fill_noise(0, N_FRAMES, 0.5f);
	const uint32_t latency = run((struct course){ .from = 0.0f });

	for (uint32_t f = 0; f < latency; f++)
		CHECK(output[0][f] == 0.0f && output[1][f] == 0.0f);
	CHECK(is_delayed(latency, latency));
}

/* From an octave the glide takes ln(12 / 0.001) = 9.4 time constants, 0.28 s; the rest 0.15 s. */
static void test_comes_back_to_a_plain_delay(void)
{
	input_fill_noise(0, N_FRAMES, 0.5f);
	const uint32_t latency =
		run((struct course){ .from = 12.0f, .to = 0.0f, .change_frame = RATE });

	CHECK(!is_delayed(RATE, latency));
	CHECK(is_delayed(RATE + RATE / 2, latency));
}

static void test_latency_is_at_most_forty_five_milliseconds(void)
{
	static const uint32_t rates[] = { 8000,	 11025, 16000,	22050,	32000,	44100, 48000,
					  88200, 96000, 176400, 192000, 352800, 384000 };

	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		void *state = weir_pitch.create(rates[i]);

		CHECK(state);

		const uint32_t latency = run_block(state, 0, 0, 0.0f, false, NULL);

		CHECK(latency > 0 && latency <= 0.045 * rates[i]);
		weir_pitch.destroy(state);
	}
}

/* The centre of the energy, in frames. */
static double energy_centre(const float *sound)
{
	double sum = 0.0, moment = 0.0;

	for (uint32_t f = 0; f < N_FRAMES; f++) {
		sum += (double)sound[f] * (double)sound[f];
		moment += (double)f * (double)sound[f] * (double)sound[f];
	}
	return moment / sum;
}

static void check_latency_is_measured(void)
{
	static const float shifts[] = { -12.0f, -7.0f, -3.0f, 0.0f, 4.0f, 7.0f, 12.0f };

	for (size_t i = 0; i < sizeof(shifts) / sizeof(shifts[0]); i++) {
		const uint32_t latency = run((struct course){ .from = shifts[i], .to = shifts[i] });
		const double measured = energy_centre(output[0]) - energy_centre(input[0]);

		CHECK(fabs(measured - latency) < 0.001 * RATE);
	}
}

static void test_declared_latency_is_that_of_a_click(void)
{
	input_clear();
	input[0][RATE + 11] = input[1][RATE + 11] = 0.5f;
	check_latency_is_measured();
}

static void test_declared_latency_is_that_of_a_slow_swell(void)
{
	input_clear();
	for (uint32_t i = 0; i < SPAN; i++)
		input[0][RATE + i] = input[1][RATE + i] =
			(float)(0.5 * hann(i) * sin(2.0 * M_PI * 440.0 * i / RATE));
	check_latency_is_measured();
}

/*
 * Fourth differences weigh a tone of amplitude a by (2 sin(omega / 2))^4, less than
 * 6e-4 here, and a jump of height h by at least 3. 30 % more pitch than intended is
 * granted to the glide; beyond that, a jump of -80 dB shows.
 */
static void check_no_click(float highest_semitones)
{
	double bound = 3.0 * 0.0001;

	for (int t = 0; t < 3; t++) {
		const double hz = tone_hz[t] * pow(2.0, (double)highest_semitones / 12.0) * 1.3;

		bound += tone_level[t] * pow(2.0 * sin(M_PI * hz / RATE), 4.0);
	}
	for (int c = 0; c < 2; c++)
		for (uint32_t f = RATE / 2; f < N_FRAMES; f++) {
			const float *y = output[c] + f;

			CHECK(fabs((double)y[0] - 4.0 * (double)y[-1] + 6.0 * (double)y[-2] -
				   4.0 * (double)y[-3] + (double)y[-4]) <= bound);
		}
}

static void test_steps_do_not_click(void)
{
	static const float steps[][2] = { { 0, 4 }, { 4, 0 }, { 4, -5 }, { -12, 12 }, { 0, -12 } };

	input_fill_tones(3);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		run((struct course){ steps[i][0], steps[i][1], RATE + 100, false });
		check_no_click(fmaxf(steps[i][0], steps[i][1]));
	}
}

static void check_no_click_in_sweep(double hz, float depth, float its_glide_ms)
{
	void *state = weir_pitch.create(RATE);

	CHECK(state);
	glide_ms = its_glide_ms;
	input_fill_tones(3);
	for (uint32_t f = 0; f < N_FRAMES; f += 32)
		run_block(state, f, 32, depth * (float)sin(2.0 * M_PI * hz * f / RATE), false,
			  NULL);
	check_no_click(depth);
	glide_ms = 100.0f;
	weir_pitch.destroy(state);
}

/* 20 Hz, an octave up and down: faster than hops follow. */
static void test_sweeps_through_zero_do_not_click(void)
{
	check_no_click_in_sweep(0.3, 3.0f, 100.0f);
	check_no_click_in_sweep(20.0, 12.0f, 100.0f);
	check_no_click_in_sweep(20.0, 12.0f, 0.0f);
}

static double energy(const float *sound, uint32_t from, uint32_t to)
{
	double sum = 0.0;

	for (uint32_t f = from; f < to; f++)
		sum += (double)sound[f] * (double)sound[f];
	return sum;
}

/* Noise that begins at once. The window alone would spread it over tens of ms before. */
static void test_nothing_sounds_before_an_attack(void)
{
	static const float shifts[] = { -7.0f, 4.0f, 12.0f };

	input_clear();
	input_fill_noise(RATE, RATE * 5 / 4, 0.5f);
	for (size_t i = 0; i < sizeof(shifts) / sizeof(shifts[0]); i++) {
		const uint32_t at =
			RATE + run((struct course){ .from = shifts[i], .to = shifts[i] });
		const double before = energy(output[0], at - RATE / 25, at - RATE * 3 / 1000);
		const double attack = energy(output[0], at - RATE * 3 / 1000, at + RATE / 25);

		CHECK(before < attack * pow(10.0, -2.5));
	}
}

/* 15 kHz would become 30 kHz and fold back to 18 kHz. -80 dB is as good as nothing. */
static void test_what_leaves_the_band_does_not_fold_back(void)
{
	input_clear();
	for (uint32_t f = 0; f < N_FRAMES; f++)
		input[0][f] = (float)(0.5 * sin(2.0 * M_PI * 15000.0 * f / RATE));
	run((struct course){ .from = 12.0f, .to = 12.0f });
	CHECK(energy(output[0], RATE, 2 * RATE) < energy(input[0], RATE, 2 * RATE) * 1e-8);
}

/* 0.5 dB is half of what can be heard. */
static void check_level_stays(const float *sound)
{
	const uint32_t span = RATE / 100;

	for (uint32_t f = RATE; f + span <= N_FRAMES; f += span)
		CHECK(fabs(10.0 * log10(energy(sound, f, f + span) / (span / 8.0))) < 0.5);
}

/* Were phases left as they are, the passage to the plain delay could cancel the tone. */
static void test_coming_back_to_zero_does_not_dip(void)
{
	input_clear();
	for (uint32_t f = 0; f < N_FRAMES; f++) {
		input[0][f] = (float)(0.5 * sin(2.0 * M_PI * 500.0 * f / RATE));
		input[1][f] = (float)(0.5 * sin(2.0 * M_PI * 700.0 * f / RATE));
	}
	for (int semitones = 1; semitones < 8; semitones++) {
		run((struct course){ .from = (float)semitones, .change_frame = RATE });
		check_level_stays(output[0]);
		check_level_stays(output[1]);
	}
}

static void test_silence_gives_zeros(void)
{
	input_clear();
	input_fill_noise(0, RATE, 0.5f);
	const uint32_t latency = run((struct course){ .from = 4.0f, .to = 4.0f });

	/* A window and the grains that reach into it. */
	for (uint32_t f = RATE + latency + RATE / 8; f < N_FRAMES; f++)
		CHECK(output[0][f] == 0.0f && output[1][f] == 0.0f);
}

/* Keeps the value of a field at each report, and NAN where it is not present. */
static uint32_t collect(struct course course, uint32_t field, float *value, uint32_t max)
{
	void *state = weir_pitch.create(RATE);
	struct weir_reports *reports = weir_reports_create(&weir_pitch, RATE);
	uint32_t n = 0;

	CHECK(state && reports);
	for (uint32_t f = 0; f < N_FRAMES; f += 480) {
		run_block(state, f, 480, f < course.change_frame ? course.from : course.to, false,
			  reports);
		CHECK(reports->n == 1 && reports->report[0].frame == 479 && n < max);
		value[n++] = reports->report[0].present >> field & 1
				     ? reports->report[0].value[field]
				     : NAN;
	}
	free(reports);
	weir_pitch.destroy(state);
	return n;
}

/* How far a glide has come, from 0 to 1. */
static double glided(double seconds)
{
	return 1.0 - exp(-3.0 * fmax(seconds, 0.0) / 0.1);
}

/* The glide moves in hops of 5.33 ms and waits for up to two of them: 11 ms at most. */
static void test_a_glide_covers_95_percent_in_its_time(void)
{
	static float semitones[N_FRAMES / 480];

	input_clear();
	collect((struct course){ .from = 0.0f, .to = 12.0f, .change_frame = RATE },
		PITCH_REPORT_SEMITONES, semitones, N_FRAMES / 480);
	CHECK(semitones[99] == 0.0f);
	for (int i = 0; i < 20; i++) {
		const double seconds = 0.01 * (i + 1), now = (double)semitones[100 + i];
		const double least = 12.0 * glided(seconds - 0.011) - 1e-3;
		const double most = 12.0 * glided(seconds + 0.0054) + 1e-3;

		CHECK(fabs(now - (least + most) / 2.0) <= (most - least) / 2.0);
	}
	CHECK(semitones[N_FRAMES / 480 - 1] == 12.0f);
}

static void test_first_run_starts_at_the_target(void)
{
	static float semitones[N_FRAMES / 480];

	input_clear();
	collect((struct course){ .from = -5.0f, .to = -5.0f }, PITCH_REPORT_SEMITONES, semitones,
		N_FRAMES / 480);
	CHECK(semitones[0] == -5.0f);
}

/* A click every 0.5 s: as many events, each within 1 ms of its click. */
static void test_reports_attacks_where_they_are(void)
{
	static float before[N_FRAMES / 480];
	uint32_t n_found = 0;

	input_clear();
	for (uint32_t f = RATE / 2 + 123; f < N_FRAMES; f += RATE / 2)
		input[0][f] = input[1][f] = 0.5f;

	const uint32_t n = collect((struct course){ .from = 3.0f, .to = 3.0f }, PITCH_REPORT_ONSET,
				   before, N_FRAMES / 480);

	for (uint32_t i = 0; i < n; i++) {
		if (isnan(before[i]))
			continue;
		const double frame = 480.0 * (i + 1) - (double)before[i] * RATE;
		const double off = fmod(frame - 123.0 + RATE / 4.0, RATE / 2.0) - RATE / 4.0;

		CHECK(fabs(off) < 0.001 * RATE);
		n_found++;
	}
	CHECK(n_found == 2 * SECONDS - 1);
}

/* A pulse train of 100 Hz through a resonance at 1.2 kHz, 150 Hz wide. */
#define RADIUS exp(-M_PI * 150.0 / RATE)
#define FEEDBACK (2.0 * RADIUS * cos(2.0 * M_PI * 1200.0 / RATE))

static void input_fill_vowel(void)
{
	double y1 = 0.0, y2 = 0.0;

	for (uint32_t f = 0; f < N_FRAMES; f++) {
		const double y = (f % 480 == 0 ? 0.05 : 0.0) + FEEDBACK * y1 - RADIUS * RADIUS * y2;

		y2 = y1;
		y1 = y;
		input[0][f] = input[1][f] = (float)y;
	}
}

static double resonance_db(double hz)
{
	const double complex z = cexp(-2.0 * I * M_PI * hz / RATE);

	return -20.0 * log10(cabs(1.0 - FEEDBACK * z + RADIUS * RADIUS * z * z));
}

/* How far the harmonics are from the resonance that is moved by `moved`; rms, dB. */
static double off_resonance(double base_hz, double moved)
{
	double sum = 0.0, squares = 0.0;
	int n = 0;

	for (double hz = base_hz; hz < 4000.0; hz += base_hz, n++) {
		const double off =
			20.0 * log10(cabs(tone_at(output[0], RATE, hz))) - resonance_db(hz / moved);

		sum += off;
		squares += off * off;
	}
	return sqrt(squares / n - sum * sum / n / n);
}

/* Where the resonance lies between two harmonics, its peak remains unknown. */
static void check_formants(float semitones)
{
	const double ratio = pow(2.0, (double)semitones / 12.0);

	run((struct course){ .from = semitones, .to = semitones });
	CHECK(off_resonance(100.0 * ratio, ratio) < 0.1);
	run((struct course){ .from = semitones, .to = semitones, .formant = true });
	CHECK(off_resonance(100.0 * ratio, 1.0) < 0.5);
}

static void test_formants_stay_when_asked_to(void)
{
	input_fill_vowel();
	check_formants(-7.0f);
	check_formants(-2.0f);
	check_formants(4.0f);
	check_formants(7.0f);
}

/* What is no voice has an envelope that does not flicker. */
static void test_tones_stay_clean_when_formants_stay(void)
{
	input_fill_tones(N_TONES);
	run((struct course){ .from = 4.0f, .to = 4.0f, .formant = true });
	CHECK(sinad(output[0], RATE, pow(2.0, 4.0 / 12.0)) >= 30.0);
}

/* FFTW plans differ with the length, and some allocate while they run: none of ours may. */
static void test_no_length_of_window_allocates(void)
{
	uint32_t latency = 0;

	for (uint32_t rate = 8000; rate <= 384000; rate += rate < 192000 ? 250 : 2000) {
		void *state = weir_pitch.create(rate);
		CHECK(state);

		const uint32_t its_latency = run_block(state, 0, 0, 5.0f, true, NULL);

		if (its_latency != latency) {
			latency = its_latency;
			input_fill_noise(0, latency, 0.5f);
			realtime_begin();
			run_block(state, 0, latency, 5.0f, true, NULL);
			realtime_end();
		}
		weir_pitch.destroy(state);
	}
}

int main(void)
{
	test_tones_have_the_right_pitch_and_stay_clean();
	test_phase_between_channels_is_kept();
	test_no_shift_is_a_plain_delay();
	test_comes_back_to_a_plain_delay();
	test_latency_is_at_most_forty_five_milliseconds();
	test_declared_latency_is_that_of_a_click();
	test_declared_latency_is_that_of_a_slow_swell();
	test_steps_do_not_click();
	test_sweeps_through_zero_do_not_click();
	test_nothing_sounds_before_an_attack();
	test_what_leaves_the_band_does_not_fold_back();
	test_coming_back_to_zero_does_not_dip();
	test_silence_gives_zeros();
	test_a_glide_covers_95_percent_in_its_time();
	test_first_run_starts_at_the_target();
	test_reports_attacks_where_they_are();
	test_formants_stay_when_asked_to();
	test_tones_stay_clean_when_formants_stay();
	test_no_length_of_window_allocates();
	return 0;
}
