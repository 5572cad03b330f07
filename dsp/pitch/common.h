/* SPDX-License-Identifier: MIT */
#ifndef WEIR_PITCH_COMMON_H
#define WEIR_PITCH_COMMON_H

#include <stdint.h>

#include "../scalar.h"
#include "../simd.h"
#include "../unit.h"

#define PITCH_CHANNELS 8 /* at most */

#endif
