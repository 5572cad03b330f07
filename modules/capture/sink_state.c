/* SPDX-License-Identifier: MIT */
#include "sink_state.h"

static const struct sink_change sink_changes[N_SINK_STATES][N_SINK_EVENTS] = {
	[SINK_UNKNOWN] = {
		[SINK_PRESENT] = { SINK_IN_USE, SINK_USE },
		[SINK_ABSENT] = { SINK_VIRTUAL, SINK_SUBSTITUTE },
		[SINK_SETTLED] = { SINK_UNKNOWN, SINK_NOTHING },
		[SINK_LATE] = { SINK_UNKNOWN, SINK_NOTHING },
		[SINK_REFUSED] = { SINK_LOST, SINK_RELEASE },
	},
	[SINK_VIRTUAL] = {
		[SINK_PRESENT] = { SINK_VIRTUAL, SINK_WAIT },
		[SINK_ABSENT] = { SINK_VIRTUAL, SINK_SUBSTITUTE },
		[SINK_SETTLED] = { SINK_IN_USE, SINK_USE },
		[SINK_LATE] = { SINK_VIRTUAL, SINK_REPORT },
		[SINK_REFUSED] = { SINK_LOST, SINK_RELEASE },
	},
	[SINK_IN_USE] = {
		[SINK_PRESENT] = { SINK_IN_USE, SINK_NOTHING },
		/* Its output was audible, and that of a virtual sink would not be. */
		[SINK_ABSENT] = { SINK_LOST, SINK_LOSE },
		[SINK_SETTLED] = { SINK_IN_USE, SINK_NOTHING },
		[SINK_LATE] = { SINK_IN_USE, SINK_NOTHING },
		/* The virtual one is removed when it is not needed any more. */
		[SINK_REFUSED] = { SINK_IN_USE, SINK_NOTHING },
	},
	[SINK_LOST] = {
		[SINK_PRESENT] = { SINK_LOST, SINK_WAIT },
		[SINK_ABSENT] = { SINK_LOST, SINK_NOTHING },
		[SINK_SETTLED] = { SINK_IN_USE, SINK_USE },
		[SINK_LATE] = { SINK_LOST, SINK_NOTHING },
		[SINK_REFUSED] = { SINK_LOST, SINK_RELEASE },
	},
};

struct sink_change sink_handle(enum sink_state state, enum sink_event event)
{
	return sink_changes[state][event];
}

static const struct needs_change needs_changes[N_NEEDS_STATES][N_NEEDS_EVENTS] = {
	[NEEDS_UNKNOWN] = {
		[NEEDS_FOUND] = { NEEDS_MET, NEEDS_REDIRECT },
		/* At first the node may only be about to come. */
		[NEEDS_BROKEN] = { NEEDS_MISSING, NEEDS_RELEASE_FIRST },
		[NEEDS_GONE] = { NEEDS_MISSING, NEEDS_RELEASE_FIRST },
		[NEEDS_STILL_FOUND] = { NEEDS_UNKNOWN, NEEDS_NOTHING },
		[NEEDS_STILL_BROKEN] = { NEEDS_UNKNOWN, NEEDS_NOTHING },
	},
	[NEEDS_MET] = {
		[NEEDS_FOUND] = { NEEDS_MET, NEEDS_NOTHING },
		/* Links are made again when a default sink changes. */
		[NEEDS_BROKEN] = { NEEDS_LATE, NEEDS_WAIT },
		[NEEDS_GONE] = { NEEDS_MISSING, NEEDS_REPORT },
		[NEEDS_STILL_FOUND] = { NEEDS_MET, NEEDS_NOTHING },
		[NEEDS_STILL_BROKEN] = { NEEDS_MISSING, NEEDS_REPORT },
	},
	[NEEDS_LATE] = {
		[NEEDS_FOUND] = { NEEDS_LATE, NEEDS_NOTHING },
		[NEEDS_BROKEN] = { NEEDS_LATE, NEEDS_NOTHING },
		[NEEDS_GONE] = { NEEDS_MISSING, NEEDS_REPORT },
		[NEEDS_STILL_FOUND] = { NEEDS_MET, NEEDS_NOTHING },
		[NEEDS_STILL_BROKEN] = { NEEDS_MISSING, NEEDS_REPORT },
	},
	[NEEDS_MISSING] = {
		[NEEDS_FOUND] = { NEEDS_MET, NEEDS_REDIRECT },
		[NEEDS_BROKEN] = { NEEDS_MISSING, NEEDS_RELEASE },
		[NEEDS_GONE] = { NEEDS_MISSING, NEEDS_RELEASE },
		[NEEDS_STILL_FOUND] = { NEEDS_MISSING, NEEDS_NOTHING },
		[NEEDS_STILL_BROKEN] = { NEEDS_MISSING, NEEDS_REPORT },
	},
};

struct needs_change needs_handle(enum needs_state state, enum needs_event event)
{
	return needs_changes[state][event];
}
