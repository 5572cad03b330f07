/* SPDX-License-Identifier: MIT */
#include "end.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <spa/utils/string.h>

#include "graph/log.h"

/* Long enough for a program or a card that is just starting: a usual start logs no warning. */
#define MISSING_NSEC (2 * SPA_NSEC_PER_SEC)

/* The rest of text after the name of this node, NULL: text does not begin with the name. */
static const char *text_after_name(const struct links_end *end, const char *name)
{
	const char *rest;

	if (!spa_strstartswith(end->text, name))
		return NULL;
	rest = end->text + strlen(name);
	return *rest == '\0' || *rest == ':' ? rest : NULL;
}

/* Names of nodes can have a ":", too: "a:b" is the node "a:b" rather than a port of "a". */
static size_t longest_name(const struct links_end *end, struct weir_registry *registry)
{
	struct weir_registry_object *node;
	size_t longest = 0;

	spa_list_for_each(node, weir_registry_get_objects(registry, WEIR_REGISTRY_NODE), link)
	{
		const char *name = pw_properties_get(node->props, PW_KEY_NODE_NAME);

		if (name != NULL && strlen(name) > longest && text_after_name(end, name) != NULL)
			longest = strlen(name);
	}
	return longest;
}

/* port: the one that it names there, NULL: all. */
static bool end_names_node(const struct links_end *end, struct weir_registry *registry,
			   const struct links_ports *ports, const char **port)
{
	const char *name = pw_properties_get(ports->node->props, PW_KEY_NODE_NAME);
	const char *rest;

	if (name == NULL)
		return false;
	if (end->is_regex) {
		*port = end->regex_port;
		return regexec(&end->regex, name, 0, NULL, 0) == 0;
	}
	if (end->follows_default)
		rest = ports->node == weir_registry_find_default_sink(registry)
			       ? strchrnul(end->text, ':')
			       : NULL;
	else
		rest = text_after_name(end, name);
	if (rest == NULL || strlen(name) < ports->name_length)
		return false;
	*port = *rest == ':' ? rest + 1 : NULL;
	return true;
}

enum port_kind {
	PORT_BY_NAME,
	PORT_BY_CHANNEL,
	PORT_OF_NODE,
	PORT_MONITOR_OF_NODE,
	PORT_ANY,
};

static bool port_is_kind(const struct weir_registry_object *port, enum port_kind kind,
			 const char *name)
{
	switch (kind) {
	case PORT_BY_NAME:
		return spa_streq(weir_port_get_name(port), name);
	case PORT_BY_CHANNEL:
		return spa_streq(pw_properties_get(port->props, PW_KEY_AUDIO_CHANNEL), name);
	case PORT_OF_NODE:
		return weir_port_is_audio(port) && !weir_port_is_monitor(port) &&
		       !weir_port_is_extra(port);
	case PORT_MONITOR_OF_NODE:
		return weir_port_is_audio(port);
	default:
		return true;
	}
}

static void ports_find(struct links_ports *ports, struct weir_registry *registry,
		       const char *direction, enum port_kind kind, const char *name)
{
	struct weir_registry_object *port;

	ports->list.n = 0;
	spa_list_for_each(port, weir_registry_get_objects(registry, WEIR_REGISTRY_PORT), link)
	{
		if (weir_port_is_of(port, ports->node->id, direction) &&
		    port_is_kind(port, kind, name))
			weir_port_list_add(&ports->list, port);
	}
}

/* By name, a channel is meant where no port has that name; by node, a sink's monitor where the sink
 * has no other outputs. */
static void end_find_ports(const struct links_end *end, struct weir_registry *registry,
			   struct links_ports *ports, const char *name)
{
	static const enum port_kind tries[2][2] = {
		{ PORT_OF_NODE, PORT_MONITOR_OF_NODE },
		{ PORT_BY_NAME, PORT_BY_CHANNEL },
	};
	const enum port_kind *kind = tries[name != NULL];

	ports->named = name != NULL;
	ports_find(ports, registry, end->direction, kind[0], name);
	if (ports->list.n == 0)
		ports_find(ports, registry, end->direction, kind[1], name);
}

bool links_end_next(const struct links_end *end, struct weir_registry *registry,
		    struct links_ports *ports)
{
	struct spa_list *nodes = weir_registry_get_objects(registry, WEIR_REGISTRY_NODE);
	struct spa_list *next = ports->node != NULL ? ports->node->link.next : nodes->next;
	const char *name;

	if (ports->node == NULL)
		ports->name_length =
			end->is_regex || end->follows_default ? 0 : longest_name(end, registry);
	for (; next != nodes; next = next->next) {
		ports->node = SPA_CONTAINER_OF(next, struct weir_registry_object, link);
		if (!end_names_node(end, registry, ports, &name))
			continue;
		end_find_ports(end, registry, ports, name);
		return true;
	}
	return false;
}

static uint64_t now_nsec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return SPA_TIMESPEC_TO_NSEC(&now);
}

void links_end_set_state(struct links_end *end, enum links_end_state state)
{
	end->seen = end->seen || state == LINKS_END_PRESENT;
	if (state == end->state)
		return;
	end->state = state;
	end->missing_since = now_nsec();
	end->reported = false;
}

/* A guess without the node: a name may contain ":". */
static size_t node_name_length(const struct links_end *end)
{
	const char *port = strrchr(end->text, ':');

	if (end->is_regex ? end->regex_port == NULL : port == NULL)
		return strlen(end->text);
	return (size_t)(port - end->text);
}

static void node_report(const struct links_end *end, unsigned int rule)
{
	/* One that was there once is known to be spelled right. */
	const enum spa_log_level level = end->seen ? SPA_LOG_LEVEL_INFO : SPA_LOG_LEVEL_WARN;

	if (end->follows_default)
		pw_log(level, "weir-links: links[%u]: waiting for a default sink (%s = \"%s\")",
		       rule, end->key, end->text);
	else
		pw_log(level, "weir-links: links[%u]: waiting for node \"%.*s\" (%s = \"%s\")",
		       rule, (int)node_name_length(end), end->text, end->key, end->text);
}

static void port_report(const struct links_end *end, unsigned int rule,
			struct weir_registry *registry)
{
	struct links_ports ports = { .node = NULL };
	const char *what = spa_streq(end->direction, "in") ? "input" : "output";
	char names[1024] = "";
	size_t length = 0;
	unsigned int i;

	if (!links_end_next(end, registry, &ports))
		return;
	ports_find(&ports, registry, end->direction, PORT_ANY, NULL);
	for (i = 0; i < ports.list.n && length < sizeof(names); i++)
		length += (size_t)snprintf(names + length, sizeof(names) - length, "%s%s",
					   i > 0 ? ", " : "",
					   weir_port_get_name(ports.list.ports[i]));
	pw_log_warn("weir-links: links[%u]: node \"%s\" has no such %s (%s = \"%s\"). It has: %s",
		    rule, pw_properties_get(ports.node->props, PW_KEY_NODE_NAME), what, end->key,
		    end->text, ports.list.n > 0 ? names : "none");
}

uint64_t links_end_report(struct links_end *end, unsigned int rule, struct weir_registry *registry)
{
	uint64_t age = now_nsec() - end->missing_since;

	if (end->state == LINKS_END_PRESENT || end->reported)
		return 0;
	if (age < MISSING_NSEC)
		return MISSING_NSEC - age;
	end->reported = true;
	if (end->state == LINKS_END_NO_NODE)
		node_report(end, rule);
	else
		port_report(end, rule, registry);
	return 0;
}
