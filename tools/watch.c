/* SPDX-License-Identifier: MIT */
#include "commands.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dsp/unit.h"
#include "graph/keys.h"
#include "graph/port.h"
#include "tools/cli/message.h"
#include "tools/report/filter.h"
#include "tools/report/osc.h"
#include "tools/report/output.h"
#include "tools/report/reader.h"
#include "tools/session/probe.h"
#include "tools/session/selection.h"

#define IDLE_SECONDS 2
#define WAITING "Waiting (Ctrl-C to quit)"
#define DEFAULT_SINK "@DEFAULT_AUDIO_SINK@"
#define DEFAULT_SOURCE "@DEFAULT_AUDIO_SOURCE@"

static const char usage[] =
	"usage: weir watch [NODE] [--json | --osc [HOST:]PORT] [--only FIELD[,FIELD]...]\n"
	"                  [--rate HZ]\n"
	"       weir watch --target NODE [--unit UNIT] [OPTION]...\n"
	"\n"
	"  NODE           name or id of a node that reports; optional if only one does\n"
	"  --target NODE  a sink or source, measured by a temporary node while weir watch runs;\n"
	"                 also " DEFAULT_SINK " and " DEFAULT_SOURCE "\n"
	"  --unit UNIT    the unit that measures the target (default analyze)\n"
	"  --json         a JSON object per line (default)\n"
	"  --osc [HOST:]PORT\n"
	"                 OSC over UDP: /weir/NODE/CHANNEL/FIELD; HOST defaults to this computer\n"
	"  --only FIELDS  only these fields, events or groups, separated by commas\n"
	"  --rate HZ      maximum lines or bundles per second; every event is sent\n"
	"  -V, --version  print the version\n";

/* The arguments. */
struct request {
	const char *node_name; /* NULL: the only one that reports */
	const char *target;    /* NULL: the node has a report */
	/* Finds the target where it is a default, NULL: target is its name. */
	struct weir_registry_object *(*find_default)(struct weir_registry *registry);
	char *factory; /* of the unit that measures the target */
	struct filter filter;
	struct osc osc; /* address NULL: JSON */
	double period;	/* between two lines, s; 0: a line for each report */
};

/* The node that is read. */
struct subject {
	uint64_t serial;      /* of the node, or of the target, 0: absent */
	uint64_t from_serial; /* of the node that reports: the same, or the probe */
	char *name;	      /* kept when the node is gone, NULL: none was there yet */
};

/* Why there is no output, and which reasons have been printed. */
struct silence {
	uint32_t silent_seconds;   /* without a report */
	uint32_t unwanted_seconds; /* with reports, but without a wanted field */
	bool has_wanted;	   /* since the latest second */
	bool absence_warned, idle_warned, missing_warned;
};

struct watch {
	struct request request;
	struct subject subject;
	struct silence silence;

	struct session session;
	struct reader reader;
	struct fields fields;
	struct output output;
	struct probe probe;
	struct spa_source *timer; /* of a second: reports silence and losses */

	bool filter_checked;
	double next_t; /* of a line */
	uint64_t lost, lost_warned;
};

static bool has_wanted(const struct watch *watch)
{
	for (uint32_t i = 0; i < watch->fields.n; i++)
		if (watch->fields.field[i].fresh &&
		    filter_has(&watch->request.filter, watch->fields.field[i].name))
			return true;
	return false;
}

/* A field that is rarer than lines is in the next line. A jump of the graph's time begins anew. */
static bool is_due(struct watch *watch, double t)
{
	const double late = t - watch->next_t;

	if (late < 0.0 && -late <= watch->request.period)
		return false;
	watch->next_t = (late >= 0.0 && late < watch->request.period ? watch->next_t : t) +
			watch->request.period;
	return true;
}

/* If the output cannot be written, reports stay in the ring; the data thread skips more. */
static void drain(void *data)
{
	struct watch *watch = data;
	struct reading reading;

	watch->silence.silent_seconds = 0;
	watch->silence.idle_warned = false;
	while (output_flush(&watch->output) && reader_next(&watch->reader, &reading)) {
		watch->lost += reading.lost;
		output_add_lost(&watch->output, reading.t, reading.lost);
		fields_read(&watch->fields, reading.t, reading.controls, reading.size);
		watch->silence.has_wanted |= has_wanted(watch);
		if (is_due(watch, reading.t))
			output_add_fields(&watch->output, &watch->fields, reading.t);
		output_add_events(&watch->output, &watch->fields, reading.t);
		output_end_report(&watch->output);
	}
}

static void check_filter(struct watch *watch, const struct weir_registry_object *node)
{
	const char *names = pw_properties_get(node->props, WEIR_KEY_REPORT);

	if (watch->filter_checked || !names)
		return;
	watch->filter_checked = true;
	filter_check(&watch->request.filter, session_get_name(node), names);
}

static void warn_absent(struct watch *watch)
{
	char *names;

	if (watch->silence.absence_warned)
		return;
	watch->silence.absence_warned = true;
	names = selection_list(&watch->session,
			       watch->request.target ? node_is_sink_or_source : node_is_reporting);
	if (watch->subject.name)
		warn("%s is gone. " WAITING, watch->subject.name);
	else if (watch->request.find_default)
		warn("there is no %s. Sinks and sources: %s. " WAITING, watch->request.target,
		     names);
	else if (watch->request.target)
		warn("there is no sink or source \"%s\". Sinks and sources: %s. " WAITING,
		     watch->request.target, names);
	else if (watch->request.node_name)
		warn("no node \"%s\" reports. Reporting now: %s. " WAITING,
		     watch->request.node_name, names);
	else
		warn("no node reports. " WAITING);
	free(names);
}

static struct weir_registry_object *find_target(struct watch *watch, const char *name)
{
	struct weir_registry_object *node;

	if (watch->request.find_default)
		return watch->request.find_default(watch->session.registry);
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
 * The requested node, else the only one that reports. A node that is read is not left for another
 * node of the same name.
 */
static struct weir_registry_object *find_node(struct watch *watch)
{
	struct weir_registry_object *node =
		session_find_serial(&watch->session, watch->subject.serial);
	/* An id that the user gave may be another node's once the node is gone. */
	const char *name = watch->subject.name ? watch->subject.name : watch->request.node_name;

	if (node && !watch->request.find_default)
		return node;
	if (watch->request.target)
		return find_target(watch, name ? name : watch->request.target);
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

	if (watch->silence.absence_warned && watch->subject.name)
		warn("%s is back", name);
	else if (watch->request.find_default && watch->subject.name)
		warn("%s is %s now", name, watch->request.target);
	watch->silence.absence_warned = false;
	watch->subject.serial = node->serial;
	free(watch->subject.name);
	watch->subject.name = strdup(name);
	if (!watch->subject.name)
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
	from = watch->request.target ? probe_update(&watch->probe, node) : node;
	/* Links from a node that already plays begin within a cycle, which is silent. */
	if (watch->request.target && from && from->serial != watch->subject.from_serial &&
	    node->running)
		reader_skip_cycle(&watch->reader);
	watch->subject.from_serial = from ? from->serial : 0;
	reader_set_port(&watch->reader, from ? session_find_report(&watch->session, from) : NULL);
	if (!node) {
		watch->subject.serial = 0;
		warn_absent(watch);
		return;
	}
	if (node->serial != watch->subject.serial)
		begin_reading(watch, node);
	if (from)
		check_filter(watch, from);
	if (from && watch->output.osc) {
		weir_port_list_find(&in, watch->session.registry, from->id, "in");
		osc_set_node(watch->output.osc, session_get_name(node), in.n);
	}
}

static void on_lost(void *data)
{
	struct watch *watch = data;

	reader_disconnect(&watch->reader);
	probe_disconnect(&watch->probe);
	warn("the connection to PipeWire is lost. " WAITING);
	watch->subject.serial = watch->subject.from_serial = 0;
	watch->silence.absence_warned = true;
}

static void on_stopping(void *data)
{
	struct watch *watch = data;

	reader_disconnect(&watch->reader);
}

static void on_continued(void *data)
{
	(void)data;
	warn("weir watch was suspended: the reports from that time are missing");
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
		session_find_serial(&watch->session, watch->subject.from_serial);
	const char *name = watch->subject.name;
	const char *state = from ? pw_properties_get(from->props, WEIR_KEY_STATE) : NULL;
	struct weir_port_list in = { 0 };

	if (from)
		weir_port_list_find(&in, watch->session.registry, from->id, "in");
	if (from && from->running && state && strcmp(state, NODE_STATE_RUNS) != 0)
		warn("%s reports nothing, because its unit %s. " WAITING, name, state);
	else if (!watch->request.target && in.n && !is_linked(watch, from->id))
		warn("%s is idle: nothing is linked to %s:%s%s. " WAITING, name, name,
		     weir_port_get_name(in.ports[0]), in.n > 1 ? " and its other inputs" : "");
	else if (!watch->request.target && from && from->running)
		warn("%s runs but reports nothing: all its groups may be off. Check with: pw-cli "
		     "enum-params %u Props. " WAITING,
		     name, from->id);
	else
		warn("%s is connected but idle: nothing plays through it. " WAITING, name);
}

/* Reports arrive, but none has a wanted field. */
static void warn_missing(struct watch *watch)
{
	const struct weir_registry_object *from =
		session_find_serial(&watch->session, watch->subject.from_serial);
	char *fields = filter_list_fields(&watch->request.filter);

	watch->silence.missing_warned = true;
	if (*fields && from)
		warn("%s reports, but not %s: no value yet, or the group is off. Check with: "
		     "pw-cli enum-params %u Props. " WAITING,
		     watch->subject.name, fields, from->id);
	free(fields);
}

/* Seconds in which the program was stopped do not count. */
static void warn_silence(struct watch *watch)
{
	const bool is_useless = !watch->silence.silent_seconds && !watch->silence.has_wanted;

	watch->silence.unwanted_seconds = is_useless ? watch->silence.unwanted_seconds + 1 : 0;
	watch->silence.has_wanted = false;
	if (watch->silence.unwanted_seconds >= IDLE_SECONDS && !watch->silence.missing_warned)
		warn_missing(watch);
	if (++watch->silence.silent_seconds < IDLE_SECONDS || watch->silence.idle_warned)
		return;
	watch->silence.idle_warned = true;
	warn_idle(watch);
}

static void on_second(void *data, uint64_t expirations)
{
	struct watch *watch = data;

	(void)expirations;
	if (watch->lost > watch->lost_warned)
		warn("%llu reports lost: weir watch was suspended or late, or the reader of its "
		     "output is slow",
		     (unsigned long long)(watch->lost - watch->lost_warned));
	watch->lost_warned = watch->lost;
	if (watch->request.find_default)
		session_refresh_defaults(&watch->session);
	if (reader_is_linked(&watch->reader) && !watch->output.waiting)
		warn_silence(watch);
}

static void on_closed(void *data, int error)
{
	struct watch *watch = data;

	if (error != EPIPE)
		die("cannot write to standard output: %s", strerror(error));
	session_quit(&watch->session);
}

static double parse_rate(const char *text)
{
	char *end;
	const double rate = strtod(text, &end);

	if (end == text || *end || !(rate >= 0.001 && rate <= 1000.0))
		die("--rate %s: the rate must be a number from 0.001 to 1000 Hz", text);
	return 1.0 / rate;
}

static void check_unit(const char *name)
{
	const struct weir_unit *unit;
	char *text = NULL;
	size_t size;
	FILE *file;

	if (weir_unit_find(name))
		return;
	file = open_memstream(&text, &size);
	if (!file)
		die("%s", strerror(errno));
	for (uint32_t i = 0; (unit = weir_unit_get(i)); i++)
		fprintf(file, "%s%s", i ? ", " : "", unit->name);
	fclose(file);
	die("there is no unit \"%s\". Units: %s", name, text);
}

static void check_arguments(struct watch *watch, const char *unit)
{
	if (watch->request.target && watch->request.node_name)
		die("NODE and --target exclude each other: --target creates its own node");
	if (unit && !watch->request.target)
		die("--unit needs --target: weir watch --target NODE --unit %s", unit);
	if (watch->request.target ? !*watch->request.target
				  : watch->request.node_name && !*watch->request.node_name)
		die("the name of the node is empty. To list all nodes: pw-cli ls Node");
	if (!watch->request.osc.address && (fcntl(STDOUT_FILENO, F_GETFL) & O_ACCMODE) == O_RDONLY)
		die("standard output is closed. Redirect it to a file or a program, or use --osc");
	if (watch->request.target && strcmp(watch->request.target, DEFAULT_SINK) == 0)
		watch->request.find_default = weir_registry_find_default_sink;
	if (watch->request.target && strcmp(watch->request.target, DEFAULT_SOURCE) == 0)
		watch->request.find_default = weir_registry_find_default_source;
	if (!unit)
		unit = "analyze";
	check_unit(unit);
	if (asprintf(&watch->request.factory, "weir.%s", unit) < 0)
		die("%s", strerror(errno));
}

static void text_take(const char **text, const char *option)
{
	if (*text)
		die("%s is given twice: %s %s and %s %s", option, option, *text, option, optarg);
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
			filter_parse(&watch->request.filter, optarg);
			break;
		case 'r':
			text_take(&rate, "--rate");
			break;
		case 't':
			text_take(&watch->request.target, "--target");
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
		watch->request.node_name = argv[optind++];
	if (optind < argc)
		die("unexpected argument \"%s\"\n%s", argv[optind], usage);
	if (json && destination)
		die("--json and --osc exclude each other");
	if (rate)
		watch->request.period = parse_rate(rate);
	if (destination)
		osc_init(&watch->request.osc, destination);
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
	watch->probe.factory = watch->request.factory;
	reader_init(&watch->reader, &watch->session, "weir-watch");
	watch->reader.filled = drain;
	watch->reader.data = watch;
	watch->fields.hold = true;
	output_init(&watch->output, watch->session.loop, &watch->request.filter,
		    watch->request.osc.address ? &watch->request.osc : NULL);
	watch->output.writable = drain;
	watch->output.closed = on_closed;
	watch->output.data = watch;
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
	osc_finish(&watch.request.osc);
	pw_deinit();
	if (watch.lost)
		warn("%llu reports were lost in total", (unsigned long long)watch.lost);
	free(watch.subject.name);
	free(watch.request.factory);
	return EXIT_SUCCESS;
}
