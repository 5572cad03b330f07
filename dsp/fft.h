/* SPDX-License-Identifier: MIT */
#ifndef WEIR_FFT_H
#define WEIR_FFT_H

#include <fftw3.h>
#include <stdbool.h>
#include <stdint.h>

#include "unit.h"

/*
 * Real FFT of one even length. Buffers are aligned to WEIR_FFT_ALIGN bytes and
 * hold n floats, and n / 2 + 1 bins of { real, imaginary }.
 *
 * Plans are estimated, not measured, so that equal lengths give equal floats in
 * every process of a machine.
 */
#define WEIR_FFT_ALIGN 64

struct weir_fft {
	fftwf_plan forward, inverse;
};

/* Whether n has no prime factor above max_prime. */
bool weir_fft_is_smooth(uint32_t n, uint32_t max_prime);

/* Returns 0 or -ENOMEM. From any thread. */
int weir_fft_init(struct weir_fft *fft, uint32_t n);

/* A zeroed fft is allowed. From any thread. */
void weir_fft_finish(struct weir_fft *fft);

/* FFTW's header lacks the attribute: executing a plan only computes (tests/test-pitch.c checks). */
#if defined(__clang__) && __clang_major__ >= 20
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wfunction-effects"
#endif

/* Keeps `time`. */
static inline WEIR_REALTIME void weir_fft_forward(const struct weir_fft *fft, float *time,
						  fftwf_complex *bins)
{
	fftwf_execute_dft_r2c(fft->forward, time, bins);
}

/* Multiplies by n, and overwrites `bins`. */
static inline WEIR_REALTIME void weir_fft_inverse(const struct weir_fft *fft, fftwf_complex *bins,
						  float *time)
{
	fftwf_execute_dft_c2r(fft->inverse, bins, time);
}

#if defined(__clang__) && __clang_major__ >= 20
#pragma clang diagnostic pop
#endif

/* power[k] = |bins[k]|^2 of n bins. */
WEIR_REALTIME void weir_fft_power(const fftwf_complex *bins, float *power, uint32_t n);

#endif
