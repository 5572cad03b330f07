/* SPDX-License-Identifier: MIT */

/*
 * The delay between two sounds is where the inverse transform of their weighted cross-spectrum
 * peaks (C. H. Knapp, G. C. Carter, "The generalized correlation method for estimation of time
 * delay", IEEE Trans. ASSP 24(4), 1976). The weight rho^2 / (1 - rho^2) of the maximum likelihood
 * takes the agreement of phases over time for the coherence rho. The peak is found on a grid of
 * half a sample, and then by a step of Newton's method on the sum of cosines itself.
 */

#include "cross.h"

#include <math.h>
#include <string.h>

#include "../simd.h"
#include "rotor.h"

#define PI 3.14159265358979323846
#define OWN_REACH 2 /* half samples */

int cross_kit_init(struct cross_kit *kit, const struct ear_kit *ear)
{
	kit->rate = ear->rate;
	kit->first = 2 * ear->first;
	kit->n = (2 * (ear->end - ear->first)) / ROTOR_LANES * ROTOR_LANES;
	if (weir_fft_init(&kit->fft, CROSS_WINDOW) < 0)
		return -1;
	return weir_fft_init(&kit->fine_fft, CROSS_FINE);
}

void cross_kit_finish(struct cross_kit *kit)
{
	weir_fft_finish(&kit->fft);
	weir_fft_finish(&kit->fine_fft);
}

void cross_kit_place(struct cross_kit *kit, struct layout *layout)
{
	kit->window = floats_place(layout, CROSS_WINDOW);
	kit->time = floats_place(layout, CROSS_FINE);
	kit->bins = bins_place(layout, CROSS_FINE / 2 + 1);
	kit->weight = floats_place(layout, CROSS_BINS);
	kit->re = floats_place(layout, CROSS_BINS);
	kit->im = floats_place(layout, CROSS_BINS);
}

void cross_kit_fill(struct cross_kit *kit)
{
	for (uint32_t i = 0; i < CROSS_WINDOW; i++)
		kit->window[i] = (float)(0.5 - 0.5 * cos(2.0 * PI * i / CROSS_WINDOW));
}

void cross_place(struct cross *cross, const struct cross_kit *kit, struct layout *layout)
{
	cross->re = floats_place(layout, kit->n);
	cross->im = floats_place(layout, kit->n);
	cross->weight = floats_place(layout, kit->n);
}

WEIR_REALTIME void cross_clear(struct cross *cross, const struct cross_kit *kit)
{
	memset(cross->re, 0, kit->n * sizeof(float));
	memset(cross->im, 0, kit->n * sizeof(float));
	memset(cross->weight, 0, kit->n * sizeof(float));
}

WEIR_REALTIME void cross_copy(struct cross *to, const struct cross *from,
			      const struct cross_kit *kit)
{
	memcpy(to->re, from->re, kit->n * sizeof(float));
	memcpy(to->im, from->im, kit->n * sizeof(float));
	memcpy(to->weight, from->weight, kit->n * sizeof(float));
}

static WEIR_SIMD WEIR_REALTIME void add(float *restrict sum, const float *restrict term, float keep,
					uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		sum[i] = keep * sum[i] + term[i];
}

WEIR_REALTIME void cross_add(struct cross *sum, const struct cross *term, float keep,
			     const struct cross_kit *kit)
{
	add(sum->re, term->re, keep, kit->n);
	add(sum->im, term->im, keep, kit->n);
	add(sum->weight, term->weight, keep, kit->n);
}

static WEIR_SIMD WEIR_REALTIME void turn(float *restrict re, float *restrict im,
					 const float *restrict by_re, const float *restrict by_im,
					 uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		const float turned = re[i] * by_re[i] - im[i] * by_im[i];

		im[i] = re[i] * by_im[i] + im[i] * by_re[i];
		re[i] = turned;
	}
}

static WEIR_REALTIME double angle_of(double seconds, const struct cross_kit *kit)
{
	return 2.0 * PI / CROSS_WINDOW * (double)kit->rate * seconds;
}

WEIR_REALTIME void cross_advance(struct cross *cross, double seconds, const struct cross_kit *kit)
{
	rotor_fill(kit->re, kit->im, angle_of(seconds, kit), kit->first, kit->n);
	turn(cross->re, cross->im, kit->re, kit->im, kit->n);
}

static WEIR_SIMD WEIR_REALTIME void weigh(float *restrict weight, const struct cross *cross,
					  float most, bool is_sharp, uint32_t n)
{
	const float *restrict re = cross->re, *restrict im = cross->im;
	const float *restrict sum = cross->weight;

	for (uint32_t i = 0; i < n; i++) {
		const float size = sqrtf(re[i] * re[i] + im[i] * im[i]) + 1e-12f;
		const float agreement = size / (sum[i] + 0.5f);
		const float rho = agreement < most ? agreement : most;
		const float square = rho * rho;

		weight[i] = (is_sharp ? square / (1.0f - square) : square) / size;
	}
}

WEIR_REALTIME void cross_weigh(const struct cross *cross, float most, bool is_sharp,
			       const struct cross_kit *kit)
{
	weigh(kit->weight, cross, most, is_sharp, kit->n);
}

/* Sums for the lag of `angle` per bin: what the peak is made of, and its derivatives. */
struct sums {
	double value, first, second;
};

static WEIR_SIMD WEIR_REALTIME struct sums sum_at(const struct cross *cross,
						  const struct cross_kit *kit)
{
	float value[ROTOR_LANES] = { 0 }, first[ROTOR_LANES] = { 0 }, second[ROTOR_LANES] = { 0 };
	struct sums sums = { 0 };

	for (uint32_t i = 0; i < kit->n; i += ROTOR_LANES)
		for (uint32_t j = 0; j < ROTOR_LANES; j++) {
			const float weight = kit->weight[i + j];
			const float re = weight * cross->re[i + j], im = weight * cross->im[i + j];
			const float along = re * kit->re[i + j] - im * kit->im[i + j];
			const float across = re * kit->im[i + j] + im * kit->re[i + j];
			const float bin = (float)(kit->first + i + j);

			value[j] += along;
			first[j] -= across * bin;
			second[j] -= along * bin * bin;
		}
	for (uint32_t j = 0; j < ROTOR_LANES; j++) {
		sums.value += (double)value[j];
		sums.first += (double)first[j];
		sums.second += (double)second[j];
	}
	return sums;
}

/* In half samples, from the grid's highest point `at`. */
static WEIR_REALTIME double refine(const struct cross *cross, int at, const struct cross_kit *kit)
{
	const float *time = kit->time;
	const double a = (double)time[(at - 1) & (CROSS_FINE - 1)];
	const double b = (double)time[at & (CROSS_FINE - 1)];
	const double c = (double)time[(at + 1) & (CROSS_FINE - 1)];
	const double bend = a - 2.0 * b + c;
	const double lag = at + (bend < 0.0 ? 0.5 * (a - c) / bend : 0.0);
	const double angle = 2.0 * PI / CROSS_FINE;

	rotor_fill(kit->re, kit->im, angle * lag, kit->first, kit->n);

	const struct sums sums = sum_at(cross, kit);
	const double newton = sums.second < 0.0 ? -sums.first / sums.second / angle : 0.0;

	return lag + fmin(fmax(newton, -0.5), 0.5);
}

WEIR_REALTIME struct cross_peak cross_find(const struct cross *cross, double reach,
					   const struct cross_kit *kit)
{
	const int n_reach = (int)(2.0 * reach * (double)kit->rate);
	double weights = 0.0, squares = 0.0, slope = 0.0;
	struct cross_peak peak = { 0 };
	float own = 0.0f;
	int at = 0;

	memset(kit->bins, 0, (CROSS_FINE / 2 + 1) * sizeof(fftwf_complex));
	for (uint32_t i = 0; i < kit->n; i++) {
		const double bin = kit->first + i;
		const float re = kit->weight[i] * cross->re[i], im = kit->weight[i] * cross->im[i];
		const double square = (double)(re * re + im * im), weight = sqrt(square);

		kit->bins[kit->first + i][0] = re;
		kit->bins[kit->first + i][1] = im;
		weights += weight;
		squares += square;
		slope += weight * bin * bin;
	}
	weir_fft_inverse(&kit->fine_fft, kit->bins, kit->time);
	for (int i = -n_reach; i <= n_reach; i++)
		if (kit->time[i & (CROSS_FINE - 1)] > kit->time[at & (CROSS_FINE - 1)])
			at = i;
	for (int i = -OWN_REACH; i <= OWN_REACH; i++)
		if (kit->time[i & (CROSS_FINE - 1)] > own)
			own = kit->time[i & (CROSS_FINE - 1)];

	const double height = (double)kit->time[at & (CROSS_FINE - 1)];
	const double deviation = sqrt(2.0 * squares) + 1e-20;
	const double omega = 2.0 * PI / CROSS_WINDOW * (double)kit->rate;

	peak.lag = refine(cross, at, kit) / 2.0 / (double)kit->rate;
	peak.agreement = (float)(0.5 * height / (weights + 1e-9));
	peak.height = (float)(height / deviation);
	peak.own = (float)((double)own / deviation);
	peak.slope = slope * omega * omega;
	return peak;
}
