/* SPDX-License-Identifier: MIT */
#ifndef WEIR_CAPTURE_DAEMON_H
#define WEIR_CAPTURE_DAEMON_H

#include <pipewire/impl.h>
#include <stdbool.h>

#include "graph.h"

/* What a capture in the daemon reads and changes at the daemon's own objects. */

/* NULL: the node is gone, or the id is another object's by now. */
struct pw_impl_node *capture_daemon_find_node(struct pw_context *context, uint32_t id);
/* NULL: it is no client, or gone. */
const struct spa_dict *capture_daemon_get_client_props(struct pw_context *context, uint32_t id);
/* Does nothing if the node is gone. value NULL: removes the property. */
void capture_daemon_set_property(struct pw_context *context, uint32_t node_id, const char *key,
				 const char *value);

/*
 * Keeps the session manager from remembering the node's target until the node is linked: to this
 * sink or, if not to_sink, to another node.
 */
void capture_daemon_pause_memory(struct pw_context *context, struct pw_impl_node *node,
				 const char *sink, bool to_sink);
/*
 * Of a new stream, before any client knows it: the session manager never sees the stream with
 * another target, so that no frame reaches the default sink, and does not store this target.
 */
void capture_daemon_redirect(const struct capture_graph *graph, struct pw_impl_node *node,
			     const char *sink);

#endif
