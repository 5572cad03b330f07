/* SPDX-License-Identifier: MIT */
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <spa/utils/json.h>
#include <spa/utils/string.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"

#define MAX_BYTES 4096
#define KEY_NODE_NAME "node.name"

/* In the user's folder for states. A name is no path. */
static int path_default(char path[PATH_MAX], const char *name)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	int folder, n = 0;

	if (state && state[0] == '/')
		folder = snprintf(path, PATH_MAX, "%s/weir/", state);
	else
		folder = snprintf(path, PATH_MAX, "%s/.local/state/weir/", home ? home : "");
	if (folder < PATH_MAX)
		n = snprintf(path + folder, PATH_MAX - (size_t)folder, "%s.state", name);
	for (int i = folder; i < folder + n && i < PATH_MAX; i++)
		if (path[i] == '/')
			path[i] = '-';
	return folder + n;
}

static void path_get(struct memory *memory, const struct spa_dict *info)
{
	const char *name = info ? spa_dict_lookup(info, KEY_NODE_NAME) : NULL;
	const char *path;
	char key[64];
	int length = 0;

	snprintf(key, sizeof(key), "%s.state", memory->unit->name);
	path = info ? spa_dict_lookup(info, key) : NULL;
	if (path)
		length = snprintf(memory->path, PATH_MAX, "%s", path);
	else if (name)
		length = path_default(memory->path, name);
	if (length >= PATH_MAX)
		memory->path[0] = '\0';
}

/*
 * The file is replaced when it is written: a link to it must stay a link, and what is no file
 * (/dev/null, a pipe, whose opening waits) must stay what it is.
 */
static void path_check(struct memory *memory, struct spa_log *log)
{
	char target[PATH_MAX];
	struct stat status;

	if (realpath(memory->path, target))
		strcpy(memory->path, target);
	if (stat(memory->path, &status) < 0 || S_ISREG(status.st_mode))
		return;
	spa_log_warn(log,
		     "%s: \"%s\" is no file: nothing is kept. Set %s.state to a file, or to \"\" "
		     "for none",
		     memory->unit->name, memory->path, memory->unit->name);
	memory->path[0] = '\0';
}

/* Of the field of this name its floats, and how many; none if there is no such field. */
static float *field_find(struct memory *memory, const char *name, uint32_t *count)
{
	const struct weir_field *field = memory->unit->state_fields;
	float *value = memory->value;

	for (uint32_t i = 0; i < memory->unit->n_state_fields; i++) {
		*count = field[i].count;
		if (spa_streq(field[i].name, name))
			return value;
		value += *count;
	}
	*count = 0;
	return value;
}

/* What is missing stays unknown; what is unknown here is left out. */
static int text_read(struct memory *memory, const char *text, size_t size)
{
	struct spa_json all, object, array;
	char key[64];

	spa_json_init(&all, text, size);
	if (spa_json_enter_object(&all, &object) <= 0)
		return -EINVAL;
	while (spa_json_get_string(&object, key, sizeof(key)) > 0) {
		uint32_t count;
		float *value = field_find(memory, key, &count), number;

		if (spa_json_enter_array(&object, &array) <= 0)
			return -EINVAL;
		for (uint32_t i = 0; i < count; i++)
			if (spa_json_get_float(&array, &number) > 0)
				value[i] = number;
	}
	return 0;
}

static int file_read(struct memory *memory)
{
	char text[MAX_BYTES];
	FILE *file = fopen(memory->path, "re");
	size_t size;
	int res;

	if (!file)
		return -errno;
	size = fread(text, 1, sizeof(text), file);
	res = ferror(file) ? -errno : text_read(memory, text, size);
	fclose(file);
	return res;
}

/* Makes the folders that the file is in. */
static void folders_make(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0700);
		*slash = '/';
	}
}

/* A lock on a file that its last owner has removed excludes nobody. */
static bool is_in_place(int lock, const char *path)
{
	struct stat ours, there;

	return fstat(lock, &ours) == 0 && stat(path, &there) == 0 && ours.st_ino == there.st_ino &&
	       ours.st_dev == there.st_dev;
}

/* False: another node has the lock. True where none can be made, as on a read-only disk. */
static bool lock_take(struct memory *memory)
{
	char path[PATH_MAX + 8];

	snprintf(path, sizeof(path), "%s.lock", memory->path);
	folders_make(path);
	for (int tries = 0; tries < 3; tries++) {
		memory->lock = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
		if (memory->lock < 0)
			return true;
		if (flock(memory->lock, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
			tries = 3;
		else if (is_in_place(memory->lock, path))
			return true;
		close(memory->lock);
		memory->lock = -1;
	}
	return false;
}

void memory_finish(struct memory *memory)
{
	char path[PATH_MAX + 8];

	if (!memory->unit || memory->lock < 0)
		return;
	snprintf(path, sizeof(path), "%s.lock", memory->path);
	unlink(path);
	close(memory->lock);
	memory->lock = -1;
}

void memory_init(struct memory *memory, const struct weir_unit *unit, const struct spa_dict *info,
		 struct spa_log *log)
{
	*memory = (struct memory){ .unit = unit, .log = log, .lock = -1 };
	for (uint32_t i = 0; i < WEIR_MAX_STATE_VALUES; i++)
		memory->value[i] = NAN;
	if (!unit->save_state)
		return;
	path_get(memory, info);
	path_check(memory, log);
	if (memory->path[0] && !lock_take(memory)) {
		spa_log_warn(
			log,
			"%s: another node of this name keeps what it finds out in \"%s\": this "
			"one begins without, and keeps nothing. Give it another node.name, or set "
			"%s.state to another file",
			unit->name, memory->path, unit->name);
		memory->path[0] = '\0';
	}

	const int res = memory->path[0] ? file_read(memory) : 0;

	if (res < 0 && res != -ENOENT)
		spa_log_warn(
			log,
			"%s: cannot read \"%s\" (%s): starting without what it knew. The file "
			"is written anew; if it cannot be, remove it or set %s.state to another",
			unit->name, memory->path,
			res == -EINVAL ? "not a state file" : strerror(-res), unit->name);
	memcpy(memory->saved, memory->value, sizeof(memory->saved));
}

static void text_write(const struct memory *memory, FILE *file)
{
	const float *value = memory->value;
	char number[32];

	fprintf(file, "# What %s found out, to begin with next time. It can be removed.\n{\n",
		memory->unit->name);
	for (uint32_t i = 0; i < memory->unit->n_state_fields; i++) {
		const struct weir_field *field = &memory->unit->state_fields[i];

		fprintf(file, "\t%s = [", field->name);
		for (uint32_t j = 0; j < field->count; j++, value++)
			fprintf(file, " %s",
				isnan(*value)
					? "null"
					: spa_json_format_float(number, sizeof(number), *value));
		fprintf(file, " ]\n");
	}
	fprintf(file, "}\n");
}

static int file_write(struct memory *memory)
{
	char path[PATH_MAX + 8];
	FILE *file;
	int res = 0;

	snprintf(path, sizeof(path), "%s.new", memory->path);
	folders_make(path);
	file = fopen(path, "we");
	if (!file)
		return -errno;
	text_write(memory, file);
	if (fflush(file) != 0 || fsync(fileno(file)) < 0)
		res = -errno;
	if (fclose(file) != 0 || (res == 0 && rename(path, memory->path) < 0))
		res = -errno;
	if (res < 0)
		remove(path);
	return res;
}

void memory_save(struct memory *memory)
{
	int res;

	if (!memory->path[0] || memcmp(memory->saved, memory->value, sizeof(memory->saved)) == 0)
		return;
	memcpy(memory->saved, memory->value, sizeof(memory->saved));
	res = file_write(memory);
	if (res == 0)
		return;
	spa_log_warn(memory->log,
		     "%s: cannot write \"%s\" (%s): the next start knows nothing of this one. Set "
		     "%s.state to a file that can be written, or to \"\" for none",
		     memory->unit->name, memory->path, strerror(-res), memory->unit->name);
	memory_finish(memory);
	memory->path[0] = '\0';
}
