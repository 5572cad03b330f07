/* SPDX-License-Identifier: MIT */
#include "process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* readlink appends this after an update has replaced the program's file. */
#define DELETED " (deleted)"

/* "PID (NAME) STATE PARENT ...": NAME may contain any character, even ")". */
static bool parent_read(struct process *process)
{
	char path[64], line[512];
	const char *end;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", process->id);
	file = fopen(path, "re");
	if (file == NULL)
		return false;
	if (fgets(line, sizeof(line), file) == NULL)
		line[0] = '\0';
	fclose(file);
	end = strrchr(line, ')');
	return end != NULL && sscanf(end + 1, " %*c %d", &process->parent) == 1;
}

bool process_read(struct process *process, pid_t id)
{
	char path[64];
	ssize_t length;
	char *end;

	*process = (struct process){ .id = id };
	if (id <= 0 || !parent_read(process))
		return false;
	snprintf(path, sizeof(path), "/proc/%d/exe", id);
	length = readlink(path, process->exe, sizeof(process->exe) - 1);
	process->exe[length > 0 ? length : 0] = '\0';
	end = strstr(process->exe, DELETED);
	if (end != NULL && end[strlen(DELETED)] == '\0')
		*end = '\0';
	return true;
}

const char *process_get_binary(const struct process *process)
{
	const char *slash = strrchr(process->exe, '/');

	return slash != NULL ? slash + 1 : process->exe;
}
