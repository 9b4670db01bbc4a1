/* SPDX-License-Identifier: MIT */
/* Policy `poise`: the rules together, on tables, beside `paper`, and what holds in any state. */
#include "plan_support.h"

static const struct poise_config plain = {.pool_pages = 10000};

static void poise_plenty(void **state)
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
		{"pressure off",
		 4000,
		 SOFT | OFF(PRESSURE),
		 {VM(2000, 0, 0, .refault_pages = 150), VM(2000, 0, 400)},
		 {2000, 2000}},
		{"shortfall off: all of delta",
		 10000,
		 SOFT | OFF(SHORTFALL),
		 {VM(2000, 300, 100)},
		 {2300}},
		{"the limit", 10000, SOFT, {VM(2000, 3000, 0, .max_pages = 2100)}, {2100}},
		{"the reservation",
		 4000,
		 SOFT,
		 {VM(2000, 300, 0), VM(2000, 0, 900, .min_pages = 1800)},
		 {2200, 1800}},
		{"the floor",
		 4000,
		 SOFT,
		 {VM(2000, 300, 0), VM(2000, 0, 900, .floor_pages = 1800)},
		 {2200, 1800}},
		{"no more floor than the boot size",
		 4000,
		 SOFT,
		 {VM(2000, 300, 0), VM(2000, 0, 900, .floor_pages = 2000, .boot_pages = 1000)},
		 {2300, 1700}},
		{"floor off",
		 4000,
		 SOFT | OFF(FLOOR),
		 {VM(2000, 300, 0), VM(2000, 0, 900, .floor_pages = 1900)},
		 {2300, 1700}},
		{"below its reservation: gets there",
		 10000,
		 SOFT,
		 {VM(1000, 0, 500, .min_pages = 1500, .boot_pages = 1500)},
		 {1500}},
	};
	(void)state;
	plan_run_all(&plain, cases, ARRAY_SIZE(cases));
}

static void poise_slew_by_elapsed_time(void **state)
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

static void poise_by_state(void **state)
{
	static const struct plan_case cases[] = {
		{"frozen: neither gives",
		 4000,
		 SOFT,
		 {VM(2000, 300, 0), VM(2000, 0, 900, .state = POISE_VM_FROZEN)},
		 {2000, 2000}},
		{"nor takes",
		 6000,
		 SOFT,
		 {VM(2000, 0, 0), VM(2000, 900, 0, .state = POISE_VM_FROZEN)},
		 {2000, 2000}},
		{"nor is shared with",
		 4000,
		 SOFT,
		 {VM(1000, 3000, 0), VM(3000, 900, 0, .state = POISE_VM_FROZEN)},
		 {1000, 3000}},
		{"a request not taken yet: the same",
		 4000,
		 SOFT,
		 {VM(2000, 300, 0), VM(2000, 0, 900, .unsent = 1)},
		 {2000, 2000}},
		{"back-off: the same",
		 4000,
		 SOFT,
		 {VM(2000, 300, 0), VM(2000, 0, 900, .backoff_end_ms = PLAN_NOW_MS + 1)},
		 {2000, 2000}},
		{"back-off does not pay either",
		 6000,
		 SOFT,
		 {VM(2000, 0, 0), VM(2000, 300, 0, .backoff_end_ms = PLAN_NOW_MS + 1)},
		 {2000, 2000}},
		{"back-off over",
		 4000,
		 SOFT,
		 {VM(2000, 300, 0), VM(2000, 0, 900, .backoff_end_ms = PLAN_NOW_MS)},
		 {2300, 1700}},
		{"back-off off",
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
		{"but not if nobody needs it",
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
		{"configured static: the same",
		 4000,
		 SOFT,
		 {VM(1000, 3000, 0),
		  VM(3000, 900, -900, .flags = POISE_VM_STATIC, .boot_pages = 1600)},
		 {2400, 1600}},
	};
	(void)state;
	plan_run_all(&plain, cases, ARRAY_SIZE(cases));
}

static void poise_reserve_and_urgent(void **state)
{
	static const struct poise_config config = {
		.pool_pages = 10000, .reserve_permille = 100, .urgent_permille = 50};
	static const struct plan_case cases[] = {
		{"the reserve is not given away",
		 5000,
		 SOFT & ~OFF(RESERVE),
		 {VM(2000, 900, 0), VM(2000, 0, 0)},
		 {2500, 2000}},
		{"but to an urgent one it is",
		 5000,
		 SOFT & ~OFF(RESERVE),
		 {VM(2000, 900, 0, .urgent = 1), VM(2000, 0, 0)},
		 {2900, 2000}},
		{"who gets at least the urgent share",
		 5000,
		 SOFT & ~OFF(RESERVE),
		 {VM(2000, 0, 0, .urgent = 1), VM(2000, 0, 0)},
		 {2062, 2000}},
		{"less what it still has, 40 pages",
		 5000,
		 SOFT & ~OFF(RESERVE),
		 {VM(2000, 20, 60, .urgent = 1), VM(2000, 0, 0)},
		 {2022, 2000}},
		{"which may be enough",
		 5000,
		 SOFT & ~OFF(RESERVE),
		 {VM(2000, 0, 500, .urgent = 1), VM(2000, 0, 0)},
		 {2000, 2000}},
		{"nothing is taken from it meanwhile",
		 4000,
		 SOFT,
		 {VM(2000, 0, 500, .urgent = 1), VM(2000, 200, 0)},
		 {2000, 2000}},
		{"reserve off", 5000, SOFT, {VM(2000, 900, 0), VM(2000, 0, 0)}, {2900, 2000}},
		{"urgent off",
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
static void poise_one_alone(void **state)
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
	static const struct CMUnitTest one[] = {cmocka_unit_test(poise_one_alone)};
	static const struct CMUnitTest many[] = {
		cmocka_unit_test(poise_plenty),
		cmocka_unit_test(poise_slew_by_elapsed_time),
		cmocka_unit_test(poise_by_state),
		cmocka_unit_test(poise_reserve_and_urgent),
	};
	const int failed = cmocka_run_group_tests(one, NULL, NULL);
	return failed +
	       (POISE_VM_MAX >= PLAN_ROW_VMS ? cmocka_run_group_tests(many, NULL, NULL) : 0);
}
