/* SPDX-License-Identifier: MIT */
#ifndef WEIR_CLI_MESSAGE_H
#define WEIR_CLI_MESSAGE_H

/* What messages begin with, "weir-run". Set before the first one. */
extern const char *message_program;

/* To standard error, with the program's name before and a newline behind. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* First of all. A descriptor of these that is closed would be that of the next file opened. */
void descriptors_keep(void);

/* At the end: ends the program with a message when standard output could not be written. */
void stdout_check(void);

/* Says so and ends the program. */
void fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

#endif
