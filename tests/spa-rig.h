/* SPDX-License-Identifier: MIT */
#ifndef WEIR_SPA_RIG_H
#define WEIR_SPA_RIG_H

#include <spa/node/io.h>
#include <spa/node/node.h>
#include <spa/support/loop.h>
#include <spa/support/plugin.h>
#include <stdbool.h>
#include <stdint.h>

#include "dsp/unit.h"

/* A node of libspa-weir.so, driven by the test as a graph would, without a daemon. */

#define RIG_MAX_PORTS 32
#define RIG_FRAMES 16384
#define RIG_BYTES (RIG_FRAMES * 4)

struct rig_port {
	enum spa_direction direction;
	uint32_t id;
	char name[64];
	bool linked;
	struct spa_io_buffers io;
	struct spa_buffer buffer[2];
	struct spa_buffer *buffers[2];
	struct spa_data data[2];
	struct spa_chunk chunk[2];
	float memory[2][RIG_BYTES / sizeof(float)];
};

struct spa_rig {
	void *library;
	struct spa_handle *handle;
	struct spa_node *node;
	struct spa_hook listener;
	struct spa_io_position position;

	struct rig_port port[RIG_MAX_PORTS]; /* as the node announced them */
	uint32_t n_ports;
	uint32_t n_info; /* notifications of the node's info */
	char state[64];	 /* its property weir.state */
	uint32_t n_port_info;

	/* The last answer to rig_enum. */
	_Alignas(8) uint8_t param[4096];
	uint32_t n_params;
};

/* `path` is that of libspa-weir.so. */
void rig_create(struct spa_rig *rig, const char *path, const char *factory,
		const struct spa_dict *info);

/* With a main loop, which the test runs. */
void rig_create_in(struct spa_rig *rig, const char *path, const char *factory,
		   const struct spa_dict *info, struct spa_loop_utils *main_loop);
void rig_destroy(struct spa_rig *rig);

/* With a node that the test has made, and destroys. */
void rig_attach(struct spa_rig *rig, struct spa_node *node);
void rig_detach(struct spa_rig *rig);

/* Gives a port a format, buffers and io, and takes them away. */
void rig_link(struct spa_rig *rig, struct rig_port *port);
void rig_unlink(struct spa_rig *rig, struct rig_port *port);

/* Ends the test when there is no port of this name. */
struct rig_port *rig_port(struct spa_rig *rig, const char *name);

/* Sets rate and quantum, as a graph does between two cycles. */
void rig_set_clock(struct spa_rig *rig, uint32_t rate, uint32_t n_frames);

int rig_command(struct spa_rig *rig, uint32_t command);

/* Gives the port's samples for the next cycle. */
void rig_write(struct rig_port *port, const float *samples, uint32_t n_frames);

/* Runs one cycle, watched for allocations and locks. */
void rig_cycle(struct spa_rig *rig);

/* The output of the port in the last cycle, or NULL. */
const struct spa_data *rig_read(struct rig_port *port);

/* Keeps the index-th param of this id in rig->param; port NULL means the node. */
bool rig_enum(struct spa_rig *rig, const struct rig_port *port, uint32_t id, uint32_t index);

#endif
