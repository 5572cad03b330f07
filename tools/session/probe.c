/* SPDX-License-Identifier: MIT */
#include "probe.h"

#include <spa/utils/names.h>
#include <spa/utils/result.h>
#include <spa/utils/string.h>

#include "selection.h"
#include "tools/cli/message.h"

#define LIBRARY "weir/libspa-weir"

static void probe_bound(void *data)
{
	struct probe *probe = data;

	session_notify(probe->session);
}

static void probe_gone(void *data, int res, const char *error)
{
	struct probe *probe = data;

	if (res < 0)
		die("PipeWire cannot create %s: %s. It must find " LIBRARY
		    ": see \"Install\" in README.md",
		    probe->factory, error);
	session_notify(probe->session);
}

static const struct weir_proxy_events probe_events = {
	.bound = probe_bound,
	.gone = probe_gone,
};

static void probe_create(struct probe *probe)
{
	struct pw_properties *props =
		pw_properties_new(SPA_KEY_FACTORY_NAME, probe->factory, SPA_KEY_LIBRARY_NAME,
				  LIBRARY, PW_KEY_NODE_PASSIVE, "true", PW_KEY_OBJECT_LINGER,
				  "false", NODE_PROBE_KEY, "true", NULL);

	pw_properties_setf(props, PW_KEY_NODE_NAME, "%s.probe", probe->factory);
	probe->proxy = weir_proxy_create(probe->session->connection.core, "spa-node-factory",
					 PW_TYPE_INTERFACE_Node, props);
	if (!probe->proxy)
		die("cannot create %s: %m", probe->factory);
	weir_proxy_add_listener(probe->proxy, &probe_events, probe);
}

static void links_drop(struct probe *probe)
{
	while (probe->n_links > 0)
		weir_link_destroy(probe->link[--probe->n_links]);
	probe->receives = false;
}

static void on_link(void *data, struct weir_link *link)
{
	struct probe *probe = data;

	if (link->state == WEIR_LINK_GONE && link->res != 0)
		warn("cannot link the target to %s: %s", probe->factory,
		     link->error ? link->error : spa_strerror(link->res));
	session_notify(probe->session);
}

static const struct weir_link_events link_events = {
	.changed = on_link,
};

static bool has_link(const struct probe *probe, const struct weir_registry_object *output,
		     const struct weir_registry_object *input)
{
	for (uint32_t i = 0; i < probe->n_links; i++)
		if (probe->link[i]->output_serial == output->serial &&
		    probe->link[i]->input_serial == input->serial)
			return true;
	return false;
}

static bool list_has(const struct weir_port_list *list, uint64_t serial)
{
	for (uint32_t i = 0; i < list->n; i++)
		if (list->ports[i]->serial == serial)
			return true;
	return false;
}

/* Drops links of ports that are gone. A link removed by the user stays, and is not made again. */
static void links_prune(struct probe *probe, const struct weir_port_list *from,
			const struct weir_port_list *to)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < probe->n_links; i++) {
		struct weir_link *link = probe->link[i];

		if (list_has(from, link->output_serial) && list_has(to, link->input_serial))
			probe->link[n++] = link;
		else
			weir_link_destroy(link);
	}
	probe->n_links = n;
}

/* By channel where the ports of both sides have channels, else by order. */
static void links_make(struct probe *probe, const struct weir_port_list *from,
		       const struct weir_port_list *to)
{
	const bool by_channel = weir_port_list_has_common_channel(from, to);

	for (uint32_t i = 0; i < from->n * to->n && probe->n_links < WEIR_PORT_LIST_MAX; i++) {
		const uint32_t o = i / to->n, p = i % to->n;

		if (by_channel ? !weir_port_is_same_channel(from->ports[o], to->ports[p]) : o != p)
			continue;
		if (has_link(probe, from->ports[o], to->ports[p]))
			continue;
		probe->link[probe->n_links] =
			weir_link_create(&probe->session->connection, from->ports[o], to->ports[p],
					 true, &link_events, probe);
		if (probe->link[probe->n_links])
			probe->n_links++;
	}
}

static bool links_are_active(const struct probe *probe)
{
	for (uint32_t i = 0; i < probe->n_links; i++)
		if (probe->link[i]->state != WEIR_LINK_GONE && !probe->link[i]->was_active)
			return false;
	return true;
}

/* Before its links are active our node would receive silence that the target does not play. */
struct weir_registry_object *probe_update(struct probe *probe,
					  const struct weir_registry_object *target)
{
	struct weir_registry_object *node;
	struct weir_port_list from, to;

	if (!target || target->serial != probe->target_serial)
		links_drop(probe);
	if (!target)
		return NULL;
	probe->target_serial = target->serial;
	if (probe->proxy && !probe->proxy->pw_proxy)
		probe_disconnect(probe);
	if (!probe->proxy)
		probe_create(probe);
	if (probe->proxy->id == SPA_ID_INVALID)
		return NULL;
	node = weir_registry_find(probe->session->registry, WEIR_REGISTRY_NODE, probe->proxy->id);
	if (!node || !node->known)
		return NULL;
	weir_port_list_find(&from, probe->session->registry, target->id, "out");
	weir_port_list_find(&to, probe->session->registry, probe->proxy->id, "in");
	links_prune(probe, &from, &to);
	if (to.n)
		links_make(probe, &from, &to);
	probe->receives |= to.n && (!target->running || links_are_active(probe));
	return probe->receives ? node : NULL;
}

void probe_disconnect(struct probe *probe)
{
	links_drop(probe);
	weir_proxy_destroy(probe->proxy);
	probe->proxy = NULL;
}
