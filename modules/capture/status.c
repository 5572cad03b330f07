/* SPDX-License-Identifier: MIT */

#include "status.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <spa/utils/json.h>
#include <spa/utils/string.h>

#include "graph/keys.h"
#include "graph/log.h"
#include "graph/text.h"

/* A lost link is made again within this time. */
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

struct capture_status {
	const struct capture_graph *graph;
	struct capture_source *source;
	const struct capture_sink *sink;
	const struct capture_streams *streams;
	char *state_text, *streams_text; /* as in the source's properties */
	struct spa_source *timer;
	bool waiting; /* to see whether a channel that is missing stays so */
};

static enum stream_state stream_get_state(const struct capture_stream *stream)
{
	const bool redirecting = capture_sink_is_redirecting(stream->sink);

	if (stream->redirect.placement == PLACEMENT_OTHER_CAPTURE)
		return STREAM_TAKEN;
	if (!stream->node->running || !capture_graph_is_playing(stream->graph, stream->node))
		return STREAM_PAUSED;
	if (redirecting && stream->redirect.placement == PLACEMENT_IMMOVABLE)
		return STREAM_IMMOVABLE;
	if (redirecting && stream->redirect.placement != PLACEMENT_TAKEN_OVER &&
	    !capture_redirect_is_at_sink(&stream->redirect))
		return STREAM_PENDING;
	if (capture_tap_get_missing_port(&stream->tap) != NULL)
		return STREAM_MISSING_CHANNEL;
	return STREAM_CAPTURED;
}

/* The stream in the worst state, the first of several. NULL: there is none. */
static const struct capture_stream *decisive_stream(const struct capture_streams *streams,
						    enum stream_state *state)
{
	const struct capture_stream *stream, *decisive = NULL;

	spa_list_for_each(stream, &streams->list, link)
	{
		const enum stream_state of_stream = stream_get_state(stream);

		if (decisive == NULL || of_stream > *state) {
			decisive = stream;
			*state = of_stream;
		}
	}
	return decisive;
}

static bool has_jack_client(const struct capture_graph *graph)
{
	const struct weir_registry_object *client;
	struct weir_registry_object *node;

	spa_list_for_each(node, weir_registry_get_objects(graph->registry, WEIR_REGISTRY_NODE),
			  link)
	{
		client = weir_registry_find(graph->registry, WEIR_REGISTRY_CLIENT, node->owner_id);
		if (client != NULL &&
		    capture_match_fits_jack(&graph->args->match, &graph->args->exclude,
					    &node->props->dict, &client->props->dict))
			return true;
	}
	return false;
}

static char *channel_state(const struct capture_stream *stream)
{
	const struct weir_registry_object *port = capture_tap_get_missing_port(&stream->tap);
	const char *channel =
		port != NULL ? pw_properties_get(port->props, PW_KEY_AUDIO_CHANNEL) : NULL;

	return spa_aprintf("missing-channel: %s", channel != NULL ? channel : "?");
}

/* late: a missing channel has been missing for a while. NULL: the shown state stays. */
static char *streams_state(struct capture_status *status, bool late)
{
	const struct capture_graph *graph = status->graph;
	enum stream_state state = STREAM_PAUSED;
	const struct capture_stream *stream = decisive_stream(status->streams, &state);

	if (stream == NULL)
		return strdup(has_jack_client(graph) ? "jack-client: use weir-links" : "waiting");
	switch (state) {
	case STREAM_PENDING:
		return NULL;
	case STREAM_MISSING_CHANNEL:
		if (late)
			return channel_state(stream);
		if (!status->waiting)
			weir_context_timer_set(graph->connection.context, status->timer,
					       LATE_SECONDS * SPA_NSEC_PER_SEC);
		status->waiting = true;
		return NULL;
	case STREAM_CAPTURED:
		if (capture_sink_is_substitute(status->sink))
			return spa_aprintf("virtual-sink: no sink %s", graph->args->sink);
		return strdup("captured");
	case STREAM_TAKEN:
		return spa_aprintf("taken: by weir.capture.%s", stream->redirect.owner);
	default:
		return strdup(names[state]);
	}
}

static char *state_get(struct capture_status *status, bool late)
{
	const struct capture_sink *sink = status->sink;

	if (capture_sink_is_default(sink))
		return strdup("silent-output: choose another output device");
	if (!status->graph->args->redirect || capture_sink_is_redirecting(sink))
		return streams_state(status, late);
	if (capture_sink_is_lost(sink))
		return strdup("no-sink");
	return spa_aprintf("needs-missing: %s", capture_sink_get_missing(sink));
}

/* In JSON, whatever the name is made of. */
static void string_print(FILE *out, const char *name)
{
	const size_t size = 2 * strlen(name) + sizeof("\"\"");
	char *text = strdup(name), *json = malloc(size);

	if (text != NULL && json != NULL) {
		weir_text_clean(text);
		spa_json_encode_string(json, (int)size, text);
	}
	fputs(text != NULL && json != NULL ? json : "\"\"", out);
	free(text);
	free(json);
}

/* [ { "name": "mpv", "pid": 1234, "id": 56 } ]: NULL without memory. */
static char *streams_get(const struct capture_status *status)
{
	const struct capture_graph *graph = status->graph;
	const struct capture_stream *stream;
	const char *separator = "";
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (out == NULL)
		return NULL;
	fputc('[', out);
	spa_list_for_each(stream, &status->streams->list, link)
	{
		const struct weir_registry_object *client =
			capture_graph_find_client(graph, stream->node);
		struct pw_properties *props = capture_merge_props(
			&stream->node->props->dict, client != NULL ? &client->props->dict : NULL);

		fprintf(out, "%s{\"name\":", separator);
		string_print(out, capture_graph_get_player(graph, stream->node));
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
static bool property_show(struct capture_status *status, const char *key, char **shown, char *text)
{
	if (text == NULL || spa_streq(text, *shown)) {
		free(text);
		return false;
	}
	capture_source_set(status->source, key, text);
	free(*shown);
	*shown = text;
	return true;
}

static void show(struct capture_status *status, bool late)
{
	const char *name = status->graph->args->name;

	property_show(status, WEIR_KEY_CAPTURE_STREAMS, &status->streams_text, streams_get(status));
	if (!property_show(status, WEIR_KEY_CAPTURE_STATE, &status->state_text,
			   state_get(status, late)))
		return;
	if (spa_strstartswith(status->state_text, "missing-channel") ||
	    spa_strstartswith(status->state_text, "silent-output") ||
	    spa_strstartswith(status->state_text, "jack-client"))
		pw_log_warn("weir.capture.%s: %s %s", name, status->state_text,
			    status->streams_text);
	else
		pw_log_info("weir.capture.%s: %s %s", name, status->state_text,
			    status->streams_text);
}

void capture_status_show(struct capture_status *status)
{
	show(status, false);
}

static void late_timeout(void *data, uint64_t expirations)
{
	struct capture_status *status = data;

	(void)expirations;
	status->waiting = false;
	show(status, true);
}

struct capture_status *capture_status_create(const struct capture_graph *graph,
					     struct capture_source *source,
					     const struct capture_sink *sink,
					     const struct capture_streams *streams)
{
	struct capture_status *status = calloc(1, sizeof(*status));

	if (status == NULL)
		return NULL;
	status->graph = graph;
	status->source = source;
	status->sink = sink;
	status->streams = streams;
	status->timer = pw_loop_add_timer(pw_context_get_main_loop(graph->connection.context),
					  late_timeout, status);
	if (status->timer != NULL)
		return status;
	free(status);
	return NULL;
}

void capture_status_destroy(struct capture_status *status)
{
	if (status == NULL)
		return;
	weir_context_timer_destroy(status->graph->connection.context, status->timer);
	free(status->state_text);
	free(status->streams_text);
	free(status);
}
