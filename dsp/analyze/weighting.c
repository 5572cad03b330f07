/* SPDX-License-Identifier: MIT */

/*
 * A and C (IEC 61672-1 annex E): the poles at low frequencies and their zeros at 0 Hz are mapped by
 * the matched z-transform. So are the two poles at 12.2 kHz, which get two zeros that fit the
 * magnitude of all sections to the standard's, by least squares of the relative error: the squared
 * magnitude of a numerator is a parabola in x = sin^2(pi f / rate) (M. Vicanek, "Matched second
 * order digital filters", 2016). The error stays below 0.06 dB up to 0.4 of the rate.
 *
 * K: bilinear transforms of the analogue filters behind the coefficients that ITU-R BS.1770-4,
 * annex 1, lists for 48 kHz (B. De Man, "Evaluation of implementations of the EBU R128 loudness
 * measurement", AES 145th convention, 2018). At other rates the shelf's numerator is fitted to the
 * magnitude at 48 kHz.
 */

#include "weighting.h"

#include <math.h>

#define N_FIT 48     /* frequencies, quadratically spaced: most are low */
#define FIT_END 0.42 /* of the rate */

/* IEC 61672-1:2013, E.4: poles, Hz */
static const double f1 = 20.598997, f2 = 107.65265, f3 = 737.86223, f4 = 12194.217;

struct biquad {
	double b0, b1, b2, a1, a2;
};

static const struct biquad nothing = { 1.0, 0.0, 0.0, 0.0, 0.0 };

static void section_put(struct weighting_section *section, uint32_t lane,
			const struct biquad *biquad)
{
	section->b0[lane] = biquad->b0;
	section->b1[lane] = biquad->b1;
	section->b2[lane] = biquad->b2;
	section->a1[lane] = biquad->a1;
	section->a2[lane] = biquad->a2;
}

static double pole_of(double frequency, double rate)
{
	return exp(-2.0 * M_PI * frequency / rate);
}

static struct biquad poles(double p, double q)
{
	return (struct biquad){ 1.0, 0.0, 0.0, -(p + q), p * q };
}

static struct biquad highpass(double p, double q)
{
	return (struct biquad){ 1.0, -2.0, 1.0, -(p + q), p * q };
}

/* c0 + c1 / z + c2 / z^2 at x, squared */
static double parabola(double c0, double c1, double c2, double x)
{
	const double at_zero = c0 + c1 + c2, at_half = c0 - c1 + c2;

	return at_zero * at_zero * (1.0 - x) + at_half * at_half * x -
	       16.0 * c0 * c2 * x * (1.0 - x);
}

static double power_of(const struct biquad *biquad, double x)
{
	return parabola(biquad->b0, biquad->b1, biquad->b2, x) /
	       parabola(1.0, biquad->a1, biquad->a2, x);
}

/* The pre-filter of K, a shelf, at 48 kHz: ITU-R BS.1770-4, annex 1, table 1. */
static const struct biquad shelf_48000 = {
	1.53512485958697, -2.69169618940638, 1.19839281085285, -1.69065929318241, 0.73248077421585,
};

/*
 * A and C: the formulas of annex E without the normalization to 0 dB at 1 kHz. K: the power of the
 * shelf at 48 kHz; above 24 kHz its value there.
 */
static double standard_power(double frequency, int lane)
{
	if (lane == WEIGHTING_K) {
		const double s = sin(M_PI * fmin(frequency, 24000.0) / 48000.0);

		return power_of(&shelf_48000, s * s);
	}

	const double f = frequency * frequency;
	const double c = f4 * f4 * f / ((f + f1 * f1) * (f + f4 * f4));

	return lane == WEIGHTING_C ? c * c : c * c * f * f / ((f + f2 * f2) * (f + f3 * f3));
}

/* Solves three equations by elimination. */
static void solve(double m[3][4], double *result)
{
	for (int i = 0; i < 3; i++)
		for (int row = i + 1; row < 3; row++) {
			const double share = m[row][i] / m[i][i];

			for (int k = i; k < 4; k++)
				m[row][k] -= share * m[i][k];
		}
	for (int i = 2; i >= 0; i--) {
		result[i] = m[i][3];
		for (int k = i + 1; k < 3; k++)
			result[i] -= m[i][k] * result[k];
		result[i] /= m[i][i];
	}
}

/* Sets the numerator of `biquad` so that all sections together have the standard's magnitude. */
static void fit(const struct biquad *low, const struct biquad *middle, struct biquad *biquad,
		double rate, int lane)
{
	double m[3][4] = { 0 }, parts[3];

	for (int i = 1; i <= N_FIT; i++) {
		const double frequency = FIT_END * rate * i * i / (N_FIT * N_FIT);
		const double s = sin(M_PI * frequency / rate), x = s * s;
		const double power = standard_power(frequency, lane) /
				     (power_of(low, x) * power_of(middle, x) * power_of(biquad, x));
		const double term[4] = { 1.0 / power, x / power, x * x / power, 1.0 };

		for (int row = 0; row < 3; row++)
			for (int k = 0; k < 4; k++)
				m[row][k] += term[row] * term[k];
	}
	solve(m, parts);

	/* From the parabola c0 + c1 x + c2 x^2 back to b0, b1, b2: the inverse of parabola(). */
	const double at_zero = sqrt(parts[0]);
	const double at_half = sqrt(parts[0] + parts[1] + parts[2]);
	const double outer = 0.5 * (at_zero + at_half);

	biquad->b0 = 0.5 * (outer + sqrt(outer * outer - 0.25 * parts[2]));
	biquad->b1 = 0.5 * (at_zero - at_half);
	biquad->b2 = 0.0625 * parts[2] / biquad->b0;
}

static void gain_set(const struct biquad *low, const struct biquad *middle, struct biquad *biquad,
		     double rate)
{
	const double s = sin(M_PI * 1000.0 / rate), x = s * s;
	const double gain =
		1.0 / sqrt(power_of(low, x) * power_of(middle, x) * power_of(biquad, x));

	biquad->b0 *= gain;
	biquad->b1 *= gain;
	biquad->b2 *= gain;
}

static void iec_init(struct weighting *weighting, int lane, double rate)
{
	const double p1 = pole_of(f1, rate), p4 = pole_of(f4, rate);
	const struct biquad low = highpass(p1, p1);
	const struct biquad middle =
		lane == WEIGHTING_A ? highpass(pole_of(f2, rate), pole_of(f3, rate)) : nothing;
	struct biquad high = poles(p4, p4);

	fit(&low, &middle, &high, rate, lane);
	gain_set(&low, &middle, &high, rate);
	section_put(&weighting->section[0], lane, &low);
	section_put(&weighting->section[1], lane, &middle);
	section_put(&weighting->section[2], lane, &high);
}

/* Sets a1 and a2 by the bilinear transform; returns a0, by which they are divided. */
static double k_poles(struct biquad *biquad, double frequency, double q, double rate)
{
	const double warped = tan(M_PI * frequency / rate);
	const double a0 = 1.0 + warped / q + warped * warped;

	biquad->a1 = 2.0 * (warped * warped - 1.0) / a0;
	biquad->a2 = (1.0 - warped / q + warped * warped) / a0;
	return a0;
}

static void k_init(struct weighting *weighting, double rate)
{
	/* They give table 1, the pre-filter, and table 2, the RLB high-pass, at 48 kHz. */
	const double shelf_hz = 1681.974450955533, shelf_q = 0.7071752369554196;
	const double pass_hz = 38.13547087602444, pass_q = 0.5003270373238773;
	struct biquad shelf = nothing, pass, at_48000;

	k_poles(&shelf, shelf_hz, shelf_q, rate);
	fit(&nothing, &nothing, &shelf, rate, WEIGHTING_K);

	/* The numerator is 1, -2, 1 at 48 kHz, as in table 2: the gain there exceeds 1 a little. */
	pass.b0 = k_poles(&at_48000, pass_hz, pass_q, 48000.0) /
		  k_poles(&pass, pass_hz, pass_q, rate);
	pass.b1 = -2.0 * pass.b0;
	pass.b2 = pass.b0;
	section_put(&weighting->section[0], WEIGHTING_K, &pass);
	section_put(&weighting->section[1], WEIGHTING_K, &nothing);
	section_put(&weighting->section[2], WEIGHTING_K, &shelf);
}

void weighting_init_tables(struct weighting *weighting, uint32_t rate)
{
	iec_init(weighting, WEIGHTING_A, rate);
	iec_init(weighting, WEIGHTING_C, rate);
	k_init(weighting, rate);
	for (uint32_t i = 0; i < WEIGHTING_SECTIONS; i++)
		section_put(&weighting->section[i], WEIGHTING_Z, &nothing);
}
