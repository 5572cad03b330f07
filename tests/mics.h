/* SPDX-License-Identifier: MIT */
#ifndef WEIR_MICS_H
#define WEIR_MICS_H

#include <stdbool.h>
#include <stdint.h>

#include "dsp/unit.h"

/* Microphones whose delay and drift are known exactly, and the unit that hears them. */

#define RATE 48000
#define MAX_MICS 4
#define MAX_FRAMES (8 * WEIR_MAX_RATE) /* 64 seconds at 48 kHz */
#define BLOCK 480

#define LEVEL 0.1     /* of the source, rms */
#define QUIET_DB 30.0 /* source over noise, where noise is not what a test is about */
#define DELAY_MS 123.4
#define DELAY_FRAMES 5923 /* and a fifth */
#define EXACT_MS 0.02	  /* 1 frame is 0.021 ms */

/* What sounds in microphone 1 at t sounds here at t + delay + drift * t. */
struct place {
	double delay_ms, drift_ppm, gain, snr_db;
};

struct mics {
	uint32_t rate; /* RATE, unless a test sets it before the scene */
	float *source;

	/* Of each microphone: the source in it, its own noise, and the sum of them. */
	float heard[MAX_MICS][MAX_FRAMES], noise[MAX_MICS][MAX_FRAMES], mic[MAX_MICS][MAX_FRAMES];
	float output[MAX_FRAMES];

	const struct weir_unit *unit; /* NULL before the first */
	void *state;
	float control[WEIR_MAX_PORTS];
	uint32_t next_frame; /* to be run */
};

/* All functions check that they succeed. */
struct mics *mics_create(void);
void mics_destroy(struct mics *mics);

struct place later(double delay_ms);

/* From -1 to 1. */
double random_get(uint64_t *seed);

bool is_near(double value, double wanted, double tolerance);

/* Makes another source for the next microphones. */
void mics_source(struct mics *mics, uint64_t seed);

/* What microphone m gets of the source, from one of its frames to another. */
void mics_record(struct mics *mics, uint32_t m, struct place place, uint32_t from, uint32_t to);

/* Replaces the unit by a new one. */
void mics_unit(struct mics *mics, const char *name);

/* Two microphones that get the same source, and a unit to align them. */
void mics_scene(struct mics *mics, struct place second, uint32_t seconds);

/* Controls, by name; a choice's value by its name. */
uint32_t mics_port(const struct mics *mics, const char *name);
double mics_get(const struct mics *mics, const char *name);
void mics_set(struct mics *mics, const char *name, double value);
double mics_choice(const struct mics *mics, const char *name, const char *its_name);

/* Runs the unit to that frame. */
void mics_run(struct mics *mics, uint32_t to);
void mics_run_until_found(struct mics *mics, uint32_t to, double delay_ms);
void mics_run_while_not_found(struct mics *mics, uint32_t to);

#endif
