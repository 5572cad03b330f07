/* SPDX-License-Identifier: MIT */
/*
 * weir-capture-undo: reads a capture's journal (journal.h), and undoes the changes in it when the
 * process that writes the journal has ended.
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
#include "journal.h"

PW_LOG_TOPIC(weir_topic, "weir-capture-undo");

struct entry {
	struct spa_list link;
	uint64_t serial;
	bool has_target;
	char *target, *target_node; /* NULL: none */
	double rate;		    /* 0: as it is */
	float volume;		    /* below 0: as it is */
};

struct undo {
	struct spa_list entries;
	struct pw_main_loop *loop;
	struct pw_core *core;
	struct spa_hook core_listener;
	struct weir_registry *registry;
	int sync;
};

static struct entry *entry_find(struct undo *undo, uint64_t serial)
{
	struct entry *entry;

	spa_list_for_each(entry, &undo->entries, link)
	{
		if (entry->serial == serial)
			return entry;
	}
	return NULL;
}

static struct entry *entry_add(struct undo *undo, uint64_t serial)
{
	struct entry *entry = calloc(1, sizeof(*entry));

	if (entry == NULL)
		exit(EXIT_FAILURE);
	entry->serial = serial;
	entry->volume = -1.0f;
	spa_list_append(&undo->entries, &entry->link);
	return entry;
}

static void entry_remove(struct entry *entry)
{
	if (entry == NULL)
		return;
	spa_list_remove(&entry->link);
	free(entry->target);
	free(entry->target_node);
	free(entry);
}

static void entry_set(struct entry *entry, const char *key, const char *value)
{
	if (spa_streq(key, CAPTURE_JOURNAL_TARGET)) {
		free(entry->target);
		entry->has_target = true;
		entry->target = value != NULL ? strdup(value) : NULL;
	} else if (spa_streq(key, CAPTURE_JOURNAL_TARGET_NODE)) {
		free(entry->target_node);
		entry->target_node = value != NULL ? strdup(value) : NULL;
	} else if (spa_streq(key, CAPTURE_JOURNAL_RATE)) {
		entry->rate = value != NULL ? spa_strtod(value, NULL) : 0.0;
	} else if (spa_streq(key, CAPTURE_JOURNAL_VOLUME)) {
		entry->volume = value != NULL ? spa_strtof(value, NULL) : -1.0f;
	}
}

static void line_read(struct undo *undo, char *line)
{
	char *rest = line;
	const char *serial = strsep(&rest, " \n");
	const char *key = strsep(&rest, " \n");
	const char *value = strsep(&rest, "\n");
	struct entry *entry = entry_find(undo, strtoull(serial, NULL, 10));

	if (key == NULL || *key == '\0') {
		entry_remove(entry);
		return;
	}
	if (entry == NULL)
		entry = entry_add(undo, strtoull(serial, NULL, 10));
	entry_set(entry, key, value != NULL && *value != '\0' ? value : NULL);
}

static void params_restore(const struct entry *entry, struct weir_registry_object *node)
{
	struct weir_props props;

	if (entry->rate == 0.0 && entry->volume < 0.0f)
		return;
	weir_props_init(&props);
	if (entry->rate != 0.0)
		spa_pod_builder_add(&props.builder, SPA_PROP_rate, SPA_POD_Double(entry->rate), 0);
	if (entry->volume >= 0.0f)
		spa_pod_builder_add(&props.builder, SPA_PROP_volume, SPA_POD_Float(entry->volume),
				    0);
	weir_props_send(&props, node->proxy);
}

/* In this order: the session manager remembers what comes last. */
static void target_restore(const struct entry *entry, struct weir_registry_object *node)
{
	if (!entry->has_target)
		return;
	weir_registry_set_target_node(node->registry, node->id, NULL);
	weir_registry_set_target(node->registry, node->id, entry->target);
	if (entry->target_node != NULL)
		weir_registry_set_target_node(node->registry, node->id, entry->target_node);
}

static void ready(void *data)
{
	struct undo *undo = data;
	struct weir_registry_object *node;

	spa_list_for_each(node, weir_registry_get_objects(undo->registry, WEIR_REGISTRY_NODE), link)
	{
		const char *serial = pw_properties_get(node->props, PW_KEY_OBJECT_SERIAL);
		struct entry *entry =
			serial != NULL ? entry_find(undo, strtoull(serial, NULL, 10)) : NULL;

		if (entry == NULL)
			continue;
		target_restore(entry, node);
		params_restore(entry, node);
		entry_remove(entry);
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
	struct entry *entry;
	const char *remote = argc > 1 ? argv[1] : NULL;
	char line[1024];
	int status = EXIT_SUCCESS;

	/* When a service stops, all its processes get SIGTERM; this one must outlive the capture's.
	 */
	signal(SIGTERM, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	spa_list_init(&undo.entries);
	while (fgets(line, sizeof(line), stdin) != NULL)
		line_read(&undo, line);
	if (!spa_list_is_empty(&undo.entries)) {
		pw_init(&argc, &argv);
		PW_LOG_TOPIC_INIT(weir_topic);
		status = undo_run(&undo, remote);
		pw_deinit();
	}
	spa_list_consume(entry, &undo.entries, link) entry_remove(entry);
	return status;
}
