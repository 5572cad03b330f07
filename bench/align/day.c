/* SPDX-License-Identifier: MIT */

/*
 * Runs the align unit on two microphones for hours of simulated sound.
 *
 * usage: day SPEECH HOURS
 *
 * SPEECH is mono, at 48 kHz. Phrases of it alternate with pauses, in every second hour at an SNR of
 * 10 dB, in the others at 20 dB; twelve minutes of each hour are noise alone. The clocks differ by
 * up to 50 ppm, which changes by up to 1 ppm a minute.
 *
 * Prints a line per hour: the share of it in which the microphone was locked; the seconds in which
 * it was locked but more than 1 ms off; the RMS and the maximum error during speech, in frames; the
 * RMS error of the drift; and the memory of the process.
 */
#include <math.h>
#include <sndfile.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dsp/align/align.h"

#define RATE 48000
#define BLOCK 480
#define RING 262144  /* frames of speech, five seconds */
#define MARGIN 96000 /* delay of microphone 1 after the speech, frames */
#define TAPS 32
#define PHASES 4096
#define REFLECTIONS 6

struct room {
	uint32_t after[REFLECTIONS];
	float gain[REFLECTIONS];
};

struct day {
	const float *speech;
	uint64_t n_speech, at, phrase_end, pause_end;
	uint64_t seed;
	float said[RING];
	struct room room[2];
	float ring[2][RING]; /* at each microphone, at the rate of the first one's clock */
	float kernel[PHASES + 1][TAPS];
};

struct hour {
	double locked, wrong, squares, most, drift_squares;
	uint32_t n, n_drift;
};

/* From -1 to 1. */
static float random_get(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (float)((double)(*seed >> 32) / 2147483648.0 - 1.0);
}

/* The drift in ppm is a sum of sines; the delay in seconds is its integral. */
static const struct {
	double ppm, hours;
} waves[] = { { 42.0, 8.0 }, { 8.0, 2.0 } };

static double drift_at(double time)
{
	double ppm = 0.0;

	for (int i = 0; i < 2; i++)
		ppm += waves[i].ppm * sin(2.0 * M_PI * time / (3600.0 * waves[i].hours));
	return ppm;
}

static double delay_at(double time)
{
	double delay = 0.1;

	for (int i = 0; i < 2; i++) {
		const double turn = 2.0 * M_PI / (3600.0 * waves[i].hours);

		delay += waves[i].ppm * 1e-6 * (1.0 - cos(turn * time)) / turn;
	}
	return delay;
}

static void kernel_fill(struct day *day)
{
	for (int p = 0; p <= PHASES; p++)
		for (int i = 0; i < TAPS; i++) {
			const double t = i - (TAPS / 2 - 1) - (double)p / PHASES;
			const double turn = 2.0 * M_PI * t / TAPS;
			const double window = 0.42 + 0.5 * cos(turn) + 0.08 * cos(2.0 * turn);

			day->kernel[p][i] =
				(float)(t == 0.0 ? 1.0 : window * sin(M_PI * t) / (M_PI * t));
		}
}

static bool is_quiet(double time)
{
	return fmod(time, 3600.0) > 2880.0;
}

/* The next frame of phrases and pauses. */
static float speak(struct day *day, uint64_t frame)
{
	if (is_quiet((double)frame / RATE))
		return 0.0f;
	if (frame >= day->pause_end) {
		const double seconds = 2.75 + 1.25 * (double)random_get(&day->seed);
		const double pause = 1.0 + 0.6 * (double)random_get(&day->seed);
		const double place = 0.5 + 0.5 * (double)random_get(&day->seed);

		day->phrase_end = frame + (uint64_t)(seconds * RATE);
		day->pause_end = day->phrase_end + (uint64_t)(pause * RATE);
		day->at = (uint64_t)(place * (double)(day->n_speech - 5 * RATE));
	}
	return frame < day->phrase_end ? day->speech[day->at++] : 0.0f;
}

static void hear(struct day *day, uint64_t frame)
{
	day->said[frame % RING] = speak(day, frame);
	for (int m = 0; m < 2; m++) {
		float sum = day->said[frame % RING];

		for (int i = 0; i < REFLECTIONS && frame >= RATE; i++)
			sum += day->room[m].gain[i] *
			       day->said[(frame - day->room[m].after[i]) % RING];
		day->ring[m][frame % RING] = sum;
	}
}

static float read_at(const struct day *day, double place)
{
	const double whole = floor(place);
	const float *kernel = day->kernel[lrint((place - whole) * PHASES)];
	const uint64_t first = (uint64_t)whole - (TAPS / 2 - 1);
	float sum = 0.0f;

	for (uint64_t i = 0; i < TAPS; i++)
		sum += kernel[i] * day->ring[1][(first + i) % RING];
	return sum;
}

/* The time at microphone 1 of what microphone 2 receives at `time`. */
static double source_time(double time)
{
	return time - delay_at(time - delay_at(time - delay_at(time)));
}

/* Microphone 1 receives at frame f the speech of frame f - MARGIN. */
static void block_fill(struct day *day, uint64_t frame, float mic[2][BLOCK])
{
	const bool is_loud = frame / RATE / 3600 % 2;
	const float noise = is_loud ? 0.02f : 0.0063f;
	const double first = source_time((double)frame / RATE) * RATE;
	const double next = source_time((double)(frame + BLOCK) / RATE) * RATE;

	for (uint32_t i = 0; i < BLOCK; i++, frame++) {
		hear(day, frame);
		mic[0][i] = noise * random_get(&day->seed);
		mic[1][i] = noise * random_get(&day->seed);
		if (frame < 2 * MARGIN)
			continue;
		mic[0][i] += day->ring[0][(frame - MARGIN) % RING];
		mic[1][i] += read_at(day, first + (next - first) * i / BLOCK - MARGIN);
	}
}

static long memory_kib(void)
{
	FILE *file = fopen("/proc/self/status", "r");
	char line[128];
	long kib = 0;

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "VmRSS: %ld", &kib) == 1)
			break;
	if (file)
		fclose(file);
	return kib;
}

static void hour_add(struct hour *hour, const struct weir_report *report, double time, bool speaks)
{
	const double error = (double)report->value[ALIGN_REPORT_DELAY] - delay_at(time);
	const double ppm = (double)report->value[ALIGN_REPORT_DRIFT] - drift_at(time);
	const double frames = fabs(error) * RATE;

	if (report->value[ALIGN_REPORT_LOCKED] != 1.0f)
		return;
	hour->locked += 0.1;
	if (fabs(error) > 1e-3)
		hour->wrong += 0.1;
	hour->drift_squares += ppm * ppm;
	hour->n_drift++;
	if (!speaks)
		return;
	hour->squares += frames * frames;
	hour->most = fmax(hour->most, frames);
	hour->n++;
}

static void hour_print(uint32_t number, const struct hour *hour)
{
	printf("%4u %8.1f %% %8.1f s %8.3f %8.2f %8.3f ppm %8ld KiB\n", number, hour->locked / 36.0,
	       hour->wrong, sqrt(hour->squares / fmax(1.0, hour->n)), hour->most,
	       sqrt(hour->drift_squares / fmax(1.0, hour->n_drift)), memory_kib());
	fflush(stdout);
}

static void hour_run(struct day *day, uint32_t number, void *state, struct weir_reports *reports)
{
	const struct weir_unit *unit = &weir_align;
	float mic[2][BLOCK], out[BLOCK], control[WEIR_MAX_PORTS], *port[WEIR_MAX_PORTS];
	struct hour hour = { 0 };

	for (uint32_t i = 0; i < unit->n_ports; i++) {
		control[i] = unit->ports[i].def;
		port[i] = &control[i];
	}
	port[0] = mic[0];
	port[1] = mic[1];
	port[2] = out;
	for (uint64_t f = 0; f < 3600ull * RATE; f += BLOCK) {
		const uint64_t frame = number * 3600ull * RATE + f;

		block_fill(day, frame, mic);
		reports->n = 0;
		weir_unit_run(unit, state, port, BLOCK, reports);
		for (uint32_t i = 0; i < reports->n; i++)
			hour_add(&hour, &reports->report[i], (double)(frame + BLOCK) / RATE,
				 frame < day->phrase_end);
	}
	hour_print(number + 1, &hour);
}

static int day_init(struct day *day, const char *path)
{
	SF_INFO format = { 0 };
	SNDFILE *file = sf_open(path, SFM_READ, &format);
	float *speech;

	if (!file || format.channels != 1 || format.samplerate != RATE ||
	    format.frames < 60 * RATE) {
		fprintf(stderr, "%s: no minute of mono sound at 48 kHz\n", path);
		return -1;
	}
	speech = calloc((size_t)format.frames, sizeof(float));
	if (!speech || sf_readf_float(file, speech, format.frames) != format.frames)
		return -1;
	sf_close(file);
	day->speech = speech;
	day->n_speech = (uint64_t)format.frames;
	day->seed = 1;
	for (int m = 0; m < 2; m++)
		for (int i = 0; i < REFLECTIONS; i++) {
			const float place = 0.5f + 0.5f * random_get(&day->seed);

			day->room[m].after[i] = 100 + (uint32_t)(place * 0.03f * RATE);
			day->room[m].gain[i] = 0.3f * random_get(&day->seed);
		}
	kernel_fill(day);
	return 0;
}

int main(int argc, char **argv)
{
	struct day *day = calloc(1, sizeof(*day));
	struct weir_reports *reports = weir_reports_create(&weir_align, RATE);
	void *state = weir_align.create(RATE);

	if (argc != 3) {
		fprintf(stderr, "usage: day SPEECH HOURS\n");
		return 2;
	}
	if (!day || !reports || !state || day_init(day, argv[1]) < 0)
		return 1;
	printf("hour     locked > 1 ms off     RMSE      max   drift RMSE       memory\n");
	for (uint32_t hour = 0; hour < strtoul(argv[2], NULL, 10); hour++)
		hour_run(day, hour, state, reports);
	weir_align.destroy(state);
	free(reports);
	free((void *)day->speech);
	free(day);
	return 0;
}
