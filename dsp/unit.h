/* SPDX-License-Identifier: MIT */
#ifndef WEIR_UNIT_H
#define WEIR_UNIT_H

#include <stdbool.h>
#include <stdint.h>

/*
 * A unit is one DSP algorithm as seen from outside: its ports, its report, the
 * state that it saves and its functions. Hosts (spa/, plugins/, tools/, tests/) know units only
 * through this file; units know no host.
 *
 * Samples are floats with full scale at -1 and 1. A frame is one sample of
 * every audio port. The n-th audio output belongs to the n-th audio input: sound
 * passes from one to the other where the unit cannot run, and hosts declare the
 * latency between them. A unit therefore has its main inputs before those for reference.
 */

/*
 * Threads. A function with WEIR_REALTIME may be called by the data thread: it never blocks, so it
 * neither allocates, locks, logs nor enters the kernel. Checked by clang >= 20. All other functions
 * are for threads that may block. Tables are constant: any thread may read them at any time.
 *
 * A state belongs to one thread at a time. A host may hand it from one to another, but no two
 * functions run on the same state at once, not even get_latency or save_state beside run. Functions
 * on different states may run at once, in any threads; units have no state of their own.
 */
#if defined(__clang__) && __clang_major__ >= 20
#define WEIR_REALTIME __attribute__((nonblocking))
#else
#define WEIR_REALTIME
#endif

/*
 * Names of audio ports and control inputs are kebab-case, those of control outputs and of fields of
 * the report snake_case. A control output with the name of a field has the field's value, in the
 * same unit, at the frame of each report: the maximum if the field has a value per channel. An
 * output NAME_2 has the value of the field NAME for the second audio input. While the field has no
 * value, or NaN, the output is 0, or the minimum of its range.
 */

#define WEIR_MAX_PORTS 64
#define WEIR_MAX_UNITS 16 /* of a folder */
#define WEIR_MAX_FIELDS 64
#define WEIR_MAX_PANELS 16 /* of a unit */
#define WEIR_MAX_STATE_VALUES 32
#define WEIR_MAX_FRAMES 8192 /* in one weir_unit_run() with memory of weir_reports_create() */
#define WEIR_BLOCK 256	     /* frames in one call of a unit's run, at most */
#define WEIR_MIN_RATE 8000   /* Hz; no unit runs below it */
#define WEIR_MAX_RATE 384000 /* Hz; no unit runs above it */

enum weir_port_type {
	WEIR_AUDIO_IN,
	WEIR_AUDIO_OUT,
	WEIR_CONTROL_IN,  /* one float, constant during a run */
	WEIR_CONTROL_OUT, /* one float, written by every run */
};

/* What hosts have to know of a port beyond its type. */
enum weir_role {
	WEIR_ROLE_MAIN,
	WEIR_ROLE_REFERENCE, /* audio input: only compared with the main ones, goes to no output */
	WEIR_ROLE_RESET,     /* toggle: a change to 1 begins maxima and averages anew */
	WEIR_ROLE_CALIBRATION, /* control input: dB that are added to calibrated fields */
	WEIR_ROLE_LAYOUT,      /* choice: where the loudspeakers are; 0: 5.1, 1: 7.1 */
};

/* What the values of a control mean; between whole numbers they are rounded. */
enum weir_kind {
	WEIR_FLOAT,
	WEIR_INTEGER,
	WEIR_TOGGLE, /* 0 or 1 */
	WEIR_CHOICE, /* an index into choices */
};

struct weir_port {
	const char *name; /* used in configuration files: never renamed */
	enum weir_port_type type;
	enum weir_role role;
	enum weir_kind kind;
	const char *unit; /* of the values: "dB", "Hz", "semitones", "ms", "ppm"; "" for none */
	const char *help; /* one line */
	/* Audio only: "FL", "FR", "MONO", "AUX0". NULL: none, for an input that is linked by
	 * its own name only. */
	const char *channel;
	const char *const *choices; /* WEIR_CHOICE only: max - min + 1 names */
	float min, def, max;	    /* controls only; def: see plugins/ladspa.c */
};

/*
 * How displays draw the fields of a panel; weir_view has the part of each field. Of each kind but
 * NUMBERS a unit has one panel at most. METERS has a field with BAR, one with MARK and one with
 * NUMBER, INPUTS has fields with BAR and DELAY, SPECTRUM one with THIRDS: without these, displays
 * show no field of the panel.
 */
enum weir_panel_kind {
	WEIR_PANEL_METERS,  /* a bar for each channel, with a mark on it and numbers beside it */
	WEIR_PANEL_NUMBERS, /* title, then label and number of each field, of the highest channel */
	WEIR_PANEL_INPUTS,  /* title and state, then a row for each audio input */
	WEIR_PANEL_SPECTRUM, /* a column for each band, of the highest channel */
	WEIR_PANEL_LABELS,   /* in one row, each field behind its label */
};

struct weir_panel {
	enum weir_panel_kind kind;
	const char *title;
};

/* What a display draws of a field in its panel. */
enum weir_view {
	WEIR_VIEW_NUMBER,
	WEIR_VIEW_NONE,	      /* another field of the panel shows as much */
	WEIR_VIEW_BAR,	      /* METERS, INPUTS: from min to max */
	WEIR_VIEW_MARK,	      /* METERS: on the bar, held for a moment */
	WEIR_VIEW_THIRDS,     /* SPECTRUM: third octaves, from 20 Hz to 20 kHz */
	WEIR_VIEW_NOTE,	      /* LABELS: a frequency, and the note that is nearest */
	WEIR_VIEW_CONFIDENCE, /* LABELS: of the field before; INPUTS: of the state */
	WEIR_VIEW_WORD,	      /* LABELS: words[1] above 0.5; INPUTS: words[value], the state */
	WEIR_VIEW_DELAY,      /* INPUTS: seconds, shown as ms */
	WEIR_VIEW_DRIFT,      /* INPUTS */
	WEIR_VIEW_SIGN,	      /* INPUTS: whether it is negative */
};

struct weir_word {
	const char *text;
	enum { WEIR_NEITHER, WEIR_GOOD, WEIR_PENDING, WEIR_BAD } quality;
};

/* How displays show a field. All 0: by its name, in a list. */
struct weir_display {
	const char *label; /* a word, within the panel */
	uint32_t panel;	   /* of the unit's panels, counted from 1; 0: the list */
	enum weir_view view;
	const struct weir_word *words;
	uint32_t n_words;
	uint32_t input; /* INPUTS: that of the first value, counted from 1; 0: of none */
	float min, max; /* the range that is shown; both 0: that of the values */
	uint32_t rank;	/* 1 and up: shown where there is no room for all fields, 1 first */
};

/*
 * A report is what a unit found out at one frame: the values of its fields. An
 * event is a field that is present only when something happened, and whose
 * value is the seconds by which that preceded the report.
 */
struct weir_field {
	const char *name; /* as for ports: never renamed */
	const char *unit; /* as for ports; of an event "s" */
	const char *help;
	uint32_t count; /* floats: 1, or more for a vector */
	bool event;

	/* So many values belong to each audio input, one input after the other; 0: all values are
	 * of all inputs together. */
	uint32_t per_channel;

	const char *group; /* NULL, or the control that switches the field and others on and off */

	/* The value is the highest since the previous report: a reader that skips reports keeps the
	 * highest. */
	bool hold;

	/* The field whose maximum this is: with hold since the previous report, else since a reset;
	 * or NULL. */
	const char *maximum_of;

	bool calibrated; /* has the value of the control with WEIR_ROLE_CALIBRATION added */
	struct weir_display display;
};

struct weir_report {
	uint32_t frame;	  /* within the run that wrote it */
	uint64_t present; /* bit i: field i has a value */
	float *value;	  /* of all fields, one after the other */
};

/* Memory that a host lends to runs: each run writes from the first report on. */
struct weir_reports {
	uint32_t n, max;
	struct weir_report report[];
};

/* Frames from an audio input to the outputs. */
struct weir_latency {
	uint32_t total;
	uint32_t minimum; /* without the time that this input is held back for a later one */
};

struct weir_unit {
	const char *name; /* as for ports: never renamed */
	uint32_t id;	  /* of the LADSPA plugin, 700 to 999: of no other unit, now or later */
	const char *summary;
	const struct weir_port *ports;
	uint32_t n_ports;

	/* The report covers all sound since the state was created: hosts do not reset the state
	 * after a pause. */
	bool continuous;

	/* At most one report per hop. A unit without fields never reports. */
	const struct weir_field *fields;
	uint32_t n_fields;
	float hop_seconds;

	/* What displays draw of the fields, from top to bottom. */
	const struct weir_panel *panels;
	uint32_t n_panels;

	/*
	 * Returns a new state for the given rate in Hz, or NULL with errno set: EINVAL
	 * when the unit cannot run at this rate. Hosts then run it with the state NULL.
	 * Any thread that may block: allocates, and waits for FFTW's planner.
	 */
	void *(*create)(uint32_t rate);

	/* NULL is allowed. Any thread that may block: frees, and waits for FFTW's planner. */
	void (*destroy)(void *state);

	/* Makes the state equal to a newly created one. Clears megabytes, up to 20 for some units:
	 * the data thread may call it, but hosts that can do so elsewhere. */
	void (*reset)(void *state) WEIR_REALTIME;

	/*
	 * Called by weir_unit_run() only. Processes n_frames, 0 to WEIR_BLOCK,
	 * which may differ between runs. port[i] belongs to ports[i] and holds
	 * n_frames floats for audio and one for a control; controls are in range,
	 * inputs are finite, outputs are buffers of their own. With n_frames 0
	 * only the control outputs are written. reports is NULL if the
	 * host does not read them. Data thread.
	 */
	void (*run)(void *state, float *const port[], uint32_t n_frames,
		    struct weir_reports *reports) WEIR_REALTIME;

	/*
	 * The latency of the n-th audio input after the latest run. NULL: no input has any. The
	 * thread that runs the state, or another while nothing runs it; the same for save_state. A
	 * control output "latency" has the total of the first input, for LADSPA hosts.
	 *
	 * Hosts declare the total at the outputs, and the minimum at the inputs. A source that
	 * compensates for the latency behind it, as PipeWire's rtp-source does, would send its
	 * sound still earlier with the total: the unit would hold the sound back for longer, and
	 * the source would drop some of it in the end.
	 */
	struct weir_latency (*get_latency)(const void *state, uint32_t input) WEIR_REALTIME;

	/*
	 * For a unit that finds out what holds for a later state, too: the values of
	 * these fields, WEIR_MAX_STATE_VALUES at most, at any rate. NaN stands for
	 * a value that is not known. Both functions are NULL for all other units.
	 */
	const struct weir_field *state_fields;
	uint32_t n_state_fields;
	void (*save_state)(const void *state, float *value) WEIR_REALTIME;

	/*
	 * After create or reset: the state begins with the values that an earlier
	 * one saved, and drops them when they do not hold. Any floats do no harm. Any
	 * thread, while nothing runs the state.
	 */
	void (*restore_state)(void *state, const float *value) WEIR_REALTIME;
};

/*
 * The units of a folder, then NULL: FOLDER/units.c defines weir_FOLDER_units. A plugin has the
 * units of one folder, a program those of all: see meson.build.
 */
typedef const struct weir_unit *const weir_unit_list[WEIR_MAX_UNITS + 1];

/* The unit of this index, in the order of the lists, or NULL behind the last one. This function and
 * the next four: any thread. */
const struct weir_unit *weir_unit_get(uint32_t index);

/* Returns NULL when there is no unit of this name. */
const struct weir_unit *weir_unit_find(const char *name);

/* The unit's field of this name, or NULL. */
const struct weir_field *weir_unit_find_field(const struct weir_unit *unit, const char *name);

/* The field of the first unit that reports one of this name, or NULL. */
const struct weir_field *weir_field_find(const char *name);

/* The first port of this type and role, or n_ports. */
uint32_t weir_unit_find_role(const struct weir_unit *unit, enum weir_port_type type,
			     enum weir_role role);

/*
 * Reads the value of a control: the name of a choice, true or false, or a number as C writes it in
 * any locale. Returns false, and leaves *value alone, when the text is none of these, or the value
 * is out of range or not whole where the kind asks for it. Any thread that may block.
 */
bool weir_control_parse(const struct weir_port *port, const char *text, float *value);

/*
 * Processes any number of frames. port[i] belongs to ports[i] and is never NULL;
 * an output may be the same buffer as an input.
 *
 * Control inputs are forced into their ranges, and to whole numbers where their
 * kind asks for it. Samples that are not finite, or above WEIR_MAX_SAMPLE, enter the
 * unit as silence. Denormals count as zero while the unit runs.
 *
 * With the state NULL the sound passes through: the n-th audio output gets the n-th
 * main audio input, or silence where there is none, and each control output gets the value
 * in its range that is nearest to 0. Data thread, or any other that owns the state.
 */
#define WEIR_MAX_SAMPLE 1000.0f /* 60 dB above full scale */
WEIR_REALTIME void weir_unit_run(const struct weir_unit *unit, void *state, float *const port[],
				 uint32_t n_frames, struct weir_reports *reports);

/*
 * Returns memory for the reports of one run of up to WEIR_MAX_FRAMES frames, to
 * be released by free(), or NULL with errno set. Any thread that may block.
 */
struct weir_reports *weir_reports_create(const struct weir_unit *unit, uint32_t rate);

/* The same for runs of up to n_frames, at this rate or a higher one. */
struct weir_reports *weir_reports_create_for(const struct weir_unit *unit, uint32_t rate,
					     uint32_t n_frames);

/* For a unit's run: the next report, with no field present; NULL when there are no reports. */
WEIR_REALTIME struct weir_report *weir_reports_add(struct weir_reports *reports, uint32_t frame);

#endif
