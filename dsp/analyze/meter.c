/* SPDX-License-Identifier: MIT */
#include "meter.h"

#include <math.h>
#include <string.h>

#include "dsp/minmax.h"
#include "level.h"

typedef long long order __attribute__((vector_size(32)));

void meter_init(struct meter *meter, uint32_t rate, uint32_t n_channels)
{
	meter->rate = rate;
	meter->n_channels = n_channels;
	meter->fast = -expm1(-1.0 / (FAST_SECONDS * rate));
	meter->slow = -expm1(-1.0 / (SLOW_SECONDS * rate));
	weighting_init_tables(&meter->weighting, rate);
	true_peak_tables_init(&meter->true_peak, rate);
}

WEIR_REALTIME void meter_reset(struct meter *meter)
{
	meter->n_frames = meter->recent = 0;
	meter->clipped = INT32_MAX;
	meter->clipped_seconds = NAN;
	memset(meter->channel, 0, sizeof(meter->channel));
}

static inline WEIR_REALTIME void section_run(const struct weighting_section *section,
					     weighting_lanes *state, weighting_lanes *x)
{
	const weighting_lanes in = *x;
	const weighting_lanes out = *(const weighting_lanes *)section->b0 * in + state[0];

	state[0] = *(const weighting_lanes *)section->b1 * in + state[1] -
		   *(const weighting_lanes *)section->a1 * out;
	state[1] = *(const weighting_lanes *)section->b2 * in -
		   *(const weighting_lanes *)section->a2 * out;
	*x = out;
}

static inline WEIR_REALTIME void max_keep(weighting_lanes *max, const weighting_lanes *value)
{
	const order is_more = (order)(*value > *max);

	*max = (weighting_lanes)(((order)*value & is_more) | ((order)*max & ~is_more));
}

static WEIR_SIMD WEIR_REALTIME void
levels_run(const struct meter *meter, struct meter_levels *levels, const float *in, uint32_t n)
{
	weighting_lanes state[WEIGHTING_SECTIONS][2];
	weighting_lanes fast = *(const weighting_lanes *)levels->fast;
	weighting_lanes slow = *(const weighting_lanes *)levels->slow;
	weighting_lanes fast_max = *(const weighting_lanes *)levels->fast_max;
	weighting_lanes slow_max = *(const weighting_lanes *)levels->slow_max;
	weighting_lanes sum = *(const weighting_lanes *)levels->sum;

	memcpy(state, levels->state, sizeof(state));
	for (uint32_t i = 0; i < n; i++) {
		const double sample = (double)in[i];
		weighting_lanes x = { sample, sample, sample, sample };

		for (int s = 0; s < WEIGHTING_SECTIONS; s++)
			section_run(&meter->weighting.section[s], state[s], &x);
		x *= x;
		sum += x;
		fast += meter->fast * (x - fast);
		slow += meter->slow * (x - slow);
		max_keep(&fast_max, &fast);
		max_keep(&slow_max, &slow);
	}
	memcpy(levels->state, state, sizeof(state));
	*(weighting_lanes *)levels->fast = fast;
	*(weighting_lanes *)levels->slow = slow;
	*(weighting_lanes *)levels->fast_max = fast_max;
	*(weighting_lanes *)levels->slow_max = slow_max;
	*(weighting_lanes *)levels->sum = sum;
}

/* Compared as integers, which compilers vectorize. */
static WEIR_SIMD WEIR_REALTIME float peak_find(const float *in, uint32_t n)
{
	union {
		float height;
		int32_t order;
	} top = { .height = 0.0f }, x;

	for (uint32_t i = 0; i < n; i++) {
		x.height = fabsf(in[i]);
		top.order = x.order > top.order ? x.order : top.order;
	}
	return top.height;
}

static WEIR_REALTIME void clip_look(struct meter *meter, struct meter_clip *clip, const float *in,
				    uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (fabsf(in[i]) < METER_CLIPPED) {
			clip->length = 0;
			continue;
		}
		clip->length = min_u32(clip->length + 1, 3);
		if (clip->length == 1)
			clip->begin = (int32_t)(meter->n_frames + i);
		if (clip->length != 2)
			continue;
		clip->n++;
		if (clip->begin < meter->clipped)
			meter->clipped = clip->begin;
	}
}

WEIR_REALTIME void meter_run(struct meter *meter, float *const in[], uint32_t n)
{
	for (uint32_t c = 0; c < meter->n_channels; c++) {
		struct meter_channel *channel = &meter->channel[c];
		const float peak = peak_find(in[c], n);
		const float tp = true_peak_run(&meter->true_peak, &channel->true_peak, in[c], n);

		channel->peak = max_f32(peak, channel->peak);
		channel->tp = max_f32(tp, channel->tp);
		levels_run(meter, &channel->levels, in[c], n);
		if (peak >= METER_CLIPPED)
			clip_look(meter, &channel->clip, in[c], n);
		else
			channel->clip.length = 0;
	}
	meter->n_frames += n;
}

static WEIR_REALTIME float peak_level(float peak)
{
	return decibels(peak * peak);
}

static WEIR_REALTIME void levels_write(struct meter_levels *levels, float calibration, float *value,
				       uint32_t n_channels)
{
	const struct {
		const double *square;
		uint32_t fast_field;
	} detector[] = {
		{ levels->fast, METER_LAF },
		{ levels->slow, METER_LAS },
		{ levels->fast_max, METER_LAF_MAX },
		{ levels->slow_max, METER_LAS_MAX },
	};

	for (uint32_t i = 0; i < sizeof(detector) / sizeof(detector[0]); i++)
		for (uint32_t w = WEIGHTING_A; w <= WEIGHTING_Z; w++)
			value[(detector[i].fast_field + 2 * w) * n_channels] =
				level_of((float)detector[i].square[w], calibration);
}

static WEIR_REALTIME void channel_hop(struct meter *meter, struct meter_channel *channel,
				      float calibration, float *value)
{
	const uint32_t n = meter->n_channels;
	const double frames = (double)meter->n_frames;
	struct meter_levels *levels = &channel->levels;
	const float square = (float)(levels->sum[WEIGHTING_Z] / frames);

	channel->peak_max = max_f32(channel->peak, channel->peak_max);
	channel->tp_max = max_f32(channel->tp, channel->tp_max);
	channel->energy = levels->sum[WEIGHTING_K] / frames;
	channel->recent_peak[meter->recent] = channel->peak;
	channel->recent_square[meter->recent] = square;
	value[METER_PEAK * n] = peak_level(channel->peak);
	value[METER_PEAK_MAX * n] = peak_level(channel->peak_max);
	value[METER_TP * n] = peak_level(channel->tp);
	value[METER_TP_MAX * n] = peak_level(channel->tp_max);
	value[METER_RMS * n] = level_of(square, calibration);
	value[METER_CREST * n] = value[METER_PEAK * n] - decibels(square);
	levels_write(levels, calibration, value, n);
	value[METER_CLIPS * n] = (float)channel->clip.n;

	channel->peak = channel->tp = 0.0f;
	if (channel->clip.length == 1)
		channel->clip.begin -= (int32_t)meter->n_frames;
	memset(levels->sum, 0, sizeof(levels->sum));
	memset(levels->fast_max, 0, sizeof(levels->fast_max));
	memset(levels->slow_max, 0, sizeof(levels->slow_max));
}

WEIR_REALTIME void meter_hop(struct meter *meter, float calibration, float *value)
{
	meter->recent = (meter->recent + 1) % METER_RECENT;
	for (uint32_t c = 0; c < meter->n_channels; c++)
		channel_hop(meter, &meter->channel[c], calibration, value + c);
	meter->clipped_seconds = NAN;
	if (meter->clipped < INT32_MAX)
		meter->clipped_seconds =
			(float)((int32_t)meter->n_frames - meter->clipped) / (float)meter->rate;
	meter->clipped = INT32_MAX;
	meter->n_frames = 0;
}

WEIR_REALTIME double meter_energy(const struct meter *meter, uint32_t channel)
{
	return meter->channel[channel].energy;
}

WEIR_REALTIME float meter_clipped(const struct meter *meter)
{
	return meter->clipped_seconds;
}

WEIR_REALTIME void meter_recent(const struct meter *meter, float calibration, float *peak,
				float *rms)
{
	float max = 0.0f, max_square = 0.0f;

	for (uint32_t c = 0; c < meter->n_channels; c++) {
		const struct meter_channel *channel = &meter->channel[c];
		float square = 0.0f;

		for (uint32_t i = 0; i < METER_RECENT; i++) {
			max = max_f32(channel->recent_peak[i], max);
			square += channel->recent_square[i];
		}
		max_square = max_f32(square, max_square);
	}
	*peak = peak_level(max);
	*rms = level_of(max_square / METER_RECENT, calibration);
}

WEIR_REALTIME void meter_forget(struct meter *meter)
{
	for (uint32_t c = 0; c < meter->n_channels; c++) {
		meter->channel[c].peak_max = meter->channel[c].tp_max = 0.0f;
		meter->channel[c].clip.n = 0;
	}
}
