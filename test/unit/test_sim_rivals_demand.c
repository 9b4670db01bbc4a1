/* SPDX-License-Identifier: MIT */
/* Baselines B9 and B10, which go by what a guest needs and has. */
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
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
