/* SPDX-License-Identifier: MIT */
#ifndef WEIR_LINKS_ARGS_H
#define WEIR_LINKS_ARGS_H

#include <stdbool.h>

#include "end.h"

/* All ports that "from" names are to be linked with those that "to" names. */
struct links_rule {
	unsigned int index; /* in the array of the arguments */
	struct links_end from;
	struct links_end to;
	bool passive;
};

struct links_args {
	struct links_rule *rules;
	unsigned int n_rules;
	bool follow_default; /* some rule does */
};

/* 0, or -EINVAL after one message with the error. */
int links_args_init(struct links_args *args, const char *string);
void links_args_finish(struct links_args *args);

#endif
