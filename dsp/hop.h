/* SPDX-License-Identifier: MIT */
#ifndef WEIR_HOP_H
#define WEIR_HOP_H

#include <stdint.h>

#define HOP_SECONDS 0.01f

/* Frames between reports: that many seconds, rounded. */
static inline uint32_t hop_frames_of(uint32_t rate)
{
	return (rate + 50) / 100;
}

#endif
