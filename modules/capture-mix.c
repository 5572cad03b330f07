/* SPDX-License-Identifier: MIT */
#include "capture-mix.h"

#include <stddef.h>
#include <string.h>

#define MAX_INPUTS 2

struct route {
	const char *channel;
	const char *inputs[MAX_INPUTS]; /* none: PipeWire's own mix leaves it out, too */
};

/* PipeWire's names; LLFR is how 1.4 writes LLFE. */
static const struct route routes[] = {
	{ "FL", { "in-l" } },	       { "FR", { "in-r" } },
	{ "FLC", { "in-l" } },	       { "FRC", { "in-r" } },
	{ "RL", { "in-surround-l" } }, { "RR", { "in-surround-r" } },
	{ "SL", { "in-surround-l" } }, { "SR", { "in-surround-r" } },
	{ "FC", { "in-centre" } },     { "RC", { "in-rear-centre" } },
	{ "LFE", { "in-lfe" } },       { .channel = "LFE2" },
	{ .channel = "LLFE" },	       { .channel = "LLFR" },
	{ .channel = "RLFE" },	       { .channel = "FLW" },
	{ .channel = "FRW" },	       { .channel = "FLH" },
	{ .channel = "FCH" },	       { .channel = "FRH" },
	{ .channel = "RLC" },	       { .channel = "RRC" },
	{ .channel = "TC" },	       { .channel = "TFL" },
	{ .channel = "TFC" },	       { .channel = "TFR" },
	{ .channel = "TRL" },	       { .channel = "TRC" },
	{ .channel = "TRR" },	       { .channel = "TFLC" },
	{ .channel = "TFRC" },	       { .channel = "TSL" },
	{ .channel = "TSR" },	       { .channel = "BC" },
	{ .channel = "BLC" },	       { .channel = "BRC" },
};

/* MONO, AUX0..., and what has no channel. */
static const struct route other = { NULL, { "in-l", "in-r" } };

static const struct route *find_route(const char *channel)
{
	size_t i;

	for (i = 0; channel != NULL && i < sizeof(routes) / sizeof(routes[0]); i++) {
		if (strcmp(routes[i].channel, channel) == 0)
			return &routes[i];
	}
	return &other;
}

bool capture_mix_has(const char *channel, const char *input)
{
	const struct route *route = find_route(channel);
	int i;

	for (i = 0; i < MAX_INPUTS; i++) {
		if (route->inputs[i] != NULL && strcmp(route->inputs[i], input) == 0)
			return true;
	}
	return false;
}
