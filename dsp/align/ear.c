/* SPDX-License-Identifier: MIT */

/*
 * The floor of a bin is the least power that it has had, smoothed over 80 ms or more, and forgets
 * 3 dB per second; twice that is the mean power of the noise. In digital silence it stays as it is.
 */

#include "ear.h"

#include <math.h>
#include <string.h>

#include "dsp/minmax.h"
#include "dsp/simd.h"
#include "dsp/sinc.h"

#define TAPS_PER_FACTOR 64
#define SMOOTH_SECONDS 0.08
#define SMOOTH_HOPS 5.0 /* at least: the least of fewer is far below the mean */
#define RISE_DB_PER_SECOND 3.0
#define BIAS 2.0f
#define SILENT_POWER 1e-9f
#define SILENT_LEVEL 1e-7f
#define MOST_SILENT 16 /* samples that happen to be so */
#define N_WHITE (4 * EAR_BLOCK)
#define SNR_SECONDS 4.0
#define LEAST_SPEECH 0.1f /* share of the band */
#define LEAST_SNR_DB -20.0f
#define LEAST_RATIO 0.01f
#define MOST_SNR_DB 60.0f
#define MOST_RATIO 1e6f
#define PI 3.14159265358979323846

int ear_kit_init(struct ear_kit *kit, uint32_t rate, double lag_seconds)
{
	int res;

	kit->factor = rate < 2 * EAR_LEAST_RATE ? 1 : rate / EAR_LEAST_RATE;
	kit->rate = (float)rate / (float)kit->factor;

	const double hop_seconds = EAR_HOP / (double)kit->rate;

	kit->n_taps = TAPS_PER_FACTOR * kit->factor;
	kit->n_input = power_of_two(kit->n_taps + WEIR_BLOCK);
	kit->n_sound = power_of_two((uint32_t)ceil((lag_seconds + 1.2) * (double)kit->rate));
	kit->n_spectra = (uint32_t)(lag_seconds * (double)kit->rate / EAR_BLOCK) + 12;
	kit->first = (uint32_t)ceilf(EAR_LOW_HZ / kit->rate * EAR_WINDOW);
	kit->end = (uint32_t)(EAR_HIGH_HZ / kit->rate * EAR_WINDOW) + 1;
	if (kit->end > EAR_BINS - 16)
		kit->end = EAR_BINS - 16;
	kit->smooth = (float)exp(-1.0 / fmax(SMOOTH_SECONDS / hop_seconds, SMOOTH_HOPS));
	kit->snr_share = (float)(hop_seconds / SNR_SECONDS);
	kit->rise = (float)pow(10.0, RISE_DB_PER_SECOND / 10.0 * hop_seconds);
	res = weir_fft_init(&kit->fft, EAR_WINDOW);
	return res < 0 ? res : weir_fft_init(&kit->block_fft, 2 * EAR_BLOCK);
}

void ear_kit_finish(struct ear_kit *kit)
{
	weir_fft_finish(&kit->fft);
	weir_fft_finish(&kit->block_fft);
}

void ear_kit_allocate(struct ear_kit *kit, struct arena *arena)
{
	kit->lowpass = arena_floats(arena, 2 * (size_t)kit->n_taps);
	kit->window = arena_floats(arena, EAR_WINDOW);
	kit->time = arena_floats(arena, 2 * EAR_BLOCK);
}

void ear_fill_hann(float *window, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		window[i] = (float)(0.5 - 0.5 * cos(2.0 * PI * i / n));
}

void ear_kit_fill(struct ear_kit *kit)
{
	sinc_fill(kit->lowpass, (int)kit->n_taps, 1, 0.95 / kit->factor, 7.0);
	ear_fill_hann(kit->window, EAR_WINDOW);
}

void ear_allocate(struct ear *ear, const struct ear_kit *kit, struct arena *arena)
{
	ear->kit = kit;
	ear->input = arena_floats(arena, 2 * (size_t)kit->n_input);
	ear->sound = arena_floats(arena, kit->n_sound);
	ear->floor = arena_floats(arena, EAR_BINS);
	ear->smoothed = arena_floats(arena, EAR_BINS);
	ear->spectrum = arena_bins(arena, EAR_BINS);
	ear->white = arena_floats(arena, N_WHITE);
	for (int i = 0; i < EAR_ALONE; i++)
		ear->alone[i] = arena_bins(arena, EAR_BLOCK_BINS);
	ear->spectra = arena_bins(arena, (size_t)kit->n_spectra * EAR_BLOCK_BINS);
}

WEIR_REALTIME void ear_reset(struct ear *ear)
{
	const struct ear_kit *kit = ear->kit;

	memset(ear->input, 0, 2 * (size_t)kit->n_input * sizeof(float));
	memset(ear->sound, 0, kit->n_sound * sizeof(float));
	memset(ear->white, 0, N_WHITE * sizeof(float));
	memset(ear->spectra, 0, (size_t)kit->n_spectra * EAR_BLOCK_BINS * sizeof(fftwf_complex));
	ear->n_frames = ear->n_samples = ear->n_silent = 0;
	ear->n_windows = ear->n_blocks = 0;
	ear->has_floor = ear->is_transformed = ear->is_alone_done = false;
	ear->snr_db = LEAST_SNR_DB;
	ear->loudness = 0.0f;
	ear->n_loud = 0;
}

static WEIR_REALTIME void sound_add(struct ear *ear, float sample)
{
	ear->sound[ear->n_samples++ & (ear->kit->n_sound - 1)] = sample;
	if (fabsf(sample) < SILENT_LEVEL)
		ear->n_silent++;
	else
		ear->n_silent = 0;
}

static WEIR_SIMD WEIR_REALTIME void hear(struct ear *ear, const float *in, uint32_t n)
{
	const struct ear_kit *kit = ear->kit;
	const uint32_t mask = kit->n_input - 1;

	for (uint32_t i = 0; i < n; i++) {
		const uint32_t at = (uint32_t)ear->n_frames++ & mask;

		ear->input[at] = ear->input[at + kit->n_input] = in[i];
		if (ear->n_frames % kit->factor != 0)
			continue;
		if (kit->factor == 1) {
			sound_add(ear, in[i]);
			continue;
		}

		const uint32_t first = (at + 1 - kit->n_taps) & mask;

		sound_add(ear, sinc_dot(kit->lowpass, ear->input + first, kit->n_taps));
	}
}

WEIR_REALTIME void ear_hear(struct ear *ear, const float *in, uint32_t n)
{
	hear(ear, in, n);
}

WEIR_REALTIME void ear_window(const struct ear *ear, int64_t first, const float *window, uint32_t n,
			      float *out)
{
	const uint32_t mask = ear->kit->n_sound - 1;

	for (uint32_t i = 0; i < n; i++)
		out[i] = ear->sound[(uint64_t)(first + i) & mask] * window[i];
}

static WEIR_SIMD WEIR_REALTIME uint32_t count_silent(const float *restrict sound, uint32_t n)
{
	uint32_t silent = 0;

	for (uint32_t i = 0; i < n; i++)
		silent += fabsf(sound[i]) < SILENT_LEVEL;
	return silent;
}

WEIR_REALTIME bool ear_is_whole(const struct ear *ear, int64_t first, uint32_t n)
{
	const uint32_t at = (uint32_t)((uint64_t)first & (ear->kit->n_sound - 1));
	const uint32_t before_end = ear->kit->n_sound - at;
	uint32_t silent = count_silent(ear->sound + at, before_end < n ? before_end : n);

	if (n > before_end)
		silent += count_silent(ear->sound, n - before_end);
	return silent < MOST_SILENT;
}

static WEIR_REALTIME void floor_begin(struct ear *ear, const float *power)
{
	memcpy(ear->smoothed, power, EAR_BINS * sizeof(float));
	for (uint32_t k = 0; k < EAR_BINS; k++)
		ear->floor[k] = BIAS * (power[k] + 1e-12f);
	ear->has_floor = true;
}

static WEIR_SIMD WEIR_REALTIME void floor_follow(float *restrict smoothed, float *restrict floor,
						 const float *restrict power, float smooth,
						 float rise)
{
	for (uint32_t k = 0; k < EAR_BINS; k++) {
		const float now = power[k] + smooth * (smoothed[k] - power[k]) + 1e-14f;
		const float risen = floor[k] * rise;

		smoothed[k] = now;
		floor[k] = risen < BIAS * now ? risen : BIAS * now;
	}
}

static WEIR_SIMD WEIR_REALTIME float power_get(float *restrict power,
					       const float *restrict spectrum)
{
	float most = 0.0f;

	for (uint32_t k = 0; k < EAR_BINS; k++)
		power[k] = spectrum[2 * k] * spectrum[2 * k] +
			   spectrum[2 * k + 1] * spectrum[2 * k + 1];
	for (uint32_t k = 0; k < EAR_BINS; k++)
		most = power[k] > most ? power[k] : most;
	return most;
}

/* Makes every bin as loud as it stands out of the floor; returns the sum of that. */
static WEIR_SIMD WEIR_REALTIME float bins_whiten(float *restrict spectrum,
						 const float *restrict power,
						 const float *restrict floor, uint32_t first,
						 uint32_t end)
{
	float sum = 0.0f;

	memset(spectrum, 0, 2 * (size_t)first * sizeof(float));
	memset(spectrum + 2 * (size_t)end, 0, 2 * (size_t)(EAR_BINS - end) * sizeof(float));
	for (uint32_t k = first; k < end; k++) {
		const float gain = ear_gain(power[k], floor[k]);
		const float scale = gain / sqrtf(power[k] + 1e-24f);

		spectrum[2 * k] *= scale;
		spectrum[2 * k + 1] *= scale;
	}
	for (uint32_t k = first; k < end; k++)
		sum += ear_gain(power[k], floor[k]);
	return sum;
}

/* From the power of windows in which something stands out. */
static WEIR_REALTIME void snr_update(struct ear *ear, const float *power)
{
	const struct ear_kit *kit = ear->kit;
	float sound = 0.0f, noise = 1e-20f;

	for (uint32_t k = kit->first; k < kit->end; k++) {
		sound += power[k];
		noise += ear->floor[k];
	}
	ear->n_loud += ear->n_loud < UINT32_MAX;

	const float share = 1.0f / (float)ear->n_loud;

	ear->loudness +=
		(share > kit->snr_share ? share : kit->snr_share) * (sound - ear->loudness);

	const float ratio = (ear->loudness - noise) / noise;

	ear->snr_db = ratio < LEAST_RATIO  ? LEAST_SNR_DB
		      : ratio < MOST_RATIO ? 10.0f * log10f(ratio)
					   : MOST_SNR_DB;
}

static WEIR_REALTIME void whiten(struct ear *ear)
{
	const struct ear_kit *kit = ear->kit;
	float *spectrum = (float *)ear->spectrum;
	float power[EAR_BINS];
	const float most = power_get(power, spectrum);
	const bool is_whole = ear_is_whole(ear, (int64_t)(ear->n_windows * EAR_HOP), EAR_WINDOW);

	if (is_whole && ear->has_floor)
		floor_follow(ear->smoothed, ear->floor, power, kit->smooth, kit->rise);
	else if (is_whole && most > SILENT_POWER)
		floor_begin(ear, power);
	else if (!ear->has_floor)
		memset(spectrum, 0, 2 * EAR_BINS * sizeof(float));
	if (!ear->has_floor)
		return;

	const float sum = bins_whiten(spectrum, power, ear->floor, kit->first, kit->end);

	if (sum > LEAST_SPEECH * (float)(kit->end - kit->first))
		snr_update(ear, power);
}

static WEIR_REALTIME void window_transform(struct ear *ear)
{
	const struct ear_kit *kit = ear->kit;

	ear_window(ear, (int64_t)(ear->n_windows * EAR_HOP), kit->window, EAR_WINDOW, kit->time);
	weir_fft_forward(&kit->fft, kit->time, ear->spectrum);
	whiten(ear);
	ear->is_transformed = true;
}

/* The ring is blank where a window reaches for the first time. */
static WEIR_REALTIME void window_add(struct ear *ear)
{
	const struct ear_kit *kit = ear->kit;
	const uint64_t first = ear->n_windows * EAR_HOP;

	weir_fft_inverse(&kit->fft, ear->spectrum, kit->time);
	for (uint32_t i = 0; i < EAR_WINDOW; i++) {
		float *white = &ear->white[(first + i) % N_WHITE];
		const float part = kit->time[i] * kit->window[i] * (1.0f / 1024.0f);

		*white = i < EAR_WINDOW - EAR_HOP ? *white + part : part;
	}
	ear->n_windows++;
	ear->is_transformed = false;
}

static WEIR_REALTIME void block_transform(struct ear *ear)
{
	const struct ear_kit *kit = ear->kit;
	const uint64_t block = ear->n_blocks, first = block * EAR_BLOCK;
	fftwf_complex *both = ear->spectra + block % kit->n_spectra * EAR_BLOCK_BINS;

	if (!ear->is_alone_done) {
		for (uint32_t i = 0; i < EAR_BLOCK; i++)
			kit->time[i] = ear->white[(first + i) % N_WHITE];
		memset(kit->time + EAR_BLOCK, 0, EAR_BLOCK * sizeof(float));
		weir_fft_forward(&kit->block_fft, kit->time, ear->alone[block % EAR_ALONE]);
		ear->is_alone_done = true;
		return;
	}
	for (uint32_t i = 0; i < 2 * EAR_BLOCK; i++)
		kit->time[i] = ear->white[(first - EAR_BLOCK + i) % N_WHITE];
	weir_fft_forward(&kit->block_fft, kit->time, both);
	ear->is_alone_done = false;
	ear->n_blocks++;
}

WEIR_REALTIME uint32_t ear_step(struct ear *ear)
{
	if (ear->is_transformed) {
		window_add(ear);
		return 4;
	}
	if (ear->n_windows * EAR_HOP >= (ear->n_blocks + 1) * EAR_BLOCK) {
		block_transform(ear);
		return 5;
	}
	if (ear->n_samples >= ear->n_windows * EAR_HOP + EAR_WINDOW) {
		window_transform(ear);
		return 6;
	}
	return 0;
}
