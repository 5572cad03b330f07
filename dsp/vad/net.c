/* SPDX-License-Identifier: MIT */
#include "net.h"

#include <math.h>
#include <string.h>

#include "dsp/simd.h"

#define GATES (3 * VAD_UNITS)
#define BLOCK VAD_NET_BLOCK

#define CONFIRM_INPUTS (VAD_INPUTS + VAD_UNITS)

_Static_assert(VAD_ENTER % BLOCK == 0 && GATES % BLOCK == 0 && VAD_CONFIRM % BLOCK == 0,
	       "blocks are whole");

void vad_net_allocate(struct vad_net *net, struct arena *arena)
{
	net->enter = arena_floats(arena, (size_t)VAD_INPUTS * VAD_ENTER);
	net->listen = arena_floats(arena, (size_t)VAD_ENTER * GATES);
	net->recall = arena_floats(arena, (size_t)VAD_UNITS * GATES);
	net->confirm = arena_floats(arena, (size_t)CONFIRM_INPUTS * VAD_CONFIRM);
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
	weights_expand(net->enter, vad_enter, vad_enter_scale, NULL, VAD_INPUTS, VAD_ENTER);
	weights_expand(net->listen, vad_listen, vad_listen_scale, NULL, VAD_ENTER, GATES);
	weights_expand(net->recall, vad_recall, vad_recall_scale, NULL, VAD_UNITS, GATES);
	weights_expand(net->confirm, vad_confirm, vad_confirm_scale, vad_confirm_input_scale,
		       CONFIRM_INPUTS, VAD_CONFIRM);
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

/* Within 1e-4: the continued fraction of tanh, cut where it passes 1. */
static inline WEIR_REALTIME float bend(float x)
{
	const float limited = x < -4.9f ? -4.9f : x > 4.9f ? 4.9f : x;
	const float square = limited * limited;

	return limited * (135135.0f + square * (17325.0f + square * (378.0f + square))) /
	       (135135.0f + square * (62370.0f + square * (3150.0f + square * 28.0f)));
}

static inline WEIR_REALTIME float share(float x)
{
	return 0.5f + 0.5f * bend(0.5f * x);
}

static WEIR_SIMD WEIR_REALTIME void bend_all(float *x, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		x[i] = bend(x[i]);
}

static WEIR_SIMD WEIR_REALTIME void units_step(float *restrict state, const float *restrict heard,
					       const float *restrict recalled)
{
	for (uint32_t i = 0; i < VAD_UNITS; i++) {
		const float keep = share(heard[VAD_UNITS + i] + recalled[VAD_UNITS + i]);
		const float past = share(heard[i] + recalled[i]) * recalled[2 * VAD_UNITS + i];
		const float now = bend(heard[2 * VAD_UNITS + i] + past);

		state[i] = now + keep * (state[i] - now);
	}
}

WEIR_REALTIME float vad_net_step(struct vad_net *net, const float *features)
{
	float heard[GATES], recalled[GATES], sum = vad_leave_bias;

	multiply(net->enter, vad_enter_bias, features, VAD_INPUTS, net->entered, VAD_ENTER);
	bend_all(net->entered, VAD_ENTER);
	multiply(net->listen, vad_listen_bias, net->entered, VAD_ENTER, heard, GATES);
	multiply(net->recall, vad_recall_bias, net->state, VAD_UNITS, recalled, GATES);
	units_step(net->state, heard, recalled);
	for (uint32_t i = 0; i < VAD_ENTER; i++)
		sum += vad_leave[i] * net->entered[i];
	for (uint32_t i = 0; i < VAD_UNITS; i++)
		sum += vad_leave[VAD_ENTER + i] * net->state[i];
	return 1.0f / (1.0f + expf(-sum));
}

WEIR_REALTIME float vad_net_confirm(const struct vad_net *net, const float *features)
{
	float in[CONFIRM_INPUTS], hidden[VAD_CONFIRM], sum = vad_confirm_leave_bias;

	memcpy(in, features, VAD_INPUTS * sizeof(float));
	memcpy(in + VAD_INPUTS, net->state, sizeof(net->state));
	multiply(net->confirm, vad_confirm_bias, in, CONFIRM_INPUTS, hidden, VAD_CONFIRM);
	bend_all(hidden, VAD_CONFIRM);
	for (uint32_t i = 0; i < VAD_CONFIRM; i++)
		sum += vad_confirm_leave[i] * hidden[i];
	return 1.0f / (1.0f + expf(-sum));
}
