/* SPDX-License-Identifier: MIT */
/* The rules of policy `poise` that hold in a shortage, each one alone. */
#include "plan_support.h"
#include "rules.h"

static const struct poise_config plain = {.pool_pages = 10000};

/* A claim halves after 16 hungry intervals; even the smallest never becomes none. */
static void rule_claim_F19_fades_with_hunger(void **state)
{
	static const struct {
		uint32_t weight, hungry, claim;
	} rows[] = {{100, 0, 1600},      {100, 16, 800},      {100, 48, 400}, {100, 240, 100},
		    {65535, 0, 1048560}, {65535, 240, 65535}, {1, 240, 1},    {1, 0, 16}};
	static struct poise p;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct plan_vm vm =
			VM(1000, 0, 0, .weight = rows[i].weight, .hungry = rows[i].hungry);
		struct poise_row row = {.weight = rows[i].weight};
		plan_start(&p, &plain);
		plan_put(&p, 0, &vm);
		poise_rule_claim(&p, &p.vm[0], &row);
		assert_int_equal(row.weight, rows[i].claim);
	}
}

/* Goals within 2 % are left alone, on the way back within 12 %; an urgent VM's growth is not, on
 * its way back from 4 % on. Nor is what is due, and what limits ask for. */
static void rule_near(void **state)
{
	static const struct {
		uint32_t grew, urgent;
		uint64_t upper, entitled, goal;
		uint32_t kept;
	} rows[] = {
		{1, 0, 2000, 0, 1019, 1},
		{1, 0, 2000, 0, 1020, 0},
		{1, 0, 2000, 0, 881, 1},
		{1, 0, 2000, 0, 880, 0},
		{0, 0, 2000, 0, 981, 1},
		{0, 0, 2000, 0, 980, 0},
		{0, 0, 2000, 0, 1119, 1},
		{0, 0, 2000, 0, 1120, 0},
		{0, 0, 2000, 0, 1000, 1},
		{1, 0, 2000, 0, 1000, 1},
		/* urgent */
		{1, 1, 2000, 0, 1001, 0},
		{0, 1, 2000, 0, 1059, 1},
		{0, 1, 2000, 0, 1060, 0},
		{1, 1, 2000, 0, 941, 1},
		{1, 1, 2000, 0, 940, 0},
		{0, 1, 2000, 0, 999, 0},
		/* entitled to more, to just this */
		{0, 0, 2000, 1001, 1020, 0},
		{0, 0, 2000, 1000, 1020, 1},
		/* above its limit, at it */
		{1, 0, 999, 0, 999, 0},
		{1, 0, 1000, 0, 999, 1},
	};
	static struct poise p;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct plan_vm vm = VM(1000, 0, 0, .urgent = rows[i].urgent, .grew = rows[i].grew);
		struct poise_row row = {.size_pages = 1000,
					.upper_pages = rows[i].upper,
					.entitled_pages = rows[i].entitled,
					.goal_pages = rows[i].goal};
		plan_start(&p, &plain);
		plan_put(&p, 0, &vm);
		poise_rule_near(&p, &p.vm[0], &row);
		assert_int_equal(row.kept, rows[i].kept);
		assert_int_equal(row.goal_pages, rows[i].goal);
		/* A small one that was large: 2,000 instead of 1,000 pages, so twice as wide. */
		vm.boot_pages = 2000;
		plan_put(&p, 0, &vm);
		row.goal_pages = 2 * rows[i].goal - 1000;
		poise_rule_near(&p, &p.vm[0], &row);
		assert_int_equal(row.kept, rows[i].kept);
		vm.boot_pages = 0;
		row.goal_pages = rows[i].goal;
		/* Below its reservation, or not started yet: nothing is too near. */
		vm.min_pages = 1001;
		plan_put(&p, 0, &vm);
		poise_rule_near(&p, &p.vm[0], &row);
		assert_int_equal(row.kept, 0);
		vm.min_pages = 1;
		plan_put(&p, 0, &vm);
		p.vm[0].actual_pages = 0;
		poise_rule_near(&p, &p.vm[0], &row);
		assert_int_equal(row.kept, 0);
	}
}

/* A goal that is near only because a tick lets a VM go so far is not; with ticks of 10 ms nobody
 * would ever give anything. */
static void rule_near_is_not_as_far_as_it_may_go(void **state)
{
	static const struct {
		uint64_t lower, goal;
		uint32_t early, kept;
	} rows[] = {
		{1, 990, 0, 1},   {989, 990, 0, 1}, {990, 990, 0, 0},   {991, 990, 0, 0},
		{990, 990, 1, 1}, {900, 900, 0, 1}, {1000, 1010, 0, 1},
	};
	static struct poise p;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct plan_vm vm = VM(1000, 0, 0, .min_pages = 900, .grew = 1);
		struct poise_row row = {.size_pages = 1000,
					.upper_pages = 2000,
					.lower_pages = rows[i].lower,
					.goal_pages = rows[i].goal};
		plan_start(&p, &plain);
		p.plan.early = rows[i].early;
		plan_put(&p, 0, &vm);
		poise_rule_near(&p, &p.vm[0], &row);
		assert_int_equal(row.kept, rows[i].kept);
	}
}

/* Of 1,000 pages, `desired` of them wanted, a sixteenth of what is too much goes in a second. */
static void rule_gentle(void **state)
{
	static const struct {
		uint64_t desired, goal, elapsed_ms;
		uint32_t early;
		uint64_t due, after;
	} rows[] = {
		{1500, 200, 1000, 0, 0, 950},
		{1500, 200, 500, 0, 0, 975},
		{1500, 200, 2000, 0, 0, 900},
		{1500, 200, 0, 0, 0, 1000},
		{1500, 200, 1000, 1, 0, 1000},
		/* what it does not want goes at once, early or not */
		{600, 200, 1000, 0, 0, 575},
		{600, 200, 1000, 1, 0, 600},
		{600, 600, 0, 0, 0, 600},
		{600, 800, 1000, 0, 0, 800},
		{600, 800, 1000, 1, 0, 800},
		/* 1,600 are to go from all: of 400 that are due it gives 200 of its 800, and one */
		{1500, 200, 1000, 1, 400, 799},
		/* and a sixteenth of the other 599 */
		{1500, 200, 1000, 0, 400, 762},
		{1500, 200, 1000, 1, 1600, 200},
		{1500, 200, 1000, 1, 5000, 200},
		{600, 800, 1000, 0, 400, 800},
	};
	static struct poise p;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct plan_vm vm = VM(1000, 0, 0);
		struct poise_row row = {.size_pages = 1000,
					.desired_pages = rows[i].desired,
					.goal_pages = rows[i].goal};
		plan_start(&p, &plain);
		plan_put(&p, 0, &vm);
		p.plan.elapsed_ms = rows[i].elapsed_ms;
		p.plan.early = rows[i].early;
		poise_rule_gentle(&p, &p.vm[0], &row, 1600, rows[i].due);
		assert_int_equal(row.goal_pages, rows[i].after);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(rule_claim_F19_fades_with_hunger),
		cmocka_unit_test(rule_near),
		cmocka_unit_test(rule_near_is_not_as_far_as_it_may_go),
		cmocka_unit_test(rule_gentle),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
