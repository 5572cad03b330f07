/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <spa/utils/string.h>

#include "capture.h"
#include "log.h"

/* Long enough for a card that is just being set up, so that the usual start says nothing. */
#define ABSENT_SECONDS 2
/* From a new sink's ports to the session manager being able to link it; nothing announces that. */
#define SETTLE_NSEC (300 * SPA_NSEC_PER_MSEC)

const char *capture_sink_get_name(const struct capture *capture)
{
	return capture->sink.in_use ? capture->args.sink : capture->sink.virtual_name;
}

static bool node_has_ports(const struct capture *capture, uint32_t id)
{
	struct registry_object *port;

	spa_list_for_each(port, registry_get_objects(capture->registry, REGISTRY_PORT), link)
	{
		if (port->owner_id == id)
			return true;
	}
	return false;
}

static bool sink_is_present(const struct capture *capture)
{
	struct registry_object *node;

	spa_list_for_each(node, registry_get_objects(capture->registry, REGISTRY_NODE), link)
	{
		const char *media_class = pw_properties_get(node->props, PW_KEY_MEDIA_CLASS);

		if (media_class != NULL && spa_strstartswith(media_class, "Audio/Sink") &&
		    spa_streq(pw_properties_get(node->props, PW_KEY_NODE_NAME),
			      capture->args.sink) &&
		    node_has_ports(capture, node->id))
			return true;
	}
	return false;
}

static void timer_set(struct capture *capture, uint64_t nsec)
{
	const struct timespec value = {
		.tv_sec = (time_t)(nsec / SPA_NSEC_PER_SEC),
		.tv_nsec = (long)(nsec % SPA_NSEC_PER_SEC),
	};

	pw_loop_update_timer(pw_context_get_main_loop(capture->context), capture->sink.timer,
			     (struct timespec *)&value, NULL, false);
}

static void virtual_create(struct capture *capture)
{
	struct capture_sink *sink = &capture->sink;
	char description[256];

	snprintf(description, sizeof(description), "%s (virtual sink)", capture->args.name);
	sink->virtual = remote_create(
		capture->core, "adapter", PW_TYPE_INTERFACE_Node,
		capture_node_props(sink->virtual_name, description, "Audio/Sink"));
	if (sink->virtual == NULL)
		pw_log_warn("weir.capture.%s: no virtual sink (%m): what is captured plays on "
			    "the default sink",
			    capture->args.name);
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
	/* In this order: the session manager must know the new place before the old one goes. */
	capture_redirect(capture);
	remote_destroy(sink->virtual);
	sink->virtual = NULL;
	pw_log_info("weir.capture.%s: using sink \"%s\"", capture->args.name, capture->args.sink);
}

static void sink_timeout(void *data, uint64_t expirations)
{
	struct capture *capture = data;

	(void)expirations;
	if (capture->sink.present)
		sink_use(capture);
	else
		absence_report(capture);
}

void capture_sink_update(struct capture *capture)
{
	struct capture_sink *sink = &capture->sink;
	const bool was_known = sink->known;
	const bool present = sink_is_present(capture);

	if (!capture->args.redirect || (was_known && present == sink->present))
		return;
	sink->known = true;
	sink->present = present;
	if (present && !was_known) {
		sink_use(capture);
	} else if (present) {
		timer_set(capture, SETTLE_NSEC);
	} else {
		sink->in_use = false;
		if (sink->virtual == NULL)
			virtual_create(capture);
		capture_redirect(capture);
		timer_set(capture, ABSENT_SECONDS * SPA_NSEC_PER_SEC);
	}
}

int capture_sink_init(struct capture *capture)
{
	struct capture_sink *sink = &capture->sink;

	sink->virtual_name = spa_aprintf("weir.capture.%s.sink", capture->args.name);
	sink->timer = pw_loop_add_timer(pw_context_get_main_loop(capture->context), sink_timeout,
					capture);
	return sink->virtual_name != NULL && sink->timer != NULL ? 0 : -errno;
}

void capture_sink_finish(struct capture *capture)
{
	struct capture_sink *sink = &capture->sink;

	remote_destroy(sink->virtual);
	if (sink->timer != NULL)
		pw_loop_destroy_source(pw_context_get_main_loop(capture->context), sink->timer);
	free(sink->virtual_name);
}
