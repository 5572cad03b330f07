/* SPDX-License-Identifier: MIT */

/* What dsp/unit.h promises, checked for every unit at every rate. */

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "check.h"
#include "dsp/unit.h"
#include "realtime.h"

#define MAX_RATE 96000
#define MAX_FRAMES (MAX_RATE * 5 / 2)
#define MAX_REPORTS 4096
#define MAX_VALUES 1024

static const uint32_t rates[] = { 8000, 44100, 48000, 96000 };

/* A unit with what goes in and comes out of it, block after block. */
struct rig {
	const struct weir_unit *unit;
	void *state;
	uint32_t rate, n_frames;
	float audio[WEIR_MAX_PORTS][MAX_FRAMES];
	float control[WEIR_MAX_PORTS];
	float *port[WEIR_MAX_PORTS];

	struct weir_reports *reports;
	uint32_t n_reports;
	struct {
		uint32_t frame;
		uint64_t present;
		float value[MAX_VALUES];
	} report[MAX_REPORTS];
};

static struct rig rig_a, rig_b;

static bool is_audio(const struct weir_port *port)
{
	return port->type == WEIR_AUDIO_IN || port->type == WEIR_AUDIO_OUT;
}

static float noise(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return (float)*seed / 2147483648.0f - 1.0f;
}

/* Noise with a pause and with loud beginnings on every audio input, defaults on every control. */
static void rig_fill(struct rig *rig)
{
	uint32_t seed = 1;

	rig->n_reports = 0;
	for (uint32_t i = 0; i < rig->unit->n_ports; i++) {
		rig->port[i] = is_audio(&rig->unit->ports[i]) ? rig->audio[i] : &rig->control[i];
		rig->control[i] = rig->unit->ports[i].def;
		if (rig->unit->ports[i].type != WEIR_AUDIO_IN)
			continue;
		for (uint32_t f = 0; f < rig->n_frames; f++) {
			const uint32_t ms = (uint32_t)((uint64_t)f * 1000 / rig->rate);
			const float level = ms % 250 < 30 ? 0.8f : 0.1f;

			rig->audio[i][f] = noise(&seed) * (ms % 1000 > 700 ? 0.0f : level);
		}
	}
}

static void rig_init(struct rig *rig, const struct weir_unit *unit, uint32_t rate, float seconds)
{
	rig->unit = unit;
	rig->rate = rate;
	rig->n_frames = (uint32_t)(seconds * (float)rate);
	rig->state = unit->create(rate);
	rig->reports = weir_reports_create(unit, rate);
	CHECK(rig->state && rig->reports && rig->n_frames <= MAX_FRAMES);
	rig_fill(rig);
}

static void rig_finish(struct rig *rig)
{
	rig->unit->destroy(rig->state);
	free(rig->reports);
}

static uint32_t value_count(const struct weir_unit *unit)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < unit->n_fields; i++)
		n += unit->fields[i].count;
	CHECK(n <= MAX_VALUES);
	return n;
}

static void rig_keep_reports(struct rig *rig, uint32_t from, uint32_t n)
{
	for (uint32_t i = 0; i < rig->reports->n; i++) {
		const struct weir_report *report = &rig->reports->report[i];

		CHECK(report->frame < n && rig->n_reports < MAX_REPORTS);
		CHECK(i == 0 || report->frame > rig->reports->report[i - 1].frame);
		rig->report[rig->n_reports].frame = from + report->frame;
		rig->report[rig->n_reports].present = report->present;
		memcpy(rig->report[rig->n_reports++].value, report->value,
		       value_count(rig->unit) * sizeof(float));
	}
}

static void rig_run_block(struct rig *rig, uint32_t from, uint32_t n)
{
	float *port[WEIR_MAX_PORTS];

	for (uint32_t i = 0; i < rig->unit->n_ports; i++)
		port[i] = rig->port[i] + (is_audio(&rig->unit->ports[i]) ? from : 0);
	realtime_begin();
	weir_unit_run(rig->unit, rig->state, port, n, rig->reports);
	realtime_end();
	rig_keep_reports(rig, from, n);
}

/* Block 0 stands for a mix of sizes, with 0 among them. */
static uint32_t block_size(uint32_t block, uint32_t *seed)
{
	static const uint32_t mix[] = { 0, 1, 2, 3, 17, 64, 255, 256, 257, 480, 1024, 5000 };

	if (block)
		return block;
	*seed = *seed * 1664525u + 1013904223u;
	return mix[(*seed >> 16) % (sizeof(mix) / sizeof(mix[0]))];
}

static void rig_run(struct rig *rig, uint32_t from, uint32_t to, uint32_t block)
{
	uint32_t seed = 7;

	while (from < to) {
		const uint32_t size = block_size(block, &seed);
		const uint32_t n = size < to - from ? size : to - from;

		rig_run_block(rig, from, n);
		from += n;
	}
}

/* Defaults at first, then every control at its maximum, then all in their middle. */
static void rig_run_changing(struct rig *rig, uint32_t block)
{
	const uint32_t third = rig->n_frames / 3;

	rig_run(rig, 0, third, block);
	for (uint32_t i = 0; i < rig->unit->n_ports; i++)
		if (rig->unit->ports[i].type == WEIR_CONTROL_IN)
			rig->control[i] = rig->unit->ports[i].max;
	rig_run(rig, third, 2 * third, block);
	for (uint32_t i = 0; i < rig->unit->n_ports; i++)
		if (rig->unit->ports[i].type == WEIR_CONTROL_IN)
			rig->control[i] =
				0.4f * rig->unit->ports[i].min + 0.6f * rig->unit->ports[i].max;
	rig_run(rig, 2 * third, rig->n_frames, block);
}

static void check_same_sound(const struct rig *a, const struct rig *b)
{
	for (uint32_t i = 0; i < a->unit->n_ports; i++)
		if (a->unit->ports[i].type == WEIR_AUDIO_OUT)
			CHECK(memcmp(a->port[i], b->port[i], a->n_frames * sizeof(float)) == 0);
}

static void check_same_reports(const struct rig *a, const struct rig *b)
{
	CHECK(a->n_reports == b->n_reports);
	for (uint32_t i = 0; i < a->n_reports; i++) {
		const float *x = a->report[i].value, *y = b->report[i].value;

		CHECK(a->report[i].frame == b->report[i].frame);
		CHECK(a->report[i].present == b->report[i].present);
		for (uint32_t f = 0; f < a->unit->n_fields; f++) {
			const size_t size = a->unit->fields[f].count * sizeof(float);

			if (a->report[i].present >> f & 1)
				CHECK(memcmp(x, y, size) == 0);
			x += a->unit->fields[f].count;
			y += a->unit->fields[f].count;
		}
	}
}

static void test_block_size_does_not_matter(const struct weir_unit *unit, uint32_t rate)
{
	static const uint32_t blocks[] = { 1, 7, 64, 480, 1024, 0 };

	rig_init(&rig_a, unit, rate, 1.2f);
	rig_run_changing(&rig_a, WEIR_MAX_FRAMES);
	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
		rig_init(&rig_b, unit, rate, 1.2f);
		rig_run_changing(&rig_b, blocks[i]);
		check_same_sound(&rig_a, &rig_b);
		check_same_reports(&rig_a, &rig_b);
		rig_finish(&rig_b);
	}
	rig_finish(&rig_a);
}

static void test_reset_makes_it_new(const struct weir_unit *unit, uint32_t rate)
{
	rig_init(&rig_a, unit, rate, 1.2f);
	rig_run_changing(&rig_a, 64);
	rig_init(&rig_b, unit, rate, 1.2f);
	rig_run_changing(&rig_b, 1000);
	realtime_begin();
	unit->reset(rig_b.state);
	realtime_end();
	rig_fill(&rig_b);
	rig_run_changing(&rig_b, 64);
	check_same_sound(&rig_a, &rig_b);
	check_same_reports(&rig_a, &rig_b);
	rig_finish(&rig_a);
	rig_finish(&rig_b);
}

/* The i-th output in the buffer of the i-th input. */
static void rig_share_buffers(struct rig *rig)
{
	const struct weir_unit *unit = rig->unit;

	for (uint32_t in = 0, out = 0; in < unit->n_ports; in++) {
		if (unit->ports[in].type != WEIR_AUDIO_IN)
			continue;
		while (out < unit->n_ports && unit->ports[out].type != WEIR_AUDIO_OUT)
			out++;
		if (out < unit->n_ports)
			rig->port[out++] = rig->port[in];
	}
}

static void test_output_may_be_the_input(const struct weir_unit *unit, uint32_t rate)
{
	rig_init(&rig_a, unit, rate, 1.2f);
	rig_run_changing(&rig_a, 1024);
	rig_init(&rig_b, unit, rate, 1.2f);
	rig_share_buffers(&rig_b);
	rig_run_changing(&rig_b, 1024);
	check_same_sound(&rig_a, &rig_b);
	rig_finish(&rig_a);
	rig_finish(&rig_b);
}

/* The port in the place of the n-th of this type, or n_ports. */
static uint32_t nth_port(const struct weir_unit *unit, enum weir_port_type type, uint32_t n)
{
	uint32_t i = 0;

	for (; i < unit->n_ports; i++)
		if (unit->ports[i].type == type && n-- == 0)
			break;
	return i;
}

/* Also when an output is the buffer of another input. */
static void test_without_a_state_sound_passes_through(const struct weir_unit *unit)
{
	rig_init(&rig_a, unit, 48000, 0.2f);
	rig_init(&rig_b, unit, 48000, 0.2f);
	for (uint32_t out, n = 0; (out = nth_port(unit, WEIR_AUDIO_OUT, n)) < unit->n_ports; n++) {
		const uint32_t in = nth_port(unit, WEIR_AUDIO_IN, n ^ 1);

		if (in < unit->n_ports)
			rig_b.port[out] = rig_b.audio[in];
	}
	realtime_begin();
	weir_unit_run(unit, NULL, rig_b.port, 777, rig_b.reports);
	realtime_end();
	for (uint32_t out, n = 0; (out = nth_port(unit, WEIR_AUDIO_OUT, n)) < unit->n_ports; n++)
		CHECK(memcmp(rig_b.port[out], rig_a.audio[nth_port(unit, WEIR_AUDIO_IN, n)],
			     777 * sizeof(float)) == 0);
	CHECK(rig_b.reports->n == 0);
	for (uint32_t i = 0; i < unit->n_ports; i++)
		if (unit->ports[i].type == WEIR_CONTROL_OUT)
			CHECK(rig_b.control[i] == 0.0f);
	rig_finish(&rig_a);
	rig_finish(&rig_b);
}

static void check_finite(const struct rig *rig)
{
	for (uint32_t i = 0; i < rig->unit->n_ports; i++)
		for (uint32_t f = 0;
		     rig->unit->ports[i].type == WEIR_AUDIO_OUT && f < rig->n_frames; f++)
			CHECK(isfinite(rig->port[i][f]));
}

static void test_any_control_gives_finite_output(const struct weir_unit *unit, uint32_t rate,
						 float value)
{
	rig_init(&rig_a, unit, rate, 0.5f);
	for (uint32_t i = 0; i < unit->n_ports; i++)
		if (unit->ports[i].type == WEIR_CONTROL_IN)
			rig_a.control[i] = value;
	rig_run(&rig_a, 0, rig_a.n_frames, 64);
	check_finite(&rig_a);
	rig_finish(&rig_a);
}

static double power(const struct rig *rig, uint32_t from, uint32_t to)
{
	double sum = 0.0;

	for (uint32_t i = 0; i < rig->unit->n_ports; i++)
		for (uint32_t f = from; rig->unit->ports[i].type == WEIR_AUDIO_OUT && f < to; f++)
			sum += (double)rig->port[i][f] * (double)rig->port[i][f];
	return sum;
}

/*
 * After 50 ms of bad samples, with the controls up so that all parts work, the
 * sound from one second on has its usual power. 0.5 dB leaves room for another
 * course of what adapts.
 */
static void test_recovers_from_bad_input(const struct weir_unit *unit, uint32_t rate, float bad)
{
	const uint32_t from = rate / 10, n_bad = rate / 20, settled = from + n_bad + rate;

	rig_init(&rig_a, unit, rate, 2.4f);
	rig_init(&rig_b, unit, rate, 2.4f);
	for (uint32_t i = 0; i < unit->n_ports; i++) {
		if (unit->ports[i].type == WEIR_CONTROL_IN)
			rig_a.control[i] = rig_b.control[i] = unit->ports[i].max;
		for (uint32_t f = 0; unit->ports[i].type == WEIR_AUDIO_IN && f < n_bad; f++)
			rig_b.audio[i][from + f] = bad;
	}
	rig_run(&rig_a, 0, rig_a.n_frames, 256);
	rig_run(&rig_b, 0, rig_b.n_frames, 256);
	check_finite(&rig_b);

	const double usual = power(&rig_a, settled, rig_a.n_frames);
	const double after = power(&rig_b, settled, rig_b.n_frames);

	CHECK(usual > 0.0);
	CHECK(fabs(10.0 * log10(after / usual)) < 0.5);
	rig_finish(&rig_a);
	rig_finish(&rig_b);
}

static uint32_t port_named(const struct weir_unit *unit, const char *name)
{
	for (uint32_t i = 0; i < unit->n_ports; i++)
		if (strcmp(unit->ports[i].name, name) == 0)
			return i;
	return unit->n_ports;
}

static uint32_t first_port(const struct weir_unit *unit, enum weir_port_type type)
{
	for (uint32_t i = 0; i < unit->n_ports; i++)
		if (unit->ports[i].type == type)
			return i;
	return unit->n_ports;
}

/* The lag at which the first output resembles the first input most, with the defaults. */
static void test_declared_latency_is_measured(const struct weir_unit *unit, uint32_t rate)
{
	const uint32_t latency = port_named(unit, "latency");
	const uint32_t in = first_port(unit, WEIR_AUDIO_IN), out = first_port(unit, WEIR_AUDIO_OUT);
	const uint32_t n = rate / 5, max_lag = rate / 5;
	double best = 0.0;
	uint32_t best_lag = 0;

	if (latency == unit->n_ports || out == unit->n_ports) {
		CHECK(!unit->get_latency);
		return;
	}
	rig_init(&rig_a, unit, rate, 0.5f);
	rig_run_block(&rig_a, 0, 0);

	const float declared = rig_a.control[latency];

	rig_run(&rig_a, 0, rig_a.n_frames, 512);
	for (uint32_t lag = 0; lag < max_lag; lag++) {
		double sum = 0.0;

		for (uint32_t f = 0; f < n; f++)
			sum += (double)rig_a.audio[in][f] * (double)rig_a.audio[out][f + lag];
		if (sum > best) {
			best = sum;
			best_lag = lag;
		}
	}
	CHECK(unit->get_latency);
	CHECK((float)unit->get_latency(rig_a.state, 0).total == declared);
	CHECK(fabsf((float)best_lag - declared) <= 0.001f * (float)rate);
	CHECK(rig_a.control[latency] == declared);
	rig_finish(&rig_a);
}

/* n_frames 0 leaves the sound as it is. */
static void test_no_frames_write_controls_only(const struct weir_unit *unit, uint32_t rate)
{
	rig_init(&rig_a, unit, rate, 0.1f);
	for (uint32_t i = 0; i < unit->n_ports; i++) {
		if (unit->ports[i].type == WEIR_AUDIO_OUT)
			rig_a.audio[i][0] = 123.0f;
		if (unit->ports[i].type == WEIR_CONTROL_OUT)
			rig_a.control[i] = -123.0f;
	}
	rig_run_block(&rig_a, 0, 0);
	for (uint32_t i = 0; i < unit->n_ports; i++) {
		if (unit->ports[i].type == WEIR_AUDIO_OUT)
			CHECK(rig_a.audio[i][0] == 123.0f);
		if (unit->ports[i].type == WEIR_CONTROL_OUT)
			CHECK(rig_a.control[i] >= unit->ports[i].min &&
			      rig_a.control[i] <= unit->ports[i].max);
	}
	CHECK(rig_a.n_reports == 0);
	rig_finish(&rig_a);
}

static void test_create_survives_want_of_memory(const struct weir_unit *unit, uint32_t rate)
{
	void *state = NULL;

	if (!realtime_is_watched())
		return;
	unit->destroy(unit->create(rate)); /* what is made once per process is made now */
	for (int n = 0; !state; n++) {
		const long before = allocation_count();

		errno = 0;
		allocation_fail_after(n);
		state = unit->create(rate);
		allocation_fail_after(-1);
		CHECK(state || errno == ENOMEM);
		CHECK(state || allocation_count() == before);
		CHECK(n < 10000);
	}
	unit->destroy(state);
	unit->destroy(NULL);
}

static void saved_restore(const struct weir_unit *unit, void *state, float value)
{
	float saved[WEIR_MAX_STATE_VALUES];

	for (uint32_t i = 0; i < WEIR_MAX_STATE_VALUES; i++)
		saved[i] = value;
	realtime_begin();
	unit->restore_state(state, saved);
	unit->save_state(state, saved);
	realtime_end();
}

/* Nothing is known at first, and of what cannot be nothing is taken. */
static void test_any_saved_state_does_no_harm(const struct weir_unit *unit, uint32_t rate)
{
	static const float any[] = { NAN, INFINITY, -INFINITY, 1e30f, 1e-40f, 0.0f, 1.0f };

	if (!unit->save_state)
		return;
	rig_init(&rig_a, unit, rate, 1.0f);
	rig_init(&rig_b, unit, rate, 1.0f);
	saved_restore(unit, rig_a.state, NAN);
	rig_run(&rig_a, 0, rig_a.n_frames, 256);
	rig_run(&rig_b, 0, rig_b.n_frames, 256);
	check_same_sound(&rig_a, &rig_b);
	rig_finish(&rig_b);
	for (size_t i = 0; i < sizeof(any) / sizeof(any[0]); i++) {
		unit->reset(rig_a.state);
		saved_restore(unit, rig_a.state, any[i]);
		rig_run(&rig_a, 0, rig_a.n_frames, 256);
		check_finite(&rig_a);
	}
	rig_finish(&rig_a);
}

static void test_refuses_impossible_rates(const struct weir_unit *unit)
{
	static const uint32_t impossible[] = { 0, 1, WEIR_MIN_RATE - 1, WEIR_MAX_RATE + 1,
					       4000000000u };

	for (size_t i = 0; i < sizeof(impossible) / sizeof(impossible[0]); i++) {
		errno = 0;
		CHECK(!unit->create(impossible[i]));
		CHECK(errno == EINVAL);
	}
}

static void test_unit(const struct weir_unit *unit, uint32_t rate)
{
	static const float bad[] = { NAN, INFINITY, -INFINITY, 1e-40f, 1e30f };

	test_block_size_does_not_matter(unit, rate);
	test_reset_makes_it_new(unit, rate);
	test_output_may_be_the_input(unit, rate);
	test_any_control_gives_finite_output(unit, rate, -INFINITY);
	test_any_control_gives_finite_output(unit, rate, INFINITY);
	test_any_control_gives_finite_output(unit, rate, NAN);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		test_recovers_from_bad_input(unit, rate, bad[i]);
	test_declared_latency_is_measured(unit, rate);
	test_no_frames_write_controls_only(unit, rate);
	test_create_survives_want_of_memory(unit, rate);
	test_any_saved_state_does_no_harm(unit, rate);
}

int main(void)
{
	const struct weir_unit *unit;

	CHECK(weir_unit_get(0));
	for (uint32_t u = 0; (unit = weir_unit_get(u)); u++) {
		test_refuses_impossible_rates(unit);
		test_without_a_state_sound_passes_through(unit);
		for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++)
			test_unit(unit, rates[i]);
	}
	return 0;
}
