/* SPDX-License-Identifier: MIT */

/*
 * Overlap-add with the sum of the windows taken out, y = sum(grains) / sum(windows).
 * The vocoder leaves nothing on the tape that would alias, so one interpolating kernel
 * serves all speeds.
 */

#include "tape.h"

#include <string.h>

#include "dsp/minmax.h"
#include "dsp/sinc.h"

/* Where fewer windows than this overlap, the sound is left as faint as it is. */
#define MIN_WEIGHT 0.05f

void tape_init(struct tape *tape, uint32_t n_channels, uint32_t n_grain, uint32_t n_done)
{
	tape->n_channels = n_channels;
	tape->n_grain = n_grain;
	tape->n_done = power_of_two(n_done + 2 * TAPE_TAPS);
}

void tape_allocate(struct tape *tape, struct arena *arena)
{
	for (uint32_t c = 0; c < tape->n_channels; c++) {
		tape->grain[c] = arena_floats(arena, tape->n_grain);
		tape->done[c] = arena_floats(arena, tape->n_done + TAPE_TAPS);
	}
	tape->weight = arena_floats(arena, tape->n_grain);
	tape->kernel = arena_floats(arena, (size_t)(SINC_PHASES + 1) * TAPE_TAPS);
}

void tape_init_kernel(struct tape *tape)
{
	sinc_fill(tape->kernel, TAPE_TAPS, SINC_PHASES, 0.97, 9.0);
}

WEIR_REALTIME void tape_reset(struct tape *tape)
{
	memset(tape->weight, 0, tape->n_grain * sizeof(float));
	for (uint32_t c = 0; c < tape->n_channels; c++) {
		memset(tape->grain[c], 0, tape->n_grain * sizeof(float));
		memset(tape->done[c], 0, (tape->n_done + TAPE_TAPS) * sizeof(float));
	}
}

static WEIR_REALTIME void drop_front(float *from, uint32_t n_dropped, uint32_t n)
{
	memmove(from, from + n_dropped, (n - n_dropped) * sizeof(float));
	memset(from + n - n_dropped, 0, n_dropped * sizeof(float));
}

WEIR_REALTIME void tape_finish(struct tape *tape, uint32_t open)
{
	const uint32_t n = open - tape->open;

	for (uint32_t i = 0; i < n; i++) {
		const float weight = tape->weight[i];
		const float scale = 1.0f / (weight > MIN_WEIGHT ? weight : MIN_WEIGHT);
		const uint32_t at = (tape->open + i) & (tape->n_done - 1);

		for (uint32_t c = 0; c < tape->n_channels; c++) {
			const float sample = tape->grain[c][i] * scale;

			tape->done[c][at] = sample;
			if (at < TAPE_TAPS)
				tape->done[c][at + tape->n_done] = sample;
		}
	}
	for (uint32_t c = 0; c < tape->n_channels; c++)
		drop_front(tape->grain[c], n, tape->n_grain);
	drop_front(tape->weight, n, tape->n_grain);
	tape->open = open;
}

static WEIR_SIMD WEIR_REALTIME void interpolate(const struct tape *tape, struct tape_head *head,
						float *const out[], uint32_t n)
{
	const uint32_t mask = tape->n_done - 1;

	for (uint32_t i = 0; i < n; i++) {
		const uint32_t first = ((uint32_t)(head->place >> 32) - (TAPE_TAPS / 2 - 1)) & mask;
		float kernel[TAPE_TAPS];

		sinc_kernel(tape->kernel, TAPE_TAPS, (uint32_t)head->place, kernel);
		for (uint32_t c = 0; c < tape->n_channels; c++)
			out[c][i] = sinc_dot(kernel, tape->done[c] + first, TAPE_TAPS);
		head->place += head->step;
		head->step += head->change;
	}
}

/* WEIR_SIMD is for static functions. */
WEIR_REALTIME void tape_read(const struct tape *tape, struct tape_head *head, float *const out[],
			     uint32_t n)
{
	interpolate(tape, head, out, n);
}
