/* SPDX-License-Identifier: MIT */
#include "props.h"

void weir_props_init(struct weir_props *props)
{
	spa_pod_builder_init(&props->builder, props->memory, sizeof(props->memory));
	spa_pod_builder_push_object(&props->builder, &props->object, SPA_TYPE_OBJECT_Props,
				    SPA_PARAM_Props);
}

const struct spa_pod *weir_props_get_pod(struct weir_props *props)
{
	return spa_pod_builder_pop(&props->builder, &props->object);
}

void weir_props_send(struct weir_props *props, struct pw_proxy *node)
{
	if (node != NULL)
		pw_node_set_param((struct pw_node *)node, SPA_PARAM_Props, 0,
				  weir_props_get_pod(props));
}
