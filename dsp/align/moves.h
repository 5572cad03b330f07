/* SPDX-License-Identifier: MIT */
#ifndef WEIR_ALIGN_MOVES_H
#define WEIR_ALIGN_MOVES_H

#include "loop.h"

/* The delay is another one, as the search says; what is known of the clocks stays. */
WEIR_REALTIME void moves_jump(struct loop *loop, double delay, float polarity, double time);

/* Moves the delay to a competing peak of the fast sum, when frames in a row have it. */
WEIR_REALTIME void moves_look(struct loop *loop);

/*
 * Has the delay jumped, so that what is known of the room holds at another one? Looks at the frame
 * without the room. Returns true when the frame was read at the previous delay.
 */
WEIR_REALTIME bool moves_match(struct loop *loop);

#endif
