/* SPDX-License-Identifier: MIT */
#ifndef WEIR_PLOT_GNUPLOT_H
#define WEIR_PLOT_GNUPLOT_H

#include <stddef.h>
#include <stdio.h>

/* Draws with gnuplot into a file. */

/* Opens a script, which gnuplot_draw draws and closes. */
FILE *gnuplot_begin(void);

/*
 * Draws what the script prints to gnuplot's standard output, and only then writes it: a regular
 * file is the old picture or all of the new one, at any time. A device or a pipe is written to
 * directly. Ends the program with a message on failure.
 */
void gnuplot_draw(FILE *script, const char *path);

#endif
