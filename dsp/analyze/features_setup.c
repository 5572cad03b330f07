/* SPDX-License-Identifier: MIT */
#include <math.h>

#include "features.h"

#define WINDOWS_PER_SECOND 20
#define MAX_PRIME 29
#define A0_HZ 27.5

/* pyAudioAnalysis' mel filters: 13 with linear and 27 with logarithmic spacing. */
#define LINEAR_MELS 13
#define MIN_MEL_HZ 133.33
#define MEL_STEP_HZ (200.0 / 3.0)
#define MEL_STEP_RATIO 1.0711703

static double edge_hz(uint32_t edge)
{
	if (edge < LINEAR_MELS)
		return MIN_MEL_HZ + edge * MEL_STEP_HZ;
	return edge_hz(LINEAR_MELS - 1) * pow(MEL_STEP_RATIO, edge - LINEAR_MELS + 1);
}

/*
 * pyAudioAnalysis assumes twice the actual spacing of the bins, so that its filters lie an octave
 * below their nominal frequencies.
 */
static uint32_t edge_bin(const struct features *features, uint32_t edge)
{
	return (uint32_t)(edge_hz(edge) * features->n_bins / features->rate);
}

int features_init(struct features *features, uint32_t rate, uint32_t hop_frames)
{
	uint32_t n_weights = 0;

	features->rate = rate;
	features->n_window = rate / WINDOWS_PER_SECOND;
	while (!weir_fft_is_smooth(features->n_window, MAX_PRIME))
		features->n_window--;
	features->n_hop = hop_frames;
	features->hop_seconds = (float)features->n_hop / (float)rate;
	features->n_bins = features->n_window / 2;
	features->n_fft = features->n_window * (1 + features->n_window % 2);
	for (uint32_t m = 0; m < FEATURES_MELS; m++) {
		features->mel[m].first = edge_bin(features, m) + 1;
		features->mel[m].n = edge_bin(features, m + 2) - edge_bin(features, m);
		features->mel[m].weight = n_weights;
		n_weights += features->mel[m].n;
	}
	features->n_mel_weights = n_weights;
	return weir_fft_init(&features->fft, features->n_fft);
}

void features_allocate(struct features *features, struct arena *arena)
{
	features->time = arena_floats(arena, features->n_fft);
	features->spectrum = arena_bins(arena, features->n_fft / 2 + 1);
	for (int i = 0; i < 2; i++)
		features->magnitude[i] = arena_floats(arena, features->n_bins);
	features->mel_weight = arena_floats(arena, features->n_mel_weights);
	features->cosine =
		arena_bytes(arena, FEATURES_MFCCS * FEATURES_MELS * sizeof(*features->cosine));
}

static void mels_init(struct features *features)
{
	for (uint32_t m = 0; m < FEATURES_MELS; m++) {
		const double low = edge_hz(m), centre = edge_hz(m + 1), high = edge_hz(m + 2);
		const double height = 2.0 / (high - low);
		float *weight = features->mel_weight + features->mel[m].weight;

		for (uint32_t i = 0; i < features->mel[m].n; i++) {
			const uint32_t bin = features->mel[m].first + i;
			const double hz = (double)bin / features->n_bins * features->rate;

			weight[i] = (float)(bin <= edge_bin(features, m + 1)
						    ? height * (hz - low) / (centre - low)
						    : height * (high - hz) / (high - centre));
		}
	}
}

/* The orthonormal cosine transform, DCT-II. */
static void cosine_init(double *cosine)
{
	for (uint32_t c = 0; c < FEATURES_MFCCS; c++)
		for (uint32_t m = 0; m < FEATURES_MELS; m++)
			cosine[c * FEATURES_MELS + m] =
				sqrt((c ? 2.0 : 1.0) / FEATURES_MELS) *
				cos(M_PI * c * (2.0 * m + 1.0) / (2.0 * FEATURES_MELS));
}

/* Semitones from A0 to a bin, to which pyAudioAnalysis assigns the frequency of the next one. */
static int semitone_of(const struct features *features, uint32_t bin)
{
	const double hz = (bin + 1.0) * features->rate / (2.0 * features->n_bins);

	return (int)rint(12.0 * log2(hz / A0_HZ));
}

/* Below A0 pyAudioAnalysis indexes its arrays from their end, by accident. */
static uint32_t place_of(const struct features *features, int semitone)
{
	return (uint32_t)(semitone < 0 ? semitone + (int)features->n_bins : semitone);
}

/* The number of bins in the semitone of this one. */
static uint32_t bins_alike(const struct features *features, uint32_t bin)
{
	const int semitone = semitone_of(features, bin);
	uint32_t first = bin, end = bin + 1;

	while (first > 0 && semitone_of(features, first - 1) == semitone)
		first--;
	while (end < features->n_bins && semitone_of(features, end) == semitone)
		end++;
	return end - first;
}

/*
 * pyAudioAnalysis has an array element per semitone, to which it assigns each of the semitone's
 * bins in turn, so that only the last one remains. It then divides each element by a number of
 * bins that it looks up through two indices: element i gets the count of the semitone of bin
 * semitone(i).
 */
static void chroma_init(struct features *features)
{
	uint32_t n = 0;

	for (uint32_t bin = 0; bin < features->n_bins; bin++) {
		const int semitone = semitone_of(features, bin);

		if (bin + 1 < features->n_bins && semitone_of(features, bin + 1) == semitone)
			continue;

		const uint32_t place = place_of(features, semitone);
		const uint32_t counted = place_of(features, semitone_of(features, place));

		features->semitone[n].bin = bin;
		features->semitone[n].pitch = place % FEATURES_PITCHES;
		features->semitone[n++].share = 1.0f / (float)bins_alike(features, counted);
	}
	features->n_semitones = n;
}

void features_init_tables(struct features *features)
{
	mels_init(features);
	cosine_init(features->cosine);
	chroma_init(features);
}

void features_finish(struct features *features)
{
	weir_fft_finish(&features->fft);
}
