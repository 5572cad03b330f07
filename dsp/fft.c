/* SPDX-License-Identifier: MIT */
#include "fft.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

/*
 * The whole process shares FFTW's planner, which makes one plan at a time. A lock of our own would
 * be one in each of weir's plugins, and none for others that use FFTW.
 */
static pthread_once_t planner = PTHREAD_ONCE_INIT;

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
