/* SPDX-License-Identifier: MIT */
/*
 * Swap areas of the board, with a page a block and with cells: what is written is read, whatever it
 * is, until it is forgotten; and memory that runs out fails a write, and changes nothing.
 */
#include "../../board/swap.h"
#include "support.h"

#include <stdlib.h>

#include "../../board/carve.h"

#define BLOCKS 100u
#define PAGE   4096u
#define WORDS  (PAGE / 8u)

static char *memory;
static uint64_t left, used;

/* As the board's: whole pages, not zeroed, 0 when there is not enough. */
uint64_t board_carve(uint64_t bytes)
{
	const uint64_t whole = (bytes + PAGE - 1u) / PAGE * PAGE;

	if (whole > left) {
		return 0;
	}
	used += whole;
	left -= whole;
	return (uint64_t)(uintptr_t)(memory + used - whole);
}

uint64_t board_carve_left_bytes(void)
{
	return left;
}

static void give_memory(uint64_t pages)
{
	free(memory);
	assert_int_equal(posix_memalign((void **)&memory, PAGE, pages * PAGE), 0);
	memset(memory, 0xa5, pages * PAGE);
	left = pages * PAGE;
	used = 0;
}

static uint64_t page_buffer[WORDS], read_buffer[WORDS];

/* A page with so many words that are not zero, different for each `seed`. */
static void fill(uint32_t count, uint64_t seed)
{
	memset(page_buffer, 0, sizeof(page_buffer));
	for (uint32_t i = 0; i < count; i++) {
		page_buffer[(i * 37u + seed) % WORDS] = seed * 1000003u + i + 1u;
	}
}

static bool put(struct board_swap *swap, uint64_t block)
{
	return board_swap_write(swap, block, (uint64_t)(uintptr_t)page_buffer);
}

static void expect(const struct board_swap *swap, uint64_t block)
{
	memset(read_buffer, 0x5a, sizeof(read_buffer));
	board_swap_read(swap, block, (uint64_t)(uintptr_t)read_buffer);
	assert_memory_equal(read_buffer, page_buffer, PAGE);
}

static void swap_keeps_what_is_written(void **state)
{
	static const uint32_t counts[] = {0, 1, 2, 4, 5, 6, 7, 100, WORDS, 3, WORDS, 0};
	/* Of pages: twice what it takes and the bits; one less, for cells. */
	static const uint64_t sizes[] = {201, 200};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct board_swap swap;
		give_memory(sizes[i]);
		assert_true(board_swap_create(&swap, BLOCKS));
		assert_int_equal(swap.base != 0, i == 0);
		fill(0, 0);
		expect(&swap, BLOCKS - 1);
		for (size_t round = 0; round < ARRAY_SIZE(counts); round++) {
			for (uint64_t block = 0; block < BLOCKS; block += 11) {
				fill(counts[round], block + round);
				assert_true(put(&swap, block));
			}
			for (uint64_t block = 0; block < BLOCKS; block += 11) {
				fill(counts[round], block + round);
				expect(&swap, block);
			}
		}
		fill(9, 5);
		assert_true(put(&swap, 22));
		board_swap_forget(&swap);
		fill(0, 0);
		for (uint64_t block = 0; block < BLOCKS; block++) {
			expect(&swap, block);
		}
	}
}

static void swap_without_memory_fails_the_write(void **state)
{
	struct board_swap swap;

	(void)state;
	/* One page of bits, two of cells, three for blocks. */
	give_memory(6);
	assert_true(board_swap_create(&swap, BLOCKS));
	for (uint64_t block = 0; block < 3; block++) {
		fill(6, block);
		assert_true(put(&swap, block));
	}
	fill(5, 3);
	assert_true(put(&swap, 3));
	fill(6, 3);
	assert_false(put(&swap, 3));
	fill(5, 3);
	expect(&swap, 3);
	fill(6, 4);
	assert_false(put(&swap, 4));
	fill(0, 0);
	expect(&swap, 4);

	/* What has a page keeps it, also over a time with few words. */
	fill(1, 1);
	assert_true(put(&swap, 1));
	expect(&swap, 1);
	fill(WORDS, 9);
	assert_true(put(&swap, 1));
	expect(&swap, 1);

	for (uint64_t pages = 0; pages < 3; pages++) {
		give_memory(pages);
		assert_false(board_swap_create(&swap, BLOCKS));
	}
}

static int teardown(void **state)
{
	(void)state;
	free(memory);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(swap_keeps_what_is_written),
		cmocka_unit_test(swap_without_memory_fails_the_write),
	};
	return cmocka_run_group_tests(tests, NULL, teardown);
}
