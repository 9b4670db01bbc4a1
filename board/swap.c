/* SPDX-License-Identifier: MIT */
/*
 * The contents of swap areas, see swap.h. A page that a cell has once got stays with its block: the
 * guest does not say when it needs a block no longer.
 */
#include "swap.h"

#include <stddef.h>
#include <string.h>

#include "carve.h"

#define PAGE_BYTES 4096u
#define PAGE_WORDS (PAGE_BYTES / 8u)
#define CELL_WORDS 5u

struct board_swap_cell {
	uint64_t word[CELL_WORDS];
	/* Of each word, in its page. */
	uint16_t index[CELL_WORDS];
	/* How many there are; CELL_WORDS + 1: they are in the page. */
	uint16_t count;
	/* 0: it has none. */
	uint64_t page;
};

static uint64_t *words_of(uint64_t page)
{
	return (uint64_t *)(uintptr_t)page;
}

bool board_swap_create(struct board_swap *swap, uint32_t blocks)
{
	*swap = (struct board_swap){.blocks = blocks};
	swap->written = (uint64_t *)(uintptr_t)board_carve((blocks + 63u) / 64u * sizeof(uint64_t));
	if (swap->written == NULL) {
		return false;
	}
	/* As much again is left to the VMs that come after this one: cells are the least they need.
	 */
	if ((uint64_t)blocks * PAGE_BYTES <= board_carve_left_bytes() / 2u) {
		swap->base = board_carve((uint64_t)blocks * PAGE_BYTES);
	} else {
		uint64_t bytes = (uint64_t)blocks * sizeof(struct board_swap_cell);
		swap->cells = (struct board_swap_cell *)(uintptr_t)board_carve(bytes);
		if (swap->cells == NULL) {
			return false;
		}
		memset(swap->cells, 0, (size_t)bytes);
	}
	board_swap_forget(swap);
	return true;
}

void board_swap_forget(struct board_swap *swap)
{
	memset(swap->written, 0, (swap->blocks + 63u) / 64u * sizeof(uint64_t));
}

static void read_cell(const struct board_swap_cell *cell, uint64_t page)
{
	if (cell->count > CELL_WORDS) {
		memcpy(words_of(page), words_of(cell->page), PAGE_BYTES);
		return;
	}
	memset(words_of(page), 0, PAGE_BYTES);
	for (uint32_t i = 0; i < cell->count; i++) {
		words_of(page)[cell->index[i]] = cell->word[i];
	}
}

void board_swap_read(const struct board_swap *swap, uint64_t block, uint64_t page)
{
	if ((swap->written[block / 64u] >> (block % 64u) & 1u) == 0) {
		memset(words_of(page), 0, PAGE_BYTES);
	} else if (swap->base != 0) {
		memcpy(words_of(page), words_of(swap->base + block * PAGE_BYTES), PAGE_BYTES);
	} else {
		read_cell(&swap->cells[block], page);
	}
}

static bool write_cell(struct board_swap_cell *cell, uint64_t page)
{
	struct board_swap_cell filled = {.page = cell->page};

	for (uint32_t i = 0; i < PAGE_WORDS; i++) {
		uint64_t word = words_of(page)[i];
		if (word != 0 && filled.count < CELL_WORDS) {
			filled.word[filled.count] = word;
			filled.index[filled.count++] = (uint16_t)i;
		} else if (word != 0) {
			filled.count = CELL_WORDS + 1u;
			break;
		}
	}
	if (filled.count > CELL_WORDS) {
		filled.page = filled.page != 0 ? filled.page : board_carve(PAGE_BYTES);
		if (filled.page == 0) {
			return false;
		}
		memcpy(words_of(filled.page), words_of(page), PAGE_BYTES);
	}
	*cell = filled;
	return true;
}

bool board_swap_write(struct board_swap *swap, uint64_t block, uint64_t page)
{
	if (swap->base != 0) {
		memcpy(words_of(swap->base + block * PAGE_BYTES), words_of(page), PAGE_BYTES);
	} else if (!write_cell(&swap->cells[block], page)) {
		return false;
	}
	swap->written[block / 64u] |= UINT64_C(1) << (block % 64u);
	return true;
}
