/* SPDX-License-Identifier: MIT */
#ifndef WEIR_MICS_H
#define WEIR_MICS_H

#include <stdbool.h>
#include <stdint.h>

#include "dsp/unit.h"

/* Microphones whose delay and drift are known exactly, and the unit that hears them. */

#define RATE 48000
#define MAX_MICS 4
#define MAX_FRAMES (8 * 384000) /* 64 seconds at 48 kHz */
#define BLOCK 480

#define LEVEL 0.1     /* of the source, rms */
#define QUIET_DB 30.0 /* source over noise, where noise is not what a test is about */
#define DELAY_MS 123.4
#define DELAY_FRAMES 5923 /* and a fifth */
#define EXACT_MS 0.02	  /* 1 frame is 0.021 ms */

extern uint32_t rate;

/* Of each microphone: the source in it, its own noise, and the sum of them. */
extern float heard[MAX_MICS][MAX_FRAMES], noise[MAX_MICS][MAX_FRAMES], mic[MAX_MICS][MAX_FRAMES];
extern float output[MAX_FRAMES];

extern const struct weir_unit *unit;
extern void *state;
extern uint32_t next_frame;

/* What sounds in microphone 1 at t sounds here at t + delay + drift * t. */
struct place {
	double delay_ms, drift_ppm, gain, snr_db;
};

struct place later(double delay_ms);

/* From -1 to 1. */
double random_get(uint64_t *seed);

/* Another source for the next microphones. */
void source_fill(uint64_t seed);

/* From one frame of the microphone to another. */
void mic_hear(uint32_t m, struct place place, uint32_t from, uint32_t to);

/* A new unit, in place of the one before. */
void unit_begin(const char *name);

/* Two microphones that hear the same, and the unit that is to find that. */
void scene_begin(struct place second, uint32_t seconds);

/* Controls. */
uint32_t port_named(const char *name);
double get(const char *name);
void set(const char *name, double value);
double choice(const char *name, const char *its_name);

/* To that frame. */
void run(uint32_t to);
void run_until_found(uint32_t to, double delay_ms);
void run_while_not_found(uint32_t to);

bool is_near(double value, double wanted, double tolerance);

#endif
