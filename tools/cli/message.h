/* SPDX-License-Identifier: MIT */
#ifndef WEIR_CLI_MESSAGE_H
#define WEIR_CLI_MESSAGE_H

/* What messages begin with, "weir-run". Set before the first one. */
extern const char *message_program;

/* Prints a line to standard error that begins with the program's name. */
void warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* First in main: a closed standard descriptor would become that of the next file opened. */
void descriptors_keep(void);

/* At the end: ends the program with a message when standard output could not be written. */
void stdout_check(void);

/* Warns and ends the program. */
void die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

#endif
