/* SPDX-License-Identifier: MIT */
#ifndef WEIR_CAPTURE_PROCESS_H
#define WEIR_CAPTURE_PROCESS_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

/* A running process as /proc shows it. */
struct process {
	pid_t id;
	pid_t parent;	    /* 0: none that we can see */
	char exe[PATH_MAX]; /* the program's file, "" when it belongs to another user */
};

/* False when there is no such process. */
bool process_read(struct process *process, pid_t id);
/* The last part of its exe. */
const char *process_get_binary(const struct process *process);

#endif
