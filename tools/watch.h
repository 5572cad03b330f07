/* SPDX-License-Identifier: MIT */
#ifndef WEIR_WATCH_H
#define WEIR_WATCH_H

/* weir watch: prints or sends what a node reports. Manual: weir-watch.1 */
int watch_main(int argc, char *argv[]);

#endif
