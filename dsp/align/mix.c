/* SPDX-License-Identifier: MIT */

/*
 * The output is
 *
 *	y(n) = sum over m of a_m x_m(n - L + d_m),	a_m = s_m q_m sign(g_m) / sum of s q |g|
 *
 * with d_m the delay, q_m the weight of maximum-ratio combining, g_m the gain and s_m the share of
 * microphone m. The source has its level in the first microphone, whichever microphones take part;
 * an unaligned microphone alone has its own level. L is constant as long as all delays fit into it.
 */

#include "mix.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dsp/minmax.h"
#include "dsp/simd.h"
#include "dsp/sinc.h"

#define RISE_SECONDS 0.005	    /* of a microphone that was silent; not tuned */
#define JOIN_SECONDS 0.1	    /* a syllable; not tuned */
#define LEAVE_SECONDS 0.03	    /* faster than JOIN_SECONDS: its position is wrong */
#define WEIGHT_SECONDS 0.3	    /* a word. bench/align: 0.15 and 0.6: the same */
#define GLIDE_SECONDS 0.05	    /* of a delay; MAX_GLIDE limits it */
#define MAX_GLIDE 0.005		    /* frames per frame: 9 cents of pitch */
#define GLIDE_REACH 0.0005	    /* seconds; beyond, the microphone leaves and joins again */
#define HEADROOM_SECONDS 120.0	    /* of drift, before the latency must grow */
#define FIRST_HEADROOM_SECONDS 15.0 /* until the drift is known */
#define MAX_HEADROOM 0.02	    /* seconds */
#define SLACK 31		    /* frames by which a delay may wander: 0.65 ms at 48 kHz */

void mix_init(struct mix *mix, uint32_t rate, uint32_t n_mics, double lag_seconds)
{
	mix->rate = rate;
	mix->n_mics = n_mics;
	/* Of three microphones one may be early and one late. */
	mix->n_ring = power_of_two(
		(uint32_t)ceil((n_mics > 2 ? 2.0 : 1.0) * lag_seconds * rate + 0.1 * rate));
	mix->n_fade = (uint32_t)(ALIGN_FADE_SECONDS * rate) / MIX_CELL * MIX_CELL;
}

void mix_allocate(struct mix *mix, struct arena *arena)
{
	mix->kernel = arena_floats(arena, (SINC_PHASES + 1) * MIX_TAPS);
	for (uint32_t m = 0; m < mix->n_mics; m++) {
		mix->head[m].ring = arena_floats(arena, mix->n_ring + MIX_TAPS);
		mix->head[m].is_silent = arena_bytes(arena, mix->n_ring / MIX_CELL);
	}
}

void mix_fill(struct mix *mix)
{
	sinc_fill(mix->kernel, MIX_TAPS, SINC_PHASES, 0.985, 9.0);
}

WEIR_REALTIME void mix_reset(struct mix *mix)
{
	for (uint32_t m = 0; m < mix->n_mics; m++) {
		struct mix_head *head = &mix->head[m];

		memset(head->ring, 0, (mix->n_ring + MIX_TAPS) * sizeof(float));
		memset(head->is_silent, true, mix->n_ring / MIX_CELL);
		head->n_zeros = 0;
		head->position = head->step = 0;
		head->is_unaligned = false;
		head->gate = 0.0f;
		head->share = m == 0 ? 1.0f : 0.0f;
		head->mrc_weight = head->gain = 1.0f;
		head->weight = head->weight_goal = m == 0 ? 1.0f : 0.0f;
		head->weight_step = 0.0f;
		mix->target[m] = (struct mix_target){
			.is_aligned = m == 0,
			.mrc_weight = 1.0f,
			.gain = 1.0f,
		};
	}
	mix->n_frames = mix->n_aimed = 0;
	mix->choice = 0;
	mix->is_settled = false;
	mix->latency = mix->next_latency = MIX_MIN_LATENCY;
	mix->fade = 0;
}

static WEIR_REALTIME double latency_needed(const struct mix *mix, bool with_headroom)
{
	double needed = 0.0;

	for (uint32_t m = 1; m < mix->n_mics; m++) {
		const struct mix_target *target = &mix->target[m];
		const double seconds =
			target->is_settled ? HEADROOM_SECONDS : FIRST_HEADROOM_SECONDS;
		const double room = fmin(fmax(target->drift, 0.0) * seconds, MAX_HEADROOM);
		const double delay =
			target->delay + (with_headroom ? room * mix->rate + SLACK : 0.0);

		if (target->is_aligned && delay > needed)
			needed = delay;
	}
	return ceil(needed) + MIX_MIN_LATENCY;
}

static WEIR_REALTIME bool is_any_mixed_with_first(const struct mix *mix)
{
	for (uint32_t m = 1; m < mix->n_mics; m++)
		if (mix->head[m].share > 0.0f)
			return true;
	return false;
}

/*
 * The latency changes when a delay no longer fits into it; once when the drift is known; and when
 * it is far too long while only the first microphone takes part.
 */
WEIR_REALTIME void mix_aim(struct mix *mix)
{
	const double needed = latency_needed(mix, false), wanted = latency_needed(mix, true);
	bool is_aligned = false, is_settled = true;

	mix->n_aimed = mix->n_frames;
	for (uint32_t m = 1; m < mix->n_mics; m++) {
		is_aligned |= mix->target[m].is_aligned;
		is_settled &= mix->target[m].is_settled || !mix->target[m].is_aligned;
	}
	if (!is_aligned || mix->next_latency != mix->latency || mix->head[0].gate < 1.0f)
		return;

	const bool settles = is_settled && !mix->is_settled;
	const bool is_far = wanted + MAX_HEADROOM * mix->rate < mix->latency;

	if (needed > mix->latency || (settles && fabs(wanted - mix->latency) > SLACK) ||
	    (is_far && !is_any_mixed_with_first(mix)))
		mix->next_latency = (uint32_t)wanted;
	mix->is_settled = is_settled;
}

static WEIR_REALTIME bool is_silent_at(const struct mix_head *head, uint32_t position,
				       const struct mix *mix)
{
	return head->is_silent[(position & (mix->n_ring - 1)) / MIX_CELL];
}

/* Silence is detected before it is read: the fade-out ends before the first silent cell. */
static WEIR_REALTIME void gate_update(struct mix_head *head, const struct mix *mix)
{
	const uint32_t position = (uint32_t)(head->position >> 32);
	const float rise = MIX_CELL / (float)(RISE_SECONDS * mix->rate);
	bool is_silent = false;

	for (uint32_t ahead = 0; ahead < MIX_MIN_LATENCY; ahead += MIX_CELL)
		is_silent |= is_silent_at(head, position + ahead, mix);
	if (is_silent)
		head->gate = 0.0f;
	else
		head->gate = head->gate + rise < 1.0f ? head->gate + rise : 1.0f;
}

static WEIR_REALTIME uint64_t fixed(double frames)
{
	return (uint64_t)(int64_t)(frames * 4294967296.0);
}

/* Where microphone m is to be read for the next frame. */
static WEIR_REALTIME uint64_t position_wanted(const struct mix *mix, uint32_t m)
{
	const struct mix_target *target = &mix->target[m];
	const double since = (double)(int64_t)(mix->n_frames - mix->n_aimed) - mix->latency;

	return (mix->n_frames << 32) - fixed(mix->latency) +
	       fixed(target->delay + target->drift * since);
}

static WEIR_REALTIME void head_start(struct mix *mix, uint32_t m)
{
	struct mix_head *head = &mix->head[m];
	const bool aligned = mix->target[m].is_aligned;

	head->is_unaligned = !aligned;
	head->step = (uint64_t)1 << 32;
	head->position =
		aligned ? position_wanted(mix, m) : (mix->n_frames << 32) - fixed(MIX_MIN_LATENCY);
	head->mrc_weight = aligned ? mix->target[m].mrc_weight : 1.0f;
	head->gain = aligned ? mix->target[m].gain : 1.0f;
}

/* Follows the delay with an inaudible change of pitch. */
static WEIR_REALTIME void head_follow(struct mix *mix, uint32_t m)
{
	struct mix_head *head = &mix->head[m];
	const struct mix_target *target = &mix->target[m];
	const float share = (float)(MIX_CELL / (WEIGHT_SECONDS * mix->rate));

	if (head->is_unaligned || !target->is_aligned)
		return;

	const int64_t off = (int64_t)(position_wanted(mix, m) - head->position);
	const double glide = (double)off / 4294967296.0 / (GLIDE_SECONDS * mix->rate);

	head->step = fixed(1.0 + target->drift + fmin(fmax(glide, -MAX_GLIDE), MAX_GLIDE));
	head->mrc_weight += share * (target->mrc_weight - head->mrc_weight);
	head->gain += share * (target->gain - head->gain);
}

/* Near enough to glide there. */
static WEIR_REALTIME bool head_is_near(const struct mix *mix, uint32_t m)
{
	const int64_t off = (int64_t)(position_wanted(mix, m) - mix->head[m].position);

	return !mix->head[m].is_unaligned && llabs(off) >> 32 < (int64_t)(GLIDE_REACH * mix->rate);
}

/* The one that was chosen, unless it is silent and another one is not. */
static WEIR_REALTIME uint32_t choice_present(const struct mix *mix)
{
	if (mix->head[mix->choice].n_zeros < MIX_CELL)
		return mix->choice;
	for (uint32_t m = 0; m < mix->n_mics; m++)
		if (mix->head[m].n_zeros < MIX_CELL)
			return m;
	return mix->choice;
}

/*
 * Aligned microphones take part, or the chosen one. A microphone that is read at a wrong position
 * fades out first, and the first microphone is mixed meanwhile.
 */
static WEIR_REALTIME bool is_wanted(const struct mix *mix, uint32_t m, bool is_any_aligned)
{
	const struct mix_head *head = &mix->head[m];
	const uint32_t choice = choice_present(mix);
	const struct mix_head *chosen = &mix->head[choice];

	if (m == 0)
		return is_any_aligned || choice == 0 ||
		       (!chosen->is_unaligned && chosen->share > 0.0f);
	if (mix->target[m].is_aligned)
		return mix->next_latency == mix->latency &&
		       (head->share == 0.0f || head_is_near(mix, m));
	return !is_any_aligned && choice == m && (head->share == 0.0f || head->is_unaligned);
}

static WEIR_REALTIME void share_update(struct mix *mix, uint32_t m, bool is_any_aligned)
{
	struct mix_head *head = &mix->head[m];
	const bool wanted = is_wanted(mix, m, is_any_aligned);

	if (m > 0 && wanted && head->share == 0.0f)
		head_start(mix, m);

	const double seconds = wanted ? JOIN_SECONDS : -LEAVE_SECONDS;
	const float share = head->share + (float)(MIX_CELL / (seconds * mix->rate));

	head->share = share < 0.0f ? 0.0f : share > 1.0f ? 1.0f : share;
}

static WEIR_REALTIME void latency_move(struct mix *mix)
{
	if (mix->next_latency == mix->latency || is_any_mixed_with_first(mix))
		return;
	if (mix->fade == 0)
		mix->fade = mix->n_fade;
}

static WEIR_REALTIME void cell_begin(struct mix *mix)
{
	bool is_any_aligned = false;
	float sum = 0.0f;

	mix->head[0].position = (mix->n_frames << 32) - ((uint64_t)mix->latency << 32);
	mix->head[0].step = (uint64_t)1 << 32;
	for (uint32_t m = 1; m < mix->n_mics; m++)
		is_any_aligned |= mix->target[m].is_aligned;
	for (uint32_t m = 0; m < mix->n_mics; m++) {
		struct mix_head *head = &mix->head[m];

		share_update(mix, m, is_any_aligned);
		if (m > 0)
			head_follow(mix, m);
		gate_update(head, mix);
		sum += head->gate * head->share * head->mrc_weight * fabsf(head->gain);
	}
	for (uint32_t m = 0; m < mix->n_mics; m++) {
		struct mix_head *head = &mix->head[m];
		const float part = head->gate * head->share * head->mrc_weight;

		head->weight = head->weight_goal;
		/* When all are silent, the weights stay: short sounds and their ends are kept. */
		if (sum > 0.0f)
			head->weight_goal = copysignf(part / sum, head->gain);
		head->weight_step = (head->weight_goal - head->weight) / MIX_CELL;
	}
	latency_move(mix);
}

static WEIR_REALTIME void ring_add(struct mix_head *head, float sample, const struct mix *mix)
{
	const uint32_t at = (uint32_t)mix->n_frames & (mix->n_ring - 1);

	head->ring[at] = sample;
	if (at < MIX_TAPS)
		head->ring[at + mix->n_ring] = sample;
	head->n_zeros = sample == 0.0f ? head->n_zeros + (head->n_zeros < MIX_CELL) : 0;
	if (at % MIX_CELL == MIX_CELL - 1)
		head->is_silent[at / MIX_CELL] = head->n_zeros >= MIX_CELL;
}

static WEIR_REALTIME float head_read(struct mix_head *head, const struct mix *mix)
{
	float kernel[MIX_TAPS];
	const uint32_t mask = mix->n_ring - 1;
	const uint32_t first = ((uint32_t)(head->position >> 32) - (MIX_TAPS / 2 - 1)) & mask;
	const uint32_t fraction = (uint32_t)head->position;

	head->position += head->step;
	if (fraction == 0)
		return head->ring[first + MIX_TAPS / 2 - 1];
	sinc_kernel(mix->kernel, MIX_TAPS, fraction, kernel);
	return sinc_dot(kernel, head->ring + first, MIX_TAPS);
}

static WEIR_REALTIME float first_faded(struct mix *mix, float sample)
{
	const uint32_t mask = mix->n_ring - 1;
	const float next = mix->head[0].ring[((uint32_t)mix->n_frames - mix->next_latency) & mask];
	const float share = (float)mix->fade / (float)mix->n_fade;

	if (--mix->fade == 0)
		mix->latency = mix->next_latency;
	return next + share * (sample - next);
}

static WEIR_SIMD WEIR_REALTIME void run(struct mix *mix, const float *const in[], float *out,
					float (*aligned)[MIX_CELL], uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		float sum = 0.0f;

		for (uint32_t m = 0; m < mix->n_mics; m++)
			ring_add(&mix->head[m], in[m][i], mix);
		for (uint32_t m = 0; m < mix->n_mics; m++) {
			struct mix_head *head = &mix->head[m];
			float sample = 0.0f;

			head->weight += head->weight_step;
			if (head->share > 0.0f || head->weight != 0.0f)
				sample = head_read(head, mix);
			if (m == 0 && mix->fade > 0)
				sample = first_faded(mix, sample);
			sum += head->weight * sample;
			if (aligned)
				aligned[m][i] = sample / head->gain;
		}
		out[i] = sum;
		mix->n_frames++;
	}
}

WEIR_REALTIME void mix_run(struct mix *mix, const float *const in[], float *out,
			   float (*aligned)[MIX_CELL], uint32_t n)
{
	if (mix->n_frames % MIX_CELL == 0)
		cell_begin(mix);
	run(mix, in, out, aligned, n);
}

WEIR_REALTIME uint32_t mix_get_latency(const struct mix *mix, uint32_t m)
{
	const struct mix_head *head = &mix->head[m];
	const struct mix_target *target = &mix->target[m];
	int64_t frames = MIX_MIN_LATENCY;

	if (m == 0)
		frames = mix->latency;
	else if (head->share > 0.0f)
		frames = (int64_t)((mix->n_frames << 32) - head->position) >> 32;
	else if (target->is_aligned)
		frames = (int64_t)mix->latency - (int64_t)target->delay;
	return frames > MIX_MIN_LATENCY ? (uint32_t)frames : MIX_MIN_LATENCY;
}
