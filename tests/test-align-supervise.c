/* SPDX-License-Identifier: MIT */
/* How far a microphone of align is found: every change of state, and what holds in all of them. */
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "dsp/align/supervise.h"

/* In the order of enum supervise_state, and of enum supervise_event. */
static const char *const state_names[SUPERVISE_N_STATES] = {
	"searching",
	"acquiring",
	"locked",
	"held",
};

static const char *const expected[SUPERVISE_N_STATES][SUPERVISE_N_EVENTS] = {
	/* set, lost, silent, refuted, neutral, proved, doubted */
	{ "acquiring", "searching", "searching", "searching", "searching", "searching",
	  "searching" },
	{ "acquiring", "searching", "acquiring", "acquiring", "acquiring", "locked", "acquiring" },
	{ "acquiring", "searching", "held", "acquiring", "locked", "locked", "held" },
	{ "acquiring", "searching", "held", "acquiring", "acquiring", "locked", "held" },
};

static struct supervisor supervisor_in(enum supervise_state state)
{
	return (struct supervisor){ .state = state };
}

static void test_every_event_changes_every_state_as_written_down(void)
{
	for (int s = 0; s < SUPERVISE_N_STATES; s++) {
		for (int e = 0; e < SUPERVISE_N_EVENTS; e++) {
			const enum supervise_state next =
				supervise_next((enum supervise_state)s, (enum supervise_event)e);

			if (strcmp(state_names[next], expected[s][e]) != 0)
				fprintf(stderr, "%s, event %d: %s\n", state_names[s], e,
					state_names[next]);
			CHECK(strcmp(state_names[next], expected[s][e]) == 0);
		}
	}
}

static void test_only_proof_locks(void)
{
	for (int s = 0; s < SUPERVISE_N_STATES; s++) {
		for (int e = 0; e < SUPERVISE_N_EVENTS; e++) {
			struct supervisor supervisor = supervisor_in((enum supervise_state)s);
			const bool was_locked = supervisor_is_locked(&supervisor);

			supervisor_handle(&supervisor, (enum supervise_event)e);
			CHECK(was_locked || e == SUPERVISE_PROVED ||
			      !supervisor_is_locked(&supervisor));
		}
	}
}

static void test_a_delay_that_did_not_hold_holds_only_when_locked(void)
{
	for (int s = 0; s < SUPERVISE_N_STATES; s++) {
		for (int e = 0; e < SUPERVISE_N_EVENTS; e++) {
			struct supervisor supervisor = supervisor_in((enum supervise_state)s);
			const bool held = supervisor_holds(&supervisor);

			supervisor_handle(&supervisor, (enum supervise_event)e);
			CHECK(held || supervisor_is_locked(&supervisor) ||
			      !supervisor_holds(&supervisor));
		}
	}
}

static void test_no_delay_holds_after_it_is_set_or_lost(void)
{
	for (int s = 0; s < SUPERVISE_N_STATES; s++) {
		CHECK(supervise_next((enum supervise_state)s, SUPERVISE_SET) ==
		      SUPERVISE_ACQUIRING);
		CHECK(supervise_next((enum supervise_state)s, SUPERVISE_LOST) ==
		      SUPERVISE_SEARCHING);
	}
}

static void test_a_microphone_that_was_silent_must_be_confirmed(void)
{
	struct supervisor supervisor = supervisor_in(SUPERVISE_LOCKED);
	struct loop loop = { .change.is_seen = false };

	CHECK(!supervisor_silence(&supervisor, true, 0.25));
	supervisor_judge(&supervisor, &loop, true, 0.0);
	CHECK(supervisor_holds(&supervisor) && !supervisor_is_locked(&supervisor));
	CHECK(supervisor_silence(&supervisor, false, 0.25));
	supervisor_judge(&supervisor, &loop, false, 0.0);
	CHECK(supervisor.state == SUPERVISE_ACQUIRING && supervisor.n_unconfirmed > 0);
}

static void test_a_doubted_delay_is_used_until_nothing_proves_it(void)
{
	struct supervisor supervisor = supervisor_in(SUPERVISE_LOCKED);
	struct loop loop = { .competing.n_doubts = 100 };

	CHECK(!supervisor_doubt(&supervisor, &loop));
	CHECK(supervisor.state == SUPERVISE_HELD);
	supervisor_judge(&supervisor, &loop, false, 0.0);
	CHECK(supervisor.state == SUPERVISE_ACQUIRING);
}

/* Else the drift of an earlier run counts as one that the search has found again. */
static void test_a_reset_forgets_the_drift_of_the_search(void)
{
	struct supervisor supervisor = supervisor_in(SUPERVISE_LOCKED);

	supervisor.drift = 50e-6;
	supervisor.n_same_drift = 3;
	supervisor_reset(&supervisor);
	CHECK(supervisor.n_same_drift == 0 && supervisor.drift == 0.0);
}

int main(void)
{
	test_every_event_changes_every_state_as_written_down();
	test_only_proof_locks();
	test_a_delay_that_did_not_hold_holds_only_when_locked();
	test_no_delay_holds_after_it_is_set_or_lost();
	test_a_microphone_that_was_silent_must_be_confirmed();
	test_a_doubted_delay_is_used_until_nothing_proves_it();
	test_a_reset_forgets_the_drift_of_the_search();
	return 0;
}
