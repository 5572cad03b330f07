/* SPDX-License-Identifier: MIT */

/*
 * Prints each object that appears in the registry, with the time in milliseconds:
 *
 *	TIME client ID
 *	TIME node ID CLIENT_ID NAME
 *	TIME link ID OUTPUT_NODE_ID INPUT_NODE_ID
 */

#include <stdio.h>
#include <time.h>

#include <pipewire/pipewire.h>

static const char *get(const struct spa_dict *props, const char *key)
{
	const char *value = spa_dict_lookup(props, key);

	return value != NULL ? value : "-";
}

static void appeared(void *data, uint32_t id, uint32_t permissions, const char *type,
		     uint32_t version, const struct spa_dict *props)
{
	struct timespec now;

	(void)data, (void)permissions, (void)version;
	if (props == NULL)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	printf("%.3f ", (double)now.tv_sec * 1e3 + (double)now.tv_nsec * 1e-6);
	if (spa_streq(type, PW_TYPE_INTERFACE_Client))
		printf("client %u\n", id);
	else if (spa_streq(type, PW_TYPE_INTERFACE_Node))
		printf("node %u %s %s\n", id, get(props, PW_KEY_CLIENT_ID),
		       get(props, PW_KEY_NODE_NAME));
	else if (spa_streq(type, PW_TYPE_INTERFACE_Link))
		printf("link %u %s %s\n", id, get(props, PW_KEY_LINK_OUTPUT_NODE),
		       get(props, PW_KEY_LINK_INPUT_NODE));
	else
		printf("other %u\n", id);
}

static const struct pw_registry_events registry_events = {
	PW_VERSION_REGISTRY_EVENTS,
	.global = appeared,
};

int main(void)
{
	struct pw_main_loop *loop;
	struct pw_core *core;
	struct pw_registry *registry;
	struct spa_hook listener;

	pw_init(NULL, NULL);
	setvbuf(stdout, NULL, _IOLBF, 0);
	loop = pw_main_loop_new(NULL);
	core = pw_context_connect(pw_context_new(pw_main_loop_get_loop(loop), NULL, 0), NULL, 0);
	if (core == NULL) {
		perror("cannot connect to PipeWire");
		return 1;
	}
	registry = pw_core_get_registry(core, PW_VERSION_REGISTRY, 0);
	pw_registry_add_listener(registry, &listener, &registry_events, NULL);
	pw_main_loop_run(loop);
	return 0;
}
