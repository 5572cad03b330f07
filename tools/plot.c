/* SPDX-License-Identifier: MIT */
#include "commands.h"

#include <getopt.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dsp/unit.h"
#include "tools/cli/message.h"
#include "tools/plot/gnuplot.h"
#include "tools/plot/series.h"

#define WIDTH 1200 /* pixels */
#define PANEL_HEIGHT 150
#define MARGIN_HEIGHT 60
#define MAX_FIELDS 12	 /* without --only */
#define MAX_LINES 8	 /* of a field; with more values it is drawn as colours */
#define N_BINS 1000	 /* over time, of more than so many values */
#define MIN_SECONDS 1e-3 /* gnuplot gets microseconds, and divides that into N_BINS */
#define MIN_PART 1e-11	 /* of the time: of less, a double cannot hold N_BINS */
#define MAX_STEPS 3	 /* between the numbers of an axis, about */

static const char usage[] =
	"usage: weir plot [--only FIELD[,FIELD]...] REPORT.jsonl OUT.svg|OUT.png\n";

struct panel {
	const struct series *series;
	uint32_t from, count;		/* of its values */
	const struct weir_field *known; /* as a unit declares it; NULL: no unit does */
	double floor;			/* lower values are drawn there */
	double low, high;		/* of all others */
};

struct plot {
	struct report report;
	struct panel panel[SERIES_MAX];
	uint32_t n_panels;
	double duration; /* s, above 0 */
	bool has_events;
	FILE *gnuplot;
};

static void die_no_field(struct report *report, const char *name)
{
	char names[4096] = "";
	size_t used = 0;

	for (uint32_t i = 0; i < report->n && used < sizeof(names); i++)
		used += (size_t)snprintf(names + used, sizeof(names) - used, " %s",
					 report->series[i].name);
	die("the report has no \"%s\". It has:%s", name, names);
}

/* The values of a spectrum that belong to each channel; 0: it is none. */
static uint32_t count_bands(const struct series *series, const struct weir_field *known)
{
	const bool is_spectrum = known && known->display.view == WEIR_VIEW_THIRDS;

	return is_spectrum && series->count % known->per_channel == 0 ? known->per_channel : 0;
}

static const char *get_unit(const struct panel *panel)
{
	return panel->known ? panel->known->unit : "";
}

/* With calibration, levels are far above 0 dB, and silence is, too. */
static double find_floor(const struct panel *panel)
{
	const double above = panel->high > 0.0 ? floor(panel->high / 10.0) * 10.0 : 0.0;

	if (strncmp(get_unit(panel), "dB", 2) != 0 && strcmp(get_unit(panel), "LUFS") != 0)
		return -INFINITY;
	if (panel->known->display.min == panel->known->display.max)
		return -INFINITY;
	return above + (double)panel->known->display.min;
}

/* All channels of a spectrum have one scale. */
static void panel_measure(struct panel *panel)
{
	const struct series *series = panel->series;

	panel->low = INFINITY;
	panel->high = -INFINITY;
	for (size_t i = 0; i < series->n * series->count; i++) {
		if (!isfinite(series->value[i]))
			continue;
		panel->low = fmin(panel->low, (double)series->value[i]);
		panel->high = fmax(panel->high, (double)series->value[i]);
	}
	panel->floor = find_floor(panel);
	panel->low = fmax(panel->low, panel->floor);
	panel->high = fmax(panel->high, panel->floor);
}

/* Of a spectrum, each channel has a panel; events share one. */
static void panels_add(struct plot *plot, const struct series *series)
{
	const struct weir_field *known = weir_field_find(series->name);
	const uint32_t bands = count_bands(series, known), count = bands ? bands : series->count;

	plot->has_events |= !series->count;
	for (uint32_t from = 0; from < series->count && plot->n_panels < SERIES_MAX;
	     from += count) {
		struct panel *panel = &plot->panel[plot->n_panels++];

		*panel = (struct panel){
			.series = series,
			.from = from,
			.count = count,
			.known = known,
		};
		panel_measure(panel);
	}
}

static void panels_choose_named(struct plot *plot, char *only)
{
	for (char *name = strtok(only, ","); name; name = strtok(NULL, ",")) {
		const struct series *series = report_find(&plot->report, name);

		if (!series)
			die_no_field(&plot->report, name);
		panels_add(plot, series);
	}
}

/* Fields of the rank, which are drawn where there is no room for all. Returns how many. */
static uint32_t panels_choose_ranked(struct plot *plot, uint32_t rank)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < plot->report.n; i++) {
		const struct series *series = &plot->report.series[i];
		const struct weir_field *known = weir_field_find(series->name);

		if (!series->count || !known || known->display.rank != rank)
			continue;
		panels_add(plot, series);
		n++;
	}
	return n;
}

/* Returns how many fields. */
static uint32_t panels_choose_best(struct plot *plot, uint32_t n_fields)
{
	uint32_t n_best = 0, n = 0;

	for (uint32_t rank = 1; rank <= WEIR_MAX_FIELDS && n_fields > MAX_FIELDS; rank++)
		n_best += panels_choose_ranked(plot, rank);
	for (uint32_t i = 0; i < plot->report.n; i++) {
		const struct series *series = &plot->report.series[i];

		if (series->count && (n_best || n == MAX_FIELDS))
			continue;
		panels_add(plot, series);
		n += series->count > 0;
	}
	return n_best ? n_best : n;
}

static void panels_choose(struct plot *plot, char *only)
{
	uint32_t n_fields = 0, n;

	for (uint32_t i = 0; i < plot->report.n; i++)
		n_fields += plot->report.series[i].count > 0;
	if (only)
		panels_choose_named(plot, only);
	n = only ? n_fields : panels_choose_best(plot, n_fields);
	if (!plot->n_panels && !plot->has_events)
		die("the report has neither fields nor events");
	if (n < n_fields)
		warn("drawing %u of %u fields. Choose others with --only FIELD,FIELD", n, n_fields);
}

/* In a name, a quote is written twice. */
static void print_quoted(FILE *file, const char *text)
{
	fputc('\'', file);
	for (; *text; text++)
		fprintf(file, *text == '\'' ? "''" : "%c", *text);
	fputc('\'', file);
}

static size_t bin_of(const struct plot *plot, double t)
{
	const size_t bin = (size_t)((t - plot->report.begin) / plot->duration * N_BINS);

	return bin < N_BINS ? bin : N_BINS - 1;
}

static void print_value(const struct plot *plot, const struct panel *panel, float value)
{
	if (isfinite(value))
		fprintf(plot->gnuplot, " %.9g", fmax((double)value, panel->floor));
	else
		fputs(" NaN", plot->gnuplot);
}

static void print_row(const struct plot *plot, const struct panel *panel, double t,
		      const float *value)
{
	fprintf(plot->gnuplot, "%.6f", t);
	for (uint32_t c = 0; c < panel->count; c++)
		print_value(plot, panel, value[c]);
	fputc('\n', plot->gnuplot);
}

/* As when the daemon was started anew. */
static bool goes_back(const struct series *series, size_t i)
{
	return i > 0 && i < series->n && series->t[i] < series->t[i - 1];
}

/* From the value at `from` on: the lowest and the highest ones of a bin. Returns where it ends. */
static size_t print_bin(const struct plot *plot, const struct panel *panel, size_t from)
{
	const struct series *series = panel->series;
	const size_t bin = bin_of(plot, series->t[from]);
	float low[MAX_LINES], high[MAX_LINES];
	size_t i = from;

	for (uint32_t c = 0; c < series->count; c++)
		low[c] = high[c] = NAN;
	do {
		for (uint32_t c = 0; c < series->count; c++) {
			low[c] = fminf(low[c], series->value[i * series->count + c]);
			high[c] = fmaxf(high[c], series->value[i * series->count + c]);
		}
		i++;
	} while (i < series->n && bin_of(plot, series->t[i]) == bin && !goes_back(series, i));
	print_row(plot, panel, series->t[from], low);
	print_row(plot, panel, series->t[from], high);
	return i;
}

static void print_lines(const struct plot *plot, const struct panel *panel)
{
	const struct series *series = panel->series;
	FILE *file = plot->gnuplot;

	fputs("$panel << EOD\n", file);
	for (size_t i = 0; i < series->n;) {
		if (goes_back(series, i))
			fputc('\n', file);
		if (series->n > 2 * N_BINS) {
			i = print_bin(plot, panel, i);
			continue;
		}
		print_row(plot, panel, series->t[i], series->value + i * series->count);
		i++;
	}
	fputs("EOD\n", file);
}

/* Of each bin the latest value, which holds until the next one. Counted from 1; 0: none. */
static void find_latest(const struct plot *plot, const struct series *series, size_t latest[N_BINS])
{
	memset(latest, 0, N_BINS * sizeof(latest[0]));
	for (size_t i = 0; i < series->n; i++) {
		const size_t bin = bin_of(plot, series->t[i]);
		size_t end = series->n > 1 ? bin + 1 : N_BINS;

		if (i + 1 < series->n && !goes_back(series, i + 1))
			end = bin_of(plot, series->t[i + 1]);
		latest[bin] = i + 1;
		for (size_t held = bin; held < end; held++)
			latest[held] = i + 1;
	}
}

/* Lines of a bin, the number of a value and the value; of a matrix, gnuplot wants every value. */
static void print_image(const struct plot *plot, const struct panel *panel)
{
	static size_t latest[N_BINS];
	const struct series *series = panel->series;
	FILE *file = plot->gnuplot;

	find_latest(plot, series, latest);
	fputs("$panel << EOD\n", file);
	for (uint32_t c = panel->from; c < panel->from + panel->count; c++) {
		for (size_t bin = 0; bin < N_BINS; bin++) {
			const size_t i = latest[bin] - 1;

			fprintf(file, "%zu %u", bin, c - panel->from + 1);
			print_value(plot, panel,
				    latest[bin] ? series->value[i * series->count + c] : NAN);
			fputc('\n', file);
		}
	}
	fputs("EOD\n", file);
}

/* gnuplot's own numbers collide in a low panel, and it draws nothing where all is the same. */
static void print_axis(FILE *file, const char *axis, const struct panel *panel)
{
	static const double steps[] = { 1.0, 2.0, 3.0, 5.0, 10.0 };
	double low = panel->low, high = panel->high, step, unit;
	uint32_t i = 0;

	if (low > high) {
		low = 0.0;
		high = 1.0;
	} else if (high - low <= 1e-6 * fabs(high)) {
		step = high != 0.0 ? fabs(high) / 10.0 : 1.0;
		low -= step;
		high += step;
	}
	unit = pow(10.0, floor(log10((high - low) / MAX_STEPS)));
	while (i + 1 < sizeof(steps) / sizeof(steps[0]) && steps[i] * unit * MAX_STEPS < high - low)
		i++;
	step = steps[i] * unit;
	fprintf(file, "set %srange [%.9g:%.9g]\nset %stics %.9g\n", axis,
		fmax(floor(low / step) * step, panel->floor), ceil(high / step) * step, axis, step);
}

static void draw_image(const struct plot *plot, const struct panel *panel)
{
	const double step = plot->duration / N_BINS;
	FILE *file = plot->gnuplot;

	print_image(plot, panel);
	print_axis(file, "cb", panel);
	if (count_bands(panel->series, panel->known))
		fputs("set ytics ('20 Hz' 1, '200 Hz' 11, '2 kHz' 21, '20 kHz' 31)\n", file);
	else
		fprintf(file, "set ytics 1,%u\n", panel->count / (MAX_STEPS + 1) + 1);
	fprintf(file,
		"set yrange [0.5:%u.5]\n"
		"plot $panel using (%.6f + $1 * %.9g):2:3 with image notitle\n",
		panel->count, plot->report.begin + step / 2.0, step);
}

static void draw_lines(const struct plot *plot, const struct panel *panel)
{
	FILE *file = plot->gnuplot;

	print_lines(plot, panel);
	print_axis(file, "y", panel);
	fputs("plot ", file);
	for (uint32_t c = 0; c < panel->count; c++) {
		fprintf(file, "%s$panel using 1:%u with %s ", c ? ", " : "", c + 2,
			panel->series->n > 1 ? "lines lw 1.3" : "points pt 7 ps 0.8");
		if (panel->count > 1)
			fprintf(file, "title '%u'", c + 1);
		else
			fputs("notitle", file);
	}
	fputc('\n', file);
}

/* Above the panel, where no number is: its name, which of several it is, and the unit. */
static void print_name(FILE *file, const struct panel *panel)
{
	char name[2 * SERIES_NAME];
	size_t n = (size_t)snprintf(name, sizeof(name), "%s", panel->series->name);

	if (panel->count < panel->series->count)
		n += (size_t)snprintf(name + n, sizeof(name) - n, " %u",
				      panel->from / panel->count + 1);
	if (get_unit(panel)[0] && strcmp(get_unit(panel), panel->series->name) != 0)
		snprintf(name + n, sizeof(name) - n, ", %s", get_unit(panel));
	fputs("set label 1 ", file);
	print_quoted(file, name);
	fputs(" at graph 0,1 left offset 0,0.7 noenhanced\n", file);
}

static void draw_panel(const struct plot *plot, const struct panel *panel)
{
	print_name(plot->gnuplot, panel);
	if (panel->count > MAX_LINES)
		draw_image(plot, panel);
	else
		draw_lines(plot, panel);
}

static void draw_events(struct plot *plot)
{
	FILE *file = plot->gnuplot;
	uint32_t n = 0;

	fputs("$events << EOD\n", file);
	for (uint32_t s = 0; s < plot->report.n; s++) {
		const struct series *series = &plot->report.series[s];

		for (size_t i = 0; !series->count && i < series->n; i++)
			fprintf(file, "%.6f %u\n", series->t[i], n);
		n += !series->count;
	}
	fputs("EOD\nset label 1 'events' at graph 0,1 left offset 0,0.7\nset ytics (", file);
	n = 0;
	for (uint32_t s = 0; s < plot->report.n; s++)
		if (!plot->report.series[s].count) {
			fputs(n ? ", " : "", file);
			print_quoted(file, plot->report.series[s].name);
			fprintf(file, " %u", n);
			n++;
		}
	fprintf(file,
		") noenhanced\nplot [][-0.5:%u-0.5] $events using 1:2 with points pt 7 ps 0.4 "
		"notitle\n",
		n);
}

static void draw(struct plot *plot, const char *terminal)
{
	const uint32_t n = plot->n_panels + plot->has_events;
	FILE *file = plot->gnuplot;

	fprintf(file,
		"set terminal %s size %d,%u background 'white'\n"
		"set multiplot layout %u,1 margins char 14,char 12,char 3,char 2 spacing 0,char "
		"2.2\n"
		"set xrange [%.6f:%.6f]\nset grid\nset border back\n"
		"set key at graph 1,graph 1 left top Left reverse samplen 1 spacing 0.8\n"
		"set format x ''\n",
		terminal, WIDTH, n * PANEL_HEIGHT + MARGIN_HEIGHT, n, plot->report.begin,
		plot->report.begin + plot->duration);
	for (uint32_t i = 0; i < n; i++) {
		if (i + 1 == n)
			fputs("set format x '%g'\nset xlabel 't (s)'\n", file);
		if (i < plot->n_panels)
			draw_panel(plot, &plot->panel[i]);
		else
			draw_events(plot);
	}
	fputs("unset multiplot\n", file);
}

/* What gnuplot calls it. */
static const char *find_terminal(const char *path)
{
	const char *dot = strrchr(path, '.');

	if (dot && strcmp(dot, ".svg") == 0)
		return "svg";
	if (dot && strcmp(dot, ".png") == 0)
		return "pngcairo";
	die("%s: the picture must be named OUT.svg or OUT.png", path);
}

static void refuse_overwriting(const char *report, const char *picture)
{
	struct stat in, out;

	if (stat(picture, &out) < 0 || !S_ISREG(out.st_mode))
		return;
	if ((strcmp(report, "-") == 0 ? fstat(STDIN_FILENO, &in) : stat(report, &in)) == 0 &&
	    in.st_ino == out.st_ino && in.st_dev == out.st_dev)
		die("%s is the report and would be overwritten. Name another file.", picture);
}

int plot_main(int argc, char *argv[])
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "only", required_argument, NULL, 'o' },
		{ 0 },
	};
	static struct plot plot;
	const char *terminal;
	char *only = NULL;
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (option == 'o') {
			if (only)
				die("--only is given twice. Write --only FIELD,FIELD");
			only = optarg;
			continue;
		}
		fputs(usage, option == 'h' ? stdout : stderr);
		stdout_check();
		return option == 'h' ? EXIT_SUCCESS : EXIT_FAILURE;
	}
	if (argc - optind != 2)
		die("give one report and one picture\n%s", usage);
	terminal = find_terminal(argv[optind + 1]);
	refuse_overwriting(argv[optind], argv[optind + 1]);
	report_read(&plot.report, argv[optind]);
	plot.duration = plot.report.end - plot.report.begin;
	if (plot.duration < fmax(MIN_SECONDS, fabs(plot.report.begin) * MIN_PART))
		plot.duration = 1.0;
	panels_choose(&plot, only);
	plot.gnuplot = gnuplot_begin();
	draw(&plot, terminal);
	gnuplot_draw(plot.gnuplot, argv[optind + 1]);
	report_finish(&plot.report);
	return EXIT_SUCCESS;
}
