/* SPDX-License-Identifier: MIT */

/*
 * Third-octave bands of the analyze units: IEC 61260-1:2014, class 1. Each tone is asked of every
 * band. Tones lie at the middle of every band and at the breakpoints of table 1: at 48 kHz of every
 * band from 800 Hz on and of every fourth below, at other rates of the highest ones and of every
 * seventh below.
 */

#include <math.h>

#include "analyst.h"
#include "check.h"

#define BANDS 31
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LEVEL -10.0

static double middle_of(int band)
{
	return 1000.0 * pow(10.0, (band - 17) / 10.0);
}

/* Table 1, class 1: least and most attenuation at the breakpoints G^x of an octave, in dB. */
static const struct {
	double x, least, most;
} inside[] = {
	{ 0.0, -0.4, 0.4 },   { 0.125, -0.4, 0.5 }, { 0.25, -0.4, 0.7 },
	{ 0.375, -0.4, 1.4 }, { 0.5, -0.4, 5.3 },
}, outside[] = {
	{ 0.5, 1.3, 0 }, { 1.0, 16.6, 0 }, { 2.0, 40.5, 0 }, { 3.0, 60.0, 0 }, { 4.0, 70.0, 0 },
};

/* 5.10.3: a breakpoint of third-octave bands, above the middle. */
static double breakpoint(double x)
{
	const double g = pow(10.0, 0.3);

	return 1.0 + (pow(g, 1.0 / 6.0) - 1.0) / (sqrt(g) - 1.0) * (pow(g, x) - 1.0);
}

/* 5.10.4: between breakpoints the limits are straight over the logarithm of the frequency. */
static double between(double ratio, double x0, double x1, double y0, double y1)
{
	const double from = log(breakpoint(x0)), to = log(breakpoint(x1));

	return y0 + (y1 - y0) * (log(ratio) - from) / (to - from);
}

static void limits_of(double ratio, double *least, double *most)
{
	if (ratio < 1.0)
		ratio = 1.0 / ratio;
	*least = ratio <= breakpoint(0.5) ? -0.4 : 70.0;
	*most = INFINITY;
	for (uint32_t i = 1; i < COUNT(inside); i++)
		if (ratio >= breakpoint(inside[i - 1].x) && ratio <= breakpoint(inside[i].x))
			*most = between(ratio, inside[i - 1].x, inside[i].x, inside[i - 1].most,
					inside[i].most);
	for (uint32_t i = 1; i < COUNT(outside); i++)
		if (ratio > breakpoint(outside[i - 1].x) && ratio <= breakpoint(outside[i].x))
			*least = between(ratio, outside[i - 1].x, outside[i].x,
					 outside[i - 1].least, outside[i].least);
}

/*
 * Long enough for the bands near the tone to rise, and for the time weighting to forget what the
 * fade left in bands that are far from it.
 */
static void check_tone(struct analyst *analyst, double frequency)
{
	const double seconds = frequency < 60.0 ? 2.6 : frequency < 200.0 ? 1.6 : 1.0;

	analyst_begin(analyst);
	analyst_tone(analyst, frequency, LEVEL, seconds, 0.2);
	for (int band = 0; band < BANDS; band++) {
		/* The tone's end is faded, too. */
		const double level =
			(double)analyst_value(analyst, analyst->n - 21, "oct3", (uint32_t)band);
		/* The time weighting leaves a ripple, and not all of the rise is over. */
		const double margin = frequency < 60.0 ? 0.15 : 0.03;
		double least, most;

		limits_of(frequency / middle_of(band), &least, &most);
		if (middle_of(band) > 0.4536 * analyst->rate) {
			CHECK(level == -200.0);
			continue;
		}
		if (!(LEVEL - level >= least - margin && LEVEL - level <= most + margin))
			fprintf(stderr, "%u Hz: %g Hz in the band of %g Hz: %g dB\n", analyst->rate,
				frequency, middle_of(band), level - LEVEL);
		CHECK(LEVEL - level >= least - margin && LEVEL - level <= most + margin);
	}
}

/* A little inside the edge, where the limits jump. */
static void check_band(struct analyst *analyst, int band)
{
	for (uint32_t i = 1; i < COUNT(inside); i++) {
		const double ratio = breakpoint(inside[i].x) * (inside[i].x == 0.5 ? 0.998 : 1.0);

		check_tone(analyst, middle_of(band) / ratio);
		if (middle_of(band) * ratio < 0.495 * analyst->rate)
			check_tone(analyst, middle_of(band) * ratio);
	}
}

static void test_bands_are_class_1(uint32_t rate, int first, int step)
{
	struct analyst analyst;
	const int n = middle_of(BANDS - 1) < 0.4536 * rate
			      ? BANDS
			      : (int)(10.0 * log10(0.4536 * rate / 1000.0)) + 18;

	analyst_init(&analyst, "analyze-mono", rate);
	*analyst_control(&analyst, "loudness") = 0.0f;
	*analyst_control(&analyst, "thirds") = 1.0f;
	for (int band = 0; band < n; band++)
		check_tone(&analyst, middle_of(band));
	for (int band = n - 1; band >= 0; band -= band > first ? 1 : step)
		check_band(&analyst, band);
	analyst_finish(&analyst);
}

/*
 * 5.11: the effective bandwidth. White noise has in each band its share of the power, and in all of
 * them together the power of the range they cover; 30 s of it are known to 0.1 dB above 1 kHz.
 */
static void test_bandwidths_are_exact(uint32_t rate)
{
	static float noise[4800];
	struct analyst analyst;
	double power[BANDS] = { 0 };
	uint32_t seed = 11;

	analyst_init(&analyst, "analyze-mono", rate);
	*analyst_control(&analyst, "loudness") = 0.0f;
	*analyst_control(&analyst, "thirds") = 1.0f;
	for (uint32_t f = 0; f < 30 * rate; f += COUNT(noise)) {
		for (uint32_t i = 0; i < COUNT(noise); i++) {
			seed = seed * 1664525u + 1013904223u;
			noise[i] = (float)seed / 2147483648.0f - 1.0f;
		}
		analyst_play(&analyst, noise, COUNT(noise));
	}
	for (uint32_t i = 100; i < analyst.n; i++)
		for (uint32_t band = 17; band < BANDS; band++)
			power[band] +=
				pow(10.0, (double)analyst_value(&analyst, i, "oct3", band) / 10.0) /
				(analyst.n - 100);
	for (int band = 17; band < BANDS; band++) {
		const double width = middle_of(band) * (pow(10.0, 0.05) - pow(10.0, -0.05));
		const double expected = 10.0 * log10(2.0 / 3.0 * width / (0.5 * rate));

		if (middle_of(band) * pow(10.0, 0.05) > 0.49 * rate)
			continue;
		if (!(fabs(10.0 * log10(power[band]) - expected) < 0.15))
			fprintf(stderr, "%u Hz: band %d: %g instead of %g dB\n", rate, band,
				10.0 * log10(power[band]), expected);
		CHECK(fabs(10.0 * log10(power[band]) - expected) < 0.15);
	}
	analyst_finish(&analyst);
}

/* What a halved rate would fold into the middle of a band. */
static void test_nothing_is_folded_into_a_band(uint32_t rate)
{
	struct analyst analyst;

	analyst_init(&analyst, "analyze-mono", rate);
	*analyst_control(&analyst, "loudness") = 0.0f;
	*analyst_control(&analyst, "thirds") = 1.0f;
	for (uint32_t halved = 2; halved <= 16; halved *= 2)
		for (int band = 0; band < BANDS; band++) {
			const double middle = middle_of(band),
				     folded = (double)rate / halved - middle;

			if (middle < 0.1 * rate / halved || middle > 0.24 * rate / halved)
				continue;
			analyst_begin(&analyst);
			analyst_tone(&analyst, folded, LEVEL, 1.0, 0.3);
			CHECK((double)analyst_value(&analyst, 69, "oct3", (uint32_t)band) <
			      LEVEL - 95.0);
		}
	analyst_finish(&analyst);
}

/* After a tone ends: 125 ms forget 4.34 dB, and as much a longer smoothing in its time. */
static void test_smoothing_sets_the_time_constant(void)
{
	static const double times[][2] = { { 0.0, 0.125 }, { 50.0, 0.125 }, { 1000.0, 1.0 } };
	struct analyst analyst;

	analyst_init(&analyst, "analyze-mono", 48000);
	*analyst_control(&analyst, "thirds") = 1.0f;
	for (uint32_t i = 0; i < COUNT(times); i++) {
		*analyst_control(&analyst, "smoothing") = (float)times[i][0];
		analyst_begin(&analyst);
		analyst_tone(&analyst, 1000.0, -10.0, 1.0, 0.0);
		analyst_tone(&analyst, 1000.0, -INFINITY, 0.6, 0.0);

		const double fall = (double)(analyst_value(&analyst, 109, "oct3", 17) -
					     analyst_value(&analyst, 149, "oct3", 17));

		CHECK(fabs(fall - 0.4 / times[i][1] * 10.0 * log10(exp(1.0))) < 0.1);
	}
	analyst_finish(&analyst);
}

/* Each channel tells its own tone. */
static void test_channels_are_apart(void)
{
	struct analyst analyst;

	analyst_init(&analyst, "analyze-8", 48000);
	*analyst_control(&analyst, "thirds") = 1.0f;
	for (uint32_t c = 0; c < 8; c++)
		analyst.gain[c] = powf(10.0f, -0.5f * (float)c);
	analyst_tone(&analyst, 1000.0, 0.0, 1.0, 0.0);
	for (uint32_t c = 0; c < 8; c++)
		CHECK(fabsf(analyst_last(&analyst, "oct3", BANDS * c + 17) + 10.0f * (float)c) <
		      0.1f);
	analyst_finish(&analyst);
}

int main(void)
{
	test_bands_are_class_1(48000, 16, 4);
	test_bands_are_class_1(44100, 25, 7);
	test_bands_are_class_1(96000, 27, 7);
	test_bands_are_class_1(192000, 29, 9);
	test_bands_are_class_1(8000, 18, 7);
	test_bandwidths_are_exact(44100);
	test_bandwidths_are_exact(48000);
	test_nothing_is_folded_into_a_band(44100);
	test_nothing_is_folded_into_a_band(192000);
	test_smoothing_sets_the_time_constant();
	test_channels_are_apart();
	return 0;
}
