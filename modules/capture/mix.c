/* SPDX-License-Identifier: MIT */
#include "mix.h"

#include <stddef.h>
#include <string.h>

#define MAX_INPUTS 2

struct route {
	const char *channel;
	const char *inputs[MAX_INPUTS]; /* none: PipeWire's own mix leaves the channel out, too */
	bool since_1_6;
};

/* PipeWire's names; LLFR is how 1.4 writes LLFE. */
static const struct route routes[] = {
	{ "FL", { "in-l" }, false },
	{ "FR", { "in-r" }, false },
	{ "FLC", { "in-l" }, false },
	{ "FRC", { "in-r" }, false },
	{ "RL", { "in-surround-l" }, false },
	{ "RR", { "in-surround-r" }, false },
	{ "SL", { "in-surround-l" }, false },
	{ "SR", { "in-surround-r" }, false },
	{ "RLC", { "in-surround-l" }, true },
	{ "RRC", { "in-surround-r" }, true },
	{ "FC", { "in-centre" }, false },
	{ "RC", { "in-rear-centre" }, false },
	{ "LFE", { "in-lfe" }, false },
	{ "TFL", { "in-top-l" }, true },
	{ "TFR", { "in-top-r" }, true },
	{ "TFLC", { "in-top-l" }, true },
	{ "TFRC", { "in-top-r" }, true },
	{ "TRL", { "in-top-l" }, true },
	{ "TRR", { "in-top-r" }, true },
	{ .channel = "LFE2" },
	{ .channel = "LLFE" },
	{ .channel = "LLFR" },
	{ .channel = "RLFE" },
	{ .channel = "FLW" },
	{ .channel = "FRW" },
	{ .channel = "FLH" },
	{ .channel = "FCH" },
	{ .channel = "FRH" },
	{ .channel = "TC" },
	{ .channel = "TFC" },
	{ .channel = "TRC" },
	{ .channel = "TSL" },
	{ .channel = "TSR" },
	{ .channel = "BC" },
	{ .channel = "BLC" },
	{ .channel = "BRC" },
};

/* MONO, AUX0 ..., and ports without a channel. */
static const struct route other = { NULL, { "in-l", "in-r" }, false };

static const struct route *find_route(const char *channel)
{
	size_t i;

	for (i = 0; channel != NULL && i < sizeof(routes) / sizeof(routes[0]); i++) {
		if (strcmp(routes[i].channel, channel) == 0)
			return &routes[i];
	}
	return &other;
}

bool capture_mix_has(const char *channel, const char *input, bool has_top)
{
	const struct route *route = find_route(channel);
	int i;

	if (route->since_1_6 && !has_top)
		return false;
	for (i = 0; i < MAX_INPUTS; i++) {
		if (route->inputs[i] != NULL && strcmp(route->inputs[i], input) == 0)
			return true;
	}
	return false;
}
