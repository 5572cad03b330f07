/* SPDX-License-Identifier: MIT */
#ifndef WEIR_CAPTURE_CAPTURE_H
#define WEIR_CAPTURE_CAPTURE_H

#include <pipewire/impl.h>
#include <stdbool.h>

#include "args.h"
#include "graph.h"
#include "graph/proxy.h"
#include "placement.h"
#include "sink.h"
#include "source.h"
#include "undo.h"
#include "unit.h"

/*
 * One running capture. capture.c decides which streams are captured and redirects them,
 * tap.c leads their sound to the source, source.c is the source, sink.c
 * keeps a sink to redirect to, path.c finds out whether sound gets from the source to a
 * sink, and which filters play what is captured already, placement.c decides where each
 * stream plays, home.c tells the session manager and knows where it played before,
 * memory.c keeps that from being remembered, target.c finds the node of a target,
 * name.c refuses a second capture of one name, status.c reports what is captured and
 * why not, rate.c changes the speed of the streams, own_rate.c finds out the speed
 * at which they play already.
 */

struct capture_stream {
	struct spa_list link;
	struct capture *capture;
	struct weir_registry_object *node;
	enum capture_fit fit;
	struct spa_list links;
	enum placement placement;
	struct timespec requested; /* when that began, if it is PLACEMENT_REQUESTED */
	char *home;		   /* the metadata's target.object before ours, NULL: none */
	char *home_name;	   /* that of its node, NULL: unknown */
	char *home_node;	   /* the metadata's target.node before ours, NULL: none */
	bool is_sent;		   /* has it ever been redirected? */
	char *pending;		   /* the sink that it was sent to, and nothing has answered yet */
	uint32_t remembered;	   /* the target.node that is ours, SPA_ID_INVALID: none */
	char *taker;		   /* the other capture's name, while that redirects it */
	bool starting; /* in the daemon: its first link is there, but not yet in the registry */
	struct capture_fade *fade;	   /* NULL: none is under way */
	double rate;			   /* as last sent, 0: never, and its resampler is off */
	struct capture_own_rate *own_rate; /* NULL: it is not known to have one */
	bool is_bent; /* has played at another rate than 1 since it last stopped */
};

struct capture_state {
	char *shown, *streams; /* as in the source's properties */
	struct spa_source *timer;
	bool waiting; /* to see whether what is wrong stays so... */
	bool late;    /* ...and it did: show it */
};

struct capture_rate {
	double now; /* what the streams are to play at */
	double target;
	double step; /* of a glide: the factor per tick */
	bool ticking;
	struct spa_source *timer;
	struct spa_source *own_timer; /* asks for the streams' own rates */
	bool starving;		      /* as a live source does, since live_timer was set */
	struct spa_source *live_timer;
};

struct capture {
	struct capture_args args;
	struct capture_graph graph;
	struct spa_hook context_listener;
	struct pw_impl_module *module; /* NULL while unloading */
	struct spa_hook module_listener;
	struct spa_hook core_listener;
	bool disconnected;

	struct spa_list streams;
	struct capture_source *source; /* NULL: not yet */
	bool source_is_lost;
	struct capture_sink *sink;
	struct capture_state state;
	struct capture_rate rate;
	struct spa_source *request_timer; /* looks for streams that should have been moved by now */
	struct capture_undo *undo;	  /* NULL: in the daemon, or there is none */

	bool accepted; /* no other capture has its name */

	int undo_sync;
	bool undone;
	bool undo_answered;
	struct spa_source *undo_timer;
};

/*
 * Takes what args points to, also on failure. 0 or -errno. The capture ends itself after the
 * module: its code must stay mapped (linked with -z nodelete).
 */
int capture_create(struct pw_impl_module *module, struct capture_args *args);

/* What the target that a stream has now means for its placement. */
enum placement_event capture_target_event(const struct capture_stream *stream);

struct capture_stream *capture_streams_find(const struct capture *capture, uint32_t node_id);
/* Tells all streams where to play. */
void capture_streams_redirect(struct capture *capture);
/* Those that another capture had, and has not any more. */
void capture_streams_check_others(struct capture *capture);
/* Those that were asked to move: are they there by now? */
void capture_streams_check_requests(struct capture *capture);
/*
 * Does a filter's stream play what comes from the source, or from another stream that is captured?
 * It would be in the source twice, or lead back into it.
 */
bool capture_streams_lead_to(const struct capture *capture,
			     const struct weir_registry_object *node);

void capture_stream_create(struct capture *capture, struct weir_registry_object *node,
			   enum capture_fit fit);
void capture_stream_destroy(struct capture_stream *stream);
/* Tells it where to play. */
void capture_stream_redirect(struct capture_stream *stream);
/* From now on: is it moved in time? */
void capture_stream_watch(struct capture_stream *stream);
/* Has it been asked for so long ago that it will not come any more? */
bool capture_stream_is_overdue(const struct capture_stream *stream);
/* Changes its placement, and does what that takes. */
void capture_stream_handle(struct capture_stream *stream, enum placement_event event);
/* Where it plays without us: a target, NULL for none. */
const char *capture_stream_get_home(const struct capture_stream *stream);
/* Has somebody, its application for one, said where it is to play? */
bool capture_stream_has_target(const struct capture_stream *stream);
/* What the metadata says now is where it plays without us. */
void capture_stream_adopt_target(struct capture_stream *stream);
/* Tells the session manager of a sink of ours, that the stream is to be where it was, ... */
void capture_stream_set_target(struct capture_stream *stream, const char *sink);
void capture_stream_reset_target(struct capture_stream *stream);
/* ...or nothing: what the metadata says is somebody's choice. */
void capture_stream_leave_target(struct capture_stream *stream);
/* The name of another capture that redirects it. NULL: there is none. */
const char *capture_stream_get_taker(const struct capture_stream *stream);
/* Does the capture that has it redirect no longer? */
bool capture_stream_is_free(const struct capture_stream *stream);
/* Has it play where and as it did before. */
void capture_stream_restore(struct capture_stream *stream);
/* NULL: there is none. */
struct weir_registry_object *capture_stream_get_client(const struct capture_stream *stream);
/* As users know it: the application's, or else the node's. */
const char *capture_stream_get_name(const struct capture_stream *stream);
void capture_stream_log(const struct capture_stream *stream, const char *what);

/* Is it linked to anything but the source? */
bool capture_stream_is_playing(const struct capture_stream *stream);
/* The first of its channels that lacks a link to the source, as a new one does. NULL: none. */
const struct weir_registry_object *
capture_stream_get_missing_port(const struct capture_stream *stream);
/* Is it linked to the capture's sink? */
bool capture_stream_is_at_sink(const struct capture_stream *stream);
/* The stream's links to the source as they should be now. */
void capture_stream_link(struct capture_stream *stream);
void capture_stream_unlink_port(struct capture_stream *stream, uint32_t port_id);
void capture_stream_unlink(struct capture_stream *stream);

int capture_state_init(struct capture *capture);
void capture_state_finish(struct capture *capture);
/* Shows state and streams in the source's properties, and logs what changed. */
void capture_state_show(struct capture *capture);

int capture_rate_init(struct capture *capture);
void capture_rate_finish(struct capture *capture);
/* After a change of the source's controls, or of which streams there are. */
void capture_rate_update(struct capture *capture);
/* Is a new stream to play at another rate, or to be made ready for that? */
bool capture_rate_is_wanted(const struct capture *capture);
/* For a stream that has not started. */
double capture_rate_start(const struct capture *capture);
/* In the daemon, before anybody else sees the stream. */
void capture_rate_set_impl(const struct capture *capture, struct pw_impl_node *node);
/* After the stream came, started or stopped. */
void capture_stream_update_rate(struct capture_stream *stream);
void capture_stream_end_fade(struct capture_stream *stream);
/* Back to 1, or as good as that, for good. */
void capture_stream_restore_rate(struct capture_stream *stream);
/* Again, by what its own rate is now. */
void capture_stream_send_rate(struct capture_stream *stream);

/* A rate that the stream's application sets. All functions but create take NULL for an application
 * that does not. */
struct capture_own_rate *capture_own_rate_create(struct capture_stream *stream);
void capture_own_rate_destroy(struct capture_own_rate *own);
/* As it was when last read, 1: none. */
double capture_own_rate_get(const struct capture_own_rate *own);
/* What stands in its place now. */
void capture_own_rate_sent(struct capture_own_rate *own, double rate);
/* Has it read as it is before what is sent next, and the stream's rate sent again if it changed. */
void capture_own_rate_ask(const struct capture_own_rate *own);

#endif
