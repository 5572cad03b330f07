/* SPDX-License-Identifier: MIT */

/* What units declare of themselves: complete, and as dsp/unit.h says. */

#include <ctype.h>
#include <string.h>

#include "check.h"
#include "dsp/unit.h"

static bool is_audio(const struct weir_port *port)
{
	return port->type == WEIR_AUDIO_IN || port->type == WEIR_AUDIO_OUT;
}

static bool is_kebab_case(const char *name)
{
	for (const char *c = name; *c; c++)
		if (!islower((unsigned char)*c) && !isdigit((unsigned char)*c) && *c != '-')
			return false;
	return name[0];
}

/* The few defaults that LADSPA can express: see plugins/ladspa.c. */
static bool fits_ladspa(const struct weir_port *p)
{
	return p->def == p->min || p->def == p->max || p->def == 0.0f || p->def == 1.0f ||
	       p->def == 100.0f || p->def == 440.0f || p->def == 0.5f * (p->min + p->max) ||
	       p->def == 0.75f * p->min + 0.25f * p->max ||
	       p->def == 0.25f * p->min + 0.75f * p->max;
}

static void check_port(const struct weir_port *p)
{
	CHECK(is_kebab_case(p->name));
	CHECK(p->help && p->help[0] && !strchr(p->help, '\n'));
	if (is_audio(p)) {
		CHECK(p->channel && p->channel[0]);
		return;
	}
	CHECK(p->unit);
	/* Hosts add the unit: the help says nothing of it. */
	CHECK(!p->unit[0] || !strstr(p->help, "(dB"));
	CHECK(p->min <= p->def && p->def <= p->max && p->min < p->max);
	CHECK(p->kind != WEIR_TOGGLE || (p->min == 0.0f && p->max == 1.0f));
	for (uint32_t i = 0; p->kind == WEIR_CHOICE && i <= (uint32_t)(p->max - p->min); i++)
		CHECK(p->choices[i] && p->choices[i][0]);
	if (p->type == WEIR_CONTROL_IN)
		CHECK(fits_ladspa(p));
}

static bool has_switch(const struct weir_unit *unit, const char *name)
{
	for (uint32_t i = 0; i < unit->n_ports; i++)
		if (unit->ports[i].type == WEIR_CONTROL_IN && unit->ports[i].kind == WEIR_TOGGLE &&
		    strcmp(unit->ports[i].name, name) == 0)
			return true;
	return false;
}

static uint32_t count_inputs(const struct weir_unit *unit)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < unit->n_ports; i++)
		n += unit->ports[i].type == WEIR_AUDIO_IN;
	return n;
}

static void check_field(const struct weir_unit *unit, const struct weir_field *field)
{
	const struct weir_display *display = &field->display;

	CHECK(field->name && field->help && field->unit);
	CHECK(field->count > 0);
	CHECK(!field->event || field->count == 1);
	CHECK(!field->per_channel || field->count == field->per_channel * count_inputs(unit));
	CHECK(!field->group || has_switch(unit, field->group));
	CHECK(!field->maximum_of || weir_unit_find_field(unit, field->maximum_of));
	CHECK(display->panel <= unit->n_panels && (!display->panel || display->label));
	CHECK(display->view != WEIR_VIEW_WORD || display->n_words >= 2);
	CHECK(display->min <= display->max);
}

static void test_description_is_complete(const struct weir_unit *unit)
{
	CHECK(is_kebab_case(unit->name));
	CHECK(unit->summary && unit->summary[0]);
	CHECK(unit->n_ports > 0 && unit->n_ports <= WEIR_MAX_PORTS);
	CHECK(unit->n_fields <= WEIR_MAX_FIELDS);
	CHECK(unit->n_fields == 0 || unit->hop_seconds >= 0.001f);
	for (uint32_t i = 0; i < unit->n_ports; i++)
		check_port(&unit->ports[i]);
	for (uint32_t i = 0; i < unit->n_fields; i++)
		check_field(unit, &unit->fields[i]);
	CHECK(unit->n_panels <= WEIR_MAX_PANELS);
	CHECK(!unit->save_state == !unit->restore_state &&
	      !unit->save_state == !unit->n_state_fields);
	for (uint32_t i = 0; i < unit->n_state_fields; i++)
		CHECK(unit->state_fields[i].name && unit->state_fields[i].help &&
		      unit->state_fields[i].unit);
}

int main(void)
{
	for (const struct weir_unit *const *unit = weir_units; *unit; unit++)
		test_description_is_complete(*unit);
	return 0;
}
