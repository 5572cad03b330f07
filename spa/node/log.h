/* SPDX-License-Identifier: MIT */
#ifndef WEIR_SPA_LOG_H
#define WEIR_SPA_LOG_H

#include <spa/support/log.h>

/* PIPEWIRE_DEBUG=weir.node:4 shows its messages; spa/unit_node.c has it. */
extern struct spa_log_topic weir_node_topic;

#undef SPA_LOG_TOPIC_DEFAULT
#define SPA_LOG_TOPIC_DEFAULT &weir_node_topic

#endif
