/* SPDX-License-Identifier: MIT */
#ifndef WEIR_ALIGN_ELSEWHERE_H
#define WEIR_ALIGN_ELSEWHERE_H

#include <stdbool.h>

#include "dsp/unit.h"

struct track;

/* Has the source gone elsewhere, and says so again and again? Looks at the fast sum. */
WEIR_REALTIME void elsewhere_look(struct track *track);

/*
 * Has the delay jumped, so that what is known of the room holds at another one? Looks at the frame
 * without the room. Returns true when that was read at the delay before.
 */
WEIR_REALTIME bool elsewhere_match(struct track *track);

#endif
