/* SPDX-License-Identifier: MIT */
#include <math.h>

#include "dsp/arena.h"
#include "vocoder.h"

/*
 * Figures: bench/pitch/score.py --shifts=4, with half and with twice the value. As they are:
 * pre-echo -25.3 dB, peak loss 0.41 dB, tone SINAD 60.7 dB.
 */
#define FADE_SECONDS 0.0005    /* pre-echo -25.1, -25.6; peak loss 0.44, 0.40 */
#define STRIKE_SECONDS 0.00067 /* pre-echo -25.4, -25.1; peak loss 0.40, 0.32 */
#define MIN_WINDOW 0.05	       /* of the divisor; tone SINAD 60.7, 60.9 */
#define MAX_SPEED 4	       /* at 24 semitones */

int vocoder_init(struct vocoder *vocoder, uint32_t rate, uint32_t n_channels, uint32_t hop)
{
	vocoder->n_channels = n_channels;
	vocoder->n_stages = vocoder_count_stages(n_channels);
	vocoder->hop = hop;
	vocoder->n = VOCODER_WINDOW * hop;
	vocoder->n_bins = vocoder->n / 2 + 1;
	vocoder->fade = (uint32_t)(FADE_SECONDS * rate + 0.5);
	vocoder->strike = (uint32_t)(STRIKE_SECONDS * rate + 0.5);

	/* From the first place that is open to the end of the grain; see open_place(). */
	stretch_init(&vocoder->stretch, n_channels,
		     VOCODER_REACH * hop * MAX_SPEED + VOCODER_AHEAD * hop, 2 * hop * MAX_SPEED);
	partials_init(&vocoder->partials, rate, n_channels, vocoder->n);
	onset_init(&vocoder->onsets, rate, n_channels, hop);
	formant_init(&vocoder->formant, rate, vocoder->n);
	return weir_fft_init(&vocoder->fft, vocoder->n);
}

void vocoder_finish(struct vocoder *vocoder)
{
	weir_fft_finish(&vocoder->fft);
}

void vocoder_allocate(struct vocoder *vocoder, struct arena *arena)
{
	const uint32_t n = vocoder->n, n_bins = vocoder->n_bins;

	vocoder->window = arena_floats(arena, n);
	vocoder->unwindow = arena_floats(arena, n);
	vocoder->gated = arena_floats(arena, n);
	vocoder->shape = arena_floats(arena, n);
	for (uint32_t c = 0; c < vocoder->n_channels; c++) {
		vocoder->grain[c] = arena_floats(arena, n);
		vocoder->spectrum[c] = arena_bins(arena, n_bins);
		vocoder->spectrum_before[c] = arena_bins(arena, n_bins);
	}
	vocoder->rotated = arena_bins(arena, n_bins);
	vocoder->phasor = arena_bins(arena, n_bins + VOCODER_CHUNK);
	for (int i = 0; i <= VOCODER_MEMORY; i++)
		vocoder->power[i] = arena_floats(arena, n_bins);
	vocoder->phase = arena_floats(arena, n_bins + VOCODER_CHUNK);
	vocoder->phase_before = arena_floats(arena, n_bins + VOCODER_CHUNK);
	vocoder->peak = arena_bytes(arena, n_bins * sizeof(uint32_t));
	vocoder->cross = arena_bins(arena, n_bins);
	vocoder->peak_off = arena_floats(arena, n_bins);
	vocoder->peak_phase = arena_floats(arena, n_bins);
	vocoder->peak_gain = arena_floats(arena, n_bins);
	stretch_allocate(&vocoder->stretch, arena);
	partials_allocate(&vocoder->partials, arena);
	onset_allocate(&vocoder->onsets, arena);
	formant_allocate(&vocoder->formant, arena);
}

void vocoder_init_tables(struct vocoder *vocoder)
{
	const uint32_t centre = VOCODER_BEFORE * vocoder->hop, n = vocoder->n;

	for (uint32_t i = 0; i < n; i++) {
		const double off = (double)i + 0.5 - centre;
		const double half = off < 0.0 ? centre : n - centre;
		const double window = 0.5 + 0.5 * cos(M_PI * off / half);

		vocoder->window[i] = (float)window;
		vocoder->unwindow[i] = (float)(1.0 / fmax(window, MIN_WINDOW));
	}
	partials_init_shape(&vocoder->partials, vocoder->window, n);
	stretch_init_kernel(&vocoder->stretch);
}
