/* SPDX-License-Identifier: MIT */
/*
 * What a VM's swap area holds. Where there is memory for it, a page a block. Where there is not, a
 * block is kept as its words that are not zero if they are few, and in a page only if they are
 * many, as long as there are pages: a thin device, whose writes fail when it is full.
 */
#ifndef BOARD_SWAP_H
#define BOARD_SWAP_H

#include <stdbool.h>
#include <stdint.h>

struct board_swap {
	uint32_t blocks;
	/* One bit a block: written since board_swap_forget. */
	uint64_t *written;
	/* A page a block; 0: `cells` instead. */
	uint64_t base;
	struct board_swap_cell *cells;
};

/* Carves memory for an area of so many blocks. Returns: false if there is not even enough for
 * cells. */
bool board_swap_create(struct board_swap *swap, uint32_t blocks);
/* All blocks read as zeroes from now on. */
void board_swap_forget(struct board_swap *swap);
/* Fills a page from a block. */
void board_swap_read(const struct board_swap *swap, uint64_t block, uint64_t page);
/* Returns: false if there is no memory for what the page holds; the block reads as before then. */
bool board_swap_write(struct board_swap *swap, uint64_t block, uint64_t page);

#endif
