/* SPDX-License-Identifier: MIT */
#include "series.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "graph/text.h"
#include "tools/cli/message.h"

#define MAX_VALUES 4096 /* of a field at a time */
#define MAX_TIME 1e12	/* s */
#define REASON 160	/* bytes */

/* A line as it is read: its time may come behind its values. */
struct line {
	struct report *report;
	const char *at_text; /* the rest of the line, not read yet */
	double t, at;
	char event[SERIES_NAME];
	bool adding; /* false: the line is only checked */
	char reason[REASON];
};

struct series *report_find(struct report *report, const char *name)
{
	for (uint32_t i = 0; i < report->n; i++)
		if (strcmp(report->series[i].name, name) == 0)
			return &report->series[i];
	return NULL;
}

/* NULL: too many series, or another count of values than before. */
static struct series *series_get(struct line *line, const char *name, uint32_t count)
{
	struct report *report = line->report;
	struct series *series = report_find(report, name);

	if (!series && report->n < SERIES_MAX) {
		series = &report->series[report->n++];
		*series = (struct series){ .count = count };
		snprintf(series->name, sizeof(series->name), "%s", name);
	}
	if (!series)
		snprintf(line->reason, REASON, "\"%s\" exceeds the maximum of %d fields", name,
			 SERIES_MAX);
	else if (series->count != count)
		snprintf(line->reason, REASON, "\"%s\" has %u values here and %u before", name,
			 count, series->count);
	return series && series->count == count ? series : NULL;
}

static void series_add(struct series *series, double t, const double *value)
{
	if (series->n == series->room) {
		series->room = series->room ? 2 * series->room : 1024;
		series->t = realloc(series->t, series->room * sizeof(series->t[0]));
		series->value = realloc(series->value, series->room * (series->count + 1) *
							       sizeof(series->value[0]));
		if (!series->t || !series->value)
			die("%s", strerror(errno));
	}
	series->t[series->n] = t;
	for (uint32_t i = 0; i < series->count; i++)
		series->value[series->n * series->count + i] = (float)value[i];
	series->n++;
}

/* Whether this is next; it is passed then. */
static bool line_passes(struct line *line, char c)
{
	line->at_text += strspn(line->at_text, " \t\r\n");
	if (*line->at_text != c)
		return false;
	line->at_text++;
	return true;
}

/* A name that is too long is reported and left out: cut, it could be equal to another one. */
static bool read_string(struct line *line, char text[SERIES_NAME])
{
	size_t n = 0;

	if (!line_passes(line, '"'))
		return false;
	for (; *line->at_text != '"'; line->at_text++) {
		if ((unsigned char)*line->at_text < ' ' || *line->at_text == '\\')
			return false;
		if (n + 1 < SERIES_NAME)
			text[n] = *line->at_text;
		n++;
	}
	line->at_text++;
	text[n < SERIES_NAME ? n : 0] = '\0';
	if (n >= SERIES_NAME)
		snprintf(line->reason, REASON, "a name has %zu bytes, the maximum is %d", n,
			 SERIES_NAME - 1);
	weir_text_clean(text);
	return true;
}

/* null is NAN. */
static bool read_number(struct line *line, double *value)
{
	char *end;

	line->at_text += strspn(line->at_text, " \t");
	if (strncmp(line->at_text, "null", 4) == 0) {
		line->at_text += 4;
		*value = NAN;
		return true;
	}
	if (!strchr("-0123456789", *line->at_text))
		return false;
	*value = strtod(line->at_text, &end);
	if (end == line->at_text ||
	    strspn(line->at_text, "+-.0123456789Ee") < (size_t)(end - line->at_text))
		return false;
	line->at_text = end;
	return true;
}

/* Returns how many there are, -1 when they are no numbers. */
static int read_values(struct line *line, double value[MAX_VALUES])
{
	int n = 0;

	if (!line_passes(line, '['))
		return read_number(line, &value[0]) ? 1 : -1;
	if (line_passes(line, ']'))
		return 0;
	do {
		if (n == MAX_VALUES || !read_number(line, &value[n]))
			return -1;
		n++;
	} while (line_passes(line, ','));
	return line_passes(line, ']') ? n : -1;
}

static bool read_member(struct line *line)
{
	static double value[MAX_VALUES];
	struct series *series;
	char key[SERIES_NAME];
	int n;

	if (!read_string(line, key) || !line_passes(line, ':'))
		return false;
	if (strcmp(key, "ev") == 0)
		return read_string(line, line->event);
	n = read_values(line, value);
	if (n < 0)
		return false;
	if (strcmp(key, "t") == 0)
		line->t = n == 1 ? value[0] : NAN;
	else if (strcmp(key, "at") == 0)
		line->at = n == 1 ? value[0] : NAN;
	else if (strcmp(key, "lost") == 0)
		strcpy(line->event, "lost");
	else if (n && key[0] && line->adding && (series = series_get(line, key, (uint32_t)n)))
		series_add(series, line->t, value);
	return true;
}

/* The whole of it, which must be an object. */
static bool read_members(struct line *line, const char *text)
{
	line->at_text = text;
	if (!line_passes(line, '{'))
		return false;
	do {
		if (!read_member(line))
			return false;
	} while (line_passes(line, ','));
	return line_passes(line, '}') && line_passes(line, '\0');
}

/* Nothing of it is added when it is no report with a time. */
static bool read_line(struct line *line, const char *text)
{
	struct report *report = line->report;
	struct series *series;

	if (!read_members(line, text) || !(fabs(line->t) < MAX_TIME)) {
		strcpy(line->reason, "not a report, or an incomplete one");
		return false;
	}
	line->adding = true;
	read_members(line, text);
	if (line->event[0] && (series = series_get(line, line->event, 0)))
		series_add(series, isfinite(line->at) ? line->at : line->t, NULL);
	report->begin = fmin(report->begin, line->t);
	report->end = fmax(report->end, line->t);
	return true;
}

/* What could not be read of a report. */
struct loss {
	unsigned long first, n; /* lines */
	char reason[REASON];
};

static void loss_add(struct loss *loss, unsigned long number, const char *reason)
{
	if (loss->n++)
		return;
	loss->first = number;
	strcpy(loss->reason, reason);
}

static void loss_report(const struct loss *loss, const char *path, bool is_all)
{
	char more[64] = "";

	if (!loss->n)
		return;
	if (is_all)
		die("%s, line %lu: %s. Give a report from weir watch or weir-run -r", path,
		    loss->first, loss->reason);
	if (loss->n > 1)
		snprintf(more, sizeof(more), ", and parts of %lu more lines", loss->n - 1);
	warn("%s, line %lu: %s. Skipped this%s", path, loss->first, loss->reason, more);
}

void report_read(struct report *report, const char *path)
{
	FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
	unsigned long number = 0, n_taken = 0, back = 0;
	double before = -INFINITY;
	struct loss loss = { 0 };
	char *text = NULL;
	size_t size = 0;

	*report = (struct report){ .begin = INFINITY, .end = -INFINITY };
	if (!file)
		die("cannot read %s: %s", path, strerror(errno));
	while (getline(&text, &size, file) > 0) {
		struct line line = { .report = report, .t = NAN, .at = NAN };

		number++;
		if (!text[strspn(text, " \t\r\n")])
			continue;
		if (read_line(&line, text)) {
			n_taken++;
			if (line.t < before && !back)
				back = number;
			before = line.t;
		}
		if (line.reason[0])
			loss_add(&loss, number, line.reason);
	}
	if (ferror(file))
		die("cannot read %s: %s", path, strerror(errno));
	if (!n_taken && !loss.n)
		die("%s is empty", path);
	loss_report(&loss, path, !n_taken);
	if (back)
		warn("%s, line %lu: the time jumps back, as after a restart of weir. The lines "
		     "from there on are drawn over the earlier ones",
		     path, back);
	free(text);
	if (file != stdin)
		fclose(file);
}

void report_finish(struct report *report)
{
	for (uint32_t i = 0; i < report->n; i++) {
		free(report->series[i].t);
		free(report->series[i].value);
	}
}
