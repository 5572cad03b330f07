/* SPDX-License-Identifier: MIT */

/*
 * A unit, its LADSPA plugin, its SPA node and weir-run give the same floats, bit
 * for bit, for the same sound and controls.
 *
 * usage: test-hosts WEIR.SO LIBSPA-WEIR.SO WEIR-RUN
 */

#include <dlfcn.h>
#include <ladspa.h>
#include <limits.h>
#include <pthread.h>
#include <sndfile.h>
#include <spa/node/command.h>
#include <spa/utils/dict.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "dsp/unit.h"
#include "spa-rig.h"

#define RATE 48000
#define N_FRAMES (RATE * 3 / 2 / 1024 * 1024)
#define QUANTUM 1024
#define MAX_CHANNELS 8

struct sound {
	float channel[MAX_CHANNELS][N_FRAMES];
	uint32_t n_channels;
};

static struct sound input, expected;

static uint32_t port_count(const struct weir_unit *unit, enum weir_port_type type)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < unit->n_ports; i++)
		n += unit->ports[i].type == type;
	return n;
}

/* Away from the default, and a whole number, so that every host can say it. */
static float control_value(const struct weir_port *port)
{
	return (float)(int)(0.4f * port->min + 0.6f * port->max + 0.5f);
}

static void input_fill(uint32_t n_channels)
{
	uint32_t seed = 3;

	input.n_channels = n_channels;
	for (uint32_t c = 0; c < n_channels; c++)
		for (uint32_t f = 0; f < N_FRAMES; f++) {
			seed = seed * 1664525u + 1013904223u;
			input.channel[c][f] = (float)seed / 4294967296.0f - 0.5f;
		}
}

/* Points each port to frame `from` of its channel, and each control to its value. */
static void ports_connect(const struct weir_unit *unit, struct sound *out, uint32_t from,
			  float *control, float *port[])
{
	uint32_t n_in = 0, n_out = 0;

	for (uint32_t i = 0; i < unit->n_ports; i++) {
		switch (unit->ports[i].type) {
		case WEIR_AUDIO_IN:
			port[i] = input.channel[n_in++] + from;
			break;
		case WEIR_AUDIO_OUT:
			port[i] = out->channel[n_out++] + from;
			break;
		case WEIR_CONTROL_IN:
			control[i] = control_value(&unit->ports[i]);
			port[i] = &control[i];
			break;
		case WEIR_CONTROL_OUT:
			port[i] = &control[i];
			break;
		}
	}
	out->n_channels = n_out;
}

static void check_as_expected(const struct sound *got)
{
	CHECK(got->n_channels == expected.n_channels);
	for (uint32_t c = 0; c < got->n_channels; c++)
		CHECK(memcmp(got->channel[c], expected.channel[c], sizeof(got->channel[c])) == 0);
}

static void run_unit(const struct weir_unit *unit)
{
	float control[WEIR_MAX_PORTS], *port[WEIR_MAX_PORTS];
	void *state = unit->create(RATE);
	double power = 0.0;

	CHECK(state);
	ports_connect(unit, &expected, 0, control, port);
	weir_unit_run(unit, state, port, N_FRAMES, NULL);
	unit->destroy(state);
	for (uint32_t c = 0; c < expected.n_channels; c++)
		for (uint32_t f = 0; f < N_FRAMES; f++)
			power += (double)(expected.channel[c][f] * expected.channel[c][f]);
	CHECK(power > 0.0);
}

/* Never closed: it would stay loaded anyway. */
static const LADSPA_Descriptor *ladspa_find(const char *path, const char *label)
{
	void *library = dlopen(path, RTLD_NOW);
	const LADSPA_Descriptor *plugin;
	unsigned long index = 0;

	CHECK(library);

	LADSPA_Descriptor_Function descriptors =
		(LADSPA_Descriptor_Function)dlsym(library, "ladspa_descriptor");

	CHECK(descriptors);
	while ((plugin = descriptors(index)) && strcmp(plugin->Label, label) != 0)
		index++;
	CHECK(plugin);
	return plugin;
}

static uint32_t port_named(const struct weir_unit *unit, const char *name)
{
	uint32_t i = 0;

	while (i < unit->n_ports && strcmp(unit->ports[i].name, name) != 0)
		i++;
	CHECK(i < unit->n_ports);
	return i;
}

/* As filter-chain does: by name. */
static void ladspa_connect(const struct weir_unit *unit, const LADSPA_Descriptor *plugin,
			   LADSPA_Handle handle, float *const port[])
{
	CHECK(plugin->PortCount == unit->n_ports);
	for (unsigned long i = 0; i < plugin->PortCount; i++)
		plugin->connect_port(handle, i, port[port_named(unit, plugin->PortNames[i])]);
}

/* Saved sessions of hosts name plugins so. */
static void test_ladspa_ids_stay(const char *path)
{
	static const char *const labels[] = {
		"pitch",   "pitch-mono", "pitch-8",	 "align",
		"align-4", "analyze",	 "analyze-mono", "analyze-8"
	};

	for (unsigned long i = 0; i < sizeof(labels) / sizeof(labels[0]); i++)
		CHECK(ladspa_find(path, labels[i])->UniqueID == 700 + i);
}

/* sox and ecasound count all controls; sox refuses one that has no default, be it an output. */
static void test_ladspa_controls_can_be_counted(const struct weir_unit *unit, const char *path)
{
	const LADSPA_Descriptor *plugin = ladspa_find(path, unit->name);
	bool is_behind_inputs = false;

	for (unsigned long i = 0; i < plugin->PortCount; i++) {
		const LADSPA_PortDescriptor flags = plugin->PortDescriptors[i];
		const LADSPA_PortRangeHint hint = plugin->PortRangeHints[i];

		if (!LADSPA_IS_PORT_CONTROL(flags))
			continue;
		CHECK(!is_behind_inputs || LADSPA_IS_PORT_OUTPUT(flags));
		is_behind_inputs |= LADSPA_IS_PORT_OUTPUT(flags);
		CHECK(LADSPA_IS_HINT_HAS_DEFAULT(hint.HintDescriptor));
		if (LADSPA_IS_HINT_DEFAULT_0(hint.HintDescriptor) &&
		    LADSPA_IS_HINT_BOUNDED_BELOW(hint.HintDescriptor))
			CHECK(hint.LowerBound <= 0.0f && hint.UpperBound >= 0.0f);
	}
}

/* A host may look for plugins in one thread while another one runs them. */
static void test_ladspa_descriptors_are_written_once(const struct weir_unit *unit, const char *path)
{
	LADSPA_Descriptor *plugin = (LADSPA_Descriptor *)ladspa_find(path, unit->name);
	const char *maker = plugin->Maker;

	plugin->Maker = "of this test";
	CHECK(ladspa_find(path, unit->name) == plugin);
	CHECK(strcmp(plugin->Maker, "of this test") == 0);
	plugin->Maker = maker;
}

static void check_ladspa(const struct weir_unit *unit, const char *path, bool ports_come_late)
{
	static struct sound out;
	float control[WEIR_MAX_PORTS], *port[WEIR_MAX_PORTS];
	const LADSPA_Descriptor *plugin = ladspa_find(path, unit->name);
	LADSPA_Handle handle = plugin->instantiate(plugin, RATE);

	CHECK(handle);
	if (!ports_come_late) {
		ports_connect(unit, &out, 0, control, port);
		ladspa_connect(unit, plugin, handle, port);
	}
	plugin->activate(handle);
	for (uint32_t from = 0; from < N_FRAMES; from += 512) {
		ports_connect(unit, &out, from, control, port);
		ladspa_connect(unit, plugin, handle, port);
		plugin->run(handle, 512);
	}
	plugin->cleanup(handle);
	check_as_expected(&out);
}

static void test_ladspa_gives_the_same(const struct weir_unit *unit, const char *path)
{
	check_ladspa(unit, path, false);
}

/* The specification allows that; activate() asks the unit for its meters. */
static void test_ladspa_ports_may_come_late(const struct weir_unit *unit, const char *path)
{
	check_ladspa(unit, path, true);
}

/* A host that gets no instance has no sound. */
static void test_ladspa_passes_sound_at_any_rate(const struct weir_unit *unit, const char *path)
{
	/* The last one is 48000 to a program that keeps 32 bits of it. */
	static const unsigned long rates[] = { 0, 1, 7999, 768000, ULONG_MAX / 2 + 48001 };
	static struct sound out;
	float control[WEIR_MAX_PORTS], *port[WEIR_MAX_PORTS];
	const LADSPA_Descriptor *plugin = ladspa_find(path, unit->name);

	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		LADSPA_Handle handle = plugin->instantiate(plugin, rates[i]);

		CHECK(handle);
		memset(&out, 0, sizeof(out));
		ports_connect(unit, &out, 0, control, port);
		ladspa_connect(unit, plugin, handle, port);
		plugin->activate(handle);
		plugin->run(handle, N_FRAMES);
		plugin->cleanup(handle);
		for (uint32_t c = 0; c < port_count(unit, WEIR_AUDIO_OUT); c++)
			CHECK(memcmp(out.channel[c], input.channel[c], sizeof(out.channel[c])) ==
			      0);
	}
}

struct maker {
	const LADSPA_Descriptor *plugin; /* NULL: the unit in this program itself */
	const struct weir_unit *unit;
};

static void *make_again_and_again(void *data)
{
	static const uint32_t rates[] = { 8000, 32000, 44100, 48000, 96000 };
	const struct maker *maker = data;

	for (int i = 0; i < 300; i++) {
		const uint32_t rate = rates[i % 5];

		if (maker->plugin)
			maker->plugin->cleanup(maker->plugin->instantiate(maker->plugin, rate));
		else
			maker->unit->destroy(maker->unit->create(rate));
	}
	return NULL;
}

/* FFTW is one for all that is loaded, and plans one at a time. */
static void test_hosts_may_make_units_at_once(const char *path)
{
	struct maker maker[] = { { .plugin = ladspa_find(path, "pitch") },
				 { .unit = weir_unit_find("pitch") },
				 { .plugin = ladspa_find(path, "analyze") } };
	pthread_t thread[3];

	for (int i = 0; i < 3; i++)
		CHECK(pthread_create(&thread[i], NULL, make_again_and_again, &maker[i]) == 0);
	for (int i = 0; i < 3; i++)
		CHECK(pthread_join(thread[i], NULL) == 0);
}

/* Controls as a conf file gives them: as text, before the node runs. */
static struct spa_dict controls_as_text(const struct weir_unit *unit)
{
	static char key[WEIR_MAX_PORTS][64], value[WEIR_MAX_PORTS][32];
	static struct spa_dict_item items[WEIR_MAX_PORTS];
	uint32_t n = 0;

	for (uint32_t i = 0; i < unit->n_ports; i++) {
		if (unit->ports[i].type != WEIR_CONTROL_IN)
			continue;
		snprintf(key[n], sizeof(key[n]), "%s:%s", unit->name, unit->ports[i].name);
		snprintf(value[n], sizeof(value[n]), "%g", control_value(&unit->ports[i]));
		items[n] = SPA_DICT_ITEM_INIT(key[n], value[n]);
		n++;
	}
	return SPA_DICT_INIT(items, n);
}

static void test_spa_gives_the_same(const struct weir_unit *unit, const char *path)
{
	static struct spa_rig rig;
	static struct sound out;
	const struct spa_dict info = controls_as_text(unit);
	char factory[64];

	snprintf(factory, sizeof(factory), "weir.%s", unit->name);
	rig_create(&rig, path, factory, &info);
	for (uint32_t i = 0; i < rig.n_ports; i++)
		rig_link(&rig, &rig.port[i]);
	CHECK(rig_command(&rig, SPA_NODE_COMMAND_Start) == 0);
	rig_set_clock(&rig, RATE, QUANTUM);
	for (uint32_t from = 0; from < N_FRAMES; from += QUANTUM) {
		uint32_t n_in = 0;

		out.n_channels = 0;
		for (uint32_t i = 0; i < rig.n_ports; i++)
			if (rig.port[i].direction == SPA_DIRECTION_INPUT)
				rig_write(&rig.port[i], input.channel[n_in++] + from, QUANTUM);
		rig_cycle(&rig);
		for (uint32_t i = 0; i < rig.n_ports; i++) {
			const struct spa_data *data = rig_read(&rig.port[i]);

			if (rig.port[i].direction == SPA_DIRECTION_INPUT ||
			    strcmp(rig.port[i].name, "report") == 0)
				continue;
			CHECK(data && data->chunk->size == QUANTUM * sizeof(float));
			memcpy(out.channel[out.n_channels++] + from, data->data,
			       QUANTUM * sizeof(float));
		}
	}
	rig_destroy(&rig);
	check_as_expected(&out);
}

static void sound_write(const struct sound *sound, const char *path)
{
	SF_INFO format = { .samplerate = RATE,
			   .channels = (int)sound->n_channels,
			   .format = SF_FORMAT_WAV | SF_FORMAT_FLOAT };
	SNDFILE *file = sf_open(path, SFM_WRITE, &format);
	float frame[MAX_CHANNELS];

	CHECK(file);
	for (uint32_t f = 0; f < N_FRAMES; f++) {
		for (uint32_t c = 0; c < sound->n_channels; c++)
			frame[c] = sound->channel[c][f];
		CHECK(sf_writef_float(file, frame, 1) == 1);
	}
	CHECK(sf_close(file) == 0);
}

static void sound_read(struct sound *sound, const char *path)
{
	SF_INFO format = { 0 };
	SNDFILE *file = sf_open(path, SFM_READ, &format);
	float frame[MAX_CHANNELS];

	CHECK(file && format.samplerate == RATE && format.channels <= MAX_CHANNELS);
	CHECK(format.frames >= N_FRAMES);
	sound->n_channels = (uint32_t)format.channels;
	for (uint32_t f = 0; f < N_FRAMES; f++) {
		CHECK(sf_readf_float(file, frame, 1) == 1);
		for (uint32_t c = 0; c < sound->n_channels; c++)
			sound->channel[c][f] = frame[c];
	}
	CHECK(sf_close(file) == 0);
}

static void run_program(const char *const argv[])
{
	const pid_t pid = fork();
	int status;

	CHECK(pid >= 0);
	if (pid == 0) {
		execv(argv[0], (char *const *)argv);
		_exit(127);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void test_weir_run_gives_the_same(const struct weir_unit *unit, const char *program)
{
	static struct sound out;
	char in_path[] = "/tmp/weir-hosts-XXXXXX", out_path[] = "/tmp/weir-hosts-XXXXXX";
	char settings[WEIR_MAX_PORTS][128];
	const char *argv[2 * WEIR_MAX_PORTS + 8] = { program, unit->name, "-b", "777" };
	int n = 4;

	close(mkstemp(in_path));
	close(mkstemp(out_path));
	sound_write(&input, in_path);
	for (uint32_t i = 0; i < unit->n_ports; i++) {
		if (unit->ports[i].type != WEIR_CONTROL_IN)
			continue;
		snprintf(settings[i], sizeof(settings[i]), "%s=%g", unit->ports[i].name,
			 control_value(&unit->ports[i]));
		argv[n++] = "-s";
		argv[n++] = settings[i];
	}
	argv[n++] = in_path;
	argv[n++] = out_path;
	run_program(argv);
	sound_read(&out, out_path);
	unlink(in_path);
	unlink(out_path);
	check_as_expected(&out);
}

int main(int argc, char *argv[])
{
	const struct weir_unit *unit;

	CHECK(argc == 4);
	test_ladspa_ids_stay(argv[1]);
	test_hosts_may_make_units_at_once(argv[1]);
	for (uint32_t i = 0; (unit = weir_unit_get(i)); i++) {
		input_fill(port_count(unit, WEIR_AUDIO_IN));
		run_unit(unit);
		test_ladspa_descriptors_are_written_once(unit, argv[1]);
		test_ladspa_controls_can_be_counted(unit, argv[1]);
		test_ladspa_gives_the_same(unit, argv[1]);
		test_ladspa_ports_may_come_late(unit, argv[1]);
		test_ladspa_passes_sound_at_any_rate(unit, argv[1]);
		test_spa_gives_the_same(unit, argv[2]);
		test_weir_run_gives_the_same(unit, argv[3]);
	}
	return 0;
}
