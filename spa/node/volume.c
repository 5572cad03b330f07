/* SPDX-License-Identifier: MIT */
#include "volume.h"

#include <spa/param/audio/raw-types.h>
#include <spa/param/props.h>
#include <spa/pod/iter.h>
#include <spa/utils/string.h>
#include <string.h>

#define MAX_VOLUME 10.0f /* 20 dB, as PipeWire's own nodes allow */
#define RAMP_SECONDS 0.01f

/* Every version of SPA has spa_type_audio_channel; the look-up by name is newer. */
uint32_t channel_from_name(const char *name)
{
	for (const struct spa_type_info *i = spa_type_audio_channel; i->name; i++)
		if (spa_streq(strrchr(i->name, ':') + 1, name))
			return i->type;
	return SPA_AUDIO_CHANNEL_UNKNOWN;
}

void volume_add_channel(struct volume *volume, uint32_t position)
{
	const uint32_t i = volume->n_channels++;

	volume->position[i] = position;
	volume->channel[i] = volume->now[i] = 1.0f;
}

void volume_reset(struct volume *volume)
{
	for (uint32_t i = 0; i < volume->n_channels; i++)
		volume->channel[i] = 1.0f;
	volume->mute = false;
}

void volume_build(const struct volume *volume, struct spa_pod_builder *b)
{
	float channel[WEIR_MAX_PORTS];

	for (uint32_t i = 0; i < volume->n_channels; i++)
		channel[i] = volume->channel[i];
	spa_pod_builder_prop(b, SPA_PROP_mute, 0);
	spa_pod_builder_bool(b, volume->mute);
	spa_pod_builder_prop(b, SPA_PROP_channelVolumes, 0);
	spa_pod_builder_array(b, sizeof(float), SPA_TYPE_Float, volume->n_channels, channel);
	spa_pod_builder_prop(b, SPA_PROP_channelMap, 0);
	spa_pod_builder_array(b, sizeof(uint32_t), SPA_TYPE_Id, volume->n_channels,
			      volume->position);
}

/* One value for all channels, or one for each. The test refuses NaN, too. */
static void set_channels(struct volume *volume, const float *values, uint32_t n_values)
{
	for (uint32_t i = 0; i < n_values; i++)
		if (!(values[i] >= 0.0f && values[i] <= MAX_VOLUME))
			return;
	for (uint32_t i = 0; i < volume->n_channels && n_values; i++)
		volume->channel[i] = values[i < n_values ? i : n_values - 1];
}

void volume_parse(struct volume *volume, const struct spa_pod *props)
{
	const struct spa_pod_prop *mute = spa_pod_find_prop(props, NULL, SPA_PROP_mute);
	const struct spa_pod_prop *channels =
		spa_pod_find_prop(props, NULL, SPA_PROP_channelVolumes);
	float values[WEIR_MAX_PORTS];
	bool value;

	if (mute && spa_pod_get_bool(&mute->value, &value) == 0)
		volume->mute = value;
	if (channels)
		set_channels(volume, values,
			     spa_pod_copy_array(&channels->value, SPA_TYPE_Float, values,
						WEIR_MAX_PORTS));
}

WEIR_REALTIME void volume_run(struct volume *volume, uint32_t channel, uint32_t rate,
			      float *samples, uint32_t n_frames)
{
	const float step = 1.0f / (RAMP_SECONDS * (float)rate);
	const float target =
		atomic_load_explicit(&volume->mute, memory_order_relaxed)
			? 0.0f
			: atomic_load_explicit(&volume->channel[channel], memory_order_relaxed);
	float now = volume->now[channel];

	if (now == 1.0f && target == 1.0f)
		return;
	for (uint32_t i = 0; i < n_frames; i++) {
		now = target > now ? SPA_MIN(now + step, target) : SPA_MAX(now - step, target);
		samples[i] *= now;
	}
	volume->now[channel] = now;
}
