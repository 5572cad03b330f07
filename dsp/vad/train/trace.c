/* SPDX-License-Identifier: MIT */

/*
 * What the voice activity detector hears, for its training and for scoring it.
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
	const struct speech_control control = { .threshold = 0.5f };
	const uint32_t rate = argc == 3 ? (uint32_t)atoi(argv[2]) : 0;
	struct speech speech = { 0 };
	struct arena arena = { 0 };
	struct speech_found found;
	float in[MAX_HOP];

	if (rate < 8000 || rate > 384000 || !strchr("fip", argv[1][0])) {
		fputs("usage: trace features|inputs|probability RATE\n", stderr);
		return EXIT_FAILURE;
	}
	if (speech_init(&speech, rate) < 0)
		return EXIT_FAILURE;
	speech_allocate(&speech, &arena);
	arena.memory = aligned_alloc(WEIR_FFT_ALIGN, arena.size);
	arena.size = 0;
	if (!arena.memory)
		return EXIT_FAILURE;
	speech_allocate(&speech, &arena);
	speech_fill(&speech);
	speech_reset(&speech);
	while (fread(in, sizeof(float), speech.hop, stdin) == speech.hop) {
		if (isnan(in[0])) {
			speech_reset(&speech);
			continue;
		}
		speech_run(&speech, in, speech.hop);
		speech_hop(&speech, &control, &found);
		if (argv[1][0] != 'p')
			fwrite(speech.features.value, sizeof(float), SPEECH_FEATURES, stdout);
		if (argv[1][0] == 'i')
			fwrite(speech.net.state, sizeof(float), SPEECH_UNITS, stdout);
		if (argv[1][0] == 'p')
			fwrite(&found.probability, sizeof(float), 1, stdout);
	}
	speech_finish(&speech);
	free(arena.memory);
	return EXIT_SUCCESS;
}
