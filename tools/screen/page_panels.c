/* SPDX-License-Identifier: MIT */

/* What a unit reports of sound: meters, numbers, a spectrum, notes and words. */

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "page.h"

#define LEFT_OUT_DB 30.0f /* at the lower end of ranges: a terminal has no room for it */
#define LOUD_DB (-18.0f)
#define TOO_LOUD_DB (-6.0f)
#define N_BANDS 31
#define LABEL_COLUMNS 5 /* with the space after it */

#define NAME_COLUMNS 5	  /* left of a meter */
#define SCALE_COLUMNS 8	  /* right of a spectrum */
#define NUMBER_COLUMNS 26 /* right of it */

static float min_db(const struct weir_field *known)
{
	return known->display.min - known->display.max + LEFT_OUT_DB;
}

/* Of the range of levels that is shown, which ends at max. */
static float part_of(const struct weir_field *known, float level)
{
	const float db = level - known->display.max, min = min_db(known);

	return db > min ? fminf(1.0f - db / min, 1.0f) : 0.0f;
}

static float calibration_of(const struct page *page, const struct weir_field *known)
{
	return known->calibrated ? page->calibration_db : 0.0f;
}

static int meter_columns(void)
{
	return screen_columns() - NAME_COLUMNS - NUMBER_COLUMNS;
}

static enum screen_style style_of(float db)
{
	if (db >= TOO_LOUD_DB)
		return SCREEN_TOO_LOUD;
	return db >= LOUD_DB ? SCREEN_LOUD : SCREEN_GOOD;
}

/* What the panel of meters is drawn of; bar is NULL when there is none. */
struct meters {
	const struct weir_field *bar, *mark, *number;
};

static struct meters find_meters(const struct page *page)
{
	const uint32_t panel = page_find_panel(page, WEIR_PANEL_METERS, 0);

	return (struct meters){
		.bar = page_find_view(page, panel, WEIR_VIEW_BAR),
		.mark = page_find_view(page, panel, WEIR_VIEW_MARK),
		.number = page_find_view(page, panel, WEIR_VIEW_NUMBER),
	};
}

/* As many labels as stay apart. */
static void draw_scale(const struct meters *meters, int row)
{
	const int columns = meter_columns(), min = (int)min_db(meters->bar);
	int step = 10;

	while (columns * step < LABEL_COLUMNS * -min && step < -min)
		step += step == 30 ? 30 : 10;
	for (int db = min; db <= 0; db += step)
		screen_print(row,
			     NAME_COLUMNS +
				     (int)(part_of(meters->bar, (float)db) * (float)columns) -
				     (db ? 1 : 0),
			     SCREEN_WEAK, "%d", db);
	screen_print(row, NAME_COLUMNS + columns + 2, SCREEN_WEAK, "%6s%8s%6s dB",
		     meters->bar->display.label, meters->mark->display.label,
		     meters->number->display.label);
}

static void print_db(int row, int column, float db)
{
	if (isfinite(db))
		screen_print(row, column, SCREEN_PLAIN, "%6.1f", (double)db);
	else
		screen_print(row, column, SCREEN_PLAIN, "    --");
}

/* In three pieces, so that each has its colour. */
static void draw_meter(struct page *page, const struct meters *meters, int row, uint32_t channel)
{
	const int columns = meter_columns();
	const float level = page_get(page, page_find(page, meters->bar), channel) -
			    calibration_of(page, meters->bar);
	const float hold = page->hold[channel];
	const float limits[] = { LOUD_DB, TOO_LOUD_DB, 0.0f };
	const int mark = (int)(part_of(meters->bar, hold) * (float)(columns - 1));
	int from = 0;

	screen_print(row, 1, SCREEN_STRONG, "%3u", channel + 1);
	for (int i = 0; i < 3; i++) {
		const int to = (int)(part_of(meters->bar, limits[i]) * (float)columns);
		const float filled = part_of(meters->bar, level) * (float)columns - (float)from;

		screen_bar(row, NAME_COLUMNS + from, to - from, filled / (float)(to - from),
			   style_of(limits[i] - 1.0f));
		from = to;
	}
	if (hold > min_db(meters->bar))
		screen_print(row, NAME_COLUMNS + mark, style_of(hold), "|");
	print_db(row, NAME_COLUMNS + columns + 2, level);
	print_db(row, NAME_COLUMNS + columns + 10,
		 page_get(page, page_find(page, meters->mark), channel));
	print_db(row, NAME_COLUMNS + columns + 18,
		 page_get_max(page, page_find(page, meters->number), channel));
}

static int meters_rows(struct page *page)
{
	const struct meters meters = find_meters(page);
	const struct field *mark = page_find(page, meters.mark);

	if (!mark || !meters.number || !page_find(page, meters.bar))
		return 0;
	return 1 + (mark->count < 8 ? (int)mark->count : 8);
}

static void meters_draw(struct page *page, int row, int rows)
{
	const struct meters meters = find_meters(page);

	draw_scale(&meters, row);
	for (int i = 1; i < rows; i++)
		draw_meter(page, &meters, row + i, (uint32_t)i - 1);
}

const struct section section_meters = { meters_rows, meters_draw, false };

/* The n-th panel of numbers, from 0 on, of which the first field is there; 0: no more. */
static uint32_t find_numbers(struct page *page, int n)
{
	uint32_t panel;

	for (uint32_t i = 0; (panel = page_find_panel(page, WEIR_PANEL_NUMBERS, i)); i++)
		if (page_find(page, page_next_field(page, panel, NULL)) && n-- == 0)
			return panel;
	return 0;
}

static int numbers_rows(struct page *page)
{
	int n = 0;

	while (find_numbers(page, n))
		n++;
	return n;
}

/* Of the channel in which it is highest. */
static float highest(const struct page *page, const struct field *field)
{
	float value = page_get_max(page, field, 0);

	for (uint32_t i = 1; !isnan(page_get_max(page, field, i)); i++)
		value = fmaxf(value, page_get_max(page, field, i));
	return value;
}

/* A row of values, each behind its own label. */
static void draw_numbers(struct page *page, uint32_t panel, int row)
{
	const struct weir_field *known = NULL;

	screen_print(row, 1, SCREEN_STRONG, "%s", page->fields.unit->panels[panel - 1].title);
	for (int column = 11; (known = page_next_field(page, panel, known)); column += 11) {
		if (column + 10 > screen_columns()) {
			screen_more(row, column);
			break;
		}
		print_db(row, column + 4, highest(page, page_find(page, known)));
		screen_print(row, column, SCREEN_WEAK, "%s", known->display.label);
	}
}

static void numbers_draw(struct page *page, int row, int rows)
{
	for (int i = 0; i < rows; i++)
		draw_numbers(page, find_numbers(page, i), row + i);
}

const struct section section_numbers = { numbers_rows, numbers_draw, false };

static const struct weir_field *find_spectrum(const struct page *page)
{
	return page_find_view(page, page_find_panel(page, WEIR_PANEL_SPECTRUM, 0),
			      WEIR_VIEW_THIRDS);
}

static int spectrum_rows(struct page *page)
{
	return page_find(page, find_spectrum(page)) ? 5 : 0;
}

static void draw_spectrum_scale(const struct weir_field *known, float calibration_db, int row,
				int rows, int columns)
{
	static const struct {
		int band;
		const char *label;
	} labels[] = { { 2, "31" },  { 5, "63" },  { 8, "125" }, { 11, "250" }, { 14, "500" },
		       { 17, "1k" }, { 20, "2k" }, { 23, "4k" }, { 26, "8k" },	{ 29, "16k" } };
	const int right = NAME_COLUMNS + columns * N_BANDS + 1;
	const bool has_room = right + SCALE_COLUMNS <= screen_columns();
	const float top = known->display.max + calibration_db;

	for (size_t i = 0; i<sizeof(labels) / sizeof(labels[0]); i += columns> 1 ? 1 : 2)
		screen_print(row + rows - 1, NAME_COLUMNS + columns * labels[i].band, SCREEN_WEAK,
			     "%s", labels[i].label);
	screen_print(row, right, SCREEN_WEAK, "%g%s%s", (double)top, has_room ? " " : "",
		     has_room ? known->unit : "");
	screen_print(row + rows - 2, right, SCREEN_WEAK, "%g%s%s", (double)(min_db(known) + top),
		     has_room ? " " : "", has_room ? known->unit : "");
}

/*
 * As many columns as there are for each third octave from 20 Hz to 20 kHz, of the channel in which
 * it is highest.
 */
static void spectrum_draw(struct page *page, int row, int rows)
{
	const struct weir_field *known = find_spectrum(page);
	const struct field *field = page_find(page, known);
	const float calibration_db = calibration_of(page, known);
	const bool is_stale = page_is_stale(page, field);
	const int room = (screen_columns() - NAME_COLUMNS - SCALE_COLUMNS) / N_BANDS;
	const int columns = room > 1 ? room : 1;

	for (uint32_t band = 0; band < N_BANDS && !is_stale; band++) {
		float db = -INFINITY;

		for (uint32_t i = band; i < field->count; i += N_BANDS)
			db = fmaxf(db, field->value[i] - calibration_db);
		screen_column(row + rows - 2, NAME_COLUMNS + columns * (int)band, columns, rows - 1,
			      part_of(known, db), style_of(db));
	}
	draw_spectrum_scale(known, calibration_db, row, rows, columns);
}

const struct section section_spectrum = { spectrum_rows, spectrum_draw, true };

/* "A4 +12": the nearest note of equal temperament, and cents. */
static void print_note(char *text, size_t size, float hz)
{
	static const char *const notes[] = { "C",  "C#", "D",  "D#", "E",  "F",
					     "F#", "G",	 "G#", "A",  "A#", "B" };
	const float number = 69.0f + 12.0f * log2f(hz / 440.0f);
	const int nearest = (int)lroundf(number);

	snprintf(text, size, "%s%d %+3.0f", notes[(nearest % 12 + 12) % 12], nearest / 12 - 1,
		 (double)(100.0f * (number - (float)nearest)));
}

/* Of the confidence that follows the field in its panel, if one does. */
static void add_confidence(struct page *page, const struct weir_field *known, char *text,
			   size_t size)
{
	const size_t used = strlen(text);
	const struct weir_field *next = page_next_field(page, known->display.panel, known);

	if (next && next->display.view == WEIR_VIEW_CONFIDENCE)
		snprintf(text + used, size - used, " (%.2f)",
			 (double)page_get(page, page_find(page, next), 0));
}

static void draw_note(struct page *page, const struct weir_field *known, int row, int column)
{
	const float hz = page_get(page, page_find(page, known), 0);
	char note[32], text[80];

	if (!(hz > 0.0f)) {
		screen_print(row, column, SCREEN_WEAK, "     --");
		return;
	}
	print_note(note, sizeof(note), hz);
	snprintf(text, sizeof(text), "%7.1f %s  %s", (double)hz, known->unit, note);
	add_confidence(page, known, text, sizeof(text));
	screen_print(row, column, SCREEN_PLAIN, "%s", text);
}

static void draw_number(struct page *page, const struct weir_field *known, int row, int column)
{
	const float value = page_get(page, page_find(page, known), 0);
	char text[80];

	if (!(value > 0.0f)) {
		screen_print(row, column, SCREEN_WEAK, "   --");
		return;
	}
	snprintf(text, sizeof(text), "%5.1f %s", (double)value, known->unit);
	add_confidence(page, known, text, sizeof(text));
	screen_print(row, column, SCREEN_PLAIN, "%s", text);
}

static void draw_word(struct page *page, const struct weir_field *known, int row, int column)
{
	const bool is_so = page_get(page, page_find(page, known), 0) > 0.5f;
	const char *word = known->display.words[is_so].text;

	screen_print(row, column, is_so ? SCREEN_CHOSEN : SCREEN_WEAK, is_so ? " %s " : "%s", word);
}

/* How each view is drawn, in what order, and the columns that it takes behind its label. */
static const struct {
	enum weir_view view;
	void (*draw)(struct page *page, const struct weir_field *known, int row, int column);
	int columns;
} label_views[] = {
	{ WEIR_VIEW_NOTE, draw_note, 27 },
	{ WEIR_VIEW_NUMBER, draw_number, 19 },
	{ WEIR_VIEW_WORD, draw_word, 9 },
};

static int labels_rows(struct page *page)
{
	const uint32_t panel = page_find_panel(page, WEIR_PANEL_LABELS, 0);
	const struct weir_field *known = NULL;

	while (panel && (known = page_next_field(page, panel, known)))
		if (known->display.label[0] && page_find(page, known))
			return 1;
	return 0;
}

/* The first one is below the values of panels above. */
static void labels_draw(struct page *page, int row, int rows)
{
	const uint32_t panel = page_find_panel(page, WEIR_PANEL_LABELS, 0);
	const struct weir_field *known;
	int column = 1;

	(void)rows;
	for (size_t v = 0; v < sizeof(label_views) / sizeof(label_views[0]); v++) {
		known = NULL;
		while ((known = page_next_field(page, panel, known))) {
			int at = column + (int)strlen(known->display.label) + 1;

			if (known->display.view != label_views[v].view)
				continue;
			at = at < 11 ? 11 : at;
			screen_print(row, column, SCREEN_STRONG, "%s", known->display.label);
			label_views[v].draw(page, known, row, at);
			column = at + label_views[v].columns;
		}
	}
}

const struct section section_labels = { labels_rows, labels_draw, false };
