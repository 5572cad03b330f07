/* SPDX-License-Identifier: MIT */

/*
 * Every unit of a folder as a LADSPA plugin, for PipeWire's filter-chain.
 *
 * LADSPA knows a default only as one of a few named values, so a control's def
 * must be its min, its max, 0, 1, 100 or 440; tests/test-contract.c checks that.
 * Reports have no place in LADSPA and are not asked for.
 *
 * PipeWire's filter-chain has no node where a plugin cannot be made, and gives silence at a
 * rate at which it cannot be made again. So it always can: sound then passes through.
 */

#include <errno.h>
#include <ladspa.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dsp/unit.h"

#define WEIR_EXPORT __attribute__((visibility("default")))

/*
 * Hosts that count controls (sox, ecasound) count outputs as well, so outputs are the last ports.
 * They have defaults, because sox refuses a control without one.
 */
struct plugin {
	const struct weir_unit *unit;
	uint32_t unit_port[WEIR_MAX_PORTS];
	LADSPA_Descriptor descriptor;
	LADSPA_PortDescriptor flags[WEIR_MAX_PORTS];
	LADSPA_PortRangeHint hints[WEIR_MAX_PORTS];
	const char *names[WEIR_MAX_PORTS];
};

struct instance {
	const struct plugin *plugin;
	const struct weir_unit *unit;
	void *state; /* NULL: sound passes through */
	float *port[WEIR_MAX_PORTS];
};

static LADSPA_Handle instantiate(const LADSPA_Descriptor *descriptor, unsigned long rate)
{
	struct instance *instance = calloc(1, sizeof(*instance));

	if (!instance)
		return NULL;

	instance->plugin = descriptor->ImplementationData;
	instance->unit = instance->plugin->unit;
	instance->state = instance->unit->create(rate < UINT32_MAX ? (uint32_t)rate : UINT32_MAX);
	if (!instance->state)
		fprintf(stderr, "weir: %s cannot run at %lu Hz (%s): sound passes through it\n",
			descriptor->Label, rate, strerror(errno));
	return instance;
}

static void connect_port(LADSPA_Handle handle, unsigned long port, LADSPA_Data *data)
{
	struct instance *instance = handle;

	instance->port[instance->plugin->unit_port[port]] = data;
}

static WEIR_REALTIME void run(LADSPA_Handle handle, unsigned long n_frames)
{
	struct instance *instance = handle;

	weir_unit_run(instance->unit, instance->state, instance->port, (uint32_t)n_frames, NULL);
}

/*
 * PipeWire reads the port "latency" after activate and before the first run. Ports may also be
 * connected after it.
 */
static WEIR_REALTIME void activate(LADSPA_Handle handle)
{
	const struct instance *instance = handle;
	float value[WEIR_MAX_PORTS], *port[WEIR_MAX_PORTS];

	for (uint32_t i = 0; i < instance->unit->n_ports; i++) {
		value[i] = instance->unit->ports[i].def;
		port[i] = instance->port[i] ? instance->port[i] : &value[i];
	}
	if (instance->state)
		instance->unit->reset(instance->state);
	weir_unit_run(instance->unit, instance->state, port, 0, NULL);
}

static void cleanup(LADSPA_Handle handle)
{
	struct instance *instance = handle;

	if (instance->state)
		instance->unit->destroy(instance->state);
	free(instance);
}

static LADSPA_PortRangeHintDescriptor default_hint(const struct weir_port *port, float def)
{
	if (def == 0.0f)
		return LADSPA_HINT_DEFAULT_0;
	if (def == 1.0f)
		return LADSPA_HINT_DEFAULT_1;
	if (def == 100.0f)
		return LADSPA_HINT_DEFAULT_100;
	if (def == 440.0f)
		return LADSPA_HINT_DEFAULT_440;
	if (def == port->min)
		return LADSPA_HINT_DEFAULT_MINIMUM;
	if (def == 0.5f * (port->min + port->max))
		return LADSPA_HINT_DEFAULT_MIDDLE;
	if (def == 0.75f * port->min + 0.25f * port->max)
		return LADSPA_HINT_DEFAULT_LOW;
	if (def == 0.25f * port->min + 0.75f * port->max)
		return LADSPA_HINT_DEFAULT_HIGH;
	return LADSPA_HINT_DEFAULT_MAXIMUM;
}

static LADSPA_PortRangeHint range_hint(const struct weir_port *port)
{
	const float nearest_to_0 = fminf(fmaxf(0.0f, port->min), port->max);
	LADSPA_PortRangeHintDescriptor hint =
		default_hint(port, port->type == WEIR_CONTROL_IN ? port->def : nearest_to_0);

	if (port->type == WEIR_AUDIO_IN || port->type == WEIR_AUDIO_OUT)
		return (LADSPA_PortRangeHint){ 0 };
	if (port->kind == WEIR_TOGGLE)
		return (LADSPA_PortRangeHint){ .HintDescriptor = LADSPA_HINT_TOGGLED | hint };
	if (port->kind != WEIR_FLOAT)
		hint |= LADSPA_HINT_INTEGER;

	return (LADSPA_PortRangeHint){
		.HintDescriptor = LADSPA_HINT_BOUNDED_BELOW | LADSPA_HINT_BOUNDED_ABOVE | hint,
		.LowerBound = port->min,
		.UpperBound = port->max,
	};
}

/* The types in the order of the enum. */
static void ports_sort(struct plugin *plugin)
{
	static const LADSPA_PortDescriptor flags[] = {
		[WEIR_AUDIO_IN] = LADSPA_PORT_AUDIO | LADSPA_PORT_INPUT,
		[WEIR_AUDIO_OUT] = LADSPA_PORT_AUDIO | LADSPA_PORT_OUTPUT,
		[WEIR_CONTROL_IN] = LADSPA_PORT_CONTROL | LADSPA_PORT_INPUT,
		[WEIR_CONTROL_OUT] = LADSPA_PORT_CONTROL | LADSPA_PORT_OUTPUT,
	};
	uint32_t n = 0;

	for (enum weir_port_type type = WEIR_AUDIO_IN; type <= WEIR_CONTROL_OUT; type++)
		for (uint32_t i = 0; i < plugin->unit->n_ports; i++) {
			const struct weir_port *port = &plugin->unit->ports[i];

			if (port->type != type)
				continue;
			plugin->unit_port[n] = i;
			plugin->flags[n] = flags[type];
			plugin->hints[n] = range_hint(port);
			plugin->names[n++] = port->name;
		}
}

static struct plugin plugins[WEIR_MAX_UNITS];

static void plugin_init(struct plugin *plugin, const struct weir_unit *unit)
{
	plugin->unit = unit;
	ports_sort(plugin);
	plugin->descriptor = (LADSPA_Descriptor){
		.UniqueID = unit->id,
		.Label = unit->name,
		.Properties = LADSPA_PROPERTY_HARD_RT_CAPABLE,
		.Name = unit->summary,
		.Maker = "weir",
		.Copyright = "MIT",
		.PortCount = unit->n_ports,
		.PortDescriptors = plugin->flags,
		.PortNames = plugin->names,
		.PortRangeHints = plugin->hints,
		.ImplementationData = plugin,
		.instantiate = instantiate,
		.connect_port = connect_port,
		.activate = activate,
		.run = run,
		.cleanup = cleanup,
	};
}

/* Once: a host may ask for descriptors in one thread while another thread runs an instance. */
__attribute__((constructor)) static void plugins_init(void)
{
	const struct weir_unit *unit;

	for (uint32_t i = 0; (unit = weir_unit_get(i)); i++)
		plugin_init(&plugins[i], unit);
}

WEIR_EXPORT const LADSPA_Descriptor *ladspa_descriptor(unsigned long index)
{
	return index < WEIR_MAX_UNITS && plugins[index].unit ? &plugins[index].descriptor : NULL;
}
