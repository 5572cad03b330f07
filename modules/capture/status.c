/* SPDX-License-Identifier: MIT */

/*
 * What the source says of itself. It comes from the graph: from links that are there and nodes that
 * run, not from what was asked for.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <spa/utils/string.h>

#include "capture.h"
#include "graph/log.h"
#include "graph/text.h"

#define STREAMS_KEY "weir.capture.streams"
/* A link that is lost is made again meanwhile. */
#define LATE_SECONDS 1

/* Of one stream. */
enum stream_state {
	STREAM_PAUSED,
	STREAM_PENDING, /* it has just started, or is being moved */
	STREAM_CAPTURED,
	STREAM_MISSING_CHANNEL,
	STREAM_IMMOVABLE,
	STREAM_TAKEN,
	N_STREAM_STATES,
};

static const char *const names[N_STREAM_STATES] = {
	[STREAM_PAUSED] = "silent-paused",  [STREAM_PENDING] = "waiting",
	[STREAM_CAPTURED] = "captured",	    [STREAM_MISSING_CHANNEL] = "missing-channel",
	[STREAM_IMMOVABLE] = "cannot-move", [STREAM_TAKEN] = "taken",
};

static enum stream_state stream_get_state(const struct capture_stream *stream)
{
	const bool redirecting = capture_sink_is_redirecting(stream->capture->sink);

	if (stream->placement == PLACEMENT_OTHER_CAPTURE)
		return STREAM_TAKEN;
	if (!stream->node->running || !capture_stream_is_playing(stream))
		return STREAM_PAUSED;
	if (redirecting && stream->placement == PLACEMENT_IMMOVABLE)
		return STREAM_IMMOVABLE;
	if (redirecting && stream->placement != PLACEMENT_TAKEN_OVER &&
	    !capture_stream_is_at_sink(stream))
		return STREAM_PENDING;
	if (capture_stream_get_missing_port(stream) != NULL)
		return STREAM_MISSING_CHANNEL;
	return STREAM_CAPTURED;
}

/* A stream that the capture cannot have counts more than one that it has. NULL: there is none. */
static const struct capture_stream *decisive_stream(const struct capture *capture,
						    enum stream_state *state)
{
	const struct capture_stream *stream, *decisive = NULL;

	spa_list_for_each(stream, &capture->streams, link)
	{
		const enum stream_state of_stream = stream_get_state(stream);

		if (decisive == NULL || of_stream > *state) {
			decisive = stream;
			*state = of_stream;
		}
	}
	return decisive;
}

static bool has_jack_client(const struct capture *capture)
{
	const struct weir_registry_object *client;
	struct weir_registry_object *node;

	spa_list_for_each(
		node, weir_registry_get_objects(capture->graph.registry, WEIR_REGISTRY_NODE), link)
	{
		client = weir_registry_find(capture->graph.registry, WEIR_REGISTRY_CLIENT,
					    node->owner_id);
		if (client != NULL &&
		    capture_match_fits_jack(&capture->args.match, &capture->args.exclude,
					    &node->props->dict, &client->props->dict))
			return true;
	}
	return false;
}

static char *channel_state(const struct capture_stream *stream)
{
	const struct weir_registry_object *port = capture_stream_get_missing_port(stream);
	const char *channel =
		port != NULL ? pw_properties_get(port->props, PW_KEY_AUDIO_CHANNEL) : NULL;

	return spa_aprintf("missing-channel: %s", channel != NULL ? channel : "?");
}

/* Waits a while before it tells of a missing channel. NULL: what is shown stays. */
static char *streams_state(struct capture *capture)
{
	enum stream_state state = STREAM_PAUSED;
	const struct capture_stream *stream = decisive_stream(capture, &state);

	if (stream == NULL)
		return strdup(has_jack_client(capture) ? "jack-client: use weir-links" : "waiting");
	switch (state) {
	case STREAM_PENDING:
		return NULL;
	case STREAM_MISSING_CHANNEL:
		if (capture->state.late)
			return channel_state(stream);
		if (!capture->state.waiting)
			weir_context_timer_set(capture->graph.connection.context,
					       capture->state.timer,
					       LATE_SECONDS * SPA_NSEC_PER_SEC);
		capture->state.waiting = true;
		return NULL;
	case STREAM_CAPTURED:
		if (capture_sink_is_substitute(capture->sink))
			return spa_aprintf("virtual-sink: no sink %s", capture->args.sink);
		return strdup("captured");
	case STREAM_TAKEN:
		return spa_aprintf("taken: by weir.capture.%s", stream->taker);
	default:
		return strdup(names[state]);
	}
}

static char *state_get(struct capture *capture)
{
	const struct capture_sink *sink = capture->sink;

	if (capture_sink_is_default(sink))
		return strdup("silent-output: choose another output device");
	if (!capture->args.redirect || capture_sink_is_redirecting(sink))
		return streams_state(capture);
	if (capture_sink_is_lost(sink))
		return strdup("no-sink");
	return spa_aprintf("needs-missing: %s", capture_sink_get_missing(sink));
}

/* In JSON, whatever the name is made of. */
static void string_print(FILE *out, const char *name)
{
	char *text = strdup(name);
	const char *c;

	if (text != NULL)
		weir_text_clean(text);
	fputc('"', out);
	for (c = text; c != NULL && *c != '\0'; c++) {
		if (*c == '"' || *c == '\\')
			fputc('\\', out);
		if (*c == '\n')
			fputs("\\n", out);
		else
			fputc(*c, out);
	}
	fputc('"', out);
	free(text);
}

/* [ { "name": "mpv", "pid": 1234, "id": 56 } ]: NULL without memory. */
static char *streams_get(const struct capture *capture)
{
	const struct capture_stream *stream;
	const char *separator = "";
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (out == NULL)
		return NULL;
	fputc('[', out);
	spa_list_for_each(stream, &capture->streams, link)
	{
		const struct weir_registry_object *client = capture_stream_get_client(stream);
		struct pw_properties *props = capture_merge_props(
			&stream->node->props->dict, client != NULL ? &client->props->dict : NULL);

		fprintf(out, "%s{\"name\":", separator);
		string_print(out, capture_stream_get_name(stream));
		fprintf(out, ",\"pid\":%d,\"id\":%u}",
			props != NULL ? pw_properties_get_int32(props, PW_KEY_APP_PROCESS_ID, 0)
				      : 0,
			stream->node->id);
		pw_properties_free(props);
		separator = ",";
	}
	fputc(']', out);
	fclose(out);
	return text;
}

/* Takes text. Has it changed? */
static bool property_show(struct capture *capture, const char *key, char **shown, char *text)
{
	if (text == NULL || spa_streq(text, *shown)) {
		free(text);
		return false;
	}
	capture_source_set(capture->source, key, text);
	free(*shown);
	*shown = text;
	return true;
}

void capture_state_show(struct capture *capture)
{
	struct capture_state *state = &capture->state;

	property_show(capture, STREAMS_KEY, &state->streams, streams_get(capture));
	if (!property_show(capture, CAPTURE_STATE_KEY, &state->shown, state_get(capture)))
		return;
	if (spa_strstartswith(state->shown, "missing-channel") ||
	    spa_strstartswith(state->shown, "silent-output") ||
	    spa_strstartswith(state->shown, "jack-client"))
		pw_log_warn("weir.capture.%s: %s %s", capture->args.name, state->shown,
			    state->streams);
	else
		pw_log_info("weir.capture.%s: %s %s", capture->args.name, state->shown,
			    state->streams);
}

static void late_timeout(void *data, uint64_t expirations)
{
	struct capture *capture = data;

	(void)expirations;
	capture->state.waiting = false;
	capture->state.late = true;
	capture_state_show(capture);
	capture->state.late = false;
}

int capture_state_init(struct capture *capture)
{
	capture->state.timer = pw_loop_add_timer(
		pw_context_get_main_loop(capture->graph.connection.context), late_timeout, capture);
	return capture->state.timer != NULL ? 0 : -errno;
}

void capture_state_finish(struct capture *capture)
{
	struct capture_state *state = &capture->state;

	weir_context_timer_destroy(capture->graph.connection.context, state->timer);
	free(state->shown);
	free(state->streams);
}
