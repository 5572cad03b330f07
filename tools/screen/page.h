/* SPDX-License-Identifier: MIT */
#ifndef WEIR_SCREEN_PAGE_H
#define WEIR_SCREEN_PAGE_H

#include <stdbool.h>

#include "screen.h"
#include "tools/report/fields.h"

/*
 * What is shown of a node: sections, each for fields that it knows by name, as far as the node
 * reports them and there is room. What no section knows stands in a list.
 */

#define PAGE_MAX_CHANNELS 64
#define PAGE_MAX_EVENTS 16
#define PAGE_N_MAXIMA 10

struct page_event {
	char name[FIELD_MAX_NAME];
	uint64_t n;
	double t; /* s of the graph */
};

struct page {
	struct fields fields;
	uint32_t n_channels;
	double t; /* of the latest hop, s of the graph; 0: none yet */

	float hold[PAGE_MAX_CHANNELS]; /* dB, the highest peak of late */
	double hold_t[PAGE_MAX_CHANNELS];
	/* Of the fields that page_get_max knows, since the page began or page_reset_peaks. */
	float max[PAGE_N_MAXIMA][PAGE_MAX_CHANNELS];
	bool counts; /* also what the node counts itself */
	struct page_event event[PAGE_MAX_EVENTS];
	uint32_t n_events;

	float calibration_db; /* in the node's levels, not in its peaks and loudness */
	const char *capture_state, *capture_streams; /* NULL: it captures nothing */
};

/* A part of a page, with the fields that it draws. */
struct section {
	int (*get_rows)(struct page *page);
	void (*draw)(struct page *page, int row, int rows);
	bool (*has_field)(const char *name);
	bool grows; /* into rows that nobody else needs */
};

extern const struct section section_meters, section_levels, section_spectrum, section_music,
	section_align, section_capture;

/* Forgets everything of the node. */
void page_reset(struct page *page);
/* All maxima begin anew; node_counts: the node's too, by itself. */
void page_reset_peaks(struct page *page, bool node_counts);
void page_set_calibration(struct page *page, float db);

/* After a hop was read. */
void page_update(struct page *page, double t);

/* Into the rows from `row` on. */
void page_draw(struct page *page, int row, int rows);

/* Has the node stopped reporting it? Then its value is as good as unknown. */
bool page_is_stale(const struct page *page, const struct field *field);
/* A field's value, NAN when there is none. */
float page_get(struct page *page, const char *name, uint32_t i);
/* The same, of a maximum the highest that is known. */
float page_get_max(struct page *page, const char *name, uint32_t i);
/* Is it one of these names, up to a NULL? */
bool name_is_one_of(const char *name, const char *const *names);

#endif
