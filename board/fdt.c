/* SPDX-License-Identifier: MIT */
/*
 * A walk over the flattened device tree that looks for one thing, the memory of the machine.
 * The blob is outside data: every offset is checked against the size before it is used, each step
 * moves forward, and a tree that is not well formed up to the memory node has no memory node.
 */
#include "fdt.h"

#include <string.h>

#define FDT_MAGIC      0xd00dfeedu
#define FDT_BEGIN_NODE 1u
#define FDT_END_NODE   2u
#define FDT_PROP       3u
#define FDT_NOP        4u

#define HEADER_BYTES      40u
#define OFFSET_TOTAL      4u
#define OFFSET_STRUCT     8u
#define OFFSET_STRINGS    12u
#define OFFSET_COMPATIBLE 24u
#define READABLE_VERSION  17u

struct tree {
	const uint8_t *bytes;
	size_t size;    /* nothing at or above this offset is read */
	size_t strings; /* offset of the names of properties */
	size_t at;      /* the walk's position in the structure block */
};

/* Reads a big-endian word. Returns: false if it is not inside the blob. */
static bool word_at(const struct tree *tree, size_t offset, uint32_t *value)
{
	if (offset > tree->size || tree->size - offset < 4u) {
		return false;
	}
	const uint8_t *bytes = tree->bytes + offset;
	*value = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
		 bytes[3];
	return true;
}

/* Returns: the terminated string at an offset, or NULL if it does not end inside the blob. */
static const char *string_at(const struct tree *tree, size_t offset)
{
	if (offset >= tree->size ||
	    memchr(tree->bytes + offset, '\0', tree->size - offset) == NULL) {
		return NULL;
	}
	return (const char *)tree->bytes + offset;
}

static bool open_tree(struct tree *tree, const void *blob, size_t limit)
{
	uint32_t magic, total, structure, strings, compatible;

	*tree = (struct tree){.bytes = blob, .size = limit};
	if (limit < HEADER_BYTES || !word_at(tree, 0, &magic) || magic != FDT_MAGIC ||
	    !word_at(tree, OFFSET_TOTAL, &total) || total < HEADER_BYTES || total > limit ||
	    !word_at(tree, OFFSET_STRUCT, &structure) || !word_at(tree, OFFSET_STRINGS, &strings) ||
	    !word_at(tree, OFFSET_COMPATIBLE, &compatible) || compatible > READABLE_VERSION ||
	    structure >= total || (structure & 3u) != 0 || strings >= total) {
		return false;
	}
	tree->size = total;
	tree->strings = strings;
	tree->at = structure;
	return true;
}

/* Reads `cells` big-endian words as one number. Returns: false if they are not inside the blob. */
static bool cells_at(const struct tree *tree, size_t offset, uint32_t cells, uint64_t *value)
{
	*value = 0;
	for (uint32_t i = 0; i < cells; i++) {
		uint32_t word;
		if (!word_at(tree, offset + 4u * i, &word)) {
			return false;
		}
		*value = *value << 32 | word;
	}
	return true;
}

/* A cell count of the root: only one or two words fit a 64-bit number. */
static bool cell_count_at(const struct tree *tree, size_t offset, uint32_t bytes, uint32_t *cells)
{
	return bytes == 4u && word_at(tree, offset, cells) && *cells >= 1u && *cells <= 2u;
}

bool board_fdt_memory(const void *blob, size_t limit, struct board_memory *memory)
{
	struct tree tree;
	uint32_t depth = 0;
	uint32_t address_cells = 2;
	uint32_t size_cells = 1; /* the defaults of the specification */
	bool in_memory = false;

	if (!open_tree(&tree, blob, limit)) {
		return false;
	}

	/* Each turn consumes at least one word of at most `limit` bytes. */
	for (;;) {
		uint32_t token;
		if (!word_at(&tree, tree.at, &token)) {
			return false;
		}
		tree.at += 4u;

		if (token == FDT_BEGIN_NODE) {
			const char *name = string_at(&tree, tree.at);
			if (name == NULL) {
				return false;
			}
			depth++;
			in_memory = depth == 2 && (strcmp(name, "memory") == 0 ||
						   strncmp(name, "memory@", 7) == 0);
			tree.at += (strlen(name) + 4u) & ~(size_t)3u;
		} else if (token == FDT_END_NODE) {
			if (depth == 0) {
				return false;
			}
			depth--;
			in_memory = false;
		} else if (token == FDT_PROP) {
			uint32_t bytes, name_offset;
			if (!word_at(&tree, tree.at, &bytes) ||
			    !word_at(&tree, tree.at + 4u, &name_offset)) {
				return false;
			}
			size_t value = tree.at + 8u;
			if (bytes > tree.size - value || name_offset > tree.size) {
				return false;
			}
			const char *name = string_at(&tree, tree.strings + name_offset);
			if (name == NULL) {
				return false;
			}
			if (depth == 1 && strcmp(name, "#address-cells") == 0 &&
			    !cell_count_at(&tree, value, bytes, &address_cells)) {
				return false;
			}
			if (depth == 1 && strcmp(name, "#size-cells") == 0 &&
			    !cell_count_at(&tree, value, bytes, &size_cells)) {
				return false;
			}
			if (in_memory && strcmp(name, "reg") == 0) {
				return bytes >= 4u * (address_cells + size_cells) &&
				       cells_at(&tree, value, address_cells, &memory->base) &&
				       cells_at(&tree, value + 4u * address_cells, size_cells,
						&memory->bytes) &&
				       memory->bytes != 0 &&
				       memory->base + memory->bytes > memory->base;
			}
			tree.at = value + (((size_t)bytes + 3u) & ~(size_t)3u);
		} else if (token != FDT_NOP) {
			return false;
		}
	}
}
