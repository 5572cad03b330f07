/* SPDX-License-Identifier: MIT */

/*
 * Links whose daemon changes while they are made: graph/link.c and modules/links/pair.c with a
 * daemon and a clock of this test's own, so that events come in the order that is written down.
 */

#include <errno.h>
#include <stdlib.h>

#include "check.h"
#include "graph/link.h"
#include "graph/log.h"
#include "graph/port.h"
#include "graph/proxy.h"
#include "modules/links/pair.h"

PW_LOG_TOPIC(weir_topic, "test");

/* A port as the daemon knows it, and as the registry does. */
struct port {
	uint32_t id;
	uint64_t serial;
	struct weir_registry_object known;
};

enum { OUTPUT, INPUT, N_PORTS };

static struct {
	struct port port[N_PORTS];
	int create_errno; /* of the next links; 0: they are made */
	unsigned int n_created, n_destroyed;
	bool has_registry_link;
	unsigned int n_updates;

	/* Of the latest link. */
	struct spa_hook_list listeners;
	const struct weir_proxy_events *proxy_events;
	void *proxy_data;

	/* Of the latest timer. */
	spa_source_timer_func_t timer;
	void *timer_data;
	uint64_t timer_nsec; /* 0: does not run */
} fake;

static struct pw_impl_link *const fake_link = (struct pw_impl_link *)&fake.n_created;
static struct weir_proxy fake_proxy;

static struct spa_source *timer_add(void *object, spa_source_timer_func_t func, void *data)
{
	static struct spa_source source;

	(void)object;
	fake.timer = func;
	fake.timer_data = data;
	return &source;
}

static const struct spa_loop_utils_methods loop_methods = {
	SPA_VERSION_LOOP_UTILS_METHODS,
	.add_timer = timer_add,
};
static struct spa_loop_utils loop_utils;
static struct pw_loop fake_loop = { .utils = &loop_utils };

SPA_EXPORT struct pw_loop *pw_context_get_main_loop(struct pw_context *context)
{
	(void)context;
	return &fake_loop;
}

void weir_context_timer_set(struct pw_context *context, struct spa_source *timer, uint64_t nsec)
{
	(void)context;
	(void)timer;
	fake.timer_nsec = nsec;
}

void weir_context_timer_destroy(struct pw_context *context, struct spa_source *timer)
{
	weir_context_timer_set(context, timer, 0);
}

/* Returns the time that passes until a timer fires, 0 if none does. */
static uint64_t clock_advance(void)
{
	const uint64_t nsec = fake.timer_nsec;

	fake.timer_nsec = 0;
	if (nsec != 0)
		fake.timer(fake.timer_data, 1);
	return nsec;
}

SPA_EXPORT int pw_context_for_each_global(struct pw_context *context,
					  int (*callback)(void *data, struct pw_global *global),
					  void *data)
{
	int res = 0;

	(void)context;
	for (int i = 0; i < N_PORTS && res == 0; i++)
		res = callback(data, (struct pw_global *)&fake.port[i]);
	return res;
}

SPA_EXPORT uint32_t pw_global_get_id(struct pw_global *global)
{
	return ((struct port *)global)->id;
}

SPA_EXPORT uint64_t pw_global_get_serial(struct pw_global *global)
{
	return ((struct port *)global)->serial;
}

SPA_EXPORT bool pw_global_is_type(struct pw_global *global, const char *type)
{
	(void)global;
	return spa_streq(type, PW_TYPE_INTERFACE_Port);
}

SPA_EXPORT void *pw_global_get_object(struct pw_global *global)
{
	return global;
}

SPA_EXPORT struct pw_impl_link *
pw_context_create_link(struct pw_context *context, struct pw_impl_port *output,
		       struct pw_impl_port *input, struct spa_pod *format_filter,
		       struct pw_properties *properties, size_t user_data_size)
{
	(void)context;
	(void)format_filter;
	(void)user_data_size;
	pw_properties_free(properties);
	CHECK(((struct port *)output)->serial == fake.port[OUTPUT].known.serial);
	CHECK(((struct port *)input)->serial == fake.port[INPUT].known.serial);
	errno = fake.create_errno;
	if (errno != 0)
		return NULL;
	spa_hook_list_init(&fake.listeners);
	fake.n_created++;
	return fake_link;
}

SPA_EXPORT void pw_impl_link_add_listener(struct pw_impl_link *link, struct spa_hook *listener,
					  const struct pw_impl_link_events *events, void *data)
{
	CHECK(link == fake_link);
	spa_hook_list_append(&fake.listeners, listener, events, data);
}

SPA_EXPORT int pw_impl_link_register(struct pw_impl_link *link, struct pw_properties *properties)
{
	CHECK(link == fake_link && properties == NULL);
	return 0;
}

SPA_EXPORT void pw_impl_link_destroy(struct pw_impl_link *link)
{
	CHECK(link == fake_link);
	fake.n_destroyed++;
}

struct weir_proxy *weir_proxy_create(struct pw_core *core, const char *factory, const char *type,
				     struct pw_properties *props)
{
	(void)core;
	(void)factory;
	(void)type;
	pw_properties_free(props);
	spa_hook_list_init(&fake.listeners);
	fake.n_created++;
	return &fake_proxy;
}

void weir_proxy_add_listener(struct weir_proxy *proxy, const struct weir_proxy_events *events,
			     void *data)
{
	CHECK(proxy == &fake_proxy);
	fake.proxy_events = events;
	fake.proxy_data = data;
}

void weir_proxy_destroy(struct weir_proxy *proxy)
{
	CHECK(proxy == &fake_proxy);
	fake.n_destroyed++;
}

SPA_EXPORT void pw_proxy_add_object_listener(struct pw_proxy *proxy, struct spa_hook *listener,
					     const void *funcs, void *data)
{
	(void)proxy;
	spa_hook_list_append(&fake.listeners, listener, funcs, data);
}

struct weir_registry_object *weir_registry_find(struct weir_registry *registry,
						enum weir_registry_type type, uint32_t id)
{
	static struct weir_registry_object node;

	(void)registry;
	if (type != WEIR_REGISTRY_PORT) {
		if (node.props == NULL)
			node.props = pw_properties_new(PW_KEY_NODE_NAME, "node", NULL);
		return &node;
	}
	return &fake.port[id == fake.port[OUTPUT].known.id ? OUTPUT : INPUT].known;
}

struct weir_registry_object *weir_registry_find_link(struct weir_registry *registry,
						     uint32_t output, uint32_t input)
{
	(void)registry;
	(void)output;
	(void)input;
	return fake.has_registry_link ? &fake.port[OUTPUT].known : NULL;
}

const char *weir_port_get_name(const struct weir_registry_object *port)
{
	(void)port;
	return "port";
}

static void pairs_changed(void *data)
{
	(void)data;
	fake.n_updates++;
}

static const struct links_pairs_events pairs_events = {
	.changed = pairs_changed,
};

static struct weir_connection connection;
static struct links_pairs pairs = {
	.connection = &connection,
	.events = &pairs_events,
};

static void begin(bool in_daemon)
{
	spa_zero(fake);
	spa_zero(connection);
	spa_list_init(&pairs.list);
	pairs.passive_reported = false;
	loop_utils.iface = SPA_INTERFACE_INIT(SPA_TYPE_INTERFACE_LoopUtils, SPA_VERSION_LOOP_UTILS,
					      &loop_methods, NULL);
	connection.in_daemon = in_daemon;
	for (uint32_t i = 0; i < N_PORTS; i++) {
		fake.port[i].id = fake.port[i].known.id = 40 + i;
		fake.port[i].serial = fake.port[i].known.serial = 400 + i;
	}
}

static struct links_pair *pair_add(void)
{
	links_pair_add(&pairs, &fake.port[OUTPUT].known, &fake.port[INPUT].known, false);
	return spa_list_first(&pairs.list, struct links_pair, link);
}

/* As links.c does, after each event of the pairs. */
static void update(struct links_pair *pair)
{
	for (unsigned int n = 0; n == 0 || fake.n_updates > 0; n++) {
		CHECK(n < 100);
		fake.n_updates = 0;
		links_pair_update(pair);
	}
}

static void link_fail(bool in_daemon)
{
	if (in_daemon)
		spa_hook_list_call(&fake.listeners, struct pw_impl_link_events, state_changed, 0,
				   PW_LINK_STATE_ALLOCATING, PW_LINK_STATE_ERROR, "no buffers");
	else
		fake.proxy_events->gone(fake.proxy_data, -EIO, "no buffers");
}

static void link_remove(void)
{
	spa_hook_list_call(&fake.listeners, struct pw_impl_link_events, destroy, 0);
}

static void test_a_link_of_somebody_else_goes_before_it_was_seen(void)
{
	begin(true);
	fake.create_errno = EEXIST;

	struct links_pair *pair = pair_add();

	links_pair_update(pair);
	CHECK(pair->state == LINKS_PAIR_THEIRS && fake.n_created == 0 && fake.n_updates > 0);
	fake.create_errno = 0;
	update(pair);
	CHECK(pair->state == LINKS_PAIR_OURS && fake.n_created == 1);
	links_pair_destroy(pair);
	CHECK(fake.n_destroyed == 1);
}

static void test_a_link_of_somebody_else_goes_once_it_was_seen(void)
{
	begin(true);
	fake.create_errno = EEXIST;

	struct links_pair *pair = pair_add();

	links_pair_update(pair);
	fake.has_registry_link = true;
	update(pair);
	CHECK(pair->state == LINKS_PAIR_THEIRS);
	fake.has_registry_link = false;
	fake.create_errno = 0;
	update(pair);
	CHECK(pair->state == LINKS_PAIR_OURS && fake.n_created == 1);
	links_pair_destroy(pair);
}

static void test_a_link_that_is_never_seen_is_not_tried_for_ever(void)
{
	begin(true);
	fake.create_errno = EEXIST;

	struct links_pair *pair = pair_add();

	update(pair);
	CHECK(pair->state == LINKS_PAIR_THEIRS && fake.n_created == 0);
	links_pair_destroy(pair);
}

/* The ports have gone, others have their ids, and the registry does not know yet. */
static void test_no_link_goes_to_a_port_that_has_the_id_of_another(void)
{
	for (int i = 0; i < N_PORTS; i++) {
		begin(true);
		fake.port[i].serial += 100;

		struct links_pair *pair = pair_add();
		uint64_t nsec = 0;

		update(pair);
		CHECK(pair->own->state == WEIR_LINK_PENDING);
		for (uint64_t more; (more = clock_advance()) > 0; nsec += more)
			update(pair);
		CHECK(nsec > 0 && nsec <= SPA_NSEC_PER_SEC);
		CHECK(pair->state == LINKS_PAIR_OVER && fake.n_created == 0);
		links_pair_destroy(pair);
	}
}

static void test_a_port_that_the_daemon_has_late_is_linked(void)
{
	begin(true);
	fake.port[INPUT].serial = 0;

	struct links_pair *pair = pair_add();

	update(pair);
	CHECK(pair->own->state == WEIR_LINK_PENDING);
	fake.port[INPUT].serial = fake.port[INPUT].known.serial;
	CHECK(clock_advance() > 0);
	update(pair);
	CHECK(pair->own->state == WEIR_LINK_MADE && fake.n_created == 1);
	links_pair_destroy(pair);
}

static void test_a_link_whose_buffers_failed_is_made_again(bool in_daemon)
{
	begin(in_daemon);

	struct links_pair *pair = pair_add();

	update(pair);
	link_fail(in_daemon);
	update(pair);
	CHECK(pair->state == LINKS_PAIR_OURS && pair->own->state == WEIR_LINK_PENDING);
	CHECK(clock_advance() <= SPA_NSEC_PER_SEC);
	if (!in_daemon)
		fake.proxy_events->bound(fake.proxy_data);
	update(pair);
	CHECK(pair->own->state == WEIR_LINK_MADE);
	CHECK(fake.n_created == 2 && fake.n_destroyed == 1);
	links_pair_destroy(pair);
	CHECK(fake.n_destroyed == 2);
}

static void test_a_link_whose_buffers_fail_always_is_given_up(bool in_daemon)
{
	begin(in_daemon);

	struct links_pair *pair = pair_add();
	uint64_t nsec = 0;

	update(pair);
	for (uint64_t more; link_fail(in_daemon), (more = clock_advance()) > 0; nsec += more)
		update(pair);
	CHECK(nsec > 0 && nsec <= SPA_NSEC_PER_SEC);
	CHECK(pair->own->state == WEIR_LINK_GONE && pair->own->res == -EIO);
	CHECK(spa_streq(pair->own->error, "no buffers"));
	update(pair);
	CHECK(pair->state == LINKS_PAIR_OVER);
	CHECK(fake.n_created == fake.n_destroyed);
	links_pair_destroy(pair);
}

/* Somebody removes it while it waits, and the pair hears of that only after the time is over. */
static void test_a_failed_link_that_was_removed_stays_removed(void)
{
	begin(true);

	struct links_pair *pair = pair_add();

	update(pair);
	link_fail(true);
	link_remove();
	CHECK(pair->own->state == WEIR_LINK_GONE);
	clock_advance();
	update(pair);
	CHECK(pair->state == LINKS_PAIR_OVER && fake.n_created == 1);
	links_pair_destroy(pair);
}

int main(void)
{
	test_a_link_of_somebody_else_goes_before_it_was_seen();
	test_a_link_of_somebody_else_goes_once_it_was_seen();
	test_a_link_that_is_never_seen_is_not_tried_for_ever();
	test_no_link_goes_to_a_port_that_has_the_id_of_another();
	test_a_port_that_the_daemon_has_late_is_linked();
	for (int in_daemon = 0; in_daemon < 2; in_daemon++) {
		test_a_link_whose_buffers_failed_is_made_again(in_daemon);
		test_a_link_whose_buffers_fail_always_is_given_up(in_daemon);
	}
	test_a_failed_link_that_was_removed_stays_removed();
	return 0;
}
