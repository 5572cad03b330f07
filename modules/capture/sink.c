/* SPDX-License-Identifier: MIT */
#include "sink.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <spa/utils/result.h>
#include <spa/utils/string.h>

#include "graph/log.h"
#include "graph/proxy.h"
#include "path.h"
#include "sink_state.h"

/* A card that is just being set up appears sooner, so that the usual start logs no warning. */
#define ABSENT_SECONDS 4
/* From a new sink's first port until the session manager can link it; no event announces that. */
#define SETTLE_NSEC (300 * SPA_NSEC_PER_MSEC)
/* Links that move to another default sink are missing for a shorter time. */
#define RELINK_NSEC (500 * SPA_NSEC_PER_MSEC)

/* The virtual sink, as far as streams can be sent to it. */
enum virtual_state {
	VIRTUAL_ABSENT,
	VIRTUAL_PRESENT, /* it has ports */
	VIRTUAL_KNOWN,	 /* the session manager can link it */
};

struct capture_sink {
	const struct capture_graph *graph;
	const struct capture_sink_events *events;
	void *data;
	bool ended; /* nothing is reported any more */

	enum sink_state state;
	bool present; /* args.sink */
	char *virtual_name;
	struct weir_proxy *virtual; /* NULL while streams go to args.sink */
	enum virtual_state virtual_state;
	enum needs_state needs;
	char *missing; /* in NEEDS_MISSING the missing link or node, else NULL */
	struct spa_source *timer, *virtual_timer, *needs_timer;
};

const char *capture_sink_get_name(const struct capture_sink *sink)
{
	return sink->state == SINK_IN_USE ? sink->graph->args->sink : sink->virtual_name;
}

bool capture_sink_is_target(const struct capture_sink *sink, const char *target)
{
	return spa_streq(capture_graph_get_target_name(sink->graph, target),
			 sink->graph->args->sink) ||
	       capture_sink_is_virtual_target(sink, target);
}

bool capture_sink_is_virtual_target(const struct capture_sink *sink, const char *target)
{
	return spa_streq(capture_graph_get_target_name(sink->graph, target), sink->virtual_name);
}

const char *capture_sink_get_virtual_name(const struct capture_sink *sink)
{
	return sink->virtual_name;
}

bool capture_sink_is_redirecting(const struct capture_sink *sink)
{
	return sink->graph->args->redirect && sink->state != SINK_LOST && sink->missing == NULL;
}

bool capture_sink_is_lost(const struct capture_sink *sink)
{
	return sink->state == SINK_LOST;
}

const char *capture_sink_get_missing(const struct capture_sink *sink)
{
	return sink->missing;
}

static bool node_has_ports(const struct capture_sink *sink, uint32_t id)
{
	struct weir_registry_object *port;

	spa_list_for_each(
		port, weir_registry_get_objects(sink->graph->registry, WEIR_REGISTRY_PORT), link)
	{
		if (port->owner_id == id)
			return true;
	}
	return false;
}

static bool is_always_virtual(const struct capture_sink *sink)
{
	return spa_streq(sink->graph->args->sink, "virtual") ||
	       spa_streq(sink->graph->args->sink, sink->virtual_name);
}

/* Does the session manager link streams to the node? */
static bool node_is_sink(const struct weir_registry_object *node)
{
	const char *class = pw_properties_get(node->props, PW_KEY_MEDIA_CLASS);

	return class != NULL &&
	       (spa_strstartswith(class, "Audio/Sink") || spa_streq(class, "Audio/Duplex"));
}

bool capture_sink_is_known(const struct capture_sink *sink)
{
	return sink->state == SINK_IN_USE || sink->virtual_state == VIRTUAL_KNOWN;
}

bool capture_sink_is_substitute(const struct capture_sink *sink)
{
	/* Without snd-aloop users expect the virtual sink. */
	return sink->graph->args->redirect && sink->state != SINK_IN_USE &&
	       !is_always_virtual(sink) && strstr(sink->graph->args->sink, "snd_aloop") == NULL;
}

bool capture_sink_is_default(const struct capture_sink *sink)
{
	const struct weir_registry_object *output =
		weir_registry_find_default_sink(sink->graph->registry);

	return output != NULL &&
	       spa_streq(pw_properties_get(output->props, PW_KEY_NODE_NAME), sink->virtual_name);
}

/* Is there a sink of this name, with ports? */
static bool has_sink(const struct capture_sink *sink, const char *name)
{
	struct weir_registry_object *node;

	spa_list_for_each(
		node, weir_registry_get_objects(sink->graph->registry, WEIR_REGISTRY_NODE), link)
	{
		if (node_is_sink(node) &&
		    spa_streq(pw_properties_get(node->props, PW_KEY_NODE_NAME), name) &&
		    node_has_ports(sink, node->id))
			return true;
	}
	return false;
}

/* A stereo node that passes only the sound that is linked to it. */
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
		 * Never the default while there is another one. With the class Audio/Sink/Internal
		 * no user could choose it, but PulseAudio clients would wait for a sink for ever
		 * (1.4.2).
		 */
		PW_KEY_PRIORITY_SESSION, "0", PW_KEY_PRIORITY_DRIVER, "0",
		/* Waking up from suspension would cost the first frames of a stream. */
		"session.suspend-timeout-seconds", "0", CAPTURE_RESTORE_PROPS_KEY, "false", NULL);
}

static void timer_set(const struct capture_sink *sink, struct spa_source *timer, uint64_t nsec)
{
	weir_context_timer_set(sink->graph->connection.context, timer, nsec);
}

static void virtual_bound(void *data)
{
	(void)data;
}

static void sink_apply(struct capture_sink *sink, enum sink_event event);

/* Refused, or another program removed it. */
static void virtual_gone(void *data, int res, const char *error)
{
	struct capture_sink *sink = data;

	if (sink->ended)
		return;
	pw_log_warn("weir.capture.%s: no virtual sink (%s): captured streams play on their "
		    "previous sinks",
		    sink->graph->args->name, error != NULL ? error : spa_strerror(res));
	sink_apply(sink, SINK_REFUSED);
}

static const struct weir_proxy_events virtual_events = {
	.bound = virtual_bound,
	.gone = virtual_gone,
};

static void virtual_create(struct capture_sink *sink)
{
	char description[256];

	snprintf(description, sizeof(description), "%s (virtual sink)", sink->graph->args->name);
	sink->virtual = weir_proxy_create(sink->graph->connection.core, "adapter",
					  PW_TYPE_INTERFACE_Node,
					  virtual_props(sink->virtual_name, description));
	if (sink->virtual == NULL)
		virtual_gone(sink, -errno, NULL);
	else
		weir_proxy_add_listener(sink->virtual, &virtual_events, sink);
}

/* Now streams that have a target of their own are redirected, too. */
static void virtual_timeout(void *data, uint64_t expirations)
{
	struct capture_sink *sink = data;

	(void)expirations;
	sink->virtual_state = VIRTUAL_KNOWN;
	sink->events->changed(sink->data);
}

static void virtual_update(struct capture_sink *sink)
{
	if (sink->virtual == NULL || sink->virtual_state != VIRTUAL_ABSENT ||
	    !has_sink(sink, sink->virtual_name))
		return;
	sink->virtual_state = VIRTUAL_PRESENT;
	timer_set(sink, sink->virtual_timer, SETTLE_NSEC);
}

static void absence_report(const struct capture_sink *sink)
{
	const struct capture_args *args = sink->graph->args;
	const bool aloop = strstr(args->sink, "snd_aloop") != NULL;

	pw_log_warn("weir.capture.%s: %sno sink \"%s\"%s: using virtual sink \"%s\" instead (no "
		    "action needed).%s",
		    args->name, aloop ? "snd-aloop not loaded (" : "", args->sink, aloop ? ")" : "",
		    sink->virtual_name, aloop ? " For aloop: sudo modprobe snd-aloop" : "");
}

static void sink_apply(struct capture_sink *sink, enum sink_event event)
{
	const struct capture_args *args = sink->graph->args;
	const struct sink_change change = sink_handle(sink->state, event);

	sink->state = change.next;
	switch (change.action) {
	case SINK_NOTHING:
		break;
	case SINK_WAIT:
		timer_set(sink, sink->timer, SETTLE_NSEC);
		break;
	case SINK_USE:
		pw_log_info("weir.capture.%s: using sink \"%s\"", args->name, args->sink);
		/* First: the session manager must know the new sink before the old one goes. */
		sink->events->changed(sink->data);
		weir_proxy_destroy(sink->virtual);
		sink->virtual = NULL;
		break;
	case SINK_SUBSTITUTE:
		if (sink->virtual == NULL)
			virtual_create(sink);
		sink->events->changed(sink->data);
		timer_set(sink, sink->timer, ABSENT_SECONDS * SPA_NSEC_PER_SEC);
		break;
	case SINK_LOSE:
		pw_log_warn("weir.capture.%s: sink \"%s\" is gone: captured streams play on their "
			    "previous sinks until it is back",
			    args->name, args->sink);
		SPA_FALLTHROUGH;
	case SINK_RELEASE:
		sink->events->changed(sink->data);
		break;
	case SINK_REPORT:
		if (!is_always_virtual(sink))
			absence_report(sink);
		break;
	}
}

static void sink_timeout(void *data, uint64_t expirations)
{
	struct capture_sink *sink = data;

	(void)expirations;
	sink_apply(sink, sink->present ? SINK_SETTLED : SINK_LATE);
}

/* Takes missing, NULL: nothing. */
static void needs_set(struct capture_sink *sink, char *missing)
{
	free(sink->missing);
	sink->missing = missing;
	sink->events->changed(sink->data);
}

/* Takes missing. */
static void needs_apply(struct capture_sink *sink, enum needs_event event, char *missing)
{
	const struct capture_args *args = sink->graph->args;
	const struct needs_change change = needs_handle(sink->needs, event);

	sink->needs = change.next;
	switch (change.action) {
	case NEEDS_NOTHING:
		break;
	case NEEDS_WAIT:
		timer_set(sink, sink->needs_timer, RELINK_NSEC);
		break;
	case NEEDS_REDIRECT:
		pw_log_info("weir.capture.%s: the path through \"%s\" is complete", args->name,
			    args->needs);
		needs_set(sink, NULL);
		return;
	case NEEDS_RELEASE:
		if (spa_streq(missing, sink->missing))
			break;
		needs_set(sink, missing);
		return;
	case NEEDS_RELEASE_FIRST:
		timer_set(sink, sink->needs_timer, ABSENT_SECONDS * SPA_NSEC_PER_SEC);
		needs_set(sink, missing);
		return;
	case NEEDS_REPORT:
		pw_log_warn("weir.capture.%s: %s: captured streams play on their previous sinks "
			    "until it appears",
			    args->name, missing);
		needs_set(sink, missing);
		return;
	}
	free(missing);
}

static void needs_timeout(void *data, uint64_t expirations)
{
	struct capture_sink *sink = data;
	char *missing = capture_path_get_missing(sink->graph);

	(void)expirations;
	needs_apply(sink, missing == NULL ? NEEDS_STILL_FOUND : NEEDS_STILL_BROKEN, missing);
}

static void needs_update(struct capture_sink *sink)
{
	const char *needs = sink->graph->args->needs;
	char *missing;

	if (needs == NULL)
		return;
	missing = capture_path_get_missing(sink->graph);
	if (missing == NULL)
		needs_apply(sink, NEEDS_FOUND, NULL);
	else if (capture_graph_find_target(sink->graph, needs) == NULL)
		needs_apply(sink, NEEDS_GONE, missing);
	else
		needs_apply(sink, NEEDS_BROKEN, missing);
}

void capture_sink_start(struct capture_sink *sink)
{
	const bool present = !is_always_virtual(sink) && has_sink(sink, sink->graph->args->sink);

	needs_update(sink);
	virtual_update(sink);
	if (!sink->graph->args->redirect ||
	    (sink->state != SINK_UNKNOWN && present == sink->present))
		return;
	sink->present = present;
	sink_apply(sink, present ? SINK_PRESENT : SINK_ABSENT);
}

void capture_sink_update(struct capture_sink *sink)
{
	if (sink->state != SINK_UNKNOWN)
		capture_sink_start(sink);
}

void capture_sink_end(struct capture_sink *sink)
{
	sink->ended = true;
}

struct capture_sink *capture_sink_create(const struct capture_graph *graph,
					 const struct capture_sink_events *events, void *data)
{
	struct pw_loop *loop = pw_context_get_main_loop(graph->connection.context);
	struct capture_sink *sink = calloc(1, sizeof(*sink));

	if (sink == NULL)
		return NULL;
	sink->graph = graph;
	sink->events = events;
	sink->data = data;
	sink->virtual_name = spa_aprintf("weir.capture.%s.sink", graph->args->name);
	sink->timer = pw_loop_add_timer(loop, sink_timeout, sink);
	sink->virtual_timer = pw_loop_add_timer(loop, virtual_timeout, sink);
	sink->needs_timer = pw_loop_add_timer(loop, needs_timeout, sink);
	if (sink->virtual_name != NULL && sink->timer != NULL && sink->virtual_timer != NULL &&
	    sink->needs_timer != NULL)
		return sink;
	capture_sink_destroy(sink);
	errno = ENOMEM;
	return NULL;
}

void capture_sink_destroy(struct capture_sink *sink)
{
	struct pw_context *context;

	if (sink == NULL)
		return;
	context = sink->graph->connection.context;
	weir_proxy_destroy(sink->virtual);
	weir_context_timer_destroy(context, sink->timer);
	weir_context_timer_destroy(context, sink->virtual_timer);
	weir_context_timer_destroy(context, sink->needs_timer);
	free(sink->virtual_name);
	free(sink->missing);
	free(sink);
}
