/* SPDX-License-Identifier: MIT */
#include "message.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "../modules/text.h"

const char *message_program;

/* It has names in it that others gave. */
static void print(const char *format, va_list arguments)
{
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	if (!file)
		return;
	vfprintf(file, format, arguments);
	fclose(file);
	text_clean(text);
	fprintf(stderr, "%s: %s\n", message_program, text);
	free(text);
}

void say(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	print(format, arguments);
	va_end(arguments);
}

void fail(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	print(format, arguments);
	va_end(arguments);
	exit(EXIT_FAILURE);
}
