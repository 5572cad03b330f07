/* SPDX-License-Identifier: MIT */
#ifndef WEIR_CLI_REPLACEMENT_H
#define WEIR_CLI_REPLACEMENT_H

/*
 * A file that takes the place of an older one, or of none, at once and whole; until then it is in
 * the same folder under another name. A device or a pipe is written to directly, and so is a file
 * in a folder in which no file can be created.
 */
struct replacement {
	char *writing; /* the name to write to */
	char *target;  /* the file to replace, links followed; NULL: writing is that file */
	int fd;	       /* of writing, -1: not open */
};

/*
 * Returns 0 or -errno. An unfinished replacement is removed when the program ends, also by a
 * signal. There can be one at a time.
 */
int replacement_begin(struct replacement *replacement, const char *path);

/* When everything is written. Returns 0 or -errno. */
int replacement_finish(struct replacement *replacement);

#endif
