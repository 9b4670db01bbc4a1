/* SPDX-License-Identifier: MIT */
/* What the policies share: sharing out by weight, targets in flight; and policy `static`. */
#include <math.h>

#include "plan_support.h"

/* --- poise_share_fill --- */

/* Rows to be filled from their size to the most that they can have. */
static struct poise_plan fill_plan;

/* Weighted max-min fairness, exact: as many rounds as it takes, in fractions of pages. */
static void fill_reference(double *share, const struct poise_plan *plan, double amount)
{
	bool open[POISE_VM_MAX];
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		const struct poise_row *row = &plan->row[i];
		open[i] = row->share.most_pages > row->size_pages;
		share[i] = 0;
	}
	for (bool again = true; again;) {
		double weights = 0;
		again = false;
		for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
			weights += open[i] ? plan->row[i].weight : 0;
		}
		const double level = weights > 0 ? amount / weights : 0;
		for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
			const struct poise_row *row = &plan->row[i];
			const double want =
				(double)poise_over(row->share.most_pages, row->size_pages);
			if (open[i]) {
				share[i] = fmin(want, level * plan->row[i].weight);
			}
			if (open[i] && want <= level * plan->row[i].weight) {
				open[i] = false;
				amount -= want;
				again = true;
			}
		}
	}
}

struct fill_row {
	uint64_t base, desired;
	uint32_t weight;
};

static void fill_start(const struct fill_row *rows, uint32_t count)
{
	memset(&fill_plan, 0, sizeof(fill_plan));
	for (uint32_t i = 0; i < count; i++) {
		fill_plan.row[i] = (struct poise_row){.size_pages = rows[i].base,
						      .goal_pages = rows[i].base,
						      .share.most_pages = rows[i].desired,
						      .weight = (uint16_t)rows[i].weight};
	}
}

/* Fills, and compares with the reference. */
static void fill_compare(const struct fill_row *rows, uint32_t count, uint64_t amount)
{
	double share[POISE_VM_MAX];
	double least_weight = UINT32_MAX, weights = 0, short_by = 0;
	uint64_t used = 0;
	fill_start(rows, count);
	for (uint32_t i = 0; i < count; i++) {
		if (rows[i].desired > rows[i].base) {
			weights += rows[i].weight;
			least_weight = fmin(least_weight, rows[i].weight);
		}
	}
	fill_reference(share, &fill_plan, (double)amount);
	poise_share_fill(&fill_plan, amount);
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		const struct poise_row *row = &fill_plan.row[i];
		const uint64_t got = row->goal_pages - row->size_pages;
		assert_true(row->goal_pages >= row->size_pages);
		assert_true(got <= poise_over(row->share.most_pages, row->size_pages));
		/* Never above the exact share, but for what the doubles of the reference lose. */
		assert_true((double)got <= share[i] * (1 + 1e-9) + 0.001);
		if (row->share.most_pages > row->size_pages &&
		    row->goal_pages < row->share.most_pages) {
			assert_int_equal(row->rule, POISE_RULE_FAIR);
		}
		short_by += share[i] - (double)got;
		used += got;
	}
	assert_true(used <= amount);
	if (weights == 0) {
		return;
	}
	/*
	 * What POISE_FILL_ROUNDS costs. Let R_r be the weight that is open after r rounds and U_r
	 * what would be left if the shares were dealt out then. Those that round r + 2 settles were
	 * not settled by the level before, so U_(r+1) <= U_r * (1 - R_(r+2) / R_(r+1)), and U_0 <=
	 * amount * (1 - R_1 / R_0). The product of the eight ratios is at least the smallest weight
	 * by the sum of all, so that U_8 is largest if they are equal.
	 */
	const double ratio = pow(least_weight / weights, 1.0 / POISE_FILL_ROUNDS);
	const double bound = pow(1 - ratio, POISE_FILL_ROUNDS);
	assert_true(short_by <= (double)amount * (bound + 1e-9) + count + 0.001);
}

static void fill_shares_as_worked_out_by_hand(void **state)
{
	static const struct {
		uint64_t amount;
		struct fill_row row[PLAN_ROW_VMS];
		uint64_t goal[PLAN_ROW_VMS];
	} cases[] = {
		{0, {{5, 10, 1}, {7, 7, 1}}, {5, 7}},
		{10, {{5, 10, 1}, {7, 12, 1}}, {10, 12}},
		{9, {{5, 10, 1}, {7, 12, 1}}, {9, 11}}, /* 4.5 each, rounded down */
		{100, {{0, 10, 1}, {0, 1000, 1}, {0, 1000, 2}}, {10, 30, 60}},
		{100, {{0, 100, 3}, {0, 100, 1}}, {75, 25}},
		{100, {{0, 60, 3}, {0, 100, 1}}, {60, 40}},
		{100, {{0, 60, 3}, {0, 10, 1}, {0, 100, 1}, {0, 5, 1}}, {60, 10, 25, 5}},
		{1, {{0, 5, 1}, {0, 5, 1}}, {0, 0}},
		{UINT64_C(1) << 38,
		 {{0, POISE_PAGES_MAX, 65535}, {0, POISE_PAGES_MAX, 65535}},
		 {POISE_PAGES_MAX, POISE_PAGES_MAX}},
		/* desired below base, and slots without a VM: left out */
		{100, {{50, 40, 9}, {0, 0, 0}, {0, 90, 1}}, {50, 0, 90}},
	};
	(void)state;
	for (size_t c = 0; c < ARRAY_SIZE(cases); c++) {
		fill_start(cases[c].row, PLAN_ROW_VMS);
		poise_share_fill(&fill_plan, cases[c].amount);
		for (uint32_t i = 0; i < PLAN_ROW_VMS; i++) {
			assert_int_equal(fill_plan.row[i].goal_pages, cases[c].goal[i]);
		}
	}
}

static void fill_is_weighted_max_min_fair(void **state)
{
	static const uint32_t weight_tops[] = {1, 3, 100, 65535};
	struct fill_row row[POISE_VM_MAX];
	uint64_t seed = 31;
	(void)state;
	for (unsigned run = 0; run < PLAN_RUNS(200000); run++) {
		const uint32_t count = 1 + (uint32_t)(random_next(&seed) % POISE_VM_MAX);
		const uint32_t top = weight_tops[run % ARRAY_SIZE(weight_tops)];
		const uint64_t most = run % 3 == 0 ? 100 : run % 3 == 1 ? 1000000 : POISE_PAGES_MAX;
		uint64_t wanted = 0;
		for (uint32_t i = 0; i < count; i++) {
			row[i] = (struct fill_row){.base = random_upto(&seed, most),
						   .desired = random_upto(&seed, most),
						   .weight = 1 +
							     (uint32_t)(random_next(&seed) % top)};
			wanted += poise_over(row[i].desired, row[i].base);
		}
		fill_compare(row, count, random_upto(&seed, wanted + wanted / 4));
	}
}

/*
 * Made to need many passes: weights that fall geometrically, and wants that come within reach one
 * after the other, first slots first and last slots first.
 */
static void fill_worst_cases_stay_within_the_bound(void **state)
{
	struct fill_row row[POISE_VM_MAX], turned[POISE_VM_MAX];
	const uint64_t amount = UINT64_C(1) << 30;
	(void)state;
	for (unsigned fall = 1; fall <= 64; fall++) {
		for (unsigned near = 0; near < 3; near++) {
			double level, left = (double)amount, open = 0, before = 0;
			const double factor = 1 + fall / 8.0;
			for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
				const double weight = floor(65535 / pow(factor, i));
				row[i] = (struct fill_row){.weight = weight < 1 ? 1
										: (uint32_t)weight};
				open += row[i].weight;
			}
			/* Each wants a little more than the level that was not enough for it. */
			for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
				level = left / open;
				const double want = before + (level - before) * near / 1000 + 1e-9;
				row[i].desired = (uint64_t)ceil(want * row[i].weight) + 1;
				left -= (double)row[i].desired;
				open -= row[i].weight;
				before = level;
				if (left < 0 || open < 1) {
					left = 0;
					open = 1;
				}
			}
			for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
				turned[i] = row[POISE_VM_MAX - 1 - i];
			}
			fill_compare(row, POISE_VM_MAX, amount);
			fill_compare(turned, POISE_VM_MAX, amount);
		}
	}
}

/* --- plans of any policy --- */

/* What can be given: the pool less what all VMs will have when everything asked for has arrived; a
 * request that the port has not taken yet brings nothing. */
static void plan_available_is_the_pool_less_what_is_on_its_way(void **state)
{
	static const struct {
		struct plan_vm vm;
		int64_t available;
	} rows[] = {
		{VM(1000, 0, 0), 2000},
		{VM(1000, 0, 0, .actual_pages = 1500), 2000},
		{VM(1000, 0, 0, .actual_pages = 1500, .unsent = 1), 1500},
		{VM(1000, 0, 0, .actual_pages = 500), 2000},
		{VM(1000, 0, 0, .actual_pages = 500, .unsent = 1), 2000},
		{VM(3500, 0, 0), -500},
	};
	const struct poise_config config = {.pool_pages = 3000, .rules_off = OFF(RESERVE)};
	static struct poise p;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		plan_start(&p, &config);
		plan_put(&p, POISE_VM_MAX - 1, &rows[i].vm);
		plan_make(&p);
		assert_int_equal(p.plan.available_pages, rows[i].available);
	}
}

static void plan_F72_holds_with_no_vm_one_and_most(void **state)
{
	static const uint32_t policies[] = {POISE_POLICY_POISE, POISE_POLICY_PAPER,
					    POISE_POLICY_STATIC};
	const struct plan_vm needy = VM(1000, 500, 0);
	const struct plan_vm donor = VM(1000, 0, 500);
	static struct poise p;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(policies); i++) {
		const struct poise_config config = {.pool_pages = UINT64_C(1000) * POISE_VM_MAX,
						    .policy = policies[i],
						    .rules_off = SOFT};
		const bool moves = policies[i] != POISE_POLICY_STATIC;
		plan_start(&p, &config);
		plan_make(&p); /* nobody there */
		plan_put(&p, POISE_VM_MAX - 1, &needy);
		plan_make(&p); /* the last slot alone; only poise uses free memory */
		assert_int_equal(p.plan.row[POISE_VM_MAX - 1].goal_pages,
				 policies[i] == POISE_POLICY_POISE && POISE_VM_MAX > 1 ? 1500
										       : 1000);
		for (uint32_t v = 0; v < POISE_VM_MAX; v++) {
			plan_put(&p, v, v == POISE_VM_MAX - 1 ? &needy : &donor);
		}
		p.free_pages = 0;
		plan_make(&p);
		if (POISE_VM_MAX > 1) {
			assert_in_range(p.plan.row[POISE_VM_MAX - 1].goal_pages,
					moves ? 1500 - POISE_VM_MAX : 1000, moves ? 1500 : 1000);
		}
	}
}

/* --- policy static --- */

static void static_moves_nobody_but_to_its_boot_size(void **state)
{
	static const struct plan_case cases[] = {
		{"static: nobody is moved",
		 4000,
		 0,
		 {VM(2000, 900, 0), VM(2000, 0, 900)},
		 {2000, 2000}},
		{"static: a VM grows to its boot size",
		 4000,
		 0,
		 {VM(1000, 0, 900, .boot_pages = 1500, .weight = 1), VM(2000, 0, 0)},
		 {1500, 2000}},
		{"static: a VM does not shrink to its boot size",
		 4000,
		 0,
		 {VM(2000, 0, 900, .boot_pages = 1500)},
		 {2000}},
		{"static: VMs grow as far as memory is free, by slot",
		 4000,
		 0,
		 {VM(1000, 0, 0, .boot_pages = 1800), VM(1000, 0, 0, .boot_pages = 1800),
		  VM(1000, 0, 0, .boot_pages = 1800)},
		 {1800, 1200, 1000}},
	};
	const struct poise_config config = {.pool_pages = 4000, .policy = POISE_POLICY_STATIC};
	(void)state;
	plan_run_all(&config, cases, ARRAY_SIZE(cases));
}

int main(void)
{
	static const struct CMUnitTest one[] = {
		cmocka_unit_test(fill_is_weighted_max_min_fair),
		cmocka_unit_test(fill_worst_cases_stay_within_the_bound),
		cmocka_unit_test(plan_available_is_the_pool_less_what_is_on_its_way),
		cmocka_unit_test(plan_F72_holds_with_no_vm_one_and_most),
	};
	static const struct CMUnitTest many[] = {
		cmocka_unit_test(fill_shares_as_worked_out_by_hand),
		cmocka_unit_test(static_moves_nobody_but_to_its_boot_size),
	};
	const int failed = cmocka_run_group_tests(one, NULL, NULL);
	return failed +
	       (POISE_VM_MAX >= PLAN_ROW_VMS ? cmocka_run_group_tests(many, NULL, NULL) : 0);
}
