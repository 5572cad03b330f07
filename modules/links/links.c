/* SPDX-License-Identifier: MIT */
#include "links.h"

#include <errno.h>
#include <stdlib.h>

#include <spa/utils/result.h>

#include "graph/log.h"
#include "pair.h"

/* Between two attempts to reach a daemon that is not there. */
#define CONNECT_NSEC SPA_NSEC_PER_SEC
/* The time in which a new client sends the requests of its start. */
#define REFRESH_NSEC SPA_NSEC_PER_SEC

enum links_timer {
	LINKS_TIMER_CONNECT,
	LINKS_TIMER_REFRESH,
	LINKS_TIMER_REPORT,
	LINKS_N_TIMERS,
};

struct links {
	struct links_args args;
	struct spa_hook module_listener;
	struct pw_context *context;
	struct spa_hook context_listener;
	struct weir_connection connection;
	struct spa_hook core_listener;
	struct links_pairs pairs; /* registry NULL: not connected */

	int sync;
	bool syncing;
	bool changed;	 /* since the sync was sent */
	bool refreshing; /* that timer runs */
	struct spa_source *timers[LINKS_N_TIMERS];
};

/* 0: never. */
static void timer_set(struct links *links, enum links_timer timer, uint64_t nsec)
{
	weir_context_timer_set(links->context, links->timers[timer], nsec);
}

/*
 * Two ports that are both named belong together, of others those of the same channel. Where no
 * channel is on both sides a single port is linked to all, and several by their order.
 */
static void ports_pair(struct links_pairs *pairs, const struct links_rule *rule,
		       const struct links_ports *from, const struct links_ports *to)
{
	const struct weir_port_list *outputs = &from->list, *inputs = &to->list;
	const bool all = (from->named && to->named) || outputs->n == 1 || inputs->n == 1;
	const bool by_channel =
		!(from->named && to->named) && weir_port_list_has_common_channel(outputs, inputs);
	unsigned int i, j;

	for (i = 0; i < outputs->n; i++) {
		for (j = 0; j < inputs->n; j++) {
			if (by_channel
				    ? weir_port_is_same_channel(outputs->ports[i], inputs->ports[j])
				    : all || i == j)
				links_pair_add(pairs, outputs->ports[i], inputs->ports[j],
					       rule->passive);
		}
	}
}

static enum links_end_state state_add(enum links_end_state state, const struct links_ports *ports)
{
	if (ports->list.n > 0)
		return LINKS_END_PRESENT;
	return state == LINKS_END_PRESENT ? LINKS_END_PRESENT : LINKS_END_NO_PORT;
}

static void end_update(struct links *links, struct links_end *end)
{
	enum links_end_state state = LINKS_END_NO_NODE;
	struct links_ports ports = { .node = NULL };

	while (links_end_next(end, links->pairs.registry, &ports))
		state = state_add(state, &ports);
	links_end_set_state(end, state);
}

static void rule_update(struct links *links, struct links_rule *rule)
{
	struct links_ports from = { .node = NULL }, to;

	while (links_end_next(&rule->from, links->pairs.registry, &from)) {
		to.node = NULL;
		while (links_end_next(&rule->to, links->pairs.registry, &to)) {
			/* A node is linked to itself only if both ends name it: anything else is
			 * feedback. */
			if (from.node != to.node || (!rule->from.is_regex && !rule->to.is_regex))
				ports_pair(&links->pairs, rule, &from, &to);
		}
	}
	end_update(links, &rule->from);
	end_update(links, &rule->to);
}

/* A new client that binds the metadata may have kept a new default sink from us. */
static void refresh_later(struct links *links)
{
	if (links->refreshing || !links->args.follow_default)
		return;
	links->refreshing = true;
	timer_set(links, LINKS_TIMER_REFRESH, REFRESH_NSEC);
}

static void links_report(struct links *links)
{
	uint64_t next = 0;
	unsigned int i;

	for (i = 0; i < 2 * links->args.n_rules; i++) {
		struct links_rule *rule = &links->args.rules[i / 2];
		struct links_end *end = i % 2 == 0 ? &rule->from : &rule->to;
		const uint64_t nsec = links_end_report(end, rule->index, links->pairs.registry);

		if (nsec != 0 && (next == 0 || nsec < next))
			next = nsec;
		if (end->follows_default && end->state != LINKS_END_PRESENT)
			refresh_later(links);
	}
	timer_set(links, LINKS_TIMER_REPORT, next);
}

static void links_run(struct links *links)
{
	struct links_pair *pair, *next;
	unsigned int i;

	spa_list_for_each(pair, &links->pairs.list, link) pair->wanted = false;
	for (i = 0; i < links->args.n_rules; i++)
		rule_update(links, &links->args.rules[i]);
	spa_list_for_each_safe(pair, next, &links->pairs.list, link)
	{
		if (pair->wanted)
			links_pair_update(pair);
		else
			links_pair_destroy(pair);
	}
	links_report(links);
}

/*
 * When the daemon has answered, it has also sent everything that belongs to one change: all
 * ports of a node, or that a link went because its port did.
 */
static void links_update(struct links *links)
{
	links->changed = true;
	if (links->syncing)
		return;
	links->changed = false;
	links->syncing = true;
	links->sync = pw_core_sync(links->connection.core, PW_ID_CORE, links->sync);
}

static void pairs_changed(void *data)
{
	links_update(data);
}

static const struct links_pairs_events pairs_events = {
	.changed = pairs_changed,
};

static void refresh_timeout(void *data, uint64_t expirations)
{
	struct links *links = data;

	(void)expirations;
	links->refreshing = false;
	weir_registry_refresh(links->pairs.registry);
}

static void registry_changed(void *data, struct weir_registry_object *object)
{
	if (object->type == WEIR_REGISTRY_CLIENT)
		refresh_later(data);
	else
		links_update(data);
}

static void registry_removed(void *data, struct weir_registry_object *object)
{
	struct links *links = data;
	struct links_pair *pair, *next;

	/* At once: the daemon gives a free id to the next port. */
	spa_list_for_each_safe(pair, next, &links->pairs.list, link)
	{
		if (object->type == WEIR_REGISTRY_PORT &&
		    (pair->output == object->id || pair->input == object->id))
			links_pair_destroy(pair);
	}
	registry_changed(data, object);
}

static void registry_default_sink_changed(void *data)
{
	links_update(data);
}

static const struct weir_registry_events registry_events = {
	.changed = registry_changed,
	.removed = registry_removed,
	.default_sink_changed = registry_default_sink_changed,
};

static void core_done(void *data, uint32_t id, int seq)
{
	struct links *links = data;

	if (id != PW_ID_CORE || seq != links->sync)
		return;
	links->syncing = false;
	if (links->changed)
		links_update(links);
	else
		links_run(links);
}

static void core_error(void *data, uint32_t id, int seq, int res, const char *message)
{
	struct links *links = data;

	(void)seq;
	if (!weir_connection_is_lost(id, res))
		return;
	pw_log_warn("weir-links: connection lost: %s. The links are made again as soon as PipeWire "
		    "is back",
		    message);
	/* Not from here: the connection is in use. What was not understood may come again at once.
	 */
	timer_set(links, LINKS_TIMER_CONNECT, res == -EPROTO ? CONNECT_NSEC : 1);
}

static const struct pw_core_events core_events = {
	PW_VERSION_CORE_EVENTS,
	.done = core_done,
	.error = core_error,
};

static void links_disconnect(struct links *links)
{
	struct links_pair *pair;

	spa_list_consume(pair, &links->pairs.list, link) links_pair_destroy(pair);
	if (links->pairs.registry != NULL)
		spa_hook_remove(&links->core_listener);
	weir_registry_destroy(links->pairs.registry);
	links->pairs.registry = NULL;
	weir_connection_finish(&links->connection);
	links->syncing = false;
	links->refreshing = false;
	timer_set(links, LINKS_TIMER_REFRESH, 0);
	timer_set(links, LINKS_TIMER_REPORT, 0);
}

static int links_connect(struct links *links)
{
	int res = weir_connection_init(&links->connection, links->context);

	if (res < 0)
		return res;
	links->pairs.registry =
		weir_registry_create(links->connection.core, &registry_events, links);
	if (links->pairs.registry == NULL)
		return -errno;
	pw_core_add_listener(links->connection.core, &links->core_listener, &core_events, links);
	links_update(links);
	return 0;
}

static void connect_timeout(void *data, uint64_t expirations)
{
	struct links *links = data;

	(void)expirations;
	links_disconnect(links);
	if (links_connect(links) < 0)
		timer_set(links, LINKS_TIMER_CONNECT, CONNECT_NSEC);
	else
		pw_log_info("weir-links: connected again");
}

static void report_timeout(void *data, uint64_t expirations)
{
	(void)expirations;
	links_report(data);
}

static void links_destroy(struct links *links)
{
	unsigned int i;

	if (links->connection.core != NULL)
		links_disconnect(links);
	spa_hook_remove(&links->module_listener);
	spa_hook_remove(&links->context_listener);
	for (i = 0; i < LINKS_N_TIMERS; i++)
		weir_context_timer_destroy(links->context, links->timers[i]);
	links_args_finish(&links->args);
	free(links);
}

static void module_destroy(void *data)
{
	links_destroy(data);
}

static const struct pw_impl_module_events module_events = {
	PW_VERSION_IMPL_MODULE_EVENTS,
	.destroy = module_destroy,
};

/* The end of the process. Connections go next, modules last. */
static void context_destroy(void *data)
{
	links_destroy(data);
}

static const struct pw_context_events context_events = {
	PW_VERSION_CONTEXT_EVENTS,
	.destroy = context_destroy,
};

static int links_init_timers(struct links *links)
{
	static const spa_source_timer_func_t timeouts[LINKS_N_TIMERS] = {
		[LINKS_TIMER_CONNECT] = connect_timeout,
		[LINKS_TIMER_REFRESH] = refresh_timeout,
		[LINKS_TIMER_REPORT] = report_timeout,
	};
	struct pw_loop *loop = pw_context_get_main_loop(links->context);
	unsigned int i;

	for (i = 0; i < LINKS_N_TIMERS; i++) {
		links->timers[i] = pw_loop_add_timer(loop, timeouts[i], links);
		if (links->timers[i] == NULL)
			return -errno;
	}
	return 0;
}

int links_create(struct pw_impl_module *module, struct links_args *args)
{
	struct pw_context *context = pw_impl_module_get_context(module);
	struct links *links = calloc(1, sizeof(*links));
	int res;

	if (links == NULL) {
		res = -errno;
		links_args_finish(args);
		return res;
	}
	links->args = *args;
	links->context = context;
	links->pairs = (struct links_pairs){
		.connection = &links->connection,
		.events = &pairs_events,
		.data = links,
	};
	spa_list_init(&links->pairs.list);
	pw_impl_module_add_listener(module, &links->module_listener, &module_events, links);
	pw_context_add_listener(context, &links->context_listener, &context_events, links);
	res = links_init_timers(links);
	if (res < 0) {
		links_destroy(links);
		return res;
	}
	res = links_connect(links);
	if (res < 0) {
		pw_log_warn("weir-links: no connection to PipeWire (%s): trying again until it "
			    "runs",
			    spa_strerror(res));
		timer_set(links, LINKS_TIMER_CONNECT, CONNECT_NSEC);
	}
	return 0;
}
