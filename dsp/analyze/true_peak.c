/* SPDX-License-Identifier: MIT */
#include "true_peak.h"

#include <math.h>
#include <string.h>

#include "dsp/minmax.h"
#include "dsp/sinc.h"

#define HALF (TRUE_PEAK_TAPS / 2)
#define N_LANES 8
#define BETA 4.3 /* of the window: errors of 0.03 dB up to 0.45 of the rate */

/* Non-negative floats compare as integers, which compilers vectorize. */
union heights {
	float height[WEIR_BLOCK];
	int32_t order[WEIR_BLOCK];
};

struct points {
	float sample[TRUE_PEAK_TAPS + WEIR_BLOCK + N_LANES];
	/* Points between a sample and the next; half and three_quarters begin one sample earlier.
	 */
	float quarter[WEIR_BLOCK + N_LANES], half[WEIR_BLOCK + N_LANES + 1];
	float three_quarters[WEIR_BLOCK + N_LANES + 1];
};

void true_peak_tables_init(struct true_peak_tables *tables, uint32_t rate)
{
	float kernel[5][TRUE_PEAK_TAPS];

	tables->factor = rate < 64000 ? 4 : rate < 256000 ? 2 : 1;
	sinc_fill(kernel[0], TRUE_PEAK_TAPS, 4, 1.0, BETA);
	for (int i = 0; i < HALF; i++) {
		const float a = kernel[1][i], b = kernel[1][TRUE_PEAK_TAPS - 1 - i];

		for (int lane = 0; lane < N_LANES; lane++) {
			tables->even[i][lane] = 0.5f * (a + b);
			tables->odd[i][lane] = 0.5f * (a - b);
			tables->half[i][lane] = kernel[2][i];
		}
	}
}

/* At least n points, in whole lanes. The kernels of 1/4 and 3/4 mirror each other. */
static WEIR_SIMD WEIR_REALTIME void quarters_find(const struct true_peak_tables *tables,
						  struct points *points, uint32_t n)
{
	for (uint32_t f = 0; f < n; f += N_LANES) {
		const float *first = points->sample + f;
		const float *last = first + TRUE_PEAK_TAPS - 1;
		weir_lanes even = { 0 }, odd = { 0 }, half = { 0 };

		for (int i = 0; i < HALF; i++) {
			const weir_lanes a = *(const weir_lanes *)(first + i);
			const weir_lanes b = *(const weir_lanes *)(last - i);

			even += (a + b) * tables->even[i];
			odd += (a - b) * tables->odd[i];
			half += (a + b) * tables->half[i];
		}
		*(weir_lanes *)(points->quarter + f) = even + odd;
		*(weir_lanes *)(points->half + 1 + f) = half;
		*(weir_lanes *)(points->three_quarters + 1 + f) = even - odd;
	}
}

static WEIR_SIMD WEIR_REALTIME void halves_find(const struct true_peak_tables *tables,
						struct points *points, uint32_t n)
{
	for (uint32_t f = 0; f < n; f += N_LANES) {
		const float *first = points->sample + f;
		const float *last = first + TRUE_PEAK_TAPS - 1;
		weir_lanes half = { 0 };

		for (int i = 0; i < HALF; i++)
			half += (*(const weir_lanes *)(first + i) +
				 *(const weir_lanes *)(last - i)) *
				tables->half[i];
		*(weir_lanes *)(points->half + 1 + f) = half;
	}
}

/* The height of the parabola through three points, if its vertex is nearest to the middle one. */
static inline WEIR_REALTIME float vertex(float before, float point, float after)
{
	const float slope = after - before, bend = point + point - before - after;
	const float rise = slope * slope / (8.0f * fabsf(bend));

	return fabsf(point) + (fabsf(slope) < fabsf(bend) ? rise : 0.0f);
}

static WEIR_REALTIME float highest(const union heights *heights, uint32_t n)
{
	union {
		int32_t order;
		float height;
	} max = { .order = 0 };

	for (uint32_t i = 0; i < n; i++)
		max.order = heights->order[i] > max.order ? heights->order[i] : max.order;
	return max.height;
}

static WEIR_SIMD WEIR_REALTIME float quarters_top(const struct points *points, uint32_t n)
{
	const float *x = points->sample + HALF - 1, *half = points->half + 1;
	const float *quarter = points->quarter, *three = points->three_quarters + 1;
	union heights heights;

	for (uint32_t i = 0; i < n; i++) {
		const float a = vertex(points->three_quarters[i], x[i], quarter[i]);
		const float b = vertex(x[i], quarter[i], half[i]);
		const float c = vertex(quarter[i], half[i], three[i]);
		const float d = vertex(half[i], three[i], x[i + 1]);

		heights.height[i] = max_f32(max_f32(a, b), max_f32(c, d));
	}
	return highest(&heights, n);
}

static WEIR_SIMD WEIR_REALTIME float halves_top(const struct points *points, uint32_t n)
{
	const float *x = points->sample + HALF - 1, *half = points->half + 1;
	union heights heights;

	for (uint32_t i = 0; i < n; i++)
		heights.height[i] = max_f32(vertex(points->half[i], x[i], half[i]),
					    vertex(x[i], half[i], x[i + 1]));
	return highest(&heights, n);
}

static WEIR_SIMD WEIR_REALTIME float samples_top(const struct points *points, uint32_t n)
{
	const float *x = points->sample + TRUE_PEAK_TAPS - 3;
	union heights heights;

	for (uint32_t i = 0; i < n; i++)
		heights.height[i] = vertex(x[i], x[i + 1], x[i + 2]);
	return highest(&heights, n);
}

WEIR_REALTIME float true_peak_run(const struct true_peak_tables *tables, struct true_peak *peak,
				  const float *in, uint32_t n)
{
	struct points points;
	float top;

	memcpy(points.sample, peak->past, sizeof(peak->past));
	memcpy(points.sample + TRUE_PEAK_TAPS - 1, in, n * sizeof(float));
	memset(points.sample + TRUE_PEAK_TAPS - 1 + n, 0, N_LANES * sizeof(float));
	points.half[0] = points.three_quarters[0] = peak->before;
	if (tables->factor == 4) {
		quarters_find(tables, &points, n);
		top = quarters_top(&points, n);
		peak->before = points.three_quarters[n];
	} else if (tables->factor == 2) {
		halves_find(tables, &points, n);
		top = halves_top(&points, n);
		peak->before = points.half[n];
	} else {
		top = samples_top(&points, n);
	}
	memcpy(peak->past, points.sample + n, sizeof(peak->past));
	return top;
}
