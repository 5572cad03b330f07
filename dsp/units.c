/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "dsp/align/align.h"
#include "dsp/analyze/analyze.h"
#include "dsp/pitch/pitch.h"
#include "unit.h"

const struct weir_unit *const weir_units[WEIR_MAX_UNITS + 1] = {
	&weir_pitch,   &weir_pitch_mono, &weir_pitch_8,	     &weir_align,
	&weir_align_4, &weir_analyze,	 &weir_analyze_mono, &weir_analyze_8,
};

const struct weir_unit *weir_unit_find(const char *name)
{
	for (const struct weir_unit *const *unit = weir_units; *unit; unit++)
		if (strcmp((*unit)->name, name) == 0)
			return *unit;
	return NULL;
}

const struct weir_field *weir_field_find(const char *name)
{
	const struct weir_field *field = NULL;

	for (const struct weir_unit *const *unit = weir_units; *unit && !field; unit++)
		field = weir_unit_find_field(*unit, name);
	return field;
}
