/* SPDX-License-Identifier: MIT */
#ifndef WEIR_CAPTURE_PLACEMENT_H
#define WEIR_CAPTURE_PLACEMENT_H

/*
 * Where a redirected stream plays, as far as a capture can tell: one state per stream, which only
 * placement_handle changes. That is a pure function: it calls nothing of PipeWire, and the caller
 * carries out the action that it returns.
 */
enum placement {
	PLACEMENT_ORIGINAL,   /* where it plays without the capture; nothing else is requested */
	PLACEMENT_REQUESTED,  /* the capture's sink is requested; the stream is not linked to it */
	PLACEMENT_AT_SINK,    /* linked to the capture's sink */
	PLACEMENT_DISPLACED,  /* it was linked to the capture's sink; the reason is not known yet */
	PLACEMENT_RETURNING,  /* the original is requested again; the stream is not linked to it */
	PLACEMENT_IMMOVABLE,  /* the session manager does not move it */
	PLACEMENT_TAKEN_OVER, /* a user or program moved it off the capture's sink: it stays there
			       */
	PLACEMENT_OTHER_CAPTURE, /* another capture redirects it */
	N_PLACEMENTS,
};

enum placement_event {
	/* The capture's sink can be used, or cannot. Also after a change of the sink. */
	PLACEMENT_WANT_SINK,
	PLACEMENT_WANT_ORIGINAL,
	/* Links of the stream. */
	PLACEMENT_LINKED_SINK,
	PLACEMENT_LINKED_OTHER, /* a new link, to another node, and none to the sink */
	PLACEMENT_UNLINKED,	/* no link to the sink any more */
	/* A report of the stream's target in the metadata. */
	PLACEMENT_TARGET_SINK,
	PLACEMENT_TARGET_ORIGINAL,
	PLACEMENT_TARGET_OTHER,
	PLACEMENT_TARGET_CAPTURE, /* the sink of another capture, to which the stream is left */
	PLACEMENT_TARGET_RIVAL,	  /* ...which will leave the stream to this one */
	PLACEMENT_TARGETS_GONE,	  /* all targets, with the session manager */
	PLACEMENT_REFUSED,     /* the stream is not moved in time, or its application forbids it */
	PLACEMENT_OTHER_ENDED, /* the other capture has ended, or its redirection */
	N_PLACEMENT_EVENTS,
};

enum placement_action {
	PLACEMENT_NOTHING,
	PLACEMENT_SEND,		  /* request the capture's sink */
	PLACEMENT_CHECK,	  /* likewise, unless the target is that sink already */
	PLACEMENT_SEND_BACK,	  /* request the original */
	PLACEMENT_CHECK_BACK,	  /* likewise, unless the target is the original already */
	PLACEMENT_ADOPT,	  /* take the target as the original */
	PLACEMENT_ADOPT_AND_SEND, /* likewise, and request the capture's sink */
	PLACEMENT_REFRESH,	  /* have the metadata report its targets again */
	PLACEMENT_LEAVE,	  /* record that the target is not the capture's */
	PLACEMENT_REVIEW,	  /* handle WANT_SINK or WANT_ORIGINAL again */
};

struct placement_change {
	enum placement next;
	enum placement_action action;
};

/* The next placement, and the action that it requires. */
struct placement_change placement_handle(enum placement placement, enum placement_event event);

#endif
