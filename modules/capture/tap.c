/* SPDX-License-Identifier: MIT */
#include "tap.h"

#include <spa/utils/result.h>

#include "graph/link.h"
#include "graph/log.h"
#include "graph/port.h"
#include "mix.h"

/* A link that failed or was removed stays known, so that it is not made again and again. */
static bool has_link(const struct capture_tap *tap, uint32_t output, uint32_t input)
{
	struct weir_link *link;

	spa_list_for_each(link, &tap->links, link)
	{
		if (link->output == output && link->input == input)
			return true;
	}
	return false;
}

/* No warning: ports go away at any time. */
static void link_changed(void *data, struct weir_link *link)
{
	const struct capture_tap *tap = data;

	if (link->res < 0)
		pw_log_info("weir.capture.%s: no link from port %u to port %u: %s (%s)",
			    tap->graph->args->name, link->output, link->input,
			    link->error != NULL ? link->error : "", spa_strerror(link->res));
}

static const struct weir_link_events link_events = {
	.changed = link_changed,
};

static void link_add(struct capture_tap *tap, const struct weir_registry_object *output,
		     const struct weir_registry_object *input)
{
	struct weir_link *link =
		weir_link_create(&tap->graph->connection, output, input, true, &link_events, tap);

	if (link != NULL)
		spa_list_append(&tap->links, &link->link);
}

static void link_remove(struct weir_link *link)
{
	spa_list_remove(&link->link);
	weir_link_destroy(link);
}

static bool is_output(const struct capture_tap *tap, const struct weir_registry_object *port)
{
	return weir_port_is_of(port, tap->node->id, "out") && !weir_port_is_monitor(port);
}

/* Is the stream's output to be linked to this port, as an input of the source? */
static bool ports_belong(const struct capture_tap *tap, const struct weir_registry_object *output,
			 const struct weir_registry_object *input)
{
	return weir_port_is_of(input, tap->graph->source_id, "in") &&
	       capture_mix_has(pw_properties_get(output->props, PW_KEY_AUDIO_CHANNEL),
			       weir_port_get_name(input), pw_check_library_version(1, 5, 85));
}

static void port_link(struct capture_tap *tap, const struct weir_registry_object *output)
{
	struct weir_registry_object *input;

	spa_list_for_each(input,
			  weir_registry_get_objects(tap->graph->registry, WEIR_REGISTRY_PORT), link)
	{
		if (ports_belong(tap, output, input) && !has_link(tap, output->id, input->id))
			link_add(tap, output, input);
	}
}

void capture_tap_link(struct capture_tap *tap)
{
	struct weir_registry_object *port;

	spa_list_for_each(port, weir_registry_get_objects(tap->graph->registry, WEIR_REGISTRY_PORT),
			  link)
	{
		if (is_output(tap, port))
			port_link(tap, port);
	}
}

static bool port_is_linked(const struct capture_tap *tap, const struct weir_registry_object *output)
{
	struct weir_registry *registry = tap->graph->registry;
	struct weir_registry_object *input;

	spa_list_for_each(input, weir_registry_get_objects(registry, WEIR_REGISTRY_PORT), link)
	{
		if (ports_belong(tap, output, input) &&
		    weir_registry_find_link(registry, output->id, input->id) == NULL)
			return false;
	}
	return true;
}

const struct weir_registry_object *capture_tap_get_missing_port(const struct capture_tap *tap)
{
	struct weir_registry_object *port;

	spa_list_for_each(port, weir_registry_get_objects(tap->graph->registry, WEIR_REGISTRY_PORT),
			  link)
	{
		if (is_output(tap, port) && weir_port_is_audio(port) && !port_is_linked(tap, port))
			return port;
	}
	return NULL;
}

void capture_tap_unlink_port(struct capture_tap *tap, uint32_t port_id)
{
	struct weir_link *link, *next;

	spa_list_for_each_safe(link, next, &tap->links, link)
	{
		if (link->output == port_id || link->input == port_id)
			link_remove(link);
	}
}

void capture_tap_unlink(struct capture_tap *tap)
{
	struct weir_link *link;

	spa_list_consume(link, &tap->links, link) link_remove(link);
}

void capture_tap_init(struct capture_tap *tap, const struct capture_graph *graph,
		      const struct weir_registry_object *node)
{
	tap->graph = graph;
	tap->node = node;
	spa_list_init(&tap->links);
}
