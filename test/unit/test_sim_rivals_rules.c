/* SPDX-License-Identifier: MIT */
/* Baselines B2 to B5, which work by thresholds and rules: what each is known for. */
#include "sim_bench.h"

/* --- B2 --- */

static void naive_goes_to_the_nearer_border_of_its_band(void **state)
{
	static const struct {
		uint64_t size, usable, target;
	} rows[] = {
		{1000, 250, 1000}, {1000, 300, 1000}, {1000, 350, 1000}, /* in the band */
		{1000, 0, 1333},   {1000, 100, 1200}, {1000, 249, 1001}, /* 25 % after it */
		{1000, 351, 998},  {1000, 675, 500},                     /* 35 % after it */
		{1000, 999, 1},    {1600, 0, 2048},                      /* up to the limit */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bench b;
		struct sim_vm_view *vm;

		bench_start(&b, 4096);
		vm = bench_vm(&b, 512, 2048, rows[i].size);
		vm->stats.available_pages = MIB(rows[i].usable);
		bench_policy(&b, "naive", "");
		bench_step(&b);
		assert_int_equal(vm->target_pages / MIB(1), rows[i].target);
	}
}

static void naive_promises_more_than_there_is_and_knows_no_reservation(void **state)
{
	struct bench b;

	(void)state;
	bench_start(&b, 1000);
	bench_vm(&b, 400, 1000, 500);
	bench_vm(&b, 400, 1000, 500);
	bench_policy(&b, "naive", "");
	bench_step(&b);
	assert_true(b.vm[0].target_pages + b.vm[1].target_pages > b.view.total_pages);
	b.vm[0].stats.available_pages = MIB(450);
	bench_step(&b);
	assert_true(b.vm[0].target_pages < b.vm[0].min_pages);
}

/* --- B3 --- */

static void autoballoon_steps_by_an_eighth_of_what_is_used(void **state)
{
	static const struct {
		uint64_t size, usable, target;
	} rows[] = {
		{900, 128, 900}, {900, 192, 900}, /* of 1024: 12.5 % are 128 */
		{900, 127, 996}, {900, 0, 996},   /* 773 or 900 used: 96.6 or 112.5, so 96 */
		{1000, 0, 1024},                  /* up to the limit */
		{900, 193, 836}, {600, 300, 568}, /* 707 used: 64; 300: 32 */
		{400, 200, 399}, {200, 100, 201}, /* 200 or 100 used make no 32 */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bench b;
		struct sim_vm_view *vm;

		bench_start(&b, 1024);
		vm = bench_vm(&b, 512, 1024, rows[i].size);
		vm->stats.available_pages = MIB(rows[i].usable);
		bench_policy(&b, "autoballoon", "");
		bench_step(&b);
		assert_int_equal(vm->target_pages, MIB(rows[i].target));
	}
}

static void autoballoon_grows_a_vm_on_a_host_that_has_nothing(void **state)
{
	struct bench b;

	(void)state;
	bench_start(&b, 1024);
	bench_vm(&b, 256, 1024, 512);
	bench_vm(&b, 256, 1024, 512);
	bench_policy(&b, "autoballoon", "");
	bench_step(&b);
	assert_int_equal(b.view.free_pages, 0);
	assert_int_equal(b.vm[0].target_pages, MIB(576));
	assert_int_equal(b.vm[1].target_pages, MIB(576));
}

/* --- B4 --- */

/* Suffering decides about the order only: at 80 % of the host nothing moves, whoever thrashes. */
static void proxmox_leaves_a_guest_at_its_floor_thrashing_for_ever(void **state)
{
	struct bench b;
	struct sim_vm_view *poor, *rich;

	(void)state;
	bench_start(&b, 1000);
	poor = bench_vm(&b, 200, 800, 200);
	rich = bench_vm(&b, 200, 800, 600);
	rich->stats.free_pages = MIB(500);
	bench_policy(&b, "proxmox", "");
	for (uint32_t round = 0; round < 360; round++) {
		poor->stall_ms += 10000;
		poor->stats.swap_in_pages += MIB(100);
		poor->stats.refault_anon_pages += MIB(100);
		poor->stats.direct_reclaims += 1000;
		poor->urgent_count++;
		bench_step(&b);
		bench_follow(&b, NULL);
		assert_int_equal(poor->actual_pages, MIB(200));
		assert_int_equal(rich->actual_pages, MIB(600));
	}
	assert_int_equal(b.view.free_pages, MIB(200));
	bench_stop(&b);
}

static void proxmox_takes_from_the_pressured_when_nobody_is_comfortable(void **state)
{
	struct bench b;

	(void)state;
	bench_start(&b, 1000);
	bench_vm(&b, 200, 800, 450);
	bench_vm(&b, 200, 800, 450);
	bench_policy(&b, "proxmox", "");
	bench_step(&b);
	assert_int_equal(b.vm[0].target_pages, MIB(400));
	assert_int_equal(b.vm[1].target_pages, MIB(400));
	bench_stop(&b);
}

static void proxmox_takes_from_the_comfortable_first(void **state)
{
	struct bench b;

	(void)state;
	bench_start(&b, 1000);
	bench_vm(&b, 200, 800, 450);
	bench_vm(&b, 200, 800, 450)->stats.free_pages = MIB(51);
	bench_policy(&b, "proxmox", "");
	bench_step(&b);
	assert_int_equal(b.vm[0].target_pages, MIB(450));
	assert_int_equal(b.vm[1].target_pages, MIB(350));
	bench_stop(&b);
}

static void proxmox_moves_100_mib_a_round_by_shares_in_a_band_of_10(void **state)
{
	struct bench b;

	(void)state;
	bench_start(&b, 2000);
	bench_vm(&b, 100, 2000, 300);
	bench_vm(&b, 100, 2000, 300);
	b.vm[1].weight = 300;
	bench_policy(&b, "proxmox", "");
	bench_step(&b);
	assert_int_equal(b.vm[0].target_pages, MIB(400));
	assert_int_equal(b.vm[1].target_pages, MIB(400));
	for (uint32_t round = 0; round < 20; round++) {
		bench_follow(&b, NULL);
		bench_step(&b);
	}
	/* 1600 less two minimums, one to three; the last 10 MiB are not worth a round. */
	assert_in_range(b.vm[0].target_pages, MIB(447), MIB(450));
	assert_in_range(b.vm[1].target_pages, MIB(1140), MIB(1150));
	bench_stop(&b);
}

static void proxmox_shrinks_a_vm_above_its_share_in_a_request_to_grow(void **state)
{
	struct bench b;

	(void)state;
	bench_start(&b, 2000);
	bench_vm(&b, 100, 2000, 1400);
	bench_vm(&b, 100, 2000, 100);
	bench_policy(&b, "proxmox", "");
	bench_step(&b);
	assert_int_equal(b.vm[0].target_pages, MIB(1300));
	assert_int_equal(b.vm[1].target_pages, MIB(200));
	bench_stop(&b);
}

static void proxmox_takes_another_target_as_option(void **state)
{
	struct bench b;

	(void)state;
	bench_start(&b, 1000);
	bench_vm(&b, 200, 1000, 800);
	bench_policy(&b, "proxmox", "target=90");
	bench_step(&b);
	assert_int_equal(b.vm[0].target_pages, MIB(900));
	bench_stop(&b);
	bench_refuses(&b, "proxmox", "target=0");
	bench_refuses(&b, "proxmox", "target=101");
	bench_refuses(&b, "proxmox", "target=most");
	bench_refuses(&b, "proxmox", "goal=90");
}

/* --- B5 --- */

/* Lets so many samples pass. */
static void samples(struct bench *b, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		bench_step(b);
	}
}

static void mom_grows_everybody_by_5_percent_whatever_they_need(void **state)
{
	struct bench b;

	(void)state;
	bench_start(&b, 1000);
	bench_vm(&b, 100, 1000, 400)->stats.free_pages = MIB(400);
	bench_policy(&b, "mom", "");
	samples(&b, 1);
	assert_int_equal(b.vm[0].target_pages, MIB(400));
	samples(&b, 1);
	assert_int_equal(b.vm[0].target_pages, MIB(420));
	bench_follow(&b, NULL);
	samples(&b, 2);
	assert_int_equal(b.vm[0].target_pages, MIB(441));
	bench_stop(&b);
}

static void mom_grows_a_full_guest_to_20_percent_unused_at_once(void **state)
{
	struct bench b;

	(void)state;
	bench_start(&b, 1000);
	bench_vm(&b, 100, 1000, 400);
	bench_policy(&b, "mom", "");
	samples(&b, 2);
	assert_int_equal(b.vm[0].target_pages, MIB(480));
	bench_stop(&b);
}

static void mom_takes_what_is_in_use_when_the_host_is_out_of_memory(void **state)
{
	struct bench b;

	(void)state;
	bench_start(&b, 1000);
	bench_vm(&b, 100, 1000, 500);
	bench_vm(&b, 490, 1000, 500);
	bench_policy(&b, "mom", "");
	samples(&b, 2);
	assert_int_equal(b.vm[0].target_pages, MIB(475));
	assert_int_equal(b.vm[1].target_pages, MIB(490));
	bench_stop(&b);
}

static void mom_leaves_a_part_unused_that_shrinks_with_the_hosts(void **state)
{
	struct bench b;

	(void)state;
	bench_start(&b, 1000);
	/* A tenth of the host is free, so a guest keeps a tenth of its size. */
	bench_vm(&b, 100, 1000, 500)->stats.free_pages = MIB(60);
	bench_vm(&b, 100, 1000, 400)->stats.free_pages = MIB(40);
	bench_policy(&b, "mom", "");
	samples(&b, 2);
	assert_int_equal(b.vm[0].target_pages, MIB(490));
	assert_int_equal(b.vm[1].target_pages, MIB(400));
	/* A change of a quarter of a percent is none. */
	b.vm[1].stats.free_pages = MIB(41);
	samples(&b, 2);
	assert_int_equal(b.vm[1].target_pages, MIB(400));
	bench_stop(&b);
}

static void mom_sees_a_spike_through_the_mean_of_ten_samples(void **state)
{
	struct bench b;

	(void)state;
	bench_start(&b, 1000);
	bench_vm(&b, 100, 1000, 900)->stats.free_pages = MIB(300);
	bench_policy(&b, "mom", "");
	samples(&b, 9);
	b.vm[0].target_pages = MIB(900);
	b.vm[0].stats.free_pages = 0;
	samples(&b, 1);
	assert_int_equal(b.vm[0].target_pages, MIB(855));
	b.vm[0].target_pages = MIB(900);
	samples(&b, 8);
	b.vm[0].target_pages = MIB(900);
	samples(&b, 2);
	assert_int_equal(b.vm[0].target_pages, MIB(900));
	bench_stop(&b);
}

/* --- all --- */

static void a_guest_that_has_said_nothing_is_left_alone(void **state)
{
	static const char *const names[] = {"naive", "autoballoon", "proxmox", "mom"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct bench b;

		bench_start(&b, 1000);
		bench_vm(&b, 100, 1000, 300)->stats.sample = 0;
		bench_policy(&b, names[i], "");
		samples(&b, 30);
		assert_int_equal(b.vm[0].target_pages, MIB(300));
		bench_stop(&b);
	}
	bench_refuses(&(struct bench){0}, "mom", "period=1");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(naive_goes_to_the_nearer_border_of_its_band),
		cmocka_unit_test(naive_promises_more_than_there_is_and_knows_no_reservation),
		cmocka_unit_test(autoballoon_steps_by_an_eighth_of_what_is_used),
		cmocka_unit_test(autoballoon_grows_a_vm_on_a_host_that_has_nothing),
		cmocka_unit_test(proxmox_leaves_a_guest_at_its_floor_thrashing_for_ever),
		cmocka_unit_test(proxmox_takes_from_the_pressured_when_nobody_is_comfortable),
		cmocka_unit_test(proxmox_takes_from_the_comfortable_first),
		cmocka_unit_test(proxmox_moves_100_mib_a_round_by_shares_in_a_band_of_10),
		cmocka_unit_test(proxmox_shrinks_a_vm_above_its_share_in_a_request_to_grow),
		cmocka_unit_test(proxmox_takes_another_target_as_option),
		cmocka_unit_test(mom_grows_everybody_by_5_percent_whatever_they_need),
		cmocka_unit_test(mom_grows_a_full_guest_to_20_percent_unused_at_once),
		cmocka_unit_test(mom_takes_what_is_in_use_when_the_host_is_out_of_memory),
		cmocka_unit_test(mom_leaves_a_part_unused_that_shrinks_with_the_hosts),
		cmocka_unit_test(mom_sees_a_spike_through_the_mean_of_ten_samples),
		cmocka_unit_test(a_guest_that_has_said_nothing_is_left_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
