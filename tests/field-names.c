/* SPDX-License-Identifier: MIT */

/* Prints the names of all fields and groups of all units. */

#include <stdio.h>

#include "dsp/unit.h"

int main(void)
{
	const struct weir_unit *unit;

	for (uint32_t u = 0; (unit = weir_unit_get(u)); u++)
		for (uint32_t i = 0; i < unit->n_fields; i++) {
			puts(unit->fields[i].name);
			if (unit->fields[i].group)
				puts(unit->fields[i].group);
		}
	return 0;
}
