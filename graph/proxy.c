/* SPDX-License-Identifier: MIT */
#include "proxy.h"

#include <stdlib.h>

#include <spa/utils/result.h>

#include "log.h"

/* The version is that of the Node's and the Link's events alike. */
#define REMOTE_VERSION 3

static void remote_bound(void *data, uint32_t id)
{
	struct weir_proxy *remote = data;

	remote->id = id;
	if (remote->events != NULL)
		remote->events->bound(remote->data);
}

/* Once. */
static void remote_tell_gone(struct weir_proxy *remote, int res, const char *error)
{
	const struct weir_proxy_events *events = remote->events;

	remote->events = NULL;
	if (events != NULL)
		events->gone(remote->data, res, error);
}

static void remote_removed(void *data)
{
	struct weir_proxy *remote = data;

	pw_proxy_destroy(remote->proxy);
}

static void remote_proxy_destroy(void *data)
{
	struct weir_proxy *remote = data;

	spa_hook_remove(&remote->listener);
	remote->proxy = NULL;
	remote->id = SPA_ID_INVALID;
	remote_tell_gone(remote, 0, NULL);
}

static void remote_error(void *data, int seq, int res, const char *message)
{
	struct weir_proxy *remote = data;

	(void)seq;
	if (remote->events == NULL)
		pw_log_warn("no %s: %s (%s)", remote->type, message, spa_strerror(res));
	remote_tell_gone(remote, res, message);
	pw_proxy_destroy(remote->proxy);
}

static const struct pw_proxy_events remote_events = {
	PW_VERSION_PROXY_EVENTS,	 .bound = remote_bound, .removed = remote_removed,
	.destroy = remote_proxy_destroy, .error = remote_error,
};

struct weir_proxy *weir_proxy_create(struct pw_core *core, const char *factory, const char *type,
				     struct pw_properties *props)
{
	struct weir_proxy *remote = calloc(1, sizeof(*remote));

	if (remote == NULL || props == NULL)
		goto error;
	remote->type = type;
	remote->id = SPA_ID_INVALID;
	remote->proxy = pw_core_create_object(core, factory, type, REMOTE_VERSION, &props->dict, 0);
	if (remote->proxy == NULL)
		goto error;
	pw_proxy_add_listener(remote->proxy, &remote->listener, &remote_events, remote);
	pw_properties_free(props);
	return remote;
error:
	pw_properties_free(props);
	free(remote);
	return NULL;
}

void weir_proxy_add_listener(struct weir_proxy *remote, const struct weir_proxy_events *events,
			     void *data)
{
	remote->events = events;
	remote->data = data;
}

void weir_proxy_destroy(struct weir_proxy *remote)
{
	if (remote == NULL)
		return;
	remote->events = NULL;
	if (remote->proxy != NULL)
		pw_proxy_destroy(remote->proxy);
	free(remote);
}
