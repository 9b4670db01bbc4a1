/* SPDX-License-Identifier: MIT */
/* The pages that guests live in. */
#ifndef BOARD_POOL_H
#define BOARD_POOL_H

#include <stdbool.h>
#include <stdint.h>

#define BOARD_OWNER_FREE 0u /* VMIDs start at 1 */

/*
 * Makes one pool of `page_count` free pages out of carved memory; a former pool is forgotten.
 * Returns: false if there is not enough memory.
 */
bool board_pool_init(uint32_t page_count);
/* Hands out one zeroed page, cleaned to the point of coherency. Returns: its address, or 0. */
uint64_t board_pool_alloc(uint8_t owner);
/* Scrubs a page and puts it back; `owner` must be who it was handed to. */
void board_pool_free(uint64_t page, uint8_t owner);
uint32_t board_pool_free_count(void);
uint32_t board_pool_page_count(void);
/*
 * Of the pool's pages, so many are promised to VMs, as memory that they may touch; the pool counts.
 * More than there are can be promised, by a VM that starts over before the others have made room:
 * nothing is left to promise then.
 */
void board_pool_promise(uint32_t pages);
void board_pool_unpromise(uint32_t pages);
/* Return: how many pages are promised, and how many more may be. */
uint32_t board_pool_promised(void);
uint32_t board_pool_unpromised(void);
/* Counts the pages of an owner by looking at every page: for checks, not for work. */
uint32_t board_pool_count_owner(uint8_t owner);
/* Zeroes one page by cache line and cleans it to the point of coherency. */
void board_page_zero(uint64_t page);

#endif
