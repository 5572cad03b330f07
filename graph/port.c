/* SPDX-License-Identifier: MIT */
#include "port.h"

#include <string.h>

#include <spa/utils/string.h>

#include "keys.h"

#define AUDIO_FORMAT "32 bit float mono audio"

bool weir_port_is_of(const struct weir_registry_object *port, uint32_t node_id,
		     const char *direction)
{
	return port->owner_id == node_id &&
	       spa_streq(pw_properties_get(port->props, PW_KEY_PORT_DIRECTION), direction);
}

bool weir_port_is_monitor(const struct weir_registry_object *port)
{
	return pw_properties_get_bool(port->props, PW_KEY_PORT_MONITOR, false);
}

bool weir_port_is_extra(const struct weir_registry_object *port)
{
	return spa_streq(pw_properties_get(port->props, PW_KEY_PORT_EXTRA), WEIR_PORT_NOT_BY_NODE);
}

bool weir_port_is_audio(const struct weir_registry_object *port)
{
	return spa_streq(pw_properties_get(port->props, PW_KEY_FORMAT_DSP), AUDIO_FORMAT);
}

const char *weir_port_get_name(const struct weir_registry_object *port)
{
	const char *name = pw_properties_get(port->props, PW_KEY_PORT_NAME);

	return name != NULL ? name : "";
}

void weir_port_list_add(struct weir_port_list *list, struct weir_registry_object *port)
{
	const uint32_t number = weir_registry_object_get_id(port, PW_KEY_PORT_ID);
	unsigned int i = list->n;

	if (list->n == WEIR_PORT_LIST_MAX)
		return;
	while (i > 0 && weir_registry_object_get_id(list->ports[i - 1], PW_KEY_PORT_ID) > number)
		i--;
	memmove(&list->ports[i + 1], &list->ports[i], (list->n - i) * sizeof(list->ports[0]));
	list->ports[i] = port;
	list->n++;
}

void weir_port_list_find(struct weir_port_list *list, struct weir_registry *registry,
			 uint32_t node_id, const char *direction)
{
	struct weir_registry_object *port;

	list->n = 0;
	spa_list_for_each(port, weir_registry_get_objects(registry, WEIR_REGISTRY_PORT), link)
	{
		if (weir_port_is_of(port, node_id, direction) && weir_port_is_audio(port))
			weir_port_list_add(list, port);
	}
}

bool weir_port_is_same_channel(const struct weir_registry_object *output,
			       const struct weir_registry_object *input)
{
	const char *channel = pw_properties_get(output->props, PW_KEY_AUDIO_CHANNEL);

	return channel != NULL && !spa_streq(channel, "UNK") && !spa_streq(channel, "NA") &&
	       spa_streq(channel, pw_properties_get(input->props, PW_KEY_AUDIO_CHANNEL));
}

bool weir_port_list_has_common_channel(const struct weir_port_list *outputs,
				       const struct weir_port_list *inputs)
{
	unsigned int i;

	for (i = 0; i < outputs->n * inputs->n; i++) {
		if (weir_port_is_same_channel(outputs->ports[i / inputs->n],
					      inputs->ports[i % inputs->n]))
			return true;
	}
	return false;
}
