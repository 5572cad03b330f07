/* SPDX-License-Identifier: MIT */

/* Runs sound files through a unit: the offline host. Manual: weir-run.1 */

#include <errno.h>
#include <getopt.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dsp/unit.h"
#include "tools/cli/message.h"
#include "tools/cli/number.h"
#include "tools/cli/replacement.h"
#include "tools/report/json.h"
#include "tools/run/describe.h"
#include "tools/run/feed.h"
#include "tools/run/soundfile.h"

#define DEFAULT_BLOCK 1024

static const struct option options[] = {
	{ "help", no_argument, NULL, 'h' },
	{ "compensate", no_argument, NULL, 'c' },
	{ 0 },
};

static const char usage[] =
	"usage: weir-run UNIT [-b BLOCK] [-s CONTROL=VALUE]... [-i PORT=FILE[:CHANNEL]]...\n"
	"                [-r REPORT.jsonl] [--compensate] [IN.wav...] OUT.wav\n"
	"       weir-run UNIT --help\n"
	"       weir-run --list | --version\n";

/* The command line, into which the texts point. */
struct request {
	const char *block, *report;
	char *inputs[WEIR_MAX_PORTS], *controls[WEIR_MAX_PORTS];
	uint32_t n_inputs, n_controls;
	bool compensate, help;
};

struct job {
	struct feed feed;
	uint32_t block;
	bool compensate;
	float control[WEIR_MAX_PORTS];

	const char *out_path; /* NULL for none */
	struct replacement out;
	struct soundfile output;
	const char *report_path; /* NULL for none */
	FILE *report;
};

static void refuse_value(const struct weir_port *port, const char *text) __attribute__((noreturn));
static void refuse_value(const struct weir_port *port, const char *text)
{
	char names[512] = "";

	for (uint32_t i = 0; port->choices && i <= (uint32_t)(port->max - port->min); i++) {
		const size_t used = strlen(names);

		snprintf(names + used, sizeof(names) - used, " %s", port->choices[i]);
	}
	if (port->choices)
		die("%s=%s: the value must be one of:%s", port->name, text, names);
	if (port->kind == WEIR_TOGGLE)
		die("%s=%s: the value must be true or false, 1 or 0", port->name, text);
	die("%s=%s: the value must be a%s number from %g to %g%s%s", port->name, text,
	    port->kind == WEIR_FLOAT ? "" : " whole", port->min, port->max,
	    port->unit[0] ? " " : "", port->unit);
}

static void control_set(struct job *job, const char *argument, bool *is_set)
{
	const struct weir_unit *unit = job->feed.unit;
	const size_t length = strcspn(argument, "=");
	const uint32_t port = feed_find_port(unit, WEIR_CONTROL_IN, argument, length);

	if (port == unit->n_ports)
		feed_refuse_port(unit, WEIR_CONTROL_IN, "control", argument);
	if (!argument[length] || !argument[length + 1])
		die("-s %s: a value is missing. Write -s %.*s=VALUE", argument, (int)length,
		    argument);
	if (is_set[port])
		die("-s %s: %s is set already", argument, unit->ports[port].name);
	is_set[port] = true;
	if (!weir_control_parse(&unit->ports[port], argument + length + 1, &job->control[port]))
		refuse_value(&unit->ports[port], argument + length + 1);
}

/* Controls that are not set get their defaults; the layout of loudspeakers is that of the files. */
static void controls_set(struct job *job, const struct request *request)
{
	const struct weir_unit *unit = job->feed.unit;
	const uint32_t layout = weir_unit_find_role(unit, WEIR_CONTROL_IN, WEIR_ROLE_LAYOUT);
	bool is_set[WEIR_MAX_PORTS] = { false };

	for (uint32_t i = 0; i < unit->n_ports; i++)
		job->control[i] = unit->ports[i].def;
	for (uint32_t i = 0; i < request->n_controls; i++)
		control_set(job, request->controls[i], is_set);
	if (layout < unit->n_ports && !is_set[layout] && job->feed.has_rears)
		job->control[layout] = unit->ports[layout].max;
}

static int output_stat(const char *path, struct stat *status)
{
	return strcmp(path, "-") == 0 ? fstat(STDOUT_FILENO, status) : stat(path, status);
}

static bool is_same(const struct stat *one, const struct stat *other)
{
	return one->st_ino == other->st_ino && one->st_dev == other->st_dev;
}

/* The same file, or where none is yet the same name in the same folder. */
static bool is_same_file(const char *one, const char *other)
{
	char *const copies[] = { strdup(one), strdup(other), strdup(one), strdup(other) };
	struct stat status[2];
	bool same = false;

	if (!copies[0] || !copies[1] || !copies[2] || !copies[3])
		die("%s", strerror(errno));
	if (output_stat(one, &status[0]) == 0 && output_stat(other, &status[1]) == 0)
		same = !S_ISCHR(status[0].st_mode) && is_same(&status[0], &status[1]);
	else if (stat(dirname(copies[0]), &status[0]) == 0 &&
		 stat(dirname(copies[1]), &status[1]) == 0)
		same = is_same(&status[0], &status[1]) &&
		       strcmp(basename(copies[2]), basename(copies[3])) == 0;
	for (int i = 0; i < 4; i++)
		free(copies[i]);
	return same;
}

static void refuse_overwriting(const struct job *job, const char *path)
{
	struct stat out;

	if (path && output_stat(path, &out) == 0 && S_ISREG(out.st_mode) &&
	    feed_has_file(&job->feed, &out))
		die("%s is an input and would be overwritten. Name another file.", path);
}

/* The output is WAV, whatever its name. */
static void refuse_format(const char *path)
{
	static const char *const others[] = { ".flac", ".ogg",	".oga", ".opus", ".mp3", ".aiff",
					      ".aif",  ".aifc", ".caf", ".w64",	 ".m4a", ".mka" };
	const char *suffix = strrchr(path, '.');

	for (size_t i = 0; suffix && i < sizeof(others) / sizeof(others[0]); i++)
		if (strcasecmp(suffix, others[i]) == 0)
			die("%s: the output is always WAV. Name a .wav file, and convert it.",
			    path);
}

static void outputs_check(const struct job *job, const char *report)
{
	refuse_overwriting(job, job->out_path);
	refuse_overwriting(job, report);
	if (job->out_path)
		refuse_format(job->out_path);
	if (job->out_path && strcmp(job->out_path, "-") == 0 && isatty(STDOUT_FILENO))
		die("standard output is a terminal. Name a file, or write to a pipe.");
	if (report && job->out_path && is_same_file(report, job->out_path))
		die("%s is both the report and the output. Name another file.", report);
}

static void output_begin(struct job *job)
{
	const int res = job->out_path ? replacement_begin(&job->out, job->out_path) : 0;

	if (res < 0)
		die("cannot write %s: %s", job->out_path, strerror(-res));
}

/* With a report and without -i, a single file is the input: then no sound is written. */
static void job_take_files(struct job *job, const struct request *request, char *paths[],
			   uint32_t n_paths)
{
	const bool report_only = request->report && n_paths == 1 && !request->n_inputs;

	if (!n_paths && !request->report)
		die("an output file is missing\n%s", usage);
	if (n_paths && !report_only)
		job->out_path = paths[--n_paths];
	if (!n_paths && !request->n_inputs)
		die("an input file is missing\n%s", usage);
	for (uint32_t i = 0; i < request->n_inputs; i++)
		feed_connect(&job->feed, request->inputs[i]);
	feed_fill(&job->feed, paths, n_paths);
	controls_set(job, request);
	outputs_check(job, request->report);
	output_begin(job);
	job->report_path = request->report;
}

/* Empties an older report, so the job must have no error left to find. */
static void report_open(struct job *job)
{
	const char *path = job->report_path;

	if (!path)
		return;
	job->report = strcmp(path, "-") == 0 ? stdout : fopen(path, "w");
	if (!job->report)
		die("cannot write %s: %s", path, strerror(errno));
}

/* One line for the fields that have a value, and one per event. */
static void print_report(const struct job *job, const struct weir_report *report, uint64_t frame)
{
	const struct weir_unit *unit = job->feed.unit;
	const double t = (double)(frame + report->frame + 1) / job->feed.rate; /* consumed */
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

static void write_output(struct job *job, float (*audio)[WEIR_MAX_FRAMES], uint32_t from,
			 uint32_t n)
{
	const uint32_t n_channels = (uint32_t)job->output.format.channels;
	uint32_t channel = 0;

	if (!job->out_path || from >= n)
		return;
	for (uint32_t i = 0; i < job->feed.unit->n_ports; i++) {
		if (job->feed.unit->ports[i].type != WEIR_AUDIO_OUT)
			continue;
		for (uint32_t f = 0; f < n; f++)
			job->output.block[f * n_channels + channel] = audio[i][f];
		channel++;
	}
	soundfile_write(&job->output, from, n - from);
}

/* The latency that the unit declares, before its first frame or now. */
static uint32_t get_latency(const struct weir_unit *unit, const void *state)
{
	return unit->get_latency && state ? unit->get_latency(state, 0).total : 0;
}

static void output_open(struct job *job, uint64_t n_frames)
{
	const struct weir_unit *unit = job->feed.unit;
	const char *position[WEIR_MAX_PORTS];
	uint32_t n = 0;

	if (!job->out_path)
		return;
	for (uint32_t i = 0; i < unit->n_ports; i++)
		if (unit->ports[i].type == WEIR_AUDIO_OUT)
			position[n++] = unit->ports[i].channel;
	soundfile_make(&job->output, job->out_path, job->out.writing, job->feed.rate, n, n_frames);
	soundfile_set_positions(&job->output, position);
}

static void print_reports(const struct job *job, const struct weir_reports *reports, uint64_t frame,
			  uint64_t n_frames)
{
	for (uint32_t i = 0; reports && i < reports->n; i++)
		if (frame + reports->report[i].frame < n_frames)
			print_report(job, &reports->report[i], frame);
	if (reports && ferror(job->report))
		die("cannot write the report: %s", strerror(errno));
}

/*
 * The length of the inputs is known when they end. From there on the unit runs for as long as its
 * latency at that time, so that the end of the input reaches the output.
 */
static void run_blocks(struct job *job, void *state, float *port[], float (*audio)[WEIR_MAX_FRAMES],
		       struct weir_reports *reports)
{
	const struct weir_unit *unit = job->feed.unit;
	const uint64_t promised = feed_get_frames(&job->feed);
	uint64_t n_frames = UINT64_MAX, end = UINT64_MAX;

	weir_unit_run(unit, state, port, 0, NULL);

	const uint32_t latency = get_latency(unit, state);
	uint64_t skip = job->compensate ? latency : 0;

	output_open(job, promised == UINT64_MAX ? promised : promised + latency - skip);
	for (uint64_t frame = 0, n; frame < end; frame += n) {
		const uint64_t skipped = skip;
		const uint32_t got = feed_read(&job->feed, audio, job->block);

		if (got < job->block && n_frames == UINT64_MAX) {
			n_frames = frame + got;
			end = n_frames + get_latency(unit, state);
		}
		n = end - frame < job->block ? end - frame : job->block;
		weir_unit_run(unit, state, port, (uint32_t)n, reports);
		print_reports(job, reports, frame, n_frames);
		skip = skipped > n ? skipped - n : 0;
		write_output(job, audio, (uint32_t)(skipped - skip), (uint32_t)n);
		if (n_frames != UINT64_MAX)
			end = n_frames + get_latency(unit, state);
	}
	if (!n_frames)
		die("%s is empty: it contains no sound", job->feed.input[0].path);
}

static void job_run(struct job *job)
{
	static float audio[WEIR_MAX_PORTS][WEIR_MAX_FRAMES];
	const struct weir_unit *unit = job->feed.unit;
	void *state = unit->create(job->feed.rate);
	struct weir_reports *reports = weir_reports_create(unit, job->feed.rate);
	float *port[WEIR_MAX_PORTS];

	if (!state && errno == EINVAL)
		die("%s cannot run at %u Hz. Convert the input, for example: sox IN.wav -r 48000 "
		    "OUT.wav",
		    unit->name, job->feed.rate);
	if (!state || !reports)
		die("%s cannot run at %u Hz: %s", unit->name, job->feed.rate, strerror(errno));
	report_open(job);
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
	feed_close(&job->feed);
	soundfile_close(&job->output);
	if (job->report && fclose(job->report))
		die("cannot finish the report: %s", strerror(errno));

	const int res = job->out_path ? replacement_finish(&job->out) : 0;

	if (res < 0)
		die("cannot finish %s: %s", job->out_path, strerror(-res));
}

static uint32_t parse_block(const char *text)
{
	uint32_t block;

	if (!number_parse(text, &block) || block < 1 || block > WEIR_MAX_FRAMES)
		die("-b %s: the block must be 1 to %d frames", text, WEIR_MAX_FRAMES);
	return block;
}

static const struct weir_unit *parse_unit(int argc, char *argv[])
{
	if (argc > 1 && strcmp(argv[1], "--list") == 0) {
		describe_units();
		stdout_check();
		exit(EXIT_SUCCESS);
	}
	if (argc > 1 && (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)) {
		puts("weir-run " WEIR_VERSION);
		stdout_check();
		exit(EXIT_SUCCESS);
	}
	if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
		printf("%s\nUnits:\n", usage);
		describe_units();
		stdout_check();
		exit(EXIT_SUCCESS);
	}
	if (argc < 2) {
		fputs(usage, stderr);
		exit(EXIT_FAILURE);
	}

	const struct weir_unit *unit = weir_unit_find(argv[1]);

	if (!unit)
		die("there is no unit \"%s\". To list all units: weir-run --list", argv[1]);
	return unit;
}

static void text_take(const char **text, int option)
{
	if (*text)
		die("-%c is given twice: -%c %s and -%c %s", option, option, *text, option, optarg);
	*text = optarg;
}

static void text_add(char *texts[], uint32_t *n, int option)
{
	if (*n == WEIR_MAX_PORTS)
		die("-%c %s: the maximum is %d options -%c", option, optarg, WEIR_MAX_PORTS,
		    option);
	texts[(*n)++] = optarg;
}

static void request_parse(struct request *request, int argc, char *argv[])
{
	int option;

	while ((option = getopt_long(argc, argv, "b:s:i:r:h", options, NULL)) != -1) {
		switch (option) {
		case 'b':
			text_take(&request->block, option);
			break;
		case 's':
			text_add(request->controls, &request->n_controls, option);
			break;
		case 'i':
			text_add(request->inputs, &request->n_inputs, option);
			break;
		case 'r':
			text_take(&request->report, option);
			break;
		case 'c':
			request->compensate = true;
			break;
		case 'h':
			request->help = true;
			break;
		default:
			fputs(usage, stderr);
			exit(EXIT_FAILURE);
		}
	}
}

int main(int argc, char *argv[])
{
	static struct job job = { .block = DEFAULT_BLOCK };
	struct request request = { 0 };

	message_program = "weir-run";
	descriptors_keep();
	job.feed.unit = parse_unit(argc, argv);
	argv[1] = argv[0]; /* as getopt calls the program */
	request_parse(&request, argc - 1, argv + 1);
	if (request.block)
		job.block = parse_block(request.block);
	job.compensate = request.compensate;
	if (request.help) {
		controls_set(&job, &request);
		describe_unit(job.feed.unit);
		stdout_check();
		return EXIT_SUCCESS;
	}
	job_take_files(&job, &request, argv + 1 + optind, (uint32_t)(argc - 1 - optind));
	job_run(&job);
	job_close(&job);
	return EXIT_SUCCESS;
}
