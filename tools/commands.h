/* SPDX-License-Identifier: MIT */
#ifndef WEIR_COMMANDS_H
#define WEIR_COMMANDS_H

/* The commands of weir, each with the arguments after its name; the manual is man/weir-NAME.1. */

/* Prints or sends what a node reports. */
int watch_main(int argc, char *argv[]);

/* Shows what nodes report in a terminal. */
int top_main(int argc, char *argv[]);

/* Draws a report as a picture, with gnuplot. */
int plot_main(int argc, char *argv[]);

#endif
