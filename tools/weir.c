/* SPDX-License-Identifier: MIT */

/* The command weir: shows the reports of nodes. Manual: weir.1 */

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "tools/cli/message.h"

static const struct {
	const char *name, *program, *summary;
	int (*main)(int argc, char *argv[]);
} commands[] = {
	{ "watch", "weir watch", "prints what a node reports as JSON, or sends it as OSC",
	  watch_main },
#ifdef WEIR_HAVE_TOP
	{ "top", "weir top", "shows what nodes report in a terminal", top_main },
#endif
	{ "plot", "weir plot", "draws a report as a picture", plot_main },
};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void print_usage(FILE *file)
{
	fputs("usage: weir COMMAND [ARGUMENT]...\n\n", file);
	for (size_t i = 0; i < N_COMMANDS; i++)
		fprintf(file, "  %-7s %s\n", commands[i].name, commands[i].summary);
	fputs("\nweir COMMAND --help lists the command's arguments.\n", file);
}

static bool is_version(const char *argument)
{
	return strcmp(argument, "--version") == 0 || strcmp(argument, "-V") == 0;
}

static int print_version(void)
{
	puts("weir " WEIR_VERSION);
	stdout_check();
	return EXIT_SUCCESS;
}

int main(int argc, char *argv[])
{
	message_program = "weir";
	descriptors_keep();
	if (argc < 2) {
		print_usage(stderr);
		return EXIT_FAILURE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    strcmp(argv[1], "help") == 0) {
		print_usage(stdout);
		stdout_check();
		return EXIT_SUCCESS;
	}
	if (is_version(argv[1]))
		return print_version();
	for (size_t i = 0; i < N_COMMANDS; i++) {
		if (strcmp(argv[1], commands[i].name) != 0)
			continue;
		if (argc > 2 && is_version(argv[2]))
			return print_version();
		message_program = commands[i].program;
		argv[1] = (char *)commands[i].program; /* for getopt's messages */
		return commands[i].main(argc - 1, argv + 1);
	}
	die("there is no command \"%s\". weir --help lists all", argv[1]);
}
