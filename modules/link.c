/* SPDX-License-Identifier: MIT */
#include "link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "remote.h"

static void link_set_state(struct link *link, enum link_state state, int res, const char *error)
{
	if (link->state == LINK_GONE)
		return;
	link->state = state;
	link->res = res;
	link->error = error != NULL ? strdup(error) : NULL;
	link->events->changed(link->data, link);
}

static void local_destroyed(void *data)
{
	struct link *link = data;

	spa_hook_remove(&link->listener);
	link->local = NULL;
	link_set_state(link, LINK_GONE, 0, NULL);
}

static void local_state_changed(void *data, enum pw_link_state old, enum pw_link_state state,
				const char *error)
{
	(void)old;
	if (state == PW_LINK_STATE_ERROR)
		link_set_state(data, LINK_GONE, -EIO, error);
}

static const struct pw_impl_link_events local_events = {
	PW_VERSION_IMPL_LINK_EVENTS,
	.destroy = local_destroyed,
	.state_changed = local_state_changed,
};

static struct pw_impl_port *impl_port_find(struct pw_context *context, uint32_t id)
{
	struct pw_global *global = pw_context_find_global(context, id);

	if (global == NULL || !pw_global_is_type(global, PW_TYPE_INTERFACE_Port))
		return NULL;
	return pw_global_get_object(global);
}

/* Takes props. What we know of the ports may be older than what the daemon does. */
static int local_make(struct link *link, struct pw_context *context, struct pw_properties *props)
{
	struct pw_impl_port *output = impl_port_find(context, link->output);
	struct pw_impl_port *input = impl_port_find(context, link->input);

	if (output == NULL || input == NULL) {
		pw_properties_free(props);
		return -ENOENT;
	}
	link->local = pw_context_create_link(context, output, input, NULL, props, 0);
	if (link->local == NULL)
		return -errno;
	pw_impl_link_add_listener(link->local, &link->listener, &local_events, link);
	link->state = LINK_MADE;
	return pw_impl_link_register(link->local, NULL);
}

static void remote_bound(void *data)
{
	link_set_state(data, LINK_MADE, 0, NULL);
}

static void remote_gone(void *data, int res, const char *error)
{
	struct link *link = data;

	spa_hook_remove(&link->listener);
	spa_zero(link->listener);
	link_set_state(link, LINK_GONE, res, error);
}

static const struct remote_events remote_events = {
	.bound = remote_bound,
	.gone = remote_gone,
};

static void remote_info(void *data, const struct pw_link_info *info)
{
	struct link *link = data;

	/* PipeWire's link-factory takes "link.passive" out unless it is told not to (1.4.2). */
	if (info->change_mask & PW_LINK_CHANGE_MASK_PROPS)
		link->is_passive = spa_dict_lookup(info->props, PW_KEY_LINK_PASSIVE) != NULL;
	if (info->state == PW_LINK_STATE_ACTIVE && !link->was_active) {
		link->was_active = true;
		link->events->changed(link->data, link);
	}
}

static const struct pw_link_events remote_link_events = {
	PW_VERSION_LINK_EVENTS,
	.info = remote_info,
};

/* Takes props. */
static int remote_make(struct link *link, const struct connection *connection,
		       const struct registry_object *output, const struct registry_object *input,
		       struct pw_properties *props)
{
	pw_properties_setf(props, PW_KEY_LINK_OUTPUT_NODE, "%u", output->owner_id);
	pw_properties_setf(props, PW_KEY_LINK_OUTPUT_PORT, "%u", output->id);
	pw_properties_setf(props, PW_KEY_LINK_INPUT_NODE, "%u", input->owner_id);
	pw_properties_setf(props, PW_KEY_LINK_INPUT_PORT, "%u", input->id);
	link->remote =
		remote_create(connection->core, "link-factory", PW_TYPE_INTERFACE_Link, props);
	if (link->remote == NULL)
		return -errno;
	remote_add_listener(link->remote, &remote_events, link);
	pw_proxy_add_object_listener(link->remote->proxy, &link->listener, &remote_link_events,
				     link);
	return 0;
}

struct link *link_create(const struct connection *connection, const struct registry_object *output,
			 const struct registry_object *input, bool passive,
			 const struct link_events *events, void *data)
{
	struct link *link = calloc(1, sizeof(*link));
	struct pw_properties *props = pw_properties_new(
		PW_KEY_LINK_PASSIVE, passive ? "true" : NULL, PW_KEY_OBJECT_LINGER, "false", NULL);

	if (link == NULL || props == NULL) {
		free(link);
		pw_properties_free(props);
		return NULL;
	}
	link->output = output->id;
	link->input = input->id;
	link->output_serial = output->serial;
	link->input_serial = input->serial;
	link->is_passive = passive;
	link->events = events;
	link->data = data;
	if (connection->in_daemon)
		link->res = local_make(link, connection->context, props);
	else
		link->res = remote_make(link, connection, output, input, props);
	if (link->res < 0)
		link->state = LINK_GONE;
	return link;
}

void link_destroy(struct link *link)
{
	if (link->local != NULL) {
		spa_hook_remove(&link->listener);
		pw_impl_link_destroy(link->local);
	} else if (link->remote != NULL) {
		spa_hook_remove(&link->listener);
		remote_destroy(link->remote);
	}
	free(link->error);
	free(link);
}
