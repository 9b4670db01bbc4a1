/* SPDX-License-Identifier: MIT */
/* Stage 3: time, missed and early samples, pressure, and the range of everything. */
#include "forecast_support.h"

/* --- time --- */

/* One VM's samples, fed one by one. */
struct feed {
	struct poise_forecast forecast;
	struct poise_sample last;
	uint64_t now_ms;
};

static void feed_body(struct feed *feed, const struct poise_config *config,
		      const struct poise_abi_guest *body, uint64_t after_ms)
{
	const struct poise_sample s = sample_of(0, body);
	feed->now_ms += after_ms;
	poise_forecast_update(&feed->forecast, config, POISE_BASIS_ACTIVE, &feed->last, &s,
			      feed->now_ms);
	feed->last = s;
}

static void feed_used(struct feed *feed, const struct poise_config *config, uint64_t used_pages,
		      uint64_t after_ms)
{
	const struct poise_abi_guest body = {.total_pages = POISE_PAGES_MAX,
					     .free_pages = 500000000,
					     .active_file_pages = used_pages};
	feed_body(feed, config, &body, after_ms);
}

/* Interval 1,000 ms, alpha 0.75. Each row one sample; delta in 1/65536 page. */
static void forecast_steps_are_those_worked_out_by_hand(void **state)
{
	static const struct {
		uint64_t after_ms, used;
		int64_t delta_q16;
		uint32_t steps;
	} rows[] = {
		{5000, 1000, 0, 1},             /* baseline: what was before is not known */
		{1000, 1100, 100 * ONE_Q16, 2}, /* t = 1: dM itself */
		{1000, 1200, 100 * ONE_Q16, 2},
		{1000, 1200, 25 * ONE_Q16, 2}, /* 0.75 * 0 + 0.25 * 100 */
		{1000, 1000, -9420800, 2},     /* 0.75 * -200 + 0.25 * 25 = -143.75 */
		{499, 1500, -9420800, 2},      /* early: the average waits */
		{1, 1600, 27136000, 2},        /* now 0.75 * 600 - 0.25 * 143.75 = 414.0625 */
		{1500, 1600, 6784000, 2},      /* one and a half interval still counts as one */
		/* Missed samples: 300 pages in three intervals are 100 in one. */
		{3000, 1900, 6611200, 2}, /* 0.75 * 100 + 0.25 * 103.515625 */
	};
	const struct poise_config config = config_of(1000, 768);
	struct feed feed = {0};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		feed_used(&feed, &config, rows[i].used, rows[i].after_ms);
		if (feed.forecast.delta_q16 != rows[i].delta_q16) {
			print_error("row %u: %lld\n", (unsigned)i,
				    (long long)feed.forecast.delta_q16);
		}
		assert_int_equal(feed.forecast.delta_q16, rows[i].delta_q16);
		assert_int_equal(feed.forecast.steps, rows[i].steps);
	}
}

/* Missed samples: the change is scaled to one interval and rounded up, also when it is negative. */
static void forecast_change_over_missed_samples_is_scaled_to_one_interval(void **state)
{
	static const struct {
		uint32_t interval_ms;
		uint64_t after_ms;
		int64_t change, scaled;
	} rows[] = {
		{1000, 1500, 100, 100}, /* not missed yet */
		{1000, 1501, 100, 67},  /* 66.6, up */
		{1000, 1501, -100, -66},
		{1000, 2000, 7, 4}, /* 3.5 */
		{1000, 2000, -7, -3},
		{1000, 2000, 8, 4},
		{1000, 2000, -8, -4},
		{1000, 10000, 1, 1},
		{1000, 10000, -1, 0},
		{1000, 10000, -9, 0},
		{1000, 10000, -10, -1},
		{1000, 10000, 0, 0},
		{10, 27, 19, 8}, /* 7 and a 27th */
		{10, 27, -19, -7},
		{10, 100, INT64_C(1) << 33, 858993460},
		{10, 100, -(INT64_C(1) << 33), -858993459},
		/* No pause is longer than 65,536 intervals, and no clock turns this over. */
		{60000, UINT64_C(60000) << 20, INT64_C(1) << 33, INT64_C(1) << 17},
		{60000, UINT64_C(60000) << 20, -(INT64_C(1) << 33), -(INT64_C(1) << 17)},
		{10, UINT64_C(1) << 63, INT64_C(1) << 20, 16},
		{10, UINT64_MAX - 5, -(INT64_C(1) << 20), -16},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct poise_config config = config_of(rows[i].interval_ms, 1024);
		const uint64_t before = rows[i].change < 0 ? (uint64_t)-rows[i].change : 0;
		struct feed feed = {0};
		feed_used(&feed, &config, before, 5);
		feed_used(&feed, &config, before + (uint64_t)rows[i].change, rows[i].after_ms);
		assert_int_equal(feed.forecast.delta_q16, rows[i].scaled * ONE_Q16);
		assert_int_equal(feed.forecast.steps, 2);
		assert_int_equal(feed.forecast.stepped_ms, feed.now_ms);
	}
}

/*
 * Early samples lose nothing: with any number of them in between, the average goes through the same
 * values, while R and size follow each of them.
 */
static void forecast_early_samples_lose_nothing(void **state)
{
	const struct poise_config config = config_of(1000, 700);
	uint64_t seed = 8;
	(void)state;
	for (unsigned run = 0; run < 1000; run++) {
		struct feed plain = {.now_ms = random_next(&seed) >> 8};
		struct feed busy = plain;
		for (unsigned step = 0; step < 20; step++) {
			const uint64_t used = random_upto(&seed, POISE_PAGES_MAX);
			uint64_t left = 1000;
			while (step > 0 && random_next(&seed) % 2 == 0 && left > 501) {
				const uint64_t dt = 1 + random_next(&seed) % (left - 501);
				const struct poise_abi_guest body = {
					.total_pages = POISE_PAGES_MAX,
					.balloon_pages = random_upto(&seed, POISE_PAGES_MAX - 1),
					.free_pages = random_upto(&seed, POISE_PAGES_MAX),
					.active_file_pages = random_upto(&seed, POISE_PAGES_MAX)};
				const struct poise_sample s = sample_of(0, &body);
				const int64_t delta = busy.forecast.delta_q16;
				feed_body(&busy, &config, &body, dt);
				left -= dt;
				if (1000 - left < 500) {
					assert_int_equal(busy.forecast.delta_q16, delta);
					assert_int_equal(busy.forecast.reclaimable_q16,
							 poise_forecast_reclaimable(&s, 100));
					assert_int_equal(busy.forecast.size_pages,
							 POISE_PAGES_MAX - body.balloon_pages);
				} else {
					break;
				}
			}
			if (1000 - left >= 500 && left != 1000) {
				/* That one was a step: the plain run takes it too. */
				const uint64_t at = busy.last.body.active_file_pages;
				feed_used(&plain, &config, at, 1000 - left);
				assert_int_equal(plain.forecast.delta_q16, busy.forecast.delta_q16);
				left = 1000;
			}
			feed_used(&plain, &config, used, 1000);
			feed_used(&busy, &config, used, left);
			assert_int_equal(plain.now_ms, busy.now_ms);
			assert_int_equal(plain.forecast.delta_q16, busy.forecast.delta_q16);
			assert_int_equal(plain.forecast.used_pages, busy.forecast.used_pages);
			assert_int_equal(plain.forecast.stepped_ms, busy.forecast.stepped_ms);
		}
	}
}

/* The number of a sample plays no part in the forecast, however far it jumps. */
static void forecast_F13_a_jump_of_the_sample_counter_changes_nothing(void **state)
{
	const struct poise_config config = config_of(1000, 768);
	const struct poise_abi_guest first = {
		.sample = 1, .total_pages = 1000, .active_file_pages = 100};
	struct poise_abi_guest near = first, far = first;
	struct feed a = {0}, b = {0};
	(void)state;
	near.sample = 2;
	near.active_file_pages = 150;
	far = near;
	far.sample = 1 + (UINT64_C(1) << 40);
	feed_body(&a, &config, &first, 1000);
	feed_body(&b, &config, &first, 1000);
	feed_body(&a, &config, &near, 1000);
	feed_body(&b, &config, &far, 1000);
	assert_memory_equal(&a.forecast, &b.forecast, sizeof(a.forecast));
	assert_int_equal(b.forecast.delta_q16, 50 * ONE_Q16);
}

/* --- pressure --- */

#define U32_TOP (UINT64_C(1) << 32)

/* The VM has 8,000 pages: no more counts than that, and of promises 1,000. */
static void forecast_counts_refaults_and_promises_up_to_the_vms_size(void **state)
{
	static const struct {
		struct poise_abi_guest before, after;
		uint64_t pressure, promised;
	} rows[] = {
		{{.sample = 1}, {.sample = 2}, 0, 0},
		/* Swapped in and refaulted are the same pages seen twice: the larger counts. */
		{{.swap_in_pages = 5}, {.swap_in_pages = 12}, 7, 0},
		{{.refault_anon_pages = 5}, {.refault_anon_pages = 25}, 20, 0},
		{{.swap_in_pages = 5, .refault_anon_pages = 5},
		 {.swap_in_pages = 12, .refault_anon_pages = 25},
		 20,
		 0},
		{{.swap_in_pages = 5, .refault_anon_pages = 5},
		 {.swap_in_pages = 42, .refault_anon_pages = 25},
		 37,
		 0},
		/* File pages come on top. */
		{{.refault_file_pages = 100},
		 {.refault_file_pages = 400, .swap_in_pages = 50},
		 350,
		 0},
		/* Swapped out alone is no need of anything. */
		{{.swap_out_pages = 0}, {.swap_out_pages = 5000}, 0, 0},
		/* Promised, but for what is in use already. */
		{{.committed_pages = 100}, {.committed_pages = 700}, 0, 600},
		{{.committed_pages = 700}, {.committed_pages = 100}, 0, 0},
		{{.committed_pages = 100},
		 {.committed_pages = 700, .active_file_pages = 450},
		 0,
		 150},
		{{.committed_pages = 100},
		 {.committed_pages = 700, .active_file_pages = 650},
		 0,
		 0},
		{{.committed_pages = 100},
		 {.committed_pages = 700, .active_file_pages = 1},
		 0,
		 599},
		{{.committed_pages = 100, .active_file_pages = 450},
		 {.committed_pages = 700},
		 0,
		 600},
		{{.committed_pages = 0}, {.committed_pages = 1000}, 0, 1000},
		{{.committed_pages = 0}, {.committed_pages = 1001}, 0, 1000},
		{{.committed_pages = 0}, {.committed_pages = UINT64_MAX}, 0, 1000},
		/* No more than the whole VM. */
		{{.swap_in_pages = 0}, {.swap_in_pages = 8001}, 8000, 0},
		{{.sample = 1},
		 {.swap_in_pages = 7000, .refault_file_pages = 7000, .committed_pages = 7000},
		 8000,
		 1000},
		{{.sample = 1},
		 {.swap_in_pages = U32_TOP - 1, .refault_file_pages = U32_TOP - 1},
		 8000,
		 0},
		/* A counter that was reset looks like one that has come a long way. */
		{{.swap_in_pages = 500}, {.swap_in_pages = 0}, 8000, 0},
	};
	const struct poise_config config = config_of(1000, 768);
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct poise_abi_guest before = rows[i].before, after = rows[i].after;
		struct feed feed = {0};
		before.total_pages = 8000;
		after.total_pages = 8000;
		feed_body(&feed, &config, &before, 1000);
		assert_int_equal(feed.forecast.refault_pages, 0);
		feed_body(&feed, &config, &after, 1000);
		assert_int_equal(feed.forecast.refault_pages, rows[i].pressure);
		assert_int_equal(feed.forecast.promised_pages, rows[i].promised);
	}
}

/* Counters wrap at their own width: 32 bits for a 32-bit guest, 64 bits for any other. */
static void forecast_F24_counters_wrap_at_32_and_64_bits(void **state)
{
	static const struct {
		uint64_t before, after, pages;
	} rows[] = {
		{U32_TOP - 1, 0, 1},           {U32_TOP - 1, 3, 4}, {U32_TOP - 300, 41, 341},
		{U32_TOP - 1, U32_TOP, 1}, /* a 64-bit guest does not wrap there */
		{U32_TOP - 1, U32_TOP + 3, 4}, {UINT64_MAX, 0, 1},  {UINT64_MAX, 3, 4},
		{UINT64_MAX - 299, 41, 341},   {0, 0, 0},           {UINT64_MAX, UINT64_MAX, 0},
	};
	static const size_t counters[] = {
		offsetof(struct poise_abi_guest, swap_in_pages),
		offsetof(struct poise_abi_guest, refault_anon_pages),
		offsetof(struct poise_abi_guest, refault_file_pages),
	};
	const struct poise_config config = config_of(1000, 768);
	(void)state;
	for (size_t c = 0; c < ARRAY_SIZE(counters); c++) {
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
			struct poise_abi_guest body = {.total_pages = 8000};
			struct feed feed = {0};
			memcpy((char *)&body + counters[c], &rows[i].before, sizeof(uint64_t));
			feed_body(&feed, &config, &body, 1000);
			memcpy((char *)&body + counters[c], &rows[i].after, sizeof(uint64_t));
			feed_body(&feed, &config, &body, 1000);
			assert_int_equal(feed.forecast.refault_pages, rows[i].pages);
		}
	}
}

/* What is in use, size - R = 8,800 - free - cache, is known at once when it grows, within an
 * interval too, and forgotten by a tenth of the way in each; by a third while more than a tenth
 * lies free and no more than a 256th is read back. */
static void forecast_peak_in_use_fades_by_a_tenth_or_a_third(void **state)
{
	static const struct {
		uint64_t after_ms, free, cache, back, peak;
	} rows[] = {
		{1000, 800, 0, 0, 8000},
		{1000, 0, 4000, 0, 7680}, /* 8000 - 3200 / 10 */
		{1000, 0, 4000, 0, 7392},
		{100, 0, 4000, 0, 7392}, /* early */
		{100, 0, 0, 0, 8800},    /* and more than before */
		{800, 0, 4000, 0, 8400}, /* 8800 - 4000 / 10 */
		{1000, 801, 3199, 0, 7200},
		{1000, 800, 3200, 0, 6960},
		{1000, 4000, 0, 31, 6240}, /* 6960 - 2160 / 3 */
		{1000, 4000, 0, 63, 6096}, /* 6240 - 1440 / 10 */
		{1000, 0, 0, 63, 8800},
		{3000, 8000, 0, 63, 6134}, /* two samples missed: one step */
		{1000, 2668, 0, 63, 6134}, /* by less than 3 pages: not at all */
		{1000, 2669, 0, 63, 6133},
		{1000, 0, 2676, 63, 6133}, /* or 10 */
		{1000, 0, 2677, 63, 6132},
	};
	const struct poise_config config = config_of(1000, 768);
	struct feed feed = {0};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct poise_abi_guest body = {.total_pages = 10000,
						     .balloon_pages = 2000,
						     .free_pages = rows[i].free,
						     .inactive_file_pages = rows[i].cache,
						     .swap_in_pages = rows[i].back};
		feed_body(&feed, &config, &body, rows[i].after_ms);
		assert_int_equal(feed.forecast.peak_in_use_pages, rows[i].peak);
	}
	/* More free than it has: nothing is in use, and what was fades. */
	const struct poise_abi_guest body = {.total_pages = 10000,
					     .balloon_pages = 2000,
					     .free_pages = 10000,
					     .swap_in_pages = 63};
	feed_body(&feed, &config, &body, 1000);
	assert_int_equal(feed.forecast.peak_in_use_pages, 6132 - 6132 / 3);
	assert_int_equal(poise_forecast_in_use(&feed.forecast), 0);
}

/* Refaults fade by a 32nd with each interval, or a sixth where memory lies free, and gather
 * within one, unless more than a 256th of the VM is read back; promises halve. */
static void forecast_refaults_fade_by_a_32nd_or_a_sixth(void **state)
{
	static const struct {
		uint64_t after_ms, swap_in, committed, free;
		uint64_t pressure, promised;
	} rows[] = {
		{1000, 0, 0, 0, 0, 0},
		{1000, 3200, 0, 0, 3200, 0},
		{1000, 3200, 0, 0, 3100, 0},
		{1000, 3231, 0, 0, 3035, 0}, /* 3100 - 96 + 31 */
		{1000, 3263, 0, 0, 2973, 0}, /* 3035 - 94 + 32 */
		{1000, 3363, 0, 0, 2981, 0},
		{100, 3463, 0, 0, 3081, 0}, /* early: added, not faded */
		{900, 3463, 0, 0, 2985, 0},
		{1000, 3463, 0, 800, 2892, 0}, /* a tenth is free: not more than that */
		{1000, 3463, 0, 801, 2410, 0}, /* more */
		{1000, 3563, 0, 801, 2435, 0}, /* but not while it reads back */
		{1000, 3563, 640, 0, 2359, 640},
		{1000, 3563, 640, 0, 2286, 320},
		{100, 3563, 740, 0, 2286, 420},
		{900, 3563, 740, 0, 2215, 210},
		{1000, 23563, 9740, 0, 8000, 1000},
		{100, 25000, 19740, 0, 8000, 1000},
	};
	const struct poise_config config = config_of(1000, 768);
	struct feed feed = {0};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct poise_abi_guest body = {.total_pages = 10000,
						     .balloon_pages = 2000,
						     .free_pages = rows[i].free,
						     .committed_pages = rows[i].committed,
						     .swap_in_pages = rows[i].swap_in};
		feed_body(&feed, &config, &body, rows[i].after_ms);
		assert_int_equal(feed.forecast.refault_pages, rows[i].pressure);
		assert_int_equal(feed.forecast.promised_pages, rows[i].promised);
	}
}

/* Whatever a page can hold, the forecast stays in the range that poise_check states. */
static void forecast_of_any_samples_stays_in_range(void **state)
{
	static struct poise p;
	uint64_t seed = 9;
	struct poise_config config = config_of(1000, 1);
	(void)state;
	plan_start(&p, &(struct poise_config){.pool_pages = POISE_PAGES_MAX});
	p.vm[0].state = POISE_VM_UNMANAGED;
	p.vm[0].config =
		(struct poise_vm_config){.min_pages = 1, .max_pages = POISE_PAGES_MAX, .weight = 1};
	p.vm[0].goal_pages = 1;
	for (unsigned run = 0; run < 20000; run++) {
		struct feed feed = {.now_ms = random_next(&seed)};
		config.alpha_q10 = random_alpha(&seed);
		config.interval_ms = 10 + (uint32_t)random_upto(&seed, 59990);
		for (unsigned step = 0; step < 10; step++) {
			struct poise_abi_guest b = {.sample = step};
			const uint64_t total = 1 + random_upto(&seed, POISE_PAGES_MAX - 1);
			b.total_pages = total;
			b.balloon_pages = random_upto(&seed, total - 1);
			uint64_t left = total - b.balloon_pages;
			b.free_pages = random_upto(&seed, left);
			left -= b.free_pages;
			b.active_anon_pages = random_upto(&seed, left);
			left -= b.active_anon_pages;
			b.active_file_pages = random_upto(&seed, left);
			left -= b.active_file_pages;
			b.inactive_file_pages = random_upto(&seed, left);
			b.swap_used_pages = random_upto(&seed, POISE_PAGES_MAX);
			b.swap_in_pages = random_upto(&seed, UINT64_MAX);
			b.refault_anon_pages = random_upto(&seed, UINT64_MAX);
			b.refault_file_pages = random_upto(&seed, UINT64_MAX);
			b.committed_pages = random_upto(&seed, UINT64_MAX);
			feed_body(&feed, &config, &b, random_upto(&seed, 200000));
			p.vm[0].forecast = feed.forecast;
			assert_int_equal(poise_check(&p), 0);
			assert_in_range(feed.forecast.refault_pages, 0, feed.forecast.size_pages);
			assert_in_range(feed.forecast.promised_pages, 0,
					feed.forecast.size_pages / 8);
		}
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(forecast_steps_are_those_worked_out_by_hand),
		cmocka_unit_test(forecast_change_over_missed_samples_is_scaled_to_one_interval),
		cmocka_unit_test(forecast_early_samples_lose_nothing),
		cmocka_unit_test(forecast_F13_a_jump_of_the_sample_counter_changes_nothing),
		cmocka_unit_test(forecast_counts_refaults_and_promises_up_to_the_vms_size),
		cmocka_unit_test(forecast_F24_counters_wrap_at_32_and_64_bits),
		cmocka_unit_test(forecast_peak_in_use_fades_by_a_tenth_or_a_third),
		cmocka_unit_test(forecast_refaults_fade_by_a_32nd_or_a_sixth),
		cmocka_unit_test(forecast_of_any_samples_stays_in_range),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
