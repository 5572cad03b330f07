/* SPDX-License-Identifier: MIT */
#include "commands.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "graph/keys.h"
#include "graph/port.h"
#include "tools/cli/message.h"
#include "tools/report/reader.h"
#include "tools/screen/page.h"
#include "tools/session/controls.h"
#include "tools/session/selection.h"

#define FRAMES_PER_SECOND 20
#define IDLE_FRAMES FRAMES_PER_SECOND	     /* without a report */
#define PULSE_FRAMES (FRAMES_PER_SECOND / 2) /* more than the longest quantum */
#define MIN_ROWS 8
#define MIN_COLUMNS 40

#define NAMES_COLUMN 10

static const char usage[] =
	"usage: weir top [NODE]\n"
	"\n"
	"  NODE    the node to show first, by name\n"
	"\n"
	"  Tab, left, right   show another node\n"
	"  1 to 9             show the node of that number\n"
	"  r                  reset all maxima, I and LRA; also in the node, so for its\n"
	"                     other readers as well\n"
	"  q                  quit\n";

struct top {
	struct session session;
	struct reader reader;
	struct controls controls;
	struct page page;
	struct spa_source *timer;
	bool is_known; /* the session has begun, and the page can be shown */
	bool is_open;  /* the terminal */

	char *wanted;	 /* name of the node to show, which may be absent; NULL: the first one */
	uint64_t serial; /* of the node of that name that was shown last */
	uint32_t idle_frames;
	uint32_t query_frames, pulse_frames; /* since the latest query, or step of a pulse */
	uint64_t lost;
};

static bool node_is_shown(const struct session *session, const struct weir_registry_object *node)
{
	return node_is_reporting(session, node) ||
	       pw_properties_get(node->props, WEIR_KEY_CAPTURE_STATE);
}

static void on_filled(void *data)
{
	struct top *top = data;
	struct reading reading;

	while (reader_next(&top->reader, &reading)) {
		fields_read(&top->page.fields, reading.t, reading.controls, reading.size);
		page_update(&top->page, reading.t);
		top->lost += reading.lost;
		top->idle_frames = 0;
	}
}

/* Clears the page; late reports of the node before are not shown on it. */
static void want(struct top *top, const struct weir_registry_object *node)
{
	if (node->serial == top->serial)
		return;
	free(top->wanted);
	top->wanted = strdup(session_get_name(node));
	if (!top->wanted)
		die("%s", strerror(errno));
	top->serial = node->serial;
	reader_disconnect(&top->reader);
	page_reset(&top->page);
	top->lost = 0;
	top->idle_frames = 0;
	session_notify(&top->session);
}

/* The one that was chosen, and when that is gone another one of its name. */
static struct weir_registry_object *find_wanted(const struct top *top)
{
	struct weir_registry_object *node;

	if (!top->session.registry || !top->wanted)
		return NULL;
	node = session_find_serial(&top->session, top->serial);
	if (node)
		return node_is_shown(&top->session, node) ? node : NULL;
	spa_list_for_each(
		node, weir_registry_get_objects(top->session.registry, WEIR_REGISTRY_NODE), link)
	{
		if (strcmp(session_get_name(node), top->wanted) == 0 &&
		    node_is_shown(&top->session, node))
			return node;
	}
	return NULL;
}

/* The n-th of the nodes to show; NULL: there are fewer. */
static struct weir_registry_object *find_shown(const struct top *top, uint32_t n)
{
	struct weir_registry_object *node;

	spa_list_for_each(
		node, weir_registry_get_objects(top->session.registry, WEIR_REGISTRY_NODE), link)
	{
		if (node_is_shown(&top->session, node) && n-- == 0)
			return node;
	}
	return NULL;
}

static void on_changed(void *data)
{
	struct top *top = data;
	struct weir_registry_object *node;

	top->is_known = true;
	if (!top->is_open)
		session_quit(&top->session);
	if (!top->session.registry || !top->is_open)
		return;
	node = top->wanted ? find_wanted(top) : find_shown(top, 0);
	if (node)
		want(top, node);
	controls_set_node(&top->controls, node ? node->proxy : NULL);
	reader_set_port(&top->reader, node ? session_find_report(&top->session, node) : NULL);
}

static void on_lost(void *data)
{
	struct top *top = data;

	reader_disconnect(&top->reader);
}

/* The number and the name of the i-th node to show; to be released by free(). */
static char *label_create(const struct top *top, const struct weir_registry_object *node,
			  uint32_t i)
{
	const bool has_twin = selection_has_twin(&top->session, node_is_shown, node);
	char *text;

	if (asprintf(&text, has_twin ? " %u %s (%u)" : " %u %s", i + 1, session_get_name(node),
		     node->id) < 0)
		die("%s", strerror(errno));
	return text;
}

/* With the space behind it. */
static int count_columns(const struct top *top, const struct weir_registry_object *node, uint32_t i)
{
	char *label = label_create(top, node, i);
	const int columns = screen_width(label) + 2;

	free(label);
	return columns;
}

static bool node_is_wanted(const struct top *top, const struct weir_registry_object *node)
{
	return top->wanted && node->serial == top->serial;
}

/* The first of the names that are drawn, so that there is room for the one that is shown. */
static uint32_t find_first_name(const struct top *top)
{
	const struct weir_registry_object *node;
	uint32_t first = 0;
	int columns = NAMES_COLUMN;

	for (uint32_t i = 0; (node = find_shown(top, i)); i++) {
		columns += count_columns(top, node, i);
		while (first < i && columns + 1 >= screen_columns()) {
			columns -= count_columns(top, find_shown(top, first), first);
			first++;
		}
		if (node_is_wanted(top, node))
			return first;
	}
	return 0;
}

static void draw_names(const struct top *top)
{
	const struct weir_registry_object *node;
	int column = NAMES_COLUMN;

	screen_print(0, 1, SCREEN_STRONG, "weir top");
	if (!top->session.registry)
		return;
	for (uint32_t i = find_first_name(top); (node = find_shown(top, i)); i++) {
		const int columns = count_columns(top, node, i);
		const bool is_cut =
			column + columns + 2 > screen_columns() && find_shown(top, i + 1);
		char *label = label_create(top, node, i);

		screen_print(0, column, node_is_wanted(top, node) ? SCREEN_CHOSEN : SCREEN_PLAIN,
			     "%s %*s", label, is_cut ? screen_columns() : 0, "");
		column += columns;
		free(label);
	}
}

static void draw_absence(const struct top *top)
{
	char *names;

	if (!top->session.registry) {
		screen_print(2, 1, SCREEN_TOO_LOUD, "The connection to PipeWire is lost. Waiting");
		return;
	}
	if (!top->session.ready)
		return;
	names = selection_list(&top->session, node_is_shown);
	if (top->wanted)
		screen_print(2, 1, SCREEN_TOO_LOUD,
			     "No node \"%s\" reports. Waiting. Other nodes: %s", top->wanted,
			     names);
	else
		screen_print(2, 1, SCREEN_TOO_LOUD, "No node reports. Waiting");
	free(names);
}

static void draw(struct top *top)
{
	const struct weir_registry_object *node = find_wanted(top);
	const int rows = screen_rows();
	char message[512];

	if (top->session.is_stopping)
		return;
	screen_begin();
	if (rows < MIN_ROWS || screen_columns() < MIN_COLUMNS) {
		screen_print(0, 0, SCREEN_PLAIN, "too small: enlarge to 80x24");
		screen_end();
		return;
	}
	draw_names(top);
	if (node) {
		page_set_calibration(&top->page, top->controls.calibration_db);
		top->page.capture_state = pw_properties_get(node->props, WEIR_KEY_CAPTURE_STATE);
		top->page.capture_streams =
			pw_properties_get(node->props, WEIR_KEY_CAPTURE_STREAMS);
		page_draw(&top->page, 2, rows - 4);
	} else {
		draw_absence(top);
	}
	if (screen_get_message(message, sizeof(message)))
		screen_print(rows - 2, 1, SCREEN_LOUD, "%s", message);
	screen_print(rows - 1, 1, SCREEN_WEAK, "q quit   Tab next node   r reset maxima");
	if (node && !node->running)
		screen_print(rows - 1, 42, SCREEN_LOUD, "idle: nothing plays through it");
	else if (node && top->page.t > 0.0 && top->idle_frames > IDLE_FRAMES)
		screen_print(rows - 1, 42, SCREEN_LOUD, "no reports");
	else if (node && top->page.t > 0.0)
		screen_print(rows - 1, 42, SCREEN_WEAK, "t %.1f s", top->page.t);
	if (top->lost)
		screen_print(rows - 1, 60, SCREEN_TOO_LOUD, "%llu reports lost",
			     (unsigned long long)top->lost);
	screen_end();
}

static void on_stopping(void *data)
{
	struct top *top = data;

	reader_disconnect(&top->reader);
	if (top->is_open)
		screen_leave();
}

static void on_continued(void *data)
{
	struct top *top = data;

	if (!top->is_open)
		return;
	screen_resize();
	draw(top);
}

static const struct session_events session_events = {
	.changed = on_changed,
	.lost = on_lost,
	.stopping = on_stopping,
	.continued = on_continued,
};

/* step: 1 or -1 */
static void move(struct top *top, int step)
{
	struct weir_registry_object *node, *last = NULL;
	uint32_t n, at;

	if (!top->session.registry)
		return;
	n = selection_count(&top->session, node_is_shown, &last);
	at = step > 0 ? n - 1 : 0;
	for (uint32_t i = 0; (node = find_shown(top, i)); i++)
		if (node_is_wanted(top, node))
			at = i;
	if (n)
		want(top, find_shown(top, (at + n + (uint32_t)step) % n));
}

static void press(struct top *top, int key)
{
	struct weir_registry_object *node;

	switch (key) {
	case 'q':
	case 'Q':
		session_quit(&top->session);
		break;
	case 'r':
	case 'R':
		page_reset_peaks(&top->page, controls_reset(&top->controls));
		top->pulse_frames = 0;
		break;
	case '\t':
	case SCREEN_KEY_RIGHT:
		move(top, 1);
		break;
	case SCREEN_KEY_LEFT:
		move(top, -1);
		break;
	default:
		node = key >= '1' && key <= '9' && top->session.registry
			       ? find_shown(top, (uint32_t)(key - '1'))
			       : NULL;
		if (node)
			want(top, node);
	}
}

static void on_keys(void *data, int fd, uint32_t mask)
{
	struct top *top = data;
	int key;

	(void)fd;
	while ((key = screen_key()) != -1)
		press(top, key);
	if (mask & (SPA_IO_HUP | SPA_IO_ERR))
		session_quit(&top->session);
	else
		draw(top);
}

/* A node that is idle takes no step of a pulse. */
static void follow_controls(struct top *top, uint32_t frames)
{
	top->query_frames += frames;
	top->pulse_frames += frames;
	if (top->query_frames >= FRAMES_PER_SECOND) {
		controls_query(&top->controls);
		top->query_frames = 0;
	}
	if (top->pulse_frames >= PULSE_FRAMES && top->idle_frames < PULSE_FRAMES) {
		controls_continue_pulse(&top->controls);
		top->pulse_frames = 0;
	}
}

static void on_frame(void *data, uint64_t expirations)
{
	struct top *top = data;

	top->idle_frames += (uint32_t)expirations;
	follow_controls(top, (uint32_t)expirations);
	draw(top);
}

static void on_size(void *data, int number)
{
	(void)number;
	screen_resize();
	draw(data);
}

static void parse_arguments(struct top *top, int argc, char *argv[])
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		fputs(usage, option == 'h' ? stdout : stderr);
		stdout_check();
		exit(option == 'h' ? EXIT_SUCCESS : EXIT_FAILURE);
	}
	if (argc - optind > 1)
		die("unexpected argument \"%s\"\n%s", argv[optind + 1], usage);
	if (optind < argc)
		top->wanted = strdup(argv[optind]);
}

/* Before there is a page: one that goes away later is waited for. */
static void check_wanted(struct top *top)
{
	const struct weir_registry_object *node = find_wanted(top);
	char *names = selection_list(&top->session, node_is_shown);

	if (!node)
		node = session_find_node(&top->session, top->wanted);
	if (!node)
		die("there is no node \"%s\". Nodes to show: %s", top->wanted, names);
	if (!node_is_shown(&top->session, node) && !node_will_report(node)) {
		if (node_is_sink_or_source(&top->session, node))
			die("%s has no report. To measure it: weir watch --target %s", top->wanted,
			    top->wanted);
		die("%s has no report. Nodes to show: %s", top->wanted, names);
	}
	free(names);
	free(top->wanted);
	top->wanted = strdup(session_get_name(node));
	if (!top->wanted)
		die("%s", strerror(errno));
	top->serial = node->serial;
}

static void screen_open(struct top *top)
{
	struct timespec frame = { .tv_nsec = SPA_NSEC_PER_SEC / FRAMES_PER_SECOND };

	screen_init();
	atexit(screen_finish);
	top->timer = pw_loop_add_timer(top->session.loop, on_frame, top);
	if (!top->timer || !pw_loop_add_signal(top->session.loop, SIGWINCH, on_size, top) ||
	    !pw_loop_add_io(top->session.loop, STDIN_FILENO, SPA_IO_IN, false, on_keys, top))
		die("%s", strerror(errno));
	pw_loop_update_timer(top->session.loop, top->timer, &frame, &frame, false);
	top->is_open = true;
	session_notify(&top->session);
}

static void top_init(struct top *top)
{
	session_init(&top->session, &session_events, top);
	if (top->session.res < 0)
		die("no connection to PipeWire (%s). Is it running?", strerror(-top->session.res));
	page_reset(&top->page);
	reader_init(&top->reader, &top->session, "weir-top");
	top->reader.filled = on_filled;
	top->reader.data = top;
}

/* Leaves no control on: the loop sends the end of the pulse. */
static void controls_leave(struct top *top)
{
	const bool is_pulsing = top->controls.pulse_steps > 0;

	controls_set_node(&top->controls, NULL);
	if (!is_pulsing)
		return;
	pw_loop_enter(top->session.loop);
	pw_loop_iterate(top->session.loop, 0);
	pw_loop_leave(top->session.loop);
}

int top_main(int argc, char *argv[])
{
	static struct top top;

	parse_arguments(&top, argc, argv);
	pw_init(&argc, &argv);
	top_init(&top);
	session_run(&top.session);
	if (top.wanted && top.session.ready)
		check_wanted(&top);
	if (top.is_known) {
		screen_open(&top);
		session_run(&top.session);
		screen_finish();
		pw_loop_destroy_source(top.session.loop, top.timer);
	}
	controls_leave(&top);
	reader_finish(&top.reader);
	session_finish(&top.session);
	fields_finish(&top.page.fields);
	free(top.wanted);
	pw_deinit();
	return EXIT_SUCCESS;
}
