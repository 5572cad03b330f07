/* SPDX-License-Identifier: MIT */
#include "series.h"

#include <errno.h>
#include <math.h>
#include <spa/utils/json.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"

#define MOST_VALUES 4096 /* of a field at a time */

/* A line as it is read: its time may come behind its values. */
struct line {
	double t, at;
	char event[48];
};

struct series *report_find(struct report *report, const char *name)
{
	for (uint32_t i = 0; i < report->n; i++)
		if (strcmp(report->series[i].name, name) == 0)
			return &report->series[i];
	return NULL;
}

/* NULL: too many, or of another count than before. */
static struct series *series_get(struct report *report, const char *name, uint32_t count)
{
	struct series *series = report_find(report, name);

	if (!series && report->n < SERIES_MAX) {
		series = &report->series[report->n++];
		*series = (struct series){ .count = count };
		snprintf(series->name, sizeof(series->name), "%s", name);
	}
	return series && series->count == count ? series : NULL;
}

static void series_add(struct series *series, double t, const float *value)
{
	if (series->n == series->room) {
		series->room = series->room ? 2 * series->room : 1024;
		series->t = realloc(series->t, series->room * sizeof(series->t[0]));
		series->value = realloc(series->value, series->room * (series->count + 1) *
							       sizeof(series->value[0]));
		if (!series->t || !series->value)
			fail("%s", strerror(errno));
	}
	series->t[series->n] = t;
	for (uint32_t i = 0; i < series->count; i++)
		series->value[series->n * series->count + i] = value[i];
	series->n++;
}

static float read_number(const char *text, int length)
{
	float value;

	return spa_json_parse_float(text, length, &value) > 0 ? value : NAN;
}

/* Returns how many there are. */
static uint32_t read_values(struct spa_json *object, const char *text, int length, float *value)
{
	struct spa_json array;
	uint32_t n = 0;

	if (!spa_json_is_array(text, length)) {
		value[0] = read_number(text, length);
		return 1;
	}
	spa_json_enter(object, &array);
	while (n < MOST_VALUES && (length = spa_json_next(&array, &text)) > 0)
		value[n++] = read_number(text, length);
	return n;
}

static void read_member(struct report *report, struct line *line, struct spa_json *object,
			const char *key)
{
	static float value[MOST_VALUES];
	const char *text;
	const int length = spa_json_next(object, &text);
	struct series *series;
	uint32_t n;

	if (length <= 0)
		return;
	if (strcmp(key, "ev") == 0) {
		spa_json_parse_stringn(text, length, line->event, sizeof(line->event));
		return;
	}
	n = read_values(object, text, length, value);
	if (strcmp(key, "t") == 0)
		line->t = (double)value[0];
	else if (strcmp(key, "at") == 0)
		line->at = (double)value[0];
	else if (strcmp(key, "lost") == 0)
		strcpy(line->event, "lost");
	else if (n && (series = series_get(report, key, n)))
		series_add(series, line->t, value);
}

/* Returns whether it is an object with a time. */
static bool read_line(struct report *report, const char *text)
{
	struct line line = { .t = NAN, .at = NAN };
	struct spa_json json, object;
	struct series *series;
	char key[48];

	spa_json_init(&json, text, strlen(text));
	if (spa_json_enter_object(&json, &object) <= 0)
		return false;
	while (spa_json_get_string(&object, key, sizeof(key)) > 0)
		read_member(report, &line, &object, key);
	if (isnan(line.t))
		return false;
	if (line.event[0] && (series = series_get(report, line.event, 0)))
		series_add(series, isnan(line.at) ? line.t : line.at, NULL);
	report->begin = fmin(report->begin, line.t);
	report->end = fmax(report->end, line.t);
	return true;
}

void report_read(struct report *report, const char *path)
{
	FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
	unsigned long number = 0;
	char *line = NULL;
	size_t size = 0;

	*report = (struct report){ .begin = INFINITY, .end = -INFINITY };
	if (!file)
		fail("cannot read %s: %s", path, strerror(errno));
	while (getline(&line, &size, file) > 0) {
		number++;
		if (!read_line(report, line))
			fail("%s, line %lu: no report. It must be what weir watch or weir-run -r "
			     "writes",
			     path, number);
	}
	if (ferror(file))
		fail("cannot read %s: %s", path, strerror(errno));
	if (!number)
		fail("%s is empty", path);
	free(line);
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
