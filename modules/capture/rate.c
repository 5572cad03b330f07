/* SPDX-License-Identifier: MIT */
#include "rate.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "graph/log.h"

#define TICK_NSEC (CAPTURE_TICK_MS * SPA_NSEC_PER_MSEC)
/* The application's own rate alone is in effect for up to this time after it was changed. */
#define OWN_RATE_NSEC (500 * SPA_NSEC_PER_MSEC)
/* A live source lacks 0.5 to 1.5 times the expected share. */
#define MISSING_TOLERANCE 0.5
/* The share of a player that stutters passes through this range, but does not stay there. */
#define LIVE_NSEC (2 * SPA_NSEC_PER_SEC)

struct capture_rate {
	const struct capture_graph *graph;
	struct capture_source *source;
	struct capture_streams *streams;
	double now; /* the rate at which the streams are to play */
	double target;
	double step; /* of a glide: the factor per tick */
	bool ticking;
	struct spa_source *timer;
	struct spa_source *own_timer; /* reads the streams' own rates */
	bool starving;		      /* like a live source, since live_timer was set */
	struct spa_source *live_timer;
};

static void ticks_set(struct capture_rate *rate, bool on)
{
	struct timespec value = { .tv_nsec = on ? TICK_NSEC : 0 };

	if (rate->ticking == on)
		return;
	rate->ticking = on;
	pw_loop_update_timer(pw_context_get_main_loop(rate->graph->connection.context), rate->timer,
			     &value, &value, false);
}

static void timer_set(const struct capture_rate *rate, struct spa_source *timer, uint64_t nsec)
{
	weir_context_timer_set(rate->graph->connection.context, timer, nsec);
}

static void own_timeout(void *data, uint64_t expirations)
{
	struct capture_rate *rate = data;
	const struct capture_stream *stream;

	(void)expirations;
	spa_list_for_each(stream, &rate->streams->list, link)
	{
		if (!capture_varispeed_has_own_rate(&stream->varispeed, rate->now))
			continue;
		capture_varispeed_query_own_rate(&stream->varispeed);
		timer_set(rate, rate->own_timer, OWN_RATE_NSEC);
	}
}

void capture_rate_update_stream(struct capture_rate *rate, struct capture_stream *stream)
{
	if (capture_varispeed_has_own_rate(&stream->varispeed, rate->now))
		timer_set(rate, rate->own_timer, OWN_RATE_NSEC);
	capture_varispeed_update(&stream->varispeed, rate->now, rate->graph->args->has_rate);
	if (capture_varispeed_is_fading(&stream->varispeed))
		ticks_set(rate, true);
}

void capture_rate_prepare_impl(const struct capture_rate *rate, struct pw_impl_node *node)
{
	if (rate->graph->args->has_rate || rate->now != 1.0)
		capture_varispeed_prepare_impl(rate->graph, node, rate->now);
}

static void rate_tick(void *data, uint64_t expirations)
{
	struct capture_rate *rate = data;
	struct capture_stream *stream;
	bool busy;

	(void)expirations;
	rate->now *= rate->step;
	if ((rate->step >= 1.0) == (rate->now >= rate->target)) {
		rate->now = rate->target;
		rate->step = 1.0;
	}
	busy = rate->now != rate->target;
	spa_list_for_each(stream, &rate->streams->list, link)
	{
		capture_varispeed_tick(&stream->varispeed, rate->now);
		capture_rate_update_stream(rate, stream);
		busy = busy || capture_varispeed_is_fading(&stream->varispeed);
	}
	ticks_set(rate, busy);
}

/* A source that cannot go faster than real time lacks 1 - 1 / rate of its frames. */
static bool is_starving(const struct capture_rate *rate)
{
	const double expected = 100.0 * (1.0 - 1.0 / rate->now);
	const double missing = capture_source_get_control(rate->source, CAPTURE_MISSING);

	return rate->now > 1.0 && rate->now == rate->target &&
	       fabs(missing - expected) < MISSING_TOLERANCE * expected;
}

static void live_timeout(void *data, uint64_t expirations)
{
	struct capture_rate *rate = data;
	const struct capture_stream *stream;

	(void)expirations;
	rate->starving = false;
	if (!is_starving(rate))
		return;
	spa_list_for_each(stream, &rate->streams->list, link)
	{
		if (stream->node->running)
			break;
	}
	pw_log_warn("weir.capture.%s: \"%s\" is live, like a call or a radio: it cannot play "
		    "faster than it is sent, and stutters. Going back to rate 1. Use weir.pitch "
		    "for it: see 50-weir-nightcore-live.conf",
		    rate->graph->args->name,
		    spa_list_is_end(stream, &rate->streams->list, link)
			    ? ""
			    : capture_graph_get_player(rate->graph, stream->node));
	capture_source_set_rate(rate->source, 1.0);
}

static void live_check(struct capture_rate *rate)
{
	const bool starving = is_starving(rate);

	if (starving == rate->starving)
		return;
	rate->starving = starving;
	timer_set(rate, rate->live_timer, starving ? LIVE_NSEC : 0);
}

static bool has_playing_stream(const struct capture_rate *rate)
{
	const struct capture_stream *stream;

	spa_list_for_each(stream, &rate->streams->list, link)
	{
		if (capture_graph_is_playing(rate->graph, stream->node))
			return true;
	}
	return false;
}

void capture_rate_update(struct capture_rate *rate)
{
	const double target = capture_source_get_control(rate->source, CAPTURE_RATE);
	const double glide_ms = capture_source_get_control(rate->source, CAPTURE_GLIDE_MS);

	/* Else a source that is not recorded would not run, and measure nothing for live_check. */
	capture_source_keep_running(rate->source, target > 1.0 && has_playing_stream(rate));
	if (target != rate->target) {
		rate->target = target;
		rate->step =
			pow(target / rate->now, CAPTURE_TICK_MS / fmax(glide_ms, CAPTURE_TICK_MS));
		ticks_set(rate, true);
	}
	live_check(rate);
}

struct capture_rate *capture_rate_create(const struct capture_graph *graph,
					 struct capture_source *source,
					 struct capture_streams *streams)
{
	struct pw_loop *loop = pw_context_get_main_loop(graph->connection.context);
	struct capture_rate *rate = calloc(1, sizeof(*rate));

	if (rate == NULL)
		return NULL;
	rate->graph = graph;
	rate->source = source;
	rate->streams = streams;
	rate->now = rate->target = capture_source_get_control(source, CAPTURE_RATE);
	rate->step = 1.0;
	rate->timer = pw_loop_add_timer(loop, rate_tick, rate);
	rate->own_timer = pw_loop_add_timer(loop, own_timeout, rate);
	rate->live_timer = pw_loop_add_timer(loop, live_timeout, rate);
	if (rate->timer != NULL && rate->own_timer != NULL && rate->live_timer != NULL)
		return rate;
	capture_rate_destroy(rate);
	errno = ENOMEM;
	return NULL;
}

void capture_rate_destroy(struct capture_rate *rate)
{
	struct pw_context *context;

	if (rate == NULL)
		return;
	context = rate->graph->connection.context;
	weir_context_timer_destroy(context, rate->timer);
	weir_context_timer_destroy(context, rate->own_timer);
	weir_context_timer_destroy(context, rate->live_timer);
	free(rate);
}
