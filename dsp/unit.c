/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

const struct weir_field *weir_unit_find_field(const struct weir_unit *unit, const char *name)
{
	for (uint32_t i = 0; i < unit->n_fields; i++)
		if (strcmp(unit->fields[i].name, name) == 0)
			return &unit->fields[i];
	return NULL;
}

uint32_t weir_unit_find_role(const struct weir_unit *unit, enum weir_port_type type,
			     enum weir_role role)
{
	uint32_t i = 0;

	while (i < unit->n_ports && (unit->ports[i].type != type || unit->ports[i].role != role))
		i++;
	return i;
}

/* NaN when the text is no number. Hosts may have another locale than that of C. */
static float number_parse(const char *text)
{
	const locale_t c = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
	const locale_t before = c ? uselocale(c) : (locale_t)0;
	char *end;
	const float value = strtof(text, &end);

	if (c) {
		uselocale(before);
		freelocale(c);
	}
	return end == text || *end ? NAN : value;
}

bool weir_control_parse(const struct weir_port *port, const char *text, float *value)
{
	float parsed = NAN;

	for (uint32_t i = 0; port->choices && i <= (uint32_t)(port->max - port->min); i++)
		if (strcmp(port->choices[i], text) == 0)
			parsed = port->min + (float)i;
	if (isnan(parsed) && strcmp(text, "true") == 0)
		parsed = 1.0f;
	else if (isnan(parsed) && strcmp(text, "false") == 0)
		parsed = 0.0f;
	else if (isnan(parsed))
		parsed = number_parse(text);
	if (!(parsed >= port->min && parsed <= port->max) ||
	    (port->kind != WEIR_FLOAT && parsed != rintf(parsed)))
		return false;
	*value = parsed;
	return true;
}

struct weir_reports *weir_reports_create(const struct weir_unit *unit, uint32_t rate)
{
	return weir_reports_create_for(unit, rate, WEIR_MAX_FRAMES);
}

struct weir_reports *weir_reports_create_for(const struct weir_unit *unit, uint32_t rate,
					     uint32_t n_frames)
{
	const uint32_t hop = (uint32_t)(unit->hop_seconds * (float)rate);
	const uint32_t max = unit->n_fields ? n_frames / (hop ? hop : 1) + 2 : 0;
	uint32_t n_floats = 0;

	for (uint32_t i = 0; i < unit->n_fields; i++)
		n_floats += unit->fields[i].count;

	struct weir_reports *reports =
		calloc(1, sizeof(*reports) +
				  max * (sizeof(reports->report[0]) + n_floats * sizeof(float)));

	if (!reports)
		return NULL;

	float *value = (float *)&reports->report[max];

	reports->max = max;
	for (uint32_t i = 0; i < max; i++, value += n_floats)
		reports->report[i].value = value;
	return reports;
}

WEIR_REALTIME struct weir_report *weir_reports_add(struct weir_reports *reports, uint32_t frame)
{
	if (!reports || reports->n == reports->max)
		return NULL;

	struct weir_report *report = &reports->report[reports->n++];

	report->frame = frame;
	report->present = 0;
	return report;
}

/* Written so that NaN becomes min. */
static WEIR_REALTIME float control_value(const struct weir_port *port, float value)
{
	if (!(value > port->min))
		return port->min;
	if (value >= port->max)
		return port->max;
	return port->kind == WEIR_FLOAT ? value : floorf(value + 0.5f);
}

/* Written so that NaN becomes 0. */
static WEIR_REALTIME void copy_sane(float *to, const float *from, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		to[i] = fabsf(from[i]) <= WEIR_MAX_SAMPLE ? from[i] : 0.0f;
}

/* Makes denormals zero; returns the mode to go back to. */
static WEIR_REALTIME uint64_t denormals_off(void)
{
#if defined(__SSE__)
	const uint32_t mode = _mm_getcsr();

	_mm_setcsr(mode | 0x8040); /* flush to zero, denormals are zero */
	return mode;
#elif defined(__aarch64__)
	uint64_t mode;

	__asm__ volatile("mrs %0, fpcr" : "=r"(mode));
	__asm__ volatile("msr fpcr, %0" ::"r"(mode | 1 << 24)); /* FZ */
	return mode;
#else
	return 0;
#endif
}

static WEIR_REALTIME void denormals_restore(uint64_t mode)
{
#if defined(__SSE__)
	_mm_setcsr((uint32_t)mode);
#elif defined(__aarch64__)
	__asm__ volatile("msr fpcr, %0" ::"r"(mode));
#else
	(void)mode;
#endif
}

/* The next main input. Behind n_ports there is none. */
static WEIR_REALTIME uint32_t input_next(const struct weir_unit *unit, uint32_t port)
{
	while (port < unit->n_ports && (unit->ports[port].type != WEIR_AUDIO_IN ||
					unit->ports[port].role != WEIR_ROLE_MAIN))
		port++;
	return port;
}

/* For a unit without a state. */
static WEIR_REALTIME void pass_through(const struct weir_unit *unit, float *const port[],
				       uint32_t n)
{
	uint32_t input = input_next(unit, 0);

	for (uint32_t i = 0; i < unit->n_ports; i++) {
		const struct weir_port *p = &unit->ports[i];

		if (p->type == WEIR_CONTROL_OUT)
			*port[i] = fminf(fmaxf(0.0f, p->min), fmaxf(p->min, p->max));
		if (p->type != WEIR_AUDIO_OUT)
			continue;
		if (input < unit->n_ports)
			memcpy(port[i], port[input], n * sizeof(float));
		else
			memset(port[i], 0, n * sizeof(float));
		input = input_next(unit, input + 1);
	}
}

/* The inputs are copied before an output is written, so they may share buffers. */
static WEIR_REALTIME void run_block(const struct weir_unit *unit, void *state, float *const port[],
				    uint32_t from, uint32_t n, struct weir_reports *reports)
{
	float input[WEIR_MAX_PORTS][WEIR_BLOCK];
	float control[WEIR_MAX_PORTS];
	float *checked[WEIR_MAX_PORTS] = { NULL };
	const uint32_t first_report = reports ? reports->n : 0;

	for (uint32_t i = 0; i < unit->n_ports; i++) {
		const struct weir_port *p = &unit->ports[i];

		checked[i] = p->type == WEIR_AUDIO_OUT ? port[i] + from : port[i];
		if (p->type == WEIR_AUDIO_IN) {
			checked[i] = input[i];
			copy_sane(input[i], port[i] + from, n);
		} else if (p->type == WEIR_CONTROL_IN) {
			checked[i] = &control[i];
			control[i] = control_value(p, *port[i]);
		}
	}
	if (state)
		unit->run(state, checked, n, reports);
	else
		pass_through(unit, checked, n);

	for (uint32_t i = first_report; reports && i < reports->n; i++)
		reports->report[i].frame += from;
}

WEIR_REALTIME void weir_unit_run(const struct weir_unit *unit, void *state, float *const port[],
				 uint32_t n_frames, struct weir_reports *reports)
{
	const uint64_t mode = denormals_off();
	uint32_t from = 0;

	if (reports)
		reports->n = 0;
	do {
		const uint32_t left = n_frames - from;
		const uint32_t n = left < WEIR_BLOCK ? left : WEIR_BLOCK;

		run_block(unit, state, port, from, n, reports);
		from += n;
	} while (from < n_frames);
	denormals_restore(mode);
}
