/* SPDX-License-Identifier: MIT */
#ifndef WEIR_PLOT_GNUPLOT_H
#define WEIR_PLOT_GNUPLOT_H

#include <stddef.h>
#include <stdio.h>

/* What gnuplot draws, and the file that it becomes. */

/* For a script of gnuplot, to be drawn and closed by gnuplot_draw. */
FILE *gnuplot_begin(void);

/*
 * Draws what the script prints to gnuplot's standard output, and only then writes it: a regular
 * file is the old picture or all of the new one, at any time. What else path is, a device or a
 * pipe, is written to. Ends the program with a message when it fails.
 */
void gnuplot_draw(FILE *script, const char *path);

#endif
