/* SPDX-License-Identifier: MIT */
#ifndef WEIR_CAPTURE_PLACEMENT_H
#define WEIR_CAPTURE_PLACEMENT_H

/*
 * Where a redirected stream plays, as far as a capture knows and decides: one state per stream,
 * which changes by placement_handle alone. Pure: it neither knows PipeWire nor does what it asks
 * for.
 */
enum placement {
	PLACEMENT_ORIGINAL,   /* where it plays without the capture; nothing else is asked for */
	PLACEMENT_REQUESTED,  /* the capture's sink is asked for; the stream is not seen there */
	PLACEMENT_AT_SINK,    /* linked to the capture's sink */
	PLACEMENT_DISPLACED,  /* it was, and is not any more; who did that is not known yet */
	PLACEMENT_RETURNING,  /* the original is asked for again; the stream is not seen there */
	PLACEMENT_IMMOVABLE,  /* the session manager does not move it */
	PLACEMENT_TAKEN_OVER, /* somebody moved it away from the capture's sink: it stays there */
	PLACEMENT_OTHER_CAPTURE, /* another capture redirects it */
	N_PLACEMENTS,
};

enum placement_event {
	/* What the capture wants: its sink can be used, or cannot. Also when its sink changes. */
	PLACEMENT_WANT_SINK,
	PLACEMENT_WANT_ORIGINAL,
	/* Links of the stream, as the graph has them. */
	PLACEMENT_LINKED_SINK,
	PLACEMENT_LINKED_OTHER, /* a new one, to anything else, and none to the sink */
	PLACEMENT_UNLINKED,	/* none to the sink any more */
	/* The metadata's target of the stream, as it is reported. */
	PLACEMENT_TARGET_SINK,
	PLACEMENT_TARGET_ORIGINAL,
	PLACEMENT_TARGET_OTHER,
	PLACEMENT_TARGET_CAPTURE, /* the sink of another capture, which may have the stream */
	PLACEMENT_TARGET_RIVAL,	  /* ...which will give way */
	PLACEMENT_TARGETS_GONE,	  /* all of them, with the session manager */
	PLACEMENT_REFUSED,	  /* it is not moved in time, or says itself that it is not to be */
	PLACEMENT_OTHER_ENDED,	  /* the other capture, or its redirection */
	N_PLACEMENT_EVENTS,
};

enum placement_action {
	PLACEMENT_NOTHING,
	PLACEMENT_SEND,		  /* ask for the capture's sink */
	PLACEMENT_CHECK,	  /* likewise, unless the metadata says so already */
	PLACEMENT_SEND_BACK,	  /* ask for the original */
	PLACEMENT_CHECK_BACK,	  /* likewise, unless the metadata says so already */
	PLACEMENT_ADOPT,	  /* take the target as the original */
	PLACEMENT_ADOPT_AND_SEND, /* likewise, and ask for the capture's sink */
	PLACEMENT_REFRESH,	  /* have the metadata report its targets again */
	PLACEMENT_LEAVE,	  /* note that the target is somebody's choice */
	PLACEMENT_REVIEW,	  /* handle what the capture wants */
};

struct placement_change {
	enum placement next;
	enum placement_action action;
};

/* The next placement, and what has to be done. */
struct placement_change placement_handle(enum placement placement, enum placement_event event);

#endif
