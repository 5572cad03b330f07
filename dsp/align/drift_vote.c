/* SPDX-License-Identifier: MIT */
#include "drift_vote.h"

#include <math.h>
#include <string.h>

#include "dsp/minmax.h"
#include "limits.h"

/*
 * Figures of bench/align, seed 0, when one is changed alone. As it is: delay RMSE 0.17 frames,
 * drift RMSE 0.07 ppm ("drift").
 */
#define FINE_POINTS 61		 /* 31: RMSE 0.14 frames; 101: 0.18; at most DRIFT_POINTS */
#define RESOLUTION_SECONDS 60e-6 /* of a pair's lag. 30 us: RMSE 0.18; 120 us: 0.15 */
#define MIN_COARSE_SPACING 3e-6	 /* 1.5 and 6 ppm: drift 0.08 and 0.06 ppm */
#define CURVATURE_DOUBT 0.0015	 /* of the votes, per ppm a minute. Twice: drift 0.06; half: 0.08 */
#define MAX_DOUBT 4.0		 /* ppm a minute. 2 and 8: the same */
#define VOTES_PER_STEP 1600	 /* the work of a step of cost 7 */
#define CURVATURE_SPAN_SECONDS 20.0 /* of blocks that show a change of drift. 10, 40: the same */
#define N_CURVATURES 25		    /* 13: the same; 49: drift 0.08 ppm */
#define MAX_CURVATURE 10.0	    /* ppm per minute. 5: the same; 20: drift 0.06 ppm */

/* Does `at` lie between two points of a curve? False for NaN. */
static WEIR_REALTIME bool is_on_curve(double at)
{
	return at >= 0.0 && at < DRIFT_CURVE_POINTS - 1;
}

/* Adds the votes of some pairs for `n` drifts around the centre. Returns true after the last. */
static WEIR_REALTIME bool pairs_vote(struct drift_vote *vote, int n, double curvature)
{
	const uint32_t end = min_u32(vote->pair + VOTES_PER_STEP / (uint32_t)n, vote->n_pairs);

	for (; vote->pair < end; vote->pair++) {
		const struct drift_pair *pair = &vote->pairs[vote->pair];
		const double lowest = vote->centre - vote->spacing * (n / 2);
		const double lag = lowest * pair->seconds + curvature * pair->curvature - pair->lag;
		const double first = lag / DRIFT_CURVE_STEP + DRIFT_CURVE;
		const double step = vote->spacing * pair->seconds / DRIFT_CURVE_STEP;

		for (int i = 0; i < n; i++) {
			const double at = first + step * i;

			if (!is_on_curve(at))
				continue;

			const float share = (float)(at - (int)at);
			const float *point = pair->curve + (int)at;

			vote->votes[i] +=
				(double)(pair->weight * (point[0] + share * (point[1] - point[0])));
		}
	}
	return end == vote->n_pairs;
}

static WEIR_REALTIME int max_voted(const struct drift_vote *vote, int n)
{
	int best = 0;

	for (int i = 1; i < n; i++)
		if (vote->votes[i] > vote->votes[best])
			best = i;
	return best;
}

static WEIR_REALTIME void votes_clear(struct drift_vote *vote)
{
	memset(vote->votes, 0, sizeof(vote->votes));
	vote->pair = 0;
}

WEIR_REALTIME void drift_vote_begin(struct drift_vote *vote, double centre, double span)
{
	/* The spacing is at most the resolution of blocks at the ends of the span. */
	const double reach =
		fmin(ALIGN_MAX_DRIFT,
		     RESOLUTION_SECONDS / fmin(span, DRIFT_MAX_PAIR_SECONDS) * (DRIFT_POINTS / 2));

	vote->centre = centre;
	vote->spacing = reach / (DRIFT_POINTS / 2);
	votes_clear(vote);
}

WEIR_REALTIME enum drift_vote_result drift_vote_coarse(struct drift_vote *vote, double span)
{
	if (!pairs_vote(vote, DRIFT_POINTS, 0.0))
		return DRIFT_VOTE_GOES_ON;

	const int best = max_voted(vote, DRIFT_POINTS);

	if (best == 0 || best == DRIFT_POINTS - 1 || vote->votes[best] <= 0.0)
		return DRIFT_VOTE_FAILS;
	vote->best_votes = 0.0;
	vote->centre += vote->spacing * (best - DRIFT_POINTS / 2);
	if (span > CURVATURE_SPAN_SECONDS)
		vote->spacing = fmax(vote->spacing, MIN_COARSE_SPACING);
	vote->spacing /= FINE_POINTS / 2;
	votes_clear(vote);
	return DRIFT_VOTE_SUCCEEDS;
}

/* The change of the drift per second; denser around 0. */
static WEIR_REALTIME double curvature_of(uint32_t index)
{
	const double x = ((double)index - N_CURVATURES / 2) / (N_CURVATURES / 2);

	return MAX_CURVATURE * x * fabs(x) * 1e-6 / 60.0;
}

WEIR_REALTIME bool drift_vote_fine(struct drift_vote *vote, double span, uint32_t *curvature)
{
	const uint32_t n = span > CURVATURE_SPAN_SECONDS ? N_CURVATURES : 1;
	const double change = n > 1 ? curvature_of(*curvature) : 0.0;

	if (!pairs_vote(vote, FINE_POINTS, change))
		return false;

	const int best = max_voted(vote, FINE_POINTS);
	const double doubt = CURVATURE_DOUBT * fmin(fabs(change) * 60e6, MAX_DOUBT);
	const double *v = vote->votes + best;

	if (best > 0 && best < FINE_POINTS - 1 && v[0] * (1.0 - doubt) > vote->best_votes) {
		const double second = v[-1] - 2.0 * v[0] + v[1];
		const double off = second < 0.0 ? 0.5 * (v[-1] - v[1]) / second : 0.0;

		vote->best_votes = v[0] * (1.0 - doubt);
		vote->best_curvature = change;
		vote->best = vote->centre + vote->spacing * (best - FINE_POINTS / 2 + off);
	}
	votes_clear(vote);
	return ++*curvature >= n;
}

WEIR_REALTIME double drift_curve_at(const float *curve, double lag)
{
	const double at = lag / DRIFT_CURVE_STEP + DRIFT_CURVE;

	if (!is_on_curve(at))
		return -1.0;

	const double share = at - (int)at;

	return (double)curve[(int)at] * (1.0 - share) + (double)curve[(int)at + 1] * share;
}
