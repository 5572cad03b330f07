/* SPDX-License-Identifier: MIT */
#ifndef WEIR_PITCH_H
#define WEIR_PITCH_H

#include "dsp/unit.h"

/*
 * Pitch: shifts the pitch of a sound by up to two octaves, and keeps its duration.
 *
 * A change of the shift glides, may sweep through 0, and never clicks. The first
 * run starts at the target. At 0 semitones, from a quarter of a second after the end
 * of the glide, the output is the delayed input, sample for sample. Attacks stay sharp:
 * each one restarts the phases of the partials that it raises. All channels are rotated
 * by the same angles, which keeps phase and level between them.
 *
 * With `formant` the spectral envelope stays in place while the pitch moves,
 * so that a voice keeps its character. The envelope is interpolated between partials: from
 * -7 to 7 semitones the first two formants of a voice of up to 150 Hz are off by 2 %
 * on average; the partials of a higher voice are too far apart for that. No 50 ms of the
 * output are more than 6 dB louder than the loudest channel of the input.
 *
 * `mode` sets the length of the windows. Longer ones resolve more partials and have
 * a longer delay. A change of the mode cross-fades once the other window is filled,
 * and `latency` then declares the new delay:
 *
 *	low-latency	8 hops of 2.67 ms	21.3 ms at 48 kHz
 *	balanced	8 hops of 5.33 ms	42.7 ms
 *	quality		8 hops of 8 ms		64 ms
 *
 * The latency is the same at every shift, and, but for the rounding of a hop to a length of fast
 * FFTs, at every rate. Rates: 8 to 384 kHz.
 *
 * Method: the input is stretched in time by r = 2^(semitones / 12) into a buffer,
 * which is read r times as fast. Region p of frame u of the spectrum X is rotated by
 *
 *	theta_u = theta_{u-1} + omega_p ((t_s(u) - t_s(u-1)) - (t_a(u) - t_a(u-1)))
 *
 * with t_a and t_s the frame's positions in the input and in the buffer, and omega_p the
 * frequency from the phases of X_u(p) and X_{u-1}(p): a phase vocoder with
 * identity phase locking (J. Laroche, M. Dolson, "Improved phase vocoder time-scale
 * modification of audio", IEEE Trans. Speech and Audio Processing 7(3), 1999). Attacks
 * follow A. Roebel, "A new approach to transient processing in the phase vocoder", DAFx
 * 2003. New are the rotation of the leakage of low partials with them (partials.c), and the
 * estimation of a voice's envelope (formant.c). In full: doc/pitch.md.
 */

#define PITCH_MAX_CHANNELS 8

/* Ports: the inputs, as many outputs, then these. */
enum {
	PITCH_SEMITONES, /* -24 to 24 */
	PITCH_FORMANT,	 /* 0 or 1: keep the spectral envelope */
	PITCH_CENTS,	 /* -100 to 100, added to semitones */
	PITCH_MIX,	 /* percent of shifted sound; the rest is the delayed input */
	PITCH_MODE,	 /* of enum pitch_mode */
	PITCH_GLIDE_MS,	 /* time to 95 % of a change of the shift */
	PITCH_LATENCY,	 /* frames */
	PITCH_N_CONTROLS,
};

enum pitch_mode {
	PITCH_LOW_LATENCY,
	PITCH_BALANCED,
	PITCH_QUALITY,
	PITCH_N_MODES,
};

/* The fields of the report, every 10 ms. */
enum {
	PITCH_REPORT_SEMITONES, /* present shift, on its way to the control's value */
	PITCH_REPORT_ONSET,	/* event: an attack was found */
	PITCH_N_FIELDS,
};

/* Stereo, mono, and eight channels: front, centre, low, rear and side, as in 7.1. */
extern const struct weir_unit weir_pitch;
extern const struct weir_unit weir_pitch_mono;
extern const struct weir_unit weir_pitch_8;

#endif
