/* SPDX-License-Identifier: MIT */
#ifndef WEIR_SCREEN_PAGE_H
#define WEIR_SCREEN_PAGE_H

#include <stdbool.h>

#include "screen.h"
#include "tools/report/fields.h"

/*
 * The page of a node has sections, each for the unit's panels of one kind, if the node reports
 * their fields and there is room. Fields without a panel are in a list.
 */

#define PAGE_MAX_CHANNELS 64
#define PAGE_MAX_EVENTS 16

struct page_event {
	char name[FIELD_MAX_NAME];
	uint64_t n;
	double t; /* s of the graph */
};

struct page {
	struct fields fields;
	uint32_t n_channels;
	double t; /* of the latest hop, s of the graph; 0: none yet */

	float hold[PAGE_MAX_CHANNELS]; /* dB, the held peak */
	double hold_t[PAGE_MAX_CHANNELS];
	/* Of fields that are a maximum, since the page began or page_reset_peaks. */
	float max[FIELDS_MAX][PAGE_MAX_CHANNELS];
	bool counts; /* the page keeps maxima that a node with a reset would keep */
	struct page_event event[PAGE_MAX_EVENTS];
	uint32_t n_events;

	float calibration_db; /* in the node's levels, not in its peaks and loudness */
	const char *capture_state, *capture_streams; /* NULL: it captures nothing */
};

/* A part of a page. */
struct section {
	int (*get_rows)(struct page *page);
	void (*draw)(struct page *page, int row, int rows);
	bool grows; /* into rows that no other section needs */
};

extern const struct section section_meters, section_numbers, section_spectrum, section_labels,
	section_inputs, section_capture;

/* Forgets everything of the node. */
void page_reset(struct page *page);
/* Resets all maxima; node_counts: the node resets its own. */
void page_reset_peaks(struct page *page, bool node_counts);
void page_set_calibration(struct page *page, float db);

/* After a hop was read. */
void page_update(struct page *page, double t);

/* Into the rows from `row` on. */
void page_draw(struct page *page, int row, int rows);

/* Has the node stopped reporting the field? Then its value counts as unknown. */
bool page_is_stale(const struct page *page, const struct field *field);
/* Is the field drawn in a panel? */
bool page_is_in(const struct page *page, const struct field *field);
/* A field's value, NAN when there is none; field may be NULL. */
float page_get(const struct page *page, const struct field *field, uint32_t i);
/* The same, of a maximum the highest that is known. */
float page_get_max(const struct page *page, const struct field *field, uint32_t i);

/* The n-th panel of the unit of this kind, from 0 on; counted from 1, 0: there is none. */
uint32_t page_find_panel(const struct page *page, enum weir_panel_kind kind, uint32_t n);
/* The next field that the unit has in the panel, after NULL the first one; NULL: no more. */
const struct weir_field *page_next_field(const struct page *page, uint32_t panel,
					 const struct weir_field *after);
/* The panel's first field with this view, NULL: none, or panel is 0. */
const struct weir_field *page_find_view(const struct page *page, uint32_t panel,
					enum weir_view view);
/* The node's report of a field, NULL: none yet, or known is NULL. */
struct field *page_find(struct page *page, const struct weir_field *known);

#endif
