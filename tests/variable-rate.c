/* SPDX-License-Identifier: MIT */
/*
 * variable-rate NAME
 *   A PulseAudio client that plays a tone of 440 Hz as stream NAME, at 48000 Hz and with a variable
 *   rate. It sets the rate to each number that it reads from standard input, and ends with that.
 */
#include <math.h>
#include <pulse/pulseaudio.h>
#include <stdio.h>
#include <stdlib.h>

#define RATE 48000
#define CHANNELS 2
#define TONE_HZ 440
#define AMPLITUDE 0.5
#define BUFFER_SECONDS 0.2

struct player {
	const char *name;
	pa_mainloop *loop;
	pa_context *context;
	pa_stream *stream;
	unsigned long frames; /* written */
};

static void tone_write(pa_stream *stream, size_t size, void *data)
{
	struct player *player = data;
	const size_t n_frames = size / (CHANNELS * sizeof(float));
	float *samples = calloc(n_frames * CHANNELS, sizeof(*samples));

	if (samples == NULL)
		exit(2);
	for (size_t i = 0; i < n_frames * CHANNELS; i++) {
		const unsigned long frame = (player->frames + i / CHANNELS) % RATE;

		samples[i] = (float)(AMPLITUDE * sin(2.0 * M_PI * TONE_HZ * (double)frame / RATE));
	}
	player->frames += n_frames;
	pa_stream_write(stream, samples, n_frames * CHANNELS * sizeof(*samples), free, 0,
			PA_SEEK_RELATIVE);
}

static void context_changed(pa_context *context, void *data)
{
	const pa_sample_spec spec = {
		.format = PA_SAMPLE_FLOAT32NE,
		.rate = RATE,
		.channels = CHANNELS,
	};
	const pa_buffer_attr buffer = {
		.maxlength = (uint32_t)-1,
		.tlength = (uint32_t)(RATE * BUFFER_SECONDS) * CHANNELS * sizeof(float),
		.prebuf = (uint32_t)-1,
		.minreq = (uint32_t)-1,
		.fragsize = (uint32_t)-1,
	};
	struct player *player = data;
	pa_proplist *props;

	if (!PA_CONTEXT_IS_GOOD(pa_context_get_state(context)))
		exit(2);
	if (pa_context_get_state(context) != PA_CONTEXT_READY)
		return;
	props = pa_proplist_new();
	pa_proplist_sets(props, "node.name", player->name);
	player->stream = pa_stream_new_with_proplist(context, player->name, &spec, NULL, props);
	pa_proplist_free(props);
	pa_stream_set_write_callback(player->stream, tone_write, player);
	pa_stream_connect_playback(player->stream, NULL, &buffer,
				   PA_STREAM_VARIABLE_RATE | PA_STREAM_ADJUST_LATENCY, NULL, NULL);
}

static void rate_read(pa_mainloop_api *api, pa_io_event *event, int fd, pa_io_event_flags_t flags,
		      void *data)
{
	struct player *player = data;
	pa_operation *operation;
	unsigned int rate;

	(void)event, (void)fd, (void)flags;
	if (scanf("%u", &rate) != 1) {
		api->quit(api, 0);
		return;
	}
	operation = pa_stream_update_sample_rate(player->stream, rate, NULL, NULL);
	if (operation != NULL)
		pa_operation_unref(operation);
}

int main(int argc, char **argv)
{
	struct player player = { .name = argv[1], .loop = pa_mainloop_new() };
	pa_mainloop_api *api = pa_mainloop_get_api(player.loop);
	int status = 0;

	if (argc != 2)
		return 2;
	setvbuf(stdin, NULL, _IONBF, 0);
	player.context = pa_context_new(api, player.name);
	pa_context_set_state_callback(player.context, context_changed, &player);
	if (pa_context_connect(player.context, NULL, PA_CONTEXT_NOAUTOSPAWN, NULL) < 0)
		return 2;
	api->io_new(api, fileno(stdin), PA_IO_EVENT_INPUT, rate_read, &player);
	pa_mainloop_run(player.loop, &status);
	return status;
}
