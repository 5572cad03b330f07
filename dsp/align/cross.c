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

#include "dsp/minmax.h"
#include "dsp/phasor.h"
#include "dsp/simd.h"

#define OWN_REACH 2 /* half samples: the main lobe of a band up to 7.5 kHz ends there */

int cross_context_init(struct cross_context *context, const struct front_end_context *front)
{
	context->rate = front->rate;
	context->first = 2 * front->first;
	context->n = (2 * (front->end - front->first)) / WEIR_LANES * WEIR_LANES;

	const int res = weir_fft_init(&context->fft, CROSS_WINDOW);

	return res < 0 ? res : weir_fft_init(&context->fine_fft, CROSS_FINE);
}

void cross_context_finish(struct cross_context *context)
{
	weir_fft_finish(&context->fft);
	weir_fft_finish(&context->fine_fft);
}

void cross_context_allocate(struct cross_context *context, struct arena *arena)
{
	context->window = arena_floats(arena, CROSS_WINDOW);
	context->time = arena_floats(arena, CROSS_WINDOW);
	context->bins = arena_bins(arena, CROSS_FINE / 2 + 1);
	context->re = arena_floats(arena, CROSS_BINS);
	context->im = arena_floats(arena, CROSS_BINS);
}

void cross_context_fill(struct cross_context *context)
{
	front_end_fill_hann(context->window, CROSS_WINDOW);
}

void cross_allocate(struct cross *cross, const struct cross_context *context, struct arena *arena)
{
	cross->re = arena_floats(arena, context->n);
	cross->im = arena_floats(arena, context->n);
	cross->weight = arena_floats(arena, context->n);
}

void cross_weighted_allocate(struct cross_weighted *weighted, const struct cross_context *context,
			     struct arena *arena)
{
	weighted->re = arena_floats(arena, context->n);
	weighted->im = arena_floats(arena, context->n);
}

WEIR_REALTIME void cross_clear(struct cross *cross, const struct cross_context *context)
{
	memset(cross->re, 0, context->n * sizeof(float));
	memset(cross->im, 0, context->n * sizeof(float));
	memset(cross->weight, 0, context->n * sizeof(float));
}

WEIR_REALTIME void cross_copy(struct cross *to, const struct cross *from,
			      const struct cross_context *context)
{
	memcpy(to->re, from->re, context->n * sizeof(float));
	memcpy(to->im, from->im, context->n * sizeof(float));
	memcpy(to->weight, from->weight, context->n * sizeof(float));
}

static WEIR_SIMD WEIR_REALTIME void add(float *restrict sum, const float *restrict term, float keep,
					uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		sum[i] = keep * sum[i] + term[i];
}

WEIR_REALTIME void cross_add(struct cross *sum, const struct cross *term, float keep,
			     const struct cross_context *context)
{
	add(sum->re, term->re, keep, context->n);
	add(sum->im, term->im, keep, context->n);
	add(sum->weight, term->weight, keep, context->n);
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

WEIR_REALTIME double cross_angle(double seconds, const struct cross_context *context)
{
	return 2.0 * M_PI / CROSS_WINDOW * (double)context->rate * seconds;
}

WEIR_REALTIME void cross_advance(struct cross *cross, double seconds,
				 const struct cross_context *context)
{
	phasors_set(context->re, context->im, cross_angle(seconds, context), context->first,
		    context->n);
	turn(cross->re, cross->im, context->re, context->im, context->n);
}

static WEIR_SIMD WEIR_REALTIME void weigh(const struct cross *cross, float max, bool is_sharp,
					  struct cross_weighted *weighted, uint32_t n)
{
	const float *restrict re = cross->re, *restrict im = cross->im;
	const float *restrict sum = cross->weight;
	float *restrict out_re = weighted->re, *restrict out_im = weighted->im;

	for (uint32_t i = 0; i < n; i++) {
		const float length = sqrtf(re[i] * re[i] + im[i] * im[i]) + 1e-12f;
		const float agreement = length / (sum[i] + 0.5f);
		const float rho = agreement < max ? agreement : max;
		const float square = rho * rho;
		const float size = is_sharp ? square / (1.0f - square) : square;

		out_re[i] = size / length * re[i];
		out_im[i] = size / length * im[i];
	}
}

/* In order: weir_lanes_sum() adds pairs, which rounds differently. */
static WEIR_REALTIME float lanes_sum(const weir_lanes *lanes)
{
	float sum = 0.0f;

	for (uint32_t j = 0; j < WEIR_LANES; j++)
		sum += (*lanes)[j];
	return sum;
}

WEIR_REALTIME void cross_weigh(const struct cross *cross, float max, bool is_sharp,
			       struct cross_weighted *weighted, const struct cross_context *context)
{
	weigh(cross, max, is_sharp, weighted, context->n);
	cross_weighted_measure(weighted, context);
}

static WEIR_SIMD WEIR_REALTIME void measure(struct cross_weighted *weighted,
					    const struct cross_context *context)
{
	weir_lanes sum = { 0 }, squares = { 0 }, slope = { 0 }, bin = { 0, 1, 2, 3, 4, 5, 6, 7 };

	bin += (float)context->first;
	for (uint32_t i = 0; i < context->n; i += WEIR_LANES) {
		float size[WEIR_LANES];

		for (uint32_t j = 0; j < WEIR_LANES; j++)
			size[j] = sqrtf(weighted->re[i + j] * weighted->re[i + j] +
					weighted->im[i + j] * weighted->im[i + j]);
		sum += *(const weir_lanes *)size;
		squares += *(const weir_lanes *)size * *(const weir_lanes *)size;
		slope += *(const weir_lanes *)size * bin * bin;
		bin += (float)WEIR_LANES;
	}
	weighted->sum = lanes_sum(&sum);
	weighted->squares = lanes_sum(&squares);
	weighted->slope = lanes_sum(&slope);
}

WEIR_REALTIME void cross_weighted_measure(struct cross_weighted *weighted,
					  const struct cross_context *context)
{
	measure(weighted, context);
}

WEIR_REALTIME void cross_transform(const struct cross_weighted *weighted, float *lags,
				   const struct cross_context *context)
{
	fftwf_complex *bins = context->bins;

	memset(bins, 0, context->first * sizeof(fftwf_complex));
	for (uint32_t i = 0; i < context->n; i++) {
		bins[context->first + i][0] = weighted->re[i];
		bins[context->first + i][1] = weighted->im[i];
	}
	memset(bins + context->first + context->n, 0,
	       (CROSS_FINE / 2 + 1 - context->first - context->n) * sizeof(fftwf_complex));
	weir_fft_inverse(&context->fine_fft, bins, lags);
}

/* Derivatives of the sum of cosines, per bin, at the lag of the phasors in context->re and im. */
struct slopes {
	double first, second;
};

static WEIR_SIMD WEIR_REALTIME struct slopes slopes_at(const struct cross_weighted *weighted,
						       const struct cross_context *context)
{
	weir_lanes first = { 0 }, second = { 0 }, bin = { 0, 1, 2, 3, 4, 5, 6, 7 };

	bin += (float)context->first;
	for (uint32_t i = 0; i < context->n; i += WEIR_LANES) {
		const weir_lanes re = *(const weir_lanes *)(weighted->re + i);
		const weir_lanes im = *(const weir_lanes *)(weighted->im + i);
		const weir_lanes turn_re = *(const weir_lanes *)(context->re + i);
		const weir_lanes turn_im = *(const weir_lanes *)(context->im + i);

		first -= (re * turn_im + im * turn_re) * bin;
		second -= (re * turn_re - im * turn_im) * bin * bin;
		bin += (float)WEIR_LANES;
	}
	return (struct slopes){ (double)lanes_sum(&first), (double)lanes_sum(&second) };
}

static WEIR_REALTIME double half_limited(double x)
{
	return fmin(fmax(x, -0.5), 0.5);
}

/* The lag in half samples, refined from the highest point `at` of the grid. */
static WEIR_REALTIME double refine(const struct cross_weighted *weighted, const float *lags, int at,
				   const struct cross_context *context)
{
	const double a = (double)lags[(at - 1) & (CROSS_FINE - 1)];
	const double b = (double)lags[at & (CROSS_FINE - 1)];
	const double c = (double)lags[(at + 1) & (CROSS_FINE - 1)];
	const double second = a - 2.0 * b + c;
	const double parabola = second < 0.0 ? 0.5 * (a - c) / second : 0.0;
	const double lag = at + half_limited(parabola); /* larger at the end of the reach */
	const double angle = 2.0 * M_PI / CROSS_FINE;

	phasors_set(context->re, context->im, angle * lag, context->first, context->n);

	const struct slopes slopes = slopes_at(weighted, context);
	const double newton = slopes.second < 0.0 ? -slopes.first / slopes.second / angle : 0.0;

	return lag + half_limited(newton);
}

WEIR_REALTIME struct cross_peak cross_find(const struct cross_weighted *weighted, const float *lags,
					   double reach, const struct cross_context *context)
{
	const int n_reach = (int)(2.0 * reach * (double)context->rate);
	const double omega = cross_angle(1.0, context);
	const float deviation = sqrtf(2.0f * weighted->squares) + 1e-20f;
	float own = 0.0f;
	int at = 0;

	for (int i = -n_reach; i <= n_reach; i++)
		if (lags[i & (CROSS_FINE - 1)] > lags[at & (CROSS_FINE - 1)])
			at = i;
	for (int i = -OWN_REACH; i <= OWN_REACH; i++)
		if (lags[i & (CROSS_FINE - 1)] > own)
			own = lags[i & (CROSS_FINE - 1)];

	const float height = lags[at & (CROSS_FINE - 1)];

	return (struct cross_peak){
		.lag = refine(weighted, lags, at, context) / 2.0 / (double)context->rate,
		.agreement = min_f32(max_f32(0.5f * height / (weighted->sum + 1e-9f), 0.0f), 1.0f),
		.height = height / deviation,
		.own = own / deviation,
		.slope = (double)weighted->slope * omega * omega,
	};
}
