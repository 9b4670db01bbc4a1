/* SPDX-License-Identifier: MIT */
/* The board guest's balloon: down, up, its floor, its manners, and what it stops at. */
#include "guest_support.h"

/* Steps until the epoch is settled or the steps run out. */
static uint32_t steps_to_settle(uint32_t limit)
{
	uint32_t steps = 0;

	while (mm.balloon.pending && steps < limit) {
		balloon_step(&mm, 64);
		assert_sane();
		steps++;
	}
	return steps;
}

static void test_balloon_goes_down_and_up(void **state)
{
	(void)state;
	start(RAM, 1, RAM);
	use_all(0, 100, true);
	balloon_target(&mm, 1000, 7);
	/* Bounded work: one step moves what it may, not more. */
	balloon_step(&mm, 64);
	assert_int_equal(balloon_size(&mm), RAM - 64u);
	steps_to_settle(100);
	assert_int_equal(balloon_size(&mm), 1000);
	assert_int_equal(guest_fake.settled, 1);
	assert_int_equal(guest_fake.settled_epoch, 7);
	/* Free memory at the top was one piece: one call a step. */
	assert_int_equal(guest_fake.gives, (RAM - 1000u + 63u) / 64u);
	balloon_target(&mm, 1500, 8);
	steps_to_settle(100);
	assert_int_equal(balloon_size(&mm), 1500);
	assert_int_equal(guest_fake.settled_epoch, 8);
	use_all(0, 100, false);
}

static void test_balloon_reclaims_and_swaps_but_stops_at_the_watermark(void **state)
{
	(void)state;
	start(RAM, 1, RAM);
	use_all(0, 1800, true);
	balloon_target(&mm, 1000, 1);
	steps_to_settle(200);
	assert_int_equal(balloon_size(&mm), 1000);
	assert_true(mm.swap_out > 700);
	assert_true(mm.free_pages >= mm.wmark_high - RECLAIM_BATCH);
	use_all(0, 1800, false);
	assert_sane();
}

static void test_balloon_stops_where_reclaim_ends(void **state)
{
	(void)state;
	start(RAM, 1, 0);
	use_all(0, 1500, true);
	balloon_target(&mm, 1000, 1);
	assert_true(steps_to_settle(200) < 200u);
	/* It settles with what it has, above the target, and the set is still there. */
	assert_true(balloon_size(&mm) > 1500u && balloon_size(&mm) < RAM);
	assert_int_equal(guest_fake.settled, 1);
	assert_int_equal(mm.oom_kills, 0);
	use_all(0, 1500, false);
}

static void test_balloon_floor_is_kept(void **state)
{
	(void)state;
	start(RAM, 1, RAM);
	mm.balloon.floor = 1200;
	balloon_target(&mm, 500, 3);
	steps_to_settle(100);
	assert_int_equal(balloon_size(&mm), 1200);
	assert_int_equal(guest_fake.settled_epoch, 3);
}

static void test_each_balloon_mode_moves_as_it_says(void **state)
{
	static const struct {
		enum balloon_mode mode;
		uint32_t after_down,
			after_up; /* size after 10 steps towards 1000, then towards 1900 */
		uint32_t settled;
	} rows[] = {
		{BALLOON_OK, RAM - 640u, RAM - 148u, 1},
		{BALLOON_STUCK, RAM, RAM, 0},
		{BALLOON_SLOW, RAM - 80u, RAM - 80u, 1},
		{BALLOON_REFUSE_INFLATE, RAM, RAM, 2},
		{BALLOON_HOG, RAM, RAM, 2},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		start(16, 1, 16);
		mm.balloon.mode = rows[i].mode;
		balloon_target(&mm, 1000, 1);
		for (int step = 0; step < 10; step++) {
			balloon_step(&mm, 64);
			guest_fake.now_us += BALLOON_SLOW_MS * 1000u;
		}
		assert_int_equal(balloon_size(&mm), rows[i].after_down);
		balloon_target(&mm, rows[i].mode == BALLOON_SLOW ? RAM - 80u : 1900u, 2);
		for (int step = 0; step < 10; step++) {
			balloon_step(&mm, 64);
		}
		assert_int_equal(balloon_size(&mm), rows[i].after_up);
		assert_int_equal(guest_fake.settled, rows[i].settled);
		assert_sane();
		if (i + 1u < sizeof(rows) / sizeof(rows[0])) {
			teardown(state);
		}
	}
}

static void test_balloon_refuses_to_deflate(void **state)
{
	(void)state;
	start(16, 1, 16);
	balloon_target(&mm, 1000, 1);
	steps_to_settle(100);
	mm.balloon.mode = BALLOON_REFUSE_DEFLATE;
	balloon_target(&mm, 2000, 2);
	steps_to_settle(10);
	assert_int_equal(balloon_size(&mm), 1000);
	assert_int_equal(guest_fake.settled, 2);
}

static void test_allocation_takes_what_the_host_granted(void **state)
{
	(void)state;
	start(RAM, 1, RAM);
	balloon_target(&mm, 800, 1);
	steps_to_settle(100);
	balloon_target(&mm, 1600, 2);
	/* No balloon step in between: the allocator itself goes for it instead of swapping. */
	for (uint32_t vpn = 0; vpn < 1300u; vpn++) {
		use(vpn, true);
	}
	assert_int_equal(mm.swap_out, 0);
	assert_int_equal(mm.direct_reclaims, 0);
	assert_true(balloon_size(&mm) > 1300u);
	assert_sane();
}

static void test_boot_pages_beyond_are_in_the_balloon(void **state)
{
	struct mm_config config = config_of(RAM, 16, 1, 16);

	(void)state;
	config.boot_pages = 512;
	guest_fake_start(&mm, &config, RESERVED);
	assert_int_equal(balloon_size(&mm), 512);
	assert_int_equal(mm.free_pages, 512u - RESERVED);
	balloon_target(&mm, RAM, 1);
	steps_to_settle(100);
	assert_int_equal(mm.balloon_pages, 0);
}

static void test_data_of_another_vm_is_noticed(void **state)
{
	struct mm_config config = config_of(RAM, RAM, 1, 16);

	(void)state;
	config.boot_pages = 512;
	guest_fake_start(&mm, &config, RESERVED);
	guest_fake.dirty_takes = true;
	balloon_target(&mm, 576, 1);
	balloon_step(&mm, 64);
	for (uint32_t vpn = 0; vpn < 460u && guest_fake.corrupt == 0; vpn++) {
		(void)*machine_window(&guest_fake, vpn);
	}
	assert_true(guest_fake.corrupt > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_balloon_goes_down_and_up),
		TEST(test_balloon_reclaims_and_swaps_but_stops_at_the_watermark),
		TEST(test_balloon_stops_where_reclaim_ends),
		TEST(test_balloon_floor_is_kept),
		TEST(test_each_balloon_mode_moves_as_it_says),
		TEST(test_balloon_refuses_to_deflate),
		TEST(test_allocation_takes_what_the_host_granted),
		TEST(test_boot_pages_beyond_are_in_the_balloon),
		TEST(test_data_of_another_vm_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
