/* SPDX-License-Identifier: MIT */
/* Which sink a capture uses, and whether its streams are heard: every change of state, and what
 * holds in all of them.
 */
#include <stdbool.h>
#include <string.h>

#include "check.h"
#include "modules/capture/sink_state.h"

/* In the order of the enums. */
static const char *const sink_names[N_SINK_STATES] = { "unknown", "virtual", "in-use", "lost" };
static const char *const sink_actions[] = {
	"-", "wait", "use", "substitute", "release", "lose", "report",
};
static const char *const needs_names[N_NEEDS_STATES] = { "unknown", "met", "late", "missing" };
static const char *const needs_actions[] = {
	"-", "wait", "redirect", "release", "release-first", "report",
};

/* "state action" for each event, in the order of enum sink_event. */
static const char *const sink_expected[N_SINK_STATES][N_SINK_EVENTS] = {
	{ "in-use use", "virtual substitute", "unknown -", "unknown -", "lost release" },
	{ "virtual wait", "virtual substitute", "in-use use", "virtual report", "lost release" },
	{ "in-use -", "lost lose", "in-use -", "in-use -", "in-use -" },
	{ "lost wait", "lost -", "in-use use", "lost -", "lost release" },
};

/* In the order of enum needs_event. */
static const char *const needs_expected[N_NEEDS_STATES][N_NEEDS_EVENTS] = {
	{ "met redirect", "missing release-first", "missing release-first", "unknown -",
	  "unknown -" },
	{ "met -", "late wait", "missing report", "met -", "missing report" },
	{ "late -", "late -", "missing report", "met -", "missing report" },
	{ "met redirect", "missing release", "missing release", "missing -", "missing report" },
};

static void check_change(const char *expected, const char *next, const char *action)
{
	char text[64];

	snprintf(text, sizeof(text), "%s %s", next, action);
	if (strcmp(text, expected) != 0)
		fprintf(stderr, "%s in place of %s\n", text, expected);
	CHECK(strcmp(text, expected) == 0);
}

static void test_every_event_changes_every_state_as_written_down(void)
{
	for (int s = 0; s < N_SINK_STATES; s++) {
		for (int e = 0; e < N_SINK_EVENTS; e++) {
			const struct sink_change change =
				sink_handle((enum sink_state)s, (enum sink_event)e);

			check_change(sink_expected[s][e], sink_names[change.next],
				     sink_actions[change.action]);
		}
	}
	for (int s = 0; s < N_NEEDS_STATES; s++) {
		for (int e = 0; e < N_NEEDS_EVENTS; e++) {
			const struct needs_change change =
				needs_handle((enum needs_state)s, (enum needs_event)e);

			check_change(needs_expected[s][e], needs_names[change.next],
				     needs_actions[change.action]);
		}
	}
}

/* A program must not stay on a sink that nobody hears, nor be sent to one before it is there. */
static void test_streams_move_with_the_state(void)
{
	for (int s = 0; s < N_SINK_STATES; s++) {
		for (int e = 0; e < N_SINK_EVENTS; e++) {
			const struct sink_change change =
				sink_handle((enum sink_state)s, (enum sink_event)e);
			const bool released =
				change.action == SINK_RELEASE || change.action == SINK_LOSE;

			CHECK(change.next != SINK_LOST || (int)change.next == s || released);
			CHECK(!released || change.next == SINK_LOST);
			CHECK((change.action == SINK_USE) ==
			      (change.next == SINK_IN_USE && s != SINK_IN_USE));
			CHECK(change.action != SINK_SUBSTITUTE || change.next == SINK_VIRTUAL);
		}
	}
}

/* What is missing on the path is known exactly while it is missing: the state text shows it. */
static void test_path_is_missing_or_met(void)
{
	for (int s = 0; s < N_NEEDS_STATES; s++) {
		for (int e = 0; e < N_NEEDS_EVENTS; e++) {
			const struct needs_change change =
				needs_handle((enum needs_state)s, (enum needs_event)e);
			const bool releases = change.action == NEEDS_RELEASE ||
					      change.action == NEEDS_RELEASE_FIRST ||
					      change.action == NEEDS_REPORT;

			CHECK(!releases || change.next == NEEDS_MISSING);
			CHECK(change.next != NEEDS_MISSING || s == NEEDS_MISSING || releases);
			CHECK(s != NEEDS_MISSING || change.next == NEEDS_MISSING ||
			      change.action == NEEDS_REDIRECT);
			CHECK((change.action == NEEDS_REDIRECT) ==
			      (e == NEEDS_FOUND && (s == NEEDS_UNKNOWN || s == NEEDS_MISSING)));
		}
	}
}

int main(void)
{
	test_every_event_changes_every_state_as_written_down();
	test_streams_move_with_the_state();
	test_path_is_missing_or_met();
	return EXIT_SUCCESS;
}
