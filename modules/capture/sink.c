/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <spa/utils/result.h>
#include <spa/utils/string.h>

#include "capture.h"
#include "graph/log.h"

/* Long enough for a card that is just being set up, so that the usual start says nothing. */
#define ABSENT_SECONDS 4
/* From a new sink's ports to the session manager being able to link it; nothing announces that. */
#define SETTLE_NSEC (300 * SPA_NSEC_PER_MSEC)
/* Links that are made again, to another default sink, are missing for less. */
#define RELINK_NSEC (500 * SPA_NSEC_PER_MSEC)

const char *capture_sink_get_name(const struct capture *capture)
{
	return capture->sink.in_use ? capture->args.sink : capture->sink.virtual_name;
}

bool capture_is_target(const struct capture *capture, const char *target)
{
	return spa_streq(capture_graph_get_target_name(&capture->graph, target),
			 capture->args.sink) ||
	       capture_is_virtual_target(capture, target);
}

bool capture_is_virtual_target(const struct capture *capture, const char *target)
{
	return spa_streq(capture_graph_get_target_name(&capture->graph, target),
			 capture->sink.virtual_name);
}

static bool node_has_ports(const struct capture *capture, uint32_t id)
{
	struct weir_registry_object *port;

	spa_list_for_each(
		port, weir_registry_get_objects(capture->graph.registry, WEIR_REGISTRY_PORT), link)
	{
		if (port->owner_id == id)
			return true;
	}
	return false;
}

static bool is_always_virtual(const struct capture *capture)
{
	return spa_streq(capture->args.sink, "virtual") ||
	       spa_streq(capture->args.sink, capture->sink.virtual_name);
}

/* The session manager plays streams on nodes of these classes. */
static bool node_is_sink(const struct weir_registry_object *node)
{
	const char *class = pw_properties_get(node->props, PW_KEY_MEDIA_CLASS);

	return class != NULL &&
	       (spa_strstartswith(class, "Audio/Sink") || spa_streq(class, "Audio/Duplex"));
}

bool capture_sink_is_known(const struct capture *capture)
{
	return capture->sink.in_use || capture->sink.virtual_known;
}

bool capture_sink_is_substitute(const struct capture *capture)
{
	/* Without snd-aloop the virtual sink is what people expect. */
	return capture->args.redirect && !capture->sink.in_use && !is_always_virtual(capture) &&
	       strstr(capture->args.sink, "snd_aloop") == NULL;
}

bool capture_sink_is_default(const struct capture *capture)
{
	const struct weir_registry_object *sink =
		weir_registry_find_default_sink(capture->graph.registry);

	return sink != NULL && spa_streq(pw_properties_get(sink->props, PW_KEY_NODE_NAME),
					 capture->sink.virtual_name);
}

/* With ports that can be linked. */
static bool has_sink(const struct capture *capture, const char *name)
{
	struct weir_registry_object *node;

	spa_list_for_each(
		node, weir_registry_get_objects(capture->graph.registry, WEIR_REGISTRY_NODE), link)
	{
		if (node_is_sink(node) &&
		    spa_streq(pw_properties_get(node->props, PW_KEY_NODE_NAME), name) &&
		    node_has_ports(capture, node->id))
			return true;
	}
	return false;
}

static bool sink_is_present(const struct capture *capture)
{
	return !is_always_virtual(capture) && has_sink(capture, capture->args.sink);
}

/* A stereo node through which nothing but what is linked to it goes. */
static struct pw_properties *virtual_props(const char *name, const char *description)
{
	/*
	 * In a group with the source: else a recorder, and the stream with it, would begin under
	 * another driver. No link group: the two would be started together, before both have a
	 * format (1.4.2).
	 */
	return pw_properties_new(
		"factory.name", "support.null-audio-sink", PW_KEY_NODE_NAME, name,
		PW_KEY_NODE_GROUP, name, PW_KEY_NODE_DESCRIPTION, description, PW_KEY_MEDIA_CLASS,
		"Audio/Sink", "audio.position", "FL,FR", PW_KEY_NODE_VIRTUAL, "true",
		/*
		 * Never the default while there is another one. Of the class Audio/Sink/Internal
		 * nobody could choose it, but PulseAudio's clients wait for a sink in vain (1.4.2).
		 */
		PW_KEY_PRIORITY_SESSION, "0", PW_KEY_PRIORITY_DRIVER, "0",
		/* Waking up from suspension would cost the first frames of a stream. */
		"session.suspend-timeout-seconds", "0", CAPTURE_RESTORE_PROPS_KEY, "false", NULL);
}

static void virtual_bound(void *data)
{
	(void)data;
}

/* Refused, or somebody removed it. */
static void virtual_gone(void *data, int res, const char *error)
{
	struct capture *capture = data;

	if (capture->undone)
		return;
	pw_log_warn("weir.capture.%s: no virtual sink (%s): what is captured plays where it did "
		    "before",
		    capture->args.name, error != NULL ? error : spa_strerror(res));
	capture->sink.lost = true;
	capture_redirect(capture);
	capture_state_show(capture);
}

static const struct weir_proxy_events virtual_events = {
	.bound = virtual_bound,
	.gone = virtual_gone,
};

static void virtual_create(struct capture *capture)
{
	struct capture_sink *sink = &capture->sink;
	char description[256];

	snprintf(description, sizeof(description), "%s (virtual sink)", capture->args.name);
	sink->virtual = weir_proxy_create(capture->graph.connection.core, "adapter",
					  PW_TYPE_INTERFACE_Node,
					  virtual_props(sink->virtual_name, description));
	if (sink->virtual == NULL)
		virtual_gone(capture, -errno, NULL);
	else
		weir_proxy_add_listener(sink->virtual, &virtual_events, capture);
}

/* It has come: streams whose own target is there are redirected now. */
static void virtual_timeout(void *data, uint64_t expirations)
{
	struct capture *capture = data;

	(void)expirations;
	capture->sink.virtual_known = true;
	capture_redirect(capture);
	capture_state_show(capture);
}

static void virtual_update(struct capture *capture)
{
	struct capture_sink *sink = &capture->sink;

	if (sink->virtual == NULL || sink->virtual_present ||
	    !has_sink(capture, sink->virtual_name))
		return;
	sink->virtual_present = true;
	weir_context_timer_set(capture->graph.connection.context, sink->virtual_timer, SETTLE_NSEC);
}

static void loss_report(const struct capture *capture)
{
	pw_log_warn("weir.capture.%s: sink \"%s\" is gone: what is captured plays where it did "
		    "before until it is back",
		    capture->args.name, capture->args.sink);
}

static void absence_report(const struct capture *capture)
{
	const bool aloop = strstr(capture->args.sink, "snd_aloop") != NULL;

	pw_log_warn("weir.capture.%s: %sno sink \"%s\"%s: using virtual sink \"%s\" instead (no "
		    "action needed).%s",
		    capture->args.name, aloop ? "snd-aloop not loaded (" : "", capture->args.sink,
		    aloop ? ")" : "", capture->sink.virtual_name,
		    aloop ? " For aloop: sudo modprobe snd-aloop" : "");
}

static void sink_use(struct capture *capture)
{
	struct capture_sink *sink = &capture->sink;

	sink->in_use = true;
	sink->lost = false;
	/* In this order: the session manager must know the new place before the old one goes. */
	capture_redirect(capture);
	weir_proxy_destroy(sink->virtual);
	sink->virtual = NULL;
	pw_log_info("weir.capture.%s: using sink \"%s\"", capture->args.name, capture->args.sink);
}

/*
 * Somebody listens at the other end of this sink. Nobody does at that of a virtual one: rather be
 * heard.
 */
static void sink_lose(struct capture *capture)
{
	capture->sink.in_use = false;
	capture->sink.lost = true;
	capture_redirect(capture);
	loss_report(capture);
}

static void sink_timeout(void *data, uint64_t expirations)
{
	struct capture *capture = data;

	(void)expirations;
	if (capture->sink.present)
		sink_use(capture);
	else if (!capture->sink.lost && !is_always_virtual(capture))
		absence_report(capture);
	capture_state_show(capture);
}

/* Takes missing. */
static void needs_set(struct capture *capture, char *missing)
{
	free(capture->sink.missing);
	capture->sink.missing = missing;
	capture->sink.needs_known = true;
	capture_redirect(capture);
}

static void needs_report(void *data, uint64_t expirations)
{
	struct capture *capture = data;
	char *missing = capture_path_get_missing(capture);

	(void)expirations;
	capture->sink.needs_pending = false;
	if (missing == NULL)
		return;
	pw_log_warn("weir.capture.%s: %s: what is captured plays where it did before until that "
		    "is there",
		    capture->args.name, missing);
	needs_set(capture, missing);
	capture_state_show(capture);
}

/*
 * Whoever hears the application through this node hears it directly when no sound gets through. At
 * first the node may only be about to come, and links are made again when a default sink changes.
 */
static void needs_update(struct capture *capture)
{
	struct capture_sink *sink = &capture->sink;
	char *missing;

	if (capture->args.needs == NULL)
		return;
	missing = capture_path_get_missing(capture);
	if (missing == NULL && (sink->missing != NULL || !sink->needs_known)) {
		needs_set(capture, NULL);
		pw_log_info("weir.capture.%s: sound gets through \"%s\"", capture->args.name,
			    capture->args.needs);
	} else if (missing != NULL && (sink->missing != NULL || !sink->needs_known)) {
		if (sink->missing == NULL)
			weir_context_timer_set(capture->graph.connection.context, sink->needs_timer,
					       ABSENT_SECONDS * SPA_NSEC_PER_SEC);
		if (!spa_streq(missing, sink->missing))
			needs_set(capture, missing);
		else
			free(missing);
	} else if (missing != NULL) {
		if (capture_graph_find_target(&capture->graph, capture->args.needs) == NULL)
			needs_report(capture, 1);
		else if (!sink->needs_pending)
			weir_context_timer_set(capture->graph.connection.context, sink->needs_timer,
					       RELINK_NSEC);
		sink->needs_pending = sink->missing == NULL;
		free(missing);
	}
}

void capture_sink_update(struct capture *capture)
{
	struct capture_sink *sink = &capture->sink;
	const bool was_known = sink->known;
	const bool present = sink_is_present(capture);

	needs_update(capture);
	virtual_update(capture);
	if (!capture->args.redirect || (was_known && present == sink->present))
		return;
	sink->known = true;
	sink->present = present;
	if (present && !was_known) {
		sink_use(capture);
	} else if (present) {
		weir_context_timer_set(capture->graph.connection.context, capture->sink.timer,
				       SETTLE_NSEC);
	} else if (sink->in_use) {
		sink_lose(capture);
	} else if (!sink->lost) {
		if (sink->virtual == NULL)
			virtual_create(capture);
		capture_redirect(capture);
		weir_context_timer_set(capture->graph.connection.context, capture->sink.timer,
				       ABSENT_SECONDS * SPA_NSEC_PER_SEC);
	}
}

int capture_sink_init(struct capture *capture)
{
	struct pw_loop *loop = pw_context_get_main_loop(capture->graph.connection.context);
	struct capture_sink *sink = &capture->sink;

	sink->virtual_name = spa_aprintf("weir.capture.%s.sink", capture->args.name);
	sink->timer = pw_loop_add_timer(loop, sink_timeout, capture);
	sink->virtual_timer = pw_loop_add_timer(loop, virtual_timeout, capture);
	sink->needs_timer = pw_loop_add_timer(loop, needs_report, capture);
	if (sink->virtual_name == NULL || sink->timer == NULL || sink->virtual_timer == NULL ||
	    sink->needs_timer == NULL)
		return -errno;
	return 0;
}

void capture_sink_finish(struct capture *capture)
{
	struct pw_loop *loop = pw_context_get_main_loop(capture->graph.connection.context);
	struct capture_sink *sink = &capture->sink;

	weir_proxy_destroy(sink->virtual);
	if (sink->timer != NULL)
		pw_loop_destroy_source(loop, sink->timer);
	if (sink->virtual_timer != NULL)
		pw_loop_destroy_source(loop, sink->virtual_timer);
	if (sink->needs_timer != NULL)
		pw_loop_destroy_source(loop, sink->needs_timer);
	free(sink->virtual_name);
	free(sink->missing);
}
