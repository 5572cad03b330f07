/* SPDX-License-Identifier: MIT */

/*
 * With a_m the spectra of the aligned microphones, of the same level, the gain of a bin is
 *
 *	G = (|sum of a_m|^2 - sum of |a_m|^2) / ((M - 1) sum of |a_m|^2)
 *
 * smoothed over 40 ms: the coherent share of the power (R. Zelinski, "A microphone array with
 * adaptive post-filtering for noise reduction in reverberant rooms", ICASSP 1988). The gain is
 * limited, and drawn towards 1 where there is little noise to attenuate.
 */

#include "post.h"

#include <math.h>
#include <string.h>

#include "dsp/simd.h"

/*
 * Figures are SNR gains with the post-filter in scenes of bench/align, seed 0. As it is:
 * "close" 6.3 dB, "diffuse" 4.3 dB, "office" 0.4 dB, "near" 0.3 dB.
 */
#define WINDOW_SECONDS 0.0213 /* 1024 frames at 48 kHz: a pitch period of 100 Hz twice */
#define MIN_WINDOW 256	      /* whose hop has enough ticks for all steps */
#define SMOOTH_SECONDS 0.04   /* two windows. 0.02: "diffuse" 3.9 dB; 0.08: "close" 6.1 dB */
#define MIN_GAIN 0.35f	  /* -9 dB: a spectral floor against musical noise. 0.6: "close" 4.6 dB */
#define FULL_SNR_DB 12.0f /* full attenuation. 8: "close" 5.5 dB; 15: "office" -0.2 dB */
#define NO_SNR_DB 18.0f	  /* 14: "near" 0.1 dB; 24: "office" -0.3 dB */
#define OVERLAP 4

int post_init(struct post *post, uint32_t rate, uint32_t n_mics)
{
	post->rate = rate;
	post->n_mics = n_mics;
	post->n = MIN_WINDOW;
	while (post->n * 1.5 < WINDOW_SECONDS * rate)
		post->n *= 2;
	post->hop = post->n / OVERLAP;
	post->n_bins = post->n / 2 + 1;
	post->smooth = (float)exp(-(double)post->hop / rate / SMOOTH_SECONDS);
	return weir_fft_init(&post->fft, post->n);
}

void post_finish(struct post *post)
{
	weir_fft_finish(&post->fft);
}

void post_allocate(struct post *post, struct arena *arena)
{
	post->window = arena_floats(arena, post->n);
	post->time = arena_floats(arena, post->n);
	for (uint32_t m = 0; m <= post->n_mics; m++)
		post->in[m] = arena_floats(arena, 2 * (size_t)post->n);
	post->out = arena_floats(arena, 2 * (size_t)post->n);
	post->bins = arena_bins(arena, post->n_bins);
	post->sum = arena_bins(arena, post->n_bins);
	post->energy = arena_floats(arena, post->n_bins);
	post->coherent = arena_floats(arena, post->n_bins);
	post->total = arena_floats(arena, post->n_bins);
	post->share = arena_floats(arena, post->n_bins);
	post->gain = arena_floats(arena, post->n_bins);
}

/* The root of a Hann window, for analysis and synthesis: four overlapped products sum to two. */
void post_fill(struct post *post)
{
	for (uint32_t i = 0; i < post->n; i++)
		post->window[i] = (float)sin(M_PI * i / post->n);
}

WEIR_REALTIME void post_reset(struct post *post)
{
	for (uint32_t m = 0; m <= post->n_mics; m++)
		memset(post->in[m], 0, 2 * (size_t)post->n * sizeof(float));
	memset(post->out, 0, 2 * (size_t)post->n * sizeof(float));
	memset(post->coherent, 0, post->n_bins * sizeof(float));
	memset(post->total, 0, post->n_bins * sizeof(float));
	for (uint32_t m = 0; m < post->n_mics; m++)
		post->takes_part[m] = false;
	post->n_frames = post->frame = 0;
	post->step = post->n_mics + 3;
	post->n_aligned = 0;
	post->depth = 0.0f;
}

WEIR_REALTIME float post_run(struct post *post, const float *aligned, const bool *part, float sum)
{
	const uint32_t at = (uint32_t)post->n_frames & (2 * post->n - 1);
	float *out = &post->out[at];
	const float filtered = *out;

	for (uint32_t m = 0; m < post->n_mics; m++)
		post->in[m][at] = aligned[m];
	post->in[post->n_mics][at] = sum;
	*out = 0.0f;
	post->n_frames++;
	if (post->n_frames % post->hop != 0)
		return filtered;
	post->frame = post->n_frames;
	post->step = 0;
	post->n_aligned = 0;
	for (uint32_t m = 0; m < post->n_mics; m++) {
		post->takes_part[m] = part[m];
		post->n_aligned += part[m];
	}
	return filtered;
}

static WEIR_REALTIME void spectrum(struct post *post, const float *ring)
{
	const uint32_t mask = 2 * post->n - 1, first = (uint32_t)post->frame - post->n;

	for (uint32_t i = 0; i < post->n; i++)
		post->time[i] = ring[(first + i) & mask] * post->window[i];
	weir_fft_forward(&post->fft, post->time, post->bins);
}

static WEIR_SIMD WEIR_REALTIME void bins_add(float *restrict sum, float *restrict energy,
					     const float *restrict bins, uint32_t n)
{
	for (uint32_t i = 0; i < 2 * n; i++)
		sum[i] += bins[i];
	for (uint32_t i = 0; i < n; i++)
		energy[i] += bins[2 * i] * bins[2 * i] + bins[2 * i + 1] * bins[2 * i + 1];
}

static WEIR_REALTIME void mic_add(struct post *post, uint32_t m)
{
	if (m == 0) {
		memset(post->sum, 0, post->n_bins * sizeof(fftwf_complex));
		memset(post->energy, 0, post->n_bins * sizeof(float));
	}
	if (!post->takes_part[m])
		return;
	spectrum(post, post->in[m]);
	bins_add((float *)post->sum, post->energy, (const float *)post->bins, post->n_bins);
}

static WEIR_SIMD WEIR_REALTIME void shares_follow(struct post *post, float per_mic)
{
	const float *restrict sum = (const float *)post->sum, *restrict energy = post->energy;
	float *restrict coherent = post->coherent, *restrict total = post->total;
	float *restrict share = post->share;

	for (uint32_t i = 0; i < post->n_bins; i++) {
		const float all = sum[2 * i] * sum[2 * i] + sum[2 * i + 1] * sum[2 * i + 1];
		const float shared = (all - energy[i]) * per_mic;

		coherent[i] = shared + post->smooth * (coherent[i] - shared);
		total[i] = energy[i] + post->smooth * (total[i] - energy[i]);
		share[i] = coherent[i] / (total[i] + 1e-20f);
		share[i] = share[i] < 0.0f ? 0.0f : share[i] > 1.0f ? 1.0f : share[i];
	}
}

static WEIR_REALTIME void gains_set(struct post *post, float snr_db)
{
	const float wanted = post->n_aligned < 2    ? 0.0f
			     : snr_db < FULL_SNR_DB ? 1.0f
			     : snr_db < NO_SNR_DB ? (NO_SNR_DB - snr_db) / (NO_SNR_DB - FULL_SNR_DB)
						  : 0.0f;
	float before;

	post->depth = wanted + post->smooth * (post->depth - wanted);
	if (post->n_aligned >= 2)
		shares_follow(post, 1.0f / (float)(post->n_aligned - 1));
	before = post->share[0];
	for (uint32_t i = 0; i < post->n_bins; i++) {
		const float next = post->share[i + 1 < post->n_bins ? i + 1 : i];
		const float smooth = 0.25f * before + 0.5f * post->share[i] + 0.25f * next;
		const float scaled = (smooth - 0.1f) / 0.8f;
		const float root = scaled <= 0.0f ? 0.0f : scaled < 1.0f ? sqrtf(scaled) : 1.0f;

		before = post->share[i];
		post->gain[i] = 1.0f - post->depth * (1.0f - (root > MIN_GAIN ? root : MIN_GAIN));
	}
}

static WEIR_REALTIME void sum_filter(struct post *post)
{
	spectrum(post, post->in[post->n_mics]);
	for (uint32_t i = 0; i < post->n_bins; i++) {
		post->bins[i][0] *= post->gain[i];
		post->bins[i][1] *= post->gain[i];
	}
}

/* A window that ends at `frame` is output from a hop later on. */
static WEIR_REALTIME void sum_add(struct post *post)
{
	const uint32_t mask = 2 * post->n - 1, first = (uint32_t)post->frame + post->hop;

	weir_fft_inverse(&post->fft, post->bins, post->time);
	for (uint32_t i = 0; i < post->n; i++)
		post->out[(first + i) & mask] +=
			post->time[i] * post->window[i] * (0.5f / (float)post->n);
}

WEIR_REALTIME void post_step(struct post *post, float snr_db)
{
	const uint32_t step = post->step;

	if (step >= post->n_mics + 3)
		return;
	post->step++;
	if (step < post->n_mics)
		mic_add(post, step);
	else if (step == post->n_mics)
		gains_set(post, snr_db);
	else if (step == post->n_mics + 1)
		sum_filter(post);
	else
		sum_add(post);
}
