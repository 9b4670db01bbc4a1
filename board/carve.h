/* SPDX-License-Identifier: MIT */
/* Memory that is given out once, between the image and the end of RAM. */
#ifndef BOARD_CARVE_H
#define BOARD_CARVE_H

#include <stdint.h>

void board_carve_init(uint64_t start, uint64_t end);
/* Takes `bytes`, page aligned, not zeroed. Returns: the address, or 0 if there is not enough. */
uint64_t board_carve(uint64_t bytes);
/* Everything carved after `mark` is free again: the way one phase makes room for the next. */
uint64_t board_carve_mark(void);
void board_carve_release(uint64_t mark);
uint64_t board_carve_left_bytes(void);

#endif
