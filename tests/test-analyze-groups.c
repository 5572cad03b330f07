/* SPDX-License-Identifier: MIT */

/* Groups of the analyze units: what they hear of several channels, and that they begin anew. */

#include <math.h>
#include <string.h>

#include "analyst.h"
#include "check.h"

#define RATE 48000
#define MAX_FRAMES (5 * RATE)

static const char *const groups[] = {
	"levels", "loudness", "thirds", "features", "rhythm", "pitch", "voice",
};

static float sound[ANALYST_CHANNELS + 1][MAX_FRAMES];

static void groups_switch(struct analyst *analyst, float on)
{
	for (uint32_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		*analyst_control(analyst, groups[i]) = on;
}

static uint32_t field_find(const struct analyst *analyst, const char *name)
{
	uint32_t i = 0;

	while (i < analyst->unit->n_fields && strcmp(analyst->unit->fields[i].name, name) != 0)
		i++;
	CHECK(i < analyst->unit->n_fields);
	return i;
}

/* The fields from that one on. */
static void check_equal(const struct analyst *a, uint32_t report_a, const struct analyst *b,
			uint32_t report_b, const char *first)
{
	for (uint32_t i = field_find(a, first); i < a->unit->n_fields; i++) {
		const struct weir_field *field = &a->unit->fields[i];

		for (uint32_t k = 0; k < field->count; k++) {
			const float x = analyst_value(a, report_a, field->name, k);
			const float y = analyst_value(b, report_b, field->name, k);

			if (x != y && !(isnan(x) && isnan(y)))
				fprintf(stderr, "%s: %g is not %g in report %u\n", field->name,
					(double)x, (double)y, report_b);
			CHECK(x == y || (isnan(x) && isnan(y)));
		}
	}
}

/*
 * Another overtone of 200 Hz in each channel, struck twice per second and a little later than in
 * the one before; then their mean. Whole numbers of 1 / 65536, so that sums are exact in any order.
 */
static void channels_fill(uint32_t n_channels, uint32_t n)
{
	for (uint32_t f = 0; f < n; f++) {
		float sum = 0.0f;

		for (uint32_t c = 0; c < n_channels; c++) {
			const double t = (double)f / RATE;
			const double struck = exp(-4.0 * fmod(t + 0.5 - 0.01 * c, 0.5));

			sound[c][f] = (float)(round(16384.0 * struck *
						    sin(2.0 * M_PI * 200.0 * (c + 2) * t)) /
					      65536.0);
			sum += sound[c][f];
		}
		sound[n_channels][f] = sum / (float)n_channels;
	}
}

static void test_what_is_not_of_channels_is_of_their_mean(const char *unit)
{
	const uint32_t n = 3 * RATE;
	const float *channel[ANALYST_CHANNELS];
	struct analyst each, mean;

	analyst_init(&each, unit, RATE);
	analyst_init(&mean, "analyze-mono", RATE);
	groups_switch(&each, 1.0f);
	groups_switch(&mean, 1.0f);
	for (uint32_t c = 0; c < each.n_channels; c++)
		channel[c] = sound[c];
	channels_fill(each.n_channels, n);
	analyst_play_each(&each, channel, n);
	analyst_play(&mean, sound[each.n_channels], n);
	CHECK(each.n == 300 && mean.n == each.n);
	for (uint32_t i = 0; i < each.n; i++)
		check_equal(&each, i, &mean, i, "zcr");
	CHECK(fabsf(analyst_last(&mean, "f0", 0) - 200.0f) < 1.0f);
	CHECK(!isnan(analyst_max(&mean, "onset", 1.0, 3.0)));
	CHECK(!isnan(analyst_last(&mean, "bpm", 0)));
	analyst_finish(&each);
	analyst_finish(&mean);
}

/* Before it is off, and while it is, the sound is another one. */
static void test_a_group_begins_anew_when_it_is_switched_on(void)
{
	struct analyst again, first;
	uint32_t off, on;

	channels_fill(1, MAX_FRAMES);
	analyst_init(&again, "analyze", RATE);
	analyst_init(&first, "analyze", RATE);
	again.gain[0] = first.gain[0] = 0.5f;
	groups_switch(&again, 1.0f);
	analyst_play(&again, sound[0] + RATE / 5, 3 * RATE);
	off = again.n;
	groups_switch(&again, 0.0f);
	analyst_play(&again, sound[0] + RATE / 5, RATE);
	on = again.n;
	for (uint32_t i = off; i < on; i++)
		for (uint32_t k = 0; k < again.unit->n_fields; k++)
			CHECK(isnan(analyst_value(&again, i, again.unit->fields[k].name, 0)));

	groups_switch(&again, 1.0f);
	groups_switch(&first, 1.0f);
	analyst_play(&again, sound[0], MAX_FRAMES);
	analyst_play(&first, sound[0], MAX_FRAMES);
	CHECK(first.n == 500 && again.n == on + first.n);
	for (uint32_t i = 0; i < first.n; i++)
		check_equal(&again, on + i, &first, i, "peak");
	CHECK(!isnan(analyst_last(&first, "lra", 0)) && !isnan(analyst_last(&first, "bpm", 0)));
	analyst_finish(&again);
	analyst_finish(&first);
}

int main(void)
{
	test_what_is_not_of_channels_is_of_their_mean("analyze");
	test_what_is_not_of_channels_is_of_their_mean("analyze-8");
	test_a_group_begins_anew_when_it_is_switched_on();
	return 0;
}
