/* SPDX-License-Identifier: MIT */
#ifndef WEIR_CLI_REPLACEMENT_H
#define WEIR_CLI_REPLACEMENT_H

/*
 * A file that takes the place of an older one, or of none, at once and whole; until then it is in
 * the same folder under another name. What is no regular file is written to as it is, and so is a
 * file in a folder where none can be made.
 */
struct replacement {
	char *writing; /* the name to write to */
	char *target;  /* the file that it becomes, links followed; NULL: it is that already */
	int fd;	       /* of what is written, -1: it is not open */
};

/*
 * Returns 0 or -errno. From here on what is unfinished is removed when the program ends, also by a
 * signal. There can be one at a time.
 */
int replacement_begin(struct replacement *replacement, const char *path);

/* When everything is written. Returns 0 or -errno. */
int replacement_finish(struct replacement *replacement);

#endif
