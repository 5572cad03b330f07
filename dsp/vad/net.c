/* SPDX-License-Identifier: MIT */
#include "net.h"

#include <math.h>
#include <string.h>

#include "dsp/simd.h"

#define GATES (3 * VAD_GRU_UNITS)
#define BLOCK VAD_NET_BLOCK

#define CONFIRM_INPUTS (VAD_INPUTS + VAD_GRU_UNITS)

_Static_assert(VAD_INPUT_UNITS % BLOCK == 0 && GATES % BLOCK == 0 && VAD_CONFIRM_UNITS % BLOCK == 0,
	       "blocks are whole");

void vad_net_allocate(struct vad_net *net, struct arena *arena)
{
	net->input = arena_floats(arena, (size_t)VAD_INPUTS * VAD_INPUT_UNITS);
	net->gru_input = arena_floats(arena, (size_t)VAD_INPUT_UNITS * GATES);
	net->gru_recurrent = arena_floats(arena, (size_t)VAD_GRU_UNITS * GATES);
	net->confirm = arena_floats(arena, (size_t)CONFIRM_INPUTS * VAD_CONFIRM_UNITS);
}

/* input_scale: of each input, or NULL for 1. */
static void weights_expand(float *weight, const char *packed, const float *scale,
			   const float *input_scale, uint32_t n_in, uint32_t n_out)
{
	for (uint32_t block = 0; block < n_out; block += BLOCK)
		for (uint32_t i = 0; i < n_in; i++)
			for (uint32_t o = block; o < block + BLOCK; o++)
				*weight++ = (float)(packed[i * n_out + o] - VAD_ZERO) * scale[o] *
					    (input_scale ? input_scale[i] : 1.0f);
}

void vad_net_init_tables(struct vad_net *net)
{
	weights_expand(net->input, vad_input, vad_input_scale, NULL, VAD_INPUTS, VAD_INPUT_UNITS);
	weights_expand(net->gru_input, vad_gru_input, vad_gru_input_scale, NULL, VAD_INPUT_UNITS,
		       GATES);
	weights_expand(net->gru_recurrent, vad_gru_recurrent, vad_gru_recurrent_scale, NULL,
		       VAD_GRU_UNITS, GATES);
	weights_expand(net->confirm, vad_confirm, vad_confirm_scale, vad_confirm_input_scale,
		       CONFIRM_INPUTS, VAD_CONFIRM_UNITS);
}

WEIR_REALTIME void vad_net_reset(struct vad_net *net)
{
	memset(net->state, 0, sizeof(net->state));
}

static WEIR_SIMD WEIR_REALTIME void multiply(const float *weight, const float *bias,
					     const float *in, uint32_t n_in, float *out,
					     uint32_t n_out)
{
	for (uint32_t o = 0; o < n_out; o += BLOCK) {
		weir_lanes sum[BLOCK / 8];

		memcpy(sum, bias + o, sizeof(sum));
		for (uint32_t i = 0; i < n_in; i++, weight += BLOCK)
			for (uint32_t j = 0; j < BLOCK / 8; j++)
				sum[j] += in[i] * *(const weir_lanes *)(weight + 8 * j);
		memcpy(out + o, sum, sizeof(sum));
	}
}

/* Within 1e-4: a truncated continued fraction of tanh, up to |x| = 4.9, where it exceeds 1. */
static inline WEIR_REALTIME float tanh_approx(float x)
{
	const float limited = x < -4.9f ? -4.9f : x > 4.9f ? 4.9f : x;
	const float square = limited * limited;

	return limited * (135135.0f + square * (17325.0f + square * (378.0f + square))) /
	       (135135.0f + square * (62370.0f + square * (3150.0f + square * 28.0f)));
}

static inline WEIR_REALTIME float sigmoid(float x)
{
	return 0.5f + 0.5f * tanh_approx(0.5f * x);
}

static WEIR_SIMD WEIR_REALTIME void tanh_all(float *x, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		x[i] = tanh_approx(x[i]);
}

static WEIR_SIMD WEIR_REALTIME void
gru_step(float *restrict state, const float *restrict from_input, const float *restrict from_state)
{
	for (uint32_t i = 0; i < VAD_GRU_UNITS; i++) {
		const float keep =
			sigmoid(from_input[VAD_GRU_UNITS + i] + from_state[VAD_GRU_UNITS + i]);
		const float past =
			sigmoid(from_input[i] + from_state[i]) * from_state[2 * VAD_GRU_UNITS + i];
		const float now = tanh_approx(from_input[2 * VAD_GRU_UNITS + i] + past);

		state[i] = now + keep * (state[i] - now);
	}
}

WEIR_REALTIME float vad_net_step(struct vad_net *net, const float *features)
{
	float from_input[GATES], from_state[GATES], sum = vad_output_bias;

	multiply(net->input, vad_input_bias, features, VAD_INPUTS, net->hidden, VAD_INPUT_UNITS);
	tanh_all(net->hidden, VAD_INPUT_UNITS);
	multiply(net->gru_input, vad_gru_input_bias, net->hidden, VAD_INPUT_UNITS, from_input,
		 GATES);
	multiply(net->gru_recurrent, vad_gru_recurrent_bias, net->state, VAD_GRU_UNITS, from_state,
		 GATES);
	gru_step(net->state, from_input, from_state);
	for (uint32_t i = 0; i < VAD_INPUT_UNITS; i++)
		sum += vad_output[i] * net->hidden[i];
	for (uint32_t i = 0; i < VAD_GRU_UNITS; i++)
		sum += vad_output[VAD_INPUT_UNITS + i] * net->state[i];
	return 1.0f / (1.0f + expf(-sum));
}

WEIR_REALTIME float vad_net_confirm(const struct vad_net *net, const float *features)
{
	float in[CONFIRM_INPUTS], hidden[VAD_CONFIRM_UNITS], sum = vad_confirm_output_bias;

	memcpy(in, features, VAD_INPUTS * sizeof(float));
	memcpy(in + VAD_INPUTS, net->state, sizeof(net->state));
	multiply(net->confirm, vad_confirm_bias, in, CONFIRM_INPUTS, hidden, VAD_CONFIRM_UNITS);
	tanh_all(hidden, VAD_CONFIRM_UNITS);
	for (uint32_t i = 0; i < VAD_CONFIRM_UNITS; i++)
		sum += vad_confirm_output[i] * hidden[i];
	return 1.0f / (1.0f + expf(-sum));
}
