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
 * sound tones FILE CHANNELS HZ STEP
 *   Writes 2 s of a tone in each channel, the first at HZ and each next one STEP higher, at
 *   48 kHz. HZ and STEP are multiples of 10. The tail follows.
 * sound mix RECORDING OTHER TONES HZ STEP
 *   Are the tones as loud in the one as in the other, within 0.5 dB, on both sides? Or in neither:
 *   at least 60 dB below the tone as it was written. The first tone must be there.
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
#define TONES_RATE 48000
#define TONES_SECONDS 2
#define WINDOW_FRAMES (TONES_RATE / 10)
#define TONE_AMPLITUDE 0.05
#define MAX_DB 0.5
#define ABSENT_DB -60.0

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

static enum answer tones_write(const char *path, int channels, double hz, double step)
{
	SF_INFO format = {
		.samplerate = TONES_RATE,
		.channels = channels,
		.format = SF_FORMAT_WAV | SF_FORMAT_FLOAT,
	};
	const sf_count_t n_tones = (sf_count_t)TONES_SECONDS * TONES_RATE;
	const sf_count_t n_frames = n_tones + TAIL_FRAMES;
	float *samples = calloc((size_t)(n_frames * channels), sizeof(*samples));
	SNDFILE *file = sf_open(path, SFM_WRITE, &format);
	enum answer answer = ANSWER_ERROR;
	sf_count_t i;

	for (i = 0; samples != NULL && i < n_tones * channels; i++) {
		const double cycles =
			(hz + step * (double)(i % channels)) * (double)(i / channels) / TONES_RATE;

		samples[i] = (float)(TONE_AMPLITUDE * sin(2.0 * M_PI * cycles));
	}
	if (samples != NULL && file != NULL && sf_writef_float(file, samples, n_frames) == n_frames)
		answer = ANSWER_YES;
	if (file != NULL)
		sf_close(file);
	free(samples);
	return answer;
}

/* In dB of the tone as it was written. */
static double window_level(const struct sound *sound, sf_count_t first, int channel, double hz)
{
	double re = 0.0, im = 0.0;
	sf_count_t i;

	for (i = first; i < first + WINDOW_FRAMES; i++) {
		const double sample = sound->samples[i * sound->format.channels + channel];
		const double phase = 2.0 * M_PI * hz * (double)i / TONES_RATE;

		re += sample * cos(phase);
		im += sample * sin(phase);
	}
	return 20.0 * log10(hypot(re, im) / (TONE_AMPLITUDE * WINDOW_FRAMES / 2.0) + 1e-9);
}

static bool window_is_silent(const struct sound *sound, sf_count_t first)
{
	sf_count_t i;

	for (i = first; i < first + WINDOW_FRAMES; i++) {
		if (!is_silent(&sound->samples[i * sound->format.channels], sound->format.channels))
			return false;
	}
	return true;
}

static int by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The median of all windows with sound: of what a late machine loses only a few know. */
static double tone_level(const struct sound *sound, int channel, double hz)
{
	double levels[2 * TONES_SECONDS * TONES_RATE / WINDOW_FRAMES];
	const int max = (int)(sizeof(levels) / sizeof(levels[0]));
	sf_count_t first;
	int n = 0;

	for (first = 0; first + WINDOW_FRAMES <= sound->format.frames && n < max;
	     first += WINDOW_FRAMES) {
		if (!window_is_silent(sound, first))
			levels[n++] = window_level(sound, first, channel, hz);
	}
	qsort(levels, (size_t)n, sizeof(levels[0]), by_value);
	return n > 0 ? levels[n / 2] : -INFINITY;
}

static enum answer mix_compare(const char *path, const char *other_path, int tones, double hz,
			       double step)
{
	struct sound sound = { 0 }, other = { 0 };
	enum answer answer = ANSWER_ERROR;
	int i;

	if (sound_read(&sound, path) && sound_read(&other, other_path))
		answer = ANSWER_YES;
	for (i = 0; answer != ANSWER_ERROR && i < 2 * tones; i++) {
		const double at = hz + i / 2 * step;
		const double db = tone_level(&sound, i % 2, at);
		const double other_db = tone_level(&other, i % 2, at);

		printf("tone %d %s: %.2f dB, other %.2f dB\n", i / 2, i % 2 ? "right" : "left", db,
		       other_db);
		if (fmax(db, other_db) >= ABSENT_DB && fabs(db - other_db) > MAX_DB)
			answer = ANSWER_NO;
		if (i == 0 && other_db < ABSENT_DB)
			answer = ANSWER_NO;
	}
	free(sound.samples);
	free(other.samples);
	return answer;
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
	if (argc == 6 && strcmp(verb, "tones") == 0)
		return (int)tones_write(argv[2], atoi(argv[3]), atof(argv[4]), atof(argv[5]));
	if (argc == 7 && strcmp(verb, "mix") == 0)
		return (int)mix_compare(argv[2], argv[3], atoi(argv[4]), atof(argv[5]),
					atof(argv[6]));
	fprintf(stderr, "usage: see the head of tests/sound.c\n");
	return (int)ANSWER_ERROR;
}
