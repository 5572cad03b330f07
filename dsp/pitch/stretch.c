/* SPDX-License-Identifier: MIT */

/*
 * Overlap-add normalized by the sum of the windows, y = sum(grains) / sum(windows).
 * The vocoder removes all bins that would alias, so one interpolating kernel serves
 * all speeds.
 */

#include "stretch.h"

#include <string.h>

#include "dsp/minmax.h"
#include "dsp/sinc.h"

/* Minimum of the divisor: where fewer windows overlap, the sound stays fainter. No figure of
 * bench/pitch moves from 0.025 to 0.1. */
#define MIN_WEIGHT 0.05f

void stretch_init(struct stretch *stretch, uint32_t n_channels, uint32_t n_grain, uint32_t n_done)
{
	stretch->n_channels = n_channels;
	stretch->n_grain = n_grain;
	stretch->n_done = power_of_two(n_done + 2 * STRETCH_TAPS);
}

void stretch_allocate(struct stretch *stretch, struct arena *arena)
{
	for (uint32_t c = 0; c < stretch->n_channels; c++) {
		stretch->grain[c] = arena_floats(arena, stretch->n_grain);
		stretch->done[c] = arena_floats(arena, stretch->n_done + STRETCH_TAPS);
	}
	stretch->weight = arena_floats(arena, stretch->n_grain);
	stretch->kernel = arena_floats(arena, (size_t)(SINC_PHASES + 1) * STRETCH_TAPS);
}

void stretch_init_kernel(struct stretch *stretch)
{
	/* Tone SINAD of bench/pitch at +4: 60.7 dB, with a beta of 5 60.5; no figure at a cutoff of
	 * 0.9. */
	sinc_fill(stretch->kernel, STRETCH_TAPS, SINC_PHASES, 0.97, 9.0);
}

WEIR_REALTIME void stretch_reset(struct stretch *stretch)
{
	memset(stretch->weight, 0, stretch->n_grain * sizeof(float));
	for (uint32_t c = 0; c < stretch->n_channels; c++) {
		memset(stretch->grain[c], 0, stretch->n_grain * sizeof(float));
		memset(stretch->done[c], 0, (stretch->n_done + STRETCH_TAPS) * sizeof(float));
	}
}

static WEIR_REALTIME void drop_front(float *from, uint32_t n_dropped, uint32_t n)
{
	memmove(from, from + n_dropped, (n - n_dropped) * sizeof(float));
	memset(from + n - n_dropped, 0, n_dropped * sizeof(float));
}

WEIR_REALTIME void stretch_finish(struct stretch *stretch, uint32_t open)
{
	const uint32_t n = open - stretch->open;

	for (uint32_t i = 0; i < n; i++) {
		const float weight = stretch->weight[i];
		const float scale = 1.0f / (weight > MIN_WEIGHT ? weight : MIN_WEIGHT);
		const uint32_t at = (stretch->open + i) & (stretch->n_done - 1);

		for (uint32_t c = 0; c < stretch->n_channels; c++) {
			const float sample = stretch->grain[c][i] * scale;

			stretch->done[c][at] = sample;
			if (at < STRETCH_TAPS)
				stretch->done[c][at + stretch->n_done] = sample;
		}
	}
	for (uint32_t c = 0; c < stretch->n_channels; c++)
		drop_front(stretch->grain[c], n, stretch->n_grain);
	drop_front(stretch->weight, n, stretch->n_grain);
	stretch->open = open;
}

static WEIR_SIMD WEIR_REALTIME void interpolate(const struct stretch *stretch,
						struct stretch_reader *reader, float *const out[],
						uint32_t n)
{
	const uint32_t mask = stretch->n_done - 1;

	for (uint32_t i = 0; i < n; i++) {
		const uint32_t first =
			((uint32_t)(reader->place >> 32) - (STRETCH_TAPS / 2 - 1)) & mask;
		float kernel[STRETCH_TAPS];

		sinc_kernel(stretch->kernel, STRETCH_TAPS, (uint32_t)reader->place, kernel);
		for (uint32_t c = 0; c < stretch->n_channels; c++)
			out[c][i] = sinc_dot(kernel, stretch->done[c] + first, STRETCH_TAPS);
		reader->place += reader->step;
		reader->step += reader->change;
	}
}

/* WEIR_SIMD is for static functions. */
WEIR_REALTIME void stretch_read(const struct stretch *stretch, struct stretch_reader *reader,
				float *const out[], uint32_t n)
{
	interpolate(stretch, reader, out, n);
}
