/* SPDX-License-Identifier: MIT */
/*
 * The frames of Wu, Wu and Zhang: their test data, their table 2, and what their program leaves
 * undefined.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lru.h"

#define MOST_VMS 4u

/* Lists for as many VMs; counts and accesses are given by the test. */
struct lists {
	struct sim_pages pages;
	struct sim_pages_vm vm[MOST_VMS];
};

static void add(struct lists *l, uint32_t *access, uint32_t count)
{
	struct sim_pages_vm *vm = &l->vm[l->pages.vms++];

	vm->access = access;
	vm->count = count;
	for (uint32_t i = 0; i < count; i++) {
		vm->pages = access[i] + 1u > vm->pages ? access[i] + 1u : vm->pages;
	}
	l->pages.vm = l->vm;
}

static uint32_t down[] = {9, 8, 7, 6, 5, 4, 3, 2, 1, 0};
static uint32_t round_four[] = {9, 8, 7, 6, 9, 8, 7, 6, 9, 8};
static uint32_t round_then_down[] = {9, 8, 7, 6, 9, 8, 7, 6, 5, 4};

/* The paper's test1.dat. */
static void add_test1(struct lists *l)
{
	add(l, down, 10);
	add(l, round_four, 10);
	add(l, round_then_down, 10);
	add(l, down, 10);
}

static void assert_missed(const struct sim_lru_vm *vm, const char *expected)
{
	assert_int_equal(vm->count, strlen(expected));
	for (uint32_t i = 0; i < vm->count; i++) {
		assert_int_equal(vm->missed[i], expected[i] - '0');
	}
}

static void test_static_misses_when_used_frames_are_taken(void **state)
{
	struct lists l = {0};
	const struct sim_lru_config config = {.frames = 16};
	struct sim_lru r;

	(void)state;
	add_test1(&l);
	assert_null(sim_lru_run(&r, &l.pages, &config));
	assert_missed(&r.vm[0], "0000111111");
	assert_missed(&r.vm[1], "0000000000");
	assert_missed(&r.vm[2], "0000000011");
	assert_missed(&r.vm[3], "0000111111");
	sim_lru_free(&r);
}

static void test_recent_is_the_papers_table_2(void **state)
{
	static const uint32_t table[10][4] = {
		{3, 3, 3, 3}, {5, 2, 3, 5}, {5, 3, 3, 5}, {5, 2, 2, 5}, {5, 5, 5, 5},
		{5, 4, 4, 5}, {5, 3, 3, 5}, {5, 2, 2, 5}, {5, 1, 2, 5}, {6, 0, 2, 6},
	};
	struct lists l = {0};

	(void)state;
	add_test1(&l);
	for (uint32_t every = 1; every <= 10; every++) {
		const struct sim_lru_config config = {
			.frames = 16, .strategy = SIM_LRU_RECENT, .every = every};
		struct sim_lru r;

		assert_null(sim_lru_run(&r, &l.pages, &config));
		for (uint32_t i = 0; i < 4; i++) {
			assert_int_equal(r.vm[i].misses, table[every - 1u][i]);
		}
		sim_lru_free(&r);
	}
}

/* Misses of all VMs in one of the paper's three tests, on 16 frames. */
static uint32_t misses_of_test(unsigned test, enum sim_lru_strategy strategy)
{
	const struct sim_lru_config config = {
		.frames = 16, .strategy = strategy, .every = 1, .minimum = 2};
	char path[64];
	char error[SIM_PAGES_ERROR_MAX];
	struct sim_pages pages;
	struct sim_lru r;
	uint32_t misses = 0;

	snprintf(path, sizeof(path), "test/study/wu%u.txt", test);
	if (!sim_pages_read(&pages, path, error)) {
		fail_msg("%s", error);
	}
	assert_null(sim_lru_run(&r, &pages, &config));
	for (uint32_t i = 0; i < r.vms; i++) {
		misses += r.vm[i].misses;
	}
	sim_lru_free(&r);
	sim_pages_free(&pages);
	return misses;
}

/* Of 40 + 30 + 36 accesses; the paper has 0.321, 0.236 and 0.198. */
static void test_the_papers_table_1(void **state)
{
	static const struct {
		enum sim_lru_strategy strategy;
		uint32_t permille;
	} table[] = {{SIM_LRU_STATIC, 321}, {SIM_LRU_RECENT, 236}, {SIM_LRU_TOTAL, 198}};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		uint32_t misses = 0;

		for (unsigned test = 1; test <= 3; test++) {
			misses += misses_of_test(test, table[i].strategy);
		}
		assert_int_equal((misses * 1000u + 53u) / 106u, table[i].permille);
	}
}

static void test_recent_never_takes_the_last_frame(void **state)
{
	uint32_t quiet[20] = {0};
	uint32_t busy[20];
	const struct sim_lru_config config = {.frames = 4, .strategy = SIM_LRU_RECENT, .every = 1};
	struct lists l = {0};
	struct sim_lru r;

	(void)state;
	for (uint32_t i = 0; i < 20; i++) {
		busy[i] = i;
	}
	add(&l, quiet, 20);
	add(&l, busy, 20);
	assert_null(sim_lru_run(&r, &l.pages, &config));
	assert_int_equal(r.vm[0].frames, 1);
	assert_int_equal(r.vm[1].frames, 3);
	assert_int_equal(r.vm[0].misses, 0);
	sim_lru_free(&r);
}

static void test_total_shares_by_all_misses(void **state)
{
	uint32_t same[] = {0, 0, 0, 0, 0, 0, 0, 0};
	uint32_t all[] = {0, 1, 2, 3, 4, 5, 6, 7};
	const struct sim_lru_config config = {.frames = 8, .strategy = SIM_LRU_TOTAL, .minimum = 2};
	struct lists l = {0};
	struct sim_lru r;

	(void)state;
	add(&l, same, 8);
	add(&l, all, 8);
	assert_null(sim_lru_run(&r, &l.pages, &config));
	/* The first miss, at page 4, brings both of the quiet VM's frames above its minimum. */
	assert_missed(&r.vm[1], "00001001");
	assert_int_equal(r.vm[0].frames, 2);
	assert_int_equal(r.vm[1].frames, 6);
	sim_lru_free(&r);
}

static void test_total_gives_what_is_left_to_the_largest_fraction(void **state)
{
	uint32_t all[] = {0, 1, 2, 3};
	const struct sim_lru_config config = {.frames = 7, .strategy = SIM_LRU_TOTAL, .minimum = 1};
	struct lists l = {0};
	struct sim_lru r;

	(void)state;
	add(&l, all, 4);
	add(&l, all, 4);
	add(&l, all, 4);
	assert_null(sim_lru_run(&r, &l.pages, &config));
	assert_int_equal(r.vm[0].frames + r.vm[1].frames + r.vm[2].frames, 7);
	assert_true(r.vm[2].frames >= 1);
	sim_lru_free(&r);
}

static void test_lists_of_different_length(void **state)
{
	uint32_t longer[] = {0, 1, 2, 3, 0, 1, 2, 3};
	uint32_t one[] = {5};
	const struct sim_lru_config config = {.frames = 4, .strategy = SIM_LRU_RECENT, .every = 2};
	struct lists l = {0};
	struct sim_lru r;

	(void)state;
	add(&l, one, 1);
	add(&l, longer, 8);
	add(&l, NULL, 0);
	assert_null(sim_lru_run(&r, &l.pages, &config));
	assert_int_equal(r.vm[0].count, 1);
	assert_int_equal(r.vm[1].count, 8);
	assert_int_equal(r.vm[0].frames + r.vm[1].frames + r.vm[2].frames, 4);
	sim_lru_free(&r);
}

static void test_too_few_frames_are_refused(void **state)
{
	struct lists l = {0};
	const struct sim_lru_config few = {.frames = 3};
	const struct sim_lru_config minimum = {
		.frames = 7, .strategy = SIM_LRU_TOTAL, .minimum = 2};
	struct sim_lru r;

	(void)state;
	add_test1(&l);
	assert_non_null(sim_lru_run(&r, &l.pages, &few));
	sim_lru_free(&r);
	assert_non_null(sim_lru_run(&r, &l.pages, &minimum));
	sim_lru_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_static_misses_when_used_frames_are_taken),
		cmocka_unit_test(test_recent_is_the_papers_table_2),
		cmocka_unit_test(test_the_papers_table_1),
		cmocka_unit_test(test_recent_never_takes_the_last_frame),
		cmocka_unit_test(test_total_shares_by_all_misses),
		cmocka_unit_test(test_total_gives_what_is_left_to_the_largest_fraction),
		cmocka_unit_test(test_lists_of_different_length),
		cmocka_unit_test(test_too_few_frames_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
