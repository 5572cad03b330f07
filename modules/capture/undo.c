/* SPDX-License-Identifier: MIT */
#include "undo.h"

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
/* A line that is longer would be two. */
#define MAX_VALUE 900

extern char **environ;

struct capture_undo {
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

/* In a session of its own: what ends us from a terminal must not end it. Returns an errno. */
static int program_spawn(struct capture_undo *undo, const char *path, const char *remote,
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
	res = posix_spawn(&undo->process, path, &actions, &attributes, argv, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return res;
}

struct capture_undo *capture_undo_start(const char *name, const char *remote)
{
	struct capture_undo *undo = calloc(1, sizeof(*undo));
	char *path = program_path();
	int sockets[2] = { -1, -1 };
	int res;

	if (undo == NULL || path == NULL ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) < 0)
		res = errno;
	else
		res = program_spawn(undo, path, remote, sockets[1]);
	if (sockets[1] >= 0)
		close(sockets[1]);
	if (res != 0) {
		pw_log_warn("weir.capture.%s: cannot run \"%s\" (%s). If this process is killed, "
			    "the application stays redirected, at its rate. Install weir again",
			    name, path != NULL ? path : PROGRAM, strerror(res));
		if (sockets[0] >= 0)
			close(sockets[0]);
		free(undo);
		undo = NULL;
	} else {
		undo->socket = sockets[0];
	}
	free(path);
	return undo;
}

/* It ends when it reads that we did, and has nothing to do after an orderly end. */
void capture_undo_finish(struct capture_undo *undo)
{
	if (undo == NULL)
		return;
	close(undo->socket);
	while (waitpid(undo->process, NULL, 0) < 0 && errno == EINTR)
		;
	free(undo);
}

static void undo_send(struct capture_undo *undo, const struct weir_registry_object *stream,
		      const char *key, const char *value)
{
	const char *serial = pw_properties_get(stream->props, PW_KEY_OBJECT_SERIAL);
	char *line;

	if (undo == NULL || serial == NULL ||
	    (value != NULL && (strchr(value, '\n') != NULL || strlen(value) > MAX_VALUE)))
		return;
	line = spa_aprintf("%s%s%s%s%s\n", serial, key != NULL ? " " : "", key != NULL ? key : "",
			   value != NULL ? " " : "", value != NULL ? value : "");
	/* A full socket would block us: rather lose a note. */
	if (line == NULL || send(undo->socket, line, strlen(line), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		pw_log_info("no note for " PROGRAM ": %m");
	free(line);
}

void capture_undo_note(struct capture_undo *undo, const struct weir_registry_object *stream,
		       const char *key, const char *value)
{
	undo_send(undo, stream, key, value);
}

void capture_undo_forget(struct capture_undo *undo, const struct weir_registry_object *stream)
{
	undo_send(undo, stream, NULL, NULL);
}
