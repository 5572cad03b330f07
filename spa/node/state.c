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
	const char *states = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	int folder, n = 0;

	if (states && states[0] == '/')
		folder = snprintf(path, PATH_MAX, "%s/weir/", states);
	else
		folder = snprintf(path, PATH_MAX, "%s/.local/state/weir/", home ? home : "");
	if (folder < PATH_MAX)
		n = snprintf(path + folder, PATH_MAX - (size_t)folder, "%s.state", name);
	for (int i = folder; i < folder + n && i < PATH_MAX; i++)
		if (path[i] == '/')
			path[i] = '-';
	return folder + n;
}

static void path_get(struct saved_state *state, const struct spa_dict *info)
{
	const char *name = info ? spa_dict_lookup(info, KEY_NODE_NAME) : NULL;
	const char *path;
	char key[64];
	int length = 0;

	snprintf(key, sizeof(key), "%s.state", state->unit->name);
	path = info ? spa_dict_lookup(info, key) : NULL;
	if (path)
		length = snprintf(state->path, PATH_MAX, "%s", path);
	else if (name)
		length = path_default(state->path, name);
	if (length >= PATH_MAX)
		state->path[0] = '\0';
}

/*
 * The file is replaced when it is written: a link to it must stay a link, and a device or a pipe
 * (/dev/null; to open a pipe would block) must not be replaced.
 */
static void path_check(struct saved_state *state, struct spa_log *log)
{
	char target[PATH_MAX];
	struct stat status;

	if (realpath(state->path, target))
		strcpy(state->path, target);
	if (stat(state->path, &status) < 0 || S_ISREG(status.st_mode))
		return;
	spa_log_warn(log,
		     "%s: \"%s\" is not a regular file: no state is saved. Set %s.state to a file, "
		     "or to \"\" to save none",
		     state->unit->name, state->path, state->unit->name);
	state->path[0] = '\0';
}

/* Of the field of this name its floats, and how many; none if there is no such field. */
static float *field_find(struct saved_state *state, const char *name, uint32_t *count)
{
	const struct weir_field *field = state->unit->state_fields;
	float *value = state->values;

	for (uint32_t i = 0; i < state->unit->n_state_fields; i++) {
		*count = field[i].count;
		if (spa_streq(field[i].name, name))
			return value;
		value += *count;
	}
	*count = 0;
	return value;
}

/* Values that the file lacks stay unknown; names that the unit does not know are skipped. */
static int text_read(struct saved_state *state, const char *text, size_t size)
{
	struct spa_json all, object, array;
	char key[64];

	spa_json_init(&all, text, size);
	if (spa_json_enter_object(&all, &object) <= 0)
		return -EINVAL;
	while (spa_json_get_string(&object, key, sizeof(key)) > 0) {
		uint32_t count;
		float *value = field_find(state, key, &count), number;

		if (spa_json_enter_array(&object, &array) <= 0)
			return -EINVAL;
		for (uint32_t i = 0; i < count; i++)
			if (spa_json_get_float(&array, &number) > 0)
				value[i] = number;
	}
	return 0;
}

static int file_read(struct saved_state *state)
{
	char text[MAX_BYTES];
	FILE *file = fopen(state->path, "re");
	size_t size;
	int res;

	if (!file)
		return -errno;
	size = fread(text, 1, sizeof(text), file);
	res = ferror(file) ? -errno : text_read(state, text, size);
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

/* The file may have been removed by its last owner: a lock on it would exclude no other node. */
static bool is_in_place(int lock, const char *path)
{
	struct stat ours, there;

	return fstat(lock, &ours) == 0 && stat(path, &there) == 0 && ours.st_ino == there.st_ino &&
	       ours.st_dev == there.st_dev;
}

/* False: another node has the lock. True where none can be made, as on a read-only disk. */
static bool lock_take(struct saved_state *state)
{
	char path[PATH_MAX + 8];

	snprintf(path, sizeof(path), "%s.lock", state->path);
	folders_make(path);
	for (int tries = 0; tries < 3; tries++) {
		state->lock = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
		if (state->lock < 0)
			return true;
		if (flock(state->lock, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
			tries = 3;
		else if (is_in_place(state->lock, path))
			return true;
		close(state->lock);
		state->lock = -1;
	}
	return false;
}

void saved_state_finish(struct saved_state *state)
{
	char path[PATH_MAX + 8];

	if (!state->unit || state->lock < 0)
		return;
	snprintf(path, sizeof(path), "%s.lock", state->path);
	unlink(path);
	close(state->lock);
	state->lock = -1;
}

void saved_state_init(struct saved_state *state, const struct weir_unit *unit,
		      const struct spa_dict *info, struct spa_log *log)
{
	*state = (struct saved_state){ .unit = unit, .log = log, .lock = -1 };
	for (uint32_t i = 0; i < WEIR_MAX_STATE_VALUES; i++)
		state->values[i] = NAN;
	if (!unit->save_state)
		return;
	path_get(state, info);
	path_check(state, log);
	if (state->path[0] && !lock_take(state)) {
		spa_log_warn(
			log,
			"%s: another node of this name saves its state in \"%s\": this node starts "
			"without a saved state, and saves none. Give it another node.name, or set "
			"%s.state to another file",
			unit->name, state->path, unit->name);
		state->path[0] = '\0';
	}

	const int res = state->path[0] ? file_read(state) : 0;

	if (res < 0 && res != -ENOENT)
		spa_log_warn(
			log,
			"%s: cannot read \"%s\" (%s): starting without a saved state. The file "
			"will be replaced; if that fails, remove it or set %s.state to another "
			"file",
			unit->name, state->path,
			res == -EINVAL ? "not a state file" : strerror(-res), unit->name);
	memcpy(state->written, state->values, sizeof(state->written));
}

static void text_write(const struct saved_state *state, FILE *file)
{
	const float *value = state->values;
	char number[32];

	fprintf(file, "# State of %s for its next start. The file can be removed.\n{\n",
		state->unit->name);
	for (uint32_t i = 0; i < state->unit->n_state_fields; i++) {
		const struct weir_field *field = &state->unit->state_fields[i];

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

static int file_write(struct saved_state *state)
{
	char path[PATH_MAX + 8];
	FILE *file;
	int res = 0;

	snprintf(path, sizeof(path), "%s.new", state->path);
	folders_make(path);
	file = fopen(path, "we");
	if (!file)
		return -errno;
	text_write(state, file);
	if (fflush(file) != 0 || fsync(fileno(file)) < 0)
		res = -errno;
	if (fclose(file) != 0 || (res == 0 && rename(path, state->path) < 0))
		res = -errno;
	if (res < 0)
		remove(path);
	return res;
}

void saved_state_write(struct saved_state *state)
{
	int res;

	if (!state->path[0] || memcmp(state->written, state->values, sizeof(state->written)) == 0)
		return;
	memcpy(state->written, state->values, sizeof(state->written));
	res = file_write(state);
	if (res == 0)
		return;
	spa_log_warn(state->log,
		     "%s: cannot write \"%s\" (%s): the state is not saved. Set "
		     "%s.state to a file that can be written, or to \"\" to save none",
		     state->unit->name, state->path, strerror(-res), state->unit->name);
	saved_state_finish(state);
	state->path[0] = '\0';
}
