/* SPDX-License-Identifier: MIT */

/*
 * Runs every unit over one sound, with controls that change.
 *
 * usage: render FILE             writes what the units give, as floats
 *        render FILE same|alike  compares that with what another build of this program has written
 *
 * Prints for each unit by how much two floats differ at most, and the power of the difference, in
 * dB of the sound's. Exit status: 1 if there is a difference (same), or one above -50 dB
 * (alike: with an FFT that rounds otherwise, now and then another bin passes for a peak).
 */

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dsp/unit.h"

#define RATE 48000
#define BLOCK 256
#define N_BLOCKS (2 * RATE / BLOCK)
#define CHANGE 64 /* blocks */
#define MAX_DB -50.0

static float audio[WEIR_MAX_PORTS][BLOCK], control[WEIR_MAX_PORTS];

/* Chords that are struck four times a second, and a voice between them. Exact on any machine. */
static float sound(uint32_t frame, uint32_t channel)
{
	static const double hz[] = { 110.0, 164.8, 220.0, 277.2, 659.3, 1318.5, 3951.0 };
	const double t = (double)frame / RATE, struck = (double)(frame % 12000) / RATE;
	double x = 0.0;

	for (size_t i = 0; i < sizeof(hz) / sizeof(hz[0]); i++)
		x += 0.05 * exp(-6.0 * struck) * sin(2.0 * M_PI * hz[i] * t + channel);
	for (int k = 1; k < 20; k++)
		x += 0.05 / k * sin(2.0 * M_PI * k * (140.0 * t + 2.0 * sin(3.0 * t)));
	return ldexpf(rintf((float)ldexp(x, 20)), -20);
}

/* Made once: its sines take longer than most units. */
static float sounds[WEIR_MAX_PORTS][N_BLOCKS * BLOCK];

static void sounds_make(void)
{
	const struct weir_unit *unit;
	uint32_t n_inputs = 0;

	for (uint32_t u = 0; (unit = weir_unit_get(u)); u++)
		for (uint32_t i = 0; i < unit->n_ports; i++)
			if (unit->ports[i].type == WEIR_AUDIO_IN && i >= n_inputs)
				n_inputs = i + 1;
	for (uint32_t i = 0; i < n_inputs; i++)
		for (uint32_t f = 0; f < N_BLOCKS * BLOCK; f++)
			sounds[i][f] = sound(f, i);
}

static void controls_set(const struct weir_unit *unit, uint32_t block)
{
	const float share[] = { 0.5f, 0.6f, 0.2f, 0.9f };

	for (uint32_t i = 0; i < unit->n_ports; i++) {
		const struct weir_port *port = &unit->ports[i];
		const float range = port->max - port->min;

		if (port->type != WEIR_CONTROL_IN)
			continue;
		control[i] =
			block ? port->min + range * share[(block / CHANGE + i) % 4] : port->def;
		if (port->kind != WEIR_FLOAT)
			control[i] = rintf(control[i]);
	}
}

static void run_block(const struct weir_unit *unit, void *state, uint32_t block)
{
	float *port[WEIR_MAX_PORTS];

	controls_set(unit, block);
	for (uint32_t i = 0; i < unit->n_ports; i++) {
		const enum weir_port_type type = unit->ports[i].type;

		port[i] = type == WEIR_AUDIO_IN || type == WEIR_AUDIO_OUT ? audio[i] : &control[i];
		if (type == WEIR_AUDIO_IN)
			memcpy(audio[i], sounds[i] + block * BLOCK, sizeof(audio[i]));
	}
	weir_unit_run(unit, state, port, BLOCK, NULL);
}

static void io_fail(void)
{
	perror("render");
	exit(EXIT_FAILURE);
}

static struct {
	double most, off, all;
} difference;

static void compare(const float *x, const float *other)
{
	for (uint32_t f = 0; f < BLOCK; f++) {
		const double apart = fabs((double)x[f] - (double)other[f]);

		difference.most = fmax(difference.most, apart);
		difference.off += apart * apart;
		difference.all += (double)x[f] * (double)x[f];
	}
}

static void put(FILE *file, bool writes, const float *x)
{
	float other[BLOCK];

	if ((writes ? fwrite(x, sizeof(float), BLOCK, file)
		    : fread(other, sizeof(float), BLOCK, file)) != BLOCK)
		io_fail();
	if (!writes)
		compare(x, other);
}

static void render(const struct weir_unit *unit, FILE *file, bool writes)
{
	void *state = unit->create(RATE);

	if (!state)
		io_fail();
	for (uint32_t b = 0; b < N_BLOCKS; b++) {
		run_block(unit, state, b);
		for (uint32_t i = 0; i < unit->n_ports; i++)
			if (unit->ports[i].type == WEIR_AUDIO_OUT)
				put(file, writes, audio[i]);
	}
	unit->destroy(state);
}

int main(int argc, char *argv[])
{
	const struct weir_unit *unit;
	const bool writes = argc == 2, same = argc == 3 && strcmp(argv[2], "same") == 0;
	FILE *file = writes || argc == 3 ? fopen(argv[1], writes ? "w" : "r") : NULL;
	int status = EXIT_SUCCESS;

	if (!file)
		io_fail();
	sounds_make();
	for (uint32_t i = 0; (unit = weir_unit_get(i)); i++) {
		memset(&difference, 0, sizeof(difference));
		render(unit, file, writes);
		if (writes)
			continue;

		const double db = 10.0 * log10(difference.off / difference.all);

		printf("%s: %g, %.1f dB\n", unit->name, difference.most, db);
		if (!isfinite(difference.off) || !(difference.all > 0.0) ||
		    !(same ? difference.most == 0.0 : db <= MAX_DB))
			status = EXIT_FAILURE;
	}
	return fclose(file) ? EXIT_FAILURE : status;
}
