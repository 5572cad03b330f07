/* SPDX-License-Identifier: MIT */

/* What units declare of themselves: complete, and as dsp/unit.h says. */

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "dsp/unit.h"

#define RATE 48000
#define N_FRAMES (12 * RATE)
#define MAX_NAME 64

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

static uint32_t count_inputs(const struct weir_unit *unit)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < unit->n_ports; i++)
		n += unit->ports[i].type == WEIR_AUDIO_IN;
	return n;
}

/*
 * The field whose value an output has, or NULL. Of a name that ends in "_N", the N-th audio input
 * is in *input, else 0.
 */
static const struct weir_field *find_field(const struct weir_unit *unit,
					   const struct weir_port *output, uint32_t *input)
{
	const struct weir_field *field = weir_unit_find_field(unit, output->name);
	const char *number = strrchr(output->name, '_');
	char name[MAX_NAME] = "";

	*input = 0;
	if (field || !number || number[1 + strspn(number + 1, "0123456789")])
		return field;
	CHECK((size_t)(number - output->name) < sizeof(name));
	memcpy(name, output->name, (size_t)(number - output->name));
	*input = (uint32_t)atoi(number + 1);
	return weir_unit_find_field(unit, name);
}

static void check_output(const struct weir_unit *unit, const struct weir_port *output)
{
	uint32_t input;
	const struct weir_field *field = find_field(unit, output, &input);

	CHECK(is_name(output->name, '_'));
	if (!field)
		return;
	CHECK(!field->event && strcmp(field->unit, output->unit) == 0);
	if (input)
		CHECK(input <= count_inputs(unit) && input + field->count > count_inputs(unit));
	else
		CHECK(field->count == 1 || field->per_channel == 1);
}

static void check_port(const struct weir_unit *unit, const struct weir_port *p)
{
	if (p->type == WEIR_CONTROL_OUT)
		check_output(unit, p);
	else
		CHECK(is_name(p->name, '-'));
	for (const struct weir_port *other = unit->ports; other < p; other++)
		CHECK(strcmp(p->name, other->name) != 0);
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

static void check_field(const struct weir_unit *unit, const struct weir_field *field)
{
	const struct weir_display *display = &field->display;

	CHECK(field->name && is_name(field->name, '_') && field->help && field->unit);
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
		check_port(unit, &unit->ports[i]);
	for (uint32_t i = 0; i < unit->n_fields; i++)
		check_field(unit, &unit->fields[i]);
	CHECK(unit->n_panels <= WEIR_MAX_PANELS);
	CHECK(!unit->save_state == !unit->restore_state &&
	      !unit->save_state == !unit->n_state_fields);
	for (uint32_t i = 0; i < unit->n_state_fields; i++)
		CHECK(is_name(unit->state_fields[i].name, '_') && unit->state_fields[i].help &&
		      unit->state_fields[i].unit);
}

/*
 * Bursts of noise, 120 a minute: a sound that has a tempo and a loudness range. Each further input
 * has it 1 ms later, so that delays are found, and 3 dB softer, so that levels differ.
 */
static void sound_fill(float *sound, uint32_t from, uint32_t n, uint32_t input)
{
	const uint32_t delay_frames = input * RATE / 1000;

	for (uint32_t i = 0; i < n; i++) {
		const uint32_t frame = from + i - delay_frames;
		const float seconds = (float)(frame % (RATE / 2)) / (float)RATE;
		const uint32_t noise = (frame ^ frame >> 7) * 2654435761u;

		sound[i] = from + i < delay_frames
				   ? 0.0f
				   : powf(0.7f, (float)input) * expf(-8.0f * seconds) *
					     ((float)(noise >> 8) / 16777216.0f - 0.5f);
	}
}

/* NaN while the field has no value. */
static float value_of(const struct weir_unit *unit, const struct weir_report *report,
		      const struct weir_field *field, uint32_t input)
{
	const float *value = report->value;
	float max;

	for (const struct weir_field *f = unit->fields; f < field; f++)
		value += f->count;
	if (!(report->present >> (field - unit->fields) & 1))
		return NAN;
	if (input)
		return value[input - 1 + field->count - count_inputs(unit)];
	max = value[0];
	for (uint32_t i = 1; i < field->count; i++)
		max = fmaxf(value[i], max);
	return max;
}

/* Adds to n_known, by ports, where a field has a value. Both are copies of one float: equal. */
static void compare(const struct weir_unit *unit, const struct weir_report *report,
		    float *const port[], uint32_t *n_known)
{
	for (uint32_t i = 0; i < unit->n_ports; i++) {
		const struct weir_port *output = &unit->ports[i];
		uint32_t input;
		const struct weir_field *field = find_field(unit, output, &input);

		if (output->type != WEIR_CONTROL_OUT || !field)
			continue;

		const float value = value_of(unit, report, field, input);

		CHECK(isnan(value) ? *port[i] == 0.0f || *port[i] == output->min
				   : *port[i] == value);
		if (!isnan(value))
			n_known[i]++;
	}
}

/* Runs end where reports do. Each of the fields has a value at some time of the sound. */
static void test_an_output_is_the_field_of_its_name(const struct weir_unit *unit)
{
	static float audio[WEIR_MAX_PORTS][WEIR_MAX_FRAMES];
	struct weir_reports *reports = weir_reports_create(unit, RATE);
	void *state = unit->create(RATE);
	const uint32_t n = (uint32_t)lroundf(unit->hop_seconds * RATE);
	uint32_t n_known[WEIR_MAX_PORTS] = { 0 }, input;
	float *port[WEIR_MAX_PORTS];

	CHECK(reports && state && n > 0 && n <= WEIR_MAX_FRAMES);
	for (uint32_t i = 0; i < unit->n_ports; i++) {
		port[i] = audio[i];
		audio[i][0] = unit->ports[i].def;
	}
	for (uint32_t from = 0; from < N_FRAMES; from += n) {
		input = 0;
		for (uint32_t i = 0; i < unit->n_ports; i++)
			if (unit->ports[i].type == WEIR_AUDIO_IN)
				sound_fill(audio[i], from, n, input++);
		weir_unit_run(unit, state, port, n, reports);
		if (reports->n > 0 && reports->report[reports->n - 1].frame == n - 1)
			compare(unit, &reports->report[reports->n - 1], port, n_known);
	}
	for (uint32_t i = 0; i < unit->n_ports; i++)
		CHECK(unit->ports[i].type != WEIR_CONTROL_OUT ||
		      !find_field(unit, &unit->ports[i], &input) || n_known[i] > 0);
	unit->destroy(state);
	free(reports);
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
	for (uint32_t i = 0; (unit = weir_unit_get(i)); i++) {
		test_description_is_complete(unit);
		if (unit->n_fields > 0)
			test_an_output_is_the_field_of_its_name(unit);
	}
	return 0;
}
