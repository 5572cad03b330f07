/* SPDX-License-Identifier: MIT */

/*
 * A PulseAudio client may set a rate of its own while it plays (PA_STREAM_VARIABLE_RATE).
 * pipewire-pulse writes that rate into the same property as the capture: the last writer wins. So
 * the client's rate is read, and the product of both rates is written.
 *
 * No event reports a new rate. The rate is in the PropInfo, which pipewire-pulse sends to the
 * daemon together with other changes, and which the daemon caches until the PropInfo is marked as
 * changed. Removing a filter graph that does not exist has both effects and no other. That is done
 * right before each rate that the capture writes, so that none of the client's is lost, and now and
 * then between them. Before PipeWire 1.4 it has no effect, and only the capture's rate counts.
 *
 * PulseAudio's rates are floats. The capture's are doubles that equal no float, unless they are the
 * client's own rate. The difference shows whose rate has been read.
 */

#include "own_rate.h"

#include <stdlib.h>

#include <spa/pod/iter.h>
#include <spa/pod/parser.h>
#include <spa/utils/string.h>

#include "graph/props.h"

#define NO_FILTER_GRAPH "audioconvert.filter-graph.2147483647"

struct capture_own_rate {
	const struct capture_own_rate_events *events;
	void *data;
	struct pw_proxy *node; /* NULL: it is gone */
	struct spa_hook listener;
	struct spa_hook proxy_listener;
	double rate; /* 1: none */
	double sent; /* the rate that was written last */
};

static void own_rate_unhook(struct capture_own_rate *own)
{
	if (own->node == NULL)
		return;
	spa_hook_remove(&own->listener);
	spa_hook_remove(&own->proxy_listener);
	own->node = NULL;
}

/* The proxy goes before the registry removes the stream. */
static void proxy_destroyed(void *data)
{
	own_rate_unhook(data);
}

static const struct pw_proxy_events proxy_events = {
	PW_VERSION_PROXY_EVENTS,
	.destroy = proxy_destroyed,
};

static void node_info(void *data, const struct pw_node_info *info)
{
	const struct capture_own_rate *own = data;
	uint8_t memory[256];
	struct spa_pod_builder b = SPA_POD_BUILDER_INIT(memory, sizeof(memory));
	const struct spa_pod *filter;

	if ((info->change_mask & PW_NODE_CHANGE_MASK_PARAMS) == 0 || own->sent == 0.0)
		return;
	filter = spa_pod_builder_add_object(&b, SPA_TYPE_OBJECT_PropInfo, SPA_PARAM_PropInfo,
					    SPA_PROP_INFO_id, SPA_POD_Id(SPA_PROP_rate));
	pw_node_enum_params((struct pw_node *)own->node, 0, SPA_PARAM_PropInfo, 0, UINT32_MAX,
			    filter);
}

static double prop_info_get_rate(const struct spa_pod *param)
{
	const struct spa_pod *type, *value;
	uint32_t id, n_values, choice;
	double rate;

	if (spa_pod_parse_object(param, SPA_TYPE_OBJECT_PropInfo, NULL, SPA_PROP_INFO_id,
				 SPA_POD_Id(&id), SPA_PROP_INFO_type,
				 SPA_POD_PodChoice(&type)) < 0 ||
	    id != SPA_PROP_rate)
		return 0.0;
	value = spa_pod_get_values(type, &n_values, &choice);
	return n_values > 0 && spa_pod_get_double(value, &rate) == 0 ? rate : 0.0;
}

static void node_param(void *data, int seq, uint32_t id, uint32_t index, uint32_t next,
		       const struct spa_pod *param)
{
	struct capture_own_rate *own = data;
	double rate;

	(void)seq, (void)index, (void)next;
	if (id != SPA_PARAM_PropInfo)
		return;
	rate = prop_info_get_rate(param);
	if (rate <= 0.0 || rate != (double)(float)rate || rate == own->sent)
		return;
	own->rate = rate;
	own->events->changed(own->data);
}

static const struct pw_node_events node_events = {
	PW_VERSION_NODE_EVENTS,
	.info = node_info,
	.param = node_param,
};

struct capture_own_rate *capture_own_rate_create(const struct weir_registry_object *node,
						 const struct capture_own_rate_events *events,
						 void *data)
{
	const char *api = pw_properties_get(node->props, PW_KEY_CLIENT_API);
	struct capture_own_rate *own;

	if (!spa_streq(api, "pipewire-pulse") || node->proxy == NULL)
		return NULL;
	own = calloc(1, sizeof(*own));
	if (own == NULL)
		return NULL;
	own->events = events;
	own->data = data;
	own->node = node->proxy;
	own->rate = 1.0;
	pw_proxy_add_object_listener(node->proxy, &own->listener, &node_events, own);
	pw_proxy_add_listener(node->proxy, &own->proxy_listener, &proxy_events, own);
	return own;
}

void capture_own_rate_destroy(struct capture_own_rate *own)
{
	if (own == NULL)
		return;
	own_rate_unhook(own);
	free(own);
}

double capture_own_rate_get(const struct capture_own_rate *own)
{
	return own != NULL ? own->rate : 1.0;
}

void capture_own_rate_set_sent(struct capture_own_rate *own, double rate)
{
	if (own != NULL)
		own->sent = rate;
}

void capture_own_rate_query(const struct capture_own_rate *own)
{
	struct weir_props props;

	if (own == NULL || own->node == NULL)
		return;
	weir_props_init(&props);
	weir_props_add_control(&props, NO_FILTER_GRAPH, SPA_POD_String(""));
	weir_props_send(&props, own->node);
}
