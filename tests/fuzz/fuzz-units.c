/* SPDX-License-Identifier: MIT */

/*
 * Runs every unit with sounds, controls, blocks, resets and memories that are hard on it, each
 * trial told by the unit's name and a seed, and looks for what a host could not bear: a crash, a
 * loop without end, samples that are not finite, sound that is far louder than what went in,
 * figures out of their ranges, and what depends on the size of the blocks.
 *
 * usage: fuzz-units [-u UNIT] [-n SEEDS] [FIRST-SEED]
 *
 * With more than one trial each one fails alone: what failed, and the command that runs it again,
 * is told, and the next one runs. One trial alone runs in this process, for a debugger.
 */

#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "judge.h"
#include "take.h"
#include "tests/check.h"

#define MAX_CPU_SECONDS 120 /* of one trial: a loop without end takes longer */
#define MAX_FAILURES 50

/* What is left to run: all units with a seed, or one, before the next seed. */
struct course {
	const struct weir_unit *only;
	uint32_t unit; /* as of weir_unit_get() */
	uint64_t seed, end;
	uint64_t n_run;
};

static struct take takes[2];

static void trial_run(const struct weir_unit *unit, uint64_t seed)
{
	struct trial trial;

	trial_init(&trial, unit, seed);

	struct chance chance = trial.chance;
	const bool has_reports = !chance_one_in(&chance, 4);
	const bool shares_buffers = chance_one_in(&chance, 2);

	take_run(&takes[0], &trial, &chance, true, false);
	judge_sound(takes[0].trial, takes[0].audio);
	take_run(&takes[1], &trial, &chance, has_reports, shares_buffers);
	takes_compare(&takes[0], &takes[1]);
	take_finish(&takes[0]);
	take_finish(&takes[1]);
	trial_finish(&trial);
}

static const struct weir_unit *course_unit(const struct course *course)
{
	return course->only ? course->only : weir_unit_get(course->unit);
}

static void course_next(struct course *course)
{
	course->n_run++;
	if (!course->only && weir_unit_get(++course->unit))
		return;
	course->unit = 0;
	course->seed++;
}

static void cpu_limit(int seconds)
{
	const struct itimerval limit = { .it_value = { .tv_sec = seconds } };

	setitimer(ITIMER_PROF, &limit, NULL);
}

/* In a process of its own, up to the end or the first that fails. */
static void course_run(struct course *course)
{
	while (course->seed < course->end) {
		cpu_limit(MAX_CPU_SECONDS);
		trial_run(course_unit(course), course->seed);
		course_next(course);
	}
	exit(EXIT_SUCCESS);
}

/* Returns whether all has run. */
static bool course_continue(struct course *course)
{
	int status;

	fflush(NULL);

	const pid_t child = fork();

	CHECK(child >= 0);
	if (child == 0)
		course_run(course);
	CHECK(waitpid(child, &status, 0) == child);
	return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
}

static int courses_run(const char *program, struct course first)
{
	struct course *course = mmap(NULL, sizeof(*course), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint32_t n_failed = 0;

	CHECK(course != MAP_FAILED);
	*course = first;
	while (n_failed < MAX_FAILURES && !course_continue(course)) {
		fprintf(stderr, "failed: %s -u %s %" PRIu64 "\n", program,
			course_unit(course)->name, course->seed);
		n_failed++;
		course_next(course);
	}
	printf("%" PRIu64 " trials, %" PRIu32 " failed\n", course->n_run, n_failed);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

static uint64_t number(const char *text)
{
	char *end;
	const uint64_t value = strtoull(text, &end, 10);

	if (end == text || *end) {
		fprintf(stderr, "%s is no number\n", text);
		exit(2);
	}
	return value;
}

int main(int argc, char **argv)
{
	struct course course = { 0 };
	uint64_t n_seeds = 1;

	for (int option; (option = getopt(argc, argv, "u:n:")) != -1;) {
		if (option == 'n') {
			n_seeds = number(optarg);
		} else if (option != 'u' || !(course.only = weir_unit_find(optarg))) {
			fprintf(stderr, "usage: fuzz-units [-u UNIT] [-n SEEDS] [FIRST-SEED]\n");
			return 2;
		}
	}
	course.seed = optind < argc ? number(argv[optind]) : 0;
	course.end = course.seed + n_seeds;
	if (!course.only || n_seeds != 1)
		return courses_run(argv[0], course);
	trial_run(course.only, course.seed);
	return EXIT_SUCCESS;
}
