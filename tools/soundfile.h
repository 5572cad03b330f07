/* SPDX-License-Identifier: MIT */
#ifndef WEIR_SOUNDFILE_H
#define WEIR_SOUNDFILE_H

#include <sndfile.h>
#include <stdint.h>

#include "../dsp/unit.h"

/* A sound file that is read block by block, one channel after another. */
struct soundfile {
	const char *path;
	SNDFILE *file;
	SF_INFO format;
	float *block; /* WEIR_MAX_FRAMES interleaved frames */
};

/* These end the program with a message when a file cannot be used. */
void soundfile_open(struct soundfile *sound, const char *path);
void soundfile_make(struct soundfile *sound, const char *path, uint32_t rate, uint32_t n_channels,
		    uint64_t n_frames);
void soundfile_close(struct soundfile *sound);

/* Fills block; behind the end of the file it is silence. */
void soundfile_read(struct soundfile *sound, uint32_t n_frames);

/* Writes block from its frame `from` on. */
void soundfile_write(struct soundfile *sound, uint32_t from, uint32_t n_frames);

#endif
