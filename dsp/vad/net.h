/* SPDX-License-Identifier: MIT */
#ifndef WEIR_VAD_NET_H
#define WEIR_VAD_NET_H

#include "dsp/arena.h"
#include "weights.h"

#define SPEECH_NET_BLOCK 48 /* outputs that are summed at once */

/*
 * A layer of tanh, a layer of gated recurrent units (K. Cho et al., EMNLP 2014), and the
 * probability from both.
 */
struct speech_net {
	float *enter;	/* [SPEECH_ENTER / SPEECH_NET_BLOCK][SPEECH_INPUTS][SPEECH_NET_BLOCK] */
	float *listen;	/* [3 * SPEECH_UNITS / SPEECH_NET_BLOCK][SPEECH_ENTER][SPEECH_NET_BLOCK]:
			   reset, update, new */
	float *recall;	/* [3 * SPEECH_UNITS / SPEECH_NET_BLOCK][SPEECH_UNITS][SPEECH_NET_BLOCK] */
	float *confirm; /* [SPEECH_CONFIRM / SPEECH_NET_BLOCK][SPEECH_INPUTS + SPEECH_UNITS]
			   [SPEECH_NET_BLOCK] */
	float entered[SPEECH_ENTER], state[SPEECH_UNITS];
};

void speech_net_allocate(struct speech_net *net, struct arena *arena);
void speech_net_fill(struct speech_net *net);
WEIR_REALTIME void speech_net_reset(struct speech_net *net);

/* Returns the probability of speech after one more hop's SPEECH_INPUTS features. */
WEIR_REALTIME float speech_net_step(struct speech_net *net, const float *features);

/* After a step, with its features: the probability that what has begun is speech. */
WEIR_REALTIME float speech_net_confirm(const struct speech_net *net, const float *features);

#endif
