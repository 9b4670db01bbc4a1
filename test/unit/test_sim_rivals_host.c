/* SPDX-License-Identifier: MIT */
/* Baselines B13 and B14, which go by the host: what each is known for. */
#include "sim_bench.h"

/* --- B13 --- */

static struct sim_vm_view *pi_vm(struct bench *b, uint64_t size, uint64_t free_mib)
{
	struct sim_vm_view *vm;

	bench_start(b, 1000);
	vm = bench_vm(b, 0, 1000, size);
	vm->stats.available_pages = MIB(size);
	b->view.free_pages = MIB(free_mib);
	bench_policy(b, "qemuspi", "");
	return vm;
}

static void qemuspi_follows_error_and_integral(void **state)
{
	/* e = 0.2 - free; I = 5 e the first time; 128 MiB to move. */
	static const struct {
		uint64_t size, free, target;
	} rows[] = {
		{700, 200, 700}, {700, 0, 550},    {700, 40, 700}, /* 150 and 120 */
		{700, 10, 558},  {500, 1000, 950}, {900, 1000, 1000},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bench b;
		struct sim_vm_view *vm = pi_vm(&b, rows[i].size, rows[i].free);

		bench_step(&b);
		assert_in_range(vm->target_pages, MIB(rows[i].target) - 256,
				MIB(rows[i].target) + 256);
		bench_stop(&b);
	}
}

static void qemuspi_protects_what_a_guest_uses_until_the_host_is_full(void **state)
{
	struct bench b;
	struct sim_vm_view *vm = pi_vm(&b, 600, 110);

	(void)state;
	vm->stats.available_pages = MIB(50);
	for (uint32_t i = 0; i < 3; i++) {
		bench_step(&b);
		assert_true(vm->target_pages >= MIB(550));
	}
	b.view.free_pages = 0;
	for (uint32_t i = 0; i < 30; i++) {
		bench_step(&b);
		bench_follow(&b, NULL);
		b.view.free_pages = 0;
	}
	assert_in_range(vm->target_pages, MIB(330) - 1, MIB(330) + 1);
	bench_stop(&b);
}

/* After minutes at the floor the integral is not full of them: growth comes as from a start. */
static void qemuspi_does_not_wind_up(void **state)
{
	struct bench b;
	struct sim_vm_view *vm = pi_vm(&b, 600, 0);

	(void)state;
	for (uint32_t i = 0; i < 60; i++) {
		bench_step(&b);
		bench_follow(&b, NULL);
		b.view.free_pages = 0;
	}
	assert_in_range(vm->actual_pages, MIB(330) - 1, MIB(330));
	b.view.free_pages = MIB(500);
	bench_step(&b);
	/* e = -0.3 and I = -1 at once; with 1 in it as before, 505. */
	assert_in_range(vm->target_pages, MIB(530) - 256, MIB(530) + 256);
	bench_stop(&b);
}

/* --- B14 --- */

static void hypeman_gives_back_what_it_has_just_taken_for_ever(void **state)
{
	struct bench b;
	uint32_t turns = 0;
	int last = 0;

	(void)state;
	bench_start(&b, 4096);
	bench_vm(&b, 0, 2048, 2048);
	bench_vm(&b, 0, 2048, 2048);
	bench_policy(&b, "hypeman", "");
	for (uint32_t i = 0; i < 300; i++) {
		const uint64_t before = b.vm[0].target_pages;
		int way;

		bench_step(&b);
		bench_follow(&b, NULL);
		way = (b.vm[0].target_pages > before) - (b.vm[0].target_pages < before);
		turns += way != 0 && way == -last ? 1u : 0u;
		last = way != 0 ? way : last;
	}
	/* Ten minutes: it turns round at every move that the cool-down allows. */
	assert_in_range(turns, 98, 100);
	bench_stop(&b);
}

static void hypeman_moves_in_bounds(void **state)
{
	struct bench b;
	struct sim_vm_view *large, *small;

	(void)state;
	bench_start(&b, 4096);
	large = bench_vm(&b, 0, 3072, 3072);
	small = bench_vm(&b, 0, 512, 512);
	b.view.free_pages = MIB(410);
	bench_policy(&b, "hypeman", "");
	bench_step(&b);
	assert_int_equal(large->target_pages, MIB(3072)); /* above 10 %: no pressure yet */
	b.view.free_pages = MIB(409);
	bench_step(&b);
	/* 15 % are 614: 205 from the one that has more than 512 and more than half. */
	assert_in_range(large->target_pages, MIB(2866), MIB(2867));
	assert_int_equal(small->target_pages, MIB(512));
	b.view.free_pages = 0;
	bench_step(&b);
	bench_step(&b);
	assert_in_range(large->target_pages, MIB(2866), MIB(2867)); /* cools down */
	bench_step(&b);
	assert_in_range(large->target_pages, MIB(2610), MIB(2611)); /* 256 at most */
	b.view.free_pages = MIB(600);
	bench_step(&b);
	bench_step(&b);
	bench_step(&b);
	assert_in_range(large->target_pages, MIB(2866), MIB(2867)); /* still under pressure */
	bench_stop(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(qemuspi_follows_error_and_integral),
		cmocka_unit_test(qemuspi_protects_what_a_guest_uses_until_the_host_is_full),
		cmocka_unit_test(qemuspi_does_not_wind_up),
		cmocka_unit_test(hypeman_gives_back_what_it_has_just_taken_for_ever),
		cmocka_unit_test(hypeman_moves_in_bounds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
