/* SPDX-License-Identifier: MIT */
#ifndef WEIR_RUN_FEED_H
#define WEIR_RUN_FEED_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "dsp/unit.h"
#include "soundfile.h"

/* Where an audio input comes from. */
struct feed_source {
	const char *path; /* NULL: nothing feeds it */
	uint32_t file;	  /* index into feed.input */
	uint32_t channel;
};

/* The sound files of weir-run, and which of their channels feeds which input of the unit. */
struct feed {
	const struct weir_unit *unit;
	struct soundfile input[WEIR_MAX_PORTS];
	uint32_t n_inputs;
	struct feed_source source[WEIR_MAX_PORTS]; /* of the unit's ports */
	bool has_rears;				   /* behind other surround channels: layout 7.1 */
	uint32_t rate;
};

/* Returns n_ports when there is no such port. */
uint32_t feed_find_port(const struct weir_unit *unit, enum weir_port_type type, const char *name,
			size_t length);
uint32_t feed_count_ports(const struct weir_unit *unit, enum weir_port_type type);

/* Ends the program with a list of such ports. argument: the name is its part before "=". */
void feed_refuse_port(const struct weir_unit *unit, enum weir_port_type type, const char *what,
		      const char *argument) __attribute__((noreturn));

/* argument: PORT=FILE[:CHANNEL], as -i takes it; it must last. */
void feed_connect(struct feed *feed, char *argument);

/*
 * Feeds the inputs that nothing feeds yet: one file by the positions of its loudspeakers, several
 * files in order, channel by channel. One file alone may select another variant of the unit, with a
 * message, unless feed_connect() was called.
 */
void feed_fill(struct feed *feed, char *paths[], uint32_t n_paths);

bool feed_has_file(const struct feed *feed, const struct stat *status);

/* Of the longest input; UINT64_MAX when one is a pipe. */
uint64_t feed_get_frames(const struct feed *feed);

/* Fills audio[port] for every input; returns the number of frames before the end. */
uint32_t feed_read(struct feed *feed, float (*audio)[WEIR_MAX_FRAMES], uint32_t n_frames);

/* Warns of files that ended too early. */
void feed_close(struct feed *feed);

#endif
