/* SPDX-License-Identifier: MIT */
/* The rules of policy `poise` that hold in a shortage, each one alone. */
#include "plan_support.h"
#include "rules.h"

static const struct poise_config plain = {.pool_pages = 10000};

/* 400 pages of pressure count up to the share, and not beyond it. */
static void rule_claim_F19_no_more_than_its_share(void **state)
{
	static const struct {
		uint64_t lower, needed, share, after;
	} rows[] = {
		{1, 1400, 3000, 1400},
		{1, 1400, 1400, 1400},
		{1, 1400, 1100, 1100},
		{1, 1400, 1000, 1000},
		{1, 1400, 10, 1000},
		{1, 300, 3000, 300},
		{1, 300, 10, 10},
		{1, 100, 3000, 100},
		{1, 0, 3000, 0},
		/* not below where it may go, nor above what it needed */
		{1150, 1400, 1100, 1150},
		{1300, 1400, 1000, 1300},
		{1500, 1400, 1000, 1400},
	};
	static const struct poise_config off = {.pool_pages = 10000, .rules_off = OFF(PRESSURE)};
	static struct poise p;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct plan_vm vm =
			VM(1000, 0, 0, .refault_pages = 300, .promised_pages = 100);
		const struct poise_demand d = {.lower_pages = rows[i].lower};
		plan_start(&p, &plain);
		plan_put(&p, 0, &vm);
		struct poise_plan_input in = plan_input(&p);
		assert_int_equal(poise_rule_claim(&in, &p.vm[0], &d, rows[i].needed, rows[i].share),
				 rows[i].after);
		/* Where refaults were not counted, there is nothing to leave out. */
		plan_start(&p, &off);
		plan_put(&p, 0, &vm);
		in = plan_input(&p);
		assert_int_equal(poise_rule_claim(&in, &p.vm[0], &d, rows[i].needed, rows[i].share),
				 rows[i].needed);
	}
}

/*
 * Who has not reported its need, or not lately, is taken at its size: it is not found to need less,
 * and what its guest read back once is neither counted for it nor against it.
 */
static void in_a_shortage_unmeasured_vms_need_their_boot_size_and_measured_ones_less(void **state)
{
	static const struct {
		struct plan_vm vm;
		uint64_t needed;
	} rows[] = {
		{VM(1000, 0, 0, .refault_pages = 300), 1200},
		{VM(1000, 0, 0), 900},
		{VM(1000, 0, 0, .refault_pages = 300, .flags = POISE_VM_STATIC), 1000},
		{VM(1000, 0, 0, .refault_pages = 300, .state = POISE_VM_UNMANAGED), 1000},
		{VM(1000, 0, 0, .refault_pages = 300, .state = POISE_VM_STALE), 1000},
		{VM(1000, 0, 0, .refault_pages = 300, .state = POISE_VM_QUARANTINED), 1000},
	};
	static const struct poise_config config = {.pool_pages = 4000, .rules_off = OFF(DEAD_BAND)};
	static const struct plan_vm needy = VM(3000, 3000, 0);
	static struct poise p;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		plan_start(&p, &config);
		plan_put(&p, 0, &rows[i].vm);
		plan_put(&p, 1, &needy);
		plan_make(&p);
		assert_int_equal(p.plan.row[0].share.most_pages, rows[i].needed);
	}
}

/* Goals within 16 % are left alone, on the way back within 56 %; but not an urgent VM's, nor what
 * they lack of their entitlement, nor what limits ask for. */
static void rule_in_band_suppresses_small_moves_and_larger_reversals(void **state)
{
	static const struct {
		uint32_t last_direction, urgent;
		uint64_t upper, entitlement, goal;
		uint32_t suppressed;
	} rows[] = {
		{1, 0, 3000, 0, 1159, 1},
		{1, 0, 3000, 0, 1160, 0},
		{1, 0, 3000, 0, 441, 1},
		{1, 0, 3000, 0, 440, 0},
		{0, 0, 3000, 0, 841, 1},
		{0, 0, 3000, 0, 840, 0},
		{0, 0, 3000, 0, 1559, 1},
		{0, 0, 3000, 0, 1560, 0},
		{0, 0, 3000, 0, 1000, 1},
		{1, 0, 3000, 0, 1000, 1},
		/* urgent */
		{1, 1, 3000, 0, 1001, 0},
		{0, 1, 3000, 0, 1001, 0},
		{1, 1, 3000, 0, 999, 0},
		{0, 1, 3000, 0, 999, 0},
		/* its entitlement is more, just this */
		{0, 0, 3000, 1001, 1001, 0},
		{1, 0, 3000, 1001, 1001, 0},
		{0, 0, 3000, 1000, 1001, 1},
		{1, 0, 3000, 1000, 1001, 1},
		/* above its limit, at it */
		{1, 0, 999, 0, 999, 0},
		{1, 0, 1000, 0, 999, 1},
	};
	static struct poise p;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct plan_vm vm = VM(1000, 0, 0, .urgent = rows[i].urgent,
				       .last_direction = rows[i].last_direction);
		struct poise_row row = {.size_pages = 1000,
					.demand.upper_pages = rows[i].upper,
					.share.entitlement_pages = rows[i].entitlement,
					.goal_pages = rows[i].goal};
		plan_start(&p, &plain);
		plan_put(&p, 0, &vm);
		const struct poise_plan_input in = plan_input(&p);
		assert_int_equal(poise_rule_in_band(&in, &p.vm[0], &row), rows[i].suppressed);
		assert_int_equal(row.goal_pages, rows[i].goal);
		/* A small one that was large: 1,500 instead of 1,000 pages, so half as wide again.
		 */
		vm.boot_pages = 1500;
		plan_put(&p, 0, &vm);
		row.goal_pages = rows[i].goal < 1000 ? 1000 - (1000 - rows[i].goal) * 3 / 2
						     : 1000 + (rows[i].goal - 1000) * 3 / 2;
		assert_int_equal(poise_rule_in_band(&in, &p.vm[0], &row), rows[i].suppressed);
		vm.boot_pages = 0;
		row.goal_pages = rows[i].goal;
		/* Below its reservation, or on the way up where nothing is known of it: nothing is
		 * too near. */
		vm.min_pages = 1001;
		plan_put(&p, 0, &vm);
		assert_int_equal(poise_rule_in_band(&in, &p.vm[0], &row), 0);
		vm.min_pages = 1;
		plan_put(&p, 0, &vm);
		p.vm[0].state = POISE_VM_STALE;
		assert_int_equal(poise_rule_in_band(&in, &p.vm[0], &row),
				 rows[i].goal <= 1000 ? rows[i].suppressed : 0);
	}
}

/* A goal that is near only because a tick lets a VM go so far is not; with ticks of 10 ms nobody
 * would ever give anything. */
static void rule_in_band_does_not_suppress_what_a_tick_cut_short(void **state)
{
	static const struct {
		uint64_t lower, goal;
		uint32_t early, suppressed;
	} rows[] = {
		{1, 990, 0, 1},   {989, 990, 0, 1}, {990, 990, 0, 0},   {991, 990, 0, 0},
		{990, 990, 1, 1}, {900, 900, 0, 1}, {1000, 1010, 0, 1},
	};
	static struct poise p;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct plan_vm vm = VM(1000, 0, 0, .min_pages = 900, .last_direction = 1);
		struct poise_row row = {.size_pages = 1000,
					.demand.upper_pages = 2000,
					.demand.lower_pages = rows[i].lower,
					.goal_pages = rows[i].goal};
		plan_start(&p, &plain);
		plan_early = rows[i].early;
		plan_put(&p, 0, &vm);
		const struct poise_plan_input in = plan_input(&p);
		assert_int_equal(poise_rule_in_band(&in, &p.vm[0], &row), rows[i].suppressed);
	}
}

/* Of 1,000 pages, `desired` of them wanted, a 64th of what is too much goes in a second. */
static void rule_gentle_reclaims_a_64th_a_second_of_what_is_wanted(void **state)
{
	static const struct {
		uint64_t desired, goal, elapsed_ms;
		uint32_t early;
		uint64_t due, after;
	} rows[] = {
		{1500, 200, 1000, 0, 0, 988},
		{1500, 200, 500, 0, 0, 994},
		{1500, 200, 2000, 0, 0, 976},
		{1500, 200, 0, 0, 0, 1000},
		{1500, 200, 1000, 1, 0, 1000},
		/* what it does not want goes at once, early or not */
		{600, 200, 1000, 0, 0, 594},
		{600, 200, 1000, 1, 0, 600},
		{600, 600, 0, 0, 0, 600},
		{600, 800, 1000, 0, 0, 800},
		{600, 800, 1000, 1, 0, 800},
		/* 1,600 are to go from all: of 400 that are due it gives 200 of its 800, and one */
		{1500, 200, 1000, 1, 400, 799},
		/* and a 64th of the other 599 */
		{1500, 200, 1000, 0, 400, 790},
		{1500, 200, 1000, 1, 1600, 200},
		{1500, 200, 1000, 1, 5000, 200},
		{600, 800, 1000, 0, 400, 800},
	};
	static struct poise p;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct plan_vm vm = VM(1000, 0, 0);
		struct poise_row row = {.size_pages = 1000, .goal_pages = rows[i].goal};
		plan_start(&p, &plain);
		plan_put(&p, 0, &vm);
		plan_elapsed_ms = rows[i].elapsed_ms;
		plan_early = rows[i].early;
		const struct poise_plan_input in = plan_input(&p);
		poise_reclaim_rate(&in, &row, rows[i].desired, 1600, rows[i].due);
		assert_int_equal(row.goal_pages, rows[i].after);
		assert_int_equal(row.rule, rows[i].after != rows[i].goal ? POISE_RULE_GENTLE
									 : POISE_RULE_NONE);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(rule_claim_F19_no_more_than_its_share),
		cmocka_unit_test(
			in_a_shortage_unmeasured_vms_need_their_boot_size_and_measured_ones_less),
		cmocka_unit_test(rule_in_band_suppresses_small_moves_and_larger_reversals),
		cmocka_unit_test(rule_in_band_does_not_suppress_what_a_tick_cut_short),
		cmocka_unit_test(rule_gentle_reclaims_a_64th_a_second_of_what_is_wanted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
