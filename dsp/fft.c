/* SPDX-License-Identifier: MIT */
#include "fft.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "simd.h"

/*
 * The whole process shares FFTW's planner, which makes one plan at a time. A lock of our own would
 * be one in each of weir's plugins, and none for others that use FFTW.
 */
static pthread_once_t planner = PTHREAD_ONCE_INIT;

bool weir_fft_is_smooth(uint32_t n, uint32_t max_prime)
{
	for (uint32_t prime = 2; prime <= max_prime; prime++)
		while (n % prime == 0)
			n /= prime;
	return n == 1;
}

int weir_fft_init(struct weir_fft *fft, uint32_t n)
{
	const size_t floats = n + 16; /* two bins more than time has, and what aligns them */
	const size_t size = (2 * floats * sizeof(float) + WEIR_FFT_ALIGN - 1) / WEIR_FFT_ALIGN;
	float *time = aligned_alloc(WEIR_FFT_ALIGN, size * WEIR_FFT_ALIGN);

	*fft = (struct weir_fft){ 0 };
	if (!time)
		return -ENOMEM;

	/* Estimating reads only where the buffers lie: bins must start on the alignment too. */
	fftwf_complex *bins = (fftwf_complex *)(time + (size_t)(n + 15) / 16 * 16);

	pthread_once(&planner, fftwf_make_planner_thread_safe);
	fft->forward = fftwf_plan_dft_r2c_1d((int)n, time, bins, FFTW_ESTIMATE);
	fft->inverse = fftwf_plan_dft_c2r_1d((int)n, bins, time, FFTW_ESTIMATE);
	free(time);
	if (fft->forward && fft->inverse)
		return 0;
	weir_fft_finish(fft);
	return -ENOMEM;
}

void weir_fft_finish(struct weir_fft *fft)
{
	if (fft->forward)
		fftwf_destroy_plan(fft->forward);
	if (fft->inverse)
		fftwf_destroy_plan(fft->inverse);
	*fft = (struct weir_fft){ 0 };
}

static WEIR_SIMD WEIR_REALTIME void power_find(const fftwf_complex *restrict bins,
					       float *restrict power, uint32_t n)
{
	for (uint32_t k = 0; k < n; k++)
		power[k] = bins[k][0] * bins[k][0] + bins[k][1] * bins[k][1];
}

/* WEIR_SIMD is for static functions. */
WEIR_REALTIME void weir_fft_power(const fftwf_complex *bins, float *power, uint32_t n)
{
	power_find(bins, power, n);
}
