/* SPDX-License-Identifier: MIT */
#ifndef WEIR_SPA_STATE_H
#define WEIR_SPA_STATE_H

#include <limits.h>
#include <spa/support/log.h>
#include <spa/utils/dict.h>

#include "dsp/unit.h"

/*
 * The values that a unit saves, from one start to the next, here and in a file. The file is that of
 * the node's property UNIT.state, or $XDG_STATE_HOME/weir/NODE.state; none when that property is
 * empty. It is an object with an array of numbers for each field of the unit's state; null: not
 * known. While a node has the file, it has a lock on PATH.lock: another node of that name has none.
 *
 * All of this is for the main thread, and does nothing for a unit that saves no state.
 */
struct saved_state {
	const struct weir_unit *unit;
	struct spa_log *log;
	char path[PATH_MAX]; /* "": no file */
	int lock;	     /* descriptor of PATH.lock; -1: none */

	/* In the order of the unit's state_fields; NaN: not known. */
	float values[WEIR_MAX_STATE_VALUES];
	float written[WEIR_MAX_STATE_VALUES]; /* the values in the file */
};

/* Reads the file, if there is one. */
void saved_state_init(struct saved_state *state, const struct weir_unit *unit,
		      const struct spa_dict *info, struct spa_log *log);
void saved_state_finish(struct saved_state *state);

/*
 * Writes the values if the file has others: there is always the old file or the new one, even after
 * a loss of power. A failure is logged once; then there is no file any more.
 */
void saved_state_write(struct saved_state *state);

#endif
