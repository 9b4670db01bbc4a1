/* SPDX-License-Identifier: MIT */
/* Baselines B12 and B15, with each VM on its own. */
#include "sim_bench.h"

/* --- B12 --- */

static void selfballoon_goes_up_at_once_and_down_by_an_eighth(void **state)
{
	struct bench b;
	struct sim_vm_view *vm;
	const uint64_t reserve = (uint64_t)(6.0 / 1024.0 * 1024.0 * 256.0); /* 6 MiB of 1 GiB */
	uint64_t way;

	(void)state;
	bench_start(&b, 2048);
	vm = bench_vm(&b, 0, 1024, 500);
	vm->stats.active_anon_pages = MIB(460);
	vm->stats.committed_pages = MIB(900);
	bench_policy(&b, "selfballoon", "");
	bench_step(&b);
	assert_int_equal(vm->target_pages, MIB(940) + reserve);
	vm->stats.committed_pages = MIB(300);
	way = MIB(460) - MIB(300) - reserve;
	bench_step(&b);
	assert_int_equal(vm->target_pages, MIB(500) - way / 8);
	bench_stop(&b);
}

static void selfballoon_stops_at_its_floor(void **state)
{
	/* Booted with, floor without the kernel: of 1024: 6 + 99 + (1018 - 99) / 32, and so on. */
	static const struct {
		uint64_t max;
		double floor;
	} rows[] = {
		{1024, 6.0 + 99.0 + 919.0 / 32.0},
		{256, 3.0 + 40.0 + 213.0 / 8.0},
		{64, 1.5 + 16.0 + 46.5 / 2.0},
		{16, 16.0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bench b;
		struct sim_vm_view *vm;

		bench_start(&b, 2048);
		vm = bench_vm(&b, 0, rows[i].max, rows[i].max);
		bench_policy(&b, "selfballoon", "");
		for (uint32_t round = 0; round < 100; round++) {
			vm->stats.active_anon_pages = vm->actual_pages;
			bench_step(&b);
			bench_follow(&b, NULL);
		}
		assert_in_range(vm->target_pages, (uint64_t)(rows[i].floor * 256.0) - 1,
				(uint64_t)(rows[i].floor * 256.0) + 1);
		bench_stop(&b);
	}
}

/* --- B15 --- */

static void senpai_probes_downwards_by_a_hundredth(void **state)
{
	struct bench b;
	struct sim_vm_view *vm;

	(void)state;
	bench_start(&b, 2048);
	vm = bench_vm(&b, 0, 1024, 1000);
	bench_policy(&b, "senpai", "");
	for (uint32_t i = 0; i < 6; i++) {
		bench_step(&b);
		assert_int_equal(vm->target_pages, MIB(1000));
	}
	bench_step(&b);
	assert_int_equal(vm->target_pages, MIB(990));
	/* 5 ms of 10 in the interval: (2 / 10)^2 of a hundredth. */
	vm->stall_ms = 5;
	for (uint32_t i = 0; i < 6; i++) {
		bench_step(&b);
	}
	assert_int_equal(vm->target_pages, (uint64_t)((double)MIB(990) * (1.0 - 0.0004)));
	bench_stop(&b);
}

static void senpai_raises_by_the_square_of_the_stall(void **state)
{
	static const struct {
		uint64_t stall_ms;
		double factor;
	} rows[] = {{10, 1.0}, {11, 1.003025}, {20, 1.01}, {100, 1.25}, {200, 2.0}, {1000, 2.0}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bench b;
		struct sim_vm_view *vm;

		bench_start(&b, 2048);
		vm = bench_vm(&b, 0, 1024, 400);
		vm->stall_ms = 77; /* of a time before */
		bench_policy(&b, "senpai", "");
		bench_step(&b);
		vm->stall_ms += rows[i].stall_ms;
		bench_step(&b);
		assert_int_equal(vm->target_pages, (uint64_t)((double)MIB(400) * rows[i].factor));
		bench_stop(&b);
	}
}

static void senpai_knows_its_bounds_only(void **state)
{
	struct bench b;
	struct sim_vm_view *vm;

	(void)state;
	bench_start(&b, 2048);
	vm = bench_vm(&b, 500, 1024, 512);
	bench_policy(&b, "senpai", "");
	for (uint32_t i = 0; i < 6000; i++) {
		bench_step(&b);
	}
	assert_int_equal(vm->target_pages, MIB(100));
	for (uint32_t i = 0; i < 60; i++) {
		vm->stall_ms += 1000;
		bench_step(&b);
	}
	assert_int_equal(vm->target_pages, MIB(1024));
	bench_stop(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(selfballoon_goes_up_at_once_and_down_by_an_eighth),
		cmocka_unit_test(selfballoon_stops_at_its_floor),
		cmocka_unit_test(senpai_probes_downwards_by_a_hundredth),
		cmocka_unit_test(senpai_raises_by_the_square_of_the_stall),
		cmocka_unit_test(senpai_knows_its_bounds_only),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
