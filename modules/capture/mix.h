/* SPDX-License-Identifier: MIT */
#ifndef WEIR_CAPTURE_MIX_H
#define WEIR_CAPTURE_MIX_H

#include <stdbool.h>

/*
 * How surround sound becomes the source's stereo: as in PipeWire's own mix (channelmix-ops.c).
 * Links have no gain, so the source has an input for each weight, and mixes.
 */

/*
 * Does this channel of a stream, NULL for none, go to the source's input of this name? Since 1.6
 * PipeWire mixes channels that it left out before: has_top tells whether it does.
 */
bool capture_mix_has(const char *channel, const char *input, bool has_top);

#endif
