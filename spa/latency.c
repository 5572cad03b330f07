/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <spa/node/utils.h>

#include "node.h"

/* A report tells of the sound that leaves with it. */
static bool counts(const struct port *port)
{
	return port->has_peer_latency && !port->is_report;
}

/* Of all that is linked on the other side of the node; with no link it is 0. */
static struct spa_latency_info peers_combine(const struct node *node, enum spa_direction to)
{
	const enum spa_direction from = SPA_DIRECTION_REVERSE(to);
	struct spa_latency_info info;

	spa_latency_info_combine_start(&info, to);
	for (uint32_t i = 0; i < node->n_ports[from]; i++)
		if (counts(&node->ports[from][i]))
			spa_latency_info_combine(&info, &node->ports[from][i].latency[to]);
	spa_latency_info_combine_finish(&info);
	return info;
}

/* What comes in at one side leaves at the other, later by our own latency. */
void node_update_latency(struct node *node)
{
	const struct spa_process_latency_info own = { .rate = node->latency_frames };

	for (int to = 0; to < 2; to++) {
		struct spa_latency_info info = peers_combine(node, (enum spa_direction)to);

		spa_process_latency_info_add(&own, &info);
		for (uint32_t i = 0; i < node->n_ports[to]; i++) {
			struct port *port = &node->ports[to][i];

			if (spa_latency_info_compare(&info, &port->latency[to]) == 0)
				continue;
			port->latency[to] = info;
			port_touch_param(node, port, PORT_LATENCY);
		}
	}
	node_touch_param(node, NODE_PROCESS_LATENCY);
}

/* NULL comes when the last link goes: 0 is then no latency, but none that is known. */
int port_set_latency(struct node *node, struct port *port, const struct spa_pod *param)
{
	const enum spa_direction other = SPA_DIRECTION_REVERSE(port->direction);
	struct spa_latency_info info = SPA_LATENCY_INFO(other);

	if (param && (spa_latency_parse(param, &info) < 0 || info.direction != other))
		return -EINVAL;
	if (port->has_peer_latency == (param != NULL) &&
	    spa_latency_info_compare(&info, &port->latency[other]) == 0)
		return 0;
	port->has_peer_latency = param;
	port->latency[other] = info;
	port_touch_param(node, port, PORT_LATENCY);
	node_update_latency(node);
	return 0;
}
