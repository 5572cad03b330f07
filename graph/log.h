/* SPDX-License-Identifier: MIT */
#ifndef WEIR_GRAPH_LOG_H
#define WEIR_GRAPH_LOG_H

#include <pipewire/log.h>

/* Each module defines its own; PIPEWIRE_DEBUG=mod.weir-*:I shows them. */
PW_LOG_TOPIC_EXTERN(weir_topic);

#undef PW_LOG_TOPIC_DEFAULT
#define PW_LOG_TOPIC_DEFAULT weir_topic

#endif
