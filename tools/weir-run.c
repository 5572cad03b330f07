/* SPDX-License-Identifier: MIT */

/* Runs sound files through a unit: the offline host. Manual: weir-run.1 */

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../dsp/unit.h"
#include "describe.h"
#include "json.h"
#include "message.h"
#include "soundfile.h"

#define DEFAULT_BLOCK 1024

static const char letters[] = "b:s:i:r:h";
static const struct option options[] = {
	{ "help", no_argument, NULL, 'h' },
	{ "compensate", no_argument, NULL, 'c' },
	{ 0 },
};

static const char usage[] =
	"usage: weir-run UNIT [-b BLOCK] [-s CONTROL=VALUE]... [-i PORT=FILE[:CHANNEL]]...\n"
	"                [-r REPORT.jsonl] [--compensate] [IN.wav...] OUT.wav\n"
	"       weir-run UNIT --help\n"
	"       weir-run --list\n";

/* Where an audio input comes from. */
struct source {
	uint32_t file; /* index into job.input */
	uint32_t channel;
	bool connected;
	bool is_silent;
};

struct job {
	const struct weir_unit *unit;
	uint32_t block;
	bool compensate;
	float control[WEIR_MAX_PORTS];

	struct soundfile input[WEIR_MAX_PORTS];
	uint32_t n_inputs;
	struct source source[WEIR_MAX_PORTS];
	uint32_t rate;
	uint64_t n_frames; /* of the longest input */

	const char *out_path; /* NULL for none */
	struct soundfile output;
	FILE *report;
};

/* Returns n_ports when there is no such port. */
static uint32_t port_find(const struct weir_unit *unit, enum weir_port_type type, const char *name,
			  size_t length)
{
	uint32_t i = 0;

	while (i < unit->n_ports &&
	       !(unit->ports[i].type == type && strlen(unit->ports[i].name) == length &&
		 strncmp(unit->ports[i].name, name, length) == 0))
		i++;
	return i;
}

static void fail_no_port(const struct weir_unit *unit, enum weir_port_type type, const char *what,
			 const char *argument)
{
	char names[512] = "";

	for (uint32_t i = 0; i < unit->n_ports; i++) {
		const size_t used = strlen(names);

		if (unit->ports[i].type == type)
			snprintf(names + used, sizeof(names) - used, " %s", unit->ports[i].name);
	}
	fail("%s has no %s \"%.*s\". It has:%s", unit->name, what, (int)strcspn(argument, "="),
	     argument, names[0] ? names : " none");
}

static float control_parse(const struct weir_port *port, const char *text)
{
	char *end;
	const float value = strtof(text, &end);

	for (uint32_t i = 0; port->choices && i <= (uint32_t)(port->max - port->min); i++)
		if (strcmp(port->choices[i], text) == 0)
			return port->min + (float)i;
	if (port->kind == WEIR_TOGGLE && strcmp(text, "true") == 0)
		return 1.0f;
	if (port->kind == WEIR_TOGGLE && strcmp(text, "false") == 0)
		return 0.0f;
	if (end == text || *end || !(value >= port->min && value <= port->max))
		fail("%s=%s: the value must be a number from %g to %g%s%s", port->name, text,
		     port->min, port->max, port->measure[0] ? " " : "", port->measure);
	return value;
}

static void control_set(struct job *job, const char *argument)
{
	const size_t length = strcspn(argument, "=");
	const uint32_t port = port_find(job->unit, WEIR_CONTROL_IN, argument, length);

	if (port == job->unit->n_ports)
		fail_no_port(job->unit, WEIR_CONTROL_IN, "control", argument);
	if (!argument[length])
		fail("-s %s: a value is missing. Write -s %s=VALUE", argument, argument);
	job->control[port] = control_parse(&job->unit->ports[port], argument + length + 1);
}

/* Returns the index of the opened file. A file is opened once per use: each use reads at its pace.
 */
static uint32_t input_open(struct job *job, const char *path)
{
	struct soundfile *input = &job->input[job->n_inputs];

	if (job->n_inputs == WEIR_MAX_PORTS)
		fail("more than %d input files", WEIR_MAX_PORTS);
	soundfile_open(input, path);
	if (job->rate && job->rate != (uint32_t)input->format.samplerate)
		fail("%s is at %d Hz, %s at %u Hz. All inputs must have one rate: convert one of "
		     "them, for example with sox IN.wav -r %u OUT.wav",
		     path, input->format.samplerate, job->input[0].path, job->rate, job->rate);
	job->rate = (uint32_t)input->format.samplerate;
	if (job->n_frames < (uint64_t)input->format.frames)
		job->n_frames = (uint64_t)input->format.frames;
	return job->n_inputs++;
}

/* A colon belongs to the path unless a channel number follows it. */
static void input_connect(struct job *job, char *argument)
{
	const size_t length = strcspn(argument, "=");
	const uint32_t port = port_find(job->unit, WEIR_AUDIO_IN, argument, length);
	char *path = argument + length + 1;
	unsigned long channel = 1;

	if (port == job->unit->n_ports)
		fail_no_port(job->unit, WEIR_AUDIO_IN, "audio input", argument);
	if (!argument[length])
		fail("-i %s: a file is missing. Write -i %s=FILE", argument, argument);

	char *colon = strrchr(path, ':');

	if (colon && colon[1] && !colon[1 + strspn(colon + 1, "0123456789")]) {
		channel = strtoul(colon + 1, NULL, 10);
		*colon = '\0';
	}

	const uint32_t file = input_open(job, path);
	const int n_channels = job->input[file].format.channels;

	if (channel < 1 || channel > (unsigned long)n_channels)
		fail("%s has no channel %lu: it has 1 to %d", path, channel, n_channels);
	job->source[port] = (struct source){ .file = file,
					     .channel = (uint32_t)channel - 1,
					     .connected = true };
}

/* The next audio input that nothing feeds yet, or n_ports. */
static uint32_t input_free(const struct job *job)
{
	uint32_t i = 0;

	while (i < job->unit->n_ports &&
	       (job->unit->ports[i].type != WEIR_AUDIO_IN || job->source[i].connected))
		i++;
	return i;
}

/* Four channels are without a centre, and neither they nor five have one for low frequencies. */
static bool is_left_out(const struct weir_port *port, uint32_t n_channels)
{
	return (n_channels == 4 && strcmp(port->channel, "FC") == 0) ||
	       ((n_channels == 4 || n_channels == 5) && strcmp(port->channel, "LFE") == 0);
}

/* Fills the audio inputs in order; a single mono file feeds them all. */
static void inputs_fill(struct job *job, char *paths[], int n_paths)
{
	const uint32_t n_ports = job->unit->n_ports;

	for (int i = 0; i < n_paths; i++) {
		const uint32_t file = input_open(job, paths[i]);
		const uint32_t n_channels = (uint32_t)job->input[file].format.channels;

		if (input_free(job) == n_ports)
			fail("%s is one input too many: all audio inputs of %s are fed", paths[i],
			     job->unit->name);
		for (uint32_t c = 0, to; c < n_channels && (to = input_free(job)) < n_ports;) {
			const bool is_silent = is_left_out(&job->unit->ports[to], n_channels);

			job->source[to] = (struct source){ .file = file,
							   .channel = c,
							   .connected = true,
							   .is_silent = is_silent };
			c += !is_silent;
		}
		while (n_paths == 1 && n_channels == 1 && input_free(job) < n_ports)
			job->source[input_free(job)] =
				(struct source){ .file = file, .connected = true };
	}
}

static void refuse_overwriting(const struct job *job, const char *path)
{
	struct stat out, in;

	if (!path || stat(path, &out) || !S_ISREG(out.st_mode))
		return;
	for (uint32_t i = 0; i < job->n_inputs; i++)
		if (stat(job->input[i].path, &in) == 0 && in.st_ino == out.st_ino &&
		    in.st_dev == out.st_dev)
			fail("%s is an input and would be overwritten. Name another file.", path);
}

/* With a report, the last file may be an input: then no sound is written. */
static void job_take_files(struct job *job, char *paths[], int n_paths, const char *report_path)
{
	const bool report_only =
		report_path && n_paths == 1 && input_free(job) < job->unit->n_ports;

	if (!n_paths && !report_path)
		fail("an output file is missing\n%s", usage);
	if (n_paths && !report_only)
		job->out_path = paths[--n_paths];
	inputs_fill(job, paths, n_paths);
	if (!job->n_inputs)
		fail("an input file is missing\n%s", usage);
	refuse_overwriting(job, job->out_path);
	refuse_overwriting(job, report_path);
	if (report_path && job->out_path && strcmp(report_path, job->out_path) == 0)
		fail("%s is both the report and the output. Name another file.", report_path);

	if (report_path && strcmp(report_path, "-") == 0)
		job->report = stdout;
	else if (report_path)
		job->report = fopen(report_path, "w");
	if (report_path && !job->report)
		fail("cannot write %s: %s", report_path, strerror(errno));
}

/* One line for the fields that have a value, and one per event. */
static void print_report(const struct job *job, const struct weir_report *report, uint64_t frame)
{
	const struct weir_unit *unit = job->unit;
	const double t = (double)(frame + report->frame + 1) / job->rate; /* consumed */
	uint64_t events = 0;
	const float *value = report->value;

	for (uint32_t i = 0; i < unit->n_fields; i++)
		events |= (uint64_t)unit->fields[i].event << i;
	if (report->present & ~events)
		json_begin(job->report, t);
	for (uint32_t i = 0; i < unit->n_fields; value += unit->fields[i++].count)
		if (report->present & ~events & (uint64_t)1 << i)
			json_field(job->report, unit->fields[i].name, value, unit->fields[i].count);
	if (report->present & ~events)
		json_end(job->report);

	value = report->value;
	for (uint32_t i = 0; i < unit->n_fields; value += unit->fields[i++].count)
		if (report->present & events & (uint64_t)1 << i)
			json_event(job->report, t, unit->fields[i].name, *value);
}

static void read_inputs(struct job *job, float (*audio)[WEIR_MAX_FRAMES], uint32_t n)
{
	for (uint32_t i = 0; i < job->n_inputs; i++)
		soundfile_read(&job->input[i], n);
	for (uint32_t i = 0; i < job->unit->n_ports; i++) {
		const struct source *source = &job->source[i];
		const struct soundfile *input = &job->input[source->file];

		if (!source->connected || source->is_silent)
			continue;
		for (uint32_t f = 0; f < n; f++)
			audio[i][f] = input->block[f * (uint32_t)input->format.channels +
						   source->channel];
	}
}

static void write_output(struct job *job, float (*audio)[WEIR_MAX_FRAMES], uint32_t from,
			 uint32_t n)
{
	const uint32_t n_channels = (uint32_t)job->output.format.channels;
	uint32_t channel = 0;

	if (!job->out_path || from >= n)
		return;
	for (uint32_t i = 0; i < job->unit->n_ports; i++) {
		if (job->unit->ports[i].type != WEIR_AUDIO_OUT)
			continue;
		for (uint32_t f = 0; f < n; f++)
			job->output.block[f * n_channels + channel] = audio[i][f];
		channel++;
	}
	soundfile_write(&job->output, from, n - from);
}

static uint32_t port_count(const struct weir_unit *unit, enum weir_port_type type)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < unit->n_ports; i++)
		n += unit->ports[i].type == type;
	return n;
}

/* What the unit declares: before its first frame, or with its latest. */
static uint32_t read_latency(const struct job *job)
{
	const uint32_t i = port_find(job->unit, WEIR_CONTROL_OUT, "latency", strlen("latency"));

	return i < job->unit->n_ports ? (uint32_t)job->control[i] : 0;
}

/* Runs on for as long as the latency is at the end, so that the end of the input comes out. */
static void run_blocks(struct job *job, void *state, float *port[], float (*audio)[WEIR_MAX_FRAMES],
		       struct weir_reports *reports)
{
	weir_unit_run(job->unit, state, port, 0, NULL);

	const uint32_t latency = read_latency(job);
	uint64_t end = job->n_frames + latency;
	uint64_t skip = job->compensate ? latency : 0;

	if (job->out_path)
		soundfile_make(&job->output, job->out_path, job->rate,
			       port_count(job->unit, WEIR_AUDIO_OUT), end - skip);
	for (uint64_t frame = 0, n; frame < end; frame += n) {
		const uint64_t skipped = skip;

		n = end - frame < job->block ? end - frame : job->block;
		read_inputs(job, audio, (uint32_t)n);
		weir_unit_run(job->unit, state, port, (uint32_t)n, reports);
		for (uint32_t i = 0; reports && i < reports->n; i++)
			if (frame + reports->report[i].frame < job->n_frames)
				print_report(job, &reports->report[i], frame);
		skip = skipped > n ? skipped - n : 0;
		write_output(job, audio, (uint32_t)(skipped - skip), (uint32_t)n);
		end = job->n_frames + read_latency(job);
	}
}

static void job_run(struct job *job)
{
	static float audio[WEIR_MAX_PORTS][WEIR_MAX_FRAMES];
	const struct weir_unit *unit = job->unit;
	void *state = unit->create(job->rate);
	struct weir_reports *reports = weir_reports_create(unit, job->rate);
	float *port[WEIR_MAX_PORTS];

	if (!state || !reports)
		fail("%s cannot run at %u Hz: %s", unit->name, job->rate, strerror(errno));
	for (uint32_t i = 0; i < unit->n_ports; i++) {
		const enum weir_port_type type = unit->ports[i].type;

		port[i] = type == WEIR_AUDIO_IN || type == WEIR_AUDIO_OUT ? audio[i]
									  : &job->control[i];
	}
	run_blocks(job, state, port, audio, job->report ? reports : NULL);
	free(reports);
	unit->destroy(state);
}

static void job_close(struct job *job)
{
	for (uint32_t i = 0; i < job->n_inputs; i++)
		soundfile_close(&job->input[i]);
	soundfile_close(&job->output);
	if (job->report && fclose(job->report))
		fail("cannot finish the report: %s", strerror(errno));
}

/* The file in front of the others, NULL if there is none. Options are looked at again later. */
static const char *input_first(int argc, char *argv[])
{
	int option;
	bool helps = false, reports = false;

	opterr = 0;
	while ((option = getopt_long(argc, argv, letters, options, NULL)) != -1) {
		helps |= option == 'h';
		reports |= option == 'r';
	}

	const char *first = argc - optind > !reports ? argv[optind] : NULL;

	optind = 0;
	opterr = 1;
	return helps ? NULL : first;
}

/* A file with more channels than the unit takes is for the one with eight, if there is one. */
static const struct weir_unit *unit_fit(const struct weir_unit *unit, const char *path)
{
	struct soundfile sound;
	char name[64];

	soundfile_open(&sound, path);

	const uint32_t n_channels = (uint32_t)sound.format.channels;

	soundfile_close(&sound);
	if (n_channels <= port_count(unit, WEIR_AUDIO_IN))
		return unit;
	snprintf(name, sizeof(name), "%s-8", unit->name);

	const struct weir_unit *wide = weir_unit_find(name);

	if (!wide || n_channels > port_count(wide, WEIR_AUDIO_IN))
		fail("%s has %u channels, %s takes %u. Choose some: -i PORT=%s:CHANNEL", path,
		     n_channels, unit->name, port_count(unit, WEIR_AUDIO_IN), path);
	fprintf(stderr, "weir-run: %s has %u channels: %s is taken\n", path, n_channels, name);
	return wide;
}

static uint32_t parse_block(const char *text)
{
	char *end;
	const unsigned long block = strtoul(text, &end, 10);

	if (*end || block < 1 || block > WEIR_MAX_FRAMES)
		fail("-b %s: the block must be 1 to %d frames", text, WEIR_MAX_FRAMES);
	return (uint32_t)block;
}

static const struct weir_unit *parse_unit(int argc, char *argv[])
{
	if (argc > 1 && strcmp(argv[1], "--list") == 0) {
		describe_units();
		exit(EXIT_SUCCESS);
	}
	if (argc > 1 && strcmp(argv[1], "--help") == 0) {
		printf("%s\nUnits:\n", usage);
		describe_units();
		exit(EXIT_SUCCESS);
	}
	if (argc < 2) {
		fputs(usage, stderr);
		exit(EXIT_FAILURE);
	}

	const struct weir_unit *unit = weir_unit_find(argv[1]);

	if (!unit)
		fail("there is no unit \"%s\". weir-run --list shows all units", argv[1]);
	return unit;
}

int main(int argc, char *argv[])
{
	static struct job job = { .block = DEFAULT_BLOCK };
	const char *report_path = NULL;
	int option;

	message_program = "weir-run";
	job.unit = parse_unit(argc, argv);

	const char *input = input_first(argc - 1, argv + 1);

	if (input)
		job.unit = unit_fit(job.unit, input);
	for (uint32_t i = 0; i < job.unit->n_ports; i++)
		job.control[i] = job.unit->ports[i].def;
	while ((option = getopt_long(argc - 1, argv + 1, letters, options, NULL)) != -1) {
		switch (option) {
		case 'b':
			job.block = parse_block(optarg);
			break;
		case 's':
			control_set(&job, optarg);
			break;
		case 'i':
			input_connect(&job, optarg);
			break;
		case 'r':
			report_path = optarg;
			break;
		case 'c':
			job.compensate = true;
			break;
		case 'h':
			describe_unit(job.unit);
			return EXIT_SUCCESS;
		default:
			fputs(usage, stderr);
			return EXIT_FAILURE;
		}
	}
	job_take_files(&job, argv + 1 + optind, argc - 1 - optind, report_path);
	job_run(&job);
	job_close(&job);
	return EXIT_SUCCESS;
}
