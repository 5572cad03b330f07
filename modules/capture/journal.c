/* SPDX-License-Identifier: MIT */
#include "journal.h"

#include <dlfcn.h>
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "graph/log.h"

#define PROGRAM "weir-capture-undo"
/* The reader takes a longer line for two. */
#define MAX_VALUE 900

extern char **environ;

struct capture_journal {
	pid_t process;
	int socket;
};

/* In the folder of the module that this code is in. */
static char *program_path(void)
{
	const char *slash;
	Dl_info info;

	if (dladdr((void *)program_path, &info) == 0)
		return NULL;
	slash = strrchr(info.dli_fname, '/');
	return slash != NULL
		       ? spa_aprintf("%.*s/" PROGRAM, (int)(slash - info.dli_fname), info.dli_fname)
		       : NULL;
}

/* In a session of its own: signals of a terminal that end this process must not end the program.
 * Returns an errno. */
static int program_spawn(struct capture_journal *journal, const char *path, const char *remote,
			 int socket)
{
	char *const argv[] = { (char *)PROGRAM, (char *)remote, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int res;

	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	posix_spawn_file_actions_adddup2(&actions, socket, STDIN_FILENO);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
	res = posix_spawn(&journal->process, path, &actions, &attributes, argv, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return res;
}

struct capture_journal *capture_journal_start(const char *name, const char *remote)
{
	struct capture_journal *journal = calloc(1, sizeof(*journal));
	char *path = program_path();
	int sockets[2] = { -1, -1 };
	int res;

	if (journal == NULL || path == NULL ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) < 0)
		res = errno;
	else
		res = program_spawn(journal, path, remote, sockets[1]);
	if (sockets[1] >= 0)
		close(sockets[1]);
	if (res != 0) {
		pw_log_warn("weir.capture.%s: cannot run \"%s\" (%s). If this process is killed, "
			    "the application stays redirected, at its rate. Install weir again",
			    name, path != NULL ? path : PROGRAM, strerror(res));
		if (sockets[0] >= 0)
			close(sockets[0]);
		free(journal);
		journal = NULL;
	} else {
		journal->socket = sockets[0];
	}
	free(path);
	return journal;
}

/* The other process ends when its socket closes; after an orderly end it has nothing to undo. */
void capture_journal_finish(struct capture_journal *journal)
{
	if (journal == NULL)
		return;
	close(journal->socket);
	while (waitpid(journal->process, NULL, 0) < 0 && errno == EINTR)
		;
	free(journal);
}

static void line_send(struct capture_journal *journal, const struct weir_registry_object *stream,
		      const char *key, const char *value)
{
	const char *serial = pw_properties_get(stream->props, PW_KEY_OBJECT_SERIAL);
	char *line;

	if (journal == NULL || serial == NULL ||
	    (value != NULL && (strchr(value, '\n') != NULL || strlen(value) > MAX_VALUE)))
		return;
	line = spa_aprintf("%s%s%s%s%s\n", serial, key != NULL ? " " : "", key != NULL ? key : "",
			   value != NULL ? " " : "", value != NULL ? value : "");
	/* A full socket would block the main thread: rather lose an entry. */
	if (line == NULL ||
	    send(journal->socket, line, strlen(line), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		pw_log_info("no entry for " PROGRAM ": %m");
	free(line);
}

void capture_journal_set(struct capture_journal *journal, const struct weir_registry_object *stream,
			 const char *key, const char *value)
{
	line_send(journal, stream, key, value);
}

void capture_journal_forget(struct capture_journal *journal,
			    const struct weir_registry_object *stream)
{
	line_send(journal, stream, NULL, NULL);
}
