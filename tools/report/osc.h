/* SPDX-License-Identifier: MIT */
#ifndef WEIR_REPORT_OSC_H
#define WEIR_REPORT_OSC_H

#include <lo/lo.h>

#include "fields.h"

/*
 * Reports as OSC over UDP: a bundle per report with a message per field and channel,
 * /weir/NODE/CH/FIELD, CH from 1, or "all" for a value of all channels together.
 */

struct osc {
	lo_address address;
	lo_bundle bundle;
	char *node;
	uint32_t n_channels; /* of the node's sound */
	bool refused;	     /* a bundle was, and a message has said so */
};

/* HOST:PORT, or PORT of this computer. Ends the program with a message for any other text. */
void osc_init(struct osc *osc, const char *destination);
void osc_finish(struct osc *osc);

void osc_set_node(struct osc *osc, const char *name, uint32_t n_channels);

/* Adds to the bundle that osc_send sends. */
void osc_add_field(struct osc *osc, const struct field *field);
void osc_add_event(struct osc *osc, const char *name, float seconds);
void osc_add_lost(struct osc *osc, uint64_t lost);
void osc_send(struct osc *osc);

#endif
