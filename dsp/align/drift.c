/* SPDX-License-Identifier: MIT */

/*
 * The drift of two clocks, from blocks of cross-spectra X_i, taken at times t_i with the second
 * microphone read D_i later. While the source stays in its place, all blocks have the same phases
 * of the room, which cancel in X_i X_j*: a lag remains. Every pair votes for the drifts e and the
 * changes b of the drift that explain this lag,
 *
 *	J(e, b) = sum over i > j of  w_ij g_ij(e (t_i - t_j) + b Q_ij - (D_i - D_j)),
 *	g_ij(tau) = Re sum over omega of  X_i X_j* exp(j omega tau)
 *	Q_ij = ((t_i - t)^2 - (t_j - t)^2) / 2		t: now, to which e belongs
 *
 * Blocks of sources in different places do not agree. The sum of the blocks that agree, rotated to
 * now, gives a better delay than any of them.
 */

#include "drift.h"

#include <math.h>
#include <string.h>

#include "dsp/phasor.h"
#include "dsp/simd.h"
#include "limits.h"

/*
 * Figures of bench/align, seed 0, when one is changed alone. As it is: delay RMSE 0.17 frames,
 * within a frame after 1.4 s of speech ("frame"), drift RMSE 0.07 ppm ("drift"). Scenes are in
 * quotes: "start" is within a frame after 10.4 s.
 */
#define MAX_RHO 0.98f	      /* limits rho^2 / (1 - rho^2) to 24. 0.96: drift 0.09 ppm */
#define MIN_AGREEMENT 0.12f   /* of pairs that vote. 0.06 and 0.24: the same */
#define SIMILAR_AGREEMENT 0.2 /* of blocks in the template. 0.1: the same; 0.4: "start" 13.8 s */
#define FORGET_SECONDS 16.0   /* 8: "walk" drift 0.44 ppm, not 0.10; 32: "start" 13.8 s */
#define MAX_TEMPLATE_SECONDS 25.0 /* 12: RMSE 0.16 frames; 50: drift 0.09 ppm */
#define MAX_SMEAR 37e-6		  /* seconds: 1/4 period of 7 kHz. 18 us: "office" drift 0.07 ppm */
#define MIN_BLOCKS 4		  /* 3: "far" frame 3.9 s, not 3.4 s; 8: frame 2.6 s */
#define MIN_SPAN 0.9		  /* seconds. 0.45: "start" 12.6 s; 1.8: frame 2.2 s */
#define FAR_DRIFT 350e-6     /* where the steps of the search grow. 175 and 700 ppm: the same */
#define MIN_FIT 0.97	     /* of the maximum of votes. 0.94: "start" 13.9 s; 0.985: 12.2 s */
#define FIT_PER_SHARE 0.1    /* of blocks to drop. 0.05: "start" 12.2 s; 0.2: 13.9 s */
#define MAX_DROPPED 0.5	     /* share of the blocks. 0.25: RMSE 0.16 frames, "start" 13.9 s */
#define MIN_SMEARED 5	     /* blocks, to drop smeared ones. 3 and 10: drift 0.09 and 0.08 ppm */
#define USABLE_FIT 0.8	     /* 0.6: the same; 0.9: drift 0.10 ppm */
#define DRIFT_SHARE 0.7	     /* of the step to a new result. 0.35: RMSE 0.21; 1: drift 0.12 */
#define TEMPLATE_REACH 0.001 /* seconds. 0.5 and 1.5 ms: the same */
#define MAX_TEMPLATE_LAG 200e-6 /* seconds. 100 and 400 us: the same */
#define MAX_OVER_MEAN 2.0f	/* of a bin. 1: "office" RMSE 0.17, not 0.11; 4: the same */

void drift_tables_allocate(struct drift_tables *tables, const struct cross_context *cross,
			   struct arena *arena)
{
	tables->cross = cross;
	tables->cosine = arena_floats(arena, (size_t)(DRIFT_CURVE + 1) * cross->n);
	tables->sine = arena_floats(arena, (size_t)(DRIFT_CURVE + 1) * cross->n);
}

void drift_tables_fill(struct drift_tables *tables)
{
	const struct cross_context *cross = tables->cross;
	const double angle = cross_angle(DRIFT_CURVE_STEP, cross);

	for (uint32_t p = 0; p <= DRIFT_CURVE; p++)
		for (uint32_t i = 0; i < cross->n; i++) {
			tables->cosine[p * cross->n + i] =
				(float)cos(angle * p * (cross->first + i));
			tables->sine[p * cross->n + i] = (float)sin(angle * p * (cross->first + i));
		}
}

void drift_allocate(struct drift *drift, const struct drift_tables *tables, struct arena *arena)
{
	drift->tables = tables;
	for (int i = 0; i < DRIFT_BLOCKS; i++) {
		drift->block[i].re = arena_floats(arena, tables->cross->n);
		drift->block[i].im = arena_floats(arena, tables->cross->n);
	}
	drift->curve = arena_floats(arena, DRIFT_BLOCKS * DRIFT_BLOCKS * DRIFT_CURVE_POINTS);
	cross_allocate(&drift->template, tables->cross, arena);
	cross_weighted_allocate(&drift->weighted, tables->cross, arena);
	drift->lags = arena_floats(arena, CROSS_FINE);
}

WEIR_REALTIME void drift_reset(struct drift *drift)
{
	drift->n = drift->n_added = 0;
	drift->has_solved = false;
	drift->curvature = 0.0;
	drift->stage = DRIFT_IDLE;
}

static WEIR_REALTIME float *curve_of(const struct drift *drift, uint32_t newer, uint32_t older)
{
	return drift->curve + (size_t)(newer * DRIFT_BLOCKS + older) * DRIFT_CURVE_POINTS;
}

/* Keeps the blocks that were read along nearly the same drift. */
static WEIR_REALTIME void drop_smeared(struct drift *drift, double rate)
{
	uint32_t n = 0;

	if (drift->n < MIN_SMEARED)
		return;
	for (uint32_t i = 0; i < drift->n; i++) {
		const struct drift_block *block = &drift->block[drift->order[i]];

		if (fabs(block->drift - rate) * block->seconds < MAX_SMEAR)
			drift->order[n++] = drift->order[i];
	}
	drift->n = n;
}

static WEIR_REALTIME uint32_t free_slot(struct drift *drift)
{
	bool used[DRIFT_BLOCKS] = { false };
	uint32_t slot = 0;

	if (drift->n == DRIFT_BLOCKS)
		memmove(drift->order, drift->order + 1, --drift->n * sizeof(drift->order[0]));
	for (uint32_t i = 0; i < drift->n; i++)
		used[drift->order[i]] = true;
	while (used[slot])
		slot++;
	return slot;
}

static WEIR_SIMD WEIR_REALTIME float normalize(const struct cross *cross, float *restrict re,
					       float *restrict im, uint32_t n)
{
	float weights = 0.0f;

	for (uint32_t i = 0; i < n; i++) {
		const float size =
			sqrtf(cross->re[i] * cross->re[i] + cross->im[i] * cross->im[i]) + 1e-12f;
		const float agreement = size / (0.5f * cross->weight[i] + 0.5f);
		const float rho = agreement < MAX_RHO ? agreement : MAX_RHO;
		const float weight = rho * rho / (1.0f - rho * rho);
		const float scale = sqrtf(weight) / size;

		re[i] = scale * cross->re[i];
		im[i] = scale * cross->im[i];
		weights += weight;
	}
	return weights;
}

WEIR_REALTIME void drift_add(struct drift *drift, const struct cross *cross, double time,
			     double delay, double rate, double seconds, double now)
{
	drop_smeared(drift, rate);

	const uint32_t slot = free_slot(drift);
	struct drift_block *block = &drift->block[slot];

	block->time = time;
	block->delay = delay;
	block->drift = rate;
	block->seconds = seconds;
	block->weight = (double)normalize(cross, block->re, block->im, drift->tables->cross->n);
	drift->order[drift->n++] = slot;
	drift->n_added++;
	drift->now = now;
	drift->step = 0;
	drift->stage = DRIFT_COMPARE;
	drift->estimate = (struct drift_estimate){
		.drift = rate,
		.span = now - drift->block[drift->order[0]].time,
	};
}

static WEIR_SIMD WEIR_REALTIME float multiply(const struct drift_block *a,
					      const struct drift_block *b, float *restrict re,
					      float *restrict im, uint32_t n)
{
	float size = 0.0f;

	for (uint32_t i = 0; i < n; i++) {
		re[i] = a->re[i] * b->re[i] + a->im[i] * b->im[i];
		im[i] = a->im[i] * b->re[i] - a->re[i] * b->im[i];
		size += sqrtf(re[i] * re[i] + im[i] * im[i]);
	}
	return size;
}

static WEIR_SIMD WEIR_REALTIME float dot(const float *restrict a, const float *restrict b,
					 uint32_t n)
{
	weir_lanes sum[4] = { { 0 }, { 0 }, { 0 }, { 0 } };
	uint32_t i = 0;

	for (; i + 32 <= n; i += 32)
		for (uint32_t j = 0; j < 4; j++)
			sum[j] += *(const weir_lanes *)(a + i + 8 * j) *
				  *(const weir_lanes *)(b + i + 8 * j);
	for (; i < n; i += WEIR_LANES)
		sum[0] += *(const weir_lanes *)(a + i) * *(const weir_lanes *)(b + i);
	sum[0] += sum[1] + (sum[2] + sum[3]);
	for (uint32_t j = 1; j < WEIR_LANES; j++)
		sum[0][0] += sum[0][j];
	return sum[0][0];
}

/* Computes the curve of the newest block and an older one. */
static WEIR_REALTIME bool compare_step(struct drift *drift)
{
	if (drift->step + 1 >= drift->n)
		return true;

	const struct drift_tables *tables = drift->tables;
	const uint32_t n = tables->cross->n;
	const uint32_t newer = drift->order[drift->n - 1], older = drift->order[drift->step];
	float *re = tables->cross->re, *im = tables->cross->im;
	float *curve = curve_of(drift, newer, older) + DRIFT_CURVE, max = 0.0f;

	const float size = multiply(&drift->block[newer], &drift->block[older], re, im, n) + 1e-9f;

	for (int p = 0; p <= DRIFT_CURVE; p++) {
		const float even = dot(re, tables->cosine + (size_t)p * n, n);
		const float odd = dot(im, tables->sine + (size_t)p * n, n);

		curve[p] = even - odd;
		curve[-p] = even + odd;
		max = curve[p] > max ? curve[p] : max;
		max = curve[-p] > max ? curve[-p] : max;
	}
	drift->agreement[newer][older] = max / size;
	drift->size[newer][older] = size;
	drift->step++;
	return false;
}

/* The vote of two blocks on the drift, without its weight. */
static WEIR_REALTIME struct drift_pair pair_get(const struct drift *drift, uint32_t newer,
						uint32_t older)
{
	const struct drift_block *x = &drift->block[newer], *o = &drift->block[older];
	const double age = drift->now - x->time, old_age = drift->now - o->time;

	return (struct drift_pair){
		.curve = curve_of(drift, newer, older),
		.seconds = x->time - o->time,
		.lag = x->delay - o->delay,
		.curvature = 0.5 * (age * age - old_age * old_age),
	};
}

static WEIR_REALTIME void pairs_collect(struct drift *drift)
{
	drift->vote.n_pairs = 0;
	drift->vote.max_votes = 0.0;
	for (uint32_t i = 1; i < drift->n; i++)
		for (uint32_t j = 0; j < i; j++) {
			const uint32_t newer = drift->order[i], older = drift->order[j];
			const double age = drift->now - drift->block[newer].time;
			const float agreement = drift->agreement[newer][older];
			struct drift_pair pair = pair_get(drift, newer, older);

			if (agreement < MIN_AGREEMENT || pair.seconds > DRIFT_MAX_PAIR_SECONDS)
				continue;
			pair.weight = agreement * (float)exp(-age / FORGET_SECONDS);
			drift->vote.max_votes +=
				(double)(pair.weight * agreement * drift->size[newer][older]);
			drift->vote.pairs[drift->vote.n_pairs++] = pair;
		}
}

/* Begins the vote on the drift, if there are enough blocks. */
static WEIR_REALTIME bool collect_step(struct drift *drift)
{
	const struct drift_estimate *estimate = &drift->estimate;
	const bool is_centred = drift->has_solved || fabs(estimate->drift) > FAR_DRIFT;

	pairs_collect(drift);
	drift_vote_begin(&drift->vote, is_centred ? estimate->drift : 0.0, estimate->span);
	if (drift->n >= MIN_BLOCKS && estimate->span > MIN_SPAN && drift->vote.n_pairs > 0)
		return true;
	drift->stage = DRIFT_TEMPLATE;
	return false;
}

static WEIR_REALTIME bool coarse_step(struct drift *drift)
{
	const enum drift_vote_result result = drift_vote_coarse(&drift->vote, drift->estimate.span);

	if (result == DRIFT_VOTE_FAILS)
		drift->stage = DRIFT_TEMPLATE;
	return result == DRIFT_VOTE_SUCCEEDS;
}

/* When no drift fits all blocks, the clocks have changed since the oldest ones. */
static WEIR_REALTIME void forget_misfits(struct drift *drift, double fit)
{
	const double share = fmin(fmax((MIN_FIT - fit) / FIT_PER_SHARE, 0.0), MAX_DROPPED);
	const uint32_t n = (uint32_t)(share * drift->n);

	drift->n -= n;
	memmove(drift->order, drift->order + n, drift->n * sizeof(drift->order[0]));
}

static WEIR_REALTIME void drift_take(struct drift *drift, double fit)
{
	const double share = drift->has_solved ? DRIFT_SHARE : 1.0;
	struct drift_estimate *estimate = &drift->estimate;

	forget_misfits(drift, fit);
	if (fit < USABLE_FIT)
		return;
	estimate->has_drift = drift->has_solved = true;
	estimate->drift += share * (drift->vote.best - estimate->drift);
	estimate->drift = fmin(fmax(estimate->drift, -ALIGN_MAX_DRIFT), ALIGN_MAX_DRIFT);
	drift->curvature = drift->vote.best_curvature;
}

static WEIR_REALTIME bool fine_step(struct drift *drift)
{
	const struct drift_vote *vote = &drift->vote;

	if (!drift_vote_fine(&drift->vote, drift->estimate.span, &drift->step))
		return false;
	if (vote->best_votes > 0.0)
		drift_take(drift, vote->best_votes / vote->max_votes);
	return true;
}

static WEIR_SIMD WEIR_REALTIME void template_add(struct cross *sum, const struct drift_block *block,
						 const float *turn_re, const float *turn_im,
						 float weight, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		sum->re[i] += weight * (block->re[i] * turn_re[i] + block->im[i] * turn_im[i]);
		sum->im[i] += weight * (block->im[i] * turn_re[i] - block->re[i] * turn_im[i]);
	}
}

static WEIR_REALTIME void template_begin(struct drift *drift)
{
	const struct cross_context *context = drift->tables->cross;
	const struct drift_block *newest = &drift->block[drift->order[drift->n - 1]];

	cross_clear(&drift->template, context);
	phasors_set(context->re, context->im, 0.0, context->first, context->n);
	template_add(&drift->template, newest, context->re, context->im,
		     (float)sqrt(newest->weight + 1e-9), context->n);
	drift->estimate.n_similar = 1;
}

/* Limits magnitudes to `max`. */
static WEIR_SIMD WEIR_REALTIME void
template_weigh(const struct cross *sum, struct cross_weighted *weighted, float max, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		const float size = sqrtf(sum->re[i] * sum->re[i] + sum->im[i] * sum->im[i]) + 1e-9f;
		const float weight = size > max ? max / size : 1.0f;

		weighted->re[i] = weight * sum->re[i];
		weighted->im[i] = weight * sum->im[i];
	}
}

static WEIR_REALTIME void template_look(struct drift *drift)
{
	const struct cross_context *context = drift->tables->cross;
	struct cross_weighted *weighted = &drift->weighted;

	template_weigh(&drift->template, weighted, INFINITY, context->n);
	cross_weighted_measure(weighted, context);
	template_weigh(&drift->template, weighted,
		       MAX_OVER_MEAN * weighted->sum / (float)context->n, context->n);
	cross_weighted_measure(weighted, context);
	cross_transform(weighted, drift->lags, context);

	const struct cross_peak peak = cross_find(weighted, drift->lags, TEMPLATE_REACH, context);

	drift->estimate.lag = peak.lag;
	drift->estimate.has_delay =
		drift->n_added >= MIN_BLOCKS && fabs(peak.lag) < MAX_TEMPLATE_LAG;
}

/* Adds a block that agrees with the newest one at the lag that the drift predicts. */
static WEIR_REALTIME bool template_step(struct drift *drift)
{
	const struct cross_context *context = drift->tables->cross;
	const uint32_t newer = drift->order[drift->n - 1];

	if (drift->step == 0)
		template_begin(drift);
	if (drift->step + 1 >= drift->n) {
		template_look(drift);
		return true;
	}

	const uint32_t older = drift->order[drift->step++];
	const struct drift_block *block = &drift->block[older];
	const struct drift_pair pair = pair_get(drift, newer, older);
	const double lag =
		drift->estimate.drift * pair.seconds + drift->curvature * pair.curvature - pair.lag;
	const double agreement =
		drift_curve_at(pair.curve, lag) / (double)drift->size[newer][older];

	if (pair.seconds > MAX_TEMPLATE_SECONDS || agreement <= SIMILAR_AGREEMENT)
		return false;
	phasors_set(context->re, context->im, cross_angle(lag, context), context->first,
		    context->n);
	template_add(&drift->template, block, context->re, context->im,
		     (float)(2.0 * agreement * sqrt(block->weight)), context->n);
	drift->estimate.n_similar++;
	return false;
}

/* A step returns true when its stage is done; it may set another stage than the next. */
static const struct {
	bool (*step)(struct drift *drift) WEIR_REALTIME;
	uint32_t cost;
	enum drift_stage next;
} stages[] = {
	[DRIFT_COMPARE] = { compare_step, 9, DRIFT_COLLECT },
	[DRIFT_COLLECT] = { collect_step, 7, DRIFT_COARSE },
	[DRIFT_COARSE] = { coarse_step, 7, DRIFT_FINE },
	[DRIFT_FINE] = { fine_step, 7, DRIFT_TEMPLATE },
	[DRIFT_TEMPLATE] = { template_step, 3, DRIFT_DONE },
};

WEIR_REALTIME uint32_t drift_step(struct drift *drift)
{
	const enum drift_stage stage = drift->stage;

	if (stage == DRIFT_IDLE || stage == DRIFT_DONE)
		return 0;
	if (stages[stage].step(drift))
		drift->stage = stages[stage].next;
	if (drift->stage != stage)
		drift->step = 0;
	return stages[stage].cost;
}
