/* SPDX-License-Identifier: MIT */

/* What a unit reports of each of its audio inputs: a state, then a row for each input. */

#include <math.h>

#include "page.h"

#define MAX_INPUTS 4
#define BAR_COLUMNS 30

static uint32_t find_panel(const struct page *page)
{
	return page_find_panel(page, WEIR_PANEL_INPUTS, 0);
}

/* Of the audio input, counted from 1; NAN where there is none. */
static float get_of_input(struct page *page, enum weir_view view, uint32_t input)
{
	const struct weir_field *known = NULL;
	const uint32_t panel = find_panel(page);

	while ((known = page_next_field(page, panel, known))) {
		const uint32_t first = known->display.input;

		if (known->display.view == view && first && input >= first &&
		    input - first < known->count)
			return page_get(page, page_find(page, known), input - first);
	}
	return NAN;
}

static const struct weir_field *find_view(const struct page *page, enum weir_view view)
{
	return page_find_view(page, find_panel(page), view);
}

static int count_inputs(struct page *page)
{
	uint32_t n = 0;

	while (n < MAX_INPUTS && !isnan(get_of_input(page, WEIR_VIEW_BAR, n + 1)))
		n++;
	return (int)n;
}

static int inputs_rows(struct page *page)
{
	const int n = find_panel(page) ? count_inputs(page) : 0;

	return n && page_find(page, find_view(page, WEIR_VIEW_DELAY)) ? n + 3 : 0;
}

static void draw_state(struct page *page, int row)
{
	static const enum screen_style styles[] = {
		[WEIR_NEITHER] = SCREEN_PLAIN,
		[WEIR_GOOD] = SCREEN_GOOD,
		[WEIR_PENDING] = SCREEN_LOUD,
		[WEIR_BAD] = SCREEN_TOO_LOUD,
	};
	const struct weir_field *word = find_view(page, WEIR_VIEW_WORD);
	const struct weir_field *sure = find_view(page, WEIR_VIEW_CONFIDENCE);
	const float state = page_get(page, page_find(page, word), 0);
	const float confidence = page_get(page, page_find(page, sure), 0);

	screen_print(row, 1, SCREEN_STRONG, "%s",
		     page->fields.unit->panels[find_panel(page) - 1].title);
	if (word && state >= 0.0f && state < (float)word->display.n_words)
		screen_print(row, 13, styles[word->display.words[(int)state].quality], "%s",
			     word->display.words[(int)state].text);
	if (sure)
		screen_print(row, 42, SCREEN_WEAK, "%s", sure->display.label);
	screen_bar(row, 54, 18, confidence, SCREEN_GOOD);
	if (!isnan(confidence))
		screen_print(row, 73, SCREEN_PLAIN, "%.2f", (double)confidence);
}

static void draw_label(const struct page *page, int row, int column, int columns,
		       enum weir_view view)
{
	const struct weir_field *known = find_view(page, view);

	if (known)
		screen_print(row, column, SCREEN_WEAK, "%*s", columns, known->display.label);
}

static void draw_labels(const struct page *page, int row)
{
	screen_print(row, 1, SCREEN_WEAK, "mic  %s", find_view(page, WEIR_VIEW_BAR)->display.label);
	draw_label(page, row, 42, 9, WEIR_VIEW_NUMBER);
	draw_label(page, row, 53, 8, WEIR_VIEW_DELAY);
	draw_label(page, row, 61, 13, WEIR_VIEW_DRIFT);
}

/* Delays of the other inputs are relative to the first one. */
static void draw_input(struct page *page, int row, uint32_t input)
{
	const struct weir_field *bar = find_view(page, WEIR_VIEW_BAR);
	const struct weir_field *number = find_view(page, WEIR_VIEW_NUMBER);
	const struct weir_field *sign = find_view(page, WEIR_VIEW_SIGN);
	const float value = get_of_input(page, WEIR_VIEW_BAR, input);
	const float part = (value - bar->display.min) / (bar->display.max - bar->display.min);
	const float delay = get_of_input(page, WEIR_VIEW_DELAY, input);
	const bool is_negative = sign && get_of_input(page, WEIR_VIEW_SIGN, input) < 0.0f;

	screen_print(row, 1, SCREEN_STRONG, "%3u", input);
	screen_bar(row, 6, BAR_COLUMNS, part, SCREEN_GOOD);
	screen_print(row, 37, SCREEN_PLAIN, "%5.2f", (double)value);
	if (number)
		screen_print(row, 42, SCREEN_PLAIN, " %6.1f %s",
			     (double)get_of_input(page, WEIR_VIEW_NUMBER, input), number->unit);
	if (input == 1)
		return;
	if (isnan(delay))
		screen_print(row, 53, SCREEN_WEAK, "       --           --");
	else
		screen_print(row, 53, SCREEN_PLAIN, "%9.3f ms %7.1f ppm%s%s",
			     1000.0 * (double)delay,
			     (double)get_of_input(page, WEIR_VIEW_DRIFT, input),
			     is_negative ? " " : "", is_negative ? sign->display.label : "");
}

static void inputs_draw(struct page *page, int row, int rows)
{
	draw_state(page, row);
	draw_labels(page, row + 2);
	for (int i = 1; i <= rows - 3; i++)
		draw_input(page, row + 2 + i, (uint32_t)i);
}

const struct section section_inputs = { inputs_rows, inputs_draw, false };
