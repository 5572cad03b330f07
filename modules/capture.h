/* SPDX-License-Identifier: MIT */
#ifndef WEIR_CAPTURE_H
#define WEIR_CAPTURE_H

#include <pipewire/impl.h>
#include <stdbool.h>

#include "registry.h"
#include "remote.h"

/*
 * One running capture. capture.c decides which streams are captured and redirects them,
 * capture-links.c leads their sound to the source, capture-sink.c keeps a sink to redirect to.
 */

struct capture_args {
	struct pw_properties *props; /* holds the strings */
	const char *name;
	const char *rules; /* for pw_conf_match_rules: capture.match and one action */
	const char *sink;
	bool redirect; /* false: tap */
};

struct capture_stream {
	struct spa_list link;
	struct capture *capture;
	struct registry_object *node;
	struct spa_list links;
	char *before;  /* the metadata's target.object before ours, NULL: none */
	bool starting; /* in the daemon: its first link is there, but not yet in the registry */
	bool moved;    /* by somebody else, after us: where it plays is no longer our business */
};

struct capture_sink {
	char *virtual_name;
	struct remote *virtual; /* NULL while streams go to args.sink */
	bool known;		/* is it known whether args.sink is there? */
	bool present;
	bool in_use; /* args.sink, not the virtual one */
	struct spa_source *timer;
};

struct capture {
	struct capture_args args;
	char *before_key;
	struct pw_context *context;
	struct spa_hook context_listener;
	struct pw_impl_module *module; /* NULL while unloading */
	struct spa_hook module_listener;
	struct pw_core *core;
	struct spa_hook core_listener;
	bool in_daemon;
	bool disconnected;

	struct registry *registry;
	struct spa_list streams;
	struct remote *source;
	struct capture_sink sink;

	int undo_sync;
	bool undone;
	bool undo_answered;
	struct spa_source *undo_timer;
};

/*
 * Takes args' props, also on failure. 0 or -errno. The capture ends itself after the module: its
 * code must stay mapped (linked with -z nodelete).
 */
int capture_create(struct pw_impl_module *module, const struct capture_args *args);

/* Is it linked to anything but the source? */
bool capture_stream_is_playing(const struct capture_stream *stream);
/* The stream's links to the source as they should be now. */
void capture_stream_link(struct capture_stream *stream);
void capture_stream_unlink_port(struct capture_stream *stream, uint32_t port_id);
void capture_stream_unlink(struct capture_stream *stream);

/* Tells all streams where to play. */
void capture_redirect(struct capture *capture);

int capture_sink_init(struct capture *capture);
void capture_sink_finish(struct capture *capture);
/* After a change of nodes or ports. */
void capture_sink_update(struct capture *capture);
/* Where captured streams are to play. */
const char *capture_sink_get_name(const struct capture *capture);
/* Of a stereo node through which nothing but what is linked to it goes. */
struct pw_properties *capture_node_props(const char *name, const char *description,
					 const char *media_class);

#endif
