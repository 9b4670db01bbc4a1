/* SPDX-License-Identifier: MIT */
/*
 * The board guest's memory management on a fake machine: LRU order, watermarks, what reclaim takes
 * first, refaults, swap, the balloon's floor and manners, the kill when nothing is left, and a
 * replay of a synthetic trace that verifies every page. mm_check runs after every step.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "guest_fake.h"
#include "../../board/guest/workload.h"

#define RAM      2048u /* pages */
#define RESERVED 64u

static struct mm mm;

static struct mm_config config_of(uint32_t ram, uint32_t anon, uint32_t file, uint32_t swap)
{
	return (struct mm_config){
		.page_count = ram,
		.boot_pages = ram,
		.anon_limit = anon,
		.file_limit = file,
		.slot_count = swap,
		.swappiness = 60,
	};
}

static void start(uint32_t anon, uint32_t file, uint32_t swap)
{
	const struct mm_config config = config_of(RAM, anon, file, swap);

	guest_fake_start(&mm, &config, RESERVED);
}

static void assert_sane(void)
{
	const char *wrong = mm_check(&mm);

	if (wrong != NULL) {
		fail_msg("%s", wrong);
	}
	assert_int_equal(guest_fake.corrupt, 0);
}

static int teardown(void **state)
{
	(void)state;
	guest_fake_stop();
	return 0;
}

/* Writes a number that names the page; checks it first if the page has been written before. */
static void use(uint32_t vpn, bool first)
{
	volatile uint64_t *page = arch_window(vpn);

	assert_int_equal(page[0], first ? 0 : vpn + UINT64_C(1000));
	page[0] = vpn + UINT64_C(1000);
}

/* Lets free memory fall and the background reclaimer run, as the main loop does. */
static void use_all(uint32_t from, uint32_t to, bool first)
{
	for (uint32_t vpn = from; vpn < to; vpn++) {
		use(vpn, first);
		if (vpn % 32u == 0) {
			reclaim_background(&mm, 128);
		}
	}
}

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

static void test_direct_reclaim_below_min(void **state)
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
		(void)*arch_window(vpn++);
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

/* --- balloon --- */

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

static void test_balloon_manners(void **state)
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
	assert_int_equal(mm.given_pages, 0);
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
		(void)*arch_window(vpn);
	}
	assert_true(guest_fake.corrupt > 0);
}

/* --- the workload --- */

#define ROWS 60u

static struct {
	struct trace_head head;
	struct trace_row rows[ROWS];
} trace;

static void make_trace(uint32_t peak, uint32_t kind)
{
	trace.head = (struct trace_head){
		.magic = TRACE_MAGIC,
		.version = TRACE_VERSION,
		.rows = ROWS,
		.interval_ms = 250,
		.kind = kind,
		.hot_file = 200,
	};
	for (uint32_t i = 0; i < ROWS; i++) {
		/* Up, flat, down, up again; a film is read all the time and its start forgotten. */
		trace.rows[i].anon = peak *
				     (i < 20u   ? i
				      : i < 40u ? 20u
				      : i < 50u ? 5u
						: 18u) /
				     20u;
		trace.rows[i].file = i * 50u - (i > 30u ? 300u : 0);
		trace.rows[i].cpu_ms = 100;
		trace.rows[i].faults = 150;
	}
}

static struct workload_config workload_config_of(uint32_t scale)
{
	return (struct workload_config){
		.blob = &trace,
		.blob_bytes = sizeof(trace),
		.boot_id = 99,
		.scale = scale,
		.seed = 1,
		.touch = 4000,
		.touch_file = 2000,
		.hot_percent = 30,
		.file_blocks = 100000,
	};
}

static void play(uint32_t ram, uint32_t swap, uint32_t scale, struct workload *w)
{
	const struct workload_config work = workload_config_of(scale);
	struct mm_config config = config_of(ram, 0, 0, swap);
	uint8_t *generation;

	assert_true(workload_open(w, &work, &config.anon_limit, &config.file_limit));
	generation = calloc(config.anon_limit, 1);
	guest_fake_start(&mm, &config, RESERVED);
	workload_start(w, &mm, generation);
	while (workload_slice(w)) {
		const uint32_t live = w->row == 0 ? 0 : trace.rows[w->row - 1u].anon / scale;

		assert_sane();
		if (w->slice != 0) {
			continue;
		}
		if (mm.oom_kills == 0) {
			assert_int_equal(mm.lru_pages[LRU_ACTIVE_ANON] +
						 mm.lru_pages[LRU_INACTIVE_ANON] + mm.swap_used,
					 live);
			assert_int_equal(mm.committed, live);
		}
	}
	assert_int_equal(w->row, ROWS);
	free(generation);
}

static void test_workload_holds_what_the_trace_says(void **state)
{
	struct workload w;

	(void)state;
	make_trace(1200, TRACE_HOT);
	play(8192, 4096, 1, &w);
	assert_int_equal(mm.swap_out, 0);
	/* The footprint fell once, by 250 pages; the rest of what was ever read is here. */
	assert_int_equal(mm.lru_pages[LRU_INACTIVE_FILE] + mm.lru_pages[LRU_ACTIVE_FILE],
			 mm.file_reads - 250u);
}

static void test_workload_survives_too_little_memory(void **state)
{
	struct workload w;
	uint64_t hot_out;

	make_trace(1600, TRACE_HOT);
	play(1024, 4096, 1, &w);
	assert_true(mm.swap_out > 0 && mm.swap_in > 0 && mm.refault_file > 0);
	hot_out = mm.swap_in;
	teardown(state);
	/* The same set passed over cyclically: next to nothing that is evicted stays unused. */
	make_trace(1600, TRACE_SWEEP);
	play(1024, 4096, 1, &w);
	assert_true(mm.swap_in > 2u * hot_out);
}

static void test_workload_goes_on_after_a_kill(void **state)
{
	struct workload w;

	(void)state;
	make_trace(3000, TRACE_HOT);
	play(1024, 64, 1, &w);
	assert_true(mm.oom_kills > 0);
}

static void test_workload_scales(void **state)
{
	struct workload w;

	(void)state;
	make_trace(4000, TRACE_HOT);
	play(2048, 4096, 4, &w);
	assert_int_equal(mm.swap_out, 0);
	assert_int_equal(w.live, trace.rows[ROWS - 1u].anon / 4u);
}

static void test_workload_refuses_broken_blobs(void **state)
{
	struct workload_config config = workload_config_of(1);
	struct workload w;
	uint32_t anon = 1;
	uint32_t file = 1;

	(void)state;
	start(1, 1, 1);
	make_trace(100, TRACE_HOT);
	config.blob_bytes = sizeof(struct trace_head) - 1u;
	assert_false(workload_open(&w, &config, &anon, &file));
	assert_int_equal(anon + file, 0);
	config.blob_bytes = sizeof(trace) - 1u;
	assert_false(workload_open(&w, &config, &anon, &file));
	config.blob_bytes = sizeof(trace);
	config.scale = 0;
	assert_false(workload_open(&w, &config, &anon, &file));
	config.scale = 1;
	trace.head.version++;
	assert_false(workload_open(&w, &config, &anon, &file));
	trace.head.version--;
	trace.head.magic ^= 1u;
	assert_false(workload_open(&w, &config, &anon, &file));
	trace.head.magic ^= 1u;
	assert_true(workload_open(&w, &config, &anon, &file));
	config.blob = NULL;
	assert_false(workload_open(&w, &config, &anon, &file));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, NULL, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_watermarks_follow_linux),
		TEST(test_frames_come_from_the_bottom_and_once),
		TEST(test_background_reclaim_starts_below_low_and_stops_at_high),
		TEST(test_direct_reclaim_below_min),
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
		TEST(test_balloon_goes_down_and_up),
		TEST(test_balloon_reclaims_and_swaps_but_stops_at_the_watermark),
		TEST(test_balloon_stops_where_reclaim_ends),
		TEST(test_balloon_floor_is_kept),
		TEST(test_balloon_manners),
		TEST(test_balloon_refuses_to_deflate),
		TEST(test_allocation_takes_what_the_host_granted),
		TEST(test_boot_pages_beyond_are_in_the_balloon),
		TEST(test_data_of_another_vm_is_noticed),
		TEST(test_workload_holds_what_the_trace_says),
		TEST(test_workload_survives_too_little_memory),
		TEST(test_workload_goes_on_after_a_kill),
		TEST(test_workload_scales),
		TEST(test_workload_refuses_broken_blobs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
