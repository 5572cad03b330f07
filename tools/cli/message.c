/* SPDX-License-Identifier: MIT */
#include "message.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "graph/text.h"

const char *message_program;

/* Messages contain names from other programs. */
static void print(const char *format, va_list arguments)
{
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	if (!file)
		return;
	vfprintf(file, format, arguments);
	fclose(file);
	weir_text_clean(text);
	fprintf(stderr, "%s: %s\n", message_program, text);
	free(text);
}

/* In the wrong direction, so that a read or write of a closed descriptor still fails. */
void descriptors_keep(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

void stdout_check(void)
{
	if (fflush(stdout) != 0 || ferror(stdout))
		die("cannot write to standard output: %s", strerror(errno));
}

void warn(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	print(format, arguments);
	va_end(arguments);
}

void die(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	print(format, arguments);
	va_end(arguments);
	exit(EXIT_FAILURE);
}
