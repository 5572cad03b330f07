/* SPDX-License-Identifier: MIT */

/* The file of a unit's saved state. */

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "spa/node/state.h"

static WEIR_REALTIME void fake_save_state(const void *state, float *values)
{
	(void)state, (void)values;
}

static const struct weir_field fields[] = {
	{ .name = "known", .unit = "", .help = "", .count = 1 },
};

static const struct weir_unit fake = {
	.name = "fake",
	.state_fields = fields,
	.n_state_fields = 1,
	.save_state = fake_save_state,
};

/* What the file system is asked for, one letter each. */
static char calls[64];
static bool disk_is_full;

int fsync(int file)
{
	CHECK(file >= 0);
	strcat(calls, "f");
	errno = EIO;
	return disk_is_full ? -1 : 0;
}

int rename(const char *from, const char *to)
{
	strcat(calls, "r");
	return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

static char path[64];

static void path_make(void)
{
	strcpy(path, "/tmp/weir-state-XXXXXX");
	CHECK(mkdtemp(path));
	strcat(path, "/folder/fake.state");
}

/* Nothing else may be left there. */
static void path_remove(void)
{
	unlink(path);
	for (int i = 0; i < 2; i++) {
		*strrchr(path, '/') = '\0';
		CHECK(rmdir(path) == 0);
	}
}

static void begin(struct saved_state *state)
{
	const struct spa_dict_item item = { "fake.state", path };

	saved_state_init(state, &fake, &SPA_DICT_INIT(&item, 1), NULL);
}

static void save(struct saved_state *state, float value)
{
	state->values[0] = value;
	saved_state_write(state);
}

/* What is renamed before it is on the disk may be empty after a loss of power. */
static void test_a_file_is_on_the_disk_before_it_counts(void)
{
	struct saved_state state;

	path_make();
	begin(&state);
	CHECK(isnan(state.values[0]));
	calls[0] = '\0';
	save(&state, 5.0f);
	CHECK(strcmp(calls, "fr") == 0);
	save(&state, 5.0f);
	CHECK(strcmp(calls, "fr") == 0);
	saved_state_finish(&state);
	begin(&state);
	CHECK(state.values[0] == 5.0f);

	disk_is_full = true;
	save(&state, 6.0f);
	disk_is_full = false;
	CHECK(strcmp(calls, "frf") == 0);
	saved_state_finish(&state);
	begin(&state);
	CHECK(state.values[0] == 5.0f);
	saved_state_finish(&state);
	path_remove();
}

static void test_a_file_has_one_owner(void)
{
	struct saved_state first, second;

	path_make();
	begin(&first);
	begin(&second);
	save(&first, 5.0f);
	save(&second, 7.0f);
	saved_state_finish(&second);
	begin(&second);
	CHECK(isnan(second.values[0]));
	saved_state_finish(&second);
	saved_state_finish(&first);

	begin(&second);
	CHECK(second.values[0] == 5.0f);
	save(&second, 7.0f);
	saved_state_finish(&second);
	begin(&first);
	CHECK(first.values[0] == 7.0f);
	saved_state_finish(&first);
	path_remove();
}

/* As after a crash: the lock ends with its process. */
static void test_what_a_dead_owner_leaves_is_taken(void)
{
	struct saved_state state;
	char lock[80];

	path_make();
	begin(&state);
	save(&state, 5.0f);
	saved_state_finish(&state);
	snprintf(lock, sizeof(lock), "%s.lock", path);
	close(open(lock, O_CREAT | O_RDWR, 0600));
	begin(&state);
	CHECK(state.values[0] == 5.0f);
	saved_state_finish(&state);
	CHECK(access(lock, F_OK) < 0);
	path_remove();
}

/* It would be replaced, be it /dev/null, and opening a pipe waits for a writer. */
static void test_what_is_no_file_stays(void)
{
	struct saved_state state;
	struct stat status;

	path_make();
	*strrchr(path, '/') = '\0';
	CHECK(mkdir(path, 0700) == 0);
	strcat(path, "/fake.state");
	CHECK(mkfifo(path, 0600) == 0);
	begin(&state);
	save(&state, 5.0f);
	saved_state_finish(&state);
	CHECK(stat(path, &status) == 0 && S_ISFIFO(status.st_mode));
	path_remove();
}

static void test_a_link_stays_a_link(void)
{
	struct saved_state state;
	struct stat status;
	char target[80];

	path_make();
	begin(&state);
	save(&state, 5.0f);
	saved_state_finish(&state);
	snprintf(target, sizeof(target), "%s.elsewhere", path);
	CHECK(renameat(AT_FDCWD, path, AT_FDCWD, target) == 0 && symlink(target, path) == 0);
	begin(&state);
	CHECK(state.values[0] == 5.0f);
	save(&state, 7.0f);
	saved_state_finish(&state);
	CHECK(lstat(path, &status) == 0 && S_ISLNK(status.st_mode));
	begin(&state);
	CHECK(state.values[0] == 7.0f);
	saved_state_finish(&state);
	CHECK(unlink(target) == 0);
	path_remove();
}

int main(void)
{
	test_a_file_is_on_the_disk_before_it_counts();
	test_a_file_has_one_owner();
	test_what_a_dead_owner_leaves_is_taken();
	test_what_is_no_file_stays();
	test_a_link_stays_a_link();
	return 0;
}
