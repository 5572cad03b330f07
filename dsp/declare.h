/* SPDX-License-Identifier: MIT */
#ifndef WEIR_DECLARE_H
#define WEIR_DECLARE_H

#include "unit.h"

/*
 * Initializers for units, their ports and their report fields. Arguments behind the named ones are
 * further members, ".member = value".
 */

#define AUDIO_IN(port, text, position, ...)                                      \
	{                                                                        \
		.name = port, .type = WEIR_AUDIO_IN, .unit = "", .help = (text), \
		.channel = position, __VA_ARGS__                                 \
	}

#define AUDIO_OUT(port, text, position, ...)                                      \
	{                                                                         \
		.name = port, .type = WEIR_AUDIO_OUT, .unit = "", .help = (text), \
		.channel = position, __VA_ARGS__                                  \
	}

#define CONTROL_IN(port, its_kind, its_unit, text, minimum, usual, maximum, ...)           \
	{                                                                                  \
		.name = port, .type = WEIR_CONTROL_IN, .kind = its_kind, .unit = its_unit, \
		.help = (text), .min = minimum, .def = usual, .max = maximum, __VA_ARGS__  \
	}

#define CONTROL_OUT(port, its_kind, its_unit, text, minimum, maximum, ...)                  \
	{                                                                                   \
		.name = port, .type = WEIR_CONTROL_OUT, .kind = its_kind, .unit = its_unit, \
		.help = (text), .min = minimum, .max = maximum, __VA_ARGS__                 \
	}

#define TOGGLE_IN(port, text, usual, ...) \
	CONTROL_IN(port, WEIR_TOGGLE, "", text, 0.0f, usual, 1.0f, __VA_ARGS__)

/* names: the choices, in the order of their values from 0 on. */
#define CHOICE_IN(port, text, names, usual, maximum, ...) \
	CONTROL_IN(port, WEIR_CHOICE, "", text, 0.0f, usual, maximum, .choices = names, __VA_ARGS__)

#define FIELD(field, its_unit, text, n, ...)                                               \
	{                                                                                  \
		.name = field, .unit = its_unit, .help = (text), .count = (n), __VA_ARGS__ \
	}

#define EVENT(field, text, ...) FIELD(field, "s", text, 1, .event = true, __VA_ARGS__)

#define UNIT(unit_name, unit_id, unit_summary, unit_ports, unit_fields, unit_create, ...)         \
	{                                                                                         \
		.name = unit_name, .id = unit_id, .summary = (unit_summary), .ports = unit_ports, \
		.n_ports = COUNT(unit_ports), .fields = unit_fields,                              \
		.n_fields = COUNT(unit_fields), .create = unit_create, __VA_ARGS__                \
	}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
