/* SPDX-License-Identifier: MIT */
#ifndef WEIR_HEARING_H
#define WEIR_HEARING_H

#include <stdint.h>

/* How the analyze-mono unit hears a sound: with only one of its groups on. */
struct hearing {
	uint32_t rate, block; /* block: frames per run */
	const char *group;
	float smoothing_ms;
	const char *field; /* of which the first value is kept, and those behind it */
	uint32_t n_values; /* that many */
};

/*
 * Runs n frames through the unit, watched as realtime code, and returns how many reports it made.
 * value[n_values] of each follow each other, NaN for what a report does not tell.
 */
uint32_t hearing_run(const struct hearing *hearing, const float *in, uint32_t n, float *value);

#endif
