/* SPDX-License-Identifier: MIT */
/* Where a captured stream plays: every change of state, and what holds in all sequences of events.
 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "check.h"
#include "modules/capture/placement.h"

/* In the order of enum placement and of enum placement_action. */
static const char *const placement_names[N_PLACEMENTS] = {
	"original",  "requested", "at-sink",	"displaced",
	"returning", "immovable", "taken-over", "other",
};

static const char *const action_names[] = {
	"-",	 "send",       "check",	  "back",  "check-back",
	"adopt", "adopt+send", "refresh", "leave", "review",
};

/* "placement action" for each event, in the order of enum placement_event. */
static const char *const expected[N_PLACEMENTS][N_PLACEMENT_EVENTS] = {
	{ "requested send", "original check-back", "returning back", "original -", "original -",
	  "returning back", "original -", "original adopt", "other -", "other -", "original -",
	  "immovable -", "original -" },
	{ "requested check", "returning back", "at-sink -", "requested send", "requested -",
	  "requested -", "requested send", "requested adopt+send", "other -", "requested send",
	  "requested -", "immovable -", "requested -" },
	{ "at-sink check", "returning back", "at-sink -", "displaced refresh", "displaced -",
	  "at-sink -", "taken-over leave", "taken-over leave", "other -", "requested send",
	  "requested -", "at-sink -", "at-sink -" },
	{ "requested check", "returning back", "at-sink -", "displaced refresh", "displaced -",
	  "requested send", "taken-over leave", "taken-over leave", "other -", "requested send",
	  "requested -", "displaced -", "displaced -" },
	{ "requested send", "returning check-back", "returning -", "original -", "returning -",
	  "returning -", "original -", "original adopt", "other -", "other -", "returning -",
	  "original -", "returning -" },
	{ "immovable check", "original check-back", "at-sink -", "immovable -", "immovable -",
	  "immovable -", "immovable -", "immovable adopt", "other -", "other -", "immovable -",
	  "immovable -", "immovable -" },
	{ "taken-over -", "taken-over -", "taken-over -", "taken-over -", "taken-over -",
	  "original review", "taken-over leave", "taken-over leave", "other -", "other -",
	  "taken-over -", "taken-over -", "taken-over -" },
	{ "other -", "other -", "other -", "other -", "other -", "other -", "original review",
	  "taken-over leave", "other -", "other -", "other -", "other -", "original review" },
};

static void test_every_event_changes_every_state_as_written_down(void)
{
	char text[64];

	for (int p = 0; p < N_PLACEMENTS; p++) {
		for (int e = 0; e < N_PLACEMENT_EVENTS; e++) {
			const struct placement_change change =
				placement_handle((enum placement)p, (enum placement_event)e);

			snprintf(text, sizeof(text), "%s %s", placement_names[change.next],
				 action_names[change.action]);
			if (strcmp(text, expected[p][e]) != 0)
				fprintf(stderr, "%s, event %d: %s\n", placement_names[p], e, text);
			CHECK(strcmp(text, expected[p][e]) == 0);
		}
	}
}

static bool asks_for_sink(enum placement_action action)
{
	return action == PLACEMENT_SEND || action == PLACEMENT_CHECK ||
	       action == PLACEMENT_ADOPT_AND_SEND;
}

static bool writes(enum placement_action action)
{
	return asks_for_sink(action) || action == PLACEMENT_SEND_BACK ||
	       action == PLACEMENT_CHECK_BACK;
}

/* As capture_redirect_update reviews it. */
static struct placement_change handle(enum placement placement, enum placement_event event,
				      bool wanted)
{
	const struct placement_change change = placement_handle(placement, event);

	if (change.action != PLACEMENT_REVIEW)
		return change;
	return placement_handle(change.next,
				wanted ? PLACEMENT_WANT_SINK : PLACEMENT_WANT_ORIGINAL);
}

/* A program must not be sent to a sink that nobody hears. */
static void test_sink_is_only_asked_for_while_it_is_wanted(void)
{
	bool seen[N_PLACEMENTS][2] = { { true } };
	int n = 1, before = 0;

	while (n != before) {
		before = n;
		for (int i = 0; i < N_PLACEMENTS * 2 * N_PLACEMENT_EVENTS; i++) {
			const enum placement_event event =
				(enum placement_event)(i % N_PLACEMENT_EVENTS);
			const int p = i / N_PLACEMENT_EVENTS / 2;
			bool wanted = i / N_PLACEMENT_EVENTS % 2;
			struct placement_change change;

			/* A request that was not made is not refused. */
			if (!seen[p][wanted] || (event == PLACEMENT_REFUSED && !wanted))
				continue;
			if (event == PLACEMENT_WANT_SINK || event == PLACEMENT_WANT_ORIGINAL)
				wanted = event == PLACEMENT_WANT_SINK;
			change = handle((enum placement)p, event, wanted);
			CHECK(wanted || !asks_for_sink(change.action));
			CHECK(wanted || (change.next != PLACEMENT_REQUESTED &&
					 change.next != PLACEMENT_AT_SINK));
			n += !seen[change.next][wanted];
			seen[change.next][wanted] = true;
		}
	}
	for (int p = 0; p < N_PLACEMENTS; p++)
		CHECK(seen[p][true] || seen[p][false]);
}

/* What a person moved stays, whatever sinks and session managers do. */
static void test_choice_of_a_person_is_left_alone(void)
{
	const enum placement taken =
		placement_handle(PLACEMENT_AT_SINK, PLACEMENT_TARGET_OTHER).next;

	for (int e = 0; e < N_PLACEMENT_EVENTS; e++) {
		const struct placement_change change =
			placement_handle(taken, (enum placement_event)e);

		if (e == PLACEMENT_TARGET_SINK)
			continue;
		CHECK(!writes(change.action));
		CHECK(change.next == PLACEMENT_TAKEN_OVER ||
		      change.next == PLACEMENT_OTHER_CAPTURE);
	}
}

/* Also when the report of it was lost: the links changed, and the metadata is refreshed. */
static void test_choice_that_was_not_reported_is_found_out(void)
{
	static const enum placement_event moved[][2] = {
		{ PLACEMENT_UNLINKED, PLACEMENT_LINKED_OTHER },
		{ PLACEMENT_LINKED_OTHER, PLACEMENT_UNLINKED },
	};

	for (int i = 0; i < 2; i++) {
		enum placement placement = PLACEMENT_AT_SINK;
		bool refreshed = false;

		for (int k = 0; k < 2; k++) {
			const struct placement_change change =
				placement_handle(placement, moved[i][k]);

			CHECK(!writes(change.action));
			refreshed = refreshed || change.action == PLACEMENT_REFRESH;
			placement = change.next;
		}
		CHECK(refreshed);
		CHECK(placement_handle(placement, PLACEMENT_TARGET_OTHER).next ==
		      PLACEMENT_TAKEN_OVER);
		CHECK(placement_handle(placement, PLACEMENT_TARGET_SINK).action == PLACEMENT_SEND);
	}
}

static uint32_t random_state = 1;

static uint32_t random_below(uint32_t n)
{
	random_state = random_state * 1664525u + 1013904223u;
	return (random_state >> 8) % n;
}

#define MAX_WRITES 64

/* Two captures and the metadata: who wrote each target, and how much of that each has read. */
struct pair {
	enum placement placement[2];
	int writer[MAX_WRITES];
	int n_writes;
	int n_read[2];
};

static void pair_handle(struct pair *pair, int i, enum placement_event event)
{
	const struct placement_change change = handle(pair->placement[i], event, true);

	pair->placement[i] = change.next;
	/* CHECK finds what was reported last. */
	if (writes(change.action) && event != PLACEMENT_WANT_SINK) {
		CHECK(pair->n_writes < MAX_WRITES);
		pair->writer[pair->n_writes++] = i;
	}
}

static void pair_read(struct pair *pair, int i)
{
	const int writer = pair->writer[pair->n_read[i]++];

	if (writer == i)
		pair_handle(pair, i, PLACEMENT_TARGET_SINK);
	else
		pair_handle(pair, i, i == 0 ? PLACEMENT_TARGET_RIVAL : PLACEMENT_TARGET_CAPTURE);
}

/* Both have requested a new stream at once; 0 is the older capture. */
static int pair_run(void)
{
	struct pair pair = { .placement = { PLACEMENT_REQUESTED, PLACEMENT_REQUESTED } };
	const int first = (int)random_below(2);

	pair.writer[pair.n_writes++] = first;
	pair.writer[pair.n_writes++] = 1 - first;
	while (pair.n_read[0] < pair.n_writes || pair.n_read[1] < pair.n_writes) {
		const int i = (int)random_below(2);

		if (pair.n_read[i] < pair.n_writes)
			pair_read(&pair, i);
		else
			pair_handle(&pair, i, PLACEMENT_WANT_SINK);
	}
	CHECK(pair.placement[0] == PLACEMENT_REQUESTED);
	CHECK(pair.placement[1] == PLACEMENT_OTHER_CAPTURE);
	CHECK(pair.writer[pair.n_writes - 1] == 0);
	return pair.n_writes;
}

static void test_two_captures_agree_at_once(void)
{
	for (int i = 0; i < 10000; i++)
		CHECK(pair_run() <= 3);
}

int main(void)
{
	test_every_event_changes_every_state_as_written_down();
	test_sink_is_only_asked_for_while_it_is_wanted();
	test_choice_of_a_person_is_left_alone();
	test_choice_that_was_not_reported_is_found_out();
	test_two_captures_agree_at_once();
	return 0;
}
