/* SPDX-License-Identifier: MIT */
#ifndef WEIR_CAPTURE_UNIT_H
#define WEIR_CAPTURE_UNIT_H

#include "dsp/unit.h"

/*
 * The unit of the source weir.capture.<name>. It mixes the captured streams to stereo without delay
 * (mix.h maps channels to inputs; stereo passes unchanged), and measures how much sound a live
 * source lacks that is played faster than it is sent.
 *
 * A stream that is pulled at rate r but delivers sound at rate 1 lacks 1 - 1/r of its frames. Its
 * player fills the gaps with silence: samples that are exactly 0. A gap begins in the middle of a
 * sound; a pause in speech or music begins after the sound has decayed.
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
	CAPTURE_RATE,	  /* applied by rate.c */
	CAPTURE_GLIDE_MS, /* likewise */
	CAPTURE_MISSING,
	CAPTURE_N_PORTS,
};

#define CAPTURE_MIN_RATE 0.25f
#define CAPTURE_MAX_RATE 4.0f
#define CAPTURE_MAX_GLIDE_MS 10000.0f

/* The time that CAPTURE_MISSING covers, in seconds. */
#define CAPTURE_WINDOW 2

extern const struct weir_unit weir_capture;

#endif
