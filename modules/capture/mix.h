/* SPDX-License-Identifier: MIT */
#ifndef WEIR_CAPTURE_MIX_H
#define WEIR_CAPTURE_MIX_H

#include <stdbool.h>

/*
 * How surround streams are mixed to the source's stereo: as in PipeWire's own mix
 * (channelmix-ops.c). Links have no gain, so the source has an input for each weight, and mixes the
 * inputs.
 */

/*
 * Does this channel of a stream go to the source's input of this name? channel NULL: the port has
 * none. has_top: as PipeWire mixes since 1.6, with channels that it left out before.
 */
bool capture_mix_has(const char *channel, const char *input, bool has_top);

#endif
