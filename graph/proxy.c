/* SPDX-License-Identifier: MIT */
#include "proxy.h"

#include <stdlib.h>

#include <spa/utils/result.h>

#include "log.h"

/* The version is that of the Node's and the Link's events alike. */
#define PROXY_VERSION 3

static void proxy_bound(void *data, uint32_t id)
{
	struct weir_proxy *proxy = data;

	proxy->id = id;
	if (proxy->events != NULL)
		proxy->events->bound(proxy->data);
}

/* Once: there is no listener any more. */
static void proxy_notify_gone(struct weir_proxy *proxy, int res, const char *error)
{
	const struct weir_proxy_events *events = proxy->events;

	proxy->events = NULL;
	if (events != NULL)
		events->gone(proxy->data, res, error);
}

static void proxy_removed(void *data)
{
	struct weir_proxy *proxy = data;

	pw_proxy_destroy(proxy->pw_proxy);
}

static void proxy_destroyed(void *data)
{
	struct weir_proxy *proxy = data;

	spa_hook_remove(&proxy->listener);
	proxy->pw_proxy = NULL;
	proxy->id = SPA_ID_INVALID;
	proxy_notify_gone(proxy, 0, NULL);
}

static void proxy_error(void *data, int seq, int res, const char *message)
{
	struct weir_proxy *proxy = data;

	(void)seq;
	if (proxy->events == NULL)
		pw_log_warn("error of %s: %s (%s)", proxy->type, message, spa_strerror(res));
	proxy_notify_gone(proxy, res, message);
	pw_proxy_destroy(proxy->pw_proxy);
}

static const struct pw_proxy_events proxy_events = {
	PW_VERSION_PROXY_EVENTS,    .bound = proxy_bound, .removed = proxy_removed,
	.destroy = proxy_destroyed, .error = proxy_error,
};

struct weir_proxy *weir_proxy_create(struct pw_core *core, const char *factory, const char *type,
				     struct pw_properties *props)
{
	struct weir_proxy *proxy = calloc(1, sizeof(*proxy));

	if (proxy == NULL || props == NULL)
		goto error;
	proxy->type = type;
	proxy->id = SPA_ID_INVALID;
	proxy->pw_proxy =
		pw_core_create_object(core, factory, type, PROXY_VERSION, &props->dict, 0);
	if (proxy->pw_proxy == NULL)
		goto error;
	pw_proxy_add_listener(proxy->pw_proxy, &proxy->listener, &proxy_events, proxy);
	pw_properties_free(props);
	return proxy;
error:
	pw_properties_free(props);
	free(proxy);
	return NULL;
}

void weir_proxy_add_listener(struct weir_proxy *proxy, const struct weir_proxy_events *events,
			     void *data)
{
	proxy->events = events;
	proxy->data = data;
}

void weir_proxy_destroy(struct weir_proxy *proxy)
{
	if (proxy == NULL)
		return;
	proxy->events = NULL;
	if (proxy->pw_proxy != NULL)
		pw_proxy_destroy(proxy->pw_proxy);
	free(proxy);
}
