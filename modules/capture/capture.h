/* SPDX-License-Identifier: MIT */
#ifndef WEIR_CAPTURE_CAPTURE_H
#define WEIR_CAPTURE_CAPTURE_H

#include <pipewire/impl.h>

#include "args.h"

/*
 * One running capture. capture.c begins and ends it, and passes on what its parts report. A part
 * includes only what stands below it:
 *
 *   status   what is captured, or why not          rate       the rate of all streams
 *   streams  which streams there are, each of them a stream:
 *            redirect where it plays (placement, target), tap its links to the source (mix),
 *            varispeed its rate (own_rate)
 *   sink     the sink to redirect to, and whether sound gets from the source to a sink
 *            (sink_state, path)
 *   source   a node that runs the unit
 *   daemon   objects of the daemon                 journal    what to undo when killed
 *   graph    what all parts read                   args       the module's arguments (match,
 * process)
 */

/*
 * Takes what args points to, also on failure. 0 or -errno. The capture ends itself after the
 * module: its code must stay mapped (linked with -z nodelete).
 */
int capture_create(struct pw_impl_module *module, struct capture_args *args);

#endif
