/* SPDX-License-Identifier: MIT */
#ifndef WEIR_GRAPH_PORT_H
#define WEIR_GRAPH_PORT_H

#include "registry.h"

/* What the registry knows of a port. direction: "in" or "out". */
bool weir_port_is_of(const struct weir_registry_object *port, uint32_t node_id,
		     const char *direction);
/* A sink's output of the sound that plays on the sink. */
bool weir_port_is_monitor(const struct weir_registry_object *port);
/* Is it only meant by its own name, not by that of its node? */
bool weir_port_is_extra(const struct weir_registry_object *port);
/* One channel of sound; not MIDI, video, or a stream of encoded sound. */
bool weir_port_is_audio(const struct weir_registry_object *port);
const char *weir_port_get_name(const struct weir_registry_object *port);

/* PipeWire's own limit on channels. */
#define WEIR_PORT_LIST_MAX 64

struct weir_port_list {
	struct weir_registry_object *ports[WEIR_PORT_LIST_MAX];
	unsigned int n;
};

/* The audio ports of a node, in the order of weir_port_list_add. direction: "in" or "out". */
void weir_port_list_find(struct weir_port_list *list, struct weir_registry *registry,
			 uint32_t node_id, const char *direction);
/* In the order in which the node counts its ports. A full list stays as it is. */
void weir_port_list_add(struct weir_port_list *list, struct weir_registry_object *port);
bool weir_port_list_has_common_channel(const struct weir_port_list *outputs,
				       const struct weir_port_list *inputs);
bool weir_port_is_same_channel(const struct weir_registry_object *output,
			       const struct weir_registry_object *input);

#endif
