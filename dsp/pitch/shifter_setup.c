/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dsp/arena.h"
#include "dsp/minmax.h"
#include "dsp/sinc.h"
#include "shifter.h"

#define FADE_SECONDS 0.0005
#define STRIKE_SECONDS 0.00067
#define HOLD_SECONDS 0.0427
#define LEAST_HOP 40
#define MOST_SPEED 4 /* of the tape, at 24 semitones */
#define LEAST_WINDOW 0.05
#define PARTIALS_HZ 1000.0
#define SHORTEST_PERIOD 0.002 /* of a voice: seconds */
#define LONGEST_PERIOD 0.016
#define UNVOICED_HZ 200.0
#define CRITICAL_HZ 100.0f

/*
 * The even length nearest to this whose only factors are 2, 3 and 5. A shorter one than LEAST_HOP
 * would leave no room on the tape between an attack and what is read, two octaves down.
 */
static uint32_t hop_frames(uint32_t wanted)
{
	if (wanted < LEAST_HOP)
		wanted = LEAST_HOP;
	for (uint32_t off = 0;; off++) {
		if ((wanted - off) % 2 == 0 && weir_fft_is_smooth(wanted - off, 5))
			return wanted - off;
		if ((wanted + off) % 2 == 0 && weir_fft_is_smooth(wanted + off, 5))
			return wanted + off;
	}
}

static void vocoder_allocate(struct vocoder *vocoder, struct arena *arena)
{
	struct tape *tape = &vocoder->tape;
	const uint32_t n = vocoder->n, n_bins = vocoder->n_bins;

	vocoder->window = arena_floats(arena, n);
	vocoder->unwindow = arena_floats(arena, n);
	vocoder->gated = arena_floats(arena, n);
	vocoder->shape = arena_floats(arena, n);
	for (uint32_t c = 0; c < vocoder->n_channels; c++) {
		vocoder->grain[c] = arena_floats(arena, n);
		vocoder->spectrum[c] = arena_bins(arena, n_bins);
		vocoder->spectrum_before[c] = arena_bins(arena, n_bins);
		tape->grain[c] = arena_floats(arena, tape->n_grain);
		tape->done[c] = arena_floats(arena, tape->n_done + TAPE_TAPS);
	}
	tape->weight = arena_floats(arena, tape->n_grain);
	tape->kernel = arena_floats(arena, (size_t)(SINC_PHASES + 1) * TAPE_TAPS);
	vocoder->partials.shape = arena_bins(arena, PARTIALS_SHAPE);
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
	vocoder->onsets.power = arena_floats(arena, vocoder->hop);

	vocoder->formant.point = arena_bytes(arena, n_bins * sizeof(struct formant_point));
	vocoder->formant.envelope = arena_floats(arena, n_bins);
}

static void shifter_allocate(struct shifter *shifter, struct arena *arena)
{
	for (uint32_t c = 0; c < shifter->n_channels; c++)
		shifter->input[c] = arena_floats(arena, 2 * (size_t)shifter->n_input);
	vocoder_allocate(&shifter->vocoder, arena);
}

/* Of two blocks of differences, which are less the higher the rate. */
static float quiet_power(uint32_t hop, uint32_t rate)
{
	const float per_frame = 48000.0f / (float)rate;

	return 1e-5f * (float)hop / 256.0f * min_f32(per_frame * per_frame, 1.0f);
}

static void shifter_size(struct shifter *shifter)
{
	const uint32_t hop = shifter->hop, n_channels = shifter->n_channels;
	struct vocoder *vocoder = &shifter->vocoder;
	struct formant *formant = &vocoder->formant;

	/* A window, the hop in which it is worked on, and a hop by which an attack moves it. */
	shifter->n_input = power_of_two((VOCODER_WINDOW + 2) * hop);
	vocoder->n_channels = n_channels;
	vocoder->n_stages = vocoder_count_stages(n_channels);
	/* The first tick begins the hop, the last one finishes it. */
	shifter->n_ticks = (vocoder->n_stages + 2 + ONSET_BLOCKS - 1) / ONSET_BLOCKS * ONSET_BLOCKS;
	vocoder->hop = hop;
	vocoder->n = VOCODER_WINDOW * hop;
	vocoder->n_bins = vocoder->n / 2 + 1;
	vocoder->fade = (uint32_t)(FADE_SECONDS * shifter->rate + 0.5);
	vocoder->strike = (uint32_t)(STRIKE_SECONDS * shifter->rate + 0.5);

	/* From the first place that is open to the end of the grain; see open_allocate(). */
	vocoder->tape.n_channels = n_channels;
	vocoder->tape.n_grain = VOCODER_REACH * hop * MOST_SPEED + VOCODER_AHEAD * hop;
	vocoder->tape.n_done = power_of_two(2 * hop * MOST_SPEED + 2 * TAPE_TAPS);

	vocoder->partials.n_channels = n_channels;
	vocoder->partials.n_bins = (uint32_t)(PARTIALS_HZ / shifter->rate * vocoder->n);
	vocoder->onsets.n_channels = n_channels;
	vocoder->onsets.hop = hop;
	vocoder->onsets.hold = (uint32_t)(HOLD_SECONDS * shifter->rate);
	vocoder->onsets.leak = expf(-16.0f / (float)hop);
	vocoder->onsets.quiet = quiet_power(hop, shifter->rate);

	formant->n_bins = vocoder->n_bins;
	formant->shortest = (uint32_t)(SHORTEST_PERIOD * shifter->rate);
	formant->longest = min_u32((uint32_t)(LONGEST_PERIOD * shifter->rate), vocoder->n / 2);
	formant->critical = CRITICAL_HZ / (float)shifter->rate * (float)vocoder->n;
	formant->unvoiced = (uint32_t)(UNVOICED_HZ / shifter->rate * vocoder->n);
}

static void fill_windows(struct vocoder *vocoder)
{
	const uint32_t centre = VOCODER_BEFORE * vocoder->hop, n = vocoder->n;

	for (uint32_t i = 0; i < n; i++) {
		const double off = (double)i + 0.5 - centre;
		const double half = off < 0.0 ? centre : n - centre;
		const double window = 0.5 + 0.5 * cos(M_PI * off / half);

		vocoder->window[i] = (float)window;
		vocoder->unwindow[i] = (float)(1.0 / fmax(window, LEAST_WINDOW));
	}
}

void shifter_finish(struct shifter *shifter)
{
	weir_fft_finish(&shifter->vocoder.fft);
	free(shifter->memory);
}

int shifter_init(struct shifter *shifter, uint32_t rate, uint32_t n_channels, double hop_seconds)
{
	struct vocoder *vocoder = &shifter->vocoder;
	struct arena arena = { 0 };

	*shifter = (struct shifter){
		.rate = rate,
		.n_channels = n_channels,
		.hop = hop_frames((uint32_t)(hop_seconds * rate + 0.5)),
	};
	shifter_size(shifter);
	shifter_allocate(shifter, &arena);
	shifter->memory = aligned_alloc(WEIR_FFT_ALIGN, arena.size);
	if (!shifter->memory || weir_fft_init(&vocoder->fft, vocoder->n))
		return -ENOMEM;

	memset(shifter->memory, 0, arena.size);
	arena = (struct arena){ .memory = shifter->memory };
	shifter_allocate(shifter, &arena);
	fill_windows(vocoder);
	partials_fill_shape(&vocoder->partials, vocoder->window, vocoder->n);
	sinc_fill(vocoder->tape.kernel, TAPE_TAPS, SINC_PHASES, 0.97, 9.0);
	shifter_reset(shifter);
	return 0;
}
