/* SPDX-License-Identifier: MIT */
#ifndef WEIR_ALIGN_H
#define WEIR_ALIGN_H

#include "dsp/unit.h"

/*
 * Align: mixes microphones that pick up the same source into one better microphone.
 *
 * Delays (up to 1.5 s), clock drifts (up to 1500 ppm), gains and polarities need not be known. The
 * first microphone is the reference. Each other microphone is found by correlation with it, tracked
 * as long as the source sounds, and delayed or advanced before it is mixed. The mix has the level
 * of the first microphone. Weights follow the noise of each microphone (maximum-ratio combining).
 * An unaligned microphone is not mixed: until it is found, while it is silent, and after its delay
 * has changed, the output is the mix of the others, or the better microphone.
 *
 * During pauses the delay is extrapolated by the known drift. A source that moves is followed; the
 * delays of up to four talkers are remembered. A microphone with digital silence is removed within
 * a sixth of a millisecond, before the silence reaches the output.
 *
 * A restored delay needs less evidence than a new one: a microphone at the same delay locks in
 * about two thirds of the time. A microphone at another delay is treated as a new one.
 *
 * Latency: the delay of the latest microphone, plus 64 frames, plus up to 20 ms while a drift makes
 * this delay grow, so that the latency changes rarely. When it changes, the other microphones fade
 * out, microphone 1 cross-fades within 20 ms, and the others fade in again. The control `latency`
 * declares the latency. Sources need not compensate for the time that their microphone is held back
 * for another one: the minimum latency of each input is 32 frames, plus the post-filter's.
 *
 * The delay d and the drift e are those of a source: its sound in the first microphone at time t is
 * in the other one at t + d, and d grows by e per second. Rates: 8 to 384 kHz.
 *
 * Method: search.c finds delay and drift together, track.c follows the delay in a closed loop,
 * drift.c estimates the drift from the phases of blocks of sound, supervise.c decides when a delay
 * is locked, weights.c sets the weights, mix.c interpolates and mixes, post.c attenuates incoherent
 * sound. Details: doc/align.md.
 */

/* After the microphones and the output. */
enum {
	ALIGN_LAG_LIMIT,   /* ms */
	ALIGN_POST_FILTER, /* 0 or 1 */
	ALIGN_WEIGHT,	   /* of enum align_weight */
	ALIGN_HOLD,	   /* 0 or 1: keep the known delays and drifts */
	ALIGN_RESET,	   /* from 0 to 1: forget them */
	ALIGN_LATENCY,	   /* frames */
	ALIGN_STATE,	   /* of enum align_state */
	ALIGN_N_CONTROLS,
};

/* Then these for each microphone but the first, then weights, then SNRs of all. */
enum {
	ALIGN_DELAY,	  /* ms; 0 while it is not known */
	ALIGN_DRIFT,	  /* ppm */
	ALIGN_LOCKED,	  /* 0 or 1 */
	ALIGN_CONFIDENCE, /* 0 to 1: how well the phases agree */
	ALIGN_POLARITY,	  /* 1 or -1 */
	ALIGN_N_OF_EACH,
};

/* From ALIGN_MIC_1 on: that microphone alone. */
enum align_weight { ALIGN_AUTO, ALIGN_AVERAGE, ALIGN_MIC_1 };

enum align_state {
	ALIGN_SEARCHING, /* no other microphone is locked */
	ALIGN_TRACKING,	 /* shown as "locked" */
	ALIGN_COASTING,	 /* locked, without sound for two seconds */
	ALIGN_ONE_MIC,	 /* fewer than two have a signal */
};

/* The fields of the report, every 100 ms; then weight1, weight2, ... and snr1, snr2, ... */
enum {
	ALIGN_REPORT_DELAY, /* seconds; this and the next four of each microphone but the first */
	ALIGN_REPORT_DRIFT, /* ppm */
	ALIGN_REPORT_LOCKED,
	ALIGN_REPORT_CONFIDENCE,
	ALIGN_REPORT_POLARITY,
	ALIGN_REPORT_STATE,
	ALIGN_REPORT_WEIGHT,
};

/* The saved state, of each microphone but the first. */
enum {
	ALIGN_SAVED_DELAY, /* seconds */
	ALIGN_SAVED_DRIFT, /* ppm */
	ALIGN_SAVED_POLARITY,
	ALIGN_N_SAVED,
};

/* Two microphones, and four. */
extern const struct weir_unit weir_align;
extern const struct weir_unit weir_align_4;

#endif
