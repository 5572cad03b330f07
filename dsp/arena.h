/* SPDX-License-Identifier: MIT */
#ifndef WEIR_ARENA_H
#define WEIR_ARENA_H

#include "fft.h"

/*
 * Divides one block of memory into arrays aligned to WEIR_FFT_ALIGN bytes; without memory it only
 * adds up their sizes.
 */
struct arena {
	char *memory;
	size_t size;
};

static inline void *arena_bytes(struct arena *arena, size_t size)
{
	void *array = arena->memory ? arena->memory + arena->size : NULL;

	arena->size += (size + WEIR_FFT_ALIGN - 1) / WEIR_FFT_ALIGN * WEIR_FFT_ALIGN;
	return array;
}

static inline float *arena_floats(struct arena *arena, size_t n)
{
	return arena_bytes(arena, n * sizeof(float));
}

static inline fftwf_complex *arena_bins(struct arena *arena, size_t n)
{
	return arena_bytes(arena, n * sizeof(fftwf_complex));
}

#endif
