/* SPDX-License-Identifier: MIT */
#include "spa-rig.h"

#include <dlfcn.h>
#include <spa/node/utils.h>
#include <spa/param/format-utils.h>
#include <spa/param/latency-utils.h>
#include <spa/param/param.h>
#include <spa/pod/builder.h>
#include <spa/utils/names.h>
#include <spa/utils/result.h>
#include <string.h>

#include "check.h"
#include "realtime.h"

static void on_info(void *data, const struct spa_node_info *info)
{
	struct spa_rig *rig = data;

	CHECK(info->change_mask);
	rig->n_info++;
	if (info->change_mask & SPA_NODE_CHANGE_MASK_PROPS)
		snprintf(rig->state, sizeof(rig->state), "%s",
			 spa_dict_lookup(info->props, "weir.state"));
}

static void on_port_info(void *data, enum spa_direction direction, uint32_t id,
			 const struct spa_port_info *info)
{
	struct spa_rig *rig = data;
	uint32_t i = 0;

	rig->n_port_info++;
	if (!info)
		return;
	while (i < rig->n_ports && !(rig->port[i].direction == direction && rig->port[i].id == id))
		i++;
	if (i < rig->n_ports)
		return;

	struct rig_port *port = &rig->port[rig->n_ports++];

	CHECK(rig->n_ports <= RIG_MAX_PORTS);
	port->direction = direction;
	port->id = id;
	snprintf(port->name, sizeof(port->name), "%s", spa_dict_lookup(info->props, "port.name"));
}

static void on_result(void *data, int seq, int res, uint32_t type, const void *result)
{
	struct spa_rig *rig = data;
	const struct spa_result_node_params *params = result;

	(void)seq;
	if (res < 0 || type != SPA_RESULT_TYPE_NODE_PARAMS)
		return;
	CHECK(SPA_POD_SIZE(params->param) <= sizeof(rig->param));
	memcpy(rig->param, params->param, SPA_POD_SIZE(params->param));
	rig->n_params++;
}

static const struct spa_node_events events = {
	SPA_VERSION_NODE_EVENTS,
	.info = on_info,
	.port_info = on_port_info,
	.result = on_result,
};

static const struct spa_handle_factory *factory_find(void *library, const char *name)
{
	spa_handle_factory_enum_func_t factories =
		(spa_handle_factory_enum_func_t)dlsym(library, SPA_HANDLE_FACTORY_ENUM_FUNC_NAME);
	const struct spa_handle_factory *factory;
	uint32_t index = 0;

	CHECK(factories);
	while (factories(&factory, &index) == 1)
		if (strcmp(factory->name, name) == 0)
			return factory;
	return NULL;
}

void rig_create(struct spa_rig *rig, const char *path, const char *factory_name,
		const struct spa_dict *info)
{
	rig_create_in(rig, path, factory_name, info, NULL);
}

void rig_create_in(struct spa_rig *rig, const char *path, const char *factory_name,
		   const struct spa_dict *info, struct spa_loop_utils *main_loop)
{
	const struct spa_support support = { SPA_TYPE_INTERFACE_LoopUtils, main_loop };
	void *node;

	memset(rig, 0, sizeof(*rig));
	rig->library = dlopen(path, RTLD_NOW);
	if (!rig->library)
		fprintf(stderr, "%s\n", dlerror());
	CHECK(rig->library);

	const struct spa_handle_factory *factory = factory_find(rig->library, factory_name);

	CHECK(factory);
	rig->handle = calloc(1, spa_handle_factory_get_size(factory, info));
	CHECK(rig->handle);
	CHECK(spa_handle_factory_init(factory, rig->handle, info, &support, main_loop != NULL) ==
	      0);
	CHECK(spa_handle_get_interface(rig->handle, SPA_TYPE_INTERFACE_Node, &node) == 0);
	rig_attach(rig, node);
}

void rig_attach(struct spa_rig *rig, struct spa_node *node)
{
	rig->node = node;
	spa_node_add_listener(rig->node, &rig->listener, &events, rig);
	CHECK(rig->n_ports > 0 && rig->n_info == 1);
	rig_set_clock(rig, 48000, 1024);
	CHECK(spa_node_set_io(rig->node, SPA_IO_Clock, &rig->position.clock,
			      sizeof(rig->position.clock)) == 0);
	CHECK(spa_node_set_io(rig->node, SPA_IO_Position, &rig->position, sizeof(rig->position)) ==
	      0);
}

void rig_detach(struct spa_rig *rig)
{
	spa_hook_remove(&rig->listener);
}

void rig_destroy(struct spa_rig *rig)
{
	rig_detach(rig);
	spa_handle_clear(rig->handle);
	free(rig->handle);
	dlclose(rig->library);
}

void rig_link(struct spa_rig *rig, struct rig_port *port)
{
	CHECK(rig_enum(rig, port, SPA_PARAM_EnumFormat, 0));
	CHECK(spa_node_port_set_param(rig->node, port->direction, port->id, SPA_PARAM_Format, 0,
				      (struct spa_pod *)rig->param) == 0);
	CHECK(rig_enum(rig, port, SPA_PARAM_Buffers, 0));
	for (uint32_t i = 0; i < 2; i++) {
		port->data[i] = (struct spa_data){
			.type = SPA_DATA_MemPtr,
			.data = port->memory[i],
			.maxsize = RIG_BYTES,
			.chunk = &port->chunk[i],
		};
		port->buffer[i] = (struct spa_buffer){ .n_datas = 1, .datas = &port->data[i] };
		port->buffers[i] = &port->buffer[i];
	}
	port->io = SPA_IO_BUFFERS_INIT;
	port->linked = true;
	CHECK(spa_node_port_use_buffers(rig->node, port->direction, port->id, 0, port->buffers,
					2) == 0);
	CHECK(spa_node_port_set_io(rig->node, port->direction, port->id, SPA_IO_Buffers, &port->io,
				   sizeof(port->io)) == 0);
}

void rig_unlink(struct spa_rig *rig, struct rig_port *port)
{
	port->linked = false;
	CHECK(spa_node_port_set_io(rig->node, port->direction, port->id, SPA_IO_Buffers, NULL, 0) ==
	      0);
	CHECK(spa_node_port_set_param(rig->node, port->direction, port->id, SPA_PARAM_Format, 0,
				      NULL) == 0);
}

struct rig_port *rig_port(struct spa_rig *rig, const char *name)
{
	for (uint32_t i = 0; i < rig->n_ports; i++)
		if (strcmp(rig->port[i].name, name) == 0)
			return &rig->port[i];
	fprintf(stderr, "no port %s\n", name);
	exit(EXIT_FAILURE);
}

void rig_set_clock(struct spa_rig *rig, uint32_t rate, uint32_t n_frames)
{
	rig->position.clock.rate = SPA_FRACTION(1, rate);
	rig->position.clock.target_rate = SPA_FRACTION(1, rate);
	rig->position.clock.duration = n_frames;
	rig->position.clock.target_duration = n_frames;
}

int rig_command(struct spa_rig *rig, uint32_t command)
{
	return spa_node_send_command(rig->node, &SPA_NODE_COMMAND_INIT(command));
}

void rig_write(struct rig_port *port, const float *samples, uint32_t n_frames)
{
	memcpy(port->memory[0], samples, n_frames * sizeof(float));
	port->chunk[0] = (struct spa_chunk){ .size = n_frames * (uint32_t)sizeof(float),
					     .stride = sizeof(float) };
	port->io.buffer_id = 0;
	port->io.status = SPA_STATUS_HAVE_DATA;
}

void rig_cycle(struct spa_rig *rig)
{
	for (uint32_t i = 0; i < rig->n_ports; i++)
		if (rig->port[i].direction == SPA_DIRECTION_OUTPUT)
			rig->port[i].io.status = SPA_STATUS_NEED_DATA;
	realtime_begin();

	const int status = spa_node_process_fast(rig->node);

	realtime_end();
	CHECK(status == (SPA_STATUS_HAVE_DATA | SPA_STATUS_NEED_DATA));
	for (uint32_t i = 0; i < rig->n_ports; i++)
		if (rig->port[i].direction == SPA_DIRECTION_INPUT && rig->port[i].linked)
			CHECK(rig->port[i].io.status == SPA_STATUS_NEED_DATA);
}

const struct spa_data *rig_read(struct rig_port *port)
{
	if (port->io.status != SPA_STATUS_HAVE_DATA || port->io.buffer_id > 1)
		return NULL;
	return &port->data[port->io.buffer_id];
}

bool rig_enum(struct spa_rig *rig, const struct rig_port *port, uint32_t id, uint32_t index)
{
	const uint32_t before = rig->n_params;

	if (port)
		spa_node_port_enum_params(rig->node, 0, port->direction, port->id, id, index, 1,
					  NULL);
	else
		spa_node_enum_params(rig->node, 0, id, index, 1, NULL);
	return rig->n_params > before;
}
