/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dsp/arena.h"
#include "dsp/minmax.h"
#include "shifter.h"

#define MIN_HOP 40

/*
 * The even length nearest to this whose only factors are 2, 3 and 5. A shorter one than MIN_HOP
 * would leave no room in the stretch buffer between an attack and the reader, two octaves down.
 */
static uint32_t hop_frames(uint32_t wanted)
{
	if (wanted < MIN_HOP)
		wanted = MIN_HOP;
	for (uint32_t off = 0;; off++) {
		if ((wanted - off) % 2 == 0 && weir_fft_is_smooth(wanted - off, 5))
			return wanted - off;
		if ((wanted + off) % 2 == 0 && weir_fft_is_smooth(wanted + off, 5))
			return wanted + off;
	}
}

static void shifter_allocate(struct shifter *shifter, struct arena *arena)
{
	for (uint32_t c = 0; c < shifter->n_channels; c++)
		shifter->input[c] = arena_floats(arena, 2 * (size_t)shifter->n_input);
	vocoder_allocate(&shifter->vocoder, arena);
}

void shifter_finish(struct shifter *shifter)
{
	vocoder_finish(&shifter->vocoder);
	free(shifter->memory);
}

int shifter_init(struct shifter *shifter, uint32_t rate, uint32_t n_channels, double hop_seconds)
{
	const uint32_t hop = hop_frames((uint32_t)(hop_seconds * rate + 0.5));
	struct vocoder *vocoder = &shifter->vocoder;
	struct arena arena = { 0 };

	/* The input holds a window, the hop in which it is processed, and one by which attacks move
	 * it. */
	*shifter = (struct shifter){
		.rate = rate,
		.n_channels = n_channels,
		.hop = hop,
		.n_input = power_of_two((VOCODER_WINDOW + 2) * hop),
	};
	if (vocoder_init(vocoder, rate, n_channels, hop) < 0)
		return -ENOMEM;
	/* The first tick begins the hop, the last one finishes it. */
	shifter->n_ticks = (vocoder->n_stages + 2 + ONSET_BLOCKS - 1) / ONSET_BLOCKS * ONSET_BLOCKS;
	shifter_allocate(shifter, &arena);
	shifter->memory = aligned_alloc(WEIR_FFT_ALIGN, arena.size);
	if (!shifter->memory)
		return -ENOMEM;

	memset(shifter->memory, 0, arena.size);
	arena = (struct arena){ .memory = shifter->memory };
	shifter_allocate(shifter, &arena);
	vocoder_init_tables(vocoder);
	shifter_reset(shifter);
	return 0;
}
