/* SPDX-License-Identifier: MIT */
#ifndef WEIR_CAPTURE_CAPTURE_H
#define WEIR_CAPTURE_CAPTURE_H

#include <pipewire/impl.h>

#include "args.h"

/*
 * One running capture. capture.c decides which streams are captured, and passes on what the parts
 * tell. Each part includes what stands below it alone:
 *
 *   status   what is captured, or why not          rate       a speed for all streams
 *   stream   where each stream plays (placement), its target in the metadata, its links to the
 *            source (tap, mix), and its speed (varispeed, own_rate)
 *   sink     the sink to redirect to, and the way  source     a node that runs the unit
 *            from the source to it (path)
 *   daemon   the hook in the daemon                journal    what to undo when killed
 *   graph    what all parts read                   args       match, process
 */

/*
 * Takes what args points to, also on failure. 0 or -errno. The capture ends itself after the
 * module: its code must stay mapped (linked with -z nodelete).
 */
int capture_create(struct pw_impl_module *module, struct capture_args *args);

#endif
