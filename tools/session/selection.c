/* SPDX-License-Identifier: MIT */
#include "selection.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph/keys.h"
#include "graph/port.h"
#include "tools/cli/message.h"
#include "tools/cli/number.h"

bool node_has_report(const struct session *session, const struct weir_registry_object *node)
{
	return session_find_report(session, node) != NULL;
}

bool node_will_report(const struct weir_registry_object *node)
{
	return !node->known || pw_properties_get(node->props, WEIR_KEY_REPORT);
}

bool node_is_reporting(const struct session *session, const struct weir_registry_object *node)
{
	return node->known && !pw_properties_get(node->props, NODE_PROBE_KEY) &&
	       node_has_report(session, node);
}

bool node_is_sink_or_source(const struct session *session, const struct weir_registry_object *node)
{
	const char *media_class = pw_properties_get(node->props, PW_KEY_MEDIA_CLASS);

	(void)session;
	return media_class && strncmp(media_class, "Audio/", 6) == 0 &&
	       (strstr(media_class, "Sink") || strstr(media_class, "Source") ||
		strstr(media_class, "Duplex"));
}

/* Name NULL: all names. The last one goes to *last. */
static uint32_t count_named(const struct session *session, node_is *is, const char *name,
			    struct weir_registry_object **last)
{
	struct weir_registry_object *node;
	uint32_t n = 0;

	spa_list_for_each(node, weir_registry_get_objects(session->registry, WEIR_REGISTRY_NODE),
			  link)
	{
		if ((name && strcmp(session_get_name(node), name) != 0) || !is(session, node))
			continue;
		*last = node;
		n++;
	}
	return n;
}

uint32_t selection_count(const struct session *session, node_is *is,
			 struct weir_registry_object **last)
{
	return count_named(session, is, NULL, last);
}

bool selection_has_twin(const struct session *session, node_is *is,
			const struct weir_registry_object *node)
{
	struct weir_registry_object *last;

	return count_named(session, is, session_get_name(node), &last) > 1;
}

/* The ids of nodes of this name; NULL: all names, with ids where several nodes share a name. */
static char *list_named(const struct session *session, node_is *is, const char *only_name)
{
	struct weir_registry_object *node;
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	if (!file)
		die("%s", strerror(errno));
	spa_list_for_each(node, weir_registry_get_objects(session->registry, WEIR_REGISTRY_NODE),
			  link)
	{
		const char *name = session_get_name(node);

		if ((only_name && strcmp(name, only_name) != 0) || !is(session, node))
			continue;
		if (ftell(file))
			fputs(", ", file);
		if (only_name)
			fprintf(file, "%u", node->id);
		else if (selection_has_twin(session, is, node))
			fprintf(file, "%s (%u)", name, node->id);
		else
			fputs(name, file);
	}
	if (!ftell(file))
		fputs("none", file);
	if (fclose(file))
		die("%s", strerror(errno));
	return text;
}

char *selection_list(const struct session *session, node_is *is)
{
	return list_named(session, is, NULL);
}

struct weir_registry_object *selection_find(const struct session *session, node_is *is,
					    const char *name)
{
	struct weir_registry_object *node = NULL;
	const uint32_t n = count_named(session, is, name, &node);
	uint32_t id = SPA_ID_INVALID;

	if (n > 1)
		die("%u nodes are named \"%s\". Give the id of one: %s", n, name,
		    list_named(session, is, name));
	if (n == 1)
		return node;
	number_parse(name, &id);
	node = weir_registry_find(session->registry, WEIR_REGISTRY_NODE, id);
	return node && is(session, node) ? node : NULL;
}
