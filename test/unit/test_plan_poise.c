/* SPDX-License-Identifier: MIT */
/* Policy `poise`: the rules together, on tables, beside `paper`, and what holds in any state. */
#include "plan_support.h"

static const struct poise_config plain = {.pool_pages = 10000};

static void
poise_in_plenty_the_needy_get_what_they_lack_and_donors_shrink_in_proportion(void **state)
{
	static const struct plan_case cases[] = {
		{"nobody needs anything",
		 6000,
		 SOFT,
		 {VM(2000, 0, 400), VM(2000, 20, 420), VM(2000, -50, 150)},
		 {2000, 2000, 2000}},
		{"free memory goes first",
		 10000,
		 SOFT,
		 {VM(2000, 300, 100), VM(2000, 20, 420), VM(2000, -50, 150)},
		 {2200, 2000, 2000}},
		/* 200 missing, 400 and 150 idle: 145.45 and 54.54 */
		{"donors by what they can spare",
		 6000,
		 SOFT,
		 {VM(2000, 300, 100), VM(2000, 20, 420), VM(2000, -50, 150)},
		 {2199, 1855, 1946}},
		/* 100 free, 100 missing: 72.7 and 27.2 */
		{"free memory, then donors",
		 6100,
		 SOFT,
		 {VM(2000, 300, 100), VM(2000, 20, 420), VM(2000, -50, 150)},
		 {2199, 1928, 1973}},
		/* 300 of 400 idle pages are taxed, 200 of them needed */
		{"idle tax bounds what a donor is good for",
		 4000,
		 SOFT & ~OFF(IDLE_TAX),
		 {VM(2000, 300, 100), VM(2000, 0, 400)},
		 {2200, 1800}},
		{"dead band: 39 pages are not worth it",
		 4000,
		 SOFT & ~OFF(DEAD_BAND),
		 {VM(2000, 39, 0), VM(2000, 0, 400)},
		 {2000, 2000}},
		{"dead band: 40 are",
		 4000,
		 SOFT & ~OFF(DEAD_BAND),
		 {VM(2000, 40, 0), VM(2000, 0, 400)},
		 {2040, 1960}},
		{"pressure counts as need",
		 4000,
		 SOFT,
		 {VM(2000, 0, 0, .refault_pages = 150), VM(2000, 0, 400)},
		 {2150, 1850}},
		{"without rule PRESSURE it does not count",
		 4000,
		 SOFT | OFF(PRESSURE),
		 {VM(2000, 0, 0, .refault_pages = 150), VM(2000, 0, 400)},
		 {2000, 2000}},
		{"without rule SHORTFALL all of delta is asked for",
		 10000,
		 SOFT | OFF(SHORTFALL),
		 {VM(2000, 300, 100)},
		 {2300}},
		{"a VM grows to its limit only",
		 10000,
		 SOFT,
		 {VM(2000, 3000, 0, .max_pages = 2100)},
		 {2100}},
		{"a VM shrinks to its reservation only",
		 4000,
		 SOFT,
		 {VM(2000, 300, 0), VM(2000, 0, 900, .min_pages = 1800)},
		 {2200, 1800}},
		{"a VM shrinks to its guest's floor only",
		 4000,
		 SOFT,
		 {VM(2000, 300, 0), VM(2000, 0, 900, .floor_pages = 1800)},
		 {2200, 1800}},
		{"a floor above the boot size counts as the boot size",
		 4000,
		 SOFT,
		 {VM(2000, 300, 0), VM(2000, 0, 900, .floor_pages = 2000, .boot_pages = 1000)},
		 {2300, 1700}},
		{"without rule FLOOR a floor does not count",
		 4000,
		 SOFT | OFF(FLOOR),
		 {VM(2000, 300, 0), VM(2000, 0, 900, .floor_pages = 1900)},
		 {2300, 1700}},
		{"a VM below its reservation grows to it",
		 10000,
		 SOFT,
		 {VM(1000, 0, 500, .min_pages = 1500, .boot_pages = 1500)},
		 {1500}},
	};
	(void)state;
	plan_run_all(&plain, cases, ARRAY_SIZE(cases));
}

static void poise_shrinks_no_faster_than_slew_times_the_time_since_the_tick(void **state)
{
	/* Without the slew limit B would lose 1000 of its 2000 pages. */
	static const struct {
		uint64_t elapsed_ms, a, b;
	} rows[] = {{2000, 2999, 1000}, {1000, 2999, 1000}, {500, 2500, 1500}, {0, 2000, 2000}};
	const struct poise_config config = {
		.pool_pages = 4000, .rules_off = SOFT & ~OFF(SLEW), .slew_permille = 500};
	const struct plan_vm a = VM(2000, 1000, 0, .weight = 300);
	const struct plan_vm b = VM(2000, 1000, 0);
	static struct poise p;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		plan_start(&p, &config);
		plan_elapsed_ms = rows[i].elapsed_ms;
		plan_put(&p, 0, &a);
		plan_put(&p, 1, &b);
		plan_make(&p);
		assert_int_equal(p.plan.row[0].goal_pages, rows[i].a);
		assert_int_equal(p.plan.row[1].goal_pages, rows[i].b);
	}
}

static void poise_each_state_of_a_vm_gets_the_size_it_is_promised(void **state)
{
	static const struct plan_case cases[] = {
		{"a frozen VM does not shrink",
		 4000,
		 SOFT,
		 {VM(2000, 300, 0), VM(2000, 0, 900, .state = POISE_VM_FROZEN)},
		 {2000, 2000}},
		{"a frozen VM does not grow",
		 6000,
		 SOFT,
		 {VM(2000, 0, 0), VM(2000, 900, 0, .state = POISE_VM_FROZEN)},
		 {2000, 2000}},
		{"a frozen VM has no part in a shortage",
		 4000,
		 SOFT,
		 {VM(1000, 3000, 0), VM(3000, 900, 0, .state = POISE_VM_FROZEN)},
		 {1000, 3000}},
		{"a VM whose request is not accepted yet is left alone",
		 4000,
		 SOFT,
		 {VM(2000, 300, 0), VM(2000, 0, 900, .unsent = 1)},
		 {2000, 2000}},
		{"a VM that backs off is left alone",
		 4000,
		 SOFT,
		 {VM(2000, 300, 0), VM(2000, 0, 900, .backoff_end_ms = PLAN_NOW_MS + 1)},
		 {2000, 2000}},
		{"a VM that backs off does not grow",
		 6000,
		 SOFT,
		 {VM(2000, 0, 0), VM(2000, 300, 0, .backoff_end_ms = PLAN_NOW_MS + 1)},
		 {2000, 2000}},
		{"after its back-off a VM shrinks again",
		 4000,
		 SOFT,
		 {VM(2000, 300, 0), VM(2000, 0, 900, .backoff_end_ms = PLAN_NOW_MS)},
		 {2300, 1700}},
		{"without rule BACK_OFF a VM is not left alone",
		 4000,
		 SOFT | OFF(BACK_OFF),
		 {VM(2000, 300, 0), VM(2000, 0, 900, .backoff_end_ms = PLAN_NOW_MS + 1)},
		 {2300, 1700}},
		{"stale: seven steps down are left",
		 4000,
		 SOFT,
		 {VM(2000, 300, 0),
		  VM(2000, 900, -900, .state = POISE_VM_STALE, .boot_pages = 1300)},
		 {2100, 1900}},
		{"stale: seven steps up are left",
		 4000,
		 SOFT,
		 {VM(2000, 0, 300), VM(2000, 0, 900, .state = POISE_VM_STALE, .boot_pages = 2700)},
		 {1900, 2100}},
		{"unmanaged: an eighth of what is beyond its boot size",
		 4000,
		 SOFT,
		 {VM(2000, 300, 0),
		  VM(2000, 0, 900, .state = POISE_VM_UNMANAGED, .boot_pages = 400)},
		 {2200, 1800}},
		{"what is beyond an unmanaged VM's boot size stays if nobody needs it",
		 4000,
		 SOFT,
		 {VM(2000, 0, 0), VM(2000, 0, 900, .state = POISE_VM_UNMANAGED, .boot_pages = 400)},
		 {2000, 2000}},
		{"unmanaged gets its boot size, even from those in need",
		 4000,
		 SOFT,
		 {VM(3000, 300, 0),
		  VM(1000, 0, 0, .state = POISE_VM_UNMANAGED, .boot_pages = 1500)},
		 {2500, 1500}},
		{"quarantined: down to its boot size",
		 4000,
		 SOFT,
		 {VM(1000, 3000, 0),
		  VM(3000, 900, -900, .state = POISE_VM_QUARANTINED, .boot_pages = 1600)},
		 {2400, 1600}},
		{"quarantined: up to its boot size",
		 6000,
		 SOFT,
		 {VM(1000, 0, 0),
		  VM(1000, 900, -900, .state = POISE_VM_QUARANTINED, .boot_pages = 1600)},
		 {1000, 1600}},
		{"a VM that is configured static goes to its boot size",
		 4000,
		 SOFT,
		 {VM(1000, 3000, 0),
		  VM(3000, 900, -900, .flags = POISE_VM_STATIC, .boot_pages = 1600)},
		 {2400, 1600}},
	};
	(void)state;
	plan_run_all(&plain, cases, ARRAY_SIZE(cases));
}

static void poise_reserve_is_kept_for_the_urgent_and_refilled(void **state)
{
	static const struct poise_config config = {
		.pool_pages = 10000, .reserve_permille = 100, .urgent_permille = 50};
	static const struct plan_case cases[] = {
		{"the reserve is not given away",
		 5000,
		 SOFT & ~OFF(RESERVE),
		 {VM(2000, 900, 0), VM(2000, 0, 0)},
		 {2500, 2000}},
		{"the reserve is given to an urgent VM",
		 5000,
		 SOFT & ~OFF(RESERVE),
		 {VM(2000, 900, 0, .urgent = 1), VM(2000, 0, 0)},
		 {2900, 2000}},
		{"an urgent VM gets at least the urgent share",
		 5000,
		 SOFT & ~OFF(RESERVE),
		 {VM(2000, 0, 0, .urgent = 1), VM(2000, 0, 0)},
		 {2062, 2000}},
		{"an urgent VM gets less by what it can reclaim, 40 pages",
		 5000,
		 SOFT & ~OFF(RESERVE),
		 {VM(2000, 20, 60, .urgent = 1), VM(2000, 0, 0)},
		 {2022, 2000}},
		{"an urgent VM that can reclaim enough gets nothing",
		 5000,
		 SOFT & ~OFF(RESERVE),
		 {VM(2000, 0, 500, .urgent = 1), VM(2000, 0, 0)},
		 {2000, 2000}},
		{"an urgent VM does not shrink",
		 4000,
		 SOFT,
		 {VM(2000, 0, 500, .urgent = 1), VM(2000, 200, 0)},
		 {2000, 2000}},
		{"without rule RESERVE all is given",
		 5000,
		 SOFT,
		 {VM(2000, 900, 0), VM(2000, 0, 0)},
		 {2900, 2000}},
		{"without rule URGENT an urgent VM gets no more than others",
		 5000,
		 SOFT | OFF(URGENT),
		 {VM(2000, 0, 0, .urgent = 1), VM(2000, 0, 0)},
		 {2000, 2000}},
		{"urgent is not held up by the dead band",
		 5000,
		 SOFT & ~OFF(DEAD_BAND),
		 {VM(2000, 1, 0, .urgent = 1, .max_pages = 2001)},
		 {2001}},
		{"the next plan refills the reserve from the donors",
		 5000,
		 SOFT & ~OFF(RESERVE),
		 {VM(2900, 0, 0), VM(2000, 0, 800)},
		 {2900, 1600}},
	};
	(void)state;
	plan_run_all(&config, cases, ARRAY_SIZE(cases));
}

/* One VM, in a table of any size: free memory, its limit, its reservation. */
static void poise_one_vm_alone_grows_to_free_memory_within_its_limits(void **state)
{
	static const struct {
		struct plan_vm vm;
		uint64_t pool, goal;
	} rows[] = {
		{VM(2000, 300, 100), 10000, 2200},
		{VM(2000, 300, 100), 2100, 2100},
		{VM(2000, 300, 100, .max_pages = 2050), 10000, 2050},
		{VM(1000, 0, 500, .min_pages = 1500, .boot_pages = 1500), 10000, 1500},
		{VM(2000, 0, 900), 10000, 2000},
	};
	static struct poise p;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct poise_config config = {.pool_pages = rows[i].pool, .rules_off = SOFT};
		plan_start(&p, &config);
		plan_put(&p, 0, &rows[i].vm);
		plan_make(&p);
		assert_int_equal(p.plan.row[0].goal_pages, rows[i].goal);
	}
}

int main(void)
{
	static const struct CMUnitTest one[] = {
		cmocka_unit_test(poise_one_vm_alone_grows_to_free_memory_within_its_limits)};
	static const struct CMUnitTest many[] = {
		cmocka_unit_test(
			poise_in_plenty_the_needy_get_what_they_lack_and_donors_shrink_in_proportion),
		cmocka_unit_test(poise_shrinks_no_faster_than_slew_times_the_time_since_the_tick),
		cmocka_unit_test(poise_each_state_of_a_vm_gets_the_size_it_is_promised),
		cmocka_unit_test(poise_reserve_is_kept_for_the_urgent_and_refilled),
	};
	const int failed = cmocka_run_group_tests(one, NULL, NULL);
	return failed +
	       (POISE_VM_MAX >= PLAN_ROW_VMS ? cmocka_run_group_tests(many, NULL, NULL) : 0);
}
