/* SPDX-License-Identifier: MIT */

/*
 * The floor of a bin is the least power that it has had, smoothed over 80 ms, and forgets 3 dB
 * per second; twice that is the mean power of the noise. In digital silence it stays as it is.
 */

#include "ear.h"

#include <math.h>
#include <string.h>

#include "../sinc.h"

#define TAPS_PER_FACTOR 64
#define SMOOTH_SECONDS 0.08
#define RISE_DB_PER_SECOND 3.0
#define BIAS 2.0f
#define SILENT_POWER 1e-9f
#define SILENT_LEVEL 1e-7f
#define N_WHITE (4 * EAR_BLOCK)
#define SNR_SECONDS 4.0
#define LEAST_SPEECH 0.05f /* share of the band */
#define PI 3.14159265358979323846

int ear_kit_init(struct ear_kit *kit, uint32_t rate, double lag_seconds)
{
	const double hop_seconds = (double)EAR_HOP;

	kit->factor = rate < 2 * EAR_LEAST_RATE ? 1 : rate / EAR_LEAST_RATE;
	kit->rate = (float)rate / (float)kit->factor;
	kit->n_taps = TAPS_PER_FACTOR * kit->factor;
	kit->n_input = 1;
	while (kit->n_input < kit->n_taps + WEIR_BLOCK)
		kit->n_input *= 2;
	kit->n_sound = 1;
	while (kit->n_sound < (lag_seconds + 1.2) * (double)kit->rate)
		kit->n_sound *= 2;
	kit->n_spectra = (uint32_t)(lag_seconds * (double)kit->rate / EAR_BLOCK) + 12;
	kit->first = (uint32_t)ceilf(EAR_LOW_HZ / kit->rate * EAR_WINDOW);
	kit->end = (uint32_t)(EAR_HIGH_HZ / kit->rate * EAR_WINDOW) + 1;
	if (kit->end > EAR_BINS - 16)
		kit->end = EAR_BINS - 16;
	kit->smooth = (float)exp(-hop_seconds / (double)kit->rate / SMOOTH_SECONDS);
	kit->snr_share = (float)(hop_seconds / (double)kit->rate / SNR_SECONDS);
	kit->rise = (float)pow(10.0, RISE_DB_PER_SECOND / 10.0 * hop_seconds / (double)kit->rate);
	for (int b = 0; b <= EAR_BANDS; b++)
		kit->band_end[b] = (uint32_t)lrint(
			kit->first * pow((double)kit->end / kit->first, (double)b / EAR_BANDS));
	if (weir_fft_init(&kit->fft, EAR_WINDOW) < 0)
		return -1;
	return weir_fft_init(&kit->block_fft, 2 * EAR_BLOCK);
}

void ear_kit_finish(struct ear_kit *kit)
{
	weir_fft_finish(&kit->fft);
	weir_fft_finish(&kit->block_fft);
}

void ear_kit_place(struct ear_kit *kit, struct layout *layout)
{
	kit->lowpass = floats_place(layout, 2 * (size_t)kit->n_taps);
	kit->window = floats_place(layout, EAR_WINDOW);
	kit->time = floats_place(layout, 2 * EAR_BLOCK);
	kit->bins = bins_place(layout, EAR_BLOCK_BINS);
}

void ear_kit_fill(struct ear_kit *kit)
{
	sinc_fill(kit->lowpass, (int)kit->n_taps, 1, 0.95 / kit->factor, 7.0);
	for (uint32_t i = 0; i < EAR_WINDOW; i++)
		kit->window[i] = (float)(0.5 - 0.5 * cos(2.0 * PI * i / EAR_WINDOW));
}

void ear_place(struct ear *ear, const struct ear_kit *kit, struct layout *layout)
{
	ear->kit = kit;
	ear->input = floats_place(layout, 2 * (size_t)kit->n_input);
	ear->sound = floats_place(layout, kit->n_sound);
	ear->floor = floats_place(layout, EAR_BINS);
	ear->smoothed = floats_place(layout, EAR_BINS);
	ear->spectrum = bins_place(layout, EAR_BINS);
	ear->white = floats_place(layout, N_WHITE);
	for (int i = 0; i < EAR_ALONE; i++)
		ear->alone[i] = bins_place(layout, EAR_BLOCK_BINS);
	ear->spectra = bins_place(layout, (size_t)kit->n_spectra * EAR_BLOCK_BINS);
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
	ear->snr_db = 0.0f;
	ear->has_snr = false;
}

static WEIR_REALTIME void sound_add(struct ear *ear, float sample)
{
	ear->sound[ear->n_samples++ & (ear->kit->n_sound - 1)] = sample;
	if (fabsf(sample) < SILENT_LEVEL)
		ear->n_silent++;
	else
		ear->n_silent = 0;
}

WEIR_REALTIME void ear_hear(struct ear *ear, const float *in, uint32_t n)
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

WEIR_REALTIME void ear_window(const struct ear *ear, int64_t first, const float *window, uint32_t n,
			      float *out)
{
	const uint32_t mask = ear->kit->n_sound - 1;

	for (uint32_t i = 0; i < n; i++)
		out[i] = ear->sound[(uint64_t)(first + i) & mask] * window[i];
}

static WEIR_REALTIME void floor_update(struct ear *ear, const float *power)
{
	const struct ear_kit *kit = ear->kit;

	if (!ear->has_floor) {
		memcpy(ear->smoothed, power, EAR_BINS * sizeof(float));
		for (uint32_t k = 0; k < EAR_BINS; k++)
			ear->floor[k] = BIAS * (power[k] + 1e-12f);
		ear->has_floor = true;
		return;
	}
	for (uint32_t k = 0; k < EAR_BINS; k++) {
		const float smoothed =
			power[k] + kit->smooth * (ear->smoothed[k] - power[k]) + 1e-14f;
		const float risen = ear->floor[k] * kit->rise;

		ear->smoothed[k] = smoothed;
		ear->floor[k] = risen < BIAS * smoothed ? risen : BIAS * smoothed;
	}
}

/* The mean over bands of decibels, of windows in which something stands out. */
static WEIR_REALTIME void snr_update(struct ear *ear, const float *power)
{
	const struct ear_kit *kit = ear->kit;
	float db = 0.0f;

	for (int b = 0; b < EAR_BANDS; b++) {
		float sound = 1e-20f, noise = 1e-20f;

		for (uint32_t k = kit->band_end[b]; k < kit->band_end[b + 1]; k++) {
			sound += power[k];
			noise += ear->floor[k];
		}
		db += 10.0f / EAR_BANDS * log10f(sound / noise);
	}
	ear->snr_db += (ear->has_snr ? kit->snr_share : 1.0f) * (db - ear->snr_db);
	ear->has_snr = true;
}

static WEIR_REALTIME void whiten(struct ear *ear)
{
	const struct ear_kit *kit = ear->kit;
	fftwf_complex *bin = ear->spectrum;
	float power[EAR_BINS], most = 0.0f, speech = 0.0f;

	for (uint32_t k = 0; k < EAR_BINS; k++) {
		power[k] = bin[k][0] * bin[k][0] + bin[k][1] * bin[k][1];
		most = power[k] > most ? power[k] : most;
	}
	if (most > SILENT_POWER)
		floor_update(ear, power);
	for (uint32_t k = 0; k < EAR_BINS; k++) {
		const bool counts = k >= kit->first && k < kit->end && ear->has_floor;
		const float gain = counts ? ear_gain(power[k], ear->floor[k]) : 0.0f;
		const float scale = gain / sqrtf(power[k] + 1e-24f);

		bin[k][0] *= scale;
		bin[k][1] *= scale;
		speech += gain;
	}
	if (speech > LEAST_SPEECH * (float)(kit->end - kit->first))
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

WEIR_REALTIME bool ear_step(struct ear *ear)
{
	if (ear->is_transformed)
		window_add(ear);
	else if (ear->n_windows * EAR_HOP >= (ear->n_blocks + 1) * EAR_BLOCK)
		block_transform(ear);
	else if (ear->n_samples >= ear->n_windows * EAR_HOP + EAR_WINDOW)
		window_transform(ear);
	else
		return false;
	return true;
}
