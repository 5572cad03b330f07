/* SPDX-License-Identifier: MIT */
#ifndef WEIR_GRAPH_TEXT_H
#define WEIR_GRAPH_TEXT_H

#include <stddef.h>

/* Names and messages of others: they may be of any length and in any encoding. */

/* The bytes of the UTF-8 character that text begins with; 0 at its end, and when it is none. */
size_t weir_text_character(const char *text);

/*
 * In place: each byte that is not UTF-8, and each control character, becomes "?". A terminal would
 * obey the latter; newlines stay.
 */
void weir_text_clean(char *text);

#endif
