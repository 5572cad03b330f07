/* SPDX-License-Identifier: MIT */
/*
 * Sound files for graph tests.
 *
 * sound ramp FILE SECONDS RATE CHANNELS [BITS]
 *   Writes a float ramp in which every sample is another multiple of 2^-23 and none is 0, so that
 *   each frame can be told in a recording, from the very first one. With BITS (24) it survives
 *   players that convert to that many. A tail of silence follows, because players may drop their
 *   last, incomplete buffer.
 * sound compare RAMP RECORDING [MISSING]
 *   Is the ramp in the recording: in order, once, with at most MISSING (0) frames missing, and
 *   nothing else but silence? A mono ramp is expected in all channels.
 * sound absent RAMP RECORDING
 *   Is no frame of the ramp in the recording?
 * sound silent FILE
 *   Is there at least one frame, and is every sample 0?
 *
 * The answer is the exit status; the figures are on standard output. Status 2 is an error.
 */
#include <math.h>
#include <sndfile.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RAMP_BITS 24
#define TAIL_FRAMES 8192

enum answer {
	ANSWER_YES,
	ANSWER_NO,
	ANSWER_ERROR,
};

struct sound {
	SF_INFO format;
	float *samples;
};

struct comparison {
	sf_count_t present;  /* ramp frames that occur at least once */
	sf_count_t repeated; /* further occurrences */
	sf_count_t backward; /* occurrences after a later ramp frame */
	sf_count_t other;    /* neither silence nor a frame of the ramp */
	sf_count_t first;    /* where in the recording the ramp begins, -1: nowhere */
	sf_count_t head;     /* frames missing before the first present one */
};

static bool sound_read(struct sound *sound, const char *path)
{
	SNDFILE *file = sf_open(path, SFM_READ, &sound->format);

	if (file == NULL) {
		fprintf(stderr, "%s: %s\n", path, sf_strerror(NULL));
		return false;
	}
	/* One more, since an empty recording is a valid one. */
	sound->samples =
		calloc((size_t)(sound->format.frames * sound->format.channels) + 1, sizeof(float));
	if (sound->samples != NULL)
		sound->format.frames = sf_readf_float(file, sound->samples, sound->format.frames);
	sf_close(file);
	return sound->samples != NULL;
}

static enum answer ramp_write(const char *path, double seconds, int rate, int channels, int bits)
{
	SF_INFO format = {
		.samplerate = rate,
		.channels = channels,
		.format = SF_FORMAT_WAV | SF_FORMAT_FLOAT,
	};
	const sf_count_t n_samples = (sf_count_t)(seconds * rate) * channels;
	const sf_count_t n_tail = (sf_count_t)TAIL_FRAMES * channels;
	float *samples = calloc((size_t)(n_samples + n_tail), sizeof(*samples));
	const float step = ldexpf(1.0f, 1 - bits);
	enum answer answer = ANSWER_ERROR;
	SNDFILE *file = NULL;
	sf_count_t i;

	if (samples == NULL || (double)n_samples * step > 1.0) {
		fprintf(stderr, "%s: more than 2^%d samples\n", path, bits - 1);
		goto done;
	}
	file = sf_open(path, SFM_WRITE, &format);
	for (i = 0; i < n_samples; i++)
		samples[i] = (float)(i + 1) * step;
	if (file != NULL && sf_write_float(file, samples, n_samples + n_tail) == n_samples + n_tail)
		answer = ANSWER_YES;
	else
		fprintf(stderr, "%s: %s\n", path, sf_strerror(file));
done:
	sf_close(file);
	free(samples);
	return answer;
}

static bool is_silent(const float *frame, int channels)
{
	int c;

	for (c = 0; c < channels; c++)
		if (frame[c] != 0.0f)
			return false;
	return true;
}

/* Which frame of the ramp this is, -1: none. */
static sf_count_t ramp_position(const struct sound *ramp, const float *frame, int channels)
{
	const int ramp_channels = ramp->format.channels;
	const sf_count_t position = lrintf(frame[0] / ramp->samples[0] - 1.0f) / ramp_channels;
	int c;

	if (position < 0 || position >= ramp->format.frames)
		return -1;
	for (c = 0; c < channels; c++) {
		const int from = ramp_channels == 1 ? 0 : c;

		if (frame[c] != ramp->samples[position * ramp_channels + from])
			return -1;
	}
	return position;
}

static struct comparison sounds_compare(const struct sound *ramp, const struct sound *recording)
{
	struct comparison result = { .first = -1, .head = ramp->format.frames };
	const int channels = recording->format.channels;
	bool *seen = calloc((size_t)ramp->format.frames + 1, sizeof(*seen));
	sf_count_t last = -1;
	sf_count_t i;

	if (seen == NULL)
		abort();
	for (i = 0; i < recording->format.frames; i++) {
		const float *frame = &recording->samples[i * channels];
		const sf_count_t position = ramp_position(ramp, frame, channels);

		if (position < 0) {
			result.other += !is_silent(frame, channels);
			continue;
		}
		if (result.first < 0) {
			result.first = i;
			result.head = position;
		}
		result.present += !seen[position];
		result.repeated += seen[position];
		result.backward += position < last;
		seen[position] = true;
		last = position;
	}
	free(seen);
	return result;
}

static enum answer ramp_compare(const char *ramp_path, const char *path, bool absent,
				sf_count_t allowed)
{
	struct sound ramp = { 0 };
	struct sound recording = { 0 };
	struct comparison result;
	enum answer answer = ANSWER_ERROR;

	if (!sound_read(&ramp, ramp_path) || !sound_read(&recording, path))
		goto done;
	if (ramp.format.frames <= TAIL_FRAMES || recording.format.frames == 0) {
		fprintf(stderr, "%s or %s: empty\n", ramp_path, path);
		goto done;
	}
	ramp.format.frames -= TAIL_FRAMES;
	if (ramp.format.channels != 1 && ramp.format.channels != recording.format.channels) {
		fprintf(stderr, "%s: other channels than %s\n", path, ramp_path);
		goto done;
	}
	result = sounds_compare(&ramp, &recording);
	printf("%lld of %lld frames present, %lld missing at the start, %lld repeated, "
	       "%lld backward, %lld other; from frame %lld of %lld\n",
	       (long long)result.present, (long long)ramp.format.frames, (long long)result.head,
	       (long long)result.repeated, (long long)result.backward, (long long)result.other,
	       (long long)result.first, (long long)recording.format.frames);
	if (absent)
		answer = result.present == 0 ? ANSWER_YES : ANSWER_NO;
	else
		answer = ramp.format.frames - result.present <= allowed && result.repeated == 0 &&
					 result.backward == 0 && result.other == 0
				 ? ANSWER_YES
				 : ANSWER_NO;
done:
	free(ramp.samples);
	free(recording.samples);
	return answer;
}

static enum answer silence_find(const char *path)
{
	struct sound sound = { 0 };
	sf_count_t loud = 0;
	sf_count_t i;

	if (!sound_read(&sound, path))
		return ANSWER_ERROR;
	for (i = 0; i < sound.format.frames; i++)
		loud += !is_silent(&sound.samples[i * sound.format.channels],
				   sound.format.channels);
	printf("%lld of %lld frames are not silent\n", (long long)loud,
	       (long long)sound.format.frames);
	free(sound.samples);
	return sound.format.frames > 0 && loud == 0 ? ANSWER_YES : ANSWER_NO;
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";

	if ((argc == 6 || argc == 7) && strcmp(verb, "ramp") == 0)
		return (int)ramp_write(argv[2], atof(argv[3]), atoi(argv[4]), atoi(argv[5]),
				       argc == 7 ? atoi(argv[6]) : RAMP_BITS);
	if ((argc == 4 || argc == 5) && strcmp(verb, "compare") == 0)
		return (int)ramp_compare(argv[2], argv[3], false, argc == 5 ? atol(argv[4]) : 0);
	if (argc == 4 && strcmp(verb, "absent") == 0)
		return (int)ramp_compare(argv[2], argv[3], true, 0);
	if (argc == 3 && strcmp(verb, "silent") == 0)
		return (int)silence_find(argv[2]);
	fprintf(stderr, "usage: see the head of tests/sound.c\n");
	return (int)ANSWER_ERROR;
}
