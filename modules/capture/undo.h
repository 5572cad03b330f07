/* SPDX-License-Identifier: MIT */
#ifndef WEIR_CAPTURE_UNDO_H
#define WEIR_CAPTURE_UNDO_H

#include "graph/registry.h"

/*
 * What the daemon is to undo when this process is killed: another process, weir-capture-undo,
 * notices that and does it. It lies next to the module, and is told in lines:
 *
 *   SERIAL KEY [VALUE]    at the end set KEY of this stream to VALUE; a target without: to none
 *   SERIAL                leave this stream alone
 *
 * All functions do nothing for NULL.
 */

#define CAPTURE_UNDO_TARGET "target"	       /* target.object in the metadata... */
#define CAPTURE_UNDO_TARGET_NODE "target-node" /* ...and target.node, only with it */
#define CAPTURE_UNDO_RATE "rate"	       /* in Props, as volume */
#define CAPTURE_UNDO_VOLUME "volume"

struct capture_undo;

/* remote: the daemon's name, NULL for the usual one. NULL: there is none, and a message about it.
 */
struct capture_undo *capture_undo_start(const char *name, const char *remote);
void capture_undo_finish(struct capture_undo *undo);

void capture_undo_note(struct capture_undo *undo, const struct weir_registry_object *stream,
		       const char *key, const char *value);
void capture_undo_forget(struct capture_undo *undo, const struct weir_registry_object *stream);

#endif
