/* SPDX-License-Identifier: MIT */

/* The factory list of libspa-weir.so: weir.UNIT for every unit. */

#include <errno.h>
#include <spa/support/plugin.h>
#include <spa/utils/names.h>
#include <stdio.h>
#include <string.h>

#include "spa/node/log.h"
#include "unit_node.h"

#define PREFIX "weir."

#ifdef SPA_LOG_TOPIC_ENUM_DEFINE
static struct spa_log_topic *const log_topics[] = { &weir_node_topic };

SPA_LOG_TOPIC_ENUM_DEFINE(log_topics, log_topics + 1);
#endif

struct unit_handle {
	struct spa_handle handle;
	struct weir_unit_node *node;
};

static int get_interface(struct spa_handle *handle, const char *type, void **interface)
{
	struct unit_handle *unit_handle = (struct unit_handle *)handle;

	if (strcmp(type, SPA_TYPE_INTERFACE_Node) != 0)
		return -ENOENT;
	*interface = weir_unit_node_get_spa_node(unit_handle->node);
	return 0;
}

static int clear(struct spa_handle *handle)
{
	weir_unit_node_destroy(((struct unit_handle *)handle)->node);
	return 0;
}

static size_t get_size(const struct spa_handle_factory *factory, const struct spa_dict *params)
{
	(void)factory;
	(void)params;
	return sizeof(struct unit_handle);
}

static int init(const struct spa_handle_factory *factory, struct spa_handle *handle,
		const struct spa_dict *info, const struct spa_support *support, uint32_t n_support)
{
	struct unit_handle *unit_handle = (struct unit_handle *)handle;

	unit_handle->handle = (struct spa_handle){
		.version = SPA_VERSION_HANDLE,
		.get_interface = get_interface,
		.clear = clear,
	};
	unit_handle->node = weir_unit_node_create(weir_unit_find(factory->name + strlen(PREFIX)),
						  info, support, n_support);
	return unit_handle->node ? 0 : -errno;
}

static int enum_interface_info(const struct spa_handle_factory *factory,
			       const struct spa_interface_info **info, uint32_t *index)
{
	static const struct spa_interface_info interfaces[] = { { SPA_TYPE_INTERFACE_Node } };

	(void)factory;
	if (*index >= SPA_N_ELEMENTS(interfaces))
		return 0;
	*info = &interfaces[(*index)++];
	return 1;
}

SPA_EXPORT int spa_handle_factory_enum(const struct spa_handle_factory **factory, uint32_t *index)
{
	static struct spa_handle_factory factories[WEIR_MAX_UNITS];
	static char names[WEIR_MAX_UNITS][64];
	const uint32_t i = *index;
	const struct weir_unit *unit = weir_unit_get(i);

	if (!unit)
		return 0;
	snprintf(names[i], sizeof(names[i]), PREFIX "%s", unit->name);
	factories[i] = (struct spa_handle_factory){
		.version = SPA_VERSION_HANDLE_FACTORY,
		.name = names[i],
		.get_size = get_size,
		.init = init,
		.enum_interface_info = enum_interface_info,
	};
	*factory = &factories[i];
	(*index)++;
	return 1;
}
