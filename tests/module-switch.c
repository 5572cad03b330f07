/* SPDX-License-Identifier: MIT */
/*
 * libpipewire-module-weir-switch: loads the module `switch.name`, and unloads all of weir's, in the
 * process it runs in. The FIFO `switch.fifo` tells it to: a line of arguments loads, an empty line
 * unloads, also what the daemon's configuration has loaded.
 * Nothing outside a daemon is allowed to.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pipewire/impl.h>
#include <spa/utils/string.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PREFIX "libpipewire-module-weir-"
#define SWITCH PREFIX "switch"

struct module_switch {
	struct pw_context *context;
	struct pw_properties *args;
	const char *name;
	struct spa_source *source;
	struct spa_hook listener;
	char lines[PIPE_BUF]; /* what was read of a line that is not complete */
};

/* Returns 1 to end the walk over the globals: its next one may be gone. */
static int global_unload(void *data, struct pw_global *global)
{
	const char *name = pw_properties_get(pw_global_get_properties(global), PW_KEY_MODULE_NAME);

	(void)data;
	if (!pw_global_is_type(global, PW_TYPE_INTERFACE_Module) || name == NULL ||
	    !spa_strstartswith(name, PREFIX) || spa_streq(name, SWITCH))
		return 0;
	pw_impl_module_destroy(pw_global_get_object(global));
	return 1;
}

static void line_do(struct module_switch *module_switch, const char *line)
{
	if (*line != '\0')
		pw_context_load_module(module_switch->context, module_switch->name, line, NULL);
	else
		while (pw_context_for_each_global(module_switch->context, global_unload, NULL) > 0)
			;
}

static void fifo_written(void *data, int fd, uint32_t mask)
{
	struct module_switch *module_switch = data;
	char *lines = module_switch->lines;
	const size_t length = strlen(lines);
	const ssize_t n = read(fd, lines + length, sizeof(module_switch->lines) - 1 - length);
	char *end;

	(void)mask;
	if (n <= 0)
		return;
	lines[length + (size_t)n] = '\0';
	while ((end = strchr(lines, '\n')) != NULL) {
		*end = '\0';
		line_do(module_switch, lines);
		memmove(lines, end + 1, strlen(end + 1) + 1);
	}
}

static void module_destroy(void *data)
{
	struct module_switch *module_switch = data;

	spa_hook_remove(&module_switch->listener);
	pw_loop_destroy_source(pw_context_get_main_loop(module_switch->context),
			       module_switch->source);
	pw_properties_free(module_switch->args);
	free(module_switch);
}

static const struct pw_impl_module_events module_events = {
	PW_VERSION_IMPL_MODULE_EVENTS,
	.destroy = module_destroy,
};

SPA_EXPORT int pipewire__module_init(struct pw_impl_module *module, const char *args);

int pipewire__module_init(struct pw_impl_module *module, const char *args)
{
	struct module_switch *module_switch = calloc(1, sizeof(*module_switch));
	int fd;

	if (module_switch == NULL)
		return -errno;
	module_switch->context = pw_impl_module_get_context(module);
	module_switch->args = pw_properties_new_string(args);
	module_switch->name = pw_properties_get(module_switch->args, "switch.name");
	fd = open(pw_properties_get(module_switch->args, "switch.fifo"),
		  O_RDWR | O_NONBLOCK | O_CLOEXEC);
	module_switch->source = pw_loop_add_io(pw_context_get_main_loop(module_switch->context), fd,
					       SPA_IO_IN, true, fifo_written, module_switch);
	pw_impl_module_add_listener(module, &module_switch->listener, &module_events,
				    module_switch);
	return 0;
}
