/* SPDX-License-Identifier: MIT */
#ifndef WEIR_ALIGN_CHANGE_H
#define WEIR_ALIGN_CHANGE_H

#include "cross.h"

/*
 * Does the sound still have the phases that it had at this delay? A delay that jumps changes all of
 * them at once, wherever it jumps to. Reverberation that fades has other phases, too: only what is
 * as loud as speech counts, and does not fade.
 */
struct change {
	double usual, peak;	       /* power of the sound: its mean, and what it fades from */
	double like, wanted, variance; /* of the latest frames */
	double known;		       /* seconds of sound that was heard at this delay */
	bool is_seen;		       /* until the delay is set anew, or it is as it was */
	double seconds;		       /* of sound since then */
};

/* What was seen holds no more. */
WEIR_REALTIME void change_clear(struct change *change);

/* Compares a frame with what was heard before; power is that of the first microphone. */
WEIR_REALTIME void change_watch(struct change *change, const struct cross *frame,
				const struct cross *before, const float *power, double hop_seconds,
				const struct cross_kit *kit);

#endif
