/* SPDX-License-Identifier: MIT */
#include "known_delays.h"

#include <math.h>

#define SAME_SECONDS 150e-6 /* no figure of bench/align moves between 75 and 300 us */

WEIR_REALTIME uint32_t known_delays_find(const struct known_delays *known, double delay)
{
	for (uint32_t i = 0; i < known->n; i++)
		if (fabs(known->delay[i] - delay) < SAME_SECONDS)
			return i;
	return known->n;
}

WEIR_REALTIME void known_delays_advance(struct known_delays *known, double seconds)
{
	for (uint32_t i = 0; i < known->n; i++)
		known->delay[i] += seconds;
}

WEIR_REALTIME void known_delays_add(struct known_delays *known, double delay)
{
	const uint32_t same = known_delays_find(known, delay);

	if (same < known->n)
		memmove(known->delay + same, known->delay + same + 1,
			(--known->n - same) * sizeof(known->delay[0]));
	latest_add(known->delay, &known->n, KNOWN_DELAYS, delay);
}

WEIR_REALTIME double latest_scatter(const double *value, uint32_t n)
{
	double sum = 0.0, squares = 0.0;

	for (uint32_t i = 0; i < n; i++)
		sum += value[i] / n;
	for (uint32_t i = 0; i < n; i++)
		squares += (value[i] - sum) * (value[i] - sum) / n;
	return sqrt(squares);
}
