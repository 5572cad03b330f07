/* SPDX-License-Identifier: MIT */
#ifndef WEIR_ALIGN_MOVES_H
#define WEIR_ALIGN_MOVES_H

#include "loop.h"

/* Sets a delay that the search has found; keeps the drift. */
WEIR_REALTIME void moves_jump(struct loop *loop, double delay, float polarity, double time);

/* Moves the delay to a competing peak of the fast sum that several frames in a row have. */
WEIR_REALTIME void moves_look(struct loop *loop);

/*
 * Moves the delay if it has jumped, so that the phases of the room are found at another lag of the
 * latest frame. Returns true when it has: the frame was read at the previous delay.
 */
WEIR_REALTIME bool moves_match(struct loop *loop);

#endif
