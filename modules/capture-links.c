/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include <spa/utils/string.h>

#include "capture.h"

struct capture_link {
	struct spa_list link;
	uint32_t output; /* port ids */
	uint32_t input;
	struct remote *remote;	    /* outside the daemon */
	struct pw_impl_link *local; /* in the daemon */
	struct spa_hook local_listener;
};

static bool port_is(const struct registry_object *port, uint32_t node_id, const char *direction)
{
	return port->owner_id == node_id &&
	       spa_streq(pw_properties_get(port->props, PW_KEY_PORT_DIRECTION), direction) &&
	       !pw_properties_get_bool(port->props, PW_KEY_PORT_MONITOR, false);
}

static bool name_ends(const char *name, const char *end)
{
	const size_t length = name != NULL ? strlen(name) : 0;

	return length >= strlen(end) && spa_streq(name + length - strlen(end), end);
}

/* Left ends in L and right in R in all of PipeWire's names; MONO, FC, LFE, AUX0... go to both. */
static bool channel_reaches(const char *output, const char *input)
{
	if (name_ends(output, "L"))
		return name_ends(input, "L");
	if (name_ends(output, "R"))
		return name_ends(input, "R");
	return true;
}

bool capture_stream_is_playing(const struct capture_stream *stream)
{
	const struct capture *capture = stream->capture;
	struct registry_object *link;

	spa_list_for_each(link, registry_get_objects(capture->registry, REGISTRY_LINK), link)
	{
		if (link->owner_id == stream->node->id &&
		    registry_object_get_id(link, PW_KEY_LINK_INPUT_NODE) != capture->source->id)
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

	if (capture->source->id == SPA_ID_INVALID)
		return false;
	return capture->args.redirect || stream->starting || capture_stream_is_playing(stream);
}

/* A link that failed or was removed stays known, so that it is not made again and again. */
static bool stream_has_link(const struct capture_stream *stream, uint32_t output, uint32_t input)
{
	struct capture_link *link;

	spa_list_for_each(link, &stream->links, link)
	{
		if (link->output == output && link->input == input)
			return true;
	}
	return false;
}

static void local_destroyed(void *data)
{
	struct capture_link *link = data;

	spa_hook_remove(&link->local_listener);
	link->local = NULL;
}

static const struct pw_impl_link_events local_events = {
	PW_VERSION_IMPL_LINK_EVENTS,
	.destroy = local_destroyed,
};

static struct pw_impl_port *impl_port_find(struct pw_context *context, uint32_t id)
{
	struct pw_global *global = pw_context_find_global(context, id);

	if (global == NULL || !pw_global_is_type(global, PW_TYPE_INTERFACE_Port))
		return NULL;
	return pw_global_get_object(global);
}

/* Takes props. What we know of the ports may be older than what the daemon does. */
static void link_make_local(struct capture_link *link, struct pw_context *context,
			    struct pw_properties *props)
{
	struct pw_impl_port *output = impl_port_find(context, link->output);
	struct pw_impl_port *input = impl_port_find(context, link->input);

	if (output == NULL || input == NULL) {
		pw_properties_free(props);
		return;
	}
	link->local = pw_context_create_link(context, output, input, NULL, props, 0);
	if (link->local == NULL)
		return;
	pw_impl_link_add_listener(link->local, &link->local_listener, &local_events, link);
	pw_impl_link_register(link->local, NULL);
}

static void link_create(struct capture_stream *stream, const struct registry_object *output,
			const struct registry_object *input)
{
	const struct capture *capture = stream->capture;
	struct capture_link *link = calloc(1, sizeof(*link));
	struct pw_properties *props =
		pw_properties_new(PW_KEY_LINK_PASSIVE, "true", PW_KEY_OBJECT_LINGER, "false", NULL);

	if (link == NULL || props == NULL) {
		free(link);
		pw_properties_free(props);
		return;
	}
	link->output = output->id;
	link->input = input->id;
	spa_list_append(&stream->links, &link->link);
	if (capture->in_daemon) {
		link_make_local(link, capture->context, props);
		return;
	}
	pw_properties_setf(props, PW_KEY_LINK_OUTPUT_NODE, "%u", output->owner_id);
	pw_properties_setf(props, PW_KEY_LINK_OUTPUT_PORT, "%u", output->id);
	pw_properties_setf(props, PW_KEY_LINK_INPUT_NODE, "%u", input->owner_id);
	pw_properties_setf(props, PW_KEY_LINK_INPUT_PORT, "%u", input->id);
	link->remote = remote_create(capture->core, "link-factory", PW_TYPE_INTERFACE_Link, props);
}

static void link_destroy(struct capture_link *link)
{
	if (link->local != NULL)
		pw_impl_link_destroy(link->local);
	remote_destroy(link->remote);
	spa_list_remove(&link->link);
	free(link);
}

static void port_link(struct capture_stream *stream, const struct registry_object *output)
{
	const struct capture *capture = stream->capture;
	const char *channel = pw_properties_get(output->props, PW_KEY_AUDIO_CHANNEL);
	struct registry_object *input;

	spa_list_for_each(input, registry_get_objects(capture->registry, REGISTRY_PORT), link)
	{
		if (port_is(input, capture->source->id, "in") &&
		    channel_reaches(channel,
				    pw_properties_get(input->props, PW_KEY_AUDIO_CHANNEL)) &&
		    !stream_has_link(stream, output->id, input->id))
			link_create(stream, output, input);
	}
}

void capture_stream_link(struct capture_stream *stream)
{
	const struct capture *capture = stream->capture;
	struct registry_object *port;

	if (!stream_is_linkable(stream)) {
		capture_stream_unlink(stream);
		return;
	}
	spa_list_for_each(port, registry_get_objects(capture->registry, REGISTRY_PORT), link)
	{
		if (port_is(port, stream->node->id, "out"))
			port_link(stream, port);
	}
}

void capture_stream_unlink_port(struct capture_stream *stream, uint32_t port_id)
{
	struct capture_link *link, *next;

	spa_list_for_each_safe(link, next, &stream->links, link)
	{
		if (link->output == port_id || link->input == port_id)
			link_destroy(link);
	}
}

void capture_stream_unlink(struct capture_stream *stream)
{
	struct capture_link *link;

	spa_list_consume(link, &stream->links, link) link_destroy(link);
}
