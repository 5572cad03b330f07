/* SPDX-License-Identifier: MIT */
#ifndef WEIR_TOP_H
#define WEIR_TOP_H

/* weir top: shows what nodes report in a terminal. Manual: weir-top.1 */
int top_main(int argc, char *argv[]);

#endif
