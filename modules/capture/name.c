/* SPDX-License-Identifier: MIT */

/*
 * A capture's name is its own: two of one name would lead each stream to two sources that nobody
 * can tell apart, and to two virtual sinks. The one that is there already stays.
 */

#include <errno.h>
#include <stdio.h>

#include <spa/utils/string.h>

#include "capture.h"
#include "graph/log.h"

static void twin_report(const struct capture *capture, const struct spa_dict *twin)
{
	const char *host = spa_dict_lookup(twin, CAPTURE_HOST_KEY);
	char own[256];

	capture_get_host(capture, own, sizeof(own));
	pw_log_error("weir.capture.%s: the one in \"%s\" has this name: the one in \"%s\" does not "
		     "start. Give one of them another capture.name, or delete one of the two files",
		     capture->args.name, host != NULL ? host : "?", own);
}

static bool is_twin(const struct capture *capture, const struct spa_dict *props)
{
	char name[256];

	snprintf(name, sizeof(name), "weir.capture.%s", capture->args.name);
	return spa_streq(spa_dict_lookup(props, PW_KEY_NODE_NAME), name) &&
	       !spa_streq(spa_dict_lookup(props, CAPTURE_STATE_KEY), CAPTURE_STATE_ENDING);
}

static int impl_check(void *data, struct pw_global *global)
{
	const struct capture *capture = data;
	const struct pw_properties *props;

	if (!pw_global_is_type(global, PW_TYPE_INTERFACE_Node))
		return 0;
	props = pw_impl_node_get_properties(pw_global_get_object(global));
	if (!is_twin(capture, &props->dict))
		return 0;
	twin_report(capture, &props->dict);
	return -EEXIST;
}

int capture_name_check_impl(struct capture *capture)
{
	return pw_context_for_each_global(capture->graph.connection.context, impl_check, capture);
}

bool capture_name_is_taken(const struct capture *capture)
{
	const struct weir_registry_object *own = weir_registry_find(
		capture->graph.registry, WEIR_REGISTRY_NODE, capture->graph.source_id);
	struct weir_registry_object *node;

	spa_list_for_each(
		node, weir_registry_get_objects(capture->graph.registry, WEIR_REGISTRY_NODE), link)
	{
		if (node == own || !node->known || !is_twin(capture, &node->props->dict) ||
		    (own != NULL && own->serial < node->serial))
			continue;
		twin_report(capture, &node->props->dict);
		return true;
	}
	return false;
}
