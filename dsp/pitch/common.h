/* SPDX-License-Identifier: MIT */
#ifndef WEIR_PITCH_COMMON_H
#define WEIR_PITCH_COMMON_H

#include <stdint.h>

#include "dsp/minmax.h"
#include "dsp/simd.h"
#include "dsp/unit.h"

#define PITCH_CHANNELS 8 /* at most */

#endif
