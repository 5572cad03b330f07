/* SPDX-License-Identifier: MIT */
#include "describe.h"

#include <stdio.h>

void describe_units(void)
{
	const struct weir_unit *unit;

	for (uint32_t i = 0; (unit = weir_unit_get(i)); i++)
		printf("%-12s %s\n", unit->name, unit->summary);
}

static void describe_control(const struct weir_port *port)
{
	printf("  %-14s ", port->name);
	switch (port->kind) {
	case WEIR_TOGGLE:
		printf("0 or 1, default %g", port->def);
		break;
	case WEIR_CHOICE:
		for (uint32_t i = 0; i <= (uint32_t)(port->max - port->min); i++)
			printf("%s%s", i ? " | " : "", port->choices[i]);
		printf(", default %s", port->choices[(uint32_t)(port->def - port->min)]);
		break;
	case WEIR_INTEGER:
	case WEIR_FLOAT:
		printf("%g to %g, default %g %s", port->min, port->max, port->def, port->unit);
		break;
	}
	printf("\n  %-14s %s\n", "", port->help);
}

static void describe_port(const struct weir_port *port)
{
	switch (port->type) {
	case WEIR_AUDIO_IN:
	case WEIR_AUDIO_OUT:
		printf("  %-14s %s: %s\n", port->name, port->channel, port->help);
		break;
	case WEIR_CONTROL_IN:
		describe_control(port);
		break;
	case WEIR_CONTROL_OUT:
		printf("  %-14s %s: %s\n", port->name, port->unit, port->help);
		break;
	}
}

static void describe_ports(const struct weir_unit *unit, enum weir_port_type type,
			   const char *title)
{
	for (uint32_t i = 0; i < unit->n_ports; i++) {
		if (unit->ports[i].type != type)
			continue;
		if (title)
			printf("\n%s:\n", title);
		title = NULL;
		describe_port(&unit->ports[i]);
	}
}

void describe_unit(const struct weir_unit *unit)
{
	printf("%s: %s\n", unit->name, unit->summary);
	describe_ports(unit, WEIR_AUDIO_IN, "Audio inputs (-i PORT=FILE[:CHANNEL])");
	describe_ports(unit, WEIR_AUDIO_OUT, "Audio outputs (channels of OUT.wav)");
	describe_ports(unit, WEIR_CONTROL_IN, "Controls (-s CONTROL=VALUE)");
	describe_ports(unit, WEIR_CONTROL_OUT, "Meters");
	if (unit->n_fields)
		printf("\nReport (-r FILE.jsonl), at most every %g ms:\n",
		       1000.0 * unit->hop_seconds);
	for (uint32_t i = 0; i < unit->n_fields; i++) {
		const struct weir_field *field = &unit->fields[i];

		printf("  %-14s %s", field->name, field->event ? "event" : field->unit);
		if (field->count > 1)
			printf(" x %u", field->count);
		printf(": %s\n", field->help);
	}
}
