/* SPDX-License-Identifier: MIT */
#include "page.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define HOLD_SECONDS 2.0
#define FIELD_COLUMNS 32  /* at least */
#define STALE_SECONDS 1.0 /* before the latest report */
#define SILENCE_DB (-200.0f)
#define N_SECTIONS (sizeof(sections) / sizeof(sections[0]))

static const struct section *const sections[] = {
	&section_capture, &section_meters,   &section_numbers,
	&section_inputs,  &section_spectrum, &section_labels,
};

bool page_is_in(const struct page *page, const struct field *field)
{
	return page->fields.unit && field->known && field->known->display.panel;
}

bool page_is_stale(const struct page *page, const struct field *field)
{
	return !(fabs(page->t - field->t) <= STALE_SECONDS);
}

float page_get(const struct page *page, const struct field *field, uint32_t i)
{
	return field && i < field->count && !page_is_stale(page, field) ? field->value[i] : NAN;
}

/* A unit counts since its reset. Where it has none, the page does. */
float page_get_max(const struct page *page, const struct field *field, uint32_t i)
{
	const float latest = page_get(page, field, i);

	if (isnan(latest) || !field->known || !field->known->maximum_of || i >= PAGE_MAX_CHANNELS)
		return latest;
	return field->known->hold || page->counts ? page->max[field - page->fields.field][i]
						  : latest;
}

uint32_t page_find_panel(const struct page *page, enum weir_panel_kind kind, uint32_t n)
{
	const struct weir_unit *unit = page->fields.unit;

	for (uint32_t i = 0; unit && i < unit->n_panels; i++)
		if (unit->panels[i].kind == kind && n-- == 0)
			return i + 1;
	return 0;
}

const struct weir_field *page_next_field(const struct page *page, uint32_t panel,
					 const struct weir_field *after)
{
	const struct weir_unit *unit = page->fields.unit;
	const struct weir_field *field = after ? after + 1 : unit->fields;

	while (field < unit->fields + unit->n_fields && field->display.panel != panel)
		field++;
	return field < unit->fields + unit->n_fields ? field : NULL;
}

const struct weir_field *page_find_view(const struct page *page, uint32_t panel,
					enum weir_view view)
{
	const struct weir_field *field = NULL;

	if (!panel)
		return NULL;
	do
		field = page_next_field(page, panel, field);
	while (field && field->display.view != view);
	return field;
}

struct field *page_find(struct page *page, const struct weir_field *known)
{
	return known ? fields_find(&page->fields, known->name) : NULL;
}

void page_reset_peaks(struct page *page, bool node_counts)
{
	page->counts = !node_counts;
	for (uint32_t i = 0; i < PAGE_MAX_CHANNELS; i++) {
		page->hold[i] = SILENCE_DB;
		for (uint32_t f = 0; f < FIELDS_MAX; f++)
			page->max[f][i] = -INFINITY;
	}
}

/* Levels of two calibrations do not compare. */
void page_set_calibration(struct page *page, float db)
{
	if (page->calibration_db == db)
		return;
	page->calibration_db = db;
	for (uint32_t f = 0; f < page->fields.n; f++) {
		const struct weir_field *known = page->fields.field[f].known;

		for (uint32_t i = 0; known && known->calibrated && i < PAGE_MAX_CHANNELS; i++)
			page->max[f][i] = -INFINITY;
	}
}

void page_reset(struct page *page)
{
	fields_finish(&page->fields);
	page->fields.n = 0;
	page->fields.unit = NULL;
	page->n_events = 0;
	page->t = 0.0;
	page_reset_peaks(page, true);
}

static void add_event(struct page *page, double t, const char *name, float seconds)
{
	uint32_t i = 0;

	while (i < page->n_events && strcmp(page->event[i].name, name) != 0)
		i++;
	if (i == PAGE_MAX_EVENTS)
		return;
	if (i == page->n_events) {
		page->event[page->n_events++].n = 0;
		strcpy(page->event[i].name, name);
	}
	page->event[i].n++;
	page->event[i].t = t - (double)seconds;
}

/* The field of which this field is the maximum: itself if the node holds the maximum. */
static const struct field *find_source(struct page *page, const struct field *field)
{
	if (!field->known || !field->known->maximum_of)
		return NULL;
	return field->known->hold ? field : fields_find(&page->fields, field->known->maximum_of);
}

static void update_maxima(struct page *page)
{
	for (uint32_t f = 0; f < page->fields.n; f++) {
		const struct field *from = find_source(page, &page->fields.field[f]);

		for (uint32_t i = 0; from && i < from->count && i < PAGE_MAX_CHANNELS; i++)
			page->max[f][i] = fmaxf(page->max[f][i], from->value[i]);
	}
}

static void update_marks(struct page *page, double t)
{
	const uint32_t panel = page_find_panel(page, WEIR_PANEL_METERS, 0);
	const struct field *field = page_find(page, page_find_view(page, panel, WEIR_VIEW_MARK));

	for (uint32_t i = 0; i < PAGE_MAX_CHANNELS; i++) {
		const float peak = page_get(page, field, i);
		const double age = t - page->hold_t[i];

		if (peak < page->hold[i] && age >= 0.0 && age < HOLD_SECONDS)
			continue;
		page->hold[i] = isnan(peak) ? SILENCE_DB : peak;
		page->hold_t[i] = t;
	}
}

void page_update(struct page *page, double t)
{
	page->t = t;
	update_maxima(page);
	for (uint32_t i = 0; i < page->fields.n_events; i++)
		add_event(page, t, page->fields.event[i].name, page->fields.event[i].seconds);
	update_marks(page, t);
}

static int fields_per_row(void)
{
	return screen_columns() < 2 * FIELD_COLUMNS ? 1 : 2;
}

/* Whole numbers, as many as there is room for. */
static void draw_field(const struct page *page, const struct field *field, int row, int column,
		       int columns)
{
	const uint32_t count = page_is_stale(page, field) ? 0 : field->count;
	const int end = column + columns - 1;
	char text[FIELD_MAX_NAME];
	int length = snprintf(text, sizeof(text), "%-16s", field->name);

	screen_print(row, column, SCREEN_PLAIN, "%.*s%s", columns - 1, text, count ? "" : " --");
	for (uint32_t i = 0; i < count; i++) {
		const int more = i + 1 < count ? 2 : 0;

		column += length;
		length = snprintf(text, sizeof(text), isfinite(field->value[i]) ? " %.4g" : " --",
				  (double)field->value[i]);
		if (column + length + more > end) {
			screen_more(row, column + 1 < end ? column + 1 : end - 1);
			return;
		}
		screen_print(row, column, SCREEN_PLAIN, "%s", text);
	}
}

static void draw_list(struct page *page, int row, int rows)
{
	const int per_row = fields_per_row(), columns = screen_columns() / per_row;
	int n = 0;

	for (uint32_t i = 0; i < page->fields.n && n < per_row * rows; i++) {
		if (page_is_in(page, &page->fields.field[i]))
			continue;
		draw_field(page, &page->fields.field[i], row + n / per_row,
			   1 + n % per_row * columns, columns);
		n++;
	}
}

static int count_list(const struct page *page)
{
	int n = 0;

	for (uint32_t i = 0; i < page->fields.n; i++)
		n += !page_is_in(page, &page->fields.field[i]);
	return (n + fields_per_row() - 1) / fields_per_row();
}

/* In the last row. */
static void draw_events(const struct page *page, int row)
{
	int column = 1;

	for (uint32_t i = 0; i < page->n_events; i++) {
		const struct page_event *event = &page->event[i];
		const double age = page->t - event->t;
		char text[80];
		const int length = snprintf(text, sizeof(text), " %s %llu ", event->name,
					    (unsigned long long)event->n);

		screen_print(row, column, age >= 0.0 && age < 0.3 ? SCREEN_CHOSEN : SCREEN_WEAK,
			     "%s", text);
		column += length + 1;
	}
}

static int max_of(int a, int b)
{
	return a > b ? a : b;
}

/* The list gets the rows that the sections leave, and sections that grow get the rest. */
void page_draw(struct page *page, int row, int rows)
{
	const int list = count_list(page), end = row + rows - (page->n_events ? 2 : 0);
	int needed = list, n_growing = 0, spare;

	for (size_t i = 0; i < N_SECTIONS; i++) {
		const int n = sections[i]->get_rows(page);

		needed += n ? n + 1 : 0;
		n_growing += n && sections[i]->grows;
	}
	spare = max_of(end - row - needed, 0);
	for (size_t i = 0; i < N_SECTIONS; i++) {
		int n = sections[i]->get_rows(page);

		if (n && sections[i]->grows)
			n += spare / n_growing;
		if (n && row + n <= end) {
			sections[i]->draw(page, row, n);
			row += n + 1;
		}
	}
	if (row < end)
		draw_list(page, row, end - row);
	draw_events(page, end + 1);
}
