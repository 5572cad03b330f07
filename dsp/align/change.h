/* SPDX-License-Identifier: MIT */
#ifndef WEIR_ALIGN_CHANGE_H
#define WEIR_ALIGN_CHANGE_H

#include "cross.h"

#define CHANGE_FRAMES 4

/* The lag at which one frame has the phases of the sound before. */
struct change_lag {
	double lag;   /* seconds */
	float height; /* over the deviation of all lags; 0: no peak */
};

/*
 * Detects that the sound no longer has the phases that it had at this delay. A jump of the delay
 * changes all phases at once. Decaying reverberation has other phases too: only sound counts that
 * is as loud as speech and does not decay, unless the same phases are found at another lag.
 */
struct change {
	double usual, peak;		       /* power of the sound: mean, and decaying maximum */
	double similarity, expected, variance; /* of the latest frames */
	double known;			       /* seconds of sound at this delay */
	bool is_seen;	/* until the delay is set anew or the phases return */
	double seconds; /* of sound since it is seen */
	struct change_lag found[CHANGE_FRAMES];
	uint32_t n_found;
};

/* Forgets the sound before, and the change. */
WEIR_REALTIME void change_clear(struct change *change);

/*
 * Compares a frame with the sound before; power is that of the first microphone. Sets `matched` to
 * the frame's cross-spectrum, of which the phases before are subtracted.
 */
WEIR_REALTIME void change_watch(struct change *change, const struct cross *frame,
				const struct cross *before, const float *power, double hop_seconds,
				struct cross_weighted *matched,
				const struct cross_context *context);

/* Has the delay jumped by the lag at which `matched` peaks? Then the new delay is unproven. */
WEIR_REALTIME bool change_is_jump(struct change *change, const struct cross_peak *peak);

#endif
