/* SPDX-License-Identifier: MIT */

/*
 * A hop of the input becomes SPEECH_HOP samples, whatever the rate is: each is the place of a
 * whole number of parts of a frame, so there is one kernel for each that occurs. Where a hop is
 * not a whole number of frames, the sound is wrong by 0.6 % at most.
 */

#include "vad.h"

#include <math.h>
#include <string.h>

#include "dsp/hop.h"
#include "dsp/minmax.h"
#include "dsp/simd.h"
#include "dsp/sinc.h"

#define TAPS 32 /* per frame of the slower side */
#define CUTOFF 0.9
#define BETA 5.0
#define HOP_MS 10.0f

/* Of music that begins 3.5 % pass, of speech 99.8 %: train/README.md. 3 hops let 3.8 % pass. */
#define CONFIRM_HOPS 5
#define CONFIRM_LIMIT 0.7f
#define MOST_LOUD 30 /* hops: what has been loud for longer began as something else */
#define RELEASE_HOPS 20
#define RELEASE_LIMIT 0.375f /* as the events by default */

static uint32_t divisor(uint32_t a, uint32_t b)
{
	while (b > 0) {
		const uint32_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

int speech_init(struct speech *speech, uint32_t rate)
{
	speech->rate = rate;
	speech->hop = hop_frames_of(rate);
	speech->n_phases = SPEECH_HOP / divisor(speech->hop, SPEECH_HOP);
	speech->n_taps =
		speech->hop <= SPEECH_HOP ? TAPS : (TAPS * speech->hop / SPEECH_HOP + 15) / 16 * 16;
	return speech_features_init(&speech->features);
}

void speech_allocate(struct speech *speech, struct arena *arena)
{
	speech->kernel = arena_floats(arena, (size_t)(speech->n_phases + 1) * speech->n_taps);
	speech->input = arena_floats(arena, speech->n_taps + speech->hop);
	speech_features_allocate(&speech->features, arena);
	speech_net_allocate(&speech->net, arena);
}

void speech_fill(struct speech *speech)
{
	const double slower = fmin(1.0, (double)SPEECH_RATE / speech->rate);

	sinc_fill(speech->kernel, (int)speech->n_taps, (int)speech->n_phases, CUTOFF * slower,
		  BETA);
	speech_features_fill(&speech->features);
	speech_net_fill(&speech->net);
}

void speech_finish(struct speech *speech)
{
	speech_features_finish(&speech->features);
}

WEIR_REALTIME void speech_reset(struct speech *speech)
{
	memset(speech->input, 0, (speech->n_taps + speech->hop) * sizeof(float));
	speech_features_reset(&speech->features);
	speech_net_reset(&speech->net);
	memset(speech->heard, 0, sizeof(speech->heard));
	memset(speech->limited, 0, sizeof(speech->limited));
	memset(speech->probability, 0, sizeof(speech->probability));
	speech->confirmed = false;
	speech->n_frames = 0;
	speech->n_hops = speech->n_active = speech->n_loud = 0;
	speech->active = false;
}

WEIR_REALTIME void speech_run(struct speech *speech, const float *in, uint32_t n)
{
	memcpy(speech->input + speech->n_taps + speech->n_frames, in, n * sizeof(float));
	speech->n_frames += n;
}

static WEIR_SIMD WEIR_REALTIME void hop_resample(const struct speech *speech, float *sound)
{
	const uint32_t n_taps = speech->n_taps;
	const uint32_t frames = speech->hop / SPEECH_HOP, rest = speech->hop % SPEECH_HOP;
	const float *input = speech->input;
	uint32_t part = 0;

	/* The last sample's kernel ends with the hop. */
	for (uint32_t i = 0; i < SPEECH_HOP; i++) {
		part += rest;
		input += frames + part / SPEECH_HOP;
		part %= SPEECH_HOP;

		const uint32_t phase = part * speech->n_phases / SPEECH_HOP;

		sound[i] = sinc_dot(speech->kernel + (size_t)phase * n_taps, input, n_taps);
	}
}

/* Of the last n of n_hops values; before the reset they were 0. */
static WEIR_REALTIME float mean_get(const float *ring, uint32_t n_hops, uint32_t n)
{
	float sum = 0.0f;

	for (uint32_t i = 1; i <= n; i++)
		sum += ring[(n_hops - i) % SPEECH_HOPS];
	return sum / (float)n;
}

static WEIR_REALTIME uint32_t hops_get(float ms)
{
	const float hops = ms / HOP_MS + 0.5f;

	return hops < 1.0f ? 1 : (uint32_t)hops;
}

static WEIR_REALTIME void decide(struct speech *speech, const struct speech_control *control,
				 struct speech_found *found)
{
	const uint32_t onset = hops_get(control->onset_ms);
	const uint32_t hangover = hops_get(control->hangover_ms);
	const bool loud =
		mean_get(speech->probability, speech->n_hops, onset) >= control->threshold;

	speech->n_loud = mean_get(speech->heard, speech->n_hops, onset) >= control->threshold
				 ? min_u32(speech->n_loud + 1, MOST_LOUD)
				 : 0;
	found->ago = 1e-3f * control->onset_ms;
	if (speech->n_loud > 1)
		found->ago += 1e-3f * HOP_MS * (float)(speech->n_loud - 1);
	found->started = !speech->active && loud;
	speech->n_active = speech->active ? speech->n_active + 1 : 0;
	found->ended =
		speech->active && !loud && speech->n_active >= hangover &&
		mean_get(speech->probability, speech->n_hops, hangover) < 0.5f * control->threshold;
	if (found->started || found->ended)
		speech->active = found->started;
	found->active = speech->active;
}

static WEIR_REALTIME float probability_find(struct speech *speech)
{
	const uint32_t now = speech->n_hops % SPEECH_HOPS, n_hops = speech->n_hops + 1;
	const float *features = speech->features.value;
	const float heard = speech_net_step(&speech->net, features);
	const float limited = min_f32(heard, speech_net_confirm(&speech->net, features));

	speech->heard[now] = heard;
	speech->limited[now] = limited;
	if (speech->confirmed)
		speech->confirmed = mean_get(speech->heard, n_hops, RELEASE_HOPS) >= RELEASE_LIMIT;
	else
		speech->confirmed =
			mean_get(speech->limited, n_hops, CONFIRM_HOPS) >= CONFIRM_LIMIT;
	speech->probability[now] = speech->confirmed ? heard : limited;
	speech->n_hops = n_hops;
	return speech->probability[now];
}

WEIR_REALTIME void speech_hop(struct speech *speech, const struct speech_control *control,
			      struct speech_found *found)
{
	float *input = speech->input;

	hop_resample(speech, speech_features_next(&speech->features));
	memmove(input, input + speech->hop, speech->n_taps * sizeof(float));
	speech->n_frames = 0;
	speech_features_find(&speech->features);
	found->probability = probability_find(speech);
	decide(speech, control, found);
}
