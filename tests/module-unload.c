/* SPDX-License-Identifier: MIT */
/*
 * libpipewire-module-weir-unload: when something is written to the FIFO `unload.fifo`, it unloads
 * the module `unload.name` from the process it runs in. Nothing outside a daemon is allowed to.
 */
#include <errno.h>
#include <fcntl.h>
#include <pipewire/impl.h>
#include <spa/utils/string.h>
#include <stdlib.h>
#include <unistd.h>

struct unload {
	struct pw_context *context;
	struct pw_properties *args;
	struct spa_source *source;
	struct spa_hook listener;
};

/* Returns 1 to end the walk over the globals: its next one may be gone. */
static int global_unload(void *data, struct pw_global *global)
{
	struct unload *unload = data;
	const char *name = pw_properties_get(pw_global_get_properties(global), PW_KEY_MODULE_NAME);

	if (!pw_global_is_type(global, PW_TYPE_INTERFACE_Module) ||
	    !spa_streq(name, pw_properties_get(unload->args, "unload.name")))
		return 0;
	pw_impl_module_destroy(pw_global_get_object(global));
	return 1;
}

static void fifo_written(void *data, int fd, uint32_t mask)
{
	struct unload *unload = data;

	(void)mask;
	if (read(fd, &(char){ 0 }, 1) == 1)
		pw_context_for_each_global(unload->context, global_unload, unload);
}

static void module_destroy(void *data)
{
	struct unload *unload = data;

	spa_hook_remove(&unload->listener);
	pw_loop_destroy_source(pw_context_get_main_loop(unload->context), unload->source);
	pw_properties_free(unload->args);
	free(unload);
}

static const struct pw_impl_module_events module_events = {
	PW_VERSION_IMPL_MODULE_EVENTS,
	.destroy = module_destroy,
};

SPA_EXPORT int pipewire__module_init(struct pw_impl_module *module, const char *args);

int pipewire__module_init(struct pw_impl_module *module, const char *args)
{
	struct unload *unload = calloc(1, sizeof(*unload));
	int fd;

	if (unload == NULL)
		return -errno;
	unload->context = pw_impl_module_get_context(module);
	unload->args = pw_properties_new_string(args);
	fd = open(pw_properties_get(unload->args, "unload.fifo"), O_RDWR | O_NONBLOCK | O_CLOEXEC);
	unload->source = pw_loop_add_io(pw_context_get_main_loop(unload->context), fd, SPA_IO_IN,
					true, fifo_written, unload);
	pw_impl_module_add_listener(module, &unload->listener, &module_events, unload);
	return 0;
}
