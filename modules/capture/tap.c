/* SPDX-License-Identifier: MIT */
#include <spa/utils/result.h>
#include <spa/utils/string.h>

#include "capture.h"
#include "graph/link.h"
#include "graph/log.h"
#include "graph/port.h"
#include "mix.h"

bool capture_stream_is_playing(const struct capture_stream *stream)
{
	const struct capture *capture = stream->capture;
	struct weir_registry_object *link;

	spa_list_for_each(
		link, weir_registry_get_objects(capture->graph.registry, WEIR_REGISTRY_LINK), link)
	{
		if (link->owner_id == stream->node->id &&
		    weir_registry_object_get_id(link, PW_KEY_LINK_INPUT_NODE) !=
			    capture->graph.source_id)
			return true;
	}
	return false;
}

bool capture_stream_is_at_sink(const struct capture_stream *stream)
{
	const struct capture *capture = stream->capture;
	const struct weir_registry_object *sink;
	struct weir_registry_object *link;

	spa_list_for_each(
		link, weir_registry_get_objects(capture->graph.registry, WEIR_REGISTRY_LINK), link)
	{
		if (link->owner_id != stream->node->id)
			continue;
		sink = weir_registry_find(
			capture->graph.registry, WEIR_REGISTRY_NODE,
			weir_registry_object_get_id(link, PW_KEY_LINK_INPUT_NODE));
		if (sink != NULL && spa_streq(pw_properties_get(sink->props, PW_KEY_NODE_NAME),
					      capture_sink_get_name(capture->sink)))
			return true;
	}
	return false;
}

/*
 * May the source hear this stream now? A link to the source alone would start the stream before its
 * sink can hear it; link.passive does not prevent that while the source is recorded. So a tap comes
 * with the first link to anything else, and goes with the last. With a redirect it is the sink that
 * may miss the start.
 */
static bool stream_is_linkable(const struct capture_stream *stream)
{
	const struct capture *capture = stream->capture;

	if (capture->graph.source_id == SPA_ID_INVALID ||
	    stream->placement == PLACEMENT_OTHER_CAPTURE)
		return false;
	return capture_sink_is_redirecting(capture->sink) || stream->starting ||
	       capture_stream_is_playing(stream);
}

/* A link that failed or was removed stays known, so that it is not made again and again. */
static bool stream_has_link(const struct capture_stream *stream, uint32_t output, uint32_t input)
{
	struct weir_link *link;

	spa_list_for_each(link, &stream->links, link)
	{
		if (link->output == output && link->input == input)
			return true;
	}
	return false;
}

/* Ports go away any time: no reason to worry anybody. */
static void link_changed(void *data, struct weir_link *link)
{
	(void)data;
	if (link->res < 0)
		pw_log_info("no link: %s (%s)", link->error != NULL ? link->error : "",
			    spa_strerror(link->res));
}

static const struct weir_link_events link_events = {
	.changed = link_changed,
};

static void stream_add_link(struct capture_stream *stream,
			    const struct weir_registry_object *output,
			    const struct weir_registry_object *input)
{
	struct weir_link *link = weir_link_create(&stream->capture->graph.connection, output, input,
						  true, &link_events, stream);

	if (link != NULL)
		spa_list_append(&stream->links, &link->link);
}

static void stream_remove_link(struct weir_link *link)
{
	spa_list_remove(&link->link);
	weir_link_destroy(link);
}

static bool is_output(const struct capture_stream *stream, const struct weir_registry_object *port)
{
	return weir_port_is_of(port, stream->node->id, "out") && !weir_port_is_monitor(port);
}

/* Is what comes out of the stream there to go into the source here? */
static bool ports_belong(const struct capture_stream *stream,
			 const struct weir_registry_object *output,
			 const struct weir_registry_object *input)
{
	return weir_port_is_of(input, stream->capture->graph.source_id, "in") &&
	       capture_mix_has(pw_properties_get(output->props, PW_KEY_AUDIO_CHANNEL),
			       weir_port_get_name(input), pw_check_library_version(1, 5, 85));
}

static void port_link(struct capture_stream *stream, const struct weir_registry_object *output)
{
	struct weir_registry_object *input;

	spa_list_for_each(
		input,
		weir_registry_get_objects(stream->capture->graph.registry, WEIR_REGISTRY_PORT),
		link)
	{
		if (ports_belong(stream, output, input) &&
		    !stream_has_link(stream, output->id, input->id))
			stream_add_link(stream, output, input);
	}
}

void capture_stream_link(struct capture_stream *stream)
{
	struct weir_registry_object *port;

	if (!stream_is_linkable(stream)) {
		capture_stream_unlink(stream);
		return;
	}
	spa_list_for_each(
		port,
		weir_registry_get_objects(stream->capture->graph.registry, WEIR_REGISTRY_PORT),
		link)
	{
		if (is_output(stream, port))
			port_link(stream, port);
	}
}

static bool port_is_linked(const struct capture_stream *stream,
			   const struct weir_registry_object *output)
{
	struct weir_registry *registry = stream->capture->graph.registry;
	struct weir_registry_object *input;

	spa_list_for_each(input, weir_registry_get_objects(registry, WEIR_REGISTRY_PORT), link)
	{
		if (ports_belong(stream, output, input) &&
		    weir_registry_find_link(registry, output->id, input->id) == NULL)
			return false;
	}
	return true;
}

const struct weir_registry_object *
capture_stream_get_missing_port(const struct capture_stream *stream)
{
	struct weir_registry_object *port;

	spa_list_for_each(
		port,
		weir_registry_get_objects(stream->capture->graph.registry, WEIR_REGISTRY_PORT),
		link)
	{
		if (is_output(stream, port) && weir_port_is_audio(port) &&
		    !port_is_linked(stream, port))
			return port;
	}
	return NULL;
}

void capture_stream_unlink_port(struct capture_stream *stream, uint32_t port_id)
{
	struct weir_link *link, *next;

	spa_list_for_each_safe(link, next, &stream->links, link)
	{
		if (link->output == port_id || link->input == port_id)
			stream_remove_link(link);
	}
}

void capture_stream_unlink(struct capture_stream *stream)
{
	struct weir_link *link;

	spa_list_consume(link, &stream->links, link) stream_remove_link(link);
}
