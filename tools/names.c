/* SPDX-License-Identifier: MIT */
#include "names.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../modules/port.h"
#include "message.h"

bool node_is_reporting(const struct graph *graph, const struct registry_object *node)
{
	return graph_find_report(graph, node) != NULL;
}

bool node_is_sink_or_source(const struct graph *graph, const struct registry_object *node)
{
	const char *media_class = pw_properties_get(node->props, PW_KEY_MEDIA_CLASS);

	(void)graph;
	return media_class && strncmp(media_class, "Audio/", 6) == 0 &&
	       (strstr(media_class, "Sink") || strstr(media_class, "Source") ||
		strstr(media_class, "Duplex"));
}

uint32_t names_count(const struct graph *graph, node_is *is, struct registry_object **last)
{
	struct registry_object *node;
	uint32_t n = 0;

	spa_list_for_each(node, registry_get_objects(graph->registry, REGISTRY_NODE), link)
	{
		if (!is(graph, node))
			continue;
		*last = node;
		n++;
	}
	return n;
}

char *names_list(const struct graph *graph, node_is *is)
{
	struct registry_object *node;
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	if (!file)
		fail("%s", strerror(errno));
	spa_list_for_each(node, registry_get_objects(graph->registry, REGISTRY_NODE), link)
	{
		if (is(graph, node))
			fprintf(file, "%s%s", ftell(file) ? ", " : "", graph_get_name(node));
	}
	if (!ftell(file))
		fputs("none", file);
	if (fclose(file))
		fail("%s", strerror(errno));
	return text;
}

bool names_has(const char *names, const char *name)
{
	const size_t length = strlen(name);

	for (const char *at = names; (at = strstr(at, name)); at += length)
		if ((at == names || at[-1] == ' ') && (!at[length] || at[length] == ' '))
			return true;
	return false;
}
