/* SPDX-License-Identifier: MIT */
#ifndef WEIR_SCREEN_SCREEN_H
#define WEIR_SCREEN_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

/* The terminal, and what pages are drawn with. Rows and columns count from 0. */

enum screen_style {
	SCREEN_PLAIN,
	SCREEN_STRONG,
	SCREEN_WEAK,
	SCREEN_GOOD,
	SCREEN_LOUD,
	SCREEN_TOO_LOUD,
	SCREEN_CHOSEN,
};

/*
 * Ends the program with a message when the terminal cannot be drawn on. From then on, text on
 * standard error is held until screen_finish, unless standard error is not the terminal.
 */
void screen_init(void);
void screen_finish(void);
/* Restores the terminal until something is drawn again. */
void screen_leave(void);

/* After the terminal has become another size. */
void screen_resize(void);
int screen_rows(void);
int screen_columns(void);

/* The latest line of the held text; false: there is none. */
bool screen_get_message(char *text, size_t size);

/* The page is drawn between these two. */
void screen_begin(void);
void screen_end(void);

/* The next key, -1 when there is none. */
int screen_key(void);
#define SCREEN_KEY_LEFT 0x1000
#define SCREEN_KEY_RIGHT 0x1001

/* Text beyond the right edge is replaced by an ellipsis. */
void screen_print(int row, int column, enum screen_style style, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* The columns that a text takes. */
int screen_width(const char *text);

/* The ellipsis. */
void screen_more(int row, int column);

/* A horizontal bar, filled to part, 0 to 1. */
void screen_bar(int row, int column, int columns, float part, enum screen_style style);
/* A vertical bar that begins in the row `bottom`, filled to part, 0 to 1. */
void screen_column(int bottom, int column, int columns, int rows, float part,
		   enum screen_style style);

#endif
