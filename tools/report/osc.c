/* SPDX-License-Identifier: MIT */
#include "osc.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "tools/cli/message.h"
#include "tools/cli/number.h"

#define LOOPBACK "127.0.0.1"

#define MAX_NAME 255 /* bytes of a node's name: an address has room for more */

/* Reserved in addresses of OSC (1.0), and the space. */
#define NOT_IN_ADDRESSES " #*,/?[]{}"

#define EXAMPLE "Write --osc HOST:PORT, for example --osc 127.0.0.1:9000"

/* liblo resolves a name whenever it sends, and blocks meanwhile: it gets a numeric address. */
static void host_find(const char *host, char number[static INET_ADDRSTRLEN])
{
	const struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_DGRAM };
	struct addrinfo *info = NULL;
	const int res = getaddrinfo(host, NULL, &hints, &info);

	if (res != 0)
		die("--osc: cannot find the host \"%s\" (%s). " EXAMPLE, host,
		    res == EAI_SYSTEM ? strerror(errno) : gai_strerror(res));
	if (getnameinfo(info->ai_addr, info->ai_addrlen, number, INET_ADDRSTRLEN, NULL, 0,
			NI_NUMERICHOST) != 0)
		die("--osc: the host \"%s\" has no usable address. " EXAMPLE, host);
	freeaddrinfo(info);
}

static void address_create(struct osc *osc, const char *host, const char *port)
{
	char number[INET_ADDRSTRLEN];
	uint32_t value;

	if (!number_parse(port, &value) || value < 1 || value > 65535)
		die("--osc: \"%s\" is not a port. " EXAMPLE, port);
	if (strchr(host, ':'))
		die("--osc: \"%s\" is not an IPv4 address, and OSC is sent over IPv4 "
		    "only. " EXAMPLE,
		    host);
	host_find(host, number);
	osc->address = lo_address_new_with_proto(LO_UDP, number, port);
	if (!osc->address)
		die("--osc: cannot send to \"%s\". " EXAMPLE, host);
}

void osc_init(struct osc *osc, const char *destination)
{
	char *text = strdup(destination);
	char *colon = text ? strrchr(text, ':') : NULL;

	*osc = (struct osc){ 0 };
	if (!text)
		die("%s", strerror(errno));
	if (strstr(text, "://"))
		die("--osc: \"%s\" is a URL. " EXAMPLE, text);
	if (colon)
		*colon = '\0';
	address_create(osc, colon && colon != text ? text : LOOPBACK, colon ? colon + 1 : text);
	osc->bundle = lo_bundle_new(LO_TT_IMMEDIATE);
	if (!osc->bundle)
		die("%s", strerror(errno));
	free(text);
}

void osc_finish(struct osc *osc)
{
	if (!osc->address)
		return;
	lo_bundle_free_recursive(osc->bundle);
	lo_address_free(osc->address);
	free(osc->node);
}

void osc_set_node(struct osc *osc, const char *name, uint32_t n_channels)
{
	free(osc->node);
	osc->node = strndup(name, MAX_NAME);
	if (!osc->node)
		die("%s", strerror(errno));
	for (char *c = osc->node; *c; c++)
		if (strchr(NOT_IN_ADDRESSES, *c) || *c < ' ' || *c > '~')
			*c = '_';
	osc->n_channels = n_channels;
}

/* Channel 0: all channels. Takes ownership of the message. */
static void add(struct osc *osc, uint32_t channel, const char *name, lo_message message)
{
	char path[MAX_NAME + FIELD_MAX_NAME + 32], ch[16];

	snprintf(ch, sizeof(ch), channel ? "%u" : "all", channel);
	snprintf(path, sizeof(path), "/weir/%s/%s/%s", osc->node, ch, name);
	if (lo_bundle_add_message(osc->bundle, path, message) < 0)
		lo_message_free(message);
}

static void add_floats(struct osc *osc, uint32_t channel, const char *name, const float *value,
		       uint32_t n)
{
	lo_message message = lo_message_new();

	for (uint32_t i = 0; message && i < n; i++)
		lo_message_add_float(message, value[i]);
	if (message)
		add(osc, channel, name, message);
}

/*
 * How many of a field's values belong to each channel, 0: they describe all channels together.
 * Single values of a mono node are its channel's. An unknown field is per channel when it has one
 * value for each.
 */
static uint32_t count_per_channel(const struct field *field, uint32_t n_channels)
{
	const uint32_t n = field->known ? field->known->per_channel : 1;

	if (n && field->count == n * n_channels)
		return n;
	return field->count == 1 && n_channels == 1;
}

void osc_add_field(struct osc *osc, const struct field *field)
{
	const uint32_t n = count_per_channel(field, osc->n_channels);

	if (!n)
		add_floats(osc, 0, field->name, field->value, field->count);
	for (uint32_t i = 0; n && i < osc->n_channels; i++)
		add_floats(osc, i + 1, field->name, field->value + i * n, n);
}

void osc_add_event(struct osc *osc, const char *name, float seconds)
{
	add_floats(osc, 0, name, &seconds, 1);
}

void osc_add_lost(struct osc *osc, uint64_t lost)
{
	lo_message message = lo_message_new();

	if (!message)
		return;
	lo_message_add_int64(message, (int64_t)lost);
	add(osc, 0, "lost", message);
}

/* The receiver may start later: a refusal is reported once. */
void osc_send(struct osc *osc)
{
	if (!lo_bundle_count(osc->bundle))
		return;
	if (lo_send_bundle(osc->address, osc->bundle) < 0 && !osc->refused) {
		osc->refused = true;
		warn("nothing receives OSC at %s:%s (%s). Sending goes on: start the receiver",
		     lo_address_get_hostname(osc->address), lo_address_get_port(osc->address),
		     lo_address_errstr(osc->address));
	}
	lo_bundle_free_recursive(osc->bundle);
	osc->bundle = lo_bundle_new(LO_TT_IMMEDIATE);
	if (!osc->bundle)
		die("%s", strerror(errno));
}
