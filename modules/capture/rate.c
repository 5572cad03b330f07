/* SPDX-License-Identifier: MIT */

/*
 * Varispeed: the rate in the Props of a stream makes its player deliver that much faster, so that
 * no buffer runs full or empty.
 *
 * A stream's resampler is off until its rate first differs from 1. It starts with an empty history,
 * which clicks unless the stream is silent. So a stream that has not started yet gets a rate at
 * once, and if capture.rate is 1 one that is as good as 1; and a stream that plays is faded out for
 * that moment. All later changes, also those to and from 1, are continuous.
 *
 * A fade is a ramp of the volume in the stream's Props, which the session manager stores for the
 * application's next stream. It must not store the end of a fade-out, should the stream end there.
 * In the daemon the stream has a property meanwhile that keeps it from storing. A process cannot
 * set that property. It sends the volume as it was right after the ramp: the ramp goes on, since
 * the data thread carries it out. The Props show the end of the ramp only from one message to the
 * next, for microseconds; nothing closes that gap, since what is not stored (softVolumes) has no
 * ramps (1.4.2), and one message cannot carry two volumes. From 1.6 on whatever is sent next has
 * the Props show where the ramp has got to. So the rate is sent together with the ramp back to the
 * volume as it was, and nothing while that runs.
 */

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <spa/pod/parser.h>
#include <spa/utils/json.h>

#include "capture.h"
#include "daemon.h"
#include "graph/log.h"
#include "graph/props.h"

#define TICK_NSEC (20 * SPA_NSEC_PER_MSEC)
#define TICK_MS (TICK_NSEC / SPA_NSEC_PER_MSEC)
/* Keeps a resampler on. */
#define RATE_READY 1.0000001
#define RATE_READY_TEXT "1.0000001"
/* PipeWire 1.4 cuts rate * 48000 down to a whole number. */
#define RATE_ROUND_UP 1e-7
/* After a change by the application its own rate alone is heard for so long. */
#define OWN_RATE_NSEC (500 * SPA_NSEC_PER_MSEC)
#define FADE_MS 20
/* A change takes effect with the stream's next quantum: at 48 kHz up to 4096 frames are waited for.
 */
#define FADE_TICKS (100 / (int)TICK_MS)
/* Half to one and a half times what must be missing when the source is live. */
#define MISSING_TOLERANCE 0.5
/* A player that stutters passes through what a live source misses, too, but does not stay there. */
#define LIVE_NSEC (2 * SPA_NSEC_PER_SEC)

enum fade_state {
	FADE_ASKED,   /* for the volume to go back to */
	FADED_OUT,    /* or about to be */
	FADED_IN,     /* at its rate, or about to be */
	FADE_SETTLED, /* the Props show the volume as it was */
};

struct capture_fade {
	enum fade_state state;
	struct capture_stream *stream;
	struct spa_hook listener;
	struct spa_hook proxy_listener;
	float volume;
	char *restore_props; /* in the daemon: the property before the fade, NULL: none */
	int ticks;	     /* until the next state */
};

static void timer_set(struct capture *capture, bool on)
{
	struct timespec value = { .tv_nsec = on ? TICK_NSEC : 0 };

	if (capture->rate.ticking == on)
		return;
	capture->rate.ticking = on;
	pw_loop_update_timer(pw_context_get_main_loop(capture->graph.connection.context),
			     capture->rate.timer, &value, &value, false);
}

static double rate_round_up(double rate)
{
	return rate * (1.0 + RATE_ROUND_UP);
}

static void impl_set_rate(struct pw_impl_node *node, double rate)
{
	struct weir_props props;

	weir_props_init(&props);
	spa_pod_builder_add(&props.builder, SPA_PROP_rate, SPA_POD_Double(rate_round_up(rate)), 0);
	pw_impl_node_set_param(node, SPA_PARAM_Props, 0, weir_props_get_pod(&props));
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
static void undo_note(const struct capture_stream *stream, double own)
{
	char text[32], *comma;

	snprintf(text, sizeof(text), "%.17g", own == 1.0 ? RATE_READY : own);
	comma = strchr(text, ',');
	if (comma != NULL)
		*comma = '.';
	capture_undo_note(stream->capture->undo, stream->node, CAPTURE_UNDO_RATE, text);
}

/*
 * Own rates come back as they were, to the last bit. What is faded out fades in from its first
 * quantum at the rate on.
 */
void capture_stream_send_rate(struct capture_stream *stream)
{
	const struct capture_fade *fade = stream->fade;
	const double own = capture_own_rate_get(stream->own_rate);
	const double rate = own != 1.0 && is_as_good_as_1(stream->rate)
				    ? own
				    : rate_round_up(stream->rate * own);
	struct weir_props props;

	undo_note(stream, own);
	weir_props_init(&props);
	spa_pod_builder_add(&props.builder, SPA_PROP_rate, SPA_POD_Double(rate), 0);
	if (fade != NULL && fade->state == FADED_OUT && fade->volume > 0.0f)
		ramp_add(&props, fade->volume);
	weir_props_send(&props, stream->node->proxy);
	capture_own_rate_sent(stream->own_rate, rate);
}

static void rate_send(struct capture_stream *stream, double rate)
{
	const double before = stream->rate;

	stream->rate = rate;
	if (rate == before)
		return;
	/* What the application may have set since must stand. */
	if (stream->own_rate != NULL && is_as_good_as_1(before) && is_as_good_as_1(rate))
		return;
	capture_own_rate_ask(stream->own_rate);
	capture_stream_send_rate(stream);
}

static void volume_set(const struct capture_stream *stream, float volume)
{
	struct weir_props props;

	weir_props_init(&props);
	spa_pod_builder_add(&props.builder, SPA_PROP_volume, SPA_POD_Float(volume), 0);
	weir_props_send(&props, stream->node->proxy);
}

/* From what the volume is now. */
static void volume_ramp(const struct capture_stream *stream, float volume)
{
	struct weir_props props;

	weir_props_init(&props);
	ramp_add(&props, volume);
	weir_props_send(&props, stream->node->proxy);
}

static void fade_unhook(struct capture_fade *fade)
{
	spa_hook_remove(&fade->listener);
	spa_hook_remove(&fade->proxy_listener);
	spa_zero(fade->listener);
	spa_zero(fade->proxy_listener);
}

/* Before the stream goes, for which we hear of it last. */
static void fade_proxy_destroyed(void *data)
{
	fade_unhook(data);
}

static const struct pw_proxy_events fade_proxy_events = {
	PW_VERSION_PROXY_EVENTS,
	.destroy = fade_proxy_destroyed,
};

void capture_stream_end_fade(struct capture_stream *stream)
{
	struct capture_fade *fade = stream->fade;

	if (fade == NULL)
		return;
	stream->fade = NULL;
	if (fade->state == FADED_OUT)
		volume_ramp(stream, fade->volume);
	capture_undo_note(stream->capture->undo, stream->node, CAPTURE_UNDO_VOLUME, NULL);
	if (stream->capture->graph.connection.in_daemon)
		capture_daemon_set_property(stream->capture->graph.connection.context,
					    stream->node->id, CAPTURE_RESTORE_PROPS_KEY,
					    fade->restore_props);
	fade_unhook(fade);
	free(fade->restore_props);
	free(fade);
}

static void fade_out(struct capture_fade *fade)
{
	const struct capture_stream *stream = fade->stream;

	fade->state = FADED_OUT;
	fade->ticks = FADE_TICKS;
	if (fade->volume <= 0.0f)
		return;
	volume_ramp(stream, 0.0f);
	if (!stream->capture->graph.connection.in_daemon)
		volume_set(stream, fade->volume);
}

static void fade_param(void *data, int seq, uint32_t id, uint32_t index, uint32_t next,
		       const struct spa_pod *param)
{
	struct capture_fade *fade = data;
	char text[32];
	float volume;

	(void)seq, (void)index, (void)next;
	if (id != SPA_PARAM_Props || fade->state != FADE_ASKED ||
	    spa_pod_parse_object(param, SPA_TYPE_OBJECT_Props, NULL, SPA_PROP_volume,
				 SPA_POD_Float(&volume)) < 0)
		return;
	fade->volume = volume;
	spa_json_format_float(text, sizeof(text), volume);
	capture_undo_note(fade->stream->capture->undo, fade->stream->node, CAPTURE_UNDO_VOLUME,
			  text);
	fade_out(fade);
}

static const struct pw_node_events fade_events = {
	PW_VERSION_NODE_EVENTS,
	.param = fade_param,
};

/* In the daemon: before the volume changes. */
static void fade_hide(struct capture_fade *fade)
{
	const struct capture_stream *stream = fade->stream;
	const char *before = pw_properties_get(stream->node->props, CAPTURE_RESTORE_PROPS_KEY);

	fade->restore_props = before != NULL ? strdup(before) : NULL;
	capture_daemon_set_property(stream->capture->graph.connection.context, stream->node->id,
				    CAPTURE_RESTORE_PROPS_KEY, "false");
}

static void fade_start(struct capture_stream *stream)
{
	struct capture_fade *fade;

	if (stream->node->proxy == NULL)
		return;
	fade = stream->fade = calloc(1, sizeof(*fade));
	if (fade == NULL)
		return;
	fade->stream = stream;
	if (stream->capture->graph.connection.in_daemon)
		fade_hide(fade);
	fade->ticks = FADE_TICKS;
	pw_proxy_add_object_listener(stream->node->proxy, &fade->listener, &fade_events, fade);
	pw_proxy_add_listener(stream->node->proxy, &fade->proxy_listener, &fade_proxy_events, fade);
	pw_node_enum_params((struct pw_node *)stream->node->proxy, 0, SPA_PARAM_Props, 0, 1, NULL);
	timer_set(stream->capture, true);
}

/* At each tick of a fade. */
static void fade_continue(struct capture_stream *stream)
{
	struct capture_fade *fade = stream->fade;

	if (--fade->ticks > 0)
		return;
	fade->ticks = FADE_TICKS;
	switch (fade->state) {
	case FADE_ASKED: /* A stream without a volume cannot be faded. */
		rate_send(stream, stream->capture->rate.now);
		capture_stream_end_fade(stream);
		return;
	case FADED_OUT:
		rate_send(stream, stream->capture->rate.now);
		break;
	case FADED_IN: /* A ramp ends a step before its end (1.4.2). */
		volume_set(stream, fade->volume);
		break;
	case FADE_SETTLED:
		capture_stream_end_fade(stream);
		return;
	}
	fade->state++;
}

bool capture_rate_is_wanted(const struct capture *capture)
{
	return capture->args.has_rate || capture->rate.now != 1.0;
}

double capture_rate_start(const struct capture *capture)
{
	return capture->rate.now != 1.0 ? capture->rate.now : RATE_READY;
}

void capture_rate_set_impl(const struct capture *capture, struct pw_impl_node *node)
{
	const double rate = capture_rate_start(capture);
	char text[32];
	const struct spa_dict_item item = { capture->graph.rate_key, text };

	spa_json_format_float(text, sizeof(text), (float)rate);
	pw_impl_node_update_properties(node, &SPA_DICT_INIT(&item, 1));
	impl_set_rate(node, rate);
}

/*
 * At 1 the resampler copies. What is between two samples when it begins to is lost, so a stream
 * that played at another rate gets there when it next stops.
 */
static void rate_follow(struct capture_stream *stream)
{
	const double now = stream->capture->rate.now;

	stream->is_bent = stream->node->running && (stream->is_bent || now != 1.0);
	rate_send(stream, stream->node->running && !stream->is_bent
				  ? now
				  : capture_rate_start(stream->capture));
}

/* While the rate is 1, what the application sets is right. */
static bool own_rate_matters(const struct capture_stream *stream)
{
	return stream->own_rate != NULL && stream->rate != 0.0 && stream->node->running &&
	       stream->capture->rate.now != 1.0;
}

static void own_timeout(void *data, uint64_t expirations)
{
	struct capture *capture = data;
	const struct capture_stream *stream;

	(void)expirations;
	spa_list_for_each(stream, &capture->streams, link)
	{
		if (!own_rate_matters(stream))
			continue;
		if (stream->fade == NULL)
			capture_own_rate_ask(stream->own_rate);
		weir_context_timer_set(capture->graph.connection.context, capture->rate.own_timer,
				       OWN_RATE_NSEC);
	}
}

void capture_stream_update_rate(struct capture_stream *stream)
{
	const struct capture *capture = stream->capture;

	if (own_rate_matters(stream))
		weir_context_timer_set(capture->graph.connection.context, capture->rate.own_timer,
				       OWN_RATE_NSEC);
	if (stream->fade != NULL && stream->fade->state != FADE_SETTLED)
		return;
	if (stream->rate != 0.0)
		rate_follow(stream);
	else if (!capture_rate_is_wanted(capture))
		return;
	else if (!stream->node->running)
		rate_send(stream, capture_rate_start(capture));
	else if (capture->rate.now != 1.0)
		fade_start(stream);
}

void capture_stream_restore_rate(struct capture_stream *stream)
{
	const struct capture *capture = stream->capture;

	capture_stream_end_fade(stream);
	if (stream->rate == 0.0)
		return;
	rate_send(stream, stream->is_bent ? RATE_READY : 1.0);
	/* Else the daemon goes on to show the rate before. */
	capture_own_rate_ask(stream->own_rate);
	capture_own_rate_destroy(stream->own_rate);
	stream->own_rate = NULL;
	if (capture->graph.connection.in_daemon)
		capture_daemon_set_property(capture->graph.connection.context, stream->node->id,
					    capture->graph.rate_key, RATE_READY_TEXT);
}

static void rate_tick(void *data, uint64_t expirations)
{
	struct capture *capture = data;
	struct capture_rate *rate = &capture->rate;
	struct capture_stream *stream;
	bool busy;

	(void)expirations;
	rate->now *= rate->step;
	if ((rate->step >= 1.0) == (rate->now >= rate->target)) {
		rate->now = rate->target;
		rate->step = 1.0;
	}
	busy = rate->now != rate->target;
	spa_list_for_each(stream, &capture->streams, link)
	{
		if (stream->fade != NULL)
			fade_continue(stream);
		capture_stream_update_rate(stream);
		busy = busy || stream->fade != NULL;
	}
	timer_set(capture, busy);
}

/* What is missing tells a source that cannot go faster than time: 1 - 1 / rate, no matter what. */
static bool is_starving(const struct capture *capture)
{
	const double now = capture->rate.now;
	const double expected = 100.0 * (1.0 - 1.0 / now);
	const double missing = capture_source_get_control(capture->source, CAPTURE_MISSING);

	return now > 1.0 && now == capture->rate.target &&
	       fabs(missing - expected) < MISSING_TOLERANCE * expected;
}

static void live_timeout(void *data, uint64_t expirations)
{
	struct capture *capture = data;
	const struct capture_stream *stream;

	(void)expirations;
	capture->rate.starving = false;
	if (!is_starving(capture))
		return;
	spa_list_for_each(stream, &capture->streams, link)
	{
		if (stream->node->running)
			break;
	}
	pw_log_warn("weir.capture.%s: \"%s\" is live, like a call or a radio: it cannot play "
		    "faster than it is sent, and stutters. Going back to rate 1. Use weir.pitch "
		    "for it: see 50-weir-nightcore-live.conf",
		    capture->args.name,
		    spa_list_is_end(stream, &capture->streams, link)
			    ? ""
			    : capture_stream_get_name(stream));
	capture_source_set_rate(capture->source, 1.0);
}

static void live_check(struct capture *capture)
{
	struct capture_rate *rate = &capture->rate;
	const bool starving = is_starving(capture);

	if (starving == rate->starving)
		return;
	rate->starving = starving;
	weir_context_timer_set(capture->graph.connection.context, rate->live_timer,
			       starving ? LIVE_NSEC : 0);
}

static bool has_playing_stream(const struct capture *capture)
{
	const struct capture_stream *stream;

	spa_list_for_each(stream, &capture->streams, link)
	{
		if (capture_stream_is_playing(stream))
			return true;
	}
	return false;
}

void capture_rate_update(struct capture *capture)
{
	struct capture_rate *rate = &capture->rate;
	const double target = capture_source_get_control(capture->source, CAPTURE_RATE);
	const double glide = capture_source_get_control(capture->source, CAPTURE_GLIDE_MS);

	if (capture->undone || rate->timer == NULL)
		return;
	/* Else a source that nobody records would not notice what live_check asks for. */
	capture_source_keep_running(capture->source, target > 1.0 && has_playing_stream(capture));
	if (target != rate->target) {
		rate->target = target;
		rate->step = pow(target / rate->now, TICK_MS / fmax(glide, TICK_MS));
		timer_set(capture, true);
	}
	live_check(capture);
}

int capture_rate_init(struct capture *capture)
{
	struct pw_loop *loop = pw_context_get_main_loop(capture->graph.connection.context);
	struct capture_rate *rate = &capture->rate;

	rate->now = rate->target = capture_source_get_control(capture->source, CAPTURE_RATE);
	rate->step = 1.0;
	rate->timer = pw_loop_add_timer(loop, rate_tick, capture);
	rate->own_timer = pw_loop_add_timer(loop, own_timeout, capture);
	rate->live_timer = pw_loop_add_timer(loop, live_timeout, capture);
	return rate->timer != NULL && rate->own_timer != NULL && rate->live_timer != NULL ? 0
											  : -errno;
}

void capture_rate_finish(struct capture *capture)
{
	struct pw_context *context = capture->graph.connection.context;
	struct capture_rate *rate = &capture->rate;

	weir_context_timer_destroy(context, rate->timer);
	weir_context_timer_destroy(context, rate->own_timer);
	weir_context_timer_destroy(context, rate->live_timer);
	rate->timer = rate->own_timer = rate->live_timer = NULL;
}
