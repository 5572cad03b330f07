/* SPDX-License-Identifier: MIT */

/* The file that keeps what a unit finds out. */

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

static WEIR_REALTIME void fake_save_state(const void *state, float *memory)
{
	(void)state, (void)memory;
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

static void begin(struct memory *memory)
{
	const struct spa_dict_item item = { "fake.state", path };

	memory_init(memory, &fake, &SPA_DICT_INIT(&item, 1), NULL);
}

static void save(struct memory *memory, float value)
{
	memory->value[0] = value;
	memory_save(memory);
}

/* What is renamed before it is on the disk may be empty after a loss of power. */
static void test_a_file_is_on_the_disk_before_it_counts(void)
{
	struct memory memory;

	path_make();
	begin(&memory);
	CHECK(isnan(memory.value[0]));
	calls[0] = '\0';
	save(&memory, 5.0f);
	CHECK(strcmp(calls, "fr") == 0);
	save(&memory, 5.0f);
	CHECK(strcmp(calls, "fr") == 0);
	memory_finish(&memory);
	begin(&memory);
	CHECK(memory.value[0] == 5.0f);

	disk_is_full = true;
	save(&memory, 6.0f);
	disk_is_full = false;
	CHECK(strcmp(calls, "frf") == 0);
	memory_finish(&memory);
	begin(&memory);
	CHECK(memory.value[0] == 5.0f);
	memory_finish(&memory);
	path_remove();
}

static void test_a_file_has_one_owner(void)
{
	struct memory first, second;

	path_make();
	begin(&first);
	begin(&second);
	save(&first, 5.0f);
	save(&second, 7.0f);
	memory_finish(&second);
	begin(&second);
	CHECK(isnan(second.value[0]));
	memory_finish(&second);
	memory_finish(&first);

	begin(&second);
	CHECK(second.value[0] == 5.0f);
	save(&second, 7.0f);
	memory_finish(&second);
	begin(&first);
	CHECK(first.value[0] == 7.0f);
	memory_finish(&first);
	path_remove();
}

/* As after a crash: the lock ends with its process. */
static void test_what_a_dead_owner_leaves_is_taken(void)
{
	struct memory memory;
	char lock[80];

	path_make();
	begin(&memory);
	save(&memory, 5.0f);
	memory_finish(&memory);
	snprintf(lock, sizeof(lock), "%s.lock", path);
	close(open(lock, O_CREAT | O_RDWR, 0600));
	begin(&memory);
	CHECK(memory.value[0] == 5.0f);
	memory_finish(&memory);
	CHECK(access(lock, F_OK) < 0);
	path_remove();
}

/* It would be replaced, be it /dev/null, and opening a pipe waits for a writer. */
static void test_what_is_no_file_stays(void)
{
	struct memory memory;
	struct stat status;

	path_make();
	*strrchr(path, '/') = '\0';
	CHECK(mkdir(path, 0700) == 0);
	strcat(path, "/fake.state");
	CHECK(mkfifo(path, 0600) == 0);
	begin(&memory);
	save(&memory, 5.0f);
	memory_finish(&memory);
	CHECK(stat(path, &status) == 0 && S_ISFIFO(status.st_mode));
	path_remove();
}

static void test_a_link_stays_a_link(void)
{
	struct memory memory;
	struct stat status;
	char target[80];

	path_make();
	begin(&memory);
	save(&memory, 5.0f);
	memory_finish(&memory);
	snprintf(target, sizeof(target), "%s.elsewhere", path);
	CHECK(renameat(AT_FDCWD, path, AT_FDCWD, target) == 0 && symlink(target, path) == 0);
	begin(&memory);
	CHECK(memory.value[0] == 5.0f);
	save(&memory, 7.0f);
	memory_finish(&memory);
	CHECK(lstat(path, &status) == 0 && S_ISLNK(status.st_mode));
	begin(&memory);
	CHECK(memory.value[0] == 7.0f);
	memory_finish(&memory);
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
