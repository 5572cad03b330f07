/* SPDX-License-Identifier: MIT */
#ifndef WEIR_DECLARE_H
#define WEIR_DECLARE_H

#include "unit.h"

/* How units write down their controls, meters and fields. */

#define INPUT(port, its_kind, its_unit, text, least, usual, most)                          \
	{                                                                                  \
		.name = port, .type = WEIR_CONTROL_IN, .kind = its_kind, .unit = its_unit, \
		.help = text, .min = least, .def = usual, .max = most                      \
	}

#define OUTPUT(port, its_kind, its_unit, text, least, most)                                 \
	{                                                                                   \
		.name = port, .type = WEIR_CONTROL_OUT, .kind = its_kind, .unit = its_unit, \
		.help = text, .min = least, .max = most                                     \
	}

#define FIELD(field, its_unit, text, n)                                     \
	{                                                                   \
		.name = field, .unit = its_unit, .help = text, .count = (n) \
	}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
