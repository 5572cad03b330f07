/* SPDX-License-Identifier: MIT */
#include "output.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "json.h"
#include "tools/cli/message.h"

static void on_change(void *data, int fd, uint32_t mask)
{
	struct output *output = data;

	(void)fd;
	if (mask & (SPA_IO_ERR | SPA_IO_HUP)) {
		pw_loop_destroy_source(output->loop, output->source);
		output->source = NULL;
		output->closed(output->data, EPIPE);
		return;
	}
	pw_loop_update_io(output->loop, output->source, SPA_IO_HUP);
	output->waiting = false;
	if (output_flush(output))
		output->writable(output->data);
}

void output_init(struct output *output, struct pw_loop *loop, const struct filter *filter,
		 struct osc *osc)
{
	*output = (struct output){ .filter = filter, .osc = osc, .loop = loop };
	output->file = open_memstream(&output->text, &output->size);
	if (!output->file)
		die("%s", strerror(errno));
	signal(SIGPIPE, SIG_IGN);
	/* Regular files have no such source. */
	if (!osc)
		output->source =
			pw_loop_add_io(loop, STDOUT_FILENO, SPA_IO_HUP, false, on_change, output);
}

void output_finish(struct output *output)
{
	if (output->source)
		pw_loop_destroy_source(output->loop, output->source);
	fclose(output->file);
	free(output->text);
}

void output_add_lost(struct output *output, double t, uint64_t lost)
{
	if (!lost)
		return;
	if (output->osc)
		osc_add_lost(output->osc, lost);
	else
		fprintf(output->file, "{\"t\":%.6f,\"lost\":%llu}\n", t, (unsigned long long)lost);
}

void output_add_fields(struct output *output, struct fields *fields, double t)
{
	bool begun = false;

	for (uint32_t i = 0; i < fields->n; i++) {
		struct field *field = &fields->field[i];

		if (!field->fresh || !filter_has(output->filter, field->name))
			continue;
		field->fresh = false;
		if (output->osc) {
			osc_add_field(output->osc, field);
			continue;
		}
		if (!begun)
			json_begin(output->file, t);
		begun = true;
		json_field(output->file, field->name, field->value, field->count);
	}
	if (begun)
		json_end(output->file);
}

void output_add_events(struct output *output, const struct fields *fields, double t)
{
	for (uint32_t i = 0; i < fields->n_events; i++) {
		const struct field_event *event = &fields->event[i];

		if (!filter_has(output->filter, event->name))
			continue;
		if (output->osc)
			osc_add_event(output->osc, event->name, event->seconds);
		else
			json_event(output->file, t, event->name, event->seconds);
	}
}

void output_end_report(struct output *output)
{
	if (output->osc)
		osc_send(output->osc);
}

static void output_wait(struct output *output)
{
	pw_loop_update_io(output->loop, output->source, SPA_IO_OUT | SPA_IO_HUP);
	output->waiting = true;
}

/* PIPE_BUF bytes never block where something can be written. */
static bool write_some(struct output *output)
{
	struct pollfd out = { .fd = STDOUT_FILENO, .events = POLLOUT };
	const size_t left = output->size - output->written;
	ssize_t n;

	if (output->source && poll(&out, 1, 0) == 0) {
		output_wait(output);
		return false;
	}
	n = write(STDOUT_FILENO, output->text + output->written, left < PIPE_BUF ? left : PIPE_BUF);
	if (n >= 0) {
		output->written += (size_t)n;
		return true;
	}
	if (errno == EINTR)
		return true;
	if (errno == EAGAIN && output->source)
		output_wait(output);
	else
		output->closed(output->data, errno);
	return false;
}

bool output_flush(struct output *output)
{
	if (output->waiting)
		return false;
	fflush(output->file);
	while (output->written < output->size)
		if (!write_some(output))
			return false;
	rewind(output->file);
	output->written = 0;
	return true;
}
