/* SPDX-License-Identifier: MIT */
#ifndef WEIR_PITCH_H
#define WEIR_PITCH_H

#include "../unit.h"

/*
 * Pitch: moves the pitch of a stereo sound by up to two octaves, and keeps its time.
 *
 * A change of the shift glides, with a time constant of 30 ms, and may sweep
 * through 0. The first run starts at the target. At 0 semitones the sound is the
 * input, sample for sample, once the glide has settled (half a second at most);
 * going there and back is free of clicks. Attacks stay sharp: each one restarts
 * the phases of the partials that it raises. Phase and level between the two
 * channels are kept.
 *
 * With `formant` the spectral envelope stays where it is while the pitch moves,
 * so that a voice keeps its character.
 *
 * Latency: 8 hops of about 5.33 ms, whatever the shift: 42.7 ms at 48 kHz and
 * 43.5 ms at 44.1 kHz. Declared in `latency`. Rates: 8 to 192 kHz.
 *
 * Source: phase vocoder with identity phase locking (J. Laroche, M. Dolson,
 * "Improved phase vocoder time-scale modification of audio", IEEE Trans. Speech
 * and Audio Processing 7(3), 1999), attacks after A. Roebel, "A new approach to
 * transient processing in the phase vocoder", DAFx 2003.
 */
enum {
	PITCH_IN_L,
	PITCH_IN_R,
	PITCH_OUT_L,
	PITCH_OUT_R,
	PITCH_SEMITONES, /* -24 to 24 */
	PITCH_FORMANT,	 /* 0 or 1: keep the spectral envelope */
	PITCH_LATENCY,	 /* frames */
	PITCH_N_PORTS,
};

/* The fields of the report, every 10 ms. */
enum {
	PITCH_REPORT_SEMITONES, /* in force now, on the way to the control's value */
	PITCH_REPORT_ONSET,	/* event: an attack was found */
	PITCH_N_FIELDS,
};

extern const struct weir_unit weir_pitch;

#endif
