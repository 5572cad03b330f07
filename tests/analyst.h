/* SPDX-License-Identifier: MIT */
#ifndef WEIR_ANALYST_H
#define WEIR_ANALYST_H

#include "dsp/unit.h"

#define ANALYST_CHANNELS 8

/* An analyze unit at work on sounds that are made for it, and all that it reports. */
struct analyst {
	const struct weir_unit *unit;
	void *state;
	uint32_t rate, n_channels, n_values;
	uint32_t block; /* frames per run */
	float gain[ANALYST_CHANNELS];
	float control[WEIR_MAX_PORTS];
	struct weir_reports *reports;

	/* What was reported; NaN: not present. */
	uint32_t n, max;
	float *values; /* [max * n_values] */
};

/* With the loudness alone on; all gains are 1. */
void analyst_init(struct analyst *analyst, const char *unit, uint32_t rate);
void analyst_finish(struct analyst *analyst);

/* As after init, but for the controls and gains. */
void analyst_begin(struct analyst *analyst);

/* A control, in or out. */
float *analyst_control(struct analyst *analyst, const char *name);

/* Plays to every channel, times its gain. */
void analyst_play(struct analyst *analyst, const float *sound, uint32_t n);

/* Plays to each channel what is its own. */
void analyst_play_each(struct analyst *analyst, const float *const sound[], uint32_t n);

/* A sine; a level of -INFINITY is silence. Its ends are faded in that time. */
void analyst_tone(struct analyst *analyst, double frequency, double level_db, double seconds,
		  double fade_seconds);

/* Of a report, 0 being the first: value i of a field. */
float analyst_value(const struct analyst *analyst, uint32_t report, const char *field, uint32_t i);

/* Of the latest. */
float analyst_last(const struct analyst *analyst, const char *field, uint32_t i);

/* Of the reports of these times. mean: of the powers, in dB. NaN without reports. */
double analyst_max(const struct analyst *analyst, const char *field, double from, double to);
double analyst_min(const struct analyst *analyst, const char *field, double from, double to);
double analyst_mean(const struct analyst *analyst, const char *field, double from, double to);

#endif
