/* SPDX-License-Identifier: MIT */
#ifndef WEIR_FUZZ_SOUNDS_H
#define WEIR_FUZZ_SOUNDS_H

#include <stdint.h>

#include "chance.h"

/*
 * Fills n frames of each channel with sounds that are hard on a unit: each channel with sums of
 * tones, decays, gated bursts, clicks, squares, steps, sweeps, noises and samples that are not
 * finite, or with what an earlier channel has: the same, inverted, scaled, delayed or noisier.
 */
void sounds_fill(struct chance *chance, float *const channel[], uint32_t n_channels, uint32_t n,
		 uint32_t rate);

#endif
