/* SPDX-License-Identifier: MIT */
#ifndef WEIR_SPA_MEMORY_H
#define WEIR_SPA_MEMORY_H

#include <limits.h>
#include <spa/support/log.h>
#include <spa/utils/dict.h>

#include "dsp/unit.h"

/*
 * What a unit remembers from one start to the next, here and in a file. The file is that of the
 * node's property UNIT.state, or $XDG_STATE_HOME/weir/NODE.state; none when that property is empty.
 * It is an object with an array of numbers for each field of the unit's memory; null: not known.
 * While a node has the file, it has a lock on PATH.lock: another node of that name has none.
 *
 * All of this is for the main thread, and does nothing for a unit that remembers nothing.
 */
struct memory {
	const struct weir_unit *unit;
	struct spa_log *log;
	char path[PATH_MAX];		    /* "": no file */
	int lock;			    /* descriptor of PATH.lock; -1: none */
	float value[WEIR_MAX_STATE_VALUES]; /* NaN behind what the unit has */
	float saved[WEIR_MAX_STATE_VALUES];
};

/* Reads the file, if there is one. */
void memory_init(struct memory *memory, const struct weir_unit *unit, const struct spa_dict *info,
		 struct spa_log *log);
void memory_finish(struct memory *memory);

/*
 * Writes the file if something in it is another: there is always the old one or the new one, even
 * after a loss of power.
 */
void memory_save(struct memory *memory);

#endif
