/* SPDX-License-Identifier: MIT */
#ifndef WEIR_CAPTURE_UNIT_H
#define WEIR_CAPTURE_UNIT_H

#include "dsp/unit.h"

/*
 * What the source weir.capture.<name> does with sound: it mixes the captured streams to stereo,
 * without delay (mix.h says which channel comes in where, and stereo stays as it is), and
 * listens for a source that cannot keep up with being played faster.
 *
 * A stream that is pulled at rate r but delivers sound at rate 1 lacks 1 - 1/r of its frames. What
 * plays it puts silence there: samples that are exactly 0, starting in the middle of a sound and
 * not, like a pause in speech or music, after it died away.
 */

enum capture_port {
	CAPTURE_IN_L,
	CAPTURE_IN_R,
	CAPTURE_IN_CENTRE, /* from here in the order of 5.1, in which pw-link links nodes */
	CAPTURE_IN_LFE,
	CAPTURE_IN_SURROUND_L,
	CAPTURE_IN_SURROUND_R,
	CAPTURE_IN_REAR_CENTRE,
	CAPTURE_IN_TOP_L,
	CAPTURE_IN_TOP_R,
	CAPTURE_OUT_L,
	CAPTURE_OUT_R,
	CAPTURE_RATE,	  /* carried out by the module: see rate.c */
	CAPTURE_GLIDE_MS, /* likewise */
	CAPTURE_MISSING,
	CAPTURE_N_PORTS,
};

#define CAPTURE_MIN_RATE 0.25f
#define CAPTURE_MAX_RATE 4.0f
#define CAPTURE_MAX_GLIDE_MS 10000.0f

/* Seconds that CAPTURE_MISSING looks back. */
#define CAPTURE_WINDOW 2

extern const struct weir_unit weir_capture;

#endif
