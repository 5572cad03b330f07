/* SPDX-License-Identifier: MIT */
#ifndef WEIR_GRAPH_ARGS_H
#define WEIR_GRAPH_ARGS_H

#include <spa/utils/json.h>
#include <stdbool.h>

/* The arguments of a module, which are SPA-JSON. Messages begin with who. */

/* true, false, 1 or 0, in quotes or not. False: anything else. */
bool weir_args_parse_bool(const char *value, int length, bool *result);

/*
 * As spa_json_get_string and spa_json_enter_object, which before PipeWire 1.2 return the same value
 * for the end and for an error. 1: a key or an object, 0: the end, negative: anything else.
 */
int weir_args_get_key(struct spa_json *object, char *key, int size);
int weir_args_enter_object(struct spa_json *array, struct spa_json *object);

/*
 * Are all keys of the object there once, with a value? 0, or -EINVAL after one message. The first
 * takes the text, whose outermost braces may be missing, the second one that was entered, and
 * leaves it where it is.
 */
int weir_args_check_text(const char *who, const char *object);
int weir_args_check_object(const char *who, const struct spa_json *object);

#endif
