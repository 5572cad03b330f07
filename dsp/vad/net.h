/* SPDX-License-Identifier: MIT */
#ifndef WEIR_VAD_NET_H
#define WEIR_VAD_NET_H

#include "dsp/arena.h"
#include "weights.h"

#define VAD_NET_BLOCK 48 /* outputs that are summed at once */

/*
 * A layer of tanh, a layer of gated recurrent units (K. Cho et al., EMNLP 2014), and the
 * probability from both.
 */
struct vad_net {
	float *enter;	/* [VAD_ENTER / VAD_NET_BLOCK][VAD_INPUTS][VAD_NET_BLOCK] */
	float *listen;	/* [3 * VAD_UNITS / VAD_NET_BLOCK][VAD_ENTER][VAD_NET_BLOCK]:
			   reset, update, new */
	float *recall;	/* [3 * VAD_UNITS / VAD_NET_BLOCK][VAD_UNITS][VAD_NET_BLOCK] */
	float *confirm; /* [VAD_CONFIRM / VAD_NET_BLOCK][VAD_INPUTS + VAD_UNITS]
			   [VAD_NET_BLOCK] */
	float entered[VAD_ENTER], state[VAD_UNITS];
};

void vad_net_allocate(struct vad_net *net, struct arena *arena);
void vad_net_init_tables(struct vad_net *net);
WEIR_REALTIME void vad_net_reset(struct vad_net *net);

/* Returns the probability of speech after one more hop's VAD_INPUTS features. */
WEIR_REALTIME float vad_net_step(struct vad_net *net, const float *features);

/* After a step, with its features: the probability that what has begun is speech. */
WEIR_REALTIME float vad_net_confirm(const struct vad_net *net, const float *features);

#endif
