/* SPDX-License-Identifier: MIT */
#include "rate_step.h"

#include <math.h>

#define ACTIVE_SECONDS 2.0 /* of sound, twice */
#define MIN_RATE 15e-6
#define MAX_RATE 200e-6 /* what is more is a walk */
#define ALIKE 0.35	/* of the rate */

WEIR_REALTIME void rate_step_reset(struct rate_step *rate_step, double time, double active)
{
	*rate_step = (struct rate_step){ .time = time, .active = active };
}

WEIR_REALTIME double rate_step_detect(struct rate_step *rate_step, double time, double active)
{
	/* Sound that is heard once more is active, but no time passes meanwhile. */
	if (active - rate_step->active < ACTIVE_SECONDS || time <= rate_step->time)
		return 0.0;

	const double rate = rate_step->seconds / (time - rate_step->time), before = rate_step->rate;

	rate_step_reset(rate_step, time, active);
	rate_step->rate = rate;
	if (fabs(rate) < MIN_RATE || fabs(rate) > MAX_RATE ||
	    fabs(rate - before) > ALIKE * fabs(rate))
		return 0.0;
	rate_step->rate = 0.0;
	return rate;
}
