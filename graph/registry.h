/* SPDX-License-Identifier: MIT */
#ifndef WEIR_GRAPH_REGISTRY_H
#define WEIR_GRAPH_REGISTRY_H

#include <stdbool.h>
#include <stdint.h>

#include <pipewire/pipewire.h>

/*
 * The nodes, clients, ports and links of a PipeWire daemon as a connection sees them, with all
 * their properties, and the metadata "default": the targets of streams ("target.object", or
 * "target.node", an older form which counts where the other is not set), and the default sink and
 * source. Main thread only; a registry calls its events from the loop of its core.
 */

struct weir_registry;

enum weir_registry_type {
	WEIR_REGISTRY_NODE,
	WEIR_REGISTRY_CLIENT,
	WEIR_REGISTRY_PORT,
	WEIR_REGISTRY_LINK,
	WEIR_REGISTRY_N_TYPES,
};

struct weir_registry_object {
	struct spa_list link;
	struct weir_registry *registry;
	enum weir_registry_type type;
	uint32_t id;		     /* another object's, once this one has gone */
	uint64_t serial;	     /* of no other object, ever; 0: the daemon has none */
	uint32_t owner_id;	     /* a node's client, a port's node, a link's output node */
	struct pw_properties *props; /* the global's, and once known also the info's */
	bool known;		     /* clients and nodes: the info has arrived */
	bool running;		     /* nodes: is sound asked of it right now? */
	char *target;		     /* nodes: the metadata's target.object, NULL: none */
	char *target_node;	     /* ...and its target.node */
	struct pw_proxy *proxy;	     /* clients and nodes */
	struct spa_hook proxy_listener;
	struct spa_hook object_listener;
};

/* What is NULL is not reported. */
struct weir_registry_events {
	/*
	 * New, or with new properties, or a node that runs or stopped. Clients and nodes first come
	 * here when they are known.
	 */
	void (*changed)(void *data, struct weir_registry_object *object);
	/* Already out of the registry's lists. */
	void (*removed)(void *data, struct weir_registry_object *object);
	/* Of a node. Also comes when we set it, once the session manager has done so. */
	void (*target_changed)(void *data, struct weir_registry_object *node);
	/* The session manager went, and all targets with it. */
	void (*targets_gone)(void *data);
	void (*default_sink_changed)(void *data);
	void (*default_source_changed)(void *data);
	/* All that existed when the connection or the metadata came up has been reported. */
	void (*ready)(void *data);
};

/* NULL and errno on failure. core must outlive the registry. */
struct weir_registry *weir_registry_create(struct pw_core *core,
					   const struct weir_registry_events *events, void *data);
void weir_registry_destroy(struct weir_registry *registry);

/* Of one type, linked by registry_object.link. */
struct spa_list *weir_registry_get_objects(struct weir_registry *registry,
					   enum weir_registry_type type);
/* NULL: there is none. */
struct weir_registry_object *weir_registry_find(struct weir_registry *registry,
						enum weir_registry_type type, uint32_t id);
/* Between two ports, whoever made it. NULL: there is none. */
struct weir_registry_object *weir_registry_find_link(struct weir_registry *registry,
						     uint32_t output, uint32_t input);
/* The number in this property, SPA_ID_INVALID: there is none. */
uint32_t weir_registry_object_get_id(const struct weir_registry_object *object, const char *key);

/* Has ready come again, once all that exists by now has been reported. */
void weir_registry_sync(struct weir_registry *registry);

/* Is there a metadata to set targets in, whose values have all been reported? */
bool weir_registry_has_targets(const struct weir_registry *registry);
/*
 * NULL: there is none. While no session manager runs, the last default stays. Of several nodes of
 * its name it is the oldest one, as for WirePlumber. The default source may be a sink, whose
 * monitor is then the source.
 */
struct weir_registry_object *weir_registry_find_default_sink(struct weir_registry *registry);
struct weir_registry_object *weir_registry_find_default_source(struct weir_registry *registry);
/*
 * Reads the whole metadata again. A client is not sent a change while another client binds the
 * metadata (1.4.2).
 */
void weir_registry_refresh(struct weir_registry *registry);
/* A node's name or serial, "-1" for the default one, or NULL to take the entry out. */
void weir_registry_set_target(struct weir_registry *registry, uint32_t node_id, const char *target);
/*
 * The same as target.node: a node's id, "-1" or NULL. WirePlumber stores the later of both as the
 * target of the application's next stream, and accepts no names here.
 */
void weir_registry_set_target_node(struct weir_registry *registry, uint32_t node_id,
				   const char *target);

#endif
