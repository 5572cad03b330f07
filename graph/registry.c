/* SPDX-License-Identifier: MIT */
#include "registry.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <pipewire/extensions/metadata.h>
#include <spa/utils/string.h>

#include "log.h"

#define TARGET_KEY "target.object"
#define TARGET_NODE_KEY "target.node"
#define DEFAULT_SINK_KEY "default.audio.sink"
#define DEFAULT_SOURCE_KEY "default.audio.source"

struct weir_registry {
	struct pw_core *core;
	struct spa_hook core_listener;
	struct pw_registry *proxy;
	struct spa_hook listener;

	const struct weir_registry_events *events;
	void *data;

	struct spa_list objects[WEIR_REGISTRY_N_TYPES];

	struct pw_proxy *metadata;
	uint32_t metadata_id;
	struct spa_hook metadata_proxy_listener;
	struct spa_hook metadata_listener;
	bool metadata_reported;
	char *default_sink;
	char *default_source;

	int sync; /* of the newest thing that was asked for */
};

void weir_registry_sync(struct weir_registry *registry)
{
	registry->sync = pw_core_sync(registry->core, PW_ID_CORE, registry->sync);
}

struct spa_list *weir_registry_get_objects(struct weir_registry *registry,
					   enum weir_registry_type type)
{
	return &registry->objects[type];
}

struct weir_registry_object *weir_registry_find(struct weir_registry *registry,
						enum weir_registry_type type, uint32_t id)
{
	struct weir_registry_object *object;

	spa_list_for_each(object, &registry->objects[type], link)
	{
		if (object->id == id)
			return object;
	}
	return NULL;
}

struct weir_registry_object *weir_registry_find_link(struct weir_registry *registry,
						     uint32_t output, uint32_t input)
{
	struct weir_registry_object *object;

	spa_list_for_each(object, &registry->objects[WEIR_REGISTRY_LINK], link)
	{
		if (weir_registry_object_get_id(object, PW_KEY_LINK_OUTPUT_PORT) == output &&
		    weir_registry_object_get_id(object, PW_KEY_LINK_INPUT_PORT) == input)
			return object;
	}
	return NULL;
}

uint32_t weir_registry_object_get_id(const struct weir_registry_object *object, const char *key)
{
	return pw_properties_get_uint32(object->props, key, SPA_ID_INVALID);
}

/* Of those that are gone only weir's own are forgotten: the global's need not be among them. */
static void object_set_props(struct weir_registry_object *object, const struct spa_dict *props)
{
	uint32_t i;

	for (i = object->props->dict.n_items; i > 0; i--) {
		const char *key = object->props->dict.items[i - 1].key;

		if (spa_strstartswith(key, "weir.") && spa_dict_lookup_item(props, key) == NULL)
			pw_properties_set(object->props, key, NULL);
	}
	pw_properties_update(object->props, props);
}

static void object_info(struct weir_registry_object *object, const struct spa_dict *props)
{
	if (props != NULL)
		object_set_props(object, props);
	object->known = true;
	object->registry->events->changed(object->registry->data, object);
}

static void node_info(void *data, const struct pw_node_info *info)
{
	struct weir_registry_object *object = data;

	if (info->change_mask & PW_NODE_CHANGE_MASK_STATE)
		object->running = info->state == PW_NODE_STATE_RUNNING;
	if (info->change_mask & (PW_NODE_CHANGE_MASK_STATE | PW_NODE_CHANGE_MASK_PROPS))
		object_info(object,
			    info->change_mask & PW_NODE_CHANGE_MASK_PROPS ? info->props : NULL);
}

static const struct pw_node_events node_events = {
	PW_VERSION_NODE_EVENTS,
	.info = node_info,
};

static void client_info(void *data, const struct pw_client_info *info)
{
	if (info->change_mask & PW_CLIENT_CHANGE_MASK_PROPS)
		object_info(data, info->props);
}

static const struct pw_client_events client_events = {
	PW_VERSION_CLIENT_EVENTS,
	.info = client_info,
};

static void object_proxy_removed(void *data)
{
	struct weir_registry_object *object = data;

	pw_proxy_destroy(object->proxy);
}

static void object_proxy_destroy(void *data)
{
	struct weir_registry_object *object = data;

	spa_hook_remove(&object->proxy_listener);
	spa_hook_remove(&object->object_listener);
	object->proxy = NULL;
}

static const struct pw_proxy_events object_proxy_events = {
	PW_VERSION_PROXY_EVENTS,
	.removed = object_proxy_removed,
	.destroy = object_proxy_destroy,
};

static const struct {
	const char *interface;
	const char *owner_key;
	uint32_t version;
	const void *events; /* NULL: the global has all properties */
} types[WEIR_REGISTRY_N_TYPES] = {
	[WEIR_REGISTRY_NODE] = { PW_TYPE_INTERFACE_Node, PW_KEY_CLIENT_ID, PW_VERSION_NODE,
				 &node_events },
	[WEIR_REGISTRY_CLIENT] = { PW_TYPE_INTERFACE_Client, NULL, PW_VERSION_CLIENT,
				   &client_events },
	[WEIR_REGISTRY_PORT] = { PW_TYPE_INTERFACE_Port, PW_KEY_NODE_ID, PW_VERSION_PORT, NULL },
	[WEIR_REGISTRY_LINK] = { PW_TYPE_INTERFACE_Link, PW_KEY_LINK_OUTPUT_NODE, PW_VERSION_LINK,
				 NULL },
};

static void object_destroy(struct weir_registry_object *object)
{
	if (object->proxy != NULL)
		pw_proxy_destroy(object->proxy);
	pw_properties_free(object->props);
	free(object->target);
	free(object->target_node);
	free(object);
}

static void object_bind(struct weir_registry_object *object)
{
	struct weir_registry *registry = object->registry;

	object->proxy = pw_registry_bind(registry->proxy, object->id, types[object->type].interface,
					 types[object->type].version, 0);
	if (object->proxy == NULL)
		return;
	pw_proxy_add_listener(object->proxy, &object->proxy_listener, &object_proxy_events, object);
	pw_proxy_add_object_listener(object->proxy, &object->object_listener,
				     types[object->type].events, object);
	weir_registry_sync(registry);
}

static void object_create(struct weir_registry *registry, enum weir_registry_type type, uint32_t id,
			  const struct spa_dict *props)
{
	struct weir_registry_object *object = calloc(1, sizeof(*object));

	if (object == NULL)
		return;
	object->registry = registry;
	object->type = type;
	object->id = id;
	object->props =
		props != NULL ? pw_properties_new_dict(props) : pw_properties_new(NULL, NULL);
	if (object->props == NULL) {
		free(object);
		return;
	}
	object->serial = pw_properties_get_uint64(object->props, PW_KEY_OBJECT_SERIAL, 0);
	object->owner_id = SPA_ID_INVALID;
	if (types[type].owner_key != NULL)
		object->owner_id = weir_registry_object_get_id(object, types[type].owner_key);
	spa_list_append(&registry->objects[type], &object->link);

	if (types[type].events != NULL)
		object_bind(object);
	else
		registry->events->changed(registry->data, object);
}

static void node_set_target_node(struct weir_registry_object *node, const char *target)
{
	free(node->target_node);
	node->target_node = target != NULL ? strdup(target) : NULL;
}

static void node_set_target(struct weir_registry_object *node, const char *target)
{
	pw_log_debug("node %u: target %s", node->id, target != NULL ? target : "(none)");
	if (spa_streq(node->target, target))
		return;
	free(node->target);
	node->target = target != NULL ? strdup(target) : NULL;
	if (node->registry->events->target_changed != NULL)
		node->registry->events->target_changed(node->registry->data, node);
}

/* value: an object with a name. */
static void registry_set_default(struct weir_registry *registry, char **node, const char *value,
				 void (*changed)(void *data))
{
	struct pw_properties *props = pw_properties_new_string(value);
	const char *name = props != NULL ? pw_properties_get(props, "name") : NULL;

	if (name != NULL && !spa_streq(name, *node)) {
		free(*node);
		*node = strdup(name);
		if (changed != NULL)
			changed(registry->data);
	}
	pw_properties_free(props);
}

static struct weir_registry_object *find_default(struct weir_registry *registry, const char *name)
{
	struct weir_registry_object *node, *oldest = NULL;

	spa_list_for_each(node, &registry->objects[WEIR_REGISTRY_NODE], link)
	{
		const char *class = pw_properties_get(node->props, PW_KEY_MEDIA_CLASS);

		if (name == NULL || class == NULL || !spa_strstartswith(class, "Audio/") ||
		    !spa_streq(pw_properties_get(node->props, PW_KEY_NODE_NAME), name))
			continue;
		if (oldest == NULL || node->serial < oldest->serial)
			oldest = node;
	}
	return oldest;
}

struct weir_registry_object *weir_registry_find_default_sink(struct weir_registry *registry)
{
	return find_default(registry, registry->default_sink);
}

struct weir_registry_object *weir_registry_find_default_source(struct weir_registry *registry)
{
	return find_default(registry, registry->default_source);
}

/* Without a key everything the subject has goes. */
static int metadata_property(void *data, uint32_t subject, const char *key, const char *type,
			     const char *value)
{
	struct weir_registry *registry = data;
	struct weir_registry_object *node =
		weir_registry_find(registry, WEIR_REGISTRY_NODE, subject);

	(void)type;
	if (node != NULL && (key == NULL || spa_streq(key, TARGET_KEY)))
		node_set_target(node, key != NULL ? value : NULL);
	if (node != NULL && (key == NULL || spa_streq(key, TARGET_NODE_KEY)))
		node_set_target_node(node, key != NULL ? value : NULL);
	if (subject != PW_ID_CORE || value == NULL)
		return 0;
	if (spa_streq(key, DEFAULT_SINK_KEY))
		registry_set_default(registry, &registry->default_sink, value,
				     registry->events->default_sink_changed);
	if (spa_streq(key, DEFAULT_SOURCE_KEY))
		registry_set_default(registry, &registry->default_source, value,
				     registry->events->default_source_changed);
	return 0;
}

static const struct pw_metadata_events metadata_events = {
	PW_VERSION_METADATA_EVENTS,
	.property = metadata_property,
};

static void metadata_proxy_removed(void *data)
{
	struct weir_registry *registry = data;

	pw_proxy_destroy(registry->metadata);
	if (registry->events->targets_gone != NULL)
		registry->events->targets_gone(registry->data);
}

static void metadata_proxy_destroy(void *data)
{
	struct weir_registry *registry = data;
	struct weir_registry_object *node;

	spa_hook_remove(&registry->metadata_proxy_listener);
	spa_hook_remove(&registry->metadata_listener);
	registry->metadata = NULL;
	registry->metadata_reported = false;
	spa_list_for_each(node, &registry->objects[WEIR_REGISTRY_NODE], link)
	{
		node_set_target_node(node, NULL);
		free(node->target);
		node->target = NULL;
	}
}

static const struct pw_proxy_events metadata_proxy_events = {
	PW_VERSION_PROXY_EVENTS,
	.removed = metadata_proxy_removed,
	.destroy = metadata_proxy_destroy,
};

static void metadata_bind(struct weir_registry *registry, uint32_t id)
{
	registry->metadata = pw_registry_bind(registry->proxy, id, PW_TYPE_INTERFACE_Metadata,
					      PW_VERSION_METADATA, 0);
	if (registry->metadata == NULL)
		return;
	registry->metadata_id = id;
	pw_proxy_add_listener(registry->metadata, &registry->metadata_proxy_listener,
			      &metadata_proxy_events, registry);
	pw_proxy_add_object_listener(registry->metadata, &registry->metadata_listener,
				     &metadata_events, registry);
	weir_registry_sync(registry);
}

void weir_registry_refresh(struct weir_registry *registry)
{
	const uint32_t id = registry->metadata_id;

	if (registry->metadata == NULL)
		return;
	pw_proxy_destroy(registry->metadata);
	metadata_bind(registry, id);
}

bool weir_registry_has_targets(const struct weir_registry *registry)
{
	return registry->metadata_reported;
}

void weir_registry_set_target(struct weir_registry *registry, uint32_t node_id, const char *target)
{
	if (registry->metadata == NULL)
		return;
	pw_log_debug("node %u: set target %s", node_id, target != NULL ? target : "(none)");
	/* By name, because WirePlumber remembers a serial for the application's next stream. */
	pw_metadata_set_property((struct pw_metadata *)registry->metadata, node_id, TARGET_KEY,
				 target != NULL ? "Spa:String" : NULL, target);
}

void weir_registry_set_target_node(struct weir_registry *registry, uint32_t node_id,
				   const char *target)
{
	if (registry->metadata == NULL)
		return;
	pw_metadata_set_property((struct pw_metadata *)registry->metadata, node_id, TARGET_NODE_KEY,
				 target != NULL ? "Spa:Id" : NULL, target);
}

static void registry_global(void *data, uint32_t id, uint32_t permissions, const char *interface,
			    uint32_t version, const struct spa_dict *props)
{
	struct weir_registry *registry = data;
	int type;

	(void)permissions;
	(void)version;
	for (type = 0; type < WEIR_REGISTRY_N_TYPES; type++) {
		if (spa_streq(interface, types[type].interface))
			object_create(registry, (enum weir_registry_type)type, id, props);
	}
	if (registry->metadata == NULL && props != NULL &&
	    spa_streq(interface, PW_TYPE_INTERFACE_Metadata) &&
	    spa_streq(spa_dict_lookup(props, PW_KEY_METADATA_NAME), "default"))
		metadata_bind(registry, id);
}

static void registry_global_remove(void *data, uint32_t id)
{
	struct weir_registry *registry = data;
	struct weir_registry_object *object;
	int type;

	for (type = 0; type < WEIR_REGISTRY_N_TYPES; type++) {
		object = weir_registry_find(registry, (enum weir_registry_type)type, id);
		if (object == NULL)
			continue;
		spa_list_remove(&object->link);
		registry->events->removed(registry->data, object);
		object_destroy(object);
	}
	if (registry->metadata != NULL && registry->metadata_id == id)
		metadata_proxy_removed(registry);
}

static const struct pw_registry_events registry_proxy_events = {
	PW_VERSION_REGISTRY_EVENTS,
	.global = registry_global,
	.global_remove = registry_global_remove,
};

static void core_done(void *data, uint32_t id, int seq)
{
	struct weir_registry *registry = data;

	if (id != PW_ID_CORE || seq != registry->sync)
		return;
	registry->metadata_reported = registry->metadata != NULL;
	if (registry->events->ready != NULL)
		registry->events->ready(registry->data);
}

static const struct pw_core_events core_events = {
	PW_VERSION_CORE_EVENTS,
	.done = core_done,
};

struct weir_registry *weir_registry_create(struct pw_core *core,
					   const struct weir_registry_events *events, void *data)
{
	struct weir_registry *registry = calloc(1, sizeof(*registry));
	int type;

	if (registry == NULL)
		return NULL;
	registry->proxy = pw_core_get_registry(core, PW_VERSION_REGISTRY, 0);
	if (registry->proxy == NULL) {
		free(registry);
		return NULL;
	}
	registry->core = core;
	registry->events = events;
	registry->data = data;
	for (type = 0; type < WEIR_REGISTRY_N_TYPES; type++)
		spa_list_init(&registry->objects[type]);
	pw_registry_add_listener(registry->proxy, &registry->listener, &registry_proxy_events,
				 registry);
	pw_core_add_listener(core, &registry->core_listener, &core_events, registry);
	weir_registry_sync(registry);
	return registry;
}

void weir_registry_destroy(struct weir_registry *registry)
{
	struct weir_registry_object *object;
	int type;

	if (registry == NULL)
		return;
	for (type = 0; type < WEIR_REGISTRY_N_TYPES; type++) {
		spa_list_consume(object, &registry->objects[type], link)
		{
			spa_list_remove(&object->link);
			object_destroy(object);
		}
	}
	if (registry->metadata != NULL)
		pw_proxy_destroy(registry->metadata);
	spa_hook_remove(&registry->listener);
	spa_hook_remove(&registry->core_listener);
	pw_proxy_destroy((struct pw_proxy *)registry->proxy);
	free(registry->default_sink);
	free(registry->default_source);
	free(registry);
}
