/* SPDX-License-Identifier: MIT */
#include "places.h"

#include <math.h>

#define SAME_SECONDS 150e-6

WEIR_REALTIME uint32_t places_find(const struct places *places, double delay)
{
	for (uint32_t i = 0; i < places->n; i++)
		if (fabs(places->delay[i] - delay) < SAME_SECONDS)
			return i;
	return places->n;
}

WEIR_REALTIME void places_move(struct places *places, double seconds)
{
	for (uint32_t i = 0; i < places->n; i++)
		places->delay[i] += seconds;
}

WEIR_REALTIME void places_add(struct places *places, double delay)
{
	const uint32_t known = places_find(places, delay);

	if (known < places->n)
		memmove(places->delay + known, places->delay + known + 1,
			(--places->n - known) * sizeof(places->delay[0]));
	latest_add(places->delay, &places->n, PLACES, delay);
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
