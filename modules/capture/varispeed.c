/* SPDX-License-Identifier: MIT */

/*
 * Varispeed: the rate in the Props of a stream makes its player deliver that much faster, so that
 * no buffer runs full or empty.
 *
 * A stream's resampler is off until its rate first differs from 1. It starts with an empty history,
 * which clicks unless the stream is silent. So a stream that has not started yet gets a rate at
 * once: capture.rate, or, if that is 1, a rate as good as 1. A stream that plays is faded out for
 * that moment. All later changes, also those to and from 1, are continuous.
 *
 * A fade is a ramp of the volume in the stream's Props, which the session manager stores for the
 * application's next stream. It must not store the end of a fade-out, should the stream end there.
 * In the daemon the stream has a property meanwhile that keeps it from storing. A process cannot
 * set that property. It sends the volume as it was right after the ramp: the ramp goes on, since
 * the data thread carries it out. The Props show the end of the ramp only from one message to the
 * next, for microseconds; nothing closes that gap, since the volume that is not stored
 * (softVolumes) has no ramps (1.4.2), and one message cannot carry two volumes. From 1.6 on, the
 * next message makes the Props show the present value of the ramp. So the rate is sent together
 * with the ramp back to the previous volume, and nothing else is sent while that ramp runs.
 */

#include "varispeed.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <spa/pod/parser.h>
#include <spa/utils/json.h>
#include <spa/utils/string.h>

#include "daemon.h"
#include "graph/props.h"

/* As good as 1, but keeps a resampler on. */
#define RATE_READY 1.0000001
#define RATE_READY_TEXT "1.0000001"
/* PipeWire 1.4 cuts rate * 48000 down to a whole number. */
#define RATE_ROUND_UP 1e-7
#define FADE_MS 20
/* 100 ms: a change takes effect with the stream's next quantum, up to 4096 frames at 48 kHz. */
#define FADE_TICKS (100 / CAPTURE_TICK_MS)

enum fade_state {
	FADE_QUERIED, /* for the volume to go back to */
	FADED_OUT,    /* or about to be */
	FADED_IN,     /* at its rate, or about to be */
	FADE_SETTLED, /* the Props show the volume as it was */
};

struct capture_fade {
	enum fade_state state;
	struct capture_varispeed *varispeed;
	struct spa_hook listener;
	struct spa_hook proxy_listener;
	float volume;
	char *restore_props; /* in the daemon: the property's previous value, NULL: none */
	int ticks;	     /* until the next state */
};

static double rate_round_up(double rate)
{
	return rate * (1.0 + RATE_ROUND_UP);
}

static bool is_as_good_as_1(double rate)
{
	return rate == 1.0 || rate == RATE_READY;
}

static void ramp_add(struct weir_props *props, float volume)
{
	spa_pod_builder_add(&props->builder, SPA_PROP_volume, SPA_POD_Float(volume),
			    SPA_PROP_volumeRampTime, SPA_POD_Int(FADE_MS),
			    SPA_PROP_volumeRampStepSamples, SPA_POD_Int(1), 0);
}

/* The exact rate to go back to, whatever the locale. */
static void rate_record(const struct capture_varispeed *varispeed, double own)
{
	char text[32], *comma;

	snprintf(text, sizeof(text), "%.17g", own == 1.0 ? RATE_READY : own);
	comma = strchr(text, ',');
	if (comma != NULL)
		*comma = '.';
	capture_journal_set(varispeed->journal, varispeed->node, CAPTURE_JOURNAL_RATE, text);
}

/*
 * The application's own rate is restored to the last bit. A stream that is faded out fades in with
 * its first quantum at the new rate.
 */
static void product_send(struct capture_varispeed *varispeed)
{
	const struct capture_fade *fade = varispeed->fade;
	const double own = capture_own_rate_get(varispeed->own_rate);
	const double rate = own != 1.0 && is_as_good_as_1(varispeed->rate)
				    ? own
				    : rate_round_up(varispeed->rate * own);
	struct weir_props props;

	rate_record(varispeed, own);
	weir_props_init(&props);
	spa_pod_builder_add(&props.builder, SPA_PROP_rate, SPA_POD_Double(rate), 0);
	if (fade != NULL && fade->state == FADED_OUT && fade->volume > 0.0f)
		ramp_add(&props, fade->volume);
	weir_props_send(&props, varispeed->node->proxy);
	capture_own_rate_set_sent(varispeed->own_rate, rate);
}

static void rate_send(struct capture_varispeed *varispeed, double rate)
{
	const double previous = varispeed->rate;

	varispeed->rate = rate;
	if (rate == previous)
		return;
	/* Does not overwrite a rate that the application may have set since. */
	if (varispeed->own_rate != NULL && is_as_good_as_1(previous) && is_as_good_as_1(rate))
		return;
	capture_own_rate_query(varispeed->own_rate);
	product_send(varispeed);
}

static void volume_set(const struct capture_varispeed *varispeed, float volume)
{
	struct weir_props props;

	weir_props_init(&props);
	spa_pod_builder_add(&props.builder, SPA_PROP_volume, SPA_POD_Float(volume), 0);
	weir_props_send(&props, varispeed->node->proxy);
}

/* From the present volume. */
static void volume_ramp(const struct capture_varispeed *varispeed, float volume)
{
	struct weir_props props;

	weir_props_init(&props);
	ramp_add(&props, volume);
	weir_props_send(&props, varispeed->node->proxy);
}

static void fade_unhook(struct capture_fade *fade)
{
	spa_hook_remove(&fade->listener);
	spa_hook_remove(&fade->proxy_listener);
	spa_zero(fade->listener);
	spa_zero(fade->proxy_listener);
}

/* The proxy goes before the registry removes the stream. */
static void fade_proxy_destroyed(void *data)
{
	fade_unhook(data);
}

static const struct pw_proxy_events fade_proxy_events = {
	PW_VERSION_PROXY_EVENTS,
	.destroy = fade_proxy_destroyed,
};

static void fade_end(struct capture_varispeed *varispeed)
{
	struct capture_fade *fade = varispeed->fade;

	if (fade == NULL)
		return;
	varispeed->fade = NULL;
	if (fade->state == FADED_OUT)
		volume_ramp(varispeed, fade->volume);
	capture_journal_set(varispeed->journal, varispeed->node, CAPTURE_JOURNAL_VOLUME, NULL);
	if (varispeed->graph->connection.in_daemon)
		capture_daemon_set_property(varispeed->graph->connection.context,
					    varispeed->node->id, CAPTURE_RESTORE_PROPS_KEY,
					    fade->restore_props);
	fade_unhook(fade);
	free(fade->restore_props);
	free(fade);
}

static void fade_out(struct capture_fade *fade)
{
	const struct capture_varispeed *varispeed = fade->varispeed;

	fade->state = FADED_OUT;
	fade->ticks = FADE_TICKS;
	if (fade->volume <= 0.0f)
		return;
	volume_ramp(varispeed, 0.0f);
	if (!varispeed->graph->connection.in_daemon)
		volume_set(varispeed, fade->volume);
}

static void fade_param(void *data, int seq, uint32_t id, uint32_t index, uint32_t next,
		       const struct spa_pod *param)
{
	struct capture_fade *fade = data;
	char text[32];
	float volume;

	(void)seq, (void)index, (void)next;
	if (id != SPA_PARAM_Props || fade->state != FADE_QUERIED ||
	    spa_pod_parse_object(param, SPA_TYPE_OBJECT_Props, NULL, SPA_PROP_volume,
				 SPA_POD_Float(&volume)) < 0)
		return;
	fade->volume = volume;
	spa_json_format_float(text, sizeof(text), volume);
	capture_journal_set(fade->varispeed->journal, fade->varispeed->node, CAPTURE_JOURNAL_VOLUME,
			    text);
	fade_out(fade);
}

static const struct pw_node_events fade_events = {
	PW_VERSION_NODE_EVENTS,
	.param = fade_param,
};

/* In the daemon, before the volume changes: the session manager is not to store it. */
static void fade_hide(struct capture_fade *fade)
{
	const struct capture_varispeed *varispeed = fade->varispeed;
	const char *previous = pw_properties_get(varispeed->node->props, CAPTURE_RESTORE_PROPS_KEY);

	fade->restore_props = previous != NULL ? strdup(previous) : NULL;
	capture_daemon_set_property(varispeed->graph->connection.context, varispeed->node->id,
				    CAPTURE_RESTORE_PROPS_KEY, "false");
}

static void fade_start(struct capture_varispeed *varispeed)
{
	struct capture_fade *fade;

	if (varispeed->node->proxy == NULL)
		return;
	fade = varispeed->fade = calloc(1, sizeof(*fade));
	if (fade == NULL)
		return;
	fade->varispeed = varispeed;
	if (varispeed->graph->connection.in_daemon)
		fade_hide(fade);
	fade->ticks = FADE_TICKS;
	pw_proxy_add_object_listener(varispeed->node->proxy, &fade->listener, &fade_events, fade);
	pw_proxy_add_listener(varispeed->node->proxy, &fade->proxy_listener, &fade_proxy_events,
			      fade);
	pw_node_enum_params((struct pw_node *)varispeed->node->proxy, 0, SPA_PARAM_Props, 0, 1,
			    NULL);
}

void capture_varispeed_tick(struct capture_varispeed *varispeed, double now)
{
	struct capture_fade *fade = varispeed->fade;

	if (fade == NULL || --fade->ticks > 0)
		return;
	fade->ticks = FADE_TICKS;
	switch (fade->state) {
	case FADE_QUERIED: /* A stream without a volume cannot be faded. */
		rate_send(varispeed, now);
		fade_end(varispeed);
		return;
	case FADED_OUT:
		rate_send(varispeed, now);
		break;
	case FADED_IN: /* A ramp ends a step before its end (1.4.2). */
		volume_set(varispeed, fade->volume);
		break;
	case FADE_SETTLED:
		fade_end(varispeed);
		return;
	}
	fade->state++;
}

bool capture_varispeed_is_fading(const struct capture_varispeed *varispeed)
{
	return varispeed->fade != NULL;
}

/* For a stream that has not started. */
static double initial_rate(double now)
{
	return now != 1.0 ? now : RATE_READY;
}

/*
 * At 1 the resampler copies. What is between two samples when it begins to is lost, so a stream
 * that played at another rate gets there when it next stops.
 */
static void rate_follow(struct capture_varispeed *varispeed, double now)
{
	const bool running = varispeed->node->running;

	varispeed->was_resampled = running && (varispeed->was_resampled || now != 1.0);
	rate_send(varispeed, running && !varispeed->was_resampled ? now : initial_rate(now));
}

bool capture_varispeed_has_own_rate(const struct capture_varispeed *varispeed, double now)
{
	/* While the rate is 1, the application's own rate is right. */
	return varispeed->own_rate != NULL && varispeed->rate != 0.0 && varispeed->node->running &&
	       now != 1.0;
}

void capture_varispeed_query_own_rate(const struct capture_varispeed *varispeed)
{
	if (varispeed->fade == NULL)
		capture_own_rate_query(varispeed->own_rate);
}

void capture_varispeed_update(struct capture_varispeed *varispeed, double now, bool prepare)
{
	if (varispeed->fade != NULL && varispeed->fade->state != FADE_SETTLED)
		return;
	if (varispeed->rate != 0.0)
		rate_follow(varispeed, now);
	else if (!prepare && now == 1.0)
		return;
	else if (!varispeed->node->running)
		rate_send(varispeed, initial_rate(now));
	else if (now != 1.0)
		fade_start(varispeed);
}

void capture_varispeed_restore(struct capture_varispeed *varispeed)
{
	const struct capture_graph *graph = varispeed->graph;

	fade_end(varispeed);
	if (varispeed->rate == 0.0)
		return;
	rate_send(varispeed, varispeed->was_resampled ? RATE_READY : 1.0);
	/* Else the daemon goes on to show the previous rate. */
	capture_own_rate_query(varispeed->own_rate);
	capture_own_rate_destroy(varispeed->own_rate);
	varispeed->own_rate = NULL;
	if (graph->connection.in_daemon)
		capture_daemon_set_property(graph->connection.context, varispeed->node->id,
					    graph->rate_key, RATE_READY_TEXT);
}

void capture_varispeed_prepare_impl(const struct capture_graph *graph, struct pw_impl_node *node,
				    double now)
{
	const double rate = initial_rate(now);
	char text[32];
	const struct spa_dict_item item = { graph->rate_key, text };
	struct weir_props props;

	spa_json_format_float(text, sizeof(text), (float)rate);
	pw_impl_node_update_properties(node, &SPA_DICT_INIT(&item, 1));
	weir_props_init(&props);
	spa_pod_builder_add(&props.builder, SPA_PROP_rate, SPA_POD_Double(rate_round_up(rate)), 0);
	pw_impl_node_set_param(node, SPA_PARAM_Props, 0, weir_props_get_pod(&props));
}

static void own_rate_changed(void *data)
{
	product_send(data);
}

static const struct capture_own_rate_events own_rate_events = {
	.changed = own_rate_changed,
};

void capture_varispeed_init(struct capture_varispeed *varispeed, const struct capture_graph *graph,
			    struct capture_journal *journal, struct weir_registry_object *node)
{
	const char *rate = pw_properties_get(node->props, graph->rate_key);

	*varispeed = (struct capture_varispeed){ .graph = graph, .journal = journal, .node = node };
	if (rate != NULL && graph->connection.in_daemon)
		spa_atod(rate, &varispeed->rate);
	varispeed->own_rate = capture_own_rate_create(node, &own_rate_events, varispeed);
}

void capture_varispeed_finish(struct capture_varispeed *varispeed)
{
	fade_end(varispeed);
	capture_own_rate_destroy(varispeed->own_rate);
}
