/* SPDX-License-Identifier: MIT */

/*
 * A band is the bilinear transform of an analogue Butterworth bandpass with prewarped edges.
 * Warping makes the lower skirt less steep: three pole pairs meet class 1 as long as the midband
 * frequency is below 0.25 of the rate. The bands of the first bank, above that, have four.
 *
 * The edges are moved inwards so that the effective bandwidth (IEC 61260-1:2014, 5.11) is that of
 * an ideal filter, except above 0.43 of the rate, where the warping leaves no room for it.
 */

#include <complex.h>
#include <math.h>

#include "third_octave.h"

#define HIGHEST 0.4536 /* of the rate: 20 kHz at 44.1 kHz */
#define HIGHEST_NARROWED 0.43
#define LAST_EDGE 0.4999

struct edges {
	double low, high; /* prewarped: tan(pi f / rate) */
};

/* IEC 61260-1:2014, 5.2 to 5.4; band 17 is that of 1 kHz. */
static double middle_of(int32_t band)
{
	return 1000.0 * pow(10.0, (band - 17) / 10.0);
}

static struct edges edges_of(double middle, uint32_t n_poles)
{
	const double half_angle = M_PI / (2.0 * n_poles);
	const double narrowed = middle < HIGHEST_NARROWED ? sin(half_angle) / half_angle : 1.0;
	const double wide = 0.5 * (pow(10.0, 0.05) - pow(10.0, -0.05)) * narrowed;
	const double high = sqrt(wide * wide + 1.0) + wide;

	return (struct edges){ tan(M_PI * middle / high),
			       tan(M_PI * fmin(middle * high, LAST_EDGE)) };
}

/* A section from a pole and its conjugate, by the bilinear transform. Returns its gain at `unit`.
 */
static double section_set(struct third_octave_bank *bank, uint32_t section, uint32_t lane,
			  double complex s, double complex unit)
{
	const double complex z = (1.0 + s) / (1.0 - s);
	const double a1 = -2.0 * creal(z), a2 = creal(z * conj(z));

	for (uint32_t i = lane; i < lane + 2; i++) {
		bank->a1[section][i] = (float)a1;
		bank->a2[section][i] = (float)a2;
	}
	return cabs((1.0 - 1.0 / (unit * unit)) / (1.0 + a1 / unit + a2 / (unit * unit)));
}

/* middle: midband frequency over the stage's rate. */
static void band_init(struct third_octave_bank *bank, uint32_t lane, double middle)
{
	const uint32_t n = bank->n_sections;
	const struct edges edges = edges_of(middle, n);
	const double wide = edges.high - edges.low, centre = sqrt(edges.low * edges.high);
	const double complex unit = cexp(2.0 * I * atan(centre));
	uint32_t section = 0;
	double gain = 1.0;

	/* Each pole of the lowpass prototype gives two; of each conjugate pair one is used. */
	for (uint32_t k = 0; k < n; k++) {
		const double complex pole = cexp(I * M_PI * (2.0 * k + n + 1.0) / (2.0 * n));
		const double complex half = 0.5 * wide * pole;
		const double complex root = csqrt(half * half - centre * centre);
		const double complex both[2] = { half + root, half - root };

		for (uint32_t i = 0; i < 2; i++)
			if (cimag(both[i]) > 0.0)
				gain *= section_set(bank, section++, lane, both[i], unit);
	}
	/* Each decimation doubles the amplitude. */
	bank->gain[lane] = bank->gain[lane + 1] = (float)ldexp(1.0 / gain, -(int)bank->stage);
}

void third_octave_init(struct third_octave *third_octave, uint32_t rate, uint32_t n_channels)
{
	const int32_t top = (int32_t)floor(10.0 * log10(HIGHEST * rate / 1000.0)) + 17;
	const int32_t n_above = top >= THIRD_OCTAVE_BANDS ? (top - THIRD_OCTAVE_BANDS + 1) / 3 : 0;
	const int32_t n_left = top + 1 - 3 * n_above;

	third_octave->rate = rate;
	third_octave->n_channels = n_channels;
	third_octave->n_pairs = (n_channels + 1) / 2;
	third_octave->n_banks = (uint32_t)(n_left + 1) / 3;
	third_octave->first = (uint32_t)n_above;
	third_octave->top = top;
}

void third_octave_allocate(struct third_octave *third_octave, struct arena *arena)
{
	third_octave->bank =
		arena_bytes(arena, third_octave->n_banks * sizeof(*third_octave->bank));
	third_octave->pair =
		arena_bytes(arena, third_octave->n_pairs * sizeof(*third_octave->pair));
}

void third_octave_init_tables(struct third_octave *third_octave)
{
	for (uint32_t i = 0; i < third_octave->n_banks; i++) {
		struct third_octave_bank *bank = &third_octave->bank[i];
		const uint32_t place = third_octave->first + i;

		bank->stage = place > 0 ? place - 1 : 0;
		bank->n_sections = place > 0 ? 3 : 4;
		bank->top = third_octave->top - (int32_t)(3 * place);
		bank->n_bands = i + 1 < third_octave->n_banks ? 3 : (uint32_t)bank->top + 1;
		for (uint32_t b = 0; b < bank->n_bands; b++)
			if (bank->top - (int32_t)b < THIRD_OCTAVE_BANDS)
				band_init(bank, 2 * b,
					  middle_of(bank->top - (int32_t)b) /
						  ldexp(third_octave->rate, -(int)bank->stage));
	}
}
