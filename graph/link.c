/* SPDX-License-Identifier: MIT */
#include "link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proxy.h"

/* All within a second. */
static const uint64_t retry_nsec[] = {
	50 * SPA_NSEC_PER_MSEC,
	150 * SPA_NSEC_PER_MSEC,
	400 * SPA_NSEC_PER_MSEC,
};

/* Longer than nodes take that are just starting or pausing. */
#define PAUSED_NSEC (250 * SPA_NSEC_PER_MSEC)

static void timer_timeout(void *data, uint64_t expirations);

static void timer_stop(struct weir_link *link)
{
	weir_context_timer_destroy(link->connection->context, link->timer);
	link->timer = NULL;
}

static bool timer_start(struct weir_link *link, uint64_t nsec)
{
	if (link->timer == NULL)
		link->timer = pw_loop_add_timer(pw_context_get_main_loop(link->connection->context),
						timer_timeout, link);
	if (link->timer == NULL)
		return false;
	weir_context_timer_set(link->connection->context, link->timer, nsec);
	return true;
}

/* What stays paused is looked at again. */
static void link_follow(struct weir_link *link, enum pw_link_state state)
{
	if (state == PW_LINK_STATE_PAUSED)
		timer_start(link, PAUSED_NSEC);
	if (state != PW_LINK_STATE_ACTIVE)
		return;
	timer_stop(link);
	link->n_retries = 0;
}

static void link_set_state(struct weir_link *link, enum weir_link_state state, int res,
			   const char *error)
{
	if (link->state == WEIR_LINK_GONE)
		return;
	link->state = state;
	link->res = res;
	link->error = error != NULL ? strdup(error) : NULL;
	/* Somebody may remove a link that failed before it is tried again. */
	if (state == WEIR_LINK_GONE)
		timer_stop(link);
	link->events->changed(link->data, link);
}

static void impl_destroyed(void *data)
{
	struct weir_link *link = data;

	spa_hook_remove(&link->listener);
	link->impl = NULL;
	link_set_state(link, WEIR_LINK_GONE, 0, NULL);
}

static bool link_retry(struct weir_link *link, int res);

static void impl_state_changed(void *data, enum pw_link_state old, enum pw_link_state state,
			       const char *error)
{
	(void)old;
	if (state == PW_LINK_STATE_ERROR && !link_retry(data, -EIO))
		link_set_state(data, WEIR_LINK_GONE, -EIO, error);
	link_follow(data, state);
}

static const struct pw_impl_link_events impl_events = {
	PW_VERSION_IMPL_LINK_EVENTS,
	.destroy = impl_destroyed,
	.state_changed = impl_state_changed,
};

struct port_search {
	uint32_t id;
	uint64_t serial;
	struct pw_impl_port *found;
};

static int global_compare(void *data, struct pw_global *global)
{
	struct port_search *search = data;

	if (pw_global_get_id(global) != search->id ||
	    pw_global_get_serial(global) != search->serial ||
	    !pw_global_is_type(global, PW_TYPE_INTERFACE_Port))
		return 0;
	search->found = pw_global_get_object(global);
	return 1;
}

/*
 * The registry's ports may be older than the daemon's, and another port may have the id by now.
 * pw_context_find_global finds only objects that are visible to the client whose message is being
 * handled, and that client may not know the port yet.
 */
static struct pw_impl_port *impl_port_find(struct pw_context *context, uint32_t id, uint64_t serial)
{
	struct port_search search = { .id = id, .serial = serial };

	pw_context_for_each_global(context, global_compare, &search);
	return search.found;
}

/* Takes props. */
static int impl_make(struct weir_link *link, struct pw_properties *props)
{
	struct pw_context *context = link->connection->context;
	struct pw_impl_port *output = impl_port_find(context, link->output, link->output_serial);
	struct pw_impl_port *input = impl_port_find(context, link->input, link->input_serial);

	if (output == NULL || input == NULL) {
		pw_properties_free(props);
		return -ENOENT;
	}
	link->impl = pw_context_create_link(context, output, input, NULL, props, 0);
	if (link->impl == NULL)
		return -errno;
	pw_impl_link_add_listener(link->impl, &link->listener, &impl_events, link);
	link->state = WEIR_LINK_MADE;
	return pw_impl_link_register(link->impl, NULL);
}

static void proxy_bound(void *data)
{
	link_set_state(data, WEIR_LINK_MADE, 0, NULL);
}

static void proxy_gone(void *data, int res, const char *error)
{
	struct weir_link *link = data;

	spa_hook_remove(&link->listener);
	spa_zero(link->listener);
	if (!link_retry(link, res))
		link_set_state(link, WEIR_LINK_GONE, res, error);
}

static const struct weir_proxy_events proxy_events = {
	.bound = proxy_bound,
	.gone = proxy_gone,
};

static void proxy_info(void *data, const struct pw_link_info *info)
{
	struct weir_link *link = data;

	/* PipeWire's link-factory removes "link.passive" unless its arguments allow it (1.4.2). */
	if (info->change_mask & PW_LINK_CHANGE_MASK_PROPS)
		link->is_passive = spa_dict_lookup(info->props, PW_KEY_LINK_PASSIVE) != NULL;
	if (info->change_mask & PW_LINK_CHANGE_MASK_STATE)
		link_follow(link, info->state);
	if (info->state == PW_LINK_STATE_ACTIVE && !link->was_active) {
		link->was_active = true;
		link->events->changed(link->data, link);
	}
}

static const struct pw_link_events proxy_link_events = {
	PW_VERSION_LINK_EVENTS,
	.info = proxy_info,
};

/* Takes props. */
static int proxy_make(struct weir_link *link, struct pw_properties *props)
{
	pw_properties_setf(props, PW_KEY_LINK_OUTPUT_NODE, "%u", link->output_node);
	pw_properties_setf(props, PW_KEY_LINK_OUTPUT_PORT, "%u", link->output);
	pw_properties_setf(props, PW_KEY_LINK_INPUT_NODE, "%u", link->input_node);
	pw_properties_setf(props, PW_KEY_LINK_INPUT_PORT, "%u", link->input);
	link->proxy = weir_proxy_create(link->connection->core, "link-factory",
					PW_TYPE_INTERFACE_Link, props);
	if (link->proxy == NULL)
		return -errno;
	weir_proxy_add_listener(link->proxy, &proxy_events, link);
	pw_proxy_add_object_listener(link->proxy->pw_proxy, &link->listener, &proxy_link_events,
				     link);
	return 0;
}

static int link_make(struct weir_link *link)
{
	struct pw_properties *props =
		pw_properties_new(PW_KEY_LINK_PASSIVE, link->is_passive ? "true" : NULL,
				  PW_KEY_OBJECT_LINGER, "false", NULL);

	if (props == NULL)
		return -errno;
	return link->connection->in_daemon ? impl_make(link, props) : proxy_make(link, props);
}

/* What is already destroyed or without listener is left alone. */
static void link_unmake(struct weir_link *link)
{
	if (link->impl != NULL) {
		spa_hook_remove(&link->listener);
		pw_impl_link_destroy(link->impl);
	} else if (link->proxy != NULL) {
		spa_hook_remove(&link->listener);
		weir_proxy_destroy(link->proxy);
	}
	link->impl = NULL;
	link->proxy = NULL;
	spa_zero(link->listener);
}

static bool node_is_running(const struct weir_link *link, uint32_t id)
{
	const struct weir_registry_object *node =
		weir_registry_find(link->registry, WEIR_REGISTRY_NODE, id);

	return node != NULL && node->running;
}

/*
 * PipeWire 1.4 forgets all but the first link of a node that is suspended while it runs, as the
 * session manager does when it configures one: it stays paused for as long as the node runs.
 */
static bool is_forgotten(const struct weir_link *link)
{
	return node_is_running(link, link->output_node) &&
	       node_is_running(link, link->input_node) &&
	       link->n_retries < SPA_N_ELEMENTS(retry_nsec);
}

static void timer_timeout(void *data, uint64_t expirations)
{
	struct weir_link *link = data;
	int res;

	(void)expirations;
	timer_stop(link);
	if (link->state == WEIR_LINK_MADE && !is_forgotten(link))
		return;
	if (link->state == WEIR_LINK_MADE)
		link->n_retries++;
	link->state = WEIR_LINK_PENDING;
	link_unmake(link);
	link->is_passive = link->wants_passive;
	res = link_make(link);
	if (res >= 0 && link->state == WEIR_LINK_MADE)
		link->events->changed(link->data, link);
	else if (res < 0 && !link_retry(link, res))
		link_set_state(link, WEIR_LINK_GONE, res, NULL);
}

/*
 * Errors that may pass in a moment, such as those of a port that is just coming or going. EIO is
 * that of buffers which come while the session manager configures the node.
 */
static bool is_passing(int res)
{
	return res == -ENOENT || res == -ESTALE || res == -EBUSY || res == -EAGAIN ||
	       res == -EACCES || res == -EPERM || res == -EIO;
}

/* Is it to be made again, later? */
static bool link_retry(struct weir_link *link, int res)
{
	if (!is_passing(res) || link->n_retries == SPA_N_ELEMENTS(retry_nsec) ||
	    !timer_start(link, retry_nsec[link->n_retries]))
		return false;
	link->n_retries++;
	link->state = WEIR_LINK_PENDING;
	return true;
}

struct weir_link *weir_link_create(const struct weir_connection *connection,
				   const struct weir_registry_object *output,
				   const struct weir_registry_object *input, bool passive,
				   const struct weir_link_events *events, void *data)
{
	struct weir_link *link = calloc(1, sizeof(*link));
	int res;

	if (link == NULL)
		return NULL;
	link->connection = connection;
	link->registry = output->registry;
	link->output = output->id;
	link->output_node = output->owner_id;
	link->output_serial = output->serial;
	link->input = input->id;
	link->input_node = input->owner_id;
	link->input_serial = input->serial;
	link->is_passive = link->wants_passive = passive;
	link->events = events;
	link->data = data;
	res = link_make(link);
	if (res < 0 && !link_retry(link, res)) {
		link->res = res;
		link->state = WEIR_LINK_GONE;
	}
	return link;
}

void weir_link_destroy(struct weir_link *link)
{
	timer_stop(link);
	link_unmake(link);
	free(link->error);
	free(link);
}
