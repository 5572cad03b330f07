/* SPDX-License-Identifier: MIT */
#ifndef WEIR_CAPTURE_PROCESS_H
#define WEIR_CAPTURE_PROCESS_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

/* A running process as /proc shows it. */
struct process {
	pid_t id;
	pid_t parent;	    /* 0: none, or outside the container */
	char exe[PATH_MAX]; /* the program's file, "" if the process is another user's */
};

/* False: there is no such process. */
bool process_read(struct process *process, pid_t id);
/* The file name of its program. */
const char *process_get_binary(const struct process *process);

#endif
