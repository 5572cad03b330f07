/* SPDX-License-Identifier: MIT */
/*
 * late
 *   How late does this machine wake a program that asked to be woken? Watches until it gets
 *   SIGTERM, and prints the longest delay in whole milliseconds.
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#define PERIOD_NS 1000000

static volatile sig_atomic_t is_over;

static void end(int signal_number)
{
	(void)signal_number;
	is_over = 1;
}

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

int main(void)
{
	const struct timespec period = { .tv_nsec = PERIOD_NS };
	int64_t longest_ns = 0;

	signal(SIGTERM, end);
	while (!is_over) {
		const int64_t start_ns = now_ns();

		nanosleep(&period, NULL);

		const int64_t delay_ns = now_ns() - start_ns - PERIOD_NS;

		if (delay_ns > longest_ns)
			longest_ns = delay_ns;
	}
	printf("%d\n", (int)(longest_ns / 1000000));
	return 0;
}
