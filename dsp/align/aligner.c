/* SPDX-License-Identifier: MIT */

/*
 * The analysis runs in ticks. In each tick, every microphone but the first runs steps of a fixed
 * total cost. Steps whose input would be overwritten first run first.
 */

#include "aligner.h"

#include <math.h>

#include "align.h"
#include "dsp/minmax.h"

#define TICK_COST 5	     /* and one more for each TICK_PARTS of the lags */
#define TICK_PARTS 8	     /* 8 blocks of lags, 0.5 s at 16 kHz */
#define SETTLED_DRIFT 4e-6   /* standard deviation: 0.5 ms in HEADROOM_SECONDS of mix.c */
#define COASTING_SECONDS 2.0 /* longer than a breath between phrases */
#define MIN_LOUD 60	     /* windows of the front end: a second of speech */
#define BETTER_DB 3.0f	     /* of SNR that make another microphone the better one; not tuned */
#define NO_SHARE 0.1f	     /* share of the worse one in both weights: 0.46 dB of SNR at most */
#define FULL_SHARE 0.3f	     /* share from which the worse one counts in full: 1.5 dB at most */
#define MAX_RATIO 9.0	     /* natural logarithm of a power ratio: 39 dB; not tuned */

WEIR_REALTIME void align_reset(void *state)
{
	struct align *align = state;

	for (uint32_t m = 0; m < align->n_mics; m++)
		front_end_reset(&align->front[m]);
	for (uint32_t m = 1; m < align->n_mics; m++) {
		pair_reset(&align->pair[m]);
		align->left[m] = 0;
	}
	mix_reset(&align->mix);
	post_reset(&align->post);
	align->filters = false;
	align->filter_share = 0.0f;
	align->tick_frame = 0;
	align->was_reset = false;
	align->report_frames = (uint32_t)(ALIGN_REPORT_SECONDS * align->rate);
}

WEIR_REALTIME void align_save_state(const void *state, float *saved)
{
	const struct align *align = state;
	const uint32_t n_pairs = align->n_mics - 1;

	for (uint32_t m = 0; m < n_pairs; m++) {
		const struct pair_prior latest = align->pair[m + 1].latest;
		const bool is_known = latest.source != PAIR_NO_PRIOR;
		float *value = saved + m;

		value[ALIGN_SAVED_DELAY * n_pairs] = is_known ? (float)latest.delay : NAN;
		value[ALIGN_SAVED_DRIFT * n_pairs] = is_known ? (float)(latest.drift * 1e6) : NAN;
		value[ALIGN_SAVED_POLARITY * n_pairs] = is_known ? latest.polarity : NAN;
	}
}

WEIR_REALTIME void align_restore_state(void *state, const float *saved)
{
	struct align *align = state;
	const uint32_t n_pairs = align->n_mics - 1;

	for (uint32_t m = 0; m < n_pairs; m++) {
		const float *value = saved + m;
		const float delay = value[ALIGN_SAVED_DELAY * n_pairs];
		const float drift = value[ALIGN_SAVED_DRIFT * n_pairs];
		const float polarity = value[ALIGN_SAVED_POLARITY * n_pairs];

		/* False for NaN. */
		if (fabsf(delay) <= (float)ALIGN_MAX_LAG_SECONDS &&
		    fabsf(drift) <= (float)(ALIGN_MAX_DRIFT * 1e6) && fabsf(polarity) == 1.0f)
			pair_set_prior(&align->pair[m + 1], (double)delay, (double)drift * 1e-6,
				       polarity);
	}
}

static WEIR_REALTIME float trust(float share)
{
	return min_f32(max_f32((share - NO_SHARE) / (FULL_SHARE - NO_SHARE), 0.01f), 1.0f);
}

/*
 * A far microphone picks up more reverberation than noise, and the noise of a bad one is not
 * measured well: the worse of two microphones improves the mix by less than the noise ratio
 * predicts. Below NO_SHARE its weight is a hundredth.
 */
static WEIR_REALTIME float mrc_weight_limit(float mrc_weight, float gain)
{
	const float share = mrc_weight * gain / (1.0f + mrc_weight * gain);

	return mrc_weight * trust(share) / trust(1.0f - share);
}

static WEIR_REALTIME void target_set(struct align *align, uint32_t m, enum align_weight weight)
{
	const struct pair *pair = &align->pair[m];
	const struct weights *weights = &pair->weights;
	const struct loop *loop = &pair->track.loop;
	struct mix_target *target = &align->mix.target[m];

	target->is_aligned = supervisor_holds(&pair->supervisor) && weight <= ALIGN_AVERAGE;
	if (!target->is_aligned)
		return;
	target->delay = loop_delay(&pair->track.loop, pair->time) * align->rate;
	target->drift = loop->kalman.drift;
	target->is_settled = loop->kalman.drift_variance < SETTLED_DRIFT * SETTLED_DRIFT;

	const double speech = fmin(fmax(weights->speech_ratio, -MAX_RATIO), MAX_RATIO);
	const double noise = fmin(fmax(weights->noise_ratio, -MAX_RATIO), MAX_RATIO);
	const float gain = (float)exp(0.5 * speech);

	target->gain = loop->polarity * gain;
	target->mrc_weight = weight == ALIGN_AVERAGE
				     ? 1.0f / gain
				     : mrc_weight_limit(gain / (float)exp(noise), gain);
}

static WEIR_REALTIME uint32_t choice_get(const struct align *align, enum align_weight weight)
{
	uint32_t choice = align->mix.choice;

	if (weight >= ALIGN_MIC_1)
		return weight - ALIGN_MIC_1;
	for (uint32_t m = 0; m < align->n_mics; m++)
		if (align->front[m].n_loud > MIN_LOUD && align->front[choice].n_loud > MIN_LOUD &&
		    align->front[m].snr_db > align->front[choice].snr_db + BETTER_DB)
			choice = m;
	return choice;
}

static WEIR_REALTIME float best_snr(const struct align *align)
{
	float best = align->front[0].snr_db;

	for (uint32_t m = 1; m < align->n_mics; m++)
		if (align->front[m].snr_db > best)
			best = align->front[m].snr_db;
	return best;
}

static WEIR_REALTIME void reset_look(struct align *align, bool reset)
{
	if (reset && !align->was_reset)
		for (uint32_t m = 1; m < align->n_mics; m++)
			pair_forget(&align->pair[m]);
	align->was_reset = reset;
}

static WEIR_REALTIME uint32_t step(struct align *align, uint32_t m, bool holds)
{
	struct front_end *first = &align->front[0], *front = &align->front[m];
	uint32_t cost = m == 1 ? front_end_step(first) : 0;

	if (cost == 0)
		cost = front_end_step(front);
	if (cost == 0 && !holds)
		cost = pair_step(&align->pair[m], first, front);
	return cost;
}

/* Cost beyond that of a tick is taken from the next ticks. */
static WEIR_REALTIME void work(struct align *align, bool holds)
{
	for (uint32_t m = 1; m < align->n_mics; m++) {
		int32_t *left = &align->left[m];

		*left += TICK_COST + (int32_t)(align->pair[m].search.n_parts / TICK_PARTS);
		while (*left > 0) {
			const uint32_t cost = step(align, m, holds);

			if (cost == 0)
				*left = 0;
			*left -= (int32_t)cost;
		}
	}
}

static WEIR_REALTIME void tick(struct align *align, float *const control[])
{
	const enum align_weight weight = (enum align_weight) * control[ALIGN_WEIGHT];
	const double lag = (double)*control[ALIGN_LAG_LIMIT] / 1000.0;
	const bool holds = *control[ALIGN_HOLD] > 0.0f;

	reset_look(align, *control[ALIGN_RESET] > 0.0f);
	work(align, holds);
	if (align->filters)
		post_step(&align->post, best_snr(align));
	for (uint32_t m = 1; m < align->n_mics; m++) {
		struct pair *pair = &align->pair[m];

		pair_limit(pair, lag);
		pair_judge(pair, &align->front[0], &align->front[m], holds);
		target_set(align, m, weight);
	}
	align->mix.choice = choice_get(align, weight);
	mix_aim(&align->mix);
}

static WEIR_REALTIME enum align_state state_get(const struct align *align)
{
	uint32_t n_present = !front_end_is_gone(&align->front[0]);
	bool is_locked = false, is_coasting = true;

	for (uint32_t m = 1; m < align->n_mics; m++) {
		const struct pair *pair = &align->pair[m];
		const bool locked = supervisor_is_locked(&pair->supervisor);

		n_present += !front_end_is_gone(&align->front[m]);
		is_locked |= locked;
		is_coasting &= !locked || pair_pause(pair) > COASTING_SECONDS;
	}
	if (n_present < 2)
		return ALIGN_ONE_MIC;
	if (!is_locked)
		return ALIGN_SEARCHING;
	return is_coasting ? ALIGN_COASTING : ALIGN_TRACKING;
}

/* In the order of ALIGN_DELAY and so on; the delay in seconds, NaN while it is unknown. */
static WEIR_REALTIME void of_each_get(const struct pair *pair, float value[ALIGN_N_OF_EACH])
{
	const struct loop *loop = &pair->track.loop;
	const bool known = supervisor_is_tracking(&pair->supervisor);
	const bool is_locked = supervisor_is_locked(&pair->supervisor);

	value[ALIGN_DELAY] = known ? (float)loop_delay(loop, pair->time) : NAN;
	value[ALIGN_DRIFT] = known ? (float)(loop->kalman.drift * 1e6) : NAN;
	value[ALIGN_LOCKED] = is_locked;
	value[ALIGN_CONFIDENCE] = is_locked ? loop->agreement : 0.0f;
	value[ALIGN_POLARITY] = known ? loop->polarity : 1.0f;
}

static WEIR_REALTIME void report(struct align *align, struct weir_reports *reports, uint32_t frame)
{
	struct weir_report *report = weir_reports_add(reports, frame);
	const uint32_t n_mics = align->n_mics, n_pairs = n_mics - 1;

	align->report_frames = (uint32_t)(ALIGN_REPORT_SECONDS * align->rate);
	if (!report)
		return;
	report->present = ((uint64_t)1 << (ALIGN_REPORT_WEIGHT + 2 * n_mics)) - 1;

	float *value = report->value;

	for (uint32_t m = 0; m < n_pairs; m++) {
		float of_each[ALIGN_N_OF_EACH];

		of_each_get(&align->pair[m + 1], of_each);
		for (uint32_t i = 0; i < ALIGN_N_OF_EACH; i++)
			value[i * n_pairs + m] = of_each[i];
	}
	value += ALIGN_N_OF_EACH * n_pairs;
	*value++ = (float)state_get(align);
	for (uint32_t m = 0; m < n_mics; m++)
		*value++ = align->mix.head[m].weight;
	for (uint32_t m = 0; m < n_mics; m++)
		*value++ = align->front[m].snr_db;
}

WEIR_REALTIME struct weir_latency align_get_latency(const void *state, uint32_t input)
{
	const struct align *align = state;
	const uint32_t filter = align->filter_share > 0.5f ? post_latency(&align->post) : 0;

	return (struct weir_latency){
		.total = mix_get_latency(&align->mix, input) + filter,
		.minimum = MIX_MIN_LATENCY + filter,
	};
}

static WEIR_REALTIME void controls_write(const struct align *align, float *const control[])
{
	*control[ALIGN_LATENCY] = (float)align_get_latency(align, 0).total;
	*control[ALIGN_STATE] = (float)state_get(align);
	control += ALIGN_N_CONTROLS;
	for (uint32_t m = 1; m < align->n_mics; m++) {
		float of_each[ALIGN_N_OF_EACH];

		of_each_get(&align->pair[m], of_each);
		if (!supervisor_is_tracking(&align->pair[m].supervisor))
			of_each[ALIGN_DELAY] = of_each[ALIGN_DRIFT] = 0.0f;
		of_each[ALIGN_DELAY] *= 1000.0f;
		for (uint32_t i = 0; i < ALIGN_N_OF_EACH; i++)
			**control++ = of_each[i];
	}
	for (uint32_t m = 0; m < align->n_mics; m++)
		**control++ = align->mix.head[m].weight;
	for (uint32_t m = 0; m < align->n_mics; m++)
		**control++ = align->front[m].snr_db;
}

/* The filtered sum is later: once the windows are full, the output cross-fades to it. */
static WEIR_REALTIME void filter_run(struct align *align, float (*aligned)[MIX_CELL], float *out,
				     uint32_t n, bool is_wanted)
{
	const float step = 1.0f / (float)(ALIGN_FADE_SECONDS * align->rate);
	bool part[ALIGN_MICS];

	for (uint32_t m = 0; m < align->n_mics; m++)
		part[m] = mix_has(&align->mix, m);
	for (uint32_t i = 0; i < n; i++) {
		float frame[ALIGN_MICS];

		for (uint32_t m = 0; m < align->n_mics; m++)
			frame[m] = aligned[m][i];

		const float filtered = post_run(&align->post, frame, part, out[i]);

		if (align->filter_frames > 0)
			align->filter_frames--;
		else
			align->filter_share += is_wanted ? step : -step;
		align->filter_share = min_f32(max_f32(align->filter_share, 0.0f), 1.0f);
		out[i] += smooth_step(align->filter_share) * (filtered - out[i]);
	}
	align->filters = is_wanted || align->filter_share > 0.0f;
}

static WEIR_REALTIME void filter_begin(struct align *align)
{
	post_reset(&align->post);
	align->filters = true;
	align->filter_frames = post_latency(&align->post);
}

WEIR_REALTIME void align_run(void *state, float *const port[], uint32_t n_frames,
			     struct weir_reports *reports)
{
	struct align *align = state;
	float *const *control = port + align->n_mics + 1;

	for (uint32_t done = 0, n; done < n_frames; done += n) {
		const bool is_filter_wanted = *control[ALIGN_POST_FILTER] > 0.0f;
		const float *in[ALIGN_MICS];
		float aligned[ALIGN_MICS][MIX_CELL];
		float *out = port[align->n_mics] + done;

		n = min_u32(n_frames - done, MIX_CELL - align->tick_frame % MIX_CELL);
		n = min_u32(n, align->report_frames);
		for (uint32_t m = 0; m < align->n_mics; m++) {
			in[m] = port[m] + done;
			front_end_run(&align->front[m], in[m], n);
		}
		if (is_filter_wanted && !align->filters)
			filter_begin(align);
		mix_run(&align->mix, in, out, align->filters ? aligned : NULL, n);
		if (align->filters)
			filter_run(align, aligned, out, n, is_filter_wanted);
		align->tick_frame += n;
		if (align->tick_frame == align->tick_frames) {
			align->tick_frame = 0;
			tick(align, control);
		}
		align->report_frames -= n;
		if (align->report_frames == 0)
			report(align, reports, done + n - 1);
	}
	controls_write(align, control);
}
