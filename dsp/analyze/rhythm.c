/* SPDX-License-Identifier: MIT */
#include "rhythm.h"

#include <math.h>
#include <string.h>

#include "dsp/minmax.h"

int rhythm_init(struct rhythm *rhythm, uint32_t rate, uint32_t hop_frames)
{
	rhythm->rate = (float)rate;
	rhythm->hop_frames = hop_frames;
	rhythm->half_frames = rhythm->hop_frames / 2;
	tempo_init(&rhythm->tempo, 0.5f * (float)rhythm->hop_frames / rhythm->rate);
	return onsets_init(&rhythm->onsets, rate);
}

void rhythm_allocate(struct rhythm *rhythm, struct arena *arena)
{
	rhythm->recent = arena_floats(arena, rhythm->onsets.n + rhythm->hop_frames);
	onsets_allocate(&rhythm->onsets, arena);
	tempo_allocate(&rhythm->tempo, arena);
}

void rhythm_init_tables(struct rhythm *rhythm)
{
	onsets_init_tables(&rhythm->onsets);
	tempo_init_tables(&rhythm->tempo);
}

void rhythm_finish(struct rhythm *rhythm)
{
	onsets_finish(&rhythm->onsets);
}

WEIR_REALTIME void rhythm_reset(struct rhythm *rhythm)
{
	memset(rhythm->recent, 0, (rhythm->onsets.n + rhythm->hop_frames) * sizeof(float));
	onsets_reset(&rhythm->onsets);
	tempo_reset(&rhythm->tempo);
	beats_reset(&rhythm->beats);
	rhythm->frame = 0;
	rhythm->onset = rhythm->beat = NAN;
}

static WEIR_REALTIME void step(struct rhythm *rhythm, uint32_t n_new)
{
	const float left = (float)(rhythm->hop_frames - rhythm->frame) / rhythm->rate;
	struct onsets_found found;
	float beat;

	onsets_step(&rhythm->onsets, rhythm->recent + rhythm->frame, n_new, &found);
	tempo_step(&rhythm->tempo, found.accent, found.level);
	beat = beats_step(&rhythm->beats, &rhythm->tempo);
	if (found.onset)
		rhythm->onset = left + ONSETS_AGE;
	if (!isnan(beat))
		rhythm->beat = left + beat;
}

WEIR_REALTIME void rhythm_run(struct rhythm *rhythm, const float *in, uint32_t n)
{
	for (uint32_t done = 0, part; done < n; done += part) {
		const bool is_first = rhythm->frame < rhythm->half_frames;
		const uint32_t end = is_first ? rhythm->half_frames : rhythm->hop_frames;

		part = min_u32(n - done, end - rhythm->frame);
		memcpy(rhythm->recent + rhythm->onsets.n + rhythm->frame, in + done,
		       part * sizeof(float));
		rhythm->frame += part;
		if (rhythm->frame == end)
			step(rhythm, is_first ? end : end - rhythm->half_frames);
	}
}

WEIR_REALTIME void rhythm_hop(struct rhythm *rhythm, struct rhythm_found *found)
{
	const struct tempo *tempo = &rhythm->tempo;
	const bool is_known = tempo->period > 0.0f;

	*found = (struct rhythm_found){
		.onset = rhythm->onset,
		.beat = rhythm->beat,
		.bpm = is_known ? 60.0f / (tempo->period * tempo->step_seconds) : NAN,
		.confidence = tempo->confidence,
	};
	memmove(rhythm->recent, rhythm->recent + rhythm->hop_frames,
		rhythm->onsets.n * sizeof(float));
	rhythm->frame = 0;
	rhythm->onset = rhythm->beat = NAN;
}
