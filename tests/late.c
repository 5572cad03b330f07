/* SPDX-License-Identifier: MIT */
/*
 * late MILLISECONDS
 *   When does this machine wake a program later than it asked for? Until it is ended, prints a
 *   line for each delay of MILLISECONDS or more: when it began and when it ended, in microseconds
 *   of the clock that bash shows as EPOCHREALTIME.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define PERIOD_US 1000

static int64_t now_us(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

int main(int argc, char **argv)
{
	const struct timespec period = { .tv_nsec = PERIOD_US * 1000 };
	const int64_t least_us = argc == 2 ? atoi(argv[1]) * INT64_C(1000) : 0;

	if (least_us <= 0) {
		fprintf(stderr, "usage: late MILLISECONDS\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (;;) {
		const int64_t asked_us = now_us(CLOCK_MONOTONIC);

		nanosleep(&period, NULL);

		const int64_t delay_us = now_us(CLOCK_MONOTONIC) - asked_us - PERIOD_US;

		if (delay_us >= least_us) {
			const int64_t end_us = now_us(CLOCK_REALTIME);

			printf("%" PRId64 " %" PRId64 "\n", end_us - delay_us, end_us);
		}
	}
}
