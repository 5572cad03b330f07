/* SPDX-License-Identifier: MIT */
#include "positions.h"

#include <stddef.h>
#include <string.h>

#define N_NAMES (SF_CHANNEL_MAP_TOP_REAR_CENTER + 1)

static const char *const names[N_NAMES] = {
	[SF_CHANNEL_MAP_MONO] = "MONO",
	[SF_CHANNEL_MAP_LEFT] = "FL",
	[SF_CHANNEL_MAP_RIGHT] = "FR",
	[SF_CHANNEL_MAP_CENTER] = "FC",
	[SF_CHANNEL_MAP_FRONT_LEFT] = "FL",
	[SF_CHANNEL_MAP_FRONT_RIGHT] = "FR",
	[SF_CHANNEL_MAP_FRONT_CENTER] = "FC",
	[SF_CHANNEL_MAP_REAR_CENTER] = "RC",
	[SF_CHANNEL_MAP_REAR_LEFT] = "RL",
	[SF_CHANNEL_MAP_REAR_RIGHT] = "RR",
	[SF_CHANNEL_MAP_LFE] = "LFE",
	[SF_CHANNEL_MAP_FRONT_LEFT_OF_CENTER] = "FLC",
	[SF_CHANNEL_MAP_FRONT_RIGHT_OF_CENTER] = "FRC",
	[SF_CHANNEL_MAP_SIDE_LEFT] = "SL",
	[SF_CHANNEL_MAP_SIDE_RIGHT] = "SR",
	[SF_CHANNEL_MAP_TOP_CENTER] = "TC",
	[SF_CHANNEL_MAP_TOP_FRONT_LEFT] = "TFL",
	[SF_CHANNEL_MAP_TOP_FRONT_RIGHT] = "TFR",
	[SF_CHANNEL_MAP_TOP_FRONT_CENTER] = "TFC",
	[SF_CHANNEL_MAP_TOP_REAR_LEFT] = "TRL",
	[SF_CHANNEL_MAP_TOP_REAR_RIGHT] = "TRR",
	[SF_CHANNEL_MAP_TOP_REAR_CENTER] = "TRC",
};

/* The default order of WAVE files, which FLAC prescribes (RFC 9639, 9.1.3). */
static const char *const wave_order[POSITIONS_MAX][POSITIONS_MAX] = {
	{ "MONO" },
	{ "FL", "FR" },
	{ "FL", "FR", "FC" },
	{ "FL", "FR", "RL", "RR" },
	{ "FL", "FR", "FC", "RL", "RR" },
	{ "FL", "FR", "FC", "LFE", "RL", "RR" },
	{ "FL", "FR", "FC", "LFE", "RC", "SL", "SR" },
	{ "FL", "FR", "FC", "LFE", "RL", "RR", "SL", "SR" },
};

/* Vorbis I specification, 4.3.9; Opus in Ogg takes it over (RFC 7845, 5.1.1.2). */
static const char *const vorbis_order[POSITIONS_MAX][POSITIONS_MAX] = {
	{ "MONO" },
	{ "FL", "FR" },
	{ "FL", "FC", "FR" },
	{ "FL", "FR", "RL", "RR" },
	{ "FL", "FC", "FR", "RL", "RR" },
	{ "FL", "FC", "FR", "RL", "RR", "LFE" },
	{ "FL", "FC", "FR", "SL", "SR", "RC", "LFE" },
	{ "FL", "FC", "FR", "SL", "SR", "RL", "RR", "LFE" },
};

static bool is_used(const char *const position[], int n, const char *name)
{
	for (int i = 0; i < n; i++)
		if (strcmp(position[i], name) == 0)
			return true;
	return false;
}

/* False for a map with unknown or repeated channels. */
static bool map_read(const int *map, int n, const char *position[])
{
	for (int c = 0; c < n; c++) {
		if (map[c] <= SF_CHANNEL_MAP_INVALID || map[c] >= N_NAMES ||
		    is_used(position, c, names[map[c]]))
			return false;
		position[c] = names[map[c]];
	}
	return true;
}

static bool map_is_ambisonic(const int *map, int n)
{
	for (int c = 0; c < n; c++)
		if (map[c] >= SF_CHANNEL_MAP_AMBISONIC_B_W && map[c] < SF_CHANNEL_MAP_MAX)
			return true;
	return false;
}

enum positions_origin positions_get(SNDFILE *file, const SF_INFO *format,
				    const char *position[POSITIONS_MAX])
{
	const int type = format->format & SF_FORMAT_TYPEMASK, n = format->channels;
	const size_t map_bytes = (size_t)n * sizeof(int);
	int map[POSITIONS_MAX] = { 0 };

	if (type == SF_FORMAT_WAVEX &&
	    sf_command(file, SFC_WAVEX_GET_AMBISONIC, NULL, 0) == SF_AMBISONIC_B_FORMAT)
		return POSITIONS_AMBISONIC;
	if (n > POSITIONS_MAX)
		return POSITIONS_TOO_MANY;
	/* libsndfile 1.2.0 returns values that it never initialized for AIFF. */
	if (type != SF_FORMAT_AIFF &&
	    sf_command(file, SFC_GET_CHANNEL_MAP_INFO, map, (int)map_bytes) == SF_TRUE) {
		if (map_is_ambisonic(map, n))
			return POSITIONS_AMBISONIC;
		if (map_read(map, n, position))
			return POSITIONS_STATED;
	}
	memcpy(position, type == SF_FORMAT_OGG ? vorbis_order[n - 1] : wave_order[n - 1],
	       (size_t)n * sizeof(position[0]));
	return n <= 2 || type == SF_FORMAT_OGG || type == SF_FORMAT_FLAC ? POSITIONS_STATED
									 : POSITIONS_ASSUMED;
}

/* Of two values of one name libsndfile writes the first. */
bool positions_map(const char *const position[], int n, int *map)
{
	for (int c = 0; c < n; c++) {
		map[c] = SF_CHANNEL_MAP_MONO;
		while (map[c] < N_NAMES && strcmp(names[map[c]], position[c]) != 0)
			map[c]++;
		if (map[c] == N_NAMES)
			return false;
	}
	return true;
}
