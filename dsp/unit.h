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
 * latency between them. A unit therefore has its main inputs first.
 */

/* Neither allocates, locks, logs nor enters the kernel. Checked by clang >= 20. */
#if defined(__clang__) && __clang_major__ >= 20
#define WEIR_REALTIME __attribute__((nonblocking))
#else
#define WEIR_REALTIME
#endif

#define WEIR_MAX_PORTS 64
#define WEIR_MAX_UNITS 16
#define WEIR_MAX_FIELDS 64
#define WEIR_MAX_STATE_VALUES 32
#define WEIR_MAX_FRAMES 8192 /* in one weir_unit_run() with memory of weir_reports_create() */
#define WEIR_BLOCK 256	     /* frames in one call of a unit's run, at most */
#define WEIR_MIN_RATE 8000   /* Hz; no unit runs below it */

enum weir_port_type {
	WEIR_AUDIO_IN,
	WEIR_AUDIO_OUT,
	WEIR_CONTROL_IN,  /* one float, constant during a run */
	WEIR_CONTROL_OUT, /* one float, written by every run */
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
	enum weir_kind kind;
	const char *unit; /* of the values: "dB", "Hz", "semitones", "ms", "ppm"; "" for none */
	const char *help; /* one line */
	/* Audio only: "FL", "FR", "MONO", "AUX0". NULL: an input that nobody means who names the
	 * node. */
	const char *channel;
	const char *const *choices; /* WEIR_CHOICE only: max - min + 1 names */
	float min, def, max;	    /* controls only; def: see plugins/ladspa.c */
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

	/*
	 * Returns a new state for the given rate in Hz, or NULL with errno set: EINVAL
	 * when the unit cannot run at this rate. Hosts then run it with the state NULL.
	 */
	void *(*create)(uint32_t rate);

	/* NULL is allowed. */
	void (*destroy)(void *state);

	/* Makes the state equal to a newly created one. */
	void (*reset)(void *state) WEIR_REALTIME;

	/*
	 * Called by weir_unit_run() only. Processes n_frames, 0 to WEIR_BLOCK,
	 * which may differ between runs. port[i] belongs to ports[i] and holds
	 * n_frames floats for audio and one for a control; controls are in range,
	 * inputs are finite, outputs are buffers of their own. With n_frames 0
	 * only the control outputs are written. reports is NULL when nobody
	 * reads them.
	 */
	void (*run)(void *state, float *const port[], uint32_t n_frames,
		    struct weir_reports *reports) WEIR_REALTIME;

	/*
	 * The latency of the n-th audio input after the latest run. A control output "latency"
	 * has the total of the first input. NULL: no input has any.
	 *
	 * Hosts declare the total at the outputs, and the minimum at the inputs. A source that
	 * compensates for the latency behind it, as PipeWire's rtp-source does, would send its
	 * sound still earlier if it were told the total: the unit would hold that back for
	 * longer, and the source would drop sound in the end.
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
	 * one saved, and drops them when they do not hold. Any floats do no harm.
	 */
	void (*restore_state)(void *state, const float *value) WEIR_REALTIME;
};

/* All units, then NULL. */
extern const struct weir_unit *const weir_units[WEIR_MAX_UNITS + 1];

/* Returns NULL when there is no unit of this name. */
const struct weir_unit *weir_unit_find(const char *name);

/* The field of the first unit that reports one of this name, or NULL. */
const struct weir_field *weir_field_find(const char *name);

/*
 * Processes any number of frames. port[i] belongs to ports[i] and is never NULL;
 * an output may be the same buffer as an input.
 *
 * Control inputs are forced into their ranges, and to whole numbers where their
 * kind asks for it. Samples that are not finite, or above WEIR_MAX_SAMPLE, enter the
 * unit as silence. Denormals count as zero while the unit runs.
 *
 * With the state NULL the sound passes through: the n-th audio output gets the n-th
 * audio input, or silence where there is none, and each control output gets the value
 * in its range that is nearest to 0.
 */
#define WEIR_MAX_SAMPLE 1000.0f /* 60 dB above full scale */
WEIR_REALTIME void weir_unit_run(const struct weir_unit *unit, void *state, float *const port[],
				 uint32_t n_frames, struct weir_reports *reports);

/*
 * Returns memory for the reports of one run of up to WEIR_MAX_FRAMES frames, to
 * be released by free(), or NULL with errno set.
 */
struct weir_reports *weir_reports_create(const struct weir_unit *unit, uint32_t rate);

/* The same for runs of up to n_frames, at this rate or a higher one. */
struct weir_reports *weir_reports_create_for(const struct weir_unit *unit, uint32_t rate,
					     uint32_t n_frames);

/* The next report of this run, with no field present; NULL when there are no reports. */
WEIR_REALTIME struct weir_report *weir_reports_add(struct weir_reports *reports, uint32_t frame);

#endif
