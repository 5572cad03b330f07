/* SPDX-License-Identifier: MIT */
/*
 * Reads what a capture changes, in the lines that undo.h tells of, and undoes it when
 * whoever writes them ends without having done so.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pipewire/pipewire.h>
#include <spa/utils/string.h>

#include "graph/log.h"
#include "graph/props.h"
#include "undo.h"

PW_LOG_TOPIC(weir_topic, "weir-capture-undo");

struct note {
	struct spa_list link;
	uint64_t serial;
	bool has_target;
	char *target, *target_node; /* NULL: none */
	double rate;		    /* 0: as it is */
	float volume;		    /* below 0: as it is */
};

struct undo {
	struct spa_list notes;
	struct pw_main_loop *loop;
	struct pw_core *core;
	struct spa_hook core_listener;
	struct weir_registry *registry;
	int sync;
};

static struct note *note_find(struct undo *undo, uint64_t serial)
{
	struct note *note;

	spa_list_for_each(note, &undo->notes, link)
	{
		if (note->serial == serial)
			return note;
	}
	return NULL;
}

static struct note *note_add(struct undo *undo, uint64_t serial)
{
	struct note *note = calloc(1, sizeof(*note));

	if (note == NULL)
		exit(EXIT_FAILURE);
	note->serial = serial;
	note->volume = -1.0f;
	spa_list_append(&undo->notes, &note->link);
	return note;
}

static void note_remove(struct note *note)
{
	if (note == NULL)
		return;
	spa_list_remove(&note->link);
	free(note->target);
	free(note->target_node);
	free(note);
}

static void note_set(struct note *note, const char *key, const char *value)
{
	if (spa_streq(key, CAPTURE_UNDO_TARGET)) {
		free(note->target);
		note->has_target = true;
		note->target = value != NULL ? strdup(value) : NULL;
	} else if (spa_streq(key, CAPTURE_UNDO_TARGET_NODE)) {
		free(note->target_node);
		note->target_node = value != NULL ? strdup(value) : NULL;
	} else if (spa_streq(key, CAPTURE_UNDO_RATE)) {
		note->rate = value != NULL ? spa_strtod(value, NULL) : 0.0;
	} else if (spa_streq(key, CAPTURE_UNDO_VOLUME)) {
		note->volume = value != NULL ? spa_strtof(value, NULL) : -1.0f;
	}
}

static void line_read(struct undo *undo, char *line)
{
	char *rest = line;
	const char *serial = strsep(&rest, " \n");
	const char *key = strsep(&rest, " \n");
	const char *value = strsep(&rest, "\n");
	struct note *note = note_find(undo, strtoull(serial, NULL, 10));

	if (key == NULL || *key == '\0') {
		note_remove(note);
		return;
	}
	if (note == NULL)
		note = note_add(undo, strtoull(serial, NULL, 10));
	note_set(note, key, value != NULL && *value != '\0' ? value : NULL);
}

static void params_restore(const struct note *note, struct weir_registry_object *node)
{
	struct weir_props props;

	if (note->rate == 0.0 && note->volume < 0.0f)
		return;
	weir_props_init(&props);
	if (note->rate != 0.0)
		spa_pod_builder_add(&props.builder, SPA_PROP_rate, SPA_POD_Double(note->rate), 0);
	if (note->volume >= 0.0f)
		spa_pod_builder_add(&props.builder, SPA_PROP_volume, SPA_POD_Float(note->volume),
				    0);
	weir_props_send(&props, node->proxy);
}

/* In this order: the session manager remembers what comes last. */
static void target_restore(const struct note *note, struct weir_registry_object *node)
{
	if (!note->has_target)
		return;
	weir_registry_set_target_node(node->registry, node->id, NULL);
	weir_registry_set_target(node->registry, node->id, note->target);
	if (note->target_node != NULL)
		weir_registry_set_target_node(node->registry, node->id, note->target_node);
}

static void ready(void *data)
{
	struct undo *undo = data;
	struct weir_registry_object *node;

	spa_list_for_each(node, weir_registry_get_objects(undo->registry, WEIR_REGISTRY_NODE), link)
	{
		const char *serial = pw_properties_get(node->props, PW_KEY_OBJECT_SERIAL);
		struct note *note =
			serial != NULL ? note_find(undo, strtoull(serial, NULL, 10)) : NULL;

		if (note == NULL)
			continue;
		target_restore(note, node);
		params_restore(note, node);
		note_remove(note);
	}
	undo->sync = pw_core_sync(undo->core, PW_ID_CORE, 0);
}

static void ignore_object(void *data, struct weir_registry_object *object)
{
	(void)data;
	(void)object;
}

static const struct weir_registry_events registry_events = {
	.changed = ignore_object,
	.removed = ignore_object,
	.ready = ready,
};

static void core_done(void *data, uint32_t id, int seq)
{
	struct undo *undo = data;

	if (id == PW_ID_CORE && undo->sync != 0 && seq == undo->sync)
		pw_main_loop_quit(undo->loop);
}

static void core_error(void *data, uint32_t id, int seq, int res, const char *message)
{
	struct undo *undo = data;

	(void)seq;
	(void)res;
	(void)message;
	if (id == PW_ID_CORE)
		pw_main_loop_quit(undo->loop);
}

static const struct pw_core_events core_events = {
	PW_VERSION_CORE_EVENTS,
	.done = core_done,
	.error = core_error,
};

/* remote: the daemon's name, NULL for the usual one. */
static int undo_run(struct undo *undo, const char *remote)
{
	struct pw_properties *props =
		remote != NULL ? pw_properties_new(PW_KEY_REMOTE_NAME, remote, NULL) : NULL;
	struct pw_context *context;

	undo->loop = pw_main_loop_new(NULL);
	context = undo->loop != NULL ? pw_context_new(pw_main_loop_get_loop(undo->loop), NULL, 0)
				     : NULL;
	undo->core = context != NULL ? pw_context_connect(context, props, 0) : NULL;
	if (undo->core == NULL)
		return EXIT_FAILURE;
	pw_core_add_listener(undo->core, &undo->core_listener, &core_events, undo);
	undo->registry = weir_registry_create(undo->core, &registry_events, undo);
	if (undo->registry != NULL)
		pw_main_loop_run(undo->loop);
	weir_registry_destroy(undo->registry);
	pw_context_destroy(context);
	pw_main_loop_destroy(undo->loop);
	return EXIT_SUCCESS;
}

int main(int argc, char *argv[])
{
	struct undo undo = { .sync = 0 };
	struct note *note;
	const char *remote = argc > 1 ? argv[1] : NULL;
	char line[1024];
	int status = EXIT_SUCCESS;

	/* The service's stop is for the other process: ours is that it has ended. */
	signal(SIGTERM, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	spa_list_init(&undo.notes);
	while (fgets(line, sizeof(line), stdin) != NULL)
		line_read(&undo, line);
	if (!spa_list_is_empty(&undo.notes)) {
		pw_init(&argc, &argv);
		PW_LOG_TOPIC_INIT(weir_topic);
		status = undo_run(&undo, remote);
		pw_deinit();
	}
	spa_list_consume(note, &undo.notes, link) note_remove(note);
	return status;
}
