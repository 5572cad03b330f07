/* SPDX-License-Identifier: MIT */
#include "plot.h"

#include <getopt.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"
#include "picture.h"
#include "series.h"

#define WIDTH 1200 /* pixels */
#define PANEL_HEIGHT 150
#define MARGIN_HEIGHT 60
#define MOST_PANELS 12 /* without --only */
#define MOST_LINES 8   /* of a field; with more values it is drawn as colours */
#define N_BINS 1000    /* over time, of more than so many values */

static const char usage[] =
	"usage: weir plot [--only FIELD[,FIELD]...] REPORT.jsonl OUT.svg|OUT.png\n";

struct plot {
	struct report report;
	struct series *panel[SERIES_MAX];
	uint32_t n_panels;
	bool has_events;
	FILE *gnuplot;
};

static void fail_no_field(struct report *report, const char *name)
{
	char names[4096] = "";
	size_t used = 0;

	for (uint32_t i = 0; i < report->n && used < sizeof(names); i++)
		used += (size_t)snprintf(names + used, sizeof(names) - used, " %s",
					 report->series[i].name);
	fail("the report has no \"%s\". It has:%s", name, names);
}

/* Events share a panel. */
static void panels_choose(struct plot *plot, char *only)
{
	uint32_t n_fields = 0;

	for (char *name = only ? strtok(only, ",") : NULL; name; name = strtok(NULL, ",")) {
		struct series *series = report_find(&plot->report, name);

		if (!series)
			fail_no_field(&plot->report, name);
		if (series->count && plot->n_panels < SERIES_MAX)
			plot->panel[plot->n_panels++] = series;
		plot->has_events |= !series->count;
	}
	for (uint32_t i = 0; !only && i < plot->report.n; i++) {
		struct series *series = &plot->report.series[i];

		plot->has_events |= !series->count;
		n_fields += series->count > 0;
		if (series->count && plot->n_panels < MOST_PANELS)
			plot->panel[plot->n_panels++] = series;
	}
	if (!plot->n_panels && !plot->has_events)
		fail("the report has neither fields nor events");
	if (n_fields > plot->n_panels)
		say("drawing %u of %u fields. Choose others with --only FIELD,FIELD",
		    plot->n_panels, n_fields);
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
	const double duration = plot->report.end - plot->report.begin;

	return duration > 0.0 ? (size_t)((t - plot->report.begin) / duration * (N_BINS - 1)) : 0;
}

static void print_value(FILE *file, float value)
{
	if (isfinite(value))
		fprintf(file, " %.9g", (double)value);
	else
		fputs(" NaN", file);
}

static void print_row(FILE *file, double t, const float *value, uint32_t count)
{
	fprintf(file, "%.6f", t);
	for (uint32_t i = 0; i < count; i++)
		print_value(file, value[i]);
	fputc('\n', file);
}

/* From the value at `from` on: the lowest and the highest ones of a bin. Returns where it ends. */
static size_t print_bin(const struct plot *plot, const struct series *series, size_t from)
{
	const size_t bin = bin_of(plot, series->t[from]);
	float low[MOST_LINES], high[MOST_LINES];
	size_t i = from;

	for (uint32_t c = 0; c < series->count; c++)
		low[c] = high[c] = NAN;
	for (; i < series->n && bin_of(plot, series->t[i]) == bin; i++) {
		for (uint32_t c = 0; c < series->count; c++) {
			low[c] = fminf(low[c], series->value[i * series->count + c]);
			high[c] = fmaxf(high[c], series->value[i * series->count + c]);
		}
	}
	print_row(plot->gnuplot, series->t[from], low, series->count);
	print_row(plot->gnuplot, series->t[from], high, series->count);
	return i;
}

static void print_lines(const struct plot *plot, const struct series *series, uint32_t panel)
{
	fprintf(plot->gnuplot, "$panel%u << EOD\n", panel);
	for (size_t i = 0; i < series->n;) {
		if (series->n > 2 * N_BINS) {
			i = print_bin(plot, series, i);
			continue;
		}
		print_row(plot->gnuplot, series->t[i], series->value + i * series->count,
			  series->count);
		i++;
	}
	fputs("EOD\n", plot->gnuplot);
}

/* A row for each value, a column for each bin: what is latest there. */
static void print_image(const struct plot *plot, const struct series *series, uint32_t panel)
{
	const size_t n = series->n < N_BINS ? series->n : N_BINS;
	const double step = (series->t[series->n - 1] - series->t[0]) / (double)n;
	FILE *file = plot->gnuplot;

	fprintf(file, "$panel%u << EOD\n", panel);
	for (uint32_t c = 0; c < series->count; c++) {
		size_t from = 0;

		for (size_t bin = 0; bin < n; bin++) {
			const double t = series->t[0] + step * (double)bin;

			while (from + 1 < series->n && series->t[from + 1] <= t)
				from++;
			print_value(file, series->value[from * series->count + c]);
		}
		fputc('\n', file);
	}
	fprintf(file,
		"EOD\nset yrange [0.5:%u.5]\nplot $panel%u matrix using (%.6f + $1 * %.9g):($2 + "
		"1):3 "
		"with image notitle\n",
		series->count, panel, series->t[0] + step / 2.0, step);
}

/* gnuplot draws nothing at all where a field is always the same, or never there. */
static void print_range(FILE *file, const struct series *series)
{
	float low = INFINITY, high = -INFINITY;

	for (size_t i = 0; i < series->n * series->count; i++) {
		if (isfinite(series->value[i])) {
			low = fminf(low, series->value[i]);
			high = fmaxf(high, series->value[i]);
		}
	}
	if (low < high)
		fputs("set yrange [*:*]\n", file);
	else
		fprintf(file, "set yrange [%.9g:%.9g]\n", low > high ? 0.0 : (double)low - 1.0,
			low > high ? 1.0 : (double)high + 1.0);
}

static bool is_image(const struct series *series)
{
	return series->count > MOST_LINES && series->t[series->n - 1] > series->t[0];
}

static void draw_panel(const struct plot *plot, uint32_t panel)
{
	const struct series *series = plot->panel[panel];
	FILE *file = plot->gnuplot;

	fputs("set ylabel ", file);
	print_quoted(file, series->name);
	fputs(" noenhanced\n", file);
	if (is_image(series)) {
		print_image(plot, series, panel);
		return;
	}
	print_lines(plot, series, panel);
	print_range(file, series);
	fputs("plot ", file);
	for (uint32_t c = 0; c < series->count && c < MOST_LINES; c++) {
		fprintf(file, "%s$panel%u using 1:%u with lines lw 1.3 ", c ? ", " : "", panel,
			c + 2);
		if (series->count > 1)
			fprintf(file, "title '%u'", c + 1);
		else
			fputs("notitle", file);
	}
	fputc('\n', file);
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
	fputs("EOD\nset ylabel 'events'\nset ytics (", file);
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
		"set multiplot layout %u,1 margins char 14,char 12,char 3,char 1 spacing 0,char "
		"1.5\n"
		"set xrange [%.6f:%.6f]\nset grid\nset key outside right top\n"
		"set ylabel offset 1,0\nset format x ''\n",
		terminal, WIDTH, n * PANEL_HEIGHT + MARGIN_HEIGHT, n, plot->report.begin,
		plot->report.end > plot->report.begin ? plot->report.end
						      : plot->report.begin + 1.0);
	for (uint32_t i = 0; i < n; i++) {
		if (i + 1 == n)
			fputs("set format x '%g'\nset xlabel 't (s)'\n", file);
		if (i < plot->n_panels)
			draw_panel(plot, i);
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
	fail("%s: the picture must be named OUT.svg or OUT.png", path);
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
			only = optarg;
			continue;
		}
		fputs(usage, option == 'h' ? stdout : stderr);
		return option == 'h' ? EXIT_SUCCESS : EXIT_FAILURE;
	}
	if (argc - optind != 2)
		fail("a report and a picture are needed\n%s", usage);
	terminal = find_terminal(argv[optind + 1]);
	report_read(&plot.report, argv[optind]);
	panels_choose(&plot, only);
	plot.gnuplot = picture_begin();
	draw(&plot, terminal);
	picture_draw(plot.gnuplot, argv[optind + 1]);
	report_finish(&plot.report);
	return EXIT_SUCCESS;
}
