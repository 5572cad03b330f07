/* SPDX-License-Identifier: MIT */
#ifndef WEIR_RUN_POSITIONS_H
#define WEIR_RUN_POSITIONS_H

#include <sndfile.h>
#include <stdbool.h>

#define POSITIONS_MAX 8

enum positions_origin {
	POSITIONS_STATED,    /* by the file, or by the order that its format prescribes */
	POSITIONS_ASSUMED,   /* in the order of WAVE files, by their number alone */
	POSITIONS_AMBISONIC, /* the channels are not those of loudspeakers */
	POSITIONS_TOO_MANY,  /* more than POSITIONS_MAX channels */
};

/*
 * The loudspeaker of each channel of an open file, by PipeWire's names: FL, FR, FC, LFE, RL, RR,
 * RC, SL, SR, FLC and so on, and MONO. Two channels are left and right, unless the file states
 * other positions. position is written for POSITIONS_STATED and POSITIONS_ASSUMED.
 */
enum positions_origin positions_get(SNDFILE *file, const SF_INFO *format,
				    const char *position[POSITIONS_MAX]);

/* Converts positions to libsndfile's map; false when one of these is no loudspeaker. */
bool positions_map(const char *const position[], int n, int *map);

#endif
