/* SPDX-License-Identifier: MIT */
/*
 * libpipewire-module-weir-links: links that are made again whenever both ends are there. Its manual
 * is man/libpipewire-module-weir-links.7.
 */
#include <errno.h>

#include "graph/log.h"
#include "links.h"

PW_LOG_TOPIC(weir_topic, "mod.weir-links");

static const struct spa_dict_item module_props[] = {
	{ PW_KEY_MODULE_AUTHOR, "weir" },
	{ PW_KEY_MODULE_DESCRIPTION, "Keep links between nodes" },
	{ PW_KEY_MODULE_USAGE, "links=[ { from=<node[:port]> to=<node[:port]> "
			       "( passive=true|false ) } ... ]" },
	{ PW_KEY_MODULE_VERSION, WEIR_VERSION },
};

SPA_EXPORT int pipewire__module_init(struct pw_impl_module *module, const char *string);

int pipewire__module_init(struct pw_impl_module *module, const char *string)
{
	struct links_args args = { .n_rules = 0 };
	int res;

	PW_LOG_TOPIC_INIT(weir_topic);
	res = links_args_init(&args, string);
	if (res < 0)
		return res;
	res = links_create(module, &args);
	if (res == 0)
		pw_impl_module_update_properties(module, &SPA_DICT_INIT_ARRAY(module_props));
	return res;
}
