/* SPDX-License-Identifier: MIT */
#ifndef WEIR_LINKS_LINKS_H
#define WEIR_LINKS_LINKS_H

#include <pipewire/impl.h>

#include "args.h"

/*
 * Links that are kept: args.c reads the rules, end.c finds the ports that an end of a rule names,
 * pair.c makes and watches the link of two ports, links.c goes through all rules whenever the graph
 * has changed.
 */

/* Takes args, also on failure. 0 or -errno. It ends with the module. */
int links_create(struct pw_impl_module *module, struct links_args *args);

#endif
