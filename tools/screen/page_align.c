/* SPDX-License-Identifier: MIT */

/* What the alignment of microphones reports: lag, drift, lock, and how they are weighted. */

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "page.h"

#define MOST_MICS 4
#define WEIGHT_COLUMNS 30

static const char *const single[] = { "delay_s",  "sro_ppm", "locked", "confidence",
				      "polarity", "state",   NULL };

/* "weight1", "snr2" */
static float get_of_mic(struct page *page, const char *name, int mic)
{
	char full[32];

	snprintf(full, sizeof(full), "%s%d", name, mic);
	return page_get(page, full, 0);
}

static bool align_has(const char *name)
{
	const char *digits = strpbrk(name, "0123456789");

	return name_is_one_of(name, single) ||
	       (digits && (strncmp(name, "weight", 6) == 0 || strncmp(name, "snr", 3) == 0));
}

static int count_mics(struct page *page)
{
	int n = 0;

	while (n < MOST_MICS && !isnan(get_of_mic(page, "weight", n + 1)))
		n++;
	return n;
}

static int align_rows(struct page *page)
{
	const int n = count_mics(page);

	return n && fields_find(&page->fields, "delay_s") ? n + 3 : 0;
}

static void draw_state(struct page *page, int row)
{
	static const struct {
		const char *name;
		enum screen_style style;
	} states[] = { { "searching", SCREEN_LOUD },
		       { "LOCKED", SCREEN_GOOD },
		       { "coasting: nobody speaks", SCREEN_GOOD },
		       { "one microphone only", SCREEN_TOO_LOUD } };
	const float state = page_get(page, "state", 0);
	const float confidence = page_get(page, "confidence", 0);

	screen_print(row, 1, SCREEN_STRONG, "Alignment");
	if (state >= 0.0f && state < 4.0f)
		screen_print(row, 13, states[(int)state].style, "%s", states[(int)state].name);
	screen_print(row, 42, SCREEN_WEAK, "confidence");
	screen_bar(row, 54, 18, confidence, SCREEN_GOOD);
	if (!isnan(confidence))
		screen_print(row, 73, SCREEN_PLAIN, "%.2f", (double)confidence);
}

/* The first microphone is what the others are later than. */
static void draw_mic(struct page *page, int row, int mic)
{
	const float weight = get_of_mic(page, "weight", mic);
	const uint32_t other = mic > 1 ? (uint32_t)mic - 2 : 0;
	const float delay = page_get(page, "delay_s", other);

	screen_print(row, 1, SCREEN_STRONG, "%3d", mic);
	screen_bar(row, 6, WEIGHT_COLUMNS, weight, SCREEN_GOOD);
	screen_print(row, 37, SCREEN_PLAIN, "%5.2f %6.1f dB", (double)weight,
		     (double)get_of_mic(page, "snr", mic));
	if (mic == 1)
		return;
	if (isnan(delay))
		screen_print(row, 53, SCREEN_WEAK, "       --           --");
	else
		screen_print(row, 53, SCREEN_PLAIN, "%9.3f ms %7.1f ppm%s", 1000.0 * (double)delay,
			     (double)page_get(page, "sro_ppm", other),
			     page_get(page, "polarity", other) < 0.0f ? " inv" : "");
}

static void align_draw(struct page *page, int row, int rows)
{
	draw_state(page, row);
	screen_print(row + 2, 1, SCREEN_WEAK, "mic  weight");
	screen_print(row + 2, 42, SCREEN_WEAK, "      SNR");
	screen_print(row + 2, 53, SCREEN_WEAK, "     lag        drift");
	for (int mic = 1; mic <= rows - 3; mic++)
		draw_mic(page, row + 2 + mic, mic);
}

const struct section section_align = { align_rows, align_draw, align_has, false };
