/* SPDX-License-Identifier: MIT */

/*
 * Levels of the analyze units: IEC 61672-1:2013, class 1, and the true peaks of EBU Tech 3341:2016,
 * table 1, rows 15 to 23. Weightings and true peaks at all four usual rates, time weightings at 48
 * and 192 kHz, and what does not depend on the rate at 48 kHz.
 */

#include <math.h>
#include <string.h>

#include "analyst.h"
#include "check.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const uint32_t rates[] = { 44100, 48000, 96000, 192000 };

static void check_within(double value, double expected, double above, double below)
{
	if (!(value - expected <= above && value - expected >= -below))
		fprintf(stderr, "%g instead of %g\n", value, expected);
	CHECK(value - expected <= above && value - expected >= -below);
}

static void check_near(double value, double expected, double tolerance)
{
	check_within(value, expected, tolerance, tolerance);
}

/* IEC 61672-1:2013, table 3: the design goals, to a tenth of a dB, and acceptance limits. */
static const struct weighting_row {
	double frequency, a, c, above, below;
} weightings[] = {
	{ 10, -70.4, -14.3, 3, INFINITY },
	{ 12.5, -63.4, -11.2, 2.5, INFINITY },
	{ 16, -56.7, -8.5, 2, 4 },
	{ 20, -50.5, -6.2, 2, 2 },
	{ 25, -44.7, -4.4, 2, 1.5 },
	{ 31.5, -39.4, -3.0, 1.5, 1.5 },
	{ 40, -34.6, -2.0, 1, 1 },
	{ 50, -30.2, -1.3, 1, 1 },
	{ 63, -26.2, -0.8, 1, 1 },
	{ 80, -22.5, -0.5, 1, 1 },
	{ 100, -19.1, -0.3, 1, 1 },
	{ 125, -16.1, -0.2, 1, 1 },
	{ 160, -13.4, -0.1, 1, 1 },
	{ 200, -10.9, 0, 1, 1 },
	{ 250, -8.6, 0, 1, 1 },
	{ 315, -6.6, 0, 1, 1 },
	{ 400, -4.8, 0, 1, 1 },
	{ 500, -3.2, 0, 1, 1 },
	{ 630, -1.9, 0, 1, 1 },
	{ 800, -0.8, 0, 1, 1 },
	{ 1000, 0, 0, 0.7, 0.7 },
	{ 1250, 0.6, 0, 1, 1 },
	{ 1600, 1.0, -0.1, 1, 1 },
	{ 2000, 1.2, -0.2, 1, 1 },
	{ 2500, 1.3, -0.3, 1, 1 },
	{ 3150, 1.2, -0.5, 1, 1 },
	{ 4000, 1.0, -0.8, 1, 1 },
	{ 5000, 0.5, -1.3, 1.5, 1.5 },
	{ 6300, -0.1, -2.0, 1.5, 2 },
	{ 8000, -1.1, -3.0, 1.5, 2.5 },
	{ 10000, -2.5, -4.4, 2, 3 },
	{ 12500, -4.3, -6.2, 2, 5 },
	{ 16000, -6.6, -8.5, 2.5, 16 },
	{ 20000, -9.3, -11.2, 3, INFINITY },
};

/* Annex E: what the table's design goals are rounded from. */
static double goal_c(double f)
{
	const double f2 = f * f, f4 = 12194.217 * 12194.217, f1 = 20.598997 * 20.598997;

	return 20.0 * log10(f4 * f2 / ((f2 + f1) * (f2 + f4))) + 0.062;
}

static double goal_a(double f)
{
	const double f2 = f * f;

	return goal_c(f) - 0.062 + 2.0 +
	       20.0 * log10(f2 / sqrt((f2 + 107.65265 * 107.65265) * (f2 + 737.86223 * 737.86223)));
}

/*
 * Table 3, and 0.1 dB from 20 Hz to 16 kHz or 0.4 of the rate. The mean of a whole number of
 * periods leaves the ripple of the time weighting out.
 */
static void test_weightings_are_class_1(uint32_t rate)
{
	struct analyst analyst;

	analyst_init(&analyst, "analyze-mono", rate);
	*analyst_control(&analyst, "loudness") = 0.0f;
	for (uint32_t i = 0; i < COUNT(weightings); i++) {
		const struct weighting_row *row = &weightings[i];
		const double frequency =
			1000.0 * pow(10.0, round(10.0 * log10(row->frequency / 1000.0)) / 10.0);
		const double settle = frequency < 100.0 ? 1.3 : 0.9;

		if (frequency > 0.46 * rate)
			continue;
		analyst_begin(&analyst);
		analyst_tone(&analyst, frequency, -10.0, settle + 0.5, 0.0);

		const double a = analyst_mean(&analyst, "laf", settle, settle + 0.5) + 10.0;
		const double c = analyst_mean(&analyst, "lcf", settle, settle + 0.5) + 10.0;
		const double z = analyst_mean(&analyst, "lzf", settle, settle + 0.5) + 10.0;

		check_within(a, row->a, row->above, row->below);
		check_within(c, row->c, row->above, row->below);
		check_near(z, 0.0, 0.05);
		if (frequency < 19.0 || frequency > fmin(16000.0, 0.4 * rate))
			continue;
		check_near(a, goal_a(frequency), 0.1);
		check_near(c, goal_c(frequency), 0.1);
	}
	analyst_finish(&analyst);
}

/* IEC 61672-1:2013, table 4: bursts of 4 kHz, relative to the steady level. 0: no limits. */
static const struct burst_row {
	double seconds;
	double fast, fast_above, fast_below;
	double slow, slow_above, slow_below;
} bursts[] = {
	{ 1, 0.0, 0.5, 0.5, -2.0, 0.5, 0.5 },	 { 0.5, -0.1, 0.5, 0.5, -4.1, 0.5, 0.5 },
	{ 0.2, -1.0, 0.5, 0.5, -7.4, 0.5, 0.5 }, { 0.1, -2.6, 1, 1, -10.2, 1, 1 },
	{ 0.05, -4.8, 1, 1, -13.1, 1, 1 },	 { 0.02, -8.3, 1, 1, -17.0, 1, 1.5 },
	{ 0.01, -11.1, 1, 1, -20.0, 1, 2 },	 { 0.005, -14.1, 1, 1, -23.0, 1, 2.5 },
	{ 0.002, -18.0, 1, 1.5, -27.0, 1, 3 },	 { 0.001, -21.0, 1, 2, 0, 0, 0 },
	{ 0.0005, -24.0, 1, 2.5, 0, 0, 0 },	 { 0.00025, -27.0, 1, 3, 0, 0, 0 },
};

static void test_bursts_are_class_1(uint32_t rate)
{
	static const char *const fast[] = { "laf_max", "lcf_max", "lzf_max" };
	static const char *const slow[] = { "las_max", "lcs_max", "lzs_max" };
	static const char *const steady[] = { "laf", "lcf", "lzf" };
	struct analyst analyst;
	double level[3];

	analyst_init(&analyst, "analyze-mono", rate);
	*analyst_control(&analyst, "loudness") = 0.0f;
	analyst_tone(&analyst, 4000.0, -10.0, 2.0, 0.0);
	for (uint32_t w = 0; w < 3; w++)
		level[w] = (double)analyst_last(&analyst, steady[w], 0);
	for (uint32_t i = 0; i < COUNT(bursts); i++) {
		const struct burst_row *row = &bursts[i];

		analyst_begin(&analyst);
		analyst_tone(&analyst, 4000.0, -10.0, row->seconds, 0.0);
		analyst_tone(&analyst, 4000.0, -INFINITY, 0.1, 0.0);
		for (uint32_t w = 0; w < 3; w++) {
			check_within(analyst_max(&analyst, fast[w], 0.0, row->seconds + 0.1) -
					     level[w],
				     row->fast, row->fast_above, row->fast_below);
			if (row->slow_above > 0.0)
				check_within(
					analyst_max(&analyst, slow[w], 0.0, row->seconds + 0.1) -
						level[w],
					row->slow, row->slow_above, row->slow_below);
		}
	}
	analyst_finish(&analyst);
}

static void check_decay(const struct analyst *analyst, uint32_t report, uint32_t n_frames)
{
	static const struct {
		const char *most, *last;
		double seconds;
	} levels[] = { { "lzf_max", "lzf", 0.125 }, { "lzs_max", "lzs", 1.0 } };

	for (uint32_t i = 0; i < COUNT(levels); i++)
		check_near((double)(analyst_value(analyst, report, levels[i].most, 0) -
				    analyst_value(analyst, report, levels[i].last, 0)),
			   10.0 * log10(exp(n_frames / 48000.0 / levels[i].seconds)), 1e-3);
}

/* What a click leaves decays from its frame on, and in each hop after it from the first. */
static void test_maxima_are_those_within_the_hop(void)
{
	static const float click[3 * 480] = { [23] = 0.5f };
	struct analyst analyst;

	analyst_init(&analyst, "analyze-mono", 48000);
	analyst_play(&analyst, click, COUNT(click));
	check_decay(&analyst, 0, 456);
	check_decay(&analyst, 1, 479);
	check_decay(&analyst, 2, 479);
	analyst_finish(&analyst);
}

/* 5.8: after a tone of 4 kHz ends; 34.7 and 4.3 dB per second. */
static void test_levels_decay_as_they_should(uint32_t rate)
{
	struct analyst analyst;

	analyst_init(&analyst, "analyze-mono", rate);
	*analyst_control(&analyst, "loudness") = 0.0f;
	analyst_tone(&analyst, 4000.0, -10.0, 3.0, 0.0);
	analyst_tone(&analyst, 4000.0, -INFINITY, 1.2, 0.0);
	check_within((double)(analyst_value(&analyst, 309, "laf", 0) -
			      analyst_value(&analyst, 409, "laf", 0)),
		     34.7, 3.8, 3.7);
	check_within((double)(analyst_value(&analyst, 309, "las", 0) -
			      analyst_value(&analyst, 409, "las", 0)),
		     4.3, 0.8, 0.7);
	analyst_finish(&analyst);
}

/* 5.6: within 0.8 dB; here 0.05 dB are asked. */
static void test_levels_are_linear(void)
{
	static const double frequencies[] = { 31.5, 1000.0, 8000.0 };
	struct analyst analyst;

	analyst_init(&analyst, "analyze-mono", 48000);
	*analyst_control(&analyst, "loudness") = 0.0f;
	for (uint32_t i = 0; i < COUNT(frequencies); i++)
		for (double level = 0.0; level > -121.0; level -= 10.0) {
			analyst_begin(&analyst);
			analyst_tone(&analyst, frequencies[i], level, 1.6, 0.01);
			check_near(analyst_mean(&analyst, "laf", 1.1, 1.5),
				   level + goal_a(frequencies[i]), 0.1);
			check_near(analyst_mean(&analyst, "lzf", 1.1, 1.5), level, 0.05);
			check_near(analyst_mean(&analyst, "rms", 1.0, 1.4), level, 0.05);
			check_near((double)analyst_last(&analyst, "tp_max", 0), level, 0.1);
		}
	analyst_finish(&analyst);
}

/* Rows 15 to 19: tones whose samples miss their peaks. 0.1 dB are asked instead of +0.2 and -0.4.
 */
static void test_true_peaks_between_samples_are_found(uint32_t rate)
{
	static const struct {
		double parts, amplitude, degrees;
	} rows[] = {
		{ 4, 0.50, 0 },	   { 4, 0.50, 45 }, { 6, 0.50, 60 },
		{ 8, 0.50, 67.5 }, { 4, 1.41, 45 },
	};
	static float sound[19200];
	struct analyst analyst;

	analyst_init(&analyst, "analyze-mono", rate);
	*analyst_control(&analyst, "loudness") = 0.0f;
	for (uint32_t i = 0; i < COUNT(rows); i++) {
		const double phase = rows[i].degrees * M_PI / 180.0;

		for (uint32_t f = 0; f < COUNT(sound); f++)
			sound[f] = (float)(rows[i].amplitude * fmin(f / 4800.0, 1.0) *
					   sin(2.0 * M_PI * f / rows[i].parts + phase));
		analyst_begin(&analyst);
		analyst_play(&analyst, sound, COUNT(sound));
		check_near((double)analyst_last(&analyst, "tp_max", 0),
			   20.0 * log10(rows[i].amplitude), 0.1);
	}
	analyst_finish(&analyst);
}

/*
 * As rows 20 to 23: for some periods a tone of a quarter of the rate rises from one of a sixth, up
 * to full scale, at a quarter of a frame more each time.
 */
static void test_a_short_true_peak_is_found(uint32_t rate)
{
	static float sound[4800];
	struct analyst analyst;

	analyst_init(&analyst, "analyze-mono", rate);
	*analyst_control(&analyst, "loudness") = 0.0f;
	for (uint32_t offset = 0; offset < 4; offset++) {
		for (uint32_t f = 0; f < COUNT(sound); f++) {
			const double at = f - 2400.0 - offset / 4.0;
			const double window =
				fabs(at) < 24.0 ? 0.5 + 0.5 * cos(M_PI * at / 24.0) : 0.0;

			sound[f] = (float)(fmin(fmin(f, 4799.0 - f) / 1200.0, 1.0) *
					   (0.5 * cos(2.0 * M_PI * at / 6.0) +
					    0.5 * window * cos(2.0 * M_PI * at / 4.0)));
		}
		analyst_begin(&analyst);
		analyst_play(&analyst, sound, COUNT(sound));
		check_near((double)analyst_last(&analyst, "tp_max", 0), 0.0, 0.1);
	}
	analyst_finish(&analyst);
}

/* 0.1 dB up to 20 kHz, wherever the samples are. */
static void test_true_peaks_of_sines_are_exact(uint32_t rate)
{
	static const double frequencies[] = { 997, 5000, 9000, 12000, 15000, 18000, 20000 };
	static float sound[9600];
	struct analyst analyst;

	analyst_init(&analyst, "analyze-mono", rate);
	*analyst_control(&analyst, "loudness") = 0.0f;
	for (uint32_t i = 0; i < COUNT(frequencies); i++)
		for (uint32_t phase = 0; phase < 4; phase++) {
			for (uint32_t f = 0; f < COUNT(sound); f++)
				sound[f] = (float)(0.7 * fmin(f / 2400.0, 1.0) *
						   sin(2.0 * M_PI * frequencies[i] / rate *
						       (f + phase / 8.0)));
			analyst_begin(&analyst);
			analyst_play(&analyst, sound, COUNT(sound));
			check_near((double)analyst_last(&analyst, "tp_max", 0), 20.0 * log10(0.7),
				   0.1);
			check_near((double)analyst_last(&analyst, "tp", 0), 20.0 * log10(0.7), 0.1);
		}
	analyst_finish(&analyst);
}

/* AES17, 3.12: a sine at full scale is 0 dB. Crest is the ratio of its peak to its mean square. */
static void test_a_sine_at_full_scale_is_the_reference(uint32_t rate)
{
	struct analyst analyst;

	analyst_init(&analyst, "analyze", rate);
	*analyst_control(&analyst, "thirds") = 1.0f;
	*analyst_control(&analyst, "calibration-db") = 94.0f;
	analyst.gain[1] = 0.5f;
	analyst_tone(&analyst, 1000.0, -0.001, 1.5, 0.0);
	check_near((double)analyst_last(&analyst, "peak", 0), 0.0, 0.01);
	check_near((double)analyst_last(&analyst, "peak", 1), -6.02, 0.01);
	check_near((double)analyst_last(&analyst, "crest", 0), 3.01, 0.01);
	check_near((double)analyst_last(&analyst, "rms", 0), 94.0, 0.01);
	check_near((double)analyst_last(&analyst, "rms", 1), 94.0 - 6.02, 0.01);
	check_near((double)analyst_last(&analyst, "laf", 1), 94.0 - 6.02, 0.05);
	check_near((double)analyst_last(&analyst, "lzs_max", 1), 94.0 - 6.02 - 1.1, 0.1);
	check_near((double)analyst_last(&analyst, "oct3", 17), 94.0, 0.1);
	check_near((double)analyst_last(&analyst, "oct3", 31 + 17), 94.0 - 6.02, 0.1);
	check_near((double)*analyst_control(&analyst, "rms_200ms"), 94.0, 0.01);
	analyst_finish(&analyst);
}

static void test_silence_is_finite(void)
{
	static const char *const fields[] = {
		"peak", "tp", "rms", "crest", "laf", "lzs_max", "oct3"
	};
	struct analyst analyst;

	analyst_init(&analyst, "analyze-8", 48000);
	*analyst_control(&analyst, "thirds") = 1.0f;
	*analyst_control(&analyst, "calibration-db") = -100.0f;
	analyst_tone(&analyst, 1000.0, -INFINITY, 0.1, 0.0);
	for (uint32_t i = 0; i < COUNT(fields); i++)
		for (uint32_t c = 0; c < 8; c++) {
			const float value = analyst_last(&analyst, fields[i], c);

			CHECK(value >= -200.0f && (value <= -199.0f || i == 3));
		}
	analyst_finish(&analyst);
}

static void test_reset_forgets_maxima(void)
{
	struct analyst analyst;

	analyst_init(&analyst, "analyze-mono", 48000);
	analyst_tone(&analyst, 1000.0, -6.0, 0.5, 0.01);
	analyst_tone(&analyst, 1000.0, -20.0, 0.5, 0.0);
	check_near((double)analyst_last(&analyst, "peak_max", 0), -6.0, 0.1);
	check_near((double)analyst_last(&analyst, "tp_max", 0), -6.0, 0.1);
	check_near((double)analyst_last(&analyst, "tp", 0), -20.0, 0.1);
	*analyst_control(&analyst, "reset") = 1.0f;
	analyst_tone(&analyst, 1000.0, -20.0, 0.1, 0.0);
	check_near((double)analyst_last(&analyst, "peak_max", 0), -20.0, 0.1);
	check_near((double)analyst_last(&analyst, "tp_max", 0), -20.0, 0.1);

	/* It is the change from 0 to 1 that does it. */
	analyst_tone(&analyst, 1000.0, -10.0, 0.1, 0.0);
	analyst_tone(&analyst, 1000.0, -20.0, 0.1, 0.0);
	check_near((double)analyst_last(&analyst, "peak_max", 0), -10.0, 0.1);
	analyst_finish(&analyst);
}

/* A run of samples at full scale, in hop 10 of 480 frames; `told`: in which hop, -1 for none. */
static void check_clip(struct analyst *analyst, uint32_t begin, uint32_t n, float level,
		       int32_t told)
{
	static float sound[480 * 30];

	memset(sound, 0, sizeof(sound));
	for (uint32_t i = 0; i < n; i++)
		sound[4800 + begin + i] = i % 2 ? -level : level;
	analyst_begin(analyst);
	analyst_play(analyst, sound, COUNT(sound));
	for (uint32_t i = 0; i < analyst->n; i++) {
		const float seconds = analyst_value(analyst, i, "clip", 0);

		CHECK(isnan(seconds) == ((int32_t)i != told));
		if ((int32_t)i == told)
			check_near((i + 1) * 0.01 - (double)seconds, (4800 + begin) / 48000.0,
				   1e-6);
	}
}

static void test_a_clipped_run_is_told_once(void)
{
	struct analyst analyst;

	analyst_init(&analyst, "analyze", 48000);
	analyst.gain[0] = 0.0f;
	for (uint32_t block = 1; block <= 1024; block = 4 * block + 60) {
		analyst.block = block;
		check_clip(&analyst, 0, 1, 1.0f, -1);
		check_clip(&analyst, 0, 2, 1.0f, 10);
		check_clip(&analyst, 100, 3, 32767.0f / 32768.0f, 10);
		check_clip(&analyst, 100, 300, 0.999f, -1);
		check_clip(&analyst, 478, 2, 2.0f, 10);
		check_clip(&analyst, 479, 2, 2.0f, 11);
		check_clip(&analyst, 200, 2000, 1.0f, 10);
	}
	analyst_finish(&analyst);
}

/* Bit for bit, with thirds and loudness. */
static void test_reports_do_not_depend_on_blocks(void)
{
	static const uint32_t blocks[] = { 1, 7, 64, 441, 1000 };
	static float sound[44100];
	struct analyst whole, parts;
	uint32_t seed = 9;

	for (uint32_t f = 0; f < COUNT(sound); f++) {
		seed = seed * 1664525u + 1013904223u;
		sound[f] = (float)seed / 2147483648.0f - 1.0f;
	}
	analyst_init(&whole, "analyze", 44100);
	*analyst_control(&whole, "thirds") = 1.0f;
	whole.block = WEIR_MAX_FRAMES;
	analyst_play(&whole, sound, COUNT(sound));
	analyst_init(&parts, "analyze", 44100);
	*analyst_control(&parts, "thirds") = 1.0f;
	for (uint32_t i = 0; i < COUNT(blocks); i++) {
		parts.block = blocks[i];
		analyst_begin(&parts);
		analyst_play(&parts, sound, COUNT(sound));
		CHECK(whole.n == 100 && parts.n == whole.n);
		CHECK(memcmp(whole.values, parts.values,
			     (size_t)whole.n * whole.n_values * sizeof(float)) == 0);
	}
	analyst_finish(&whole);
	analyst_finish(&parts);
}

int main(void)
{
	for (uint32_t i = 0; i < COUNT(rates); i++) {
		test_weightings_are_class_1(rates[i]);
		test_true_peaks_between_samples_are_found(rates[i]);
		test_a_short_true_peak_is_found(rates[i]);
		test_true_peaks_of_sines_are_exact(rates[i]);
		test_a_sine_at_full_scale_is_the_reference(rates[i]);
	}
	test_bursts_are_class_1(48000);
	test_bursts_are_class_1(192000);
	test_levels_decay_as_they_should(48000);
	test_levels_decay_as_they_should(192000);
	test_maxima_are_those_within_the_hop();
	test_levels_are_linear();
	test_a_sine_at_full_scale_is_the_reference(8000);
	test_a_sine_at_full_scale_is_the_reference(384000);
	test_silence_is_finite();
	test_reset_forgets_maxima();
	test_a_clipped_run_is_told_once();
	test_reports_do_not_depend_on_blocks();
	return 0;
}
