/* SPDX-License-Identifier: MIT */
#include "dsp/align/align.h"
#include "dsp/analyze/analyze.h"
#include "dsp/pitch/pitch.h"
#include "unit.h"

weir_unit_list weir_dsp_units = {
	&weir_pitch,   &weir_pitch_mono, &weir_pitch_8,	     &weir_align,
	&weir_align_4, &weir_analyze,	 &weir_analyze_mono, &weir_analyze_8,
};
