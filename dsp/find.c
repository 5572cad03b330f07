/* SPDX-License-Identifier: MIT */

/* Compiled for each plugin and for all programs: WEIR_UNIT_LISTS has the names of their lists. */

#include <string.h>

#include "declare.h"
#include "unit.h"

extern weir_unit_list WEIR_UNIT_LISTS;

static const struct weir_unit *const *const lists[] = { WEIR_UNIT_LISTS };

const struct weir_unit *weir_unit_get(uint32_t index)
{
	for (size_t i = 0; i < COUNT(lists); i++)
		for (const struct weir_unit *const *unit = lists[i]; *unit; unit++)
			if (index-- == 0)
				return *unit;
	return NULL;
}

const struct weir_unit *weir_unit_find(const char *name)
{
	const struct weir_unit *unit;

	for (uint32_t i = 0; (unit = weir_unit_get(i)) && strcmp(unit->name, name) != 0; i++)
		;
	return unit;
}

const struct weir_field *weir_field_find(const char *name)
{
	const struct weir_field *field = NULL;
	const struct weir_unit *unit;

	for (uint32_t i = 0; (unit = weir_unit_get(i)) && !field; i++)
		field = weir_unit_find_field(unit, name);
	return field;
}
