/* SPDX-License-Identifier: MIT */
#ifndef WEIR_REALTIME_H
#define WEIR_REALTIME_H

#include <stdbool.h>

/*
 * The allocator and the lock of the whole test program, under the test's
 * control. In builds with a sanitizer, which brings its own allocator, none of
 * this has an effect: realtime_is_watched() says so.
 */
bool realtime_is_watched(void);

/* Between the two calls, any use of the allocator or of a mutex aborts the program. */
void realtime_begin(void);
void realtime_end(void);

/* Lets n allocations pass and fails the one behind them, once; n < 0 ends that. */
void allocation_fail_after(int n);

/* Allocations that have not been freed. */
long allocation_count(void);

#endif
