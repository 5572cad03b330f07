/* SPDX-License-Identifier: MIT */

/*
 * True envelope (A. Roebel, X. Rodet, "Efficient spectral envelope estimation and
 * its application to pitch shifting and envelope preservation", DAFx 2005): the log
 * amplitude is smoothed by cutting its cepstrum, and raised again and again to what
 * stood above the result,
 *
 *	E_0 = smooth(A),  E_i = smooth(max(A, E_{i-1}))
 *
 * Bin k sounds at speed * k, so its gain is exp(E(speed * k) - E(k)). The envelope is
 * found on every FORMANT_STEP-th bin: the loudest of the bins around it counts.
 */

#include "formant.h"

#include <math.h>

#define RANGE 1e-9f    /* power, below the loudest bin, that counts as nothing */
#define LEAST 1e-12f   /* power of what counts as loudest in silence */
#define MOST_GAIN 3.5f /* natural logarithm: 30 dB */
#define LEAST_GAIN (-7.0f)

static WEIR_REALTIME void find_level(struct formant *formant, const float *power)
{
	float loudest = LEAST;

	for (uint32_t k = 0; k < formant->n_bins; k++) {
		const uint32_t centre = k * FORMANT_STEP;
		const uint32_t from = centre < FORMANT_STEP / 2 ? 0 : centre - FORMANT_STEP / 2;
		float most = 0.0f;

		for (uint32_t i = from; i < from + FORMANT_STEP && i < formant->n_vocoder; i++)
			most = power[i] > most ? power[i] : most;
		formant->level[k] = most;
		loudest = most > loudest ? most : loudest;
	}
	for (uint32_t k = 0; k < formant->n_bins; k++) {
		formant->level[k] = 0.5f * logf(formant->level[k] + RANGE * loudest);
		formant->envelope[k] = formant->level[k];
	}
}

static WEIR_REALTIME void smooth_envelope(struct formant *formant)
{
	for (uint32_t k = 0; k < formant->n_bins; k++) {
		const float level = formant->level[k], envelope = formant->envelope[k];

		formant->bins[k][0] = level > envelope ? level : envelope;
		formant->bins[k][1] = 0.0f;
	}
	weir_fft_inverse(&formant->fft, formant->bins, formant->cepstrum);
	for (uint32_t i = 0; i < formant->n; i++)
		formant->cepstrum[i] *= formant->lifter[i];
	weir_fft_forward(&formant->fft, formant->cepstrum, formant->bins);
	for (uint32_t k = 0; k < formant->n_bins; k++)
		formant->envelope[k] = formant->bins[k][0];
}

/* Writes over level, which the envelope has made superfluous. */
static WEIR_REALTIME void find_gain(struct formant *formant, float speed)
{
	const uint32_t last = formant->n_bins - 1;

	for (uint32_t k = 0; k <= last; k++) {
		const float at = (float)k * speed;
		const uint32_t below = at < (float)last ? (uint32_t)at : last - 1;
		const float share = at < (float)last ? at - (float)below : 1.0f;
		const float *e = formant->envelope + below;
		const float gain = e[0] + share * (e[1] - e[0]) - formant->envelope[k];

		formant->level[k] = expf(fminf(fmaxf(gain, LEAST_GAIN), MOST_GAIN));
	}
}

WEIR_REALTIME void formant_run_stage(struct formant *formant, uint32_t stage, const float *power,
				     float speed, fftwf_complex *rotor)
{
	if (stage == 0)
		find_level(formant, power);
	smooth_envelope(formant);
	if (stage < FORMANT_STAGES - 1)
		return;

	find_gain(formant, speed);
	for (uint32_t k = 0; k + 1 < formant->n_vocoder; k++) {
		const float *g = formant->level + k / FORMANT_STEP;
		const float share = (float)(k % FORMANT_STEP) / FORMANT_STEP;
		const float gain = g[0] + share * (g[1] - g[0]);

		rotor[k][0] *= gain;
		rotor[k][1] *= gain;
	}
}
