/* SPDX-License-Identifier: MIT */
#include "soundfile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"

#define WAV_LIMIT_BYTES 4000000000u /* a RIFF size has 32 bits */

static void block_create(struct soundfile *sound)
{
	sound->block = calloc((size_t)WEIR_MAX_FRAMES * (size_t)sound->format.channels,
			      sizeof(sound->block[0]));
	if (!sound->block)
		fail("%s: %s", sound->path, strerror(errno));
}

void soundfile_open(struct soundfile *sound, const char *path)
{
	*sound = (struct soundfile){ .path = path };
	sound->file = sf_open(path, SFM_READ, &sound->format);
	if (!sound->file)
		fail("cannot read %s: %s It must be a sound file (wav, flac, ogg, mp3).", path,
		     sf_strerror(NULL));
	block_create(sound);
}

/* The PEAK chunk holds the time of day: equal sound would give unequal files. */
void soundfile_make(struct soundfile *sound, const char *path, uint32_t rate, uint32_t n_channels,
		    uint64_t n_frames)
{
	const uint64_t n_bytes = n_frames * n_channels * sizeof(float);

	*sound = (struct soundfile){
		.path = path,
		.format = {
			.samplerate = (int)rate,
			.channels = (int)n_channels,
			.format = SF_FORMAT_FLOAT |
				  (n_bytes < WAV_LIMIT_BYTES ? SF_FORMAT_WAV : SF_FORMAT_RF64),
		},
	};
	sound->file = sf_open(path, SFM_WRITE, &sound->format);
	if (!sound->file)
		fail("cannot write %s: %s", path, sf_strerror(NULL));
	sf_command(sound->file, SFC_SET_ADD_PEAK_CHUNK, NULL, SF_FALSE);
	block_create(sound);
}

void soundfile_read(struct soundfile *sound, uint32_t n_frames)
{
	const size_t n_channels = (size_t)sound->format.channels;
	const sf_count_t got = sf_readf_float(sound->file, sound->block, n_frames);

	if (sf_error(sound->file))
		fail("cannot read %s: %s", sound->path, sf_strerror(sound->file));
	memset(sound->block + (size_t)got * n_channels, 0,
	       (n_frames - (size_t)got) * n_channels * sizeof(sound->block[0]));
}

void soundfile_write(struct soundfile *sound, uint32_t from, uint32_t n_frames)
{
	const float *block = sound->block + (size_t)from * (size_t)sound->format.channels;

	if (sf_writef_float(sound->file, block, n_frames) != n_frames)
		fail("cannot write %s: %s", sound->path, sf_strerror(sound->file));
}

void soundfile_close(struct soundfile *sound)
{
	free(sound->block);
	if (sound->file && sf_close(sound->file))
		fail("cannot finish %s: it may be incomplete. Is the disk full?", sound->path);
	sound->file = NULL;
}
