/* SPDX-License-Identifier: MIT */
#include "commands.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dsp/unit.h"
#include "graph/port.h"
#include "tools/cli/message.h"
#include "tools/report/filter.h"
#include "tools/report/json.h"
#include "tools/report/osc.h"
#include "tools/report/output.h"
#include "tools/report/reader.h"
#include "tools/session/probe.h"
#include "tools/session/selection.h"

#define IDLE_SECONDS 2
#define DEFAULT_SINK "@DEFAULT_AUDIO_SINK@"
#define DEFAULT_SOURCE "@DEFAULT_AUDIO_SOURCE@"

static const char usage[] =
	"usage: weir watch [NODE] [--json | --osc [HOST:]PORT] [--only FIELD[,FIELD]...]\n"
	"                  [--rate HZ]\n"
	"       weir watch --target NODE [--unit UNIT] [OPTION]...\n"
	"\n"
	"  NODE           a node that reports, by name or id; may be left out where there is one\n"
	"  --target NODE  a sink or source: measured by a node of our own for as long as we run;\n"
	"                 also " DEFAULT_SINK " and " DEFAULT_SOURCE "\n"
	"  --unit UNIT    the unit that measures it, analyze when left out\n"
	"  --json         a JSON object per line (default)\n"
	"  --osc [HOST:]PORT\n"
	"                 OSC by UDP: /weir/NODE/CHANNEL/FIELD; this computer without HOST\n"
	"  --only FIELDS  only these fields and events, or groups of them, with commas between\n"
	"  --rate HZ      at most so many lines or bundles per second; all events\n"
	"  -V, --version  the version\n";

struct watch {
	const char *node_name; /* NULL: the only one */
	const char *target;
	/* The target is whatever this one is, NULL: it is the node of that name. */
	struct weir_registry_object *(*find_default)(struct weir_registry *registry);
	char *factory;
	struct only only;
	double period; /* between two lines, s; 0: each hop */
	bool to_osc;

	struct session session;
	struct reader reader;
	struct fields fields;
	struct output output;
	struct osc osc;
	struct probe probe;
	struct spa_source *timer; /* tells of silence, and of what was lost */

	uint64_t node_serial; /* the node that is read or measured, 0: none is there */
	uint64_t from_serial; /* the node that reports: that one, or ours */
	char *reading_name;   /* its name, also when it is gone, NULL: none was there yet */
	bool only_checked;
	bool absence_said, idle_said;
	uint32_t silent_seconds, useless_seconds;
	bool has_come, missing_said; /* since the latest second: something wanted */
	double next_t;		     /* of a line */
	uint64_t lost, lost_said;
};

static void print_events(struct watch *watch, double t)
{
	for (uint32_t i = 0; i < watch->fields.n_events; i++) {
		const struct field_event *event = &watch->fields.event[i];

		if (!only_has(&watch->only, event->name))
			continue;
		if (watch->to_osc)
			osc_add_event(&watch->osc, event->name, event->seconds);
		else
			json_event(watch->output.file, t, event->name, event->seconds);
	}
}

static void print_fields(struct watch *watch, double t)
{
	bool begun = false;

	for (uint32_t i = 0; i < watch->fields.n; i++) {
		struct field *field = &watch->fields.field[i];

		if (!field->fresh || !only_has(&watch->only, field->name))
			continue;
		field->fresh = false;
		if (watch->to_osc) {
			osc_add_field(&watch->osc, field);
			continue;
		}
		if (!begun)
			json_begin(watch->output.file, t);
		begun = true;
		json_field(watch->output.file, field->name, field->value, field->count);
	}
	if (begun)
		json_end(watch->output.file);
}

static bool has_wanted(const struct watch *watch)
{
	for (uint32_t i = 0; i < watch->fields.n; i++)
		if (watch->fields.field[i].fresh &&
		    only_has(&watch->only, watch->fields.field[i].name))
			return true;
	return false;
}

/* Fields that come more rarely than lines are in the next one. Graphs whose time jumps go on. */
static bool is_due(struct watch *watch, double t)
{
	const double late = t - watch->next_t;

	if (late < 0.0 && -late <= watch->period)
		return false;
	watch->next_t = (late >= 0.0 && late < watch->period ? watch->next_t : t) + watch->period;
	return true;
}

static void print_lost(struct watch *watch, const struct reading *reading)
{
	watch->lost += reading->lost;
	if (!reading->lost)
		return;
	if (watch->to_osc)
		osc_add_lost(&watch->osc, reading->lost);
	else
		fprintf(watch->output.file, "{\"t\":%.6f,\"lost\":%llu}\n", reading->t,
			(unsigned long long)reading->lost);
}

/* What is not drained while nobody reads is left out by the data thread. */
static void drain(void *data)
{
	struct watch *watch = data;
	struct reading reading;

	watch->silent_seconds = 0;
	watch->idle_said = false;
	while (output_flush(&watch->output) && reader_next(&watch->reader, &reading)) {
		print_lost(watch, &reading);
		fields_read(&watch->fields, reading.t, reading.controls, reading.size);
		watch->has_come |= has_wanted(watch);
		if (is_due(watch, reading.t))
			print_fields(watch, reading.t);
		print_events(watch, reading.t);
		if (watch->to_osc)
			osc_send(&watch->osc);
	}
}

static void check_only(struct watch *watch, const struct weir_registry_object *node)
{
	const char *names = pw_properties_get(node->props, NODE_REPORT_KEY);

	if (watch->only_checked || !names)
		return;
	watch->only_checked = true;
	only_check(&watch->only, session_get_name(node), names);
}

static void list_inputs(const struct watch *watch, const struct weir_registry_object *node,
			struct weir_port_list *list)
{
	struct weir_registry_object *port;

	list->n = 0;
	spa_list_for_each(
		port, weir_registry_get_objects(watch->session.registry, WEIR_REGISTRY_PORT), link)
	{
		if (weir_port_is_of(port, node->id, "in") && weir_port_is_audio(port))
			weir_port_list_add(list, port);
	}
}

static void warn_absent(struct watch *watch)
{
	char *names;

	if (watch->absence_said)
		return;
	watch->absence_said = true;
	names = selection_list(&watch->session,
			       watch->target ? node_is_sink_or_source : node_is_reporting);
	if (watch->reading_name)
		warn("%s is gone. Waiting for it... Ctrl-C ends", watch->reading_name);
	else if (watch->find_default)
		warn("there is no %s. There are: %s. Waiting... Ctrl-C ends", watch->target, names);
	else if (watch->target)
		warn("there is no sink or source \"%s\". There are: %s. Waiting... Ctrl-C ends",
		     watch->target, names);
	else if (watch->node_name)
		warn("no node \"%s\" reports. Reporting now: %s. Waiting... Ctrl-C ends",
		     watch->node_name, names);
	else
		warn("no node reports. Waiting for one... Ctrl-C ends");
	free(names);
}

static struct weir_registry_object *find_target(struct watch *watch, const char *name)
{
	struct weir_registry_object *node;

	if (watch->find_default)
		return watch->find_default(watch->session.registry);
	node = selection_find(&watch->session, node_is_sink_or_source, name);
	if (!node && session_find_node(&watch->session, name))
		die("%s is neither a sink nor a source", name);
	return node;
}

static struct weir_registry_object *find_named(struct watch *watch, const char *name)
{
	struct weir_registry_object *node = selection_find(&watch->session, node_has_report, name);

	if (node)
		return node;
	node = session_find_node(&watch->session, name);
	if (node && node_is_sink_or_source(&watch->session, node) && !node_will_report(node))
		die("%s has no report. To measure it: weir watch --target %s", name, name);
	return NULL;
}

/*
 * The node that was asked for, or else the only one that reports. One that is read is not left for
 * another one of its name.
 */
static struct weir_registry_object *find_node(struct watch *watch)
{
	struct weir_registry_object *node =
		session_find_serial(&watch->session, watch->node_serial);
	/* Where an id was given, another node has it when that one is gone. */
	const char *name = watch->reading_name ? watch->reading_name : watch->node_name;

	if (node && !watch->find_default)
		return node;
	if (watch->target)
		return find_target(watch, name ? name : watch->target);
	if (name)
		return find_named(watch, name);
	if (selection_count(&watch->session, node_is_reporting, &node) > 1)
		die("several nodes report: %s. Name one: weir watch NODE",
		    selection_list(&watch->session, node_is_reporting));
	return node;
}

static void begin_reading(struct watch *watch, const struct weir_registry_object *node)
{
	const char *name = session_get_name(node);

	if (watch->absence_said && watch->reading_name)
		warn("%s is back", name);
	else if (watch->find_default && watch->reading_name)
		warn("%s is %s now", name, watch->target);
	watch->absence_said = false;
	watch->node_serial = node->serial;
	free(watch->reading_name);
	watch->reading_name = strdup(name);
	if (!watch->reading_name)
		die("%s", strerror(errno));
}

static void on_changed(void *data)
{
	struct watch *watch = data;
	struct weir_registry_object *node, *from = NULL;
	struct weir_port_list in;

	if (!watch->session.registry)
		return;
	node = find_node(watch);
	from = watch->target ? probe_update(&watch->probe, node) : node;
	/* Our node's links to what already plays begin within a cycle: that one is silent. */
	if (watch->target && from && from->serial != watch->from_serial && node->running)
		reader_skip_cycle(&watch->reader);
	watch->from_serial = from ? from->serial : 0;
	reader_set_port(&watch->reader, from ? session_find_report(&watch->session, from) : NULL);
	if (!node) {
		watch->node_serial = 0;
		warn_absent(watch);
		return;
	}
	if (node->serial != watch->node_serial)
		begin_reading(watch, node);
	if (from)
		check_only(watch, from);
	if (from && watch->to_osc) {
		list_inputs(watch, from, &in);
		osc_set_node(&watch->osc, session_get_name(node), in.n);
	}
}

static void on_lost(void *data)
{
	struct watch *watch = data;

	reader_disconnect(&watch->reader);
	probe_disconnect(&watch->probe);
	warn("PipeWire has gone. Waiting for it... Ctrl-C ends");
	watch->node_serial = watch->from_serial = 0;
	watch->absence_said = true;
}

static void on_stopping(void *data)
{
	struct watch *watch = data;

	reader_disconnect(&watch->reader);
}

static void on_continued(void *data)
{
	(void)data;
	warn("stopped until now: what was reported meanwhile is missing");
}

static const struct session_events session_events = {
	.changed = on_changed,
	.lost = on_lost,
	.stopping = on_stopping,
	.continued = on_continued,
};

static bool is_linked(const struct watch *watch, uint32_t node_id)
{
	struct weir_registry_object *link;

	spa_list_for_each(
		link, weir_registry_get_objects(watch->session.registry, WEIR_REGISTRY_LINK), link)
	{
		if (weir_registry_object_get_id(link, PW_KEY_LINK_INPUT_NODE) == node_id)
			return true;
	}
	return false;
}

static void warn_idle(const struct watch *watch)
{
	const struct weir_registry_object *from =
		session_find_serial(&watch->session, watch->from_serial);
	const char *name = watch->reading_name;
	const char *state = from ? pw_properties_get(from->props, NODE_STATE_KEY) : NULL;
	struct weir_port_list in = { 0 };

	if (from)
		list_inputs(watch, from, &in);
	if (from && from->running && state && strcmp(state, NODE_STATE_RUNS) != 0)
		warn("%s: nothing is reported, for the unit %s. Waiting... Ctrl-C ends", name,
		     state);
	else if (!watch->target && in.n && !is_linked(watch, from->id))
		warn("%s is idle: nothing is linked to %s:%s%s. Waiting... Ctrl-C ends", name, name,
		     weir_port_get_name(in.ports[0]), in.n > 1 ? " and its other inputs" : "");
	else if (!watch->target && from && from->running)
		warn("%s runs, but reports nothing: are all its groups off? See: pw-cli "
		     "enum-params %u Props. Waiting... Ctrl-C ends",
		     name, from->id);
	else
		warn("%s is connected but idle: nothing plays through it. Waiting... Ctrl-C ends",
		     name);
}

/* Hops come, and what is wanted is in none of them. */
static void warn_missing(struct watch *watch)
{
	const struct weir_registry_object *from =
		session_find_serial(&watch->session, watch->from_serial);
	char *fields = only_list_fields(&watch->only);

	watch->missing_said = true;
	if (*fields && from)
		warn("%s reports, but no %s: not known yet, or switched off? See: pw-cli "
		     "enum-params %u Props. Waiting... Ctrl-C ends",
		     watch->reading_name, fields, from->id);
	free(fields);
}

/* Seconds in which we were stopped do not count. */
static void tell_silence(struct watch *watch)
{
	const bool is_useless = !watch->silent_seconds && !watch->has_come;

	watch->useless_seconds = is_useless ? watch->useless_seconds + 1 : 0;
	watch->has_come = false;
	if (watch->useless_seconds >= IDLE_SECONDS && !watch->missing_said)
		warn_missing(watch);
	if (++watch->silent_seconds < IDLE_SECONDS || watch->idle_said)
		return;
	watch->idle_said = true;
	warn_idle(watch);
}

static void on_second(void *data, uint64_t expirations)
{
	struct watch *watch = data;

	(void)expirations;
	if (watch->lost > watch->lost_said)
		warn("%llu hops lost: we were stopped or late, or what reads the output is slow",
		     (unsigned long long)(watch->lost - watch->lost_said));
	watch->lost_said = watch->lost;
	if (watch->find_default)
		session_refresh_defaults(&watch->session);
	if (reader_is_linked(&watch->reader) && !watch->output.waiting)
		tell_silence(watch);
}

static void on_closed(void *data, int error)
{
	struct watch *watch = data;

	if (error != EPIPE)
		die("cannot write: %s", strerror(error));
	session_quit(&watch->session);
}

static double parse_rate(const char *text)
{
	char *end;
	const double rate = strtod(text, &end);

	if (end == text || *end || !(rate >= 0.001 && rate <= 1000.0))
		die("--rate %s: it must be a number from 0.001 to 1000 Hz", text);
	return 1.0 / rate;
}

static void check_unit(const char *name)
{
	char *text = NULL;
	size_t size;
	FILE *file;

	if (weir_unit_find(name))
		return;
	file = open_memstream(&text, &size);
	if (!file)
		die("%s", strerror(errno));
	for (const struct weir_unit *const *unit = weir_units; *unit; unit++)
		fprintf(file, "%s%s", unit == weir_units ? "" : ", ", (*unit)->name);
	fclose(file);
	die("there is no unit \"%s\"; there are %s", name, text);
}

static void check_arguments(struct watch *watch, const char *unit)
{
	if (watch->target && watch->node_name)
		die("a NODE and --target exclude each other: --target makes a node of its own");
	if (unit && !watch->target)
		die("--unit is for --target: weir watch --target NODE --unit %s", unit);
	if (watch->target ? !*watch->target : watch->node_name && !*watch->node_name)
		die("the name of a node is empty. pw-cli ls Node lists all");
	if (!watch->to_osc && (fcntl(STDOUT_FILENO, F_GETFL) & O_ACCMODE) == O_RDONLY)
		die("standard output is closed. Write to a file or a program, or use --osc");
	if (watch->target && strcmp(watch->target, DEFAULT_SINK) == 0)
		watch->find_default = weir_registry_find_default_sink;
	if (watch->target && strcmp(watch->target, DEFAULT_SOURCE) == 0)
		watch->find_default = weir_registry_find_default_source;
	if (!unit)
		unit = "analyze";
	check_unit(unit);
	if (asprintf(&watch->factory, "weir.%s", unit) < 0)
		die("%s", strerror(errno));
}

/* Which of two counts would be a guess. */
static void text_take(const char **text, const char *option)
{
	if (*text)
		die("%s is there twice: %s %s and %s %s", option, option, *text, option, optarg);
	*text = optarg;
}

static void parse_arguments(struct watch *watch, int argc, char *argv[])
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "json", no_argument, NULL, 'j' },
		{ "osc", required_argument, NULL, 'o' },
		{ "only", required_argument, NULL, 'f' },
		{ "rate", required_argument, NULL, 'r' },
		{ "target", required_argument, NULL, 't' },
		{ "unit", required_argument, NULL, 'u' },
		{ 0 },
	};
	const char *unit = NULL, *destination = NULL, *rate = NULL;
	bool json = false;
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case 'h':
			fputs(usage, stdout);
			stdout_check();
			exit(EXIT_SUCCESS);
		case 'j':
			json = true;
			break;
		case 'o':
			text_take(&destination, "--osc");
			break;
		case 'f':
			only_parse(&watch->only, optarg);
			break;
		case 'r':
			text_take(&rate, "--rate");
			break;
		case 't':
			text_take(&watch->target, "--target");
			break;
		case 'u':
			text_take(&unit, "--unit");
			break;
		default:
			fputs(usage, stderr);
			exit(EXIT_FAILURE);
		}
	}
	if (optind < argc)
		watch->node_name = argv[optind++];
	if (optind < argc)
		die("\"%s\" is one argument too many\n%s", argv[optind], usage);
	if (json && destination)
		die("--json and --osc exclude each other");
	if (rate)
		watch->period = parse_rate(rate);
	if (destination)
		osc_init(&watch->osc, destination);
	watch->to_osc = destination;
	check_arguments(watch, unit);
}

static void watch_init(struct watch *watch)
{
	const struct timespec second = { .tv_sec = 1 };

	session_init(&watch->session, &session_events, watch);
	if (watch->session.res < 0)
		die("no connection to PipeWire (%s). Is it running?",
		    strerror(-watch->session.res));
	watch->probe.session = &watch->session;
	watch->probe.factory = watch->factory;
	reader_init(&watch->reader, &watch->session, "weir-watch");
	watch->reader.filled = drain;
	watch->reader.data = watch;
	watch->fields.hold = true;
	output_init(&watch->output, watch->session.loop);
	watch->output.writable = drain;
	watch->output.closed = on_closed;
	watch->output.data = watch;
	if (!watch->to_osc)
		output_listen(&watch->output);
	watch->timer = pw_loop_add_timer(watch->session.loop, on_second, watch);
	if (!watch->timer)
		die("%s", strerror(errno));
	pw_loop_update_timer(watch->session.loop, watch->timer, (struct timespec *)&second,
			     (struct timespec *)&second, false);
}

int watch_main(int argc, char *argv[])
{
	static struct watch watch;

	parse_arguments(&watch, argc, argv);
	pw_init(&argc, &argv);
	watch_init(&watch);
	session_run(&watch.session);

	pw_loop_destroy_source(watch.session.loop, watch.timer);
	reader_finish(&watch.reader);
	probe_disconnect(&watch.probe);
	output_finish(&watch.output);
	session_finish(&watch.session);
	fields_finish(&watch.fields);
	osc_finish(&watch.osc);
	pw_deinit();
	if (watch.lost)
		warn("%llu hops were lost in all", (unsigned long long)watch.lost);
	free(watch.reading_name);
	free(watch.factory);
	return EXIT_SUCCESS;
}
