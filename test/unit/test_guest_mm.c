/* SPDX-License-Identifier: MIT */
/*
 * The board guest's memory management on a fake machine: LRU order, watermarks, what reclaim takes
 * first, refaults, swap, the kill when nothing is left. mm_check runs after every step.
 */
#include "guest_support.h"

/* --- frames and watermarks --- */

static void test_watermarks_follow_linux(void **state)
{
	static const struct {
		uint32_t pages, min, low, high;
	} rows[] = {
		/* sqrt(16 * KiB) KiB, at least 128 KiB; a quarter, or 0.1 % of memory, more for
		   each. */
		{256, 32, 40, 48},      /* 1 MiB: the least */
		{2048, 90, 112, 134},   /* 8 MiB: sqrt(131072) = 362 KiB */
		{32768, 362, 452, 542}, /* 128 MiB: 1448 KiB */
		{131072, 724, 905, 1086},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mm m = {.page_count = rows[i].pages, .granule = 1};

		mm_set_watermarks(&m);
		assert_int_equal(m.wmark_min, rows[i].min);
		assert_int_equal(m.wmark_low, rows[i].low);
		assert_int_equal(m.wmark_high, rows[i].high);
	}
}

static void test_frames_come_from_the_bottom_and_once(void **state)
{
	bool seen[RAM] = {false};
	uint32_t last = 0;

	(void)state;
	start(1, 1, 1);
	assert_int_equal(mm.free_pages, RAM - RESERVED);
	for (uint32_t i = RESERVED; i < RAM; i++) {
		const uint32_t pfn = mm_take_free(&mm);

		assert_true(pfn >= RESERVED && pfn < RAM && pfn >= last && !seen[pfn]);
		seen[pfn] = true;
		last = pfn;
	}
	assert_int_equal(mm_take_free(&mm), MM_NONE);
	for (uint32_t pfn = RESERVED; pfn < RAM; pfn++) {
		mm_free(&mm, pfn);
	}
	assert_int_equal(mm_take_free(&mm), RESERVED);
}

static void test_background_reclaim_starts_below_low_and_stops_at_high(void **state)
{
	(void)state;
	start(RAM, 1, RAM);
	for (uint32_t vpn = 0; mm.free_pages > mm.wmark_low; vpn++) {
		use(vpn, true);
	}
	assert_false(mm.reclaim_wanted);
	reclaim_background(&mm, RAM);
	assert_int_equal(mm.swap_out, 0);
	use(RAM - 1u, true);
	assert_true(mm.reclaim_wanted);
	reclaim_background(&mm, RAM);
	assert_false(mm.reclaim_wanted);
	assert_in_range(mm.free_pages, mm.wmark_high, mm.wmark_high + 2u * RECLAIM_BATCH);
	assert_int_equal(mm.direct_reclaims, 0);
	assert_sane();
}

static void test_direct_reclaim_starts_below_min(void **state)
{
	(void)state;
	start(RAM, 1, RAM);
	/* No background reclaimer: faults have to help themselves. */
	for (uint32_t vpn = 0; vpn < RAM; vpn++) {
		use(vpn, true);
		assert_true(mm.free_pages + 1u >= mm.wmark_min);
	}
	assert_true(mm.direct_reclaims > 0);
	assert_true(guest_fake.pressures > 0);
	assert_int_equal(mm.oom_kills, 0);
	assert_sane();
}

static void test_available_leaves_out_what_watermarks_keep(void **state)
{
	(void)state;
	start(1, RAM, 0);
	for (uint32_t block = 0; block < 600u; block++) {
		cache_read(&mm, block);
	}
	assert_int_equal(mm_available(&mm), RAM - RESERVED - mm.wmark_high - mm.wmark_low);
}

/* --- LRU --- */

static void test_new_anonymous_pages_start_inactive_or_active(void **state)
{
	struct mm_config config = config_of(RAM, 16, 1, 16);

	(void)state;
	for (int active = 0; active < 2; active++) {
		config.anon_active = active != 0;
		guest_fake_start(&mm, &config, RESERVED);
		use(3, true);
		assert_int_equal(mm.lru_pages[LRU_ACTIVE_ANON], active);
		assert_int_equal(mm.lru_pages[LRU_INACTIVE_ANON], 1 - active);
		assert_sane();
		if (active == 0) {
			guest_fake_stop();
		}
	}
}

static void test_second_read_activates_a_file_page(void **state)
{
	(void)state;
	start(1, 64, 0);
	cache_read(&mm, 5);
	assert_int_equal(mm.lru_pages[LRU_ACTIVE_FILE], 0);
	cache_read(&mm, 5);
	assert_int_equal(mm.lru_pages[LRU_ACTIVE_FILE], 1);
	cache_read(&mm, 5);
	assert_int_equal(mm.lru_pages[LRU_ACTIVE_FILE], 1);
	assert_int_equal(mm.nonresident_age, 1);
	assert_sane();
}

static void test_lists_are_first_in_first_out(void **state)
{
	(void)state;
	start(1, 256, 0);
	for (uint32_t block = 0; block < 8u; block++) {
		cache_read(&mm, block * 4u + 1u);
	}
	for (uint32_t block = 0; block < 8u; block++) {
		const uint32_t pfn = lru_oldest(&mm, LRU_INACTIVE_FILE);

		assert_int_equal(mm.page[pfn].owner, block * 4u + 1u);
		lru_del(&mm, pfn);
		cache_evict(&mm, pfn);
	}
	assert_int_equal(lru_oldest(&mm, LRU_INACTIVE_FILE), MM_NONE);
	assert_sane();
}

static void test_read_ahead_is_for_sequential_reading_only(void **state)
{
	(void)state;
	start(1, 512, 0);
	cache_read(&mm, 100);
	assert_int_equal(mm.file_reads, 1);
	for (uint32_t block = 0; block < 96u; block++) {
		cache_read(&mm, block);
	}
	assert_int_equal(mm.file_reads, 1u + 96u);
	assert_int_equal(guest_fake.reads, 1u + 3u);
	/* It stops before a block that is here, and at the end of the file. */
	cache_read(&mm, 96);
	assert_int_equal(mm.file_reads, 1u + 96u + 4u);
	cache_read(&mm, 511);
	assert_int_equal(mm.file_reads, 1u + 96u + 4u + 1u);
	assert_sane();
}

#define SMALL (RECLAIM_BATCH - 4u)

static void test_read_ahead_leaves_a_small_guest_its_last_frame(void **state)
{
	struct mm_config config = config_of(RESERVED + SMALL, 16, 512, 16);

	(void)state;
	/* Coarse frames: fewer are free than one reading takes, and reclaim has nothing to take. */
	config.granule = 16;
	guest_fake_start(&mm, &config, RESERVED);
	assert_int_equal(mm.free_pages, SMALL);
	for (uint32_t block = 0; block < 512u; block++) {
		cache_read(&mm, block);
		assert_sane();
	}
	assert_int_equal(mm.file_reads, 512);
	assert_true(guest_fake.reads < 512u);
}

/* --- what reclaim takes --- */

static void test_reclaim_prefers_page_cache_that_is_read_once(void **state)
{
	(void)state;
	start(600, 4096, 4096);
	use_all(0, 600, true);
	for (uint32_t block = 0; block < 4096u; block++) {
		cache_read(&mm, block);
	}
	assert_int_equal(mm.swap_out, 0);
	assert_int_equal(mm.direct_reclaims, 0);
	assert_true(mm.lru_pages[LRU_INACTIVE_ANON] == 600u);
	/* A stream in a small memory is no reason to call the host. */
	assert_int_equal(guest_fake.pressures, 0);
	assert_sane();
}

static void test_reclaim_takes_cold_pages_before_hot_ones(void **state)
{
	uint32_t hot_out = 0;

	(void)state;
	start(3000, 1, 4096);
	use_all(0, 1500, true);
	/* Pages 0..299 are used over and over while the set grows beyond the memory. */
	for (uint32_t vpn = 1500; vpn < 3000u; vpn++) {
		use(vpn, true);
		for (uint32_t i = 0; i < 300u && vpn % 10u == 0; i++) {
			use(i, false);
		}
		reclaim_background(&mm, 64);
	}
	for (uint32_t vpn = 0; vpn < 300u; vpn++) {
		hot_out += mm.anon[vpn] >> 30 != 1u; /* resident, see mm.c */
	}
	assert_true(mm.swap_out > 1000);
	assert_int_equal(hot_out, 0);
	assert_sane();
}

static void test_active_file_pages_survive_a_stream(void **state)
{
	uint32_t lost = 0;

	(void)state;
	start(1, 8192, 0);
	for (uint32_t turn = 0; turn < 2u; turn++) {
		for (uint32_t block = 0; block < 400u; block++) {
			cache_read(&mm, block);
		}
	}
	for (uint32_t block = 400; block < 8192u; block++) {
		cache_read(&mm, block);
		cache_read(&mm, block % 400u);
	}
	for (uint32_t block = 0; block < 400u; block++) {
		lost += cache_lookup(&mm, block) == MM_NONE;
	}
	assert_int_equal(lost, 0);
	assert_int_equal(mm.refault_file, 0);
	assert_sane();
}

static void test_no_swap_means_file_only(void **state)
{
	(void)state;
	start(1000, 4096, 0);
	use_all(0, 1000, true);
	for (uint32_t block = 0; block < 4096u; block++) {
		cache_read(&mm, block);
	}
	assert_int_equal(mm.swap_out, 0);
	assert_int_equal(mm.lru_pages[LRU_INACTIVE_ANON] + mm.lru_pages[LRU_ACTIVE_ANON], 1000);
	assert_sane();
}

static void test_costs_shift_the_balance(void **state)
{
	uint32_t anon_before;

	(void)state;
	start(1, 1, 1);
	mm.lru_pages[LRU_INACTIVE_ANON] = 100000;
	lru_note_cost(&mm, false, 32, 0);
	anon_before = mm.anon_cost;
	assert_int_equal(anon_before, 32u * RECLAIM_BATCH);
	lru_note_cost(&mm, true, 1, 7);
	assert_int_equal(mm.file_cost, RECLAIM_BATCH + 7u);
	/* Old costs fade as soon as they are a quarter of the lists. */
	lru_note_cost(&mm, false, 1000, 0);
	assert_true(mm.anon_cost + mm.file_cost <= 25001u);
	mm.lru_pages[LRU_INACTIVE_ANON] = 0;
}

/* --- refaults --- */

static void test_refault_distance_decides_where_a_page_goes(void **state)
{
	uint32_t pfn;

	(void)state;
	start(1, 4096, 0);
	/* Ten active pages; a page that comes back after five evictions would have had room. */
	for (uint32_t turn = 0; turn < 2u; turn++) {
		for (uint32_t block = 0; block < 10u; block++) {
			cache_read(&mm, 2000u + block * 2u);
		}
	}
	for (uint32_t block = 0; block < 40u; block++) {
		cache_read(&mm, 3000u + block * 2u);
	}
	for (uint32_t i = 0; i < 40u; i++) {
		pfn = lru_oldest(&mm, LRU_INACTIVE_FILE);
		lru_del(&mm, pfn);
		cache_evict(&mm, pfn);
	}
	cache_read(&mm, 3000u + 2u * 35u);
	assert_int_equal(mm.refault_file, 1);
	assert_int_equal(mm.activate_file, 1);
	cache_read(&mm, 3000u);
	assert_int_equal(mm.refault_file, 2);
	assert_int_equal(mm.activate_file, 1);
	assert_int_equal(mm.lru_pages[LRU_ACTIVE_FILE], 11);
	/* A block that was dropped is no refault when it is read again. */
	cache_drop(&mm, 3002u, 1);
	cache_read(&mm, 3002u);
	assert_int_equal(mm.refault_file, 2);
	assert_sane();
}

/* --- swap --- */

static void test_swap_round_trip_keeps_every_page(void **state)
{
	(void)state;
	start(4000, 1, 4000);
	use_all(0, 4000, true);
	assert_int_equal(mm.swap_used, mm.swap_out - mm.swap_in);
	for (uint32_t turn = 0; turn < 3u; turn++) {
		use_all(0, 4000, false);
		assert_sane();
	}
	assert_true(mm.swap_in > 4000);
	assert_int_equal(mm.refault_anon, mm.swap_in);
	/* Whole batches go out in one request each. */
	assert_true(mm.swap_out / guest_fake.writes >= RECLAIM_BATCH / 4u);
	mm_anon_free(&mm, 0, 4000);
	assert_int_equal(mm.swap_used, 0);
	assert_int_equal(mm.free_pages, RAM - RESERVED);
	assert_sane();
}

static void test_freed_pages_come_back_zero(void **state)
{
	(void)state;
	start(4000, 1, 4000);
	use_all(0, 4000, true);
	mm_anon_free(&mm, 0, 4000);
	use_all(0, 4000, true);
	assert_sane();
}

static void test_short_writes_lose_nothing(void **state)
{
	(void)state;
	start(4000, 1, 4000);
	guest_fake.write_limit = 3;
	use_all(0, 4000, true);
	use_all(0, 4000, false);
	assert_sane();
	/* A device that takes nothing at all: nothing is freed, and nothing is lost either. */
	guest_fake.write_limit = 0;
	assert_int_equal(reclaim_pages(&mm, 32), 0);
	assert_sane();
}

static void test_slots_are_found_around_the_end(void **state)
{
	(void)state;
	/* 70 slots: neither a whole number of map words nor of batches. */
	start(RAM, 1, 70);
	for (uint32_t vpn = 0; mm.swap_used < 70u; vpn++) {
		use(vpn, true);
	}
	assert_int_equal(reclaim_pages(&mm, 32), 0);
	for (uint32_t vpn = 0; vpn < 64u; vpn++) {
		mm_anon_free(&mm, vpn, 1);
	}
	assert_true(mm.swap_used < 70u);
	assert_true(reclaim_pages(&mm, 6) > 0);
	assert_sane();
}

/* --- out of memory --- */

static void test_oom_kills_the_set_and_goes_on(void **state)
{
	uint32_t vpn = 0;

	(void)state;
	start(4000, 64, 100);
	while (mm.oom_kills == 0 && vpn < 4000u) {
		(void)*machine_window(&guest_fake, vpn++);
	}
	assert_int_equal(mm.oom_kills, 1);
	/* All that RAM and swap hold was used before that happened. */
	assert_true(vpn + 64u > RAM - RESERVED - mm.wmark_min + 100u);
	assert_int_equal(mm.swap_used, 0);
	assert_sane();
	use(0, true);
	use(1, true);
	assert_sane();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_watermarks_follow_linux),
		TEST(test_frames_come_from_the_bottom_and_once),
		TEST(test_background_reclaim_starts_below_low_and_stops_at_high),
		TEST(test_direct_reclaim_starts_below_min),
		TEST(test_available_leaves_out_what_watermarks_keep),
		TEST(test_new_anonymous_pages_start_inactive_or_active),
		TEST(test_second_read_activates_a_file_page),
		TEST(test_lists_are_first_in_first_out),
		TEST(test_read_ahead_is_for_sequential_reading_only),
		TEST(test_read_ahead_leaves_a_small_guest_its_last_frame),
		TEST(test_reclaim_prefers_page_cache_that_is_read_once),
		TEST(test_reclaim_takes_cold_pages_before_hot_ones),
		TEST(test_active_file_pages_survive_a_stream),
		TEST(test_no_swap_means_file_only),
		TEST(test_costs_shift_the_balance),
		TEST(test_refault_distance_decides_where_a_page_goes),
		TEST(test_swap_round_trip_keeps_every_page),
		TEST(test_freed_pages_come_back_zero),
		TEST(test_short_writes_lose_nothing),
		TEST(test_slots_are_found_around_the_end),
		TEST(test_oom_kills_the_set_and_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
