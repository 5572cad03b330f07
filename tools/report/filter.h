/* SPDX-License-Identifier: MIT */
#ifndef WEIR_REPORT_FILTER_H
#define WEIR_REPORT_FILTER_H

#include <stdbool.h>
#include <stdint.h>

/* Which fields and events somebody wants: by their names, or by those of their groups. */

#define ONLY_MAX 64
#define LIST_BYTES 2048 /* of the names of a unit's fields */

struct only {
	const char *name[ONLY_MAX]; /* none: all */
	char members[ONLY_MAX]
		    [LIST_BYTES]; /* fields of the group of that name, with spaces between */
	uint32_t n;
};

/* Adds names, with commas between them; their memory is kept. Ends the program when one is empty.
 */
void only_parse(struct only *only, char *names);

bool only_has(const struct only *only, const char *name);

/* Ends the program with a list when the node does not report one; reported: with spaces between. */
void only_check(const struct only *only, const char *node, const char *reported);

/* What may come all the time, with commas between: names of events are left out. To be released by
 * free(). */
char *only_list_fields(const struct only *only);

#endif
