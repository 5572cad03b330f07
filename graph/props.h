/* SPDX-License-Identifier: MIT */
#ifndef WEIR_GRAPH_PROPS_H
#define WEIR_GRAPH_PROPS_H

#include <pipewire/pipewire.h>
#include <spa/param/props.h>
#include <spa/pod/builder.h>

/*
 * A Props object with changes to a node, built in the caller's memory, which has room for some
 * properties and one control. May be used from any thread.
 */
struct weir_props {
	struct spa_pod_builder builder; /* takes SPA_PROP_volume and the like */
	struct spa_pod_frame object;	/* open until weir_props_get_pod */
	uint8_t memory[512];
};

void weir_props_init(struct weir_props *props);

/* A control by its name: params = [ name value ]. The value is a SPA_POD_Float() and the like. */
#define weir_props_add_control(props, name, ...)                      \
	(spa_pod_builder_prop(&(props)->builder, SPA_PROP_params, 0), \
	 spa_pod_builder_add_struct(&(props)->builder, SPA_POD_String(name), __VA_ARGS__))

/* Valid as long as props; nothing can be added any more. */
const struct spa_pod *weir_props_get_pod(struct weir_props *props);

/* Has the node take it. NULL: it is gone, nothing happens. Main loop. */
void weir_props_send(struct weir_props *props, struct pw_proxy *node);

#endif
