/* SPDX-License-Identifier: MIT */
#ifndef WEIR_RUN_SOUNDFILE_H
#define WEIR_RUN_SOUNDFILE_H

#include <sndfile.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "dsp/unit.h"
#include "positions.h"

/* A sound file or pipe that is read or written block by block, from its beginning on. */
struct soundfile {
	const char *path; /* "-": standard input or output */
	SNDFILE *file;
	SF_INFO format; /* its number of frames may be wrong, and is unknown for a pipe */
	struct stat status;
	enum positions_origin origin;
	const char *position[POSITIONS_MAX]; /* of its channels */
	float *block;			     /* WEIR_MAX_FRAMES interleaved frames */
	uint64_t n_read;		     /* frames */
	bool has_ended;
};

/* Of an input: as stat(). */
int soundfile_stat(const char *path, struct stat *status);

/* These end the program with a message when a file cannot be used. */
void soundfile_open(struct soundfile *sound, const char *path);

/*
 * Creates WAV in a regular file, else AU, whose header may lack the length. file: the file that is
 * written, path: its name in messages.
 */
void soundfile_make(struct soundfile *sound, const char *path, const char *file, uint32_t rate,
		    uint32_t n_channels, uint64_t n_frames);
void soundfile_close(struct soundfile *sound);

/* The channels' loudspeakers, before the first write, where they are more than two. */
void soundfile_set_positions(struct soundfile *sound, const char *const position[]);

/* The number of frames in the header; UINT64_MAX for a pipe. */
uint64_t soundfile_get_frames(const struct soundfile *sound);

/* Fills block, with silence after the end. Returns the number of frames before the end. */
uint32_t soundfile_read(struct soundfile *sound, uint32_t n_frames);

/* Warns when the file ended before the length in its header. */
void soundfile_check_end(const struct soundfile *sound);

/* Writes block from its frame `from` on. */
void soundfile_write(struct soundfile *sound, uint32_t from, uint32_t n_frames);

#endif
