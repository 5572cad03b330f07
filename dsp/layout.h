/* SPDX-License-Identifier: MIT */
#ifndef WEIR_LAYOUT_H
#define WEIR_LAYOUT_H

#include "fft.h"

/*
 * Cuts one piece of memory into arrays that are aligned to WEIR_FFT_ALIGN bytes;
 * without memory it only adds up their sizes.
 */
struct layout {
	char *memory;
	size_t size;
};

static inline void *array_place(struct layout *layout, size_t size)
{
	void *array = layout->memory ? layout->memory + layout->size : NULL;

	layout->size += (size + WEIR_FFT_ALIGN - 1) / WEIR_FFT_ALIGN * WEIR_FFT_ALIGN;
	return array;
}

static inline float *floats_place(struct layout *layout, size_t n)
{
	return array_place(layout, n * sizeof(float));
}

static inline fftwf_complex *bins_place(struct layout *layout, size_t n)
{
	return array_place(layout, n * sizeof(fftwf_complex));
}

#endif
