/* SPDX-License-Identifier: MIT */
#ifndef WEIR_ALIGN_FRAME_H
#define WEIR_ALIGN_FRAME_H

#include "cross.h"

/* A window of both microphones, the second one read at the known delay. */
struct frame {
	const struct cross_context *context;
	struct cross cross;
	float activity;	 /* the share of the band in which both have sound */
	float *power[2]; /* per bin of context */
	fftwf_complex *bins[2];
};

void frame_allocate(struct frame *frame, const struct cross_context *context, struct arena *arena);

/* Sets the spectrum of microphone `e`, 0 or 1, of the window from sample `first` on. */
WEIR_REALTIME void frame_transform(struct frame *frame, const struct front_end *front, uint32_t e,
				   int64_t first);

/* Sets cross, activity and power from both spectra. */
WEIR_REALTIME void frame_compare(struct frame *frame, const struct front_end *front1,
				 const struct front_end *front2, float polarity);

#endif
