/* SPDX-License-Identifier: MIT */
#ifndef WEIR_ALIGN_LIMITS_H
#define WEIR_ALIGN_LIMITS_H

#define ALIGN_MICS 8 /* maximum; the arrays of a state have that length */

/* Maximum magnitude of delays and drifts, in either direction. */
#define ALIGN_MAX_LAG_SECONDS 1.5
#define ALIGN_MAX_DRIFT 1600e-6

#define ALIGN_FADE_SECONDS 0.02 /* of cross-fades in the output */

#endif
