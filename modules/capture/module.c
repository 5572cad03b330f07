/* SPDX-License-Identifier: MIT */
/*
 * libpipewire-module-weir-capture: a source of what one program plays. Its manual, with all options
 * and properties, is man/libpipewire-module-weir-capture.7.
 */
#include <errno.h>

#include "capture.h"
#include "graph/log.h"

PW_LOG_TOPIC(weir_topic, "mod.weir-capture");

static const struct spa_dict_item module_props[] = {
	{ PW_KEY_MODULE_AUTHOR, "weir" },
	{ PW_KEY_MODULE_DESCRIPTION, "Capture what an application plays" },
	{ PW_KEY_MODULE_USAGE,
	  "capture.name=<name> capture.match=<array of matches> "
	  "( capture.exclude=<array of matches> ) ( capture.mode=redirect|tap ) "
	  "( capture.sink=<node.name> ) ( capture.needs=<node.name> ) ( capture.rate=<0.25 to 4> ) "
	  "( capture.glide-ms=<0 to 10000> )" },
	{ PW_KEY_MODULE_VERSION, WEIR_VERSION },
};

SPA_EXPORT int pipewire__module_init(struct pw_impl_module *module, const char *string);

int pipewire__module_init(struct pw_impl_module *module, const char *string)
{
	struct capture_args args;
	int res;

	PW_LOG_TOPIC_INIT(weir_topic);
	res = capture_args_parse(&args, string != NULL ? string : "");
	if (res < 0)
		return res;
	res = capture_create(module, &args);
	if (res == 0)
		pw_impl_module_update_properties(module, &SPA_DICT_INIT_ARRAY(module_props));
	return res;
}
