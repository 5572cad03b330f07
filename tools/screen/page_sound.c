/* SPDX-License-Identifier: MIT */

/* What the analysis of sound reports: levels, spectrum, pitch, tempo, voice. */

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "page.h"

#define LEAST_DB (-60.0f)
#define LOUD_DB (-18.0f)
#define TOO_LOUD_DB (-6.0f)
#define LEAST_BAND_DB (-90.0f)
#define N_BANDS 31
#define LABEL_COLUMNS 5 /* with the space after it */

#define NAME_COLUMNS 5	  /* left of a meter */
#define SCALE_COLUMNS 8	  /* right of a spectrum */
#define NUMBER_COLUMNS 26 /* right of it */

static float part_of(float db, float least_db)
{
	return db > least_db ? fminf(1.0f - db / least_db, 1.0f) : 0.0f;
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

/* As many labels as stay apart. */
static void draw_scale(int row)
{
	const int columns = meter_columns();
	int step = 10;

	while (columns * step < LABEL_COLUMNS * -(int)LEAST_DB && step < 60)
		step += step == 30 ? 30 : 10;
	for (int db = (int)LEAST_DB; db <= 0; db += step)
		screen_print(row,
			     NAME_COLUMNS + (int)(part_of((float)db, LEAST_DB) * (float)columns) -
				     (db ? 1 : 0),
			     SCREEN_WEAK, "%d", db);
	screen_print(row, NAME_COLUMNS + columns + 2, SCREEN_WEAK, "   RMS    peak   max dB");
}

static void print_db(int row, int column, float db)
{
	if (isfinite(db))
		screen_print(row, column, SCREEN_PLAIN, "%6.1f", (double)db);
	else
		screen_print(row, column, SCREEN_PLAIN, "    --");
}

/* In three pieces, so that each has its colour. */
static void draw_meter(struct page *page, int row, uint32_t channel)
{
	const int columns = meter_columns();
	const float rms = page_get(page, "rms", channel) - page->calibration_db;
	const float hold = page->hold[channel];
	const float limits[] = { LOUD_DB, TOO_LOUD_DB, 0.0f };
	const int mark = (int)(part_of(hold, LEAST_DB) * (float)(columns - 1));
	int from = 0;

	screen_print(row, 1, SCREEN_STRONG, "%3u", channel + 1);
	for (int i = 0; i < 3; i++) {
		const int to = (int)(part_of(limits[i], LEAST_DB) * (float)columns);
		const float filled = part_of(rms, LEAST_DB) * (float)columns - (float)from;

		screen_bar(row, NAME_COLUMNS + from, to - from, filled / (float)(to - from),
			   style_of(limits[i] - 1.0f));
		from = to;
	}
	if (hold > LEAST_DB)
		screen_print(row, NAME_COLUMNS + mark, style_of(hold), "|");
	print_db(row, NAME_COLUMNS + columns + 2, rms);
	print_db(row, NAME_COLUMNS + columns + 10, page_get(page, "peak", channel));
	print_db(row, NAME_COLUMNS + columns + 18, page_get_max(page, "peak_max", channel));
}

static int count_meters(struct page *page)
{
	const struct field *field = fields_find(&page->fields, "peak");

	if (!field || !fields_find(&page->fields, "rms"))
		return 0;
	return field->count < 8 ? (int)field->count : 8;
}

static int meters_rows(struct page *page)
{
	const int n = count_meters(page);

	return n ? n + 1 : 0;
}

static void meters_draw(struct page *page, int row, int rows)
{
	draw_scale(row);
	for (int i = 1; i < rows; i++)
		draw_meter(page, row + i, (uint32_t)i - 1);
}

static bool meters_has(const char *name)
{
	static const char *const names[] = { "peak", "peak_max", "rms", NULL };

	return name_is_one_of(name, names);
}

const struct section section_meters = { meters_rows, meters_draw, meters_has, false };

/* A row of values, each behind its own label. */
struct level_row {
	const char *title;
	struct {
		const char *label, *name;
	} value[6];
};

static const struct level_row level_rows[] = {
	{ "Loudness",
	  { { "M", "m" },
	    { "S", "s" },
	    { "I", "i" },
	    { "LRA", "lra" },
	    { "Mmax", "m_max" },
	    { "Smax", "s_max" } } },
	{ "Level dB",
	  { { "A", "laf" },
	    { "slow", "las" },
	    { "C", "lcf" },
	    { "slow", "lcs" },
	    { "Z", "lzf" },
	    { "slow", "lzs" } } },
	{ "Max dB",
	  { { "A", "laf_max" },
	    { "slow", "las_max" },
	    { "C", "lcf_max" },
	    { "slow", "lcs_max" },
	    { "Z", "lzf_max" },
	    { "slow", "lzs_max" } } },
	{ "Peak dB", { { "true", "tp" }, { "max", "tp_max" }, { "crest", "crest" } } },
};

#define N_LEVEL_ROWS (int)(sizeof(level_rows) / sizeof(level_rows[0]))

static bool row_has(const struct level_row *row, const char *name)
{
	for (int i = 0; i < 6 && row->value[i].name; i++)
		if (strcmp(row->value[i].name, name) == 0)
			return true;
	return false;
}

static bool levels_has(const char *name)
{
	for (int i = 0; i < N_LEVEL_ROWS; i++)
		if (row_has(&level_rows[i], name))
			return true;
	return false;
}

static bool row_is_there(struct page *page, const struct level_row *row)
{
	return fields_find(&page->fields, row->value[0].name) != NULL;
}

static int levels_rows(struct page *page)
{
	int n = 0;

	for (int i = 0; i < N_LEVEL_ROWS; i++)
		n += row_is_there(page, &level_rows[i]);
	return n;
}

/* Of the channel in which it is highest. */
static float highest(struct page *page, const char *name)
{
	float value = page_get_max(page, name, 0);

	for (uint32_t i = 1; !isnan(page_get_max(page, name, i)); i++)
		value = fmaxf(value, page_get_max(page, name, i));
	return value;
}

static void levels_draw(struct page *page, int row, int rows)
{
	(void)rows;
	for (int i = 0; i < N_LEVEL_ROWS; i++) {
		const struct level_row *level = &level_rows[i];

		if (!row_is_there(page, level))
			continue;
		screen_print(row, 1, SCREEN_STRONG, "%s", level->title);
		for (int v = 0; v < 6 && level->value[v].name; v++) {
			const int column = 11 + 11 * v;

			if (column + 10 > screen_columns()) {
				screen_more(row, column);
				break;
			}
			print_db(row, column + 4, highest(page, level->value[v].name));
			screen_print(row, column, SCREEN_WEAK, "%s", level->value[v].label);
		}
		row++;
	}
}

const struct section section_levels = { levels_rows, levels_draw, levels_has, false };

static bool spectrum_has(const char *name)
{
	return strcmp(name, "oct3") == 0;
}

static int spectrum_rows(struct page *page)
{
	return fields_find(&page->fields, "oct3") ? 5 : 0;
}

static void draw_spectrum_scale(const struct page *page, int row, int rows, int columns)
{
	static const struct {
		int band;
		const char *label;
	} labels[] = { { 2, "31" },  { 5, "63" },  { 8, "125" }, { 11, "250" }, { 14, "500" },
		       { 17, "1k" }, { 20, "2k" }, { 23, "4k" }, { 26, "8k" },	{ 29, "16k" } };
	const int right = NAME_COLUMNS + columns * N_BANDS + 1;
	const char *unit = right + SCALE_COLUMNS <= screen_columns() ? " dB" : "";

	for (size_t i = 0; i<sizeof(labels) / sizeof(labels[0]); i += columns> 1 ? 1 : 2)
		screen_print(row + rows - 1, NAME_COLUMNS + columns * labels[i].band, SCREEN_WEAK,
			     "%s", labels[i].label);
	screen_print(row, right, SCREEN_WEAK, "%g%s", (double)page->calibration_db, unit);
	screen_print(row + rows - 2, right, SCREEN_WEAK, "%g%s",
		     (double)(LEAST_BAND_DB + page->calibration_db), unit);
}

/*
 * As many columns as there are for each third octave from 20 Hz to 20 kHz, of the channel in which
 * it is highest.
 */
static void spectrum_draw(struct page *page, int row, int rows)
{
	const struct field *field = fields_find(&page->fields, "oct3");
	const bool is_stale = page_is_stale(page, field);
	const int room = (screen_columns() - NAME_COLUMNS - SCALE_COLUMNS) / N_BANDS;
	const int columns = room > 1 ? room : 1;

	for (uint32_t band = 0; band < N_BANDS && !is_stale; band++) {
		float db = -INFINITY;

		for (uint32_t i = band; i < field->count; i += N_BANDS)
			db = fmaxf(db, field->value[i] - page->calibration_db);
		screen_column(row + rows - 2, NAME_COLUMNS + columns * (int)band, columns, rows - 1,
			      part_of(db, LEAST_BAND_DB), style_of(db));
	}
	draw_spectrum_scale(page, row, rows, columns);
}

const struct section section_spectrum = { spectrum_rows, spectrum_draw, spectrum_has, true };

static bool music_has(const char *name)
{
	static const char *const names[] = { "f0", "f0_conf", "bpm", "bpm_conf", "vad", NULL };

	return name_is_one_of(name, names);
}

static int music_rows(struct page *page)
{
	return fields_find(&page->fields, "f0") || fields_find(&page->fields, "bpm") ||
	       fields_find(&page->fields, "vad");
}

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

static void music_draw(struct page *page, int row, int rows)
{
	const float f0 = page_get(page, "f0", 0), bpm = page_get(page, "bpm", 0);
	const float vad = page_get(page, "vad", 0);
	char note[32] = "--";

	(void)rows;
	if (f0 > 0.0f)
		print_note(note, sizeof(note), f0);
	screen_print(row, 1, SCREEN_STRONG, "Pitch");
	if (f0 > 0.0f)
		screen_print(row, 11, SCREEN_PLAIN, "%7.1f Hz  %s (%.2f)", (double)f0, note,
			     (double)page_get(page, "f0_conf", 0));
	else
		screen_print(row, 11, SCREEN_WEAK, "     --");
	screen_print(row, 38, SCREEN_STRONG, "Tempo");
	if (bpm > 0.0f)
		screen_print(row, 44, SCREEN_PLAIN, "%5.1f bpm (%.2f)", (double)bpm,
			     (double)page_get(page, "bpm_conf", 0));
	else
		screen_print(row, 44, SCREEN_WEAK, "   --");
	screen_print(row, 63, SCREEN_STRONG, "Voice");
	screen_print(row, 69, vad > 0.5f ? SCREEN_CHOSEN : SCREEN_WEAK, "%s",
		     vad > 0.5f ? " speech " : "--");
}

const struct section section_music = { music_rows, music_draw, music_has, false };
