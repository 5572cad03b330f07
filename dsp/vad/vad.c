/* SPDX-License-Identifier: MIT */

/*
 * A hop of the input is resampled to VAD_HOP samples at every rate. Their positions are multiples
 * of 1 / VAD_HOP of a frame, so there is one kernel for each fraction that occurs. At rates at
 * which 10 ms are not a whole number of frames, the pitch is off by at most 0.6 %.
 */

#include "vad.h"

#include <math.h>
#include <string.h>

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
#define MAX_LOUD 30	     /* hops: the limit of n_loud, and so of `ago` */
#define RELEASE_HOPS 20	     /* as the default hangover of the events, ... */
#define RELEASE_LIMIT 0.375f /* ... and half of their default threshold */

static uint32_t divisor(uint32_t a, uint32_t b)
{
	while (b > 0) {
		const uint32_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

int vad_init(struct vad *vad, uint32_t rate)
{
	vad->rate = rate;
	vad->hop = vad_hop_frames(rate);
	vad->n_phases = VAD_HOP / divisor(vad->hop, VAD_HOP);
	vad->n_taps = vad->hop <= VAD_HOP ? TAPS : (TAPS * vad->hop / VAD_HOP + 15) / 16 * 16;
	return vad_features_init(&vad->features);
}

void vad_allocate(struct vad *vad, struct arena *arena)
{
	vad->kernel = arena_floats(arena, (size_t)(vad->n_phases + 1) * vad->n_taps);
	vad->input = arena_floats(arena, vad->n_taps + vad->hop);
	vad_features_allocate(&vad->features, arena);
	vad_net_allocate(&vad->net, arena);
}

void vad_init_tables(struct vad *vad)
{
	const double slower = fmin(1.0, (double)VAD_RATE / vad->rate);

	sinc_fill(vad->kernel, (int)vad->n_taps, (int)vad->n_phases, CUTOFF * slower, BETA);
	vad_features_init_tables(&vad->features);
	vad_net_init_tables(&vad->net);
}

void vad_finish(struct vad *vad)
{
	vad_features_finish(&vad->features);
}

WEIR_REALTIME void vad_reset(struct vad *vad)
{
	memset(vad->input, 0, (vad->n_taps + vad->hop) * sizeof(float));
	vad_features_reset(&vad->features);
	vad_net_reset(&vad->net);
	memset(vad->primary, 0, sizeof(vad->primary));
	memset(vad->limited, 0, sizeof(vad->limited));
	memset(vad->probability, 0, sizeof(vad->probability));
	vad->confirmed = false;
	vad->n_frames = 0;
	vad->n_hops = vad->n_active = vad->n_loud = 0;
	vad->active = false;
}

WEIR_REALTIME void vad_run(struct vad *vad, const float *in, uint32_t n)
{
	memcpy(vad->input + vad->n_taps + vad->n_frames, in, n * sizeof(float));
	vad->n_frames += n;
}

static WEIR_SIMD WEIR_REALTIME void hop_resample(const struct vad *vad, float *sound)
{
	const uint32_t n_taps = vad->n_taps;
	const uint32_t frames = vad->hop / VAD_HOP, rest = vad->hop % VAD_HOP;
	const float *input = vad->input;
	uint32_t part = 0;

	/* The last sample's kernel ends with the hop. */
	for (uint32_t i = 0; i < VAD_HOP; i++) {
		part += rest;
		input += frames + part / VAD_HOP;
		part %= VAD_HOP;

		const uint32_t phase = part * vad->n_phases / VAD_HOP;

		sound[i] = sinc_dot(vad->kernel + (size_t)phase * n_taps, input, n_taps);
	}
}

/* The mean of the last n of n_hops values; those before the reset count as 0. */
static WEIR_REALTIME float mean_get(const float *ring, uint32_t n_hops, uint32_t n)
{
	float sum = 0.0f;

	for (uint32_t i = 1; i <= n; i++)
		sum += ring[(n_hops - i) % VAD_HOPS];
	return sum / (float)n;
}

static WEIR_REALTIME uint32_t hops_get(float ms)
{
	const float hops = ms / HOP_MS + 0.5f;

	return hops < 1.0f ? 1 : (uint32_t)hops;
}

static WEIR_REALTIME void decide(struct vad *vad, const struct vad_control *control,
				 struct vad_found *found)
{
	const uint32_t onset = hops_get(control->onset_ms);
	const uint32_t hangover = hops_get(control->hangover_ms);
	const bool loud = mean_get(vad->probability, vad->n_hops, onset) >= control->threshold;

	vad->n_loud = mean_get(vad->primary, vad->n_hops, onset) >= control->threshold
			      ? min_u32(vad->n_loud + 1, MAX_LOUD)
			      : 0;
	found->ago = 1e-3f * control->onset_ms;
	if (vad->n_loud > 1)
		found->ago += 1e-3f * HOP_MS * (float)(vad->n_loud - 1);
	found->started = !vad->active && loud;
	vad->n_active = vad->active ? vad->n_active + 1 : 0;
	found->ended =
		vad->active && !loud && vad->n_active >= hangover &&
		mean_get(vad->probability, vad->n_hops, hangover) < 0.5f * control->threshold;
	if (found->started || found->ended)
		vad->active = found->started;
	found->active = vad->active;
}

static WEIR_REALTIME float probability_find(struct vad *vad)
{
	const uint32_t now = vad->n_hops % VAD_HOPS, n_hops = vad->n_hops + 1;
	const float *features = vad->features.value;
	const float primary = vad_net_step(&vad->net, features);
	const float limited = min_f32(primary, vad_net_confirm(&vad->net, features));

	vad->primary[now] = primary;
	vad->limited[now] = limited;
	if (vad->confirmed)
		vad->confirmed = mean_get(vad->primary, n_hops, RELEASE_HOPS) >= RELEASE_LIMIT;
	else
		vad->confirmed = mean_get(vad->limited, n_hops, CONFIRM_HOPS) >= CONFIRM_LIMIT;
	vad->probability[now] = vad->confirmed ? primary : limited;
	vad->n_hops = n_hops;
	return vad->probability[now];
}

WEIR_REALTIME void vad_hop(struct vad *vad, const struct vad_control *control,
			   struct vad_found *found)
{
	float *input = vad->input;

	hop_resample(vad, vad_features_next(&vad->features));
	memmove(input, input + vad->hop, vad->n_taps * sizeof(float));
	vad->n_frames = 0;
	vad_features_find(&vad->features);
	found->probability = probability_find(vad);
	decide(vad, control, found);
}
