/* SPDX-License-Identifier: MIT */
/* Baselines B9, B10, B12 and B15, which go by what a guest needs or suffers. */
#include "sim_bench.h"

/* --- B9 --- */

/* A VM of 1024 MiB, 600 of them given to it: 40 kernel, 300 promised, all in use. */
static struct sim_vm_view *hyperv_vm(struct bench *b, uint64_t available)
{
	struct sim_vm_view *vm = bench_vm(b, 100, 1024, 600);

	vm->stats.active_anon_pages = MIB(560) - MIB(available);
	vm->stats.free_pages = MIB(available);
	vm->stats.available_pages = MIB(available);
	vm->stats.committed_pages = MIB(300);
	return vm;
}

static void hyperv_adds_the_guests_floor_and_a_buffer(void **state)
{
	struct bench b;
	struct sim_vm_view *vm;

	(void)state;
	bench_start(&b, 2048);
	vm = hyperv_vm(&b, 0);
	vm->stats.committed_pages = MIB(600);
	bench_policy(&b, "hyperv", "");
	bench_step(&b);
	assert_int_equal(vm->target_pages, MIB(600)); /* decides every second sample */
	bench_step(&b);
	/* Floor of 600 MiB: 104 + 75. All at once: (600 + 40 + 179) * 1.2. */
	assert_int_equal(vm->target_pages, (uint64_t)((double)MIB(819) * 1.2));
	bench_stop(&b);
}

static void hyperv_shrinks_by_a_twentieth_and_never_into_what_is_in_use(void **state)
{
	static const struct {
		uint64_t available, target_permille;
	} rows[] = {
		{400, 570000}, /* 5 % */
		{189, 590000}, /* 10 above the floor of 179 */
		{179, 600000}, /* none */
		{0, 600000},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bench b;
		struct sim_vm_view *vm;

		bench_start(&b, 1000);
		vm = hyperv_vm(&b, rows[i].available);
		vm->stats.committed_pages = MIB(100);
		bench_policy(&b, "hyperv", "");
		bench_step(&b);
		bench_step(&b);
		assert_int_equal(vm->target_pages, MIB(rows[i].target_permille) / 1000);
		bench_stop(&b);
	}
}

static void hyperv_gives_up_buffers_when_the_host_is_short(void **state)
{
	static const struct {
		uint64_t free;
		double factor;
	} rows[] = {{300, 1.2}, {200, 1.2}, {100, 1.1}, {51, 1.051}, {50, 1.0}, {0, 0.95}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bench b;
		struct sim_vm_view *vm;

		bench_start(&b, 1000);
		vm = hyperv_vm(&b, 0);
		vm->stats.committed_pages = MIB(500);
		b.view.free_pages = MIB(rows[i].free);
		bench_policy(&b, "hyperv", "");
		bench_step(&b);
		bench_step(&b);
		assert_in_range(vm->target_pages, (uint64_t)((double)MIB(719) * rows[i].factor) - 1,
				(uint64_t)((double)MIB(719) * rows[i].factor) + 1);
		bench_stop(&b);
	}
}

/* The mean of ten samples holds a VM up after its demand is gone; a rise counts at once. */
static void hyperv_takes_the_larger_of_mean_and_last(void **state)
{
	struct bench b;
	struct sim_vm_view *vm;

	(void)state;
	bench_start(&b, 4096);
	vm = hyperv_vm(&b, 400);
	vm->stats.committed_pages = MIB(100);
	bench_policy(&b, "hyperv", "");
	for (int i = 0; i < 9; i++) {
		bench_step(&b);
	}
	vm->stats.committed_pages = MIB(600);
	bench_step(&b);
	assert_int_equal(vm->target_pages, (uint64_t)((double)MIB(819) * 1.2));
	vm->stats.committed_pages = MIB(100);
	bench_step(&b);
	bench_step(&b);
	/* Mean: nine of 319 and one of 819 in ten, with the buffer less than now: 5 % down. */
	assert_int_equal(vm->target_pages, MIB(570));
	bench_stop(&b);
}

/* --- B10 --- */

static void chromeos_meets_in_the_middle(void **state)
{
	struct bench b;
	struct sim_vm_view *vm;

	(void)state;
	bench_start(&b, 2000);
	vm = bench_vm(&b, 0, 1900, 1700);
	vm->stats.free_pages = MIB(300);
	vm->stats.inactive_file_pages = MIB(400);
	vm->stats_ms = 1000;
	bench_policy(&b, "chromeos", "");
	bench_step(&b);
	/* Guest 700 - 400 above critical, host 300 - 104: half of 104 moves. */
	assert_int_equal(vm->target_pages, MIB(1648));
	vm->stats_ms = 899;
	vm->stats.free_pages = 0;
	bench_step(&b);
	assert_int_equal(vm->target_pages, MIB(1648)); /* too old: left out */
	bench_stop(&b);
}

static void chromeos_learns_what_a_guest_can_do_with(void **state)
{
	struct bench b;
	struct sim_vm_view *vm;

	(void)state;
	bench_start(&b, 1000);
	vm = bench_vm(&b, 0, 1000, 948);
	bench_policy(&b, "chromeos", "");
	vm->stats.free_pages = MIB(200);
	vm->stats_ms = 1000;
	bench_step(&b);
	/* Host exactly at its critical level, guest 200 below: it gets what the host can lose. */
	assert_int_equal(vm->target_pages, MIB(958));
	vm->stats.free_pages = MIB(190);
	vm->stats_ms = 2000;
	bench_step(&b);
	/* The second tick below: 200 is critical from now on. Half of what the guest lacks moves.
	 */
	assert_int_equal(vm->target_pages, MIB(953));
	vm->stats.free_pages = MIB(220);
	vm->stats_ms = 3000;
	bench_step(&b);
	assert_int_equal(vm->target_pages, MIB(938)); /* 20 to share */
	bench_stop(&b);
}

static void chromeos_leaves_all_alone_when_both_starve(void **state)
{
	struct bench b;
	struct sim_vm_view *vm;

	(void)state;
	bench_start(&b, 1000);
	vm = bench_vm(&b, 0, 1000, 1000);
	vm->stats_ms = 1000;
	bench_policy(&b, "chromeos", "");
	bench_step(&b);
	assert_int_equal(vm->target_pages, MIB(1000));
	bench_stop(&b);
}

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
		cmocka_unit_test(hyperv_adds_the_guests_floor_and_a_buffer),
		cmocka_unit_test(hyperv_shrinks_by_a_twentieth_and_never_into_what_is_in_use),
		cmocka_unit_test(hyperv_gives_up_buffers_when_the_host_is_short),
		cmocka_unit_test(hyperv_takes_the_larger_of_mean_and_last),
		cmocka_unit_test(chromeos_meets_in_the_middle),
		cmocka_unit_test(chromeos_learns_what_a_guest_can_do_with),
		cmocka_unit_test(chromeos_leaves_all_alone_when_both_starve),
		cmocka_unit_test(selfballoon_goes_up_at_once_and_down_by_an_eighth),
		cmocka_unit_test(selfballoon_stops_at_its_floor),
		cmocka_unit_test(senpai_probes_downwards_by_a_hundredth),
		cmocka_unit_test(senpai_raises_by_the_square_of_the_stall),
		cmocka_unit_test(senpai_knows_its_bounds_only),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
