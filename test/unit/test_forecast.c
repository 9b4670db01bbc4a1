/* SPDX-License-Identifier: MIT */
/* Stage 3: equations (1) to (3) on tables and random numbers. */
#include "forecast_support.h"

/* --- equation (1) --- */

static void forecast_memory_in_use_follows_the_basis(void **state)
{
	/* 1 active file, 20 active anonymous, 300 swapped out, 4000 inactive anonymous pages; the
	 * other counts must not matter. */
	static const struct poise_abi_guest body = {.total_pages = 7,
						    .balloon_pages = 7,
						    .free_pages = 50000,
						    .active_file_pages = 1,
						    .inactive_file_pages = 600000,
						    .active_anon_pages = 20,
						    .inactive_anon_pages = 4000,
						    .unevictable_pages = 7000000,
						    .swap_used_pages = 300,
						    .available_pages = 80000000,
						    .swap_out_pages = 900000000,
						    .committed_pages = 900000001};
	static const struct {
		uint32_t basis, features;
		uint64_t used;
	} rows[] = {
		{POISE_BASIS_ACTIVE, 0, 321},
		{POISE_BASIS_ACTIVE, POISE_GF_KNOWN, 321},
		{POISE_BASIS_RESIDENT, 0, 4321},
		{POISE_BASIS_RESIDENT, POISE_GF_KNOWN, 4321},
		{POISE_BASIS_AUTO, 0, 321},
		{POISE_BASIS_AUTO, POISE_GF_ANON_INACTIVE, 4321},
		{POISE_BASIS_AUTO, POISE_GF_MGLRU, 4321},
		{POISE_BASIS_AUTO, POISE_GF_ANON_INACTIVE | POISE_GF_MGLRU, 4321},
		{POISE_BASIS_AUTO, POISE_GF_KNOWN & ~(POISE_GF_ANON_INACTIVE | POISE_GF_MGLRU),
		 321},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct poise_sample s = sample_of(rows[i].features, &body);
		assert_int_equal(poise_forecast_used(&s, rows[i].basis), rows[i].used);
	}
}

/* A page that is swapped out and comes back leaves M as it was: the level counts, not the flow. */
static void forecast_used_counts_the_level_of_swap(void **state)
{
	struct poise_sample s = {.body = {.active_anon_pages = 1000}};
	(void)state;
	for (unsigned round = 0; round < 3; round++) {
		assert_int_equal(poise_forecast_used(&s, POISE_BASIS_ACTIVE), 1000);
		s.body.active_anon_pages -= 400;
		s.body.swap_used_pages += 400;
		s.body.swap_out_pages += 400;
		assert_int_equal(poise_forecast_used(&s, POISE_BASIS_ACTIVE), 1000);
		s.body.active_anon_pages += 400;
		s.body.swap_used_pages -= 400;
		s.body.swap_in_pages += 400;
	}
}

/* --- equation (3) --- */

static void forecast_reclaimable_is_equation_3_rounded_down(void **state)
{
	static const struct {
		uint64_t total, balloon, free, inactive_file;
		uint32_t headroom;
		int64_t whole; /* R rounded down to pages */
		int64_t q16;
	} rows[] = {
		/* 100 + 50 - 1000/10 = 50 */
		{1000, 0, 100, 50, 100, 50, 50 * ONE_Q16},
		/* the balloon is not memory: 100 + 50 - 600/10 = 90 */
		{1000, 400, 100, 50, 100, 90, 90 * ONE_Q16},
		{1000, 0, 0, 0, 100, -100, -100 * ONE_Q16},
		/* 10 - 1/10 = 9.9 = 648806.4/65536, rounded down */
		{1, 0, 10, 0, 100, 9, 648806},
		/* 0 - 1/1000 = -65.536/65536, rounded down */
		{1, 0, 0, 0, 1, -1, -66},
		{POISE_PAGES_MAX, 0, POISE_PAGES_MAX, 0, 500, INT64_C(1) << 31, INT64_C(1) << 47},
		{POISE_PAGES_MAX, 0, 0, 0, 500, -(INT64_C(1) << 31), -(INT64_C(1) << 47)},
		{POISE_PAGES_MAX, 0, 0, POISE_PAGES_MAX, 1, INT64_C(4290672328),
		 (INT64_C(1) << 48) - INT64_C(281474976711)},
		{1000, 999, 1, 0, 100, 0, 58982}, /* 1 - 0.1 = 0.9 = 58982.4/65536 */
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct poise_sample s = {
			.body = {.total_pages = rows[i].total,
				 .balloon_pages = rows[i].balloon,
				 .free_pages = rows[i].free,
				 .inactive_file_pages = rows[i].inactive_file}};
		const struct poise_vm vm = {.forecast.reclaimable_q16 = poise_forecast_reclaimable(
						    &s, rows[i].headroom)};
		assert_int_equal(vm.forecast.reclaimable_q16, rows[i].q16);
		assert_int_equal(poise_plan_reclaimable(&vm), rows[i].whole);
	}
}

/* 0 <= exact R - R < 2^-16, and in whole pages 0 <= exact R - R < 1 + 2^-16. */
static void forecast_reclaimable_is_never_above_exact(void **state)
{
	uint64_t seed = 3;
	(void)state;
	for (unsigned i = 0; i < 1000000; i++) {
		const uint64_t total = 1 + random_upto(&seed, POISE_PAGES_MAX - 1);
		const uint64_t balloon = random_upto(&seed, total - 1);
		const uint64_t free = random_upto(&seed, total - balloon);
		const uint64_t file = random_upto(&seed, total - balloon - free);
		const uint32_t headroom = 1 + (uint32_t)random_upto(&seed, 499);
		const struct poise_sample s = {.body = {.total_pages = total,
							.balloon_pages = balloon,
							.free_pages = free,
							.inactive_file_pages = file}};
		/* Exact, in units of 2^-16 / 1000 page. */
		const int64_t exact = (int64_t)((free + file) * 1000 * ONE_Q16) -
				      (int64_t)((total - balloon) * headroom * ONE_Q16);
		const struct poise_vm vm = {.forecast.reclaimable_q16 =
						    poise_forecast_reclaimable(&s, headroom)};
		const int64_t below = exact - vm.forecast.reclaimable_q16 * 1000;
		const int64_t whole = exact - poise_plan_reclaimable(&vm) * 1000 * ONE_Q16;
		assert_in_range(below, 0, 999);
		assert_in_range(whole, 0, 1000 * (ONE_Q16 + 1) - 1);
	}
}

/* --- equation (2) --- */

static void forecast_average_is_equation_2_rounded_up(void **state)
{
	static const struct {
		int64_t delta_q16, change;
		uint32_t alpha;
		int64_t result_q16;
	} rows[] = {
		{0, 0, 768, 0},
		{0, 100, 768, 75 * ONE_Q16},               /* 0.75 * 100 */
		{100 * ONE_Q16, 0, 768, 25 * ONE_Q16},     /* 0.25 * 100 */
		{100 * ONE_Q16, -100, 768, -50 * ONE_Q16}, /* -75 + 25 */
		{8 * ONE_Q16, 16, 512, 12 * ONE_Q16},
		{8 * ONE_Q16, 16, 1024, 16 * ONE_Q16}, /* alpha 1: the last change alone */
		{-8 * ONE_Q16, -16, 1024, -16 * ONE_Q16},
		{1024 * ONE_Q16, 0, 1, 1023 * ONE_Q16}, /* alpha 1/1024 */
		{0, 1, 1, 64},                          /* 65536/1024 */
		{1, 0, 768, 1},                         /* 0.25 of the last bit: up */
		{-1, 0, 768, 0},                        /* -0.25 of it: up as well */
		{-4, 0, 768, -1},
		{-5, 0, 768, -1}, /* -1.25: up to -1 */
		{1, 0, 1024, 0},
		/* From one end of the scale to the other and back: nothing wraps. */
		{-(INT64_C(1) << 50), INT64_C(1) << 34, 1024, INT64_C(1) << 50},
		{INT64_C(1) << 50, -(INT64_C(1) << 34), 1024, -(INT64_C(1) << 50)},
		{INT64_C(1) << 50, INT64_C(1) << 34, 1, INT64_C(1) << 50},
		{-(INT64_C(1) << 50), -(INT64_C(1) << 34), 1, -(INT64_C(1) << 50)},
		{INT64_C(1) << 50, -(INT64_C(1) << 34), 512, 0},
		{-(INT64_C(1) << 50), INT64_C(1) << 34, 1,
		 -(INT64_C(1) << 50) + (INT64_C(1) << 41)},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(
			poise_forecast_average(rows[i].delta_q16, rows[i].change, rows[i].alpha),
			rows[i].result_q16);
	}
}

static void forecast_delta_and_reclaimable_round_against_shrinking(void **state)
{
	static const struct {
		int64_t q16, pages;
	} rows[] = {
		{0, 0},
		{1, 1},
		{ONE_Q16 - 1, 1},
		{ONE_Q16, 1},
		{ONE_Q16 + 1, 2},
		{-1, 0},
		{-ONE_Q16 + 1, 0},
		{-ONE_Q16, -1},
		{-ONE_Q16 - 1, -1},
		{INT64_C(1) << 50, INT64_C(1) << 34},
		{-(INT64_C(1) << 50), -(INT64_C(1) << 34)},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct poise_vm vm = {.forecast.delta_q16 = rows[i].q16};
		assert_int_equal(poise_plan_delta(&vm), rows[i].pages);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(forecast_memory_in_use_follows_the_basis),
		cmocka_unit_test(forecast_used_counts_the_level_of_swap),
		cmocka_unit_test(forecast_reclaimable_is_equation_3_rounded_down),
		cmocka_unit_test(forecast_reclaimable_is_never_above_exact),
		cmocka_unit_test(forecast_average_is_equation_2_rounded_up),
		cmocka_unit_test(forecast_delta_and_reclaimable_round_against_shrinking),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
