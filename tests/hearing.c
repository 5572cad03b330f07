/* SPDX-License-Identifier: MIT */
#include "hearing.h"

#include <math.h>
#include <string.h>

#include "../dsp/analyze/analyze.h"
#include "check.h"
#include "realtime.h"

static const struct weir_unit *const unit = &weir_analyze_mono;

static void controls_set(const struct hearing *hearing, float *control)
{
	for (uint32_t i = 0; i < unit->n_ports; i++) {
		const struct weir_port *port = &unit->ports[i];

		control[i] = port->def;
		if (strcmp(port->name, "smoothing") == 0)
			control[i] = hearing->smoothing_ms;
		else if (port->type == WEIR_CONTROL_IN && port->kind == WEIR_TOGGLE)
			control[i] = strcmp(port->name, hearing->group) == 0;
	}
}

/* Where the field's values are in a report, and its number. */
static uint32_t field_find(const char *name, uint32_t *number)
{
	uint32_t offset = 0;

	for (*number = 0; strcmp(unit->fields[*number].name, name) != 0; ++*number) {
		CHECK(*number + 1 < unit->n_fields);
		offset += unit->fields[*number].count;
	}
	return offset;
}

static void report_keep(const struct hearing *hearing, const struct weir_report *report,
			float *value)
{
	uint32_t number;
	const uint32_t offset = field_find(hearing->field, &number);
	const bool is_present = report->present >> number & 1;

	for (uint32_t i = 0; i < hearing->n_values; i++)
		value[i] = is_present ? report->value[offset + i] : NAN;
}

uint32_t hearing_run(const struct hearing *hearing, const float *in, uint32_t n, float *value)
{
	struct weir_reports *reports = weir_reports_create(unit, hearing->rate);
	void *state = unit->create(hearing->rate);
	static float sound[2][WEIR_MAX_FRAMES];
	float control[WEIR_MAX_PORTS], *port[WEIR_MAX_PORTS] = { sound[0], sound[1] };
	uint32_t n_reports = 0;

	CHECK(reports && state && hearing->block <= WEIR_MAX_FRAMES);
	controls_set(hearing, control);
	for (uint32_t i = 2; i < unit->n_ports; i++)
		port[i] = &control[i];
	for (uint32_t f = 0, part; f < n; f += part) {
		part = n - f < hearing->block ? n - f : hearing->block;
		memcpy(sound[0], in + f, part * sizeof(float));
		realtime_begin();
		weir_unit_run(unit, state, port, part, reports);
		realtime_end();
		for (uint32_t i = 0; i < reports->n; i++)
			report_keep(hearing, &reports->report[i],
				    value + (size_t)hearing->n_values * n_reports++);
	}
	unit->destroy(state);
	free(reports);
	return n_reports;
}
