/* SPDX-License-Identifier: MIT */
#ifndef WEIR_REPORT_CHANNELS_H
#define WEIR_REPORT_CHANNELS_H

#include <stdint.h>

/*
 * How many of a field's values belong to each of n channels, 0: they are about all of them
 * together. A field that is known by channel has one value of each, or a spectrum of third octaves.
 * Where there is one channel, single values are its own.
 */
uint32_t channels_split(uint32_t n_values, uint32_t n_channels);

#endif
