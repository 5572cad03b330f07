/* SPDX-License-Identifier: MIT */
#ifndef WEIR_CAPTURE_SINK_STATE_H
#define WEIR_CAPTURE_SINK_STATE_H

/*
 * Two state machines of a capture's sink: which sink is in use, and whether sound gets through
 * capture.needs. Both are pure functions, as in placement.h: sink.c carries out the actions.
 */

enum sink_state {
	SINK_UNKNOWN, /* the registry has not been searched for capture.sink yet */
	SINK_VIRTUAL, /* streams play on the virtual sink */
	SINK_IN_USE,  /* streams play on capture.sink */
	SINK_LOST,    /* streams play on their own sinks */
	N_SINK_STATES,
};

enum sink_event {
	SINK_PRESENT, /* capture.sink is there, on the first look or since the last one */
	SINK_ABSENT,  /* it is not there, likewise */
	SINK_SETTLED, /* it has been there for a moment */
	SINK_LATE,    /* it has been absent for a while */
	SINK_REFUSED, /* the virtual sink cannot be made, or was removed */
	N_SINK_EVENTS,
};

enum sink_action {
	SINK_NOTHING,
	SINK_WAIT,	 /* for SINK_SETTLED */
	SINK_USE,	 /* redirect to capture.sink, then remove the virtual one */
	SINK_SUBSTITUTE, /* redirect to the virtual sink; wait for SINK_LATE */
	SINK_RELEASE,	 /* give the streams back */
	SINK_LOSE,	 /* log that capture.sink is gone, and give the streams back */
	SINK_REPORT,	 /* log that the virtual sink stands in */
};

struct sink_change {
	enum sink_state next;
	enum sink_action action;
};

struct sink_change sink_handle(enum sink_state state, enum sink_event event);

enum needs_state {
	NEEDS_UNKNOWN, /* the registry has not been searched for the path yet */
	NEEDS_MET,     /* sound gets through */
	NEEDS_LATE,    /* sound has stopped for a moment, while links may be made again */
	NEEDS_MISSING, /* streams play on their own sinks */
	N_NEEDS_STATES,
};

enum needs_event {
	NEEDS_FOUND,	   /* sound gets through */
	NEEDS_BROKEN,	   /* a link is missing */
	NEEDS_GONE,	   /* the node is missing */
	NEEDS_STILL_FOUND, /* after the wait */
	NEEDS_STILL_BROKEN,
	N_NEEDS_EVENTS,
};

enum needs_action {
	NEEDS_NOTHING,
	NEEDS_WAIT,	     /* a moment, for NEEDS_STILL_... */
	NEEDS_REDIRECT,	     /* sound gets through */
	NEEDS_RELEASE,	     /* give the streams back, if another part is missing now */
	NEEDS_RELEASE_FIRST, /* likewise; log it if that is so for a while */
	NEEDS_REPORT,	     /* log the missing part, and give the streams back */
};

struct needs_change {
	enum needs_state next;
	enum needs_action action;
};

struct needs_change needs_handle(enum needs_state state, enum needs_event event);

#endif
