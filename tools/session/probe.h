/* SPDX-License-Identifier: MIT */
#ifndef WEIR_SESSION_PROBE_H
#define WEIR_SESSION_PROBE_H

#include "graph/link.h"
#include "graph/port.h"
#include "graph/proxy.h"
#include "session.h"

/*
 * A node of our own that measures a sink or a source, for as long as the program runs. The daemon
 * runs it. The node is passive: it neither wakes its target nor keeps the target awake.
 */

struct probe {
	struct session *session;
	const char *factory; /* "weir.analyze" */
	struct weir_proxy *proxy;
	struct weir_link *link[WEIR_PORT_LIST_MAX];
	uint32_t n_links;
	uint64_t target_serial; /* the node that is linked */
	bool receives;		/* the links are active, or will be when the target runs */
};

/* When the graph has changed. Returns our node once it receives from the target, else NULL. */
struct weir_registry_object *probe_update(struct probe *probe,
					  const struct weir_registry_object *target);
/* When the connection is lost, or the program ends. */
void probe_disconnect(struct probe *probe);

#endif
