/* SPDX-License-Identifier: MIT */
#include "replacement.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME ".weir-XXXXXX"

/* For signals, which may come at any time. */
static char *volatile unfinished;

static void unfinished_remove(void)
{
	if (unfinished)
		unlink(unfinished);
}

static void on_signal(int number)
{
	unfinished_remove();
	raise(number);
}

/* Ignored signals stay ignored. */
static void signals_catch(void)
{
	static const int numbers[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGXFSZ };
	const struct sigaction catch = { .sa_handler = on_signal, .sa_flags = SA_RESETHAND };
	struct sigaction before;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (sigaction(numbers[i], NULL, &before) == 0 && before.sa_handler == SIG_DFL)
			sigaction(numbers[i], &catch, NULL);
}

/* It may be read by whom the old one, or any new file, could be. */
static void mode_copy(int fd, const struct stat *old)
{
	const mode_t mask = umask(0);

	umask(mask);
	if (old && fchown(fd, old->st_uid, old->st_gid) < 0)
		errno = 0; /* as anybody but root */
	fchmod(fd, old ? old->st_mode & 07777 : 0666 & ~mask);
}

/* Its name is no longer than that of any file may be. */
static int file_make(struct replacement *replacement, const struct stat *old)
{
	const char *slash = strrchr(replacement->target, '/');
	const size_t folder = slash ? (size_t)(slash + 1 - replacement->target) : 0;

	replacement->writing = malloc(folder + sizeof(NAME));
	if (!replacement->writing)
		return -errno;
	memcpy(replacement->writing, replacement->target, folder);
	memcpy(replacement->writing + folder, NAME, sizeof(NAME));
	replacement->fd = mkstemp(replacement->writing);
	if (replacement->fd < 0)
		return -errno;
	unfinished = replacement->writing;
	atexit(unfinished_remove);
	signals_catch();
	mode_copy(replacement->fd, old);
	return 0;
}

static int write_through(struct replacement *replacement, const char *path)
{
	free(replacement->target);
	free(replacement->writing);
	*replacement = (struct replacement){ .writing = strdup(path), .fd = -1 };
	return replacement->writing ? 0 : -errno;
}

/* What is open as standard output, or as another descriptor, stays open. */
static bool is_descriptor(const char *path)
{
	return strcmp(path, "-") == 0 || strncmp(path, "/dev/", 5) == 0 ||
	       strncmp(path, "/proc/", 6) == 0;
}

int replacement_begin(struct replacement *replacement, const char *path)
{
	struct stat old, link;
	bool has_old;
	int res;

	*replacement = (struct replacement){ .fd = -1 };
	if (!*path)
		return -ENOENT;
	if (is_descriptor(path))
		return write_through(replacement, path);
	replacement->target = realpath(path, NULL);
	has_old = replacement->target != NULL;
	if (!has_old && errno != ENOENT)
		return -errno;
	if (has_old &&
	    (stat(replacement->target, &old) < 0 || access(replacement->target, W_OK) < 0))
		return -errno;
	if (has_old && S_ISDIR(old.st_mode))
		return -EISDIR;
	if (has_old ? !S_ISREG(old.st_mode) : lstat(path, &link) == 0)
		return write_through(replacement, path);
	if (!has_old)
		replacement->target = strdup(path);
	if (!replacement->target)
		return -errno;
	res = file_make(replacement, has_old ? &old : NULL);
	if (has_old && (res == -EACCES || res == -EPERM || res == -EROFS))
		return write_through(replacement, path);
	return res;
}

int replacement_finish(struct replacement *replacement)
{
	int res = 0;

	if (replacement->target) {
		if (fsync(replacement->fd) < 0 && errno != EINVAL)
			res = -errno;
		if (close(replacement->fd) < 0 && res == 0)
			res = -errno;
		if (res == 0 && rename(replacement->writing, replacement->target) < 0)
			res = -errno;
		if (res == 0)
			unfinished = NULL;
	}
	free(replacement->target);
	if (res == 0)
		free(replacement->writing);
	return res;
}
