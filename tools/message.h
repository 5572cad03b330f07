/* SPDX-License-Identifier: MIT */
#ifndef WEIR_MESSAGE_H
#define WEIR_MESSAGE_H

/* What messages begin with, "weir-run". Set before the first one. */
extern const char *message_program;

/* To standard error, with the program's name before and a newline behind. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Says so and ends the program. */
void fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

#endif
