/* SPDX-License-Identifier: MIT */
#include "soundfile.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "tools/cli/message.h"

#define WAV_LIMIT_BYTES 4000000000u /* a RIFF size has 32 bits */

/* A program that writes to a pipe does not know the length: sox and ffmpeg write these, or more. */
#define UNKNOWN_BYTES 0x7ffff000u
#define MAX_SAMPLE_BYTES 8u

#define MPEG_FRAME 1152 /* MP3: its length is known to that many frames */
#define LOG_BYTES 8192
#define OGG_NO_END "without an End-Of-Stream flag"

static void block_create(struct soundfile *sound)
{
	sound->block = calloc((size_t)WEIR_MAX_FRAMES * (size_t)sound->format.channels,
			      sizeof(sound->block[0]));
	if (!sound->block)
		die("%s: %s", sound->path, strerror(errno));
}

static bool is_pipe(const struct soundfile *sound)
{
	return S_ISFIFO(sound->status.st_mode) || S_ISSOCK(sound->status.st_mode);
}

int soundfile_stat(const char *path, struct stat *status)
{
	return strcmp(path, "-") == 0 ? fstat(STDIN_FILENO, status) : stat(path, status);
}

/* Some .amb files are ambisonic by their name alone. */
static bool is_named_ambisonic(const char *path)
{
	const char *suffix = strrchr(path, '.');

	return suffix && strcasecmp(suffix, ".amb") == 0;
}

/*
 * libsndfile opens these formats in a pipe as well, but reads headers as sound, reads no sound, or
 * does not report their length.
 */
static bool needs_file(int type)
{
	return type == SF_FORMAT_RF64 || type == SF_FORMAT_CAF || type == SF_FORMAT_W64;
}

void soundfile_open(struct soundfile *sound, const char *path)
{
	*sound = (struct soundfile){ .path = path };
	if (soundfile_stat(path, &sound->status) < 0 ||
	    (strcmp(path, "-") != 0 && access(path, R_OK) < 0))
		die("cannot read %s: %s", path, strerror(errno));
	if (S_ISDIR(sound->status.st_mode))
		die("cannot read %s: %s", path, strerror(EISDIR));
	sound->file = sf_open(path, SFM_READ, &sound->format);
	if (!sound->file)
		die("cannot read %s: %s Name a sound file (wav, flac, ogg, mp3)%s", path,
		    sf_strerror(NULL),
		    is_pipe(sound) ? "; from a pipe wav, aiff, au, ogg or mp3." : ".");
	if (is_pipe(sound) && needs_file(sound->format.format & SF_FORMAT_TYPEMASK))
		die("cannot read %s: RF64, CAF and W64 cannot be read from a pipe. Name the file, "
		    "or use wav, aiff, au, ogg or mp3.",
		    path);
	if (!sound->format.frames)
		die("%s is empty: its header gives a length of 0. If a recorder was killed, repair "
		    "the file: sox --ignore-length %s WHOLE.wav",
		    path, path);
	sound->origin = positions_get(sound->file, &sound->format, sound->position);
	if (is_named_ambisonic(path))
		sound->origin = POSITIONS_AMBISONIC;
	block_create(sound);
}

static bool is_for_wav(const char *path)
{
	struct stat status;

	if (strcmp(path, "-") == 0 ? fstat(STDOUT_FILENO, &status) : stat(path, &status))
		return true;
	return S_ISREG(status.st_mode);
}

/* The PEAK chunk holds the time of day: equal sound would give unequal files. */
void soundfile_make(struct soundfile *sound, const char *path, const char *file, uint32_t rate,
		    uint32_t n_channels, uint64_t n_frames)
{
	const uint64_t limit = WAV_LIMIT_BYTES / sizeof(float) / n_channels;
	const int type = !is_for_wav(file)  ? SF_FORMAT_AU
			 : n_frames > limit ? SF_FORMAT_RF64
			 : n_channels > 2   ? SF_FORMAT_WAVEX
					    : SF_FORMAT_WAV;

	*sound = (struct soundfile){
		.path = path,
		.format = {
			.samplerate = (int)rate,
			.channels = (int)n_channels,
			.format = SF_FORMAT_FLOAT | type,
		},
	};
	sound->file = sf_open(file, SFM_WRITE, &sound->format);
	if (!sound->file)
		die("cannot write %s: %s", path, sf_strerror(NULL));
	sf_command(sound->file, SFC_SET_ADD_PEAK_CHUNK, NULL, SF_FALSE);
	sf_command(sound->file, SFC_RF64_AUTO_DOWNGRADE, NULL, SF_TRUE);
	block_create(sound);
}

uint64_t soundfile_get_frames(const struct soundfile *sound)
{
	const uint64_t frames = (uint64_t)sound->format.frames;
	const uint64_t max = UNKNOWN_BYTES / MAX_SAMPLE_BYTES / (uint64_t)sound->format.channels;

	return sound->format.frames == SF_COUNT_MAX || (is_pipe(sound) && frames >= max)
		       ? UINT64_MAX
		       : frames;
}

uint32_t soundfile_read(struct soundfile *sound, uint32_t n_frames)
{
	const size_t n_channels = (size_t)sound->format.channels;
	sf_count_t got = 0;

	if (!sound->has_ended)
		got = sf_readf_float(sound->file, sound->block, n_frames);
	if (sf_error(sound->file) == SF_ERR_SYSTEM || (sf_error(sound->file) && !sound->n_read))
		die("cannot read %s: %s", sound->path, sf_strerror(sound->file));
	sound->has_ended = got < n_frames;
	sound->n_read += (uint64_t)got;
	memset(sound->block + (size_t)got * n_channels, 0,
	       (n_frames - (size_t)got) * n_channels * sizeof(sound->block[0]));
	return (uint32_t)got;
}

/* libsndfile corrects a wrong length, and reports that in its log alone. */
static double log_get_promise(const char *log)
{
	static const char *const lengths[] = { "data : ", "Data Size   : ", "SSND : ", "riff : ",
					       "Riff size : " };

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		const char *line = strstr(log, lengths[i]);
		uint64_t promised, there;

		if (line &&
		    sscanf(line + strlen(lengths[i]), "%" SCNu64 " (should be %" SCNu64 ")",
			   &promised, &there) == 2 &&
		    promised < UNKNOWN_BYTES && there < promised)
			return (double)promised / (double)(there ? there : 1);
	}
	return 1.0;
}

/*
 * libsndfile looks for the last page of an Ogg stream when it opens a file, or at the end of a
 * pipe.
 */
static bool ogg_is_cut(const struct soundfile *sound, const char *log)
{
	return is_pipe(sound) ? strstr(log, OGG_NO_END) != NULL
			      : sound->format.frames == SF_COUNT_MAX;
}

void soundfile_check_end(const struct soundfile *sound)
{
	const uint64_t frames = soundfile_get_frames(sound);
	const int type = sound->format.format & SF_FORMAT_TYPEMASK;
	const uint64_t slack = type == SF_FORMAT_MPEG ? MPEG_FRAME : 0;
	const double seconds = (double)sound->n_read / sound->format.samplerate;
	char log[LOG_BYTES] = "";
	double promised = 0.0;

	sf_command(sound->file, SFC_GET_LOG_INFO, log, sizeof(log));
	if (ogg_is_cut(sound, log))
		warn("%s is incomplete: it ends after %.2f s, without the end of the Ogg stream",
		     sound->path, seconds);
	else if (frames != UINT64_MAX && frames > sound->n_read + slack)
		promised = (double)frames / sound->format.samplerate;
	else
		promised = seconds * log_get_promise(log);
	if (promised > seconds)
		warn("%s is incomplete: it ends after %.2f s, and its header gives %.2f s",
		     sound->path, seconds, promised);
}

void soundfile_set_positions(struct soundfile *sound, const char *const position[])
{
	int map[POSITIONS_MAX];

	if (sound->format.channels > 2 && sound->format.channels <= POSITIONS_MAX &&
	    positions_map(position, sound->format.channels, map))
		sf_command(sound->file, SFC_SET_CHANNEL_MAP_INFO, map,
			   sound->format.channels * (int)sizeof(map[0]));
}

void soundfile_write(struct soundfile *sound, uint32_t from, uint32_t n_frames)
{
	const float *block = sound->block + (size_t)from * (size_t)sound->format.channels;

	if (sf_writef_float(sound->file, block, n_frames) != n_frames)
		die("cannot write %s: %s", sound->path, sf_strerror(sound->file));
}

void soundfile_close(struct soundfile *sound)
{
	free(sound->block);
	if (sound->file && sf_close(sound->file))
		die("cannot finish %s: it may be incomplete. Is the disk full?", sound->path);
	sound->file = NULL;
}
