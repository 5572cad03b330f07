/* SPDX-License-Identifier: MIT */
#ifndef WEIR_CAPTURE_JOURNAL_H
#define WEIR_CAPTURE_JOURNAL_H

#include "graph/registry.h"

/*
 * What has to be undone when this process is killed. The journal goes line by line to another
 * process, weir-capture-undo, whose program lies next to the module. When this process ends with
 * entries left, that one carries them out:
 *
 *   SERIAL KEY [VALUE]    set KEY of this stream to VALUE; a target without VALUE: to none
 *   SERIAL                leave this stream alone
 *
 * All functions do nothing for NULL.
 */

#define CAPTURE_JOURNAL_TARGET "target"		  /* target.object in the metadata... */
#define CAPTURE_JOURNAL_TARGET_NODE "target-node" /* ...and target.node, only with it */
#define CAPTURE_JOURNAL_RATE "rate"		  /* in Props, as volume */
#define CAPTURE_JOURNAL_VOLUME "volume"

struct capture_journal;

/* name: the capture's. remote: the daemon's name, NULL for the usual one. NULL after a message. */
struct capture_journal *capture_journal_start(const char *name, const char *remote);
void capture_journal_finish(struct capture_journal *journal);

/* The change to undo, which replaces an earlier one of the key. value NULL: none. */
void capture_journal_set(struct capture_journal *journal, const struct weir_registry_object *stream,
			 const char *key, const char *value);
/* There is nothing to undo. */
void capture_journal_forget(struct capture_journal *journal,
			    const struct weir_registry_object *stream);

#endif
