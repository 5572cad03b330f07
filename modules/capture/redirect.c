/* SPDX-License-Identifier: MIT */
#include "redirect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <spa/utils/string.h>

#include "daemon.h"
#include "graph/log.h"

static void redirect_log(const struct capture_redirect *redirect, const char *what)
{
	pw_log_info("weir.capture.%s: %s \"%s\" (stream %u)", redirect->graph->args->name, what,
		    capture_graph_get_player(redirect->graph, redirect->node), redirect->node->id);
}

static bool is_playing(const struct capture_redirect *redirect)
{
	return capture_graph_is_playing(redirect->graph, redirect->node);
}

bool capture_redirect_is_at_sink(const struct capture_redirect *redirect)
{
	return capture_graph_is_linked(redirect->graph, redirect->node,
				       capture_sink_get_name(redirect->sink));
}

/* The name of another capture that redirects the stream. NULL: there is none. */
static const char *find_owner(const struct capture_redirect *redirect)
{
	const struct capture_graph *graph = redirect->graph;
	const char *owner = pw_properties_get(redirect->node->props, CAPTURE_OWNER_KEY);
	const struct weir_registry_object *other =
		capture_graph_find_other(graph, redirect->node->target);

	if (owner != NULL && *owner != '\0' && !spa_streq(owner, graph->args->name))
		return owner;
	if (other == NULL)
		return NULL;
	return pw_properties_get(other->props, PW_KEY_NODE_NAME) + strlen("weir.capture.");
}

/* Has the other capture that had the stream ceased to redirect? */
static bool is_free(const struct capture_redirect *redirect)
{
	char name[256];
	const struct weir_registry_object *owner;
	const char *sink;

	snprintf(name, sizeof(name), "weir.capture.%s", redirect->owner);
	owner = capture_graph_find_target(redirect->graph, name);
	sink = owner != NULL ? pw_properties_get(owner->props, CAPTURE_SINK_KEY) : NULL;
	return sink == NULL || *sink == '\0';
}

void capture_redirect_watch(struct capture_redirect *redirect)
{
	clock_gettime(CLOCK_MONOTONIC, &redirect->requested);
	redirect->events->requested(redirect->data);
}

/*
 * Must the request wait until the session manager knows the capture's sink? For a target that it
 * does not know, the session manager takes the default sink, which is not where this stream plays.
 */
static bool is_deferred(const struct capture_redirect *redirect)
{
	return !capture_sink_is_known(redirect->sink) &&
	       capture_target_is_chosen(&redirect->target);
}

static void memory_pause(const struct capture_redirect *redirect, bool to_sink)
{
	const struct capture_graph *graph = redirect->graph;
	struct pw_impl_node *node =
		capture_daemon_find_node(graph->connection.context, redirect->node->id);

	if (node != NULL)
		capture_daemon_pause_memory(graph->connection.context, node,
					    capture_sink_get_name(redirect->sink), to_sink);
}

static void target_send(struct capture_redirect *redirect, bool to_sink)
{
	const struct capture_graph *graph = redirect->graph;
	const uint32_t id = redirect->node->id;

	if (to_sink && is_deferred(redirect))
		return;
	/* Not needed for a stream that started under this capture: the hook came first. */
	if (graph->connection.in_daemon) {
		memory_pause(redirect, to_sink);
		capture_daemon_set_property(graph->connection.context, id, CAPTURE_OWNER_KEY,
					    to_sink ? graph->args->name : "");
	}
	if (to_sink) {
		capture_redirect_watch(redirect);
		free(redirect->pending);
		redirect->pending = strdup(capture_sink_get_name(redirect->sink));
		capture_target_set_sink(&redirect->target, capture_sink_get_name(redirect->sink));
	} else {
		capture_target_reset(&redirect->target);
	}
}

/* Has a request been sent, or is there no session manager to send it to? */
static bool is_requested(const struct capture_redirect *redirect)
{
	return weir_registry_has_targets(redirect->graph->registry)
		       ? redirect->placement == PLACEMENT_REQUESTED && !is_deferred(redirect)
		       : redirect->placement == PLACEMENT_REQUESTED ||
				 redirect->placement == PLACEMENT_ORIGINAL;
}

/* A session manager moves a playing stream within milliseconds, or not at all. */
static bool is_overdue(const struct capture_redirect *redirect)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return is_requested(redirect) && redirect->node->running && is_playing(redirect) &&
	       SPA_TIMESPEC_TO_NSEC(&now) >= SPA_TIMESPEC_TO_NSEC(&redirect->requested) +
						     CAPTURE_REQUEST_SECONDS * SPA_NSEC_PER_SEC;
}

static void placement_report(const struct capture_redirect *redirect)
{
	const struct capture_graph *graph = redirect->graph;

	if (redirect->placement == PLACEMENT_TAKEN_OVER) {
		redirect_log(redirect, "another program moved");
	} else if (redirect->placement == PLACEMENT_IMMOVABLE) {
		pw_log_warn("weir.capture.%s: cannot move \"%s\" (stream %u): %s. "
			    "Use capture.mode = tap for it",
			    graph->args->name,
			    capture_graph_get_player(redirect->graph, redirect->node),
			    redirect->node->id,
			    weir_registry_has_targets(graph->registry)
				    ? "the session manager leaves it where it plays"
				    : "there is no session manager");
	} else if (redirect->placement == PLACEMENT_OTHER_CAPTURE) {
		pw_log_warn("weir.capture.%s: weir.capture.%s already redirects \"%s\" (stream "
			    "%u), which stays there. Let only one of the two match it",
			    graph->args->name, redirect->owner,
			    capture_graph_get_player(redirect->graph, redirect->node),
			    redirect->node->id);
	}
}

static void placement_act(struct capture_redirect *redirect, enum placement_action action)
{
	const struct capture_graph *graph = redirect->graph;
	const char *target = redirect->node->target;

	switch (action) {
	case PLACEMENT_NOTHING:
		break;
	case PLACEMENT_ADOPT:
	case PLACEMENT_ADOPT_AND_SEND:
		capture_target_adopt(&redirect->target);
		if (action == PLACEMENT_ADOPT_AND_SEND)
			target_send(redirect, true);
		break;
	case PLACEMENT_CHECK:
		if (spa_streq(target, capture_sink_get_name(redirect->sink)) ||
		    spa_streq(redirect->pending, capture_sink_get_name(redirect->sink)))
			break;
		SPA_FALLTHROUGH;
	case PLACEMENT_SEND:
		target_send(redirect, true);
		break;
	case PLACEMENT_CHECK_BACK:
		if (spa_streq(target, capture_target_get_original(&redirect->target)))
			break;
		SPA_FALLTHROUGH;
	case PLACEMENT_SEND_BACK:
		target_send(redirect, false);
		break;
	case PLACEMENT_REFRESH:
		weir_registry_refresh(graph->registry);
		break;
	case PLACEMENT_LEAVE:
		capture_target_leave(&redirect->target);
		break;
	case PLACEMENT_REVIEW:
		capture_redirect_update(redirect);
		break;
	}
}

/* What the stream's present target means for its placement. */
static enum placement_event target_event(const struct capture_redirect *redirect)
{
	const struct capture_graph *graph = redirect->graph;
	const char *target = redirect->node->target;
	const char *original = capture_target_get_original(&redirect->target);
	const struct weir_registry_object *other;

	if (capture_sink_is_target(redirect->sink, target))
		return PLACEMENT_TARGET_SINK;
	other = capture_graph_find_other(graph, target);
	if (other != NULL)
		return capture_graph_is_older(graph, other) ? PLACEMENT_TARGET_RIVAL
							    : PLACEMENT_TARGET_CAPTURE;
	if (spa_streq(target, original))
		return PLACEMENT_TARGET_ORIGINAL;
	/* A capture in the daemon that ends leaves "-1" for a stream that started under it. */
	return original == NULL && spa_streq(target, CAPTURE_TARGET_DEFAULT) &&
			       redirect->placement != PLACEMENT_ORIGINAL
		       ? PLACEMENT_TARGET_ORIGINAL
		       : PLACEMENT_TARGET_OTHER;
}

static void owner_record(struct capture_redirect *redirect)
{
	const char *owner = find_owner(redirect);

	free(redirect->owner);
	redirect->owner = strdup(owner != NULL ? owner : "");
}

/* Changes the placement, and carries out the action. */
static void placement_change(struct capture_redirect *redirect, enum placement_event event)
{
	const enum placement previous = redirect->placement;
	const struct placement_change change = placement_handle(previous, event);

	if (event != PLACEMENT_WANT_SINK) {
		free(redirect->pending);
		redirect->pending = NULL;
	}
	redirect->placement = change.next;
	if (change.next != previous && change.next == PLACEMENT_OTHER_CAPTURE)
		owner_record(redirect);
	if (change.next != previous)
		placement_report(redirect);
	if ((change.next == PLACEMENT_OTHER_CAPTURE) != (previous == PLACEMENT_OTHER_CAPTURE))
		redirect->events->owner_changed(redirect->data);
	if (change.next == PLACEMENT_REQUESTED && change.next != previous)
		capture_redirect_watch(redirect);
	placement_act(redirect, change.action);
}

/* Does the application forbid moves of the stream? The daemon's hook redirects it before that. */
static bool is_immovable(const struct capture_redirect *redirect)
{
	const struct pw_properties *props = redirect->node->props;

	if (capture_redirect_is_at_sink(redirect) ||
	    capture_sink_is_target(redirect->sink, pw_properties_get(props, PW_KEY_TARGET_OBJECT)))
		return false;
	return pw_properties_get_bool(props, "node.dont-move", false) ||
	       (pw_properties_get_bool(props, PW_KEY_NODE_DONT_RECONNECT, false) &&
		is_playing(redirect));
}

void capture_redirect_update(struct capture_redirect *redirect)
{
	const struct capture_graph *graph = redirect->graph;

	if (!graph->args->redirect || !weir_registry_has_targets(graph->registry))
		return;
	if (!capture_sink_is_redirecting(redirect->sink))
		placement_change(redirect, PLACEMENT_WANT_ORIGINAL);
	else if (redirect->placement == PLACEMENT_ORIGINAL && find_owner(redirect) != NULL)
		placement_change(redirect, PLACEMENT_TARGET_CAPTURE);
	else if (is_immovable(redirect))
		placement_change(redirect, PLACEMENT_REFUSED);
	else
		placement_change(redirect, PLACEMENT_WANT_SINK);
}

/*
 * The properties that the daemon's hook set outlive the metadata, which ends with the session
 * manager. Until then the entry in the metadata has to stay: WirePlumber (0.5.8) works with a copy
 * of the properties with which the stream started, and without the entry would send the stream to
 * the capture's sink again.
 */
static void properties_restore(const struct capture_redirect *redirect)
{
	const struct capture_graph *graph = redirect->graph;
	const uint32_t id = redirect->node->id;
	const char *original = pw_properties_get(redirect->node->props, graph->original_key);

	if (original != NULL)
		capture_daemon_set_property(graph->connection.context, id, PW_KEY_TARGET_OBJECT,
					    spa_streq(original, CAPTURE_TARGET_DEFAULT) ? NULL
											: original);
	capture_daemon_set_property(graph->connection.context, id, graph->original_key, NULL);
	capture_daemon_set_property(graph->connection.context, id, CAPTURE_OWNER_KEY, NULL);
}

void capture_redirect_restore(struct capture_redirect *redirect)
{
	const bool in_daemon = redirect->graph->connection.in_daemon;

	if (!redirect->graph->args->redirect || redirect->placement == PLACEMENT_OTHER_CAPTURE)
		return;
	if (redirect->placement != PLACEMENT_TAKEN_OVER) {
		if (in_daemon)
			memory_pause(redirect, false);
		capture_target_reset(&redirect->target);
	}
	if (in_daemon)
		properties_restore(redirect);
}

/*
 * A client misses a change in the metadata while another client binds the metadata (1.4.2): a
 * target that the session manager restores may replace ours unnoticed. The link that it makes shows
 * that.
 */
void capture_redirect_add_link(struct capture_redirect *redirect)
{
	if (!weir_registry_has_targets(redirect->graph->registry))
		capture_redirect_watch(redirect);
	else if (redirect->graph->args->redirect)
		placement_change(redirect, capture_redirect_is_at_sink(redirect)
						   ? PLACEMENT_LINKED_SINK
						   : PLACEMENT_LINKED_OTHER);
}

void capture_redirect_remove_link(struct capture_redirect *redirect)
{
	if (redirect->graph->args->redirect && !capture_redirect_is_at_sink(redirect))
		placement_change(redirect, PLACEMENT_UNLINKED);
}

void capture_redirect_update_target(struct capture_redirect *redirect)
{
	placement_change(redirect, target_event(redirect));
	if (capture_redirect_is_at_sink(redirect))
		placement_change(redirect, PLACEMENT_LINKED_SINK);
}

void capture_redirect_lose_targets(struct capture_redirect *redirect)
{
	placement_change(redirect, PLACEMENT_TARGETS_GONE);
}

void capture_redirect_check_owner(struct capture_redirect *redirect)
{
	if (redirect->placement == PLACEMENT_OTHER_CAPTURE && is_free(redirect))
		placement_change(redirect, PLACEMENT_OTHER_ENDED);
}

void capture_redirect_check_request(struct capture_redirect *redirect)
{
	if (capture_redirect_is_at_sink(redirect))
		placement_change(redirect, PLACEMENT_LINKED_SINK);
	else if (capture_sink_is_redirecting(redirect->sink) && is_overdue(redirect))
		placement_change(redirect, PLACEMENT_REFUSED);
}

void capture_redirect_init(struct capture_redirect *redirect, const struct capture_graph *graph,
			   const struct capture_sink *sink, struct capture_journal *journal,
			   struct weir_registry_object *node,
			   const struct capture_redirect_events *events, void *data)
{
	*redirect = (struct capture_redirect){
		.graph = graph,
		.sink = sink,
		.node = node,
		.events = events,
		.data = data,
	};
	capture_target_init(&redirect->target, graph, sink, journal, node);
	if (node->target != NULL && !capture_sink_is_virtual_target(sink, node->target) &&
	    capture_graph_find_other(graph, node->target) == NULL)
		capture_target_adopt(&redirect->target);
}

void capture_redirect_finish(struct capture_redirect *redirect)
{
	capture_target_finish(&redirect->target);
	free(redirect->pending);
	free(redirect->owner);
}
