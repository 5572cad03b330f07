/* SPDX-License-Identifier: MIT */

/*
 * A plugin of qemu-user: counts the guest's instructions from each entry of one function to the
 * next entry of another, and prints their number when the guest ends.
 *
 * usage: qemu-aarch64 -plugin COUNT.so,from=ADDRESS,to=ADDRESS -d plugin PROGRAM...
 *
 * QEMU's header is not packaged: this declares what it uses of it. PLUGIN_VERSION: QEMU takes those
 * of its own time only.
 */

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef PLUGIN_VERSION
#define PLUGIN_VERSION 1
#endif

struct qemu_plugin_tb;
struct qemu_info_t;
typedef uint64_t qemu_plugin_id_t;

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
					   void (*translated)(qemu_plugin_id_t id,
							      struct qemu_plugin_tb *tb));
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb,
					  void (*run)(unsigned int cpu, void *data), int flags,
					  void *data);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id,
				    void (*ended)(qemu_plugin_id_t id, void *data), void *data);
void qemu_plugin_outs(const char *text);
int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info_t *info, int argc,
			char *argv[]);

extern int qemu_plugin_version;
int qemu_plugin_version = PLUGIN_VERSION;

static uint64_t from, to, n_instructions;
static bool counting;

static void run(unsigned int cpu, void *data)
{
	(void)cpu;
	if (counting)
		n_instructions += (uintptr_t)data;
}

static void begin(unsigned int cpu, void *data)
{
	counting = true;
	run(cpu, data);
}

static void end(unsigned int cpu, void *data)
{
	(void)cpu;
	(void)data;
	counting = false;
}

/* A function's entry begins a block, as it is jumped to. */
static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	const uint64_t address = qemu_plugin_tb_vaddr(tb);

	(void)id;
	qemu_plugin_register_vcpu_tb_exec_cb(tb,
					     address == from ? begin
					     : address == to ? end
							     : run,
					     0, (void *)(uintptr_t)qemu_plugin_tb_n_insns(tb));
}

static void print(qemu_plugin_id_t id, void *data)
{
	char text[32];

	(void)id;
	(void)data;
	snprintf(text, sizeof(text), "%" PRIu64 "\n", n_instructions);
	qemu_plugin_outs(text);
}

int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info_t *info, int argc, char *argv[])
{
	(void)info;
	for (int i = 0; i < argc; i++) {
		if (strncmp(argv[i], "from=", 5) == 0)
			from = strtoull(argv[i] + 5, NULL, 16);
		if (strncmp(argv[i], "to=", 3) == 0)
			to = strtoull(argv[i] + 3, NULL, 16);
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	qemu_plugin_register_atexit_cb(id, print, NULL);
	return 0;
}
