/* SPDX-License-Identifier: MIT */
#ifndef WEIR_VAD_NET_H
#define WEIR_VAD_NET_H

#include "dsp/arena.h"
#include "weights.h"

#define VAD_NET_BLOCK 48 /* outputs that are accumulated at once */

/*
 * A layer of tanh, a layer of gated recurrent units (K. Cho et al., EMNLP 2014), and the
 * probability from both.
 */
struct vad_net {
	/* Weights, [outputs / VAD_NET_BLOCK][inputs][VAD_NET_BLOCK]; gates: reset, update, new. */
	float *input;	      /* VAD_INPUTS to VAD_INPUT_UNITS */
	float *gru_input;     /* VAD_INPUT_UNITS to 3 * VAD_GRU_UNITS */
	float *gru_recurrent; /* VAD_GRU_UNITS to 3 * VAD_GRU_UNITS */
	float *confirm;	      /* VAD_INPUTS + VAD_GRU_UNITS to VAD_CONFIRM_UNITS */

	float hidden[VAD_INPUT_UNITS], state[VAD_GRU_UNITS];
};

void vad_net_allocate(struct vad_net *net, struct arena *arena);
void vad_net_init_tables(struct vad_net *net);
WEIR_REALTIME void vad_net_reset(struct vad_net *net);

/* Returns the probability of speech after one more hop's VAD_INPUTS features. */
WEIR_REALTIME float vad_net_step(struct vad_net *net, const float *features);

/* After a step, with its features: the probability that the sound that has begun is speech. */
WEIR_REALTIME float vad_net_confirm(const struct vad_net *net, const float *features);

#endif
