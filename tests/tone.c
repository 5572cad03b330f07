/* SPDX-License-Identifier: MIT */
/*
 * tone RECORDING HZ MAX_HZ [MAX_BEND]
 *   Is the recording one tone without gap or click, that ends at HZ? It may have been up to MAX_HZ
 *   on the way: no two samples may be further apart than in a tone of MAX_HZ, and no three more
 * bent than MAX_BEND (1) times as much. The edges of the tone, and silence before and after it, do
 * not count.
 *
 * The answer is the exit status; the figures are on standard output. Status 2 is an error.
 */
#include <math.h>
#include <sndfile.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define EDGE_SECONDS 0.005
#define END_SECONDS 0.5
#define MAX_CENT 0.5
/* A volume that is moving adds little to the steps, rounding little to the bends. */
#define STEP_MARGIN 1.02
#define BEND_MARGIN 1.1

struct tone {
	double *samples; /* of the first channel */
	sf_count_t first, last;
	double rate;
};

struct shape {
	double peak, step, bend;
	sf_count_t step_at, bend_at;
};

static bool tone_read(struct tone *tone, const char *path)
{
	SF_INFO format = { 0 };
	SNDFILE *file = sf_open(path, SFM_READ, &format);
	double *frames;

	if (file == NULL) {
		fprintf(stderr, "%s: %s\n", path, sf_strerror(NULL));
		return false;
	}
	frames = calloc((size_t)(format.frames * format.channels) + 1, sizeof(*frames));
	if (frames == NULL)
		exit(2);
	format.frames = sf_readf_double(file, frames, format.frames);
	sf_close(file);
	for (sf_count_t i = 0; i < format.frames; i++)
		frames[i] = frames[i * format.channels];
	*tone = (struct tone){
		.samples = frames,
		.last = format.frames - 1,
		.rate = format.samplerate,
	};
	while (tone->first < tone->last && frames[tone->first] == 0.0)
		tone->first++;
	while (tone->last > tone->first && frames[tone->last] == 0.0)
		tone->last--;
	tone->first += (sf_count_t)(EDGE_SECONDS * tone->rate);
	tone->last -= (sf_count_t)(EDGE_SECONDS * tone->rate);
	return true;
}

static struct shape tone_shape(const struct tone *tone)
{
	const double *x = tone->samples;
	struct shape shape = { 0 };

	for (sf_count_t i = tone->first + 1; i < tone->last; i++) {
		const double step = fabs(x[i] - x[i - 1]);
		const double bend = fabs(x[i + 1] - 2 * x[i] + x[i - 1]);

		shape.peak = fmax(shape.peak, fabs(x[i]));
		if (step > shape.step) {
			shape.step = step;
			shape.step_at = i;
		}
		if (bend > shape.bend) {
			shape.bend = bend;
			shape.bend_at = i;
		}
	}
	return shape;
}

/* From the first to the last time that the signal rises through 0. */
static double tone_frequency(const struct tone *tone)
{
	const double *x = tone->samples;
	double first = -1.0, last = -1.0;
	int n = -1;

	for (sf_count_t i = tone->last - (sf_count_t)(END_SECONDS * tone->rate); i < tone->last;
	     i++) {
		if (i < 1 || x[i - 1] >= 0.0 || x[i] < 0.0)
			continue;
		last = (double)i - x[i] / (x[i] - x[i - 1]);
		if (n++ < 0)
			first = last;
	}
	return n > 0 ? tone->rate * n / (last - first) : 0.0;
}

int main(int argc, char *argv[])
{
	const double pi = acos(-1.0);
	struct tone tone;
	struct shape shape;
	double hz, cent, step, bend, max_bend;
	bool sounds;

	if (argc < 4 || argc > 5) {
		fprintf(stderr, "usage: tone RECORDING HZ MAX_HZ [MAX_BEND]\n");
		return 2;
	}
	if (!tone_read(&tone, argv[1]))
		return 2;
	max_bend = (argc > 4 ? atof(argv[4]) : 1.0) * BEND_MARGIN;
	sounds = tone.last - tone.first > (sf_count_t)(END_SECONDS * tone.rate);
	shape = tone_shape(&tone);
	hz = tone_frequency(&tone);
	cent = 1200.0 * log2(hz / atof(argv[2]));
	step = shape.step / (shape.peak * 2.0 * sin(pi * atof(argv[3]) / tone.rate));
	bend = shape.bend / (shape.peak * pow(2.0 * sin(pi * atof(argv[3]) / tone.rate), 2.0));
	printf("%.2f s, %.3f Hz at the end (%+.2f cent), largest step %.3f at %.3f s, bend %.3f at "
	       "%.3f s of those at %s Hz\n",
	       (double)(tone.last - tone.first) / tone.rate, hz, cent, step,
	       (double)(shape.step_at - tone.first) / tone.rate, bend,
	       (double)(shape.bend_at - tone.first) / tone.rate, argv[3]);
	free(tone.samples);
	return sounds && fabs(cent) <= MAX_CENT && step <= STEP_MARGIN && bend <= max_bend ? 0 : 1;
}
