/* SPDX-License-Identifier: MIT */

/*
 * The noise floor of a bin follows the minimum of its power, smoothed over 80 ms or more, and rises
 * by at most 3 dB per second; twice the minimum is the mean power of the noise. In digital silence
 * the floor does not change.
 */

#include "front_end.h"

#include <math.h>
#include <string.h>

#include "dsp/minmax.h"
#include "dsp/simd.h"
#include "dsp/sinc.h"

#define TAPS_PER_FACTOR 64     /* one kernel's length in samples of the analysis */
#define SMOOTH_SECONDS 0.08    /* five hops at 16 kHz */
#define SMOOTH_HOPS 5.0	       /* minimum: the lowest power of fewer is far below the mean */
#define RISE_DB_PER_SECOND 3.0 /* as in doc/align.md: steady sound becomes noise */
#define BIAS 2.0f	       /* the mean power of noise over such a minimum */
#define SILENT_POWER 1e-9f     /* of the loudest bin: white noise at -124 dB */
#define SILENT_LEVEL 1e-7f     /* full scale over 2^23: below one step of 24 bits */
#define MAX_SILENT 16	       /* samples below that by chance */
#define N_WHITE (4 * FRONT_END_BLOCK)
#define SNR_SECONDS 4.0	  /* a phrase; not tuned */
#define MIN_SPEECH 0.1f	  /* share of the band. bench/align: 0.05 and 0.2 are the same */
#define MIN_SNR_DB -20.0f /* the range of the meter */
#define MIN_RATIO 0.01f	  /* MIN_SNR_DB as a ratio of powers */
#define MAX_SNR_DB 60.0f
#define MAX_RATIO 1e6f /* MAX_SNR_DB as a ratio of powers */

int front_end_context_init(struct front_end_context *context, uint32_t rate, double lag_seconds,
			   double late_seconds, uint32_t n_window)
{
	int res;

	context->factor = rate < 2 * FRONT_END_MIN_RATE ? 1 : rate / FRONT_END_MIN_RATE;
	context->rate = (float)rate / (float)context->factor;

	const double hop_seconds = FRONT_END_HOP / (double)context->rate;

	context->n_taps = TAPS_PER_FACTOR * context->factor;
	context->n_input = power_of_two(context->n_taps + WEIR_BLOCK);
	context->n_sound =
		power_of_two((uint32_t)ceil(late_seconds * (double)context->rate) + n_window);
	context->n_spectra = (uint32_t)(lag_seconds * (double)context->rate / FRONT_END_BLOCK) + 12;
	context->first = (uint32_t)ceilf(FRONT_END_LOW_HZ / context->rate * FRONT_END_WINDOW);
	context->end = (uint32_t)(FRONT_END_HIGH_HZ / context->rate * FRONT_END_WINDOW) + 1;
	if (context->end > FRONT_END_BINS - 16)
		context->end = FRONT_END_BINS - 16;
	context->smooth = (float)exp(-1.0 / fmax(SMOOTH_SECONDS / hop_seconds, SMOOTH_HOPS));
	context->snr_share = (float)(hop_seconds / SNR_SECONDS);
	context->rise = (float)pow(10.0, RISE_DB_PER_SECOND / 10.0 * hop_seconds);
	res = weir_fft_init(&context->fft, FRONT_END_WINDOW);
	return res < 0 ? res : weir_fft_init(&context->block_fft, 2 * FRONT_END_BLOCK);
}

void front_end_context_finish(struct front_end_context *context)
{
	weir_fft_finish(&context->fft);
	weir_fft_finish(&context->block_fft);
}

void front_end_context_allocate(struct front_end_context *context, struct arena *arena)
{
	context->lowpass = arena_floats(arena, 2 * (size_t)context->n_taps);
	context->window = arena_floats(arena, FRONT_END_WINDOW);
	context->time = arena_floats(arena, 2 * FRONT_END_BLOCK);
}

void front_end_fill_hann(float *window, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		window[i] = (float)(0.5 - 0.5 * cos(2.0 * M_PI * i / n));
}

void front_end_context_fill(struct front_end_context *context)
{
	sinc_fill(context->lowpass, (int)context->n_taps, 1, 0.95 / context->factor, 7.0);
	front_end_fill_hann(context->window, FRONT_END_WINDOW);
}

void front_end_allocate(struct front_end *front, const struct front_end_context *context,
			struct arena *arena)
{
	front->context = context;
	front->input = arena_floats(arena, 2 * (size_t)context->n_input);
	front->sound = arena_floats(arena, context->n_sound);
	front->floor = arena_floats(arena, FRONT_END_BINS);
	front->smoothed = arena_floats(arena, FRONT_END_BINS);
	front->spectrum = arena_bins(arena, FRONT_END_BINS);
	front->white = arena_floats(arena, N_WHITE);
	for (int i = 0; i < FRONT_END_ALONE; i++)
		front->alone[i] = arena_bins(arena, FRONT_END_BLOCK_BINS);
	front->spectra = arena_bins(arena, (size_t)context->n_spectra * FRONT_END_BLOCK_BINS);
}

WEIR_REALTIME void front_end_reset(struct front_end *front)
{
	const struct front_end_context *context = front->context;

	memset(front->input, 0, 2 * (size_t)context->n_input * sizeof(float));
	memset(front->sound, 0, context->n_sound * sizeof(float));
	memset(front->white, 0, N_WHITE * sizeof(float));
	memset(front->spectra, 0,
	       (size_t)context->n_spectra * FRONT_END_BLOCK_BINS * sizeof(fftwf_complex));
	front->n_frames = front->n_samples = front->n_silent = 0;
	front->n_windows = front->n_blocks = 0;
	front->has_floor = front->is_transformed = front->is_alone_done = false;
	front->snr_db = MIN_SNR_DB;
	front->loudness = 0.0f;
	front->n_loud = 0;
}

static WEIR_REALTIME void sound_add(struct front_end *front, float sample)
{
	front->sound[front->n_samples++ & (front->context->n_sound - 1)] = sample;
	if (fabsf(sample) < SILENT_LEVEL)
		front->n_silent++;
	else
		front->n_silent = 0;
}

static WEIR_SIMD WEIR_REALTIME void decimate(struct front_end *front, const float *in, uint32_t n)
{
	const struct front_end_context *context = front->context;
	const uint32_t mask = context->n_input - 1;

	for (uint32_t i = 0; i < n; i++) {
		const uint32_t at = (uint32_t)front->n_frames++ & mask;

		front->input[at] = front->input[at + context->n_input] = in[i];
		if (front->n_frames % context->factor != 0)
			continue;
		if (context->factor == 1) {
			sound_add(front, in[i]);
			continue;
		}

		const uint32_t first = (at + 1 - context->n_taps) & mask;

		sound_add(front, sinc_dot(context->lowpass, front->input + first, context->n_taps));
	}
}

WEIR_REALTIME void front_end_run(struct front_end *front, const float *in, uint32_t n)
{
	decimate(front, in, n);
}

WEIR_REALTIME void front_end_window(const struct front_end *front, int64_t first,
				    const float *window, uint32_t n, float *out)
{
	const uint32_t mask = front->context->n_sound - 1;

	for (uint32_t i = 0; i < n; i++)
		out[i] = front->sound[(uint64_t)(first + i) & mask] * window[i];
}

static WEIR_SIMD WEIR_REALTIME uint32_t count_silent(const float *restrict sound, uint32_t n)
{
	uint32_t silent = 0;

	for (uint32_t i = 0; i < n; i++)
		silent += fabsf(sound[i]) < SILENT_LEVEL;
	return silent;
}

WEIR_REALTIME bool front_end_is_whole(const struct front_end *front, int64_t first, uint32_t n)
{
	const uint32_t at = (uint32_t)((uint64_t)first & (front->context->n_sound - 1));
	const uint32_t before_end = front->context->n_sound - at;
	uint32_t silent = count_silent(front->sound + at, before_end < n ? before_end : n);

	if (n > before_end)
		silent += count_silent(front->sound, n - before_end);
	return silent < MAX_SILENT;
}

static WEIR_REALTIME void floor_begin(struct front_end *front, const float *power)
{
	memcpy(front->smoothed, power, FRONT_END_BINS * sizeof(float));
	for (uint32_t k = 0; k < FRONT_END_BINS; k++)
		front->floor[k] = BIAS * (power[k] + 1e-12f);
	front->has_floor = true;
}

static WEIR_SIMD WEIR_REALTIME void floor_follow(float *restrict smoothed, float *restrict floor,
						 const float *restrict power, float smooth,
						 float rise)
{
	for (uint32_t k = 0; k < FRONT_END_BINS; k++) {
		const float now = power[k] + smooth * (smoothed[k] - power[k]) + 1e-14f;
		const float risen = floor[k] * rise;

		smoothed[k] = now;
		floor[k] = risen < BIAS * now ? risen : BIAS * now;
	}
}

static WEIR_SIMD WEIR_REALTIME float max_power(const float *power)
{
	float max = 0.0f;

	for (uint32_t k = 0; k < FRONT_END_BINS; k++)
		max = power[k] > max ? power[k] : max;
	return max;
}

/* Sets the magnitude of each bin to its gain over the floor; returns the sum of gains. */
static WEIR_SIMD WEIR_REALTIME float bins_whiten(float *restrict spectrum,
						 const float *restrict power,
						 const float *restrict floor, uint32_t first,
						 uint32_t end)
{
	float sum = 0.0f;

	memset(spectrum, 0, 2 * (size_t)first * sizeof(float));
	memset(spectrum + 2 * (size_t)end, 0, 2 * (size_t)(FRONT_END_BINS - end) * sizeof(float));
	for (uint32_t k = first; k < end; k++) {
		const float gain = front_end_gain(power[k], floor[k]);
		const float scale = gain / sqrtf(power[k] + 1e-24f);

		spectrum[2 * k] *= scale;
		spectrum[2 * k + 1] *= scale;
	}
	for (uint32_t k = first; k < end; k++)
		sum += front_end_gain(power[k], floor[k]);
	return sum;
}

/* From the power of windows with sound over the floor. */
static WEIR_REALTIME void snr_update(struct front_end *front, const float *power)
{
	const struct front_end_context *context = front->context;
	float sound = 0.0f, noise = 1e-20f;

	for (uint32_t k = context->first; k < context->end; k++) {
		sound += power[k];
		noise += front->floor[k];
	}
	front->n_loud += front->n_loud < UINT32_MAX;

	const float share = 1.0f / (float)front->n_loud;

	front->loudness += (share > context->snr_share ? share : context->snr_share) *
			   (sound - front->loudness);

	const float ratio = (front->loudness - noise) / noise;

	front->snr_db = ratio < MIN_RATIO   ? MIN_SNR_DB
			: ratio < MAX_RATIO ? 10.0f * log10f(ratio)
					    : MAX_SNR_DB;
}

static WEIR_REALTIME void whiten(struct front_end *front)
{
	const struct front_end_context *context = front->context;
	float *spectrum = (float *)front->spectrum;
	float power[FRONT_END_BINS];
	const bool is_whole = front_end_is_whole(front, (int64_t)(front->n_windows * FRONT_END_HOP),
						 FRONT_END_WINDOW);

	weir_fft_power(front->spectrum, power, FRONT_END_BINS);
	if (is_whole && front->has_floor)
		floor_follow(front->smoothed, front->floor, power, context->smooth, context->rise);
	else if (is_whole && max_power(power) > SILENT_POWER)
		floor_begin(front, power);
	else if (!front->has_floor)
		memset(spectrum, 0, 2 * FRONT_END_BINS * sizeof(float));
	if (!front->has_floor)
		return;

	const float sum = bins_whiten(spectrum, power, front->floor, context->first, context->end);

	if (sum > MIN_SPEECH * (float)(context->end - context->first))
		snr_update(front, power);
}

static WEIR_REALTIME void window_transform(struct front_end *front)
{
	const struct front_end_context *context = front->context;

	front_end_window(front, (int64_t)(front->n_windows * FRONT_END_HOP), context->window,
			 FRONT_END_WINDOW, context->time);
	weir_fft_forward(&context->fft, context->time, front->spectrum);
	whiten(front);
	front->is_transformed = true;
}

/* The last hop of a window overwrites the ring, the rest is added to the windows before. */
static WEIR_REALTIME void window_add(struct front_end *front)
{
	const struct front_end_context *context = front->context;
	const uint64_t first = front->n_windows * FRONT_END_HOP;

	weir_fft_inverse(&context->fft, front->spectrum, context->time);
	for (uint32_t i = 0; i < FRONT_END_WINDOW; i++) {
		float *white = &front->white[(first + i) % N_WHITE];
		const float part = context->time[i] * context->window[i] * (1.0f / 1024.0f);

		*white = i < FRONT_END_WINDOW - FRONT_END_HOP ? *white + part : part;
	}
	front->n_windows++;
	front->is_transformed = false;
}

static WEIR_REALTIME void block_transform(struct front_end *front)
{
	const struct front_end_context *context = front->context;
	const uint64_t block = front->n_blocks, first = block * FRONT_END_BLOCK;
	fftwf_complex *both = front->spectra + block % context->n_spectra * FRONT_END_BLOCK_BINS;

	if (!front->is_alone_done) {
		for (uint32_t i = 0; i < FRONT_END_BLOCK; i++)
			context->time[i] = front->white[(first + i) % N_WHITE];
		memset(context->time + FRONT_END_BLOCK, 0, FRONT_END_BLOCK * sizeof(float));
		weir_fft_forward(&context->block_fft, context->time,
				 front->alone[block % FRONT_END_ALONE]);
		front->is_alone_done = true;
		return;
	}
	for (uint32_t i = 0; i < 2 * FRONT_END_BLOCK; i++)
		context->time[i] = front->white[(first - FRONT_END_BLOCK + i) % N_WHITE];
	weir_fft_forward(&context->block_fft, context->time, both);
	front->is_alone_done = false;
	front->n_blocks++;
}

static WEIR_REALTIME bool is_block_there(const struct front_end *front)
{
	return front->n_windows * FRONT_END_HOP >= (front->n_blocks + 1) * FRONT_END_BLOCK;
}

static WEIR_REALTIME bool is_window_there(const struct front_end *front)
{
	return front->n_samples >= front->n_windows * FRONT_END_HOP + FRONT_END_WINDOW;
}

static WEIR_REALTIME bool is_window_transformed(const struct front_end *front)
{
	return front->is_transformed;
}

/* The first that is ready is run. */
static const struct {
	bool (*is_ready)(const struct front_end *front) WEIR_REALTIME;
	void (*run)(struct front_end *front) WEIR_REALTIME;
	uint32_t cost;
} steps[] = {
	{ is_window_transformed, window_add, 4 },
	{ is_block_there, block_transform, 5 },
	{ is_window_there, window_transform, 6 },
};

WEIR_REALTIME uint32_t front_end_step(struct front_end *front)
{
	for (uint32_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (steps[i].is_ready(front)) {
			steps[i].run(front);
			return steps[i].cost;
		}
	return 0;
}
