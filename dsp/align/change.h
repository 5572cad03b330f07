/* SPDX-License-Identifier: MIT */
#ifndef WEIR_ALIGN_CHANGE_H
#define WEIR_ALIGN_CHANGE_H

#include "cross.h"

#define CHANGE_FRAMES 4

/* Where a frame has the phases that were usual, as far as that can be told from one. */
struct change_lag {
	double lag;   /* seconds */
	float height; /* over the deviation of all lags; 0: nowhere */
};

/*
 * Does the sound still have the phases that it had at this delay? A delay that jumps changes all of
 * them at once. Reverberation that fades has other phases, too: only what is as loud as speech
 * counts, and does not fade, unless the same phases are found at another lag.
 */
struct change {
	double usual, peak; /* power of the sound: its mean, and what it fades from */
	double similarity, expected, variance; /* of the latest frames */
	double known;			       /* seconds of sound that was heard at this delay */
	bool is_seen;			       /* until the delay is set anew, or it is as it was */
	double seconds;			       /* of sound since then */
	struct change_lag found[CHANGE_FRAMES];
	uint32_t n_found;
};

/* What was seen holds no more. */
WEIR_REALTIME void change_clear(struct change *change);

/*
 * Compares a frame with what was heard before; power is that of the first microphone. Sets
 * `matched` to the frame's cross-spectrum without the phases that it had before.
 */
WEIR_REALTIME void change_watch(struct change *change, const struct cross *frame,
				const struct cross *before, const float *power, double hop_seconds,
				struct cross_weighted *matched,
				const struct cross_context *context);

/* Is the delay another one by the lag at which `matched` peaks? Then it is to be proven there. */
WEIR_REALTIME bool change_is_jump(struct change *change, const struct cross_peak *peak);

#endif
