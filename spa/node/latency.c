/* SPDX-License-Identifier: MIT */
#include "latency.h"

#include <errno.h>

#include "info.h"

/* The reader of a report plays nothing: its latency delays no sound. */
static bool counts(const struct port *port)
{
	return port->has_peer_latency && !port->is_report;
}

/* The unit's, between a port and one of the other direction; NULL: the first input's. */
static struct spa_process_latency_info
own_latency(const struct weir_unit_node *node, const struct port *port, const struct port *other)
{
	const enum spa_direction to = port->direction;
	const struct port *input = to == SPA_DIRECTION_INPUT ? port : other;
	const struct weir_latency *latency = &node->latency[input ? input->id : 0];

	return (struct spa_process_latency_info){
		.rate = (int32_t)(to == SPA_DIRECTION_OUTPUT ? latency->total : latency->minimum),
	};
}

/*
 * Sound passes between ports of one number. So a port declares the latency of that port's peers;
 * when it has none, of the peers of all linked ports of the other direction.
 */
static struct spa_latency_info port_latency(struct weir_unit_node *node, const struct port *port)
{
	const enum spa_direction to = port->direction, from = SPA_DIRECTION_REVERSE(to);
	const struct port *others = node->ports[from];
	const struct port *own = node_get_port(node, from, port->is_report ? 0 : port->id);
	struct spa_process_latency_info process = own_latency(node, port, own);
	struct spa_latency_info sum;
	bool is_linked = false;

	spa_latency_info_combine_start(&sum, to);
	for (uint32_t i = 0; i < node->n_ports[from]; i++) {
		struct spa_latency_info info = others[i].latency[to];

		if (!counts(&others[i]) || (own && counts(own) && own != &others[i]))
			continue;
		process = own_latency(node, port, &others[i]);
		spa_process_latency_info_add(&process, &info);
		spa_latency_info_combine(&sum, &info);
		is_linked = true;
	}
	spa_latency_info_combine_finish(&sum);
	if (!is_linked)
		spa_process_latency_info_add(&process, &sum);
	return sum;
}

static void node_declare_latency(struct weir_unit_node *node)
{
	for (int to = 0; to < 2; to++)
		for (uint32_t i = 0; i < node->n_ports[to]; i++) {
			struct port *port = &node->ports[to][i];
			const struct spa_latency_info info = port_latency(node, port);

			if (spa_latency_info_compare(&info, &port->latency[to]) == 0)
				continue;
			port->latency[to] = info;
			port_notify_param(node, port, PORT_LATENCY);
		}
}

void node_update_latency(struct weir_unit_node *node)
{
	const uint32_t before = node->latency[0].total;
	bool changed = false;

	for (uint32_t i = 0; i < node->n_ports[SPA_DIRECTION_INPUT]; i++) {
		const struct weir_latency now = { node->engine.total_latency[i],
						  node->engine.min_latency[i] };
		struct weir_latency *latency = &node->latency[i];

		changed |= now.total != latency->total || now.minimum != latency->minimum;
		*latency = now;
	}
	if (changed)
		node_declare_latency(node);
	if (node->latency[0].total != before)
		node_notify_param(node, NODE_PROCESS_LATENCY);
}

/* NULL comes when the last link goes: the latency is then not 0, but not known. */
int port_set_latency(struct weir_unit_node *node, struct port *port, const struct spa_pod *param)
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
	port_notify_param(node, port, PORT_LATENCY);
	node_declare_latency(node);
	return 0;
}
