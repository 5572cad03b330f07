/* SPDX-License-Identifier: MIT */
#ifndef WEIR_PITCH_FORMANT_H
#define WEIR_PITCH_FORMANT_H

#include <stdint.h>

#include "../fft.h"
#include "../unit.h"

#define FORMANT_STEP 4	 /* bins of the vocoder per bin of the envelope */
#define FORMANT_STAGES 4 /* one refinement of the envelope each */

struct formant {
	uint32_t n, n_bins; /* of the envelope's FFT */
	uint32_t n_vocoder; /* bins of the vocoder */
	struct weir_fft fft;
	float *lifter;	 /* weights of the cepstrum; zero above n_lifter */
	float *level;	 /* natural logarithm of the amplitude, per bin */
	float *envelope; /* the same, smooth */
	float *cepstrum;
	fftwf_complex *bins;
};

/* The last stage multiplies the rotor by what keeps the envelope at this speed of the tape. */
WEIR_REALTIME void formant_run_stage(struct formant *formant, uint32_t stage, const float *power,
				     float speed, fftwf_complex *rotor);

#endif
