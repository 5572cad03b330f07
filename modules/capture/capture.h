/* SPDX-License-Identifier: MIT */
#ifndef WEIR_CAPTURE_CAPTURE_H
#define WEIR_CAPTURE_CAPTURE_H

#include <pipewire/impl.h>

#include "args.h"

/*
 * One running capture. capture.c begins and ends it, and passes on the events of its parts. Each
 * part includes only parts of lower rows, and reports upwards by events:
 *
 *   status, rate              the state of the capture; the rate of all streams
 *   streams, stream           the captured streams
 *   redirect, tap, varispeed  of a stream: where it plays (placement), its links to the source
 *                             (mix), its rate (own_rate)
 *   target                    of a stream: its target in the metadata
 *   sink, source              where redirected streams play (sink_state, path); the node (unit)
 *   daemon, journal           objects of the daemon; changes to undo if the process is killed
 *   graph                     the connection, its registry, and the arguments (args)
 *   args, match, process      the choice of streams
 */

/*
 * Takes ownership of what args points to, also on failure. 0 or -errno. The capture ends itself
 * after the module: its code must stay mapped (linked with -z nodelete).
 */
int capture_create(struct pw_impl_module *module, struct capture_args *args);

#endif
