/* SPDX-License-Identifier: MIT */

/*
 * Loudness of the analyze units: the minimum requirements of EBU Tech 3341:2016, table 1, and of
 * EBU Tech 3342:2016, table 1, but for their recordings (3341 rows 7 and 8, 3342 rows 5 and 6). The
 * whole set at 48 kHz; what is short, and row 2 of 3342, at the other rates. One channel that is
 * 3 dB louder takes the place of two but for rows 1, 2 and 6.
 */

#include <math.h>

#include "analyst.h"
#include "check.h"
#include "dsp/analyze/loudness.h"

#define TOLERANCE 0.1	    /* LU */
#define RANGE_TOLERANCE 1.0 /* LU */

static const uint32_t other_rates[] = { 44100, 96000, 192000 };

/* A sine of 1 kHz, in steps. */
struct step {
	double level_db, seconds;
};

static void play_steps(struct analyst *analyst, const struct step *steps, uint32_t n)
{
	analyst_begin(analyst);
	for (uint32_t i = 0; i < n; i++)
		analyst_tone(analyst, 1000.0, steps[i].level_db, steps[i].seconds, 0.0);
}

/* What it reads is what two channels would. */
static void init_for_two(struct analyst *analyst, uint32_t rate)
{
	analyst_init(analyst, "analyze-mono", rate);
	analyst->gain[0] = sqrtf(2.0f);
}

static void check_near(double value, double expected, double tolerance)
{
	if (!(fabs(value - expected) <= tolerance))
		fprintf(stderr, "%g instead of %g\n", value, expected);
	CHECK(fabs(value - expected) <= tolerance);
}

/* Rows 1 and 2. */
static void test_a_steady_tone_reads_its_level(struct analyst *analyst, double level_db)
{
	const struct step step = { level_db, 20.0 };

	play_steps(analyst, &step, 1);
	check_near((double)analyst_last(analyst, "m", 0), level_db, TOLERANCE);
	check_near((double)analyst_last(analyst, "s", 0), level_db, TOLERANCE);
	check_near((double)analyst_last(analyst, "i", 0), level_db, TOLERANCE);
	check_near((double)*analyst_control(analyst, "i"), level_db, TOLERANCE);
}

/* Rows 3 to 5. */
static void test_gates_leave_out_what_is_soft(struct analyst *analyst)
{
	static const struct step row_3[] = { { -36, 10 }, { -23, 60 }, { -36, 10 } };
	static const struct step row_4[] = {
		{ -72, 10 }, { -36, 10 }, { -23, 60 }, { -36, 10 }, { -72, 10 },
	};
	static const struct step row_5[] = { { -26, 20 }, { -20, 20.1 }, { -26, 20 } };

	play_steps(analyst, row_3, 3);
	check_near((double)analyst_last(analyst, "i", 0), -23.0, TOLERANCE);
	play_steps(analyst, row_4, 5);
	check_near((double)analyst_last(analyst, "i", 0), -23.0, TOLERANCE);
	play_steps(analyst, row_5, 3);
	check_near((double)analyst_last(analyst, "i", 0), -23.0, TOLERANCE);
}

/* Row 6, with the surrounds in RL and RR, then in SL and SR. */
static void test_channels_weigh_as_their_positions(void)
{
	static const double level_db[2][8] = {
		{ -28, -28, -24, -10, -30, -30, -200, -200 },
		{ -28, -28, -24, -10, -200, -200, -30, -30 },
	};
	/* RL and RR as loud as L and R: 1.41 or 1 times two of -30 dB, with what is before them. */
	static const double expected[2][2] = { { -23.0, -23.0 }, { -23.37, -23.0 } };
	struct analyst analyst;

	analyst_init(&analyst, "analyze-8", 48000);
	for (uint32_t layout = 0; layout < 2; layout++)
		for (uint32_t row = 0; row < 2; row++) {
			for (uint32_t c = 0; c < 8; c++)
				analyst.gain[c] = powf(10.0f, (float)level_db[row][c] / 20.0f);
			*analyst_control(&analyst, "layout") = (float)layout;
			analyst_begin(&analyst);
			analyst_tone(&analyst, 1000.0, 0.0, 5.0, 0.0);
			check_near((double)analyst_last(&analyst, "i", 0), expected[layout][row],
				   TOLERANCE);
		}
	analyst_finish(&analyst);
}

/* Rows 9 and 12. */
static void test_windows_are_as_long_as_they_should(struct analyst *analyst)
{
	static const struct step row_9[] = { { -20, 1.34 }, { -30, 1.66 } };
	static const struct step row_12[] = { { -20, 0.18 }, { -30, 0.22 } };

	analyst_begin(analyst);
	for (uint32_t i = 0; i < 10; i++)
		analyst_tone(analyst, 1000.0, row_9[i % 2].level_db, row_9[i % 2].seconds, 0.0);
	check_near(analyst_min(analyst, "s", 3.02, 15.0), -23.0, TOLERANCE);
	check_near(analyst_max(analyst, "s", 3.02, 15.0), -23.0, TOLERANCE);
	analyst_begin(analyst);
	for (uint32_t i = 0; i < 50; i++)
		analyst_tone(analyst, 1000.0, row_12[i % 2].level_db, row_12[i % 2].seconds, 0.0);
	check_near(analyst_min(analyst, "m", 1.02, 10.0), -23.0, TOLERANCE);
	check_near(analyst_max(analyst, "m", 1.02, 10.0), -23.0, TOLERANCE);
}

/* Rows 10 and 13: what is as long as the window is met wherever it begins. */
static void test_a_tone_as_long_as_the_window_is_told(struct analyst *analyst, double seconds,
						      double shift, const char *field)
{
	for (uint32_t i = 0; i < 20; i++) {
		const struct step steps[] = {
			{ -INFINITY, i * shift },
			{ -23, seconds },
			{ -INFINITY, 1 },
		};

		play_steps(analyst, steps, 3);
		check_near((double)analyst_last(analyst, field, 0), -23.0, TOLERANCE);
	}
}

/* Rows 11 and 14. */
static void test_each_of_a_row_of_tones_is_told(struct analyst *analyst, double seconds,
						double shift, const char *field)
{
	analyst_begin(analyst);
	for (uint32_t i = 0; i < 20; i++) {
		const double begin = analyst->n / 100.0;

		analyst_tone(analyst, 1000.0, -INFINITY, i * shift, 0.0);
		analyst_tone(analyst, 1000.0, -38.0 + i, seconds, 0.0);
		analyst_tone(analyst, 1000.0, -INFINITY, seconds - i * shift, 0.0);
		check_near(analyst_max(analyst, field, begin + 0.01, analyst->n / 100.0 + 0.01),
			   -38.0 + i, TOLERANCE);
	}
}

/* Tech 3342, rows 1 to 4. */
static void test_ranges_are_what_3342_asks(struct analyst *analyst, uint32_t first, uint32_t end)
{
	static const struct {
		uint32_t n;
		struct step steps[5];
		double expected;
	} rows[] = {
		{ 2, { { -20, 20 }, { -30, 20 } }, 10 },
		{ 2, { { -20, 20 }, { -15, 20 } }, 5 },
		{ 2, { { -40, 20 }, { -20, 20 } }, 20 },
		{ 5, { { -50, 20 }, { -35, 20 }, { -20, 20 }, { -35, 20 }, { -50, 20 } }, 15 },
	};

	for (uint32_t i = first; i < end; i++) {
		play_steps(analyst, rows[i].steps, rows[i].n);
		check_near((double)analyst_last(analyst, "lra", 0), rows[i].expected,
			   RANGE_TOLERANCE);
	}
}

/* BS.1770-4, 3: a sine of 997 Hz at full scale in one channel is -3.01 LKFS. */
static void test_one_channel_alone_is_3_db_softer(uint32_t rate)
{
	struct analyst analyst;

	analyst_init(&analyst, "analyze-mono", rate);
	analyst_tone(&analyst, 997.0, 0.0, 2.0, 0.0);
	check_near((double)analyst_last(&analyst, "i", 0), -3.01, 0.05);
	analyst_finish(&analyst);
}

/*
 * The response of the two filters of BS.1770-4, tables 1 and 2, at 48 kHz, and its -0.691 dB. At
 * other rates the bilinear transform may depart a little from it.
 */
static void test_k_weighting_is_that_of_bs_1770(uint32_t rate)
{
	static const struct {
		double frequency, level_db;
	} points[] = {
		{ 31.25, -8.564 }, { 50.0, -4.625 },  { 100.0, -1.824 },
		{ 250.0, -0.844 }, { 1000.0, 0.007 }, { 2000.0, 2.38 },
		{ 4000.0, 3.277 }, { 8000.0, 3.348 }, { 12000.0, 3.352 },
	};
	struct analyst analyst;

	analyst_init(&analyst, "analyze-mono", rate);
	for (uint32_t i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
		analyst_begin(&analyst);
		analyst_tone(&analyst, points[i].frequency, -3.0, 1.0, 0.0);
		check_near((double)analyst_last(&analyst, "m", 0) + 6.01, points[i].level_db, 0.02);
	}
	analyst_finish(&analyst);
}

static void test_what_is_not_known_yet_is_left_out(struct analyst *analyst)
{
	analyst_begin(analyst);
	analyst_tone(analyst, 1000.0, -23.0, 0.39, 0.0);
	CHECK(isnan(analyst_last(analyst, "i", 0)) && isnan(analyst_last(analyst, "lra", 0)));
	check_near((double)analyst_last(analyst, "m", 0), -23.0 + 10.0 * log10(39.0 / 40.0), 0.1);
	analyst_tone(analyst, 1000.0, -23.0, 2.6, 0.0);
	CHECK(!isnan(analyst_last(analyst, "i", 0)) && isnan(analyst_last(analyst, "lra", 0)));
	analyst_tone(analyst, 1000.0, -23.0, 0.02, 0.0);
	CHECK(!isnan(analyst_last(analyst, "lra", 0)));
	analyst_begin(analyst);
	analyst_tone(analyst, 1000.0, -INFINITY, 4.0, 0.0);
	CHECK(analyst_last(analyst, "m", 0) == -200.0f && analyst_last(analyst, "s", 0) == -200.0f);
}

static void test_what_is_below_minus_70_lufs_does_not_count(struct analyst *analyst)
{
	analyst_begin(analyst);
	analyst_tone(analyst, 1000.0, -71.0, 4.0, 0.0);
	CHECK(isnan(analyst_last(analyst, "i", 0)) && isnan(analyst_last(analyst, "lra", 0)));
	analyst_begin(analyst);
	analyst_tone(analyst, 1000.0, -69.0, 4.0, 0.0);
	check_near((double)analyst_last(analyst, "i", 0), -69.0, TOLERANCE);
	CHECK(!isnan(analyst_last(analyst, "lra", 0)));
}

static void test_reset_begins_to_integrate_anew(struct analyst *analyst)
{
	float *reset = analyst_control(analyst, "reset");

	analyst_begin(analyst);
	analyst_tone(analyst, 1000.0, -20.0, 4.0, 0.0);
	*reset = 1.0f;
	analyst_tone(analyst, 1000.0, -30.0, 0.1, 0.0);
	CHECK(isnan(analyst_last(analyst, "i", 0)) && isnan(analyst_last(analyst, "lra", 0)));
	CHECK(!isnan(analyst_last(analyst, "m", 0)));

	/* The level stays 1, which is no change; 0.4 s later the tone of before is forgotten. */
	analyst_tone(analyst, 1000.0, -30.0, 4.0, 0.0);
	check_near((double)analyst_last(analyst, "i", 0), -30.0, TOLERANCE);
	*reset = 0.0f;
	analyst_tone(analyst, 1000.0, -30.0, 0.1, 0.0);
	check_near((double)analyst_last(analyst, "i", 0), -30.0, TOLERANCE);
	*reset = 1.0f;
	analyst_tone(analyst, 1000.0, -40.0, 0.3, 0.0);
	CHECK(isnan(analyst_last(analyst, "m_max", 0)));
	analyst_tone(analyst, 1000.0, -40.0, 0.2, 0.0);
	check_near((double)analyst_last(analyst, "m_max", 0), -40.0, TOLERANCE);
	CHECK(isnan(analyst_last(analyst, "s_max", 0)));
	analyst_tone(analyst, 1000.0, -40.0, 3.0, 0.0);
	check_near((double)analyst_last(analyst, "s_max", 0), -40.0, TOLERANCE);
	*reset = 0.0f;
}

#define N_HOPS 180000 /* half an hour */

static double energy[N_HOPS];

/* Means over `length` hops, each 10 hops after the other; returns how many. */
static uint32_t means_of(uint32_t length, double *mean)
{
	uint32_t n = 0;

	for (uint32_t end = length; end <= N_HOPS; end += 10, n++) {
		mean[n] = 0.0;
		for (uint32_t i = end - length; i < end; i++)
			mean[n] += energy[i] / length;
	}
	return n;
}

/* Keeps what is above the absolute gate, then what is above `share` of the mean of that. */
static uint32_t gates_pass(double *value, uint32_t n, double share)
{
	double gate = pow(10.0, (-70.0 + 0.691) / 10.0);

	for (uint32_t pass = 0; pass < 2; pass++) {
		uint32_t count = 0;
		double sum = 0.0;

		for (uint32_t i = 0; i < n; i++)
			if (value[i] > gate) {
				sum += value[i];
				value[count++] = value[i];
			}
		n = count;
		gate = share * sum / n;
	}
	return n;
}

static double level_of(double mean)
{
	return -0.691 + 10.0 * log10(mean);
}

static int order(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* As BS.1770-4, 5.6 to 5.9, and Tech 3342, 2.1, say, of all blocks at once. */
static void programme_define(double *integrated, double *range)
{
	static double value[N_HOPS / 10];
	uint32_t n = gates_pass(value, means_of(40, value), 0.1);
	double sum = 0.0;

	for (uint32_t i = 0; i < n; i++)
		sum += value[i];
	*integrated = level_of(sum / n);

	n = gates_pass(value, means_of(300, value), 0.01);
	qsort(value, n, sizeof(value[0]), order);
	*range = level_of(value[lround(0.95 * (n - 1))]) - level_of(value[lround(0.1 * (n - 1))]);
}

/* Sounds of that many hops, from -60 to -10 dB. */
static void test_a_long_programme_is_measured_exactly(uint32_t length)
{
	static const float weight = 1.0f;
	struct loudness loudness = { 0 };
	struct arena arena = { 0 };
	float value[LOUDNESS_FIELDS];
	double integrated, range;
	uint32_t seed = 5;

	loudness_init(&loudness, 1);
	loudness_allocate(&loudness, &arena);
	arena = (struct arena){ .memory = aligned_alloc(WEIR_FFT_ALIGN, arena.size) };
	CHECK(arena.memory);
	loudness_allocate(&loudness, &arena);
	loudness_reset(&loudness);
	for (uint32_t i = 0; i < N_HOPS; i++) {
		seed = i % length ? seed : seed * 1664525u + 1013904223u;
		energy[i] = pow(10.0, -6.0 + 5.0 * seed / 4294967296.0);
		loudness_hop(&loudness, &energy[i], &weight, value);
	}
	programme_define(&integrated, &range);
	check_near((double)value[2], integrated, 0.02);
	check_near((double)value[3], range, 0.02);
	free(arena.memory);
}

int main(void)
{
	struct analyst analyst;

	analyst_init(&analyst, "analyze", 48000);
	test_a_steady_tone_reads_its_level(&analyst, -23.0);
	test_a_steady_tone_reads_its_level(&analyst, -33.0);
	analyst_finish(&analyst);
	init_for_two(&analyst, 48000);
	test_gates_leave_out_what_is_soft(&analyst);
	test_channels_weigh_as_their_positions();
	test_windows_are_as_long_as_they_should(&analyst);
	test_a_tone_as_long_as_the_window_is_told(&analyst, 3.0, 0.15, "s_max");
	test_a_tone_as_long_as_the_window_is_told(&analyst, 0.4, 0.02, "m_max");
	test_each_of_a_row_of_tones_is_told(&analyst, 3.0, 0.15, "s");
	test_each_of_a_row_of_tones_is_told(&analyst, 0.4, 0.02, "m");
	test_ranges_are_what_3342_asks(&analyst, 0, 4);
	test_what_is_not_known_yet_is_left_out(&analyst);
	test_what_is_below_minus_70_lufs_does_not_count(&analyst);
	test_reset_begins_to_integrate_anew(&analyst);
	analyst_finish(&analyst);
	for (uint32_t i = 0; i < sizeof(other_rates) / sizeof(other_rates[0]); i++) {
		init_for_two(&analyst, other_rates[i]);
		test_each_of_a_row_of_tones_is_told(&analyst, 0.4, 0.02, "m");
		test_ranges_are_what_3342_asks(&analyst, 1, 2);
		analyst_finish(&analyst);
		test_one_channel_alone_is_3_db_softer(other_rates[i]);
		test_k_weighting_is_that_of_bs_1770(other_rates[i]);
	}
	test_one_channel_alone_is_3_db_softer(8000);
	test_one_channel_alone_is_3_db_softer(384000);
	test_k_weighting_is_that_of_bs_1770(48000);
	test_a_long_programme_is_measured_exactly(50);
	test_a_long_programme_is_measured_exactly(500);
	return 0;
}
