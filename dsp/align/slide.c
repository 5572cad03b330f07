/* SPDX-License-Identifier: MIT */
#include "slide.h"

#include <math.h>

#define ACTIVE_SECONDS 2.0 /* of sound, twice */
#define LEAST_RATE 15e-6
#define MOST_RATE 200e-6 /* what is more is a walk */
#define ALIKE 0.35	 /* of the rate */

WEIR_REALTIME void slide_begin(struct slide *slide, double time, double active)
{
	*slide = (struct slide){ .time = time, .active = active };
}

WEIR_REALTIME double slide_take(struct slide *slide, double time, double active)
{
	/* Sound that is heard once more is active, but no time passes meanwhile. */
	if (active - slide->active < ACTIVE_SECONDS || time <= slide->time)
		return 0.0;

	const double rate = slide->seconds / (time - slide->time), before = slide->rate;

	slide_begin(slide, time, active);
	slide->rate = rate;
	if (fabs(rate) < LEAST_RATE || fabs(rate) > MOST_RATE ||
	    fabs(rate - before) > ALIKE * fabs(rate))
		return 0.0;
	slide->rate = 0.0;
	return rate;
}
