/* SPDX-License-Identifier: MIT */
#include "json.h"

#include <math.h>

static void print_number(FILE *file, float value)
{
	if (isfinite(value))
		fprintf(file, "%.9g", value);
	else
		fputs("null", file);
}

void json_begin(FILE *file, double t)
{
	fprintf(file, "{\"t\":%.6f", t);
}

void json_field(FILE *file, const char *name, const float *value, uint32_t count)
{
	fprintf(file, ",\"%s\":%s", name, count != 1 ? "[" : "");
	for (uint32_t i = 0; i < count; i++) {
		if (i)
			fputc(',', file);
		print_number(file, value[i]);
	}
	if (count != 1)
		fputc(']', file);
}

void json_end(FILE *file)
{
	fputs("}\n", file);
}

void json_event(FILE *file, double t, const char *name, float seconds)
{
	const double ago = isfinite(seconds) ? (double)seconds : 0.0;

	fprintf(file, "{\"t\":%.6f,\"ev\":\"%s\",\"at\":%.6f}\n", t, name, t - ago);
}
