/* SPDX-License-Identifier: MIT */

/*
 * Features and probabilities of the voice activity detector, for its training and scoring.
 *
 * usage: trace features|inputs|probability RATE <mono floats >floats
 * writes, for every 10 ms, the features, these and the state of the units, or the probability:
 * train reads the first, train-beginnings the second, and the weights decide the third. "NaN"
 * among the input resets the detector and writes nothing.
 */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dsp/vad/vad.h"

#define MAX_HOP 4096

int main(int argc, char *argv[])
{
	const struct vad_control control = { .threshold = 0.5f };
	const uint32_t rate = argc == 3 ? (uint32_t)atoi(argv[2]) : 0;
	struct vad vad = { 0 };
	struct arena arena = { 0 };
	struct vad_found found;
	float in[MAX_HOP];

	if (rate < WEIR_MIN_RATE || rate > WEIR_MAX_RATE || !strchr("fip", argv[1][0])) {
		fputs("usage: trace features|inputs|probability RATE\n", stderr);
		return EXIT_FAILURE;
	}
	if (vad_init(&vad, rate) < 0)
		return EXIT_FAILURE;
	vad_allocate(&vad, &arena);
	arena.memory = aligned_alloc(WEIR_FFT_ALIGN, arena.size);
	arena.size = 0;
	if (!arena.memory)
		return EXIT_FAILURE;
	vad_allocate(&vad, &arena);
	vad_init_tables(&vad);
	vad_reset(&vad);
	while (fread(in, sizeof(float), vad.hop, stdin) == vad.hop) {
		if (isnan(in[0])) {
			vad_reset(&vad);
			continue;
		}
		vad_run(&vad, in, vad.hop);
		vad_hop(&vad, &control, &found);
		if (argv[1][0] != 'p')
			fwrite(vad.features.value, sizeof(float), VAD_FEATURES, stdout);
		if (argv[1][0] == 'i')
			fwrite(vad.net.state, sizeof(float), VAD_GRU_UNITS, stdout);
		if (argv[1][0] == 'p')
			fwrite(&found.probability, sizeof(float), 1, stdout);
	}
	vad_finish(&vad);
	free(arena.memory);
	return EXIT_SUCCESS;
}
