/* SPDX-License-Identifier: MIT */
#ifndef WEIR_PLOT_H
#define WEIR_PLOT_H

/* weir plot: draws a report into a picture, through gnuplot. Manual: weir-plot.1 */
int plot_main(int argc, char *argv[]);

#endif
