/* SPDX-License-Identifier: MIT */
#ifndef WEIR_SPA_VOLUME_H
#define WEIR_SPA_VOLUME_H

#include <spa/pod/builder.h>
#include <spa/pod/pod.h>
#include <stdatomic.h>

#include "dsp/unit.h"

/*
 * The volume and mute of a node that users see as a device or a stream: factors for its output
 * channels, in their order. Changes take 10 ms, so that they do not click.
 */
struct volume {
	uint32_t n_channels;		   /* 0: no volume; fixed */
	uint32_t position[WEIR_MAX_PORTS]; /* enum spa_audio_channel; fixed */

	/* Atomic: written by the main thread, read by the data thread. */
	_Atomic float channel[WEIR_MAX_PORTS]; /* factors from 0 to 10 */
	_Atomic bool mute;

	float now[WEIR_MAX_PORTS]; /* factors at the end of the last cycle; the data thread's */
};

/* The enum spa_audio_channel of a name such as "FL". */
uint32_t channel_from_name(const char *name);

/* At full volume. `volume` is all zero before the first channel. */
void volume_add_channel(struct volume *volume, uint32_t position);

/* All channels to full volume. */
void volume_reset(struct volume *volume);

/* The properties of an object Props. */
void volume_build(const struct volume *volume, struct spa_pod_builder *b);

/* Takes mute and volumes from an object Props, if it has them and they are in range. */
void volume_parse(struct volume *volume, const struct spa_pod *props);

WEIR_REALTIME void volume_run(struct volume *volume, uint32_t channel, uint32_t rate,
			      float *samples, uint32_t n_frames);

#endif
