/* SPDX-License-Identifier: MIT */
#ifndef WEIR_REPORT_JSON_H
#define WEIR_REPORT_JSON_H

#include <stdint.h>
#include <stdio.h>

/*
 * Reports as JSON lines: {"t":0.5,"name":1,"vector":[1,2]} and {"t":0.5,"ev":"name","at":0.4}.
 * Values that are not finite are null. Names of fields need no escaping.
 */

/* t in seconds; then the fields, and json_end. */
void json_begin(FILE *file, double t);
void json_field(FILE *file, const char *name, const float *value, uint32_t count);
void json_end(FILE *file);

/* A line of its own: an event, `seconds` before t. */
void json_event(FILE *file, double t, const char *name, float seconds);

#endif
