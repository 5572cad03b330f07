/* SPDX-License-Identifier: MIT */
#include "sinc.h"

#include <math.h>

static double bessel_i0(double x)
{
	double sum = 1.0, term = 1.0;

	for (int k = 1; term > 1e-12 * sum; k++) {
		term *= x / (2.0 * k) * x / (2.0 * k);
		sum += term;
	}
	return sum;
}

static double windowed_sinc(double x, double half, double cutoff, double beta)
{
	const double u = x / half;
	const double sinc = x == 0.0 ? cutoff : sin(M_PI * cutoff * x) / (M_PI * x);

	return sinc * bessel_i0(beta * sqrt(fmax(0.0, 1.0 - u * u)));
}

void sinc_fill(float *kernel, int n_taps, int n_phases, double cutoff, double beta)
{
	const double half = n_taps / 2.0;

	for (int phase = 0; phase <= n_phases; phase++, kernel += n_taps) {
		const double centre = half - 1.0 + (double)phase / n_phases;
		double sum = 0.0;

		for (int i = 0; i < n_taps; i++)
			sum += windowed_sinc(i - centre, half, cutoff, beta);
		for (int i = 0; i < n_taps; i++)
			kernel[i] = (float)(windowed_sinc(i - centre, half, cutoff, beta) / sum);
	}
}
