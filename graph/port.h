/* SPDX-License-Identifier: MIT */
#ifndef WEIR_GRAPH_PORT_H
#define WEIR_GRAPH_PORT_H

#include "registry.h"

/* What the registry knows of a port. direction: "in" or "out". */
bool port_is_of(const struct registry_object *port, uint32_t node_id, const char *direction);
/* A sink's output of what plays on it. */
bool port_is_monitor(const struct registry_object *port);
/* Is it only meant by its own name, not by that of its node? */
bool port_is_extra(const struct registry_object *port);
/* One channel of sound; not MIDI, video, or a stream of encoded sound. */
bool port_is_audio(const struct registry_object *port);
const char *port_get_name(const struct registry_object *port);

/* PipeWire's own limit on channels. */
#define PORT_LIST_MAX 64

struct port_list {
	struct registry_object *ports[PORT_LIST_MAX];
	unsigned int n;
};

/* In the order in which the node counts its ports. A full list stays as it is. */
void port_list_add(struct port_list *list, struct registry_object *port);
bool port_list_has_common_channel(const struct port_list *outputs, const struct port_list *inputs);
bool port_is_same_channel(const struct registry_object *output,
			  const struct registry_object *input);

#endif
