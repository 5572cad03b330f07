/* SPDX-License-Identifier: MIT */
#ifndef WEIR_ALIGN_FRAME_H
#define WEIR_ALIGN_FRAME_H

#include "cross.h"

/* A window of both microphones, the second one later by the delay that is known. */
struct frame {
	const struct cross_context *context;
	struct cross cross;
	float activity;	 /* the share of the band in which both have sound */
	float *power[2]; /* per bin of context */
	fftwf_complex *bins[2];
};

void frame_allocate(struct frame *frame, const struct cross_context *context, struct arena *arena);

/* One microphone's spectrum, of the window that begins at sample `first`; `e` is 0 or 1. */
WEIR_REALTIME void frame_transform(struct frame *frame, const struct front_end *front, uint32_t e,
				   int64_t first);

/* Sets the rest, when both spectra are there. */
WEIR_REALTIME void frame_compare(struct frame *frame, const struct front_end *front1,
				 const struct front_end *front2, float polarity);

#endif
