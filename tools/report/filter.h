/* SPDX-License-Identifier: MIT */
#ifndef WEIR_REPORT_FILTER_H
#define WEIR_REPORT_FILTER_H

#include <stdbool.h>
#include <stdint.h>

/* Chooses fields and events by their names, or by the names of their groups. */

#define FILTER_MAX 64
#define LIST_BYTES 2048 /* of the names of a unit's fields */

struct filter {
	const char *name[FILTER_MAX]; /* none: all fields and events pass */
	/* If name[i] is a group: the names of its fields, each after a space. */
	char members[FILTER_MAX][LIST_BYTES];
	uint32_t n;
};

/*
 * Adds the names of a list with commas, which must outlive the filter. Ends the program if a name
 * is empty.
 */
void filter_parse(struct filter *filter, char *names);

bool filter_has(const struct filter *filter, const char *name);

/*
 * Ends the program with a list of what the node reports unless that includes every name of the
 * filter. reported: names separated by spaces.
 */
void filter_check(const struct filter *filter, const char *node, const char *reported);

/* The names that are not those of events, separated by commas; to be released by free(). */
char *filter_list_fields(const struct filter *filter);

#endif
