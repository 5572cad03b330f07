/* SPDX-License-Identifier: MIT */

/* What units declare of themselves: complete, and as dsp/unit.h says. */

#include <ctype.h>
#include <math.h>
#include <string.h>

#include "check.h"
#include "dsp/unit.h"

static bool is_audio(const struct weir_port *port)
{
	return port->type == WEIR_AUDIO_IN || port->type == WEIR_AUDIO_OUT;
}

/* Lower case, with '-' between words: kebab-case; with '_': snake_case. */
static bool is_name(const char *name, char separator)
{
	for (const char *c = name; *c; c++)
		if (!islower((unsigned char)*c) && !isdigit((unsigned char)*c) && *c != separator)
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
	CHECK(is_name(p->name, '-') || (p->type == WEIR_CONTROL_OUT && is_name(p->name, '_')));
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
	CHECK(is_name(unit->name, '-'));
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

static void check_text(const struct weir_port *port, const char *text, float expected)
{
	float value = -99.0f;

	CHECK(weir_control_parse(port, text, &value) == !isnan(expected));
	CHECK(value == (isnan(expected) ? -99.0f : expected));
}

static void test_texts_become_values(void)
{
	static const char *const choices[] = { "low", "5.1", "true" };
	static const struct weir_port number = { .min = -24.0f, .max = 24.0f };
	static const struct weir_port whole = { .kind = WEIR_INTEGER, .max = 1e6f };
	static const struct weir_port toggle = { .kind = WEIR_TOGGLE, .max = 1.0f };
	static const struct weir_port choice = {
		.kind = WEIR_CHOICE, .choices = choices, .min = 1.0f, .max = 3.0f
	};

	check_text(&number, "1.5", 1.5f);
	check_text(&number, "-24", -24.0f);
	check_text(&number, "0x10", 16.0f);
	check_text(&number, "24.1", NAN);
	check_text(&number, "nan", NAN);
	check_text(&number, "1,5", NAN);
	check_text(&number, "3 st", NAN);
	check_text(&number, "", NAN);
	check_text(&whole, "5e5", 5e5f);
	check_text(&whole, "0.5", NAN);
	check_text(&toggle, "true", 1.0f);
	check_text(&toggle, "false", 0.0f);
	check_text(&toggle, "1", 1.0f);
	check_text(&toggle, "yes", NAN);
	check_text(&choice, "5.1", 2.0f);
	check_text(&choice, "true", 3.0f);
	check_text(&choice, "1", 1.0f);
	check_text(&choice, "high", NAN);
}

/* Hosts load plugins of several folders side by side. */
static void test_ids_and_names_are_of_one_unit(void)
{
	const struct weir_unit *unit, *other;

	for (uint32_t i = 0; (unit = weir_unit_get(i)); i++) {
		CHECK(unit->id >= 700 && unit->id < 1000);
		for (uint32_t j = 0; j < i && (other = weir_unit_get(j)); j++)
			CHECK(unit->id != other->id && strcmp(unit->name, other->name) != 0);
	}
}

int main(void)
{
	const struct weir_unit *unit;

	test_texts_become_values();
	test_ids_and_names_are_of_one_unit();
	for (uint32_t i = 0; (unit = weir_unit_get(i)); i++)
		test_description_is_complete(unit);
	return 0;
}
