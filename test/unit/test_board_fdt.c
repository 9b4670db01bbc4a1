/* SPDX-License-Identifier: MIT */
/*
 * The board's reader of the device tree, on trees made here: right ones, and ones that are cut,
 * garbled or lie about their sizes. Each lies in memory of just its size, so that the sanitizers
 * see a byte too far.
 */
#include "../../board/fdt.h"
#include "support.h"

#include <stdlib.h>
#include <string.h>

#define HEADER 40u
#define ROOM   512u

/* A tree under construction: the structure block, and the names of properties behind it. */
struct builder {
	uint8_t structure[ROOM];
	uint8_t names[ROOM];
	size_t structure_bytes, names_bytes;
};

static void word_put(uint8_t *at, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++) {
		at[i] = (uint8_t)(value >> (24 - 8 * i));
	}
}

static void word(struct builder *b, uint32_t value)
{
	word_put(b->structure + b->structure_bytes, value);
	b->structure_bytes += 4;
}

static void bytes(struct builder *b, const void *data, size_t count)
{
	memcpy(b->structure + b->structure_bytes, data, count);
	b->structure_bytes += (count + 3u) & ~(size_t)3u;
}

static void node(struct builder *b, const char *name)
{
	word(b, 1);
	bytes(b, name, strlen(name) + 1);
}

static void end_node(struct builder *b)
{
	word(b, 2);
}

/* A property of words. */
static void property(struct builder *b, const char *name, const uint32_t *values, size_t count)
{
	word(b, 3);
	word(b, (uint32_t)(4 * count));
	word(b, (uint32_t)b->names_bytes);
	memcpy(b->names + b->names_bytes, name, strlen(name) + 1);
	b->names_bytes += strlen(name) + 1;
	for (size_t i = 0; i < count; i++) {
		word(b, values[i]);
	}
}

/* Puts the parts together. Returns: the blob, to be freed. */
static uint8_t *blob_of(const struct builder *b, size_t *size)
{
	*size = HEADER + b->structure_bytes + b->names_bytes;
	uint8_t *blob = calloc(1, *size);
	assert_non_null(blob);
	const uint32_t header[] = {0xd00dfeedu,
				   (uint32_t)*size,
				   HEADER,
				   (uint32_t)(HEADER + b->structure_bytes),
				   HEADER,
				   17,
				   16,
				   0,
				   (uint32_t)b->names_bytes,
				   (uint32_t)b->structure_bytes};
	for (size_t i = 0; i < 10; i++) {
		word_put(blob + 4 * i, header[i]);
	}
	memcpy(blob + HEADER, b->structure, b->structure_bytes);
	memcpy(blob + HEADER + b->structure_bytes, b->names, b->names_bytes);
	return blob;
}

static bool read_tree(const struct builder *b, struct board_memory *memory)
{
	size_t size;
	uint8_t *blob = blob_of(b, &size);
	bool found = board_fdt_memory(blob, size, memory);
	free(blob);
	return found;
}

/* A root whose cells are given, with one node of memory. */
static void plain(struct builder *b, uint32_t address_cells, uint32_t size_cells, const char *name,
		  const uint32_t *reg, size_t count)
{
	*b = (struct builder){0};
	node(b, "");
	property(b, "#address-cells", &address_cells, 1);
	property(b, "#size-cells", &size_cells, 1);
	node(b, "cpus");
	property(b, "reg", (const uint32_t[]){1, 2, 3, 4}, 4);
	end_node(b);
	node(b, name);
	property(b, "device_type", (const uint32_t[]){0x6d656d6f, 0x72790000}, 2);
	property(b, "reg", reg, count);
	end_node(b);
	end_node(b);
	word(b, 9);
}

static void fdt_finds_what_the_tree_has(void **state)
{
	static const struct {
		uint32_t address_cells, size_cells;
		const char *name;
		uint32_t reg[4];
		size_t count;
		uint64_t base, bytes; /* no bytes: not found */
	} rows[] = {
		{2, 2, "memory@40000000", {0, 0x40000000, 1, 0}, 4, 0x40000000, 1ull << 32},
		{1, 1, "memory", {0x40000000, 0x20000000}, 2, 0x40000000, 0x20000000},
		{2, 1, "memory@40000000", {0, 0x40000000, 0x100000}, 3, 0x40000000, 0x100000},
		{1, 2, "memory@0", {0x1000, 1, 1}, 3, 0x1000, (1ull << 32) + 1},
		{2, 2, "memory@1", {0xffffffff, 0xffff0000, 0, 0xffff}, 4, ~0xffffull, 0xffff},
		/* It wraps; it is empty; it is too short for its cells; cells that nobody has. */
		{2, 2, "memory@1", {0xffffffff, 0xffff0000, 0, 0x10000}, 4, 0, 0},
		{2, 2, "memory@1", {0, 0x40000000, 0, 0}, 4, 0, 0},
		{2, 2, "memory@1", {0, 0x40000000, 0}, 3, 0, 0},
		{0, 2, "memory@1", {0, 1, 0, 1}, 4, 0, 0},
		{3, 2, "memory@1", {0, 1, 0, 1}, 4, 0, 0},
		{2, 0xffffffff, "memory@1", {0, 1, 0, 1}, 4, 0, 0},
		/* Other nodes. */
		{2, 2, "memory-controller@1", {0, 1, 0, 1}, 4, 0, 0},
		{2, 2, "memor", {0, 1, 0, 1}, 4, 0, 0},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct builder b;
		struct board_memory memory = {0};
		plain(&b, rows[i].address_cells, rows[i].size_cells, rows[i].name, rows[i].reg,
		      rows[i].count);
		assert_int_equal(read_tree(&b, &memory), rows[i].bytes != 0);
		if (rows[i].bytes != 0) {
			assert_int_equal(memory.base, rows[i].base);
			assert_int_equal(memory.bytes, rows[i].bytes);
		}
	}
}

/* Only a child of the root counts, and only its own properties. */
static void fdt_takes_children_of_the_root_and_their_own_properties_only(void **state)
{
	static const uint32_t two = 2, reg[4] = {0, 0x1000, 0, 0x1000};
	struct board_memory memory;
	struct builder b = {0};

	(void)state;
	node(&b, "");
	property(&b, "#size-cells", &two, 1);
	node(&b, "soc");
	node(&b, "memory@1");
	property(&b, "reg", reg, 4);
	end_node(&b);
	end_node(&b);
	node(&b, "memory@2");
	node(&b, "below");
	property(&b, "reg", reg, 4);
	end_node(&b);
	end_node(&b);
	end_node(&b);
	word(&b, 9);
	assert_false(read_tree(&b, &memory));
}

/* Any prefix, in any limit: the answer of the whole, or none. */
static void fdt_a_tree_that_is_cut_gives_the_whole_answer_or_none(void **state)
{
	static const uint32_t reg[4] = {0, 0x40000000, 1, 0};
	struct builder b;
	size_t size;

	(void)state;
	plain(&b, 2, 2, "memory@40000000", reg, 4);
	uint8_t *whole = blob_of(&b, &size);
	for (size_t cut = 0; cut <= size; cut++) {
		for (unsigned honest = 0; honest < 2; honest++) {
			struct board_memory memory = {0};
			uint8_t *part = malloc(cut + (cut == 0));
			assert_non_null(part);
			memcpy(part, whole, cut);
			if (honest && cut >= 8) {
				word_put(part + 4, (uint32_t)cut);
			}
			if (board_fdt_memory(part, cut, &memory)) {
				assert_int_equal(memory.base, 0x40000000);
				assert_int_equal(memory.bytes, 1ull << 32);
			} else {
				assert_true(cut < size);
			}
			free(part);
		}
	}
	free(whole);
}

/* Each byte in many values, each word in the values that arithmetic breaks on: an answer or none.
 */
static void fdt_a_garbled_tree_gives_an_answer_or_none(void **state)
{
	static const uint32_t reg[4] = {0, 0x40000000, 1, 0};
	static const uint32_t words[] = {
		0, 1, 2, 3, 4, 9, 0x7fffffff, 0x80000000, 0xfffffff0, 0xfffffffc, 0xffffffff};
	struct builder b;
	struct board_memory memory;
	unsigned refused = 0;
	size_t size;

	(void)state;
	plain(&b, 2, 2, "memory@40000000", reg, 4);
	uint8_t *blob = blob_of(&b, &size);
	for (size_t at = 0; at < size; at++) {
		const uint8_t was = blob[at];
		for (unsigned value = 0; value < 256; value++) {
			blob[at] = (uint8_t)value;
			refused += !board_fdt_memory(blob, size, &memory);
		}
		blob[at] = was;
	}
	for (size_t at = 0; at + 4 <= size; at += 4) {
		uint8_t was[4];
		memcpy(was, blob + at, 4);
		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
			word_put(blob + at, words[i]);
			refused += !board_fdt_memory(blob, size, &memory);
		}
		memcpy(blob + at, was, 4);
	}
	free(blob);
	assert_true(refused > 1000);
}

/* A blob may lie at any address: nothing in it is read by more than a byte. */
static void fdt_a_tree_may_lie_at_any_address(void **state)
{
	static const uint32_t reg[4] = {0, 0x40000000, 1, 0};
	struct builder b;
	size_t size;

	(void)state;
	plain(&b, 2, 2, "memory@40000000", reg, 4);
	uint8_t *blob = blob_of(&b, &size);
	for (size_t shift = 0; shift < 8; shift++) {
		struct board_memory memory;
		uint8_t *room = malloc(size + shift);
		assert_non_null(room);
		memcpy(room + shift, blob, size);
		assert_true(board_fdt_memory(room + shift, size, &memory));
		assert_int_equal(memory.bytes, 1ull << 32);
		free(room);
	}
	free(blob);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fdt_finds_what_the_tree_has),
		cmocka_unit_test(fdt_takes_children_of_the_root_and_their_own_properties_only),
		cmocka_unit_test(fdt_a_tree_that_is_cut_gives_the_whole_answer_or_none),
		cmocka_unit_test(fdt_a_garbled_tree_gives_an_answer_or_none),
		cmocka_unit_test(fdt_a_tree_may_lie_at_any_address),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
