/* SPDX-License-Identifier: MIT */
#include "trial.h"

#include <stdlib.h>
#include <string.h>

#include "sounds.h"
#include "tests/check.h"

/* Low rates take less time, so there are more of them. */
static const uint32_t low[] = { 8000, 8000, 8001, 11025, 12000, 16000 };
static const uint32_t usual[] = { 22050, 32000, 37123, 44100, 48000, 48000 };
static const uint32_t high[] = { 88200, 96000, 176400, 192000, 352800, 384000 };

static uint32_t any_rate(struct chance *chance)
{
	const uint32_t kind = chance_below(chance, 40);

	if (kind == 0)
		return CHANCE_OF(chance, high);
	return kind < 8 ? CHANCE_OF(chance, usual) : CHANCE_OF(chance, low);
}

#define MUST_RATE 48000 /* that every unit takes */

static uint64_t name_hash(const char *name)
{
	uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */

	for (; *name; name++)
		hash = (hash ^ (uint64_t)*name) * UINT64_C(1099511628211);
	return hash;
}

static float any_float(struct chance *chance)
{
	static const float odd[] = { NAN,   INFINITY, -INFINITY, 0.0f, -0.0f, 1.0f,  -1.0f,
				     1e30f, -1e30f,   1e-40f,	 1e9f, -1e9f, 0.499f };

	return CHANCE_OF(chance, odd);
}

static float control_value(struct chance *chance, const struct weir_port *port)
{
	switch (chance_below(chance, 10)) {
	case 0:
		return any_float(chance);
	case 1:
		return port->min;
	case 2:
		return port->max;
	case 3:
	case 4:
	case 5:
		return (float)chance_between(chance, (double)port->min, (double)port->max);
	default:
		return port->def;
	}
}

static float saved_value(struct chance *chance)
{
	union {
		uint32_t bits;
		float value;
	} any;

	switch (chance_below(chance, 4)) {
	case 0:
		return any_float(chance);
	case 1:
		any.bits = (uint32_t)chance_bits(chance);
		return any.value;
	case 2:
		return chance_one_in(chance, 2) ? 1.0f : -1.0f;
	default:
		return (float)chance_between(chance, -1.5, 1.5);
	}
}

static void segment_fill(struct trial *trial, struct trial_segment *segment,
			 const struct trial_segment *before)
{
	const struct weir_unit *unit = trial->unit;
	struct chance *chance = &trial->chance;

	for (uint32_t i = 0; i < unit->n_ports; i++) {
		if (unit->ports[i].type != WEIR_CONTROL_IN)
			continue;
		if (!before || chance_one_in(chance, 3))
			segment->control[i] = control_value(chance, &unit->ports[i]);
		else
			segment->control[i] = before->control[i];
	}
	segment->resets = before && chance_one_in(chance, 5);
	if (!unit->restore_state || (before && !segment->resets))
		return;
	segment->restores_own = before && chance_one_in(chance, 2);
	segment->restores_any = !segment->restores_own && chance_one_in(chance, 2);
	for (uint32_t i = 0; i < WEIR_MAX_STATE_VALUES; i++)
		segment->saved[i] = saved_value(chance);
}

/* Cut at frames of which none is a multiple of anything. */
static void segments_fill(struct trial *trial)
{
	uint32_t left = trial->n_frames;

	trial->n_segments = 1 + chance_below(&trial->chance, TRIAL_SEGMENTS);
	for (uint32_t i = 0; i < trial->n_segments; i++) {
		struct trial_segment *segment = &trial->segment[i];
		const uint32_t most = 2 * left / (trial->n_segments - i);

		segment->n_frames =
			i + 1 == trial->n_segments
				? left
				: chance_below(&trial->chance, most < left ? most : left);
		left -= segment->n_frames;
		segment_fill(trial, segment, i ? segment - 1 : NULL);
	}
}

/* The highest rate that the unit takes, of this one and what is left by halving it. */
static uint32_t possible_rate(const struct weir_unit *unit, uint32_t rate)
{
	void *state;

	if (rate <= MUST_RATE)
		return rate;
	while (!(state = unit->create(rate)))
		rate /= 2;
	unit->destroy(state);
	return rate;
}

void trial_init(struct trial *trial, const struct weir_unit *unit, uint64_t seed)
{
	float *channel[WEIR_MAX_PORTS];
	uint32_t n_channels = 0;

	*trial = (struct trial){ .unit = unit, .seed = seed };
	trial->chance.state = name_hash(unit->name) ^ seed * UINT64_C(0xd1342543de82ef95);
	trial->rate = possible_rate(unit, any_rate(&trial->chance));
	trial->n_frames = (uint32_t)(TRIAL_SECONDS * trial->rate);
	for (uint32_t i = 0; i < unit->n_ports; i++) {
		if (unit->ports[i].type != WEIR_AUDIO_IN)
			continue;
		trial->input[i] = malloc(trial->n_frames * sizeof(float));
		CHECK(trial->input[i]);
		channel[n_channels++] = trial->input[i];
	}
	sounds_fill(&trial->chance, channel, n_channels, trial->n_frames, trial->rate);
	segments_fill(trial);
}

void trial_finish(struct trial *trial)
{
	for (uint32_t i = 0; i < WEIR_MAX_PORTS; i++)
		free(trial->input[i]);
}
