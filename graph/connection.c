/* SPDX-License-Identifier: MIT */
#include "connection.h"

#include <errno.h>

/*
 * The daemon connects to its own socket. Its "internal" connection has no event to resume a client
 * with: binding the session manager's metadata over it ends the daemon (1.4.2).
 */
int weir_connection_init(struct weir_connection *connection, struct pw_context *context)
{
	const struct pw_properties *props = pw_context_get_properties(context);
	const char *name = pw_properties_get(props, PW_KEY_CORE_NAME);
	struct pw_properties *remote = NULL;

	connection->context = context;
	connection->in_daemon = pw_properties_get_bool(props, PW_KEY_CORE_DAEMON, false);
	if (connection->in_daemon && name != NULL)
		remote = pw_properties_new(PW_KEY_REMOTE_NAME, name, NULL);
	connection->core = pw_context_connect(context, remote, 0);
	return connection->core != NULL ? 0 : -errno;
}

void weir_connection_finish(struct weir_connection *connection)
{
	if (connection->core != NULL)
		pw_core_disconnect(connection->core);
	connection->core = NULL;
}

bool weir_connection_is_lost(uint32_t id, int res)
{
	return id == PW_ID_CORE && (res == -EPIPE || res == -ECONNRESET || res == -EPROTO);
}

void weir_context_timer_set(struct pw_context *context, struct spa_source *timer, uint64_t nsec)
{
	struct timespec value = {
		.tv_sec = (time_t)(nsec / SPA_NSEC_PER_SEC),
		.tv_nsec = (long)(nsec % SPA_NSEC_PER_SEC),
	};

	pw_loop_update_timer(pw_context_get_main_loop(context), timer, &value, NULL, false);
}

void weir_context_timer_destroy(struct pw_context *context, struct spa_source *timer)
{
	if (timer != NULL)
		pw_loop_destroy_source(pw_context_get_main_loop(context), timer);
}
