/* SPDX-License-Identifier: MIT */
/* The flattened device tree, only as far as the size of memory. */
#ifndef BOARD_FDT_H
#define BOARD_FDT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct board_memory {
	uint64_t base;
	uint64_t bytes;
};

/*
 * Finds the first memory range in the tree at `blob`, of which at most `limit` bytes are looked at.
 * The blob is outside data: any content gives either a range or false, never a wild access.
 */
bool board_fdt_memory(const void *blob, size_t limit, struct board_memory *memory);

#endif
