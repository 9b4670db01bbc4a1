/* SPDX-License-Identifier: MIT */
/*
 * The moving picture of a run: one line a second, in which the pool is a bar and each VM a stretch
 * of it.
 */
#ifndef BOARD_PICTURE_H
#define BOARD_PICTURE_H

#include "phase.h"

/* Prints what the columns and letters mean. Once before a phase. */
void board_picture_legend(const struct board_phase *phase);

/* Prints the present second. */
void board_picture_line(const struct board_phase *phase, uint64_t second);

#endif
