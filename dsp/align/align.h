/* SPDX-License-Identifier: MIT */
#ifndef WEIR_ALIGN_H
#define WEIR_ALIGN_H

#include "dsp/unit.h"

/*
 * Align: microphones that hear the same source become one better microphone.
 *
 * Nothing need be known of them: not how much later one is than the other, to 1.5 s, nor how fast
 * its clock runs, to 1500 ppm, nor how loud it is or which way round. The first microphone is the
 * reference; each other one is found by what both hear, followed for as long as that is heard, and
 * read where the same sound is. Their sum has the level of the first one. Weights follow the noise
 * of each (maximum ratio). What is not aligned is not added: until a microphone is found, while it
 * is silent, and after it came back with another delay, the others are heard, or the better one.
 *
 * Silence is coasted through: the delay goes on by the drift that is known. A source that walks is
 * followed; the places of up to four talkers are remembered. A microphone that gives nothing but
 * zeros is left out within a sixth of a millisecond, before the silence would be heard.
 *
 * What is remembered is believed sooner than what is new: a microphone that is where it was is
 * found and locked in about two thirds of the time. What is found elsewhere is new in all.
 *
 * Latency: what the latest microphone is later than the first one, and 64 frames; more while a
 * drift makes that grow, to 20 ms, so that the latency need not change often. When it does, the
 * others leave, microphone 1 fades over within 20 ms, and they join again. The control `latency`
 * declares it. Sources need not know what their microphone waits for another one: the least
 * latency of each is 32 frames, and the post-filter's.
 *
 * The delay d and the drift e are those of a source: what is in the first microphone at its time t
 * is in the other one at t + d, and d grows by e per second. Rates: 8 to 384 kHz.
 *
 * Method: search.c finds delay and drift together, track.c follows the delay in a closed loop,
 * drift.c tells the drift from the phases of seconds of sound, pair.c judges all of that, weights.c
 * weighs, mix.c reads and adds, post.c attenuates what is not shared. All of it: doc/align.md.
 */

/* After the microphones and the output. */
enum {
	ALIGN_LAG_LIMIT,   /* ms */
	ALIGN_POST_FILTER, /* 0 or 1 */
	ALIGN_WEIGHT,	   /* of enum align_weight */
	ALIGN_HOLD,	   /* 0 or 1: go on with the delays and drifts that are known */
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
	ALIGN_SEARCHING, /* no other microphone is found yet, or again */
	ALIGN_TRACKING,	 /* shown as "locked" */
	ALIGN_COASTING,	 /* found, but nothing has been heard for two seconds */
	ALIGN_ONE_MIC,	 /* fewer than two have sound */
};

/* The fields of the report, every 100 ms; then weight1, weight2, ... and snr1, snr2, ... */
enum {
	ALIGN_REPORT_DELAY, /* seconds, and the next four: of each microphone but the first */
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
