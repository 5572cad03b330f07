/* SPDX-License-Identifier: MIT */
#include "hearing.h"

#include <string.h>

#include "analyst.h"

static void group_choose(struct analyst *analyst, const char *group)
{
	for (uint32_t i = 0; i < analyst->unit->n_ports; i++) {
		const struct weir_port *port = &analyst->unit->ports[i];

		if (port->type == WEIR_CONTROL_IN && port->kind == WEIR_TOGGLE)
			analyst->control[i] = strcmp(port->name, group) == 0;
	}
}

uint32_t hearing_run(const struct hearing *hearing, const float *in, uint32_t n, float *value)
{
	struct analyst analyst;
	uint32_t n_reports;

	analyst_init(&analyst, "analyze-mono", hearing->rate);
	analyst.block = hearing->block;
	group_choose(&analyst, hearing->group);
	*analyst_control(&analyst, "smoothing") = hearing->smoothing_ms;
	analyst_play(&analyst, in, n);
	n_reports = analyst.n;
	for (uint32_t r = 0; r < n_reports; r++)
		for (uint32_t i = 0; i < hearing->n_values; i++)
			*value++ = analyst_value(&analyst, r, hearing->field, i);
	analyst_finish(&analyst);
	return n_reports;
}
