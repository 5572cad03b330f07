/* SPDX-License-Identifier: MIT */
#ifndef WEIR_CAPTURE_ARGS_H
#define WEIR_CAPTURE_ARGS_H

#include <stdbool.h>

#include "match.h"

/* The module's arguments. */
struct capture_args {
	struct pw_properties *props; /* holds the strings */
	const char *name;
	struct capture_match match;
	struct capture_match exclude;
	const char *sink;  /* node.name, or "virtual" */
	const char *needs; /* node.name, NULL: nothing */
	bool redirect;	   /* false: tap */
	bool has_rate;	   /* the streams are made ready for another rate when they start */
};

/* 0, or -errno after one message with the error; then there is nothing to free. */
int capture_args_parse(struct capture_args *args, const char *text);
void capture_args_finish(struct capture_args *args);

#endif
