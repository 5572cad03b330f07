/* SPDX-License-Identifier: MIT */
#define _XOPEN_SOURCE_EXTENDED 1
#include "screen.h"

#include <curses.h>
#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <wchar.h>

#include "graph/text.h"
#include "tools/cli/message.h"

#define N_PARTS 8 /* of a character */

/* Of the process: curses draws on one terminal at a time. */
static struct screen {
	SCREEN *curses;
	bool has_blocks;    /* the terminal shows UTF-8 */
	int messages;	    /* takes standard error while pages are drawn */
	int standard_error; /* where it goes otherwise, -1: messages are not held */
} screen = { .messages = -1, .standard_error = -1 };

static const char *const across[] = { " ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█" };
static const char *const upward[] = { " ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };

static const struct {
	attr_t attributes;
	short color;
} styles[] = {
	[SCREEN_PLAIN] = { A_NORMAL, -1 },
	[SCREEN_STRONG] = { A_BOLD, -1 },
	[SCREEN_WEAK] = { A_DIM, -1 },
	[SCREEN_GOOD] = { A_NORMAL, COLOR_GREEN },
	[SCREEN_LOUD] = { A_NORMAL, COLOR_YELLOW },
	[SCREEN_TOO_LOUD] = { A_BOLD, COLOR_RED },
	[SCREEN_CHOSEN] = { A_REVERSE, -1 },
};

#define N_STYLES (sizeof(styles) / sizeof(styles[0]))

/* "dumb" terminals cannot: curses would draw one row over the other. */
static bool can_address(void)
{
	const char *const address = tigetstr("cup");

	return address && address != (const char *)-1;
}

/* Messages on the same terminal would be drawn over, and gone with the page. */
static void messages_hold(void)
{
	if (!isatty(STDERR_FILENO))
		return;
	screen.messages = memfd_create("messages", MFD_CLOEXEC);
	screen.standard_error = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	if (screen.messages < 0 || screen.standard_error < 0)
		die("%s", strerror(errno));
	dup2(screen.messages, STDERR_FILENO);
}

static void messages_release(void)
{
	char part[4096];
	off_t at = 0;
	ssize_t n;

	if (screen.standard_error < 0)
		return;
	dup2(screen.standard_error, STDERR_FILENO);
	while ((n = pread(screen.messages, part, sizeof(part), at)) > 0 &&
	       write(STDERR_FILENO, part, (size_t)n) == n)
		at += n;
	close(screen.standard_error);
	close(screen.messages);
	screen.standard_error = screen.messages = -1;
}

bool screen_get_message(char *text, size_t size)
{
	const off_t end = screen.messages < 0 ? 0 : lseek(screen.messages, 0, SEEK_CUR);
	const off_t from = end > (off_t)size ? end - (off_t)size : 0;
	ssize_t n;
	char *line;

	if (end <= 0)
		return false;
	n = pread(screen.messages, text, size - 1, from);
	text[n > 0 ? n : 0] = '\0';
	if (n > 0 && text[n - 1] == '\n')
		text[n - 1] = '\0';
	line = strrchr(text, '\n');
	if (line)
		memmove(text, line + 1, strlen(line));
	return text[0];
}

static bool size_get(struct winsize *size)
{
	return ioctl(STDOUT_FILENO, TIOCGWINSZ, size) == 0 && size->ws_row && size->ws_col;
}

/* Shells export old sizes of the terminal, which curses would prefer to the present one. */
static void size_forget(void)
{
	struct winsize size;

	if (!size_get(&size))
		return;
	unsetenv("LINES");
	unsetenv("COLUMNS");
}

void screen_init(void)
{
	const char *kind = getenv("TERM");

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		die("standard input and output must be a terminal. For a file or a program, use "
		    "weir watch");
	setlocale(LC_CTYPE, "");
	screen.has_blocks = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	size_forget();
	messages_hold();
	screen.curses = newterm(NULL, stdout, stdin);
	if (!screen.curses || !can_address()) {
		screen_finish();
		die("cannot draw on a terminal of type TERM=%s. Set TERM to a type that your "
		    "terminal emulates, for example: TERM=xterm weir top",
		    kind ? kind : "");
	}
	cbreak();
	noecho();
	curs_set(0);
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	if (!has_colors())
		return;
	start_color();
	use_default_colors();
	for (size_t i = 0; i < N_STYLES; i++)
		init_pair((short)(i + 1), styles[i].color, -1);
}

void screen_finish(void)
{
	if (screen.curses) {
		endwin();
		delscreen(screen.curses);
	}
	screen.curses = NULL;
	messages_release();
}

void screen_leave(void)
{
	endwin();
}

void screen_resize(void)
{
	struct winsize size;

	if (size_get(&size))
		resizeterm(size.ws_row, size.ws_col);
	clearok(curscr, TRUE);
}

int screen_rows(void)
{
	return LINES;
}

int screen_columns(void)
{
	return COLS;
}

void screen_begin(void)
{
	erase();
}

void screen_end(void)
{
	refresh();
}

int screen_key(void)
{
	const int key = getch();

	if (key == KEY_LEFT || key == KEY_BTAB)
		return SCREEN_KEY_LEFT;
	if (key == KEY_RIGHT)
		return SCREEN_KEY_RIGHT;
	return key == ERR ? -1 : key;
}

static int min_of(int a, int b)
{
	return a < b ? a : b;
}

static void style_set(enum screen_style style)
{
	attr_set(styles[style].attributes, has_colors() ? (short)(style + 1) : 0, NULL);
}

/* Puts the text into one row, of characters that this terminal shows. */
static void text_adapt(char *text)
{
	char *to = text;
	size_t n;

	weir_text_clean(text);
	for (; (n = weir_text_character(text)); text += n) {
		const bool is_shown = *text != '\n' && (n == 1 || screen.has_blocks);

		memmove(to, is_shown ? text : "?", is_shown ? n : 1);
		to += is_shown ? n : 1;
	}
	*to = '\0';
}

/* Of the character that text begins with. */
static int character_columns(const char *text)
{
	mbstate_t state = { 0 };
	wchar_t character = 0;
	const int width = mbrtowc(&character, text, weir_text_character(text), &state) > MB_CUR_MAX
				  ? 1
				  : wcwidth(character);

	return width > 0 ? width : 0;
}

/* The bytes that fit into so many columns; *rest: the text after them. */
static int text_fit(const char *text, int columns, const char **rest)
{
	const int dots = screen.has_blocks ? 1 : min_of(columns, 3);
	const char *at = text, *end = text;
	int used = 0;

	*rest = "";
	while (*at) {
		used += character_columns(at);
		if (used > columns) {
			*rest = screen.has_blocks ? "…" : &"..."[3 - dots];
			return (int)(end - text);
		}
		at += weir_text_character(at);
		if (used <= columns - dots)
			end = at;
	}
	return (int)(at - text);
}

int screen_width(const char *text)
{
	int columns = 0;

	for (size_t n; *text; text += n ? n : 1) {
		n = weir_text_character(text);
		columns += n > 1 && screen.has_blocks ? character_columns(text) : 1;
	}
	return columns;
}

void screen_print(int row, int column, enum screen_style style, const char *format, ...)
{
	va_list arguments;
	const char *rest;
	char *text;
	int n;

	if (row < 0 || row >= LINES || column < 0 || column >= COLS)
		return;
	va_start(arguments, format);
	n = vasprintf(&text, format, arguments);
	va_end(arguments);
	if (n < 0)
		return;
	text_adapt(text);
	n = text_fit(text, COLS - column, &rest);
	style_set(style);
	mvaddnstr(row, column, text, n);
	addstr(rest);
	free(text);
}

void screen_more(int row, int column)
{
	screen_print(row, column, SCREEN_WEAK, "%s", screen.has_blocks ? "…" : "...");
}

/* A cell of which n parts are filled. */
static void cell_print(int row, int column, const char *const *parts, int n)
{
	if (row < 0 || row >= LINES || column < 0 || column >= COLS)
		return;
	if (screen.has_blocks)
		mvaddstr(row, column, parts[n]);
	else if (n)
		mvaddstr(row, column, n >= N_PARTS / 2 ? "#" : ".");
}

static int parts_of(float part, int cells)
{
	const float n = part * (float)(cells * N_PARTS);

	if (!(n > 0.0f))
		return 0;
	return n < (float)(cells * N_PARTS) ? (int)n : cells * N_PARTS;
}

void screen_bar(int row, int column, int columns, float part, enum screen_style style)
{
	int left = parts_of(part, columns);

	style_set(style);
	for (int i = 0; left > 0; i++, left -= N_PARTS)
		cell_print(row, column + i, across, min_of(left, N_PARTS));
}

void screen_column(int bottom, int column, int columns, int rows, float part,
		   enum screen_style style)
{
	int left = parts_of(part, rows);

	style_set(style);
	for (int i = 0; left > 0; i++, left -= N_PARTS)
		for (int c = 0; c < columns; c++)
			cell_print(bottom - i, column + c, upward, min_of(left, N_PARTS));
}
