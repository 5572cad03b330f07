/* SPDX-License-Identifier: MIT */
#include "third_octave.h"

#include <math.h>
#include <string.h>

#include "dsp/minmax.h"
#include "level.h"

#define HALF_LANES 4

/* Two frames of two channels, at any address. */
typedef float frames __attribute__((vector_size(16), aligned(4), may_alias));
typedef float frame __attribute__((vector_size(8), aligned(4), may_alias));
typedef double frame_bits __attribute__((aligned(4), may_alias));
typedef double four_bits __attribute__((vector_size(32)));

/*
 * Two branches of two allpass sections each make an elliptic half-band lowpass that passes 0 to
 * 0.13 of its rate and attenuates by 113 dB above 0.37 (R. A. Valenzuela, A. G. Constantinides,
 * "Digital signal processing schemes for efficient interpolation and decimation", IEE Proc. G 130,
 * 1983). The first frame of two takes the branch of the odd coefficients.
 */
static const float first_section[HALF_LANES] = { 0.17487092f, 0.17487092f, 0.04372161f,
						 0.04372161f };
static const float second_section[HALF_LANES] = { 0.74974553f, 0.74974553f, 0.39948663f,
						  0.39948663f };

static WEIR_REALTIME void seconds_set(struct third_octave *third_octave, double seconds)
{
	third_octave->seconds = seconds;
	for (uint32_t s = 0; s < THIRD_OCTAVE_STAGES; s++)
		third_octave->share[s] =
			(float)(1.0 - exp(-(double)(1u << s) / (seconds * third_octave->rate)));
}

WEIR_REALTIME void third_octave_reset(struct third_octave *third_octave)
{
	memset(third_octave->n_frames, 0, sizeof(third_octave->n_frames));
	memset(third_octave->pair, 0, third_octave->n_pairs * sizeof(*third_octave->pair));
	seconds_set(third_octave, FAST_SECONDS);
}

/* Butterworth sections: (1 - z^-2) / (1 + a1 z^-1 + a2 z^-2). n_sections is a constant. */
static inline __attribute__((always_inline)) WEIR_REALTIME void
sections_run(const struct third_octave_bank *bank, struct third_octave_state *state,
	     const float *in, uint32_t n, float share, uint32_t n_sections)
{
	weir_lanes s[THIRD_OCTAVE_SECTIONS][2], recent = state->recent;

	memcpy(s, state->s, sizeof(s));
	for (uint32_t f = 0; f < n; f++) {
		const double bits = *(const frame_bits *)(in + 2 * f);
		const four_bits four = { bits, bits, bits, bits };
		weir_lanes x = (weir_lanes)four * bank->gain;

		for (uint32_t i = 0; i < n_sections; i++) {
			const weir_lanes y = x - s[i][0];

			s[i][0] = s[i][1] + bank->a1[i] * y;
			s[i][1] = x + bank->a2[i] * y;
			x = y;
		}
		recent += share * (x * x - recent);
	}
	memcpy(state->s, s, sizeof(s));
	state->recent = recent;
}

static WEIR_SIMD WEIR_REALTIME void bank_run(const struct third_octave_bank *bank,
					     struct third_octave_state *state, const float *in,
					     uint32_t n, float share)
{
	if (bank->n_sections == THIRD_OCTAVE_SECTIONS)
		sections_run(bank, state, in, n, share, THIRD_OCTAVE_SECTIONS);
	else
		sections_run(bank, state, in, n, share, THIRD_OCTAVE_SECTIONS - 1);
}

/*
 * Decimates n frames in place, to twice their amplitude; a frame left over from the last call is
 * put before them. Returns the number of frames.
 */
static WEIR_SIMD WEIR_REALTIME uint32_t half_run(struct third_octave_half *half, float *sound,
						 uint32_t n)
{
	const frames first = *(const frames *)first_section;
	const frames second = *(const frames *)second_section;
	frames before = *(const frames *)half->memory[0];
	frames between = *(const frames *)half->memory[1];
	frames after = *(const frames *)half->memory[2];
	const float *in = sound - 2 * half->n_left;
	const uint32_t n_in = n + half->n_left;

	memcpy(sound - 2, half->left, sizeof(half->left));
	for (uint32_t f = 0; f < n_in / 2; f++) {
		const frames x = *(const frames *)(in + 4 * f);
		const frames y = first * (x - between) + before;

		before = x;
		after = second * (y - after) + between;
		between = y;
		*(frame *)(sound + 2 * f) =
			(frame){ after[0], after[1] } + (frame){ after[2], after[3] };
	}
	half->n_left = n_in & 1;
	if (half->n_left)
		memcpy(half->left, in + 2 * (n_in - 1), sizeof(half->left));
	*(frames *)half->memory[0] = before;
	*(frames *)half->memory[1] = between;
	*(frames *)half->memory[2] = after;
	return n_in / 2;
}

static WEIR_REALTIME void pair_run(struct third_octave *third_octave,
				   struct third_octave_pair *pair, float *sound, uint32_t n,
				   bool counted)
{
	uint32_t stage = 0;

	for (uint32_t i = 0; i < third_octave->n_banks; i++) {
		for (; stage < third_octave->bank[i].stage; stage++) {
			if (counted)
				third_octave->n_frames[stage] += n;
			n = half_run(&pair->half[stage], sound, n);
		}
		bank_run(&third_octave->bank[i], &pair->bank[i], sound, n,
			 third_octave->share[stage]);
	}
	if (counted)
		third_octave->n_frames[stage] += n;
}

WEIR_REALTIME void third_octave_run(struct third_octave *third_octave, float *const in[],
				    uint32_t n)
{
	float sound[2 * (WEIR_BLOCK + 1)];

	for (uint32_t p = 0; p < third_octave->n_pairs; p++) {
		const float *left = in[2 * p];
		const float *right = 2 * p + 1 < third_octave->n_channels ? in[2 * p + 1] : left;

		for (uint32_t i = 0; i < n; i++) {
			sound[2 + 2 * i] = left[i];
			sound[3 + 2 * i] = right[i];
		}
		pair_run(third_octave, &third_octave->pair[p], sound + 2, n, p == 0);
	}
}

static WEIR_REALTIME void bank_hop(const struct third_octave_bank *bank,
				   struct third_octave_state *state, double kept)
{
	for (uint32_t lane = 0; lane < 2 * bank->n_bands; lane++)
		state->square[lane] = kept * state->square[lane] + (double)state->recent[lane];
	memset(&state->recent, 0, sizeof(state->recent));
}

/* value: the bands of each of the two channels. */
static WEIR_REALTIME void bank_write(const struct third_octave_bank *bank,
				     const struct third_octave_state *state, float calibration,
				     float *const value[])
{
	for (uint32_t lane = 0; lane < 2 * bank->n_bands; lane++) {
		const int32_t band = bank->top - (int32_t)(lane / 2);

		if (band < THIRD_OCTAVE_BANDS)
			value[lane % 2][band] = level_of((float)state->square[lane], calibration);
	}
}

WEIR_REALTIME void third_octave_hop(struct third_octave *third_octave, float calibration,
				    float smoothing, float *value)
{
	const double seconds = (double)max_f32(smoothing, (float)FAST_SECONDS);

	for (uint32_t i = 0; i < THIRD_OCTAVE_BANDS * third_octave->n_channels; i++)
		value[i] = MIN_LEVEL;
	for (uint32_t i = 0; i < third_octave->n_banks; i++) {
		const struct third_octave_bank *bank = &third_octave->bank[i];
		const double n = ldexp(third_octave->n_frames[bank->stage], (int)bank->stage);
		const double kept = exp(-n / (third_octave->seconds * third_octave->rate));

		for (uint32_t p = 0; p < third_octave->n_pairs; p++) {
			const uint32_t right = min_u32(2 * p + 1, third_octave->n_channels - 1);
			float *const two[2] = { value + 2 * p * THIRD_OCTAVE_BANDS,
						value + right * THIRD_OCTAVE_BANDS };

			bank_hop(bank, &third_octave->pair[p].bank[i], kept);
			bank_write(bank, &third_octave->pair[p].bank[i], calibration, two);
		}
	}
	memset(third_octave->n_frames, 0, sizeof(third_octave->n_frames));
	if (seconds != third_octave->seconds)
		seconds_set(third_octave, seconds);
}
