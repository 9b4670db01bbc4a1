/* SPDX-License-Identifier: MIT */
/*
 * Policy `paper`.
 *
 * A worked example, to be checked by hand. Three VMs of 2,000 pages; delta and R are
 *
 *	VM	delta	R	R - delta
 *	A	300	100	-200	needy, as 300 > 100; it asks for delta_A = 300
 *	B	20	420	400	donor
 *	C	-50	150	200	donor
 *
 * The donors' sum is 400 + 200 = 600. Equation (4):
 *
 *	sum 600 > 300:	S_B = 400/600 * 300 = 200	S_C = 200/600 * 300 = 100
 *			A = 2000 + 300 = 2300		B = 1800	C = 1900
 *
 * If A asked for 900 (delta_A = 900), 600 > 900 would not hold and the second branch would count:
 *
 *	otherwise:	S_B = 400			S_C = 200
 *			A = 2000 + 600 = 2600		B = 1600	C = 1800
 *
 * At delta_A = 600 both branches say the same. At delta_A = 100 the shares are 66 2/3 and 33 1/3
 * pages; they are rounded down, so that A gets 99.
 */
#include <math.h>

#include "plan_support.h"

#define ROW_VMS 4

/* One plan. A VM of size 0 is not there. */
struct paper_row {
	const char *what;
	struct plan_vm vm[ROW_VMS];
	uint64_t goal[ROW_VMS];
};

static void run_rows(const struct paper_row *rows, size_t count, uint64_t pool_pages)
{
	const struct poise_config config = {.pool_pages = pool_pages, .policy = POISE_POLICY_PAPER};
	static struct poise p;
	for (size_t r = 0; r < count; r++) {
		plan_start(&p, &config);
		for (uint32_t i = 0; i < ROW_VMS; i++) {
			if (rows[r].vm[i].size_pages != 0) {
				plan_put(&p, i, &rows[r].vm[i]);
			}
		}
		plan_make(&p);
		assert_int_equal(p.plan.available_pages, 0);
		for (uint32_t i = 0; i < ROW_VMS; i++) {
			if (p.plan.row[i].goal_pages != rows[r].goal[i]) {
				print_error("%s, VM %u: %llu\n", rows[r].what, (unsigned)i,
					    (unsigned long long)p.plan.row[i].goal_pages);
			}
			assert_int_equal(p.plan.row[i].goal_pages, rows[r].goal[i]);
			/* What the equations say, or what they leave of it. */
			const uint32_t rule = p.plan.row[i].rule;
			assert_true(rows[r].goal[i] == rows[r].vm[i].size_pages ||
				    rule == POISE_RULE_EQUATION || rule == POISE_RULE_DONOR ||
				    rule == POISE_RULE_COVERED);
		}
	}
}

static void paper_plans_the_worked_example_as_published(void **state)
{
	static const struct paper_row rows[] = {
		{"donors share if they have more than delta",
		 {VM(2000, 300, 100), VM(2000, 20, 420), VM(2000, -50, 150)},
		 {2300, 1800, 1900}},
		{"donors give all if they have less than delta",
		 {VM(2000, 900, 100), VM(2000, 20, 420), VM(2000, -50, 150)},
		 {2600, 1600, 1800}},
		{"donors give all if they have exactly delta",
		 {VM(2000, 600, 100), VM(2000, 20, 420), VM(2000, -50, 150)},
		 {2600, 1600, 1800}},
		{"donors give all if they have one page less than delta",
		 {VM(2000, 599, 100), VM(2000, 20, 420), VM(2000, -50, 150)},
		 /* 399.33 and 199.67 */
		 {2598, 1601, 1801}},
		{"parts of donors are rounded down",
		 {VM(2000, 100, 99), VM(2000, 20, 420), VM(2000, -50, 150)},
		 {2099, 1934, 1967}},
	};
	(void)state;
	run_rows(rows, ARRAY_SIZE(rows), 6000);
}

static void paper_needy_and_donors_are_those_of_the_equations(void **state)
{
	static const struct paper_row rows[] = {
		{"nobody is needy", {VM(2000, 50, 100), VM(2000, 20, 420)}, {2000, 2000}},
		{"delta equals R: neither", {VM(2000, 100, 100), VM(2000, 0, 500)}, {2000, 2000}},
		{"just needy", {VM(2000, 101, 100), VM(2000, 0, 500)}, {2101, 1899}},
		{"no donors", {VM(2000, 500, 100), VM(2000, 100, 100)}, {2000, 2000}},
		{"everybody is needy", {VM(2000, 500, 100), VM(2000, 300, 100)}, {2000, 2000}},
		{"negative delta is more to give",
		 {VM(2000, 250, 0), VM(2000, -300, 100)},
		 {2250, 1750}},
		{"negative R, but delta is lower",
		 {VM(2000, 50, 0), VM(2000, -300, -100)},
		 {2050, 1950}},
		{"needy with delta below zero: R is even lower",
		 {VM(2000, -100, -300), VM(2000, 0, 500)},
		 {2000, 2000}},
		{"needy with delta zero", {VM(2000, 0, -300), VM(2000, 0, 500)}, {2000, 2000}},
		{"a donor gives to its last page but the reservation",
		 {VM(2000, 5000, 0), VM(2000, 0, 9000)},
		 {3999, 1}},
		{"two needy, enough for both",
		 {VM(2000, 100, 0), VM(2000, 200, 0), VM(2000, 0, 600)},
		 {2100, 2200, 1700}},
		{"two needy, enough for one and a half: by slot",
		 {VM(2000, 400, 0), VM(2000, 400, 0), VM(2000, 0, 600)},
		 {2400, 2200, 1400}},
		{"the donor's slot does not matter",
		 {VM(2000, 0, 600), VM(2000, 400, 0), VM(2000, 400, 0)},
		 {1400, 2400, 2200}},
		{"three needy, the first takes all",
		 {VM(2000, 700, 0), VM(2000, 5, 0), VM(2000, 5, 0), VM(2000, 0, 600)},
		 {2600, 2000, 2000, 1400}},
		{"an empty slot in between",
		 {VM(2000, 300, 100), {0}, VM(2000, 20, 420), VM(2000, -50, 150)},
		 {2300, 0, 1800, 1900}},
	};
	(void)state;
	run_rows(rows, ARRAY_SIZE(rows), 8000);
}

static void paper_keeps_limits_and_leaves_out_who_takes_no_part(void **state)
{
	static const struct paper_row rows[] = {
		{"not above the limit",
		 {VM(2000, 500, 0, .max_pages = 2100), VM(2000, 0, 900)},
		 {2100, 1900}},
		{"a VM at its limit gets nothing",
		 {VM(2000, 500, 0, .max_pages = 2000), VM(2000, 0, 900)},
		 {2000, 2000}},
		{"above the limit: left there",
		 {VM(2000, 500, 0, .max_pages = 1500), VM(2000, 0, 900)},
		 {2000, 2000}},
		{"not below the reservation",
		 {VM(2000, 500, 0), VM(2000, 0, 900, .min_pages = 1800)},
		 {2200, 1800}},
		{"below the reservation: left there",
		 {VM(2000, 500, 0), VM(2000, 0, 900, .min_pages = 2500)},
		 {2000, 2000}},
		{"the reservation bounds what it weighs: 100 and 300 of 400",
		 {VM(2000, 200, 0), VM(2000, 0, 900, .min_pages = 1900), VM(2000, 0, 300)},
		 {2200, 1950, 1850}},
		{"a donor that shrinks already has given it: 900 - 500 is left",
		 {VM(2000, 1000, 0), VM(1500, 0, 900, .seen_pages = 2000, .actual_pages = 2000)},
		 {2400, 1100}},
		{"a needy one that grows already: what is on its way is enough",
		 {VM(2500, 400, 0, .seen_pages = 2000, .actual_pages = 2000), VM(2000, 0, 900)},
		 {2500, 2000}},
		{"a needy one that grows, not enough",
		 {VM(2500, 600, 0, .seen_pages = 2000, .actual_pages = 2000), VM(2000, 0, 900)},
		 {3100, 1400}},
		{"unmanaged, stale, frozen, quarantined: left alone",
		 {VM(2000, 500, 0, .state = POISE_VM_UNMANAGED),
		  VM(2000, 500, 0, .state = POISE_VM_STALE),
		  VM(2000, 0, 500, .state = POISE_VM_FROZEN),
		  VM(2000, 0, 500, .state = POISE_VM_QUARANTINED)},
		 {2000, 2000, 2000, 2000}},
		{"a needy one and three that are left alone",
		 {VM(2000, 500, 0), VM(2000, 0, 500, .state = POISE_VM_STALE),
		  VM(2000, 0, 500, .state = POISE_VM_UNMANAGED), VM(2000, 0, 500, .unsent = 1)},
		 {2000, 2000, 2000, 2000}},
		{"a request that the port has not taken: left alone",
		 {VM(2000, 500, 0, .unsent = 1), VM(2000, 0, 500)},
		 {2000, 2000}},
		{"what poise has beyond the paper plays no part",
		 {VM(2000, 100, 0, .weight = 1, .refault_pages = 400, .urgent = 1),
		  VM(2000, 0, 500, .floor_pages = 2000, .backoff_end_ms = UINT64_MAX)},
		 {2100, 1900}},
		{"free memory is left where it is", {VM(2000, 300, 100)}, {2000}},
	};
	(void)state;
	run_rows(rows, ARRAY_SIZE(rows), 16000);
}

/* delta is rounded up and R down to whole pages before they are compared. */
static void paper_rounds_against_shrinking(void **state)
{
	static const struct {
		int64_t delta_q16, reclaimable_q16; /* of the donor */
		uint64_t most;                      /* that it gives */
	} rows[] = {
		{0, 10 << 16, 10},
		{1, 10 << 16, 9},
		{0, (10 << 16) - 1, 9},
		{-1, 10 << 16, 10},
		{-(1 << 16), 10 << 16, 11},
		{1, (10 << 16) + 65535, 9},
		{65535, 2 << 16, 1},
		{65536, 2 << 16, 1},
		{65537, 2 << 16, 0},
		{65537, 131072, 0},
		{1, 65535, 0},
		{0, -1, 0},
	};
	const struct poise_config config = {.pool_pages = 4000, .policy = POISE_POLICY_PAPER};
	const struct plan_vm needy = {.size_pages = 2000, .delta_pages = 1000};
	const struct plan_vm donor = {.size_pages = 2000};
	static struct poise p;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		plan_start(&p, &config);
		plan_put(&p, 0, &needy);
		plan_put(&p, 1, &donor);
		p.vm[1].forecast.delta_q16 = rows[i].delta_q16;
		p.vm[1].forecast.reclaimable_q16 = rows[i].reclaimable_q16;
		p.vm[1].forecast.peak_in_use_pages = poise_forecast_in_use(&p.vm[1].forecast);
		plan_make(&p);
		assert_int_equal(p.plan.row[1].goal_pages, 2000 - rows[i].most);
		assert_int_equal(p.plan.row[0].goal_pages, 2000 + rows[i].most);
	}
}

/* What the paper's text says, VM after VM, in fractions of pages. */
struct reference {
	double give[POISE_VM_MAX], get[POISE_VM_MAX];
};

static void reference_make(struct reference *ref, const struct poise *p)
{
	double spare[POISE_VM_MAX] = {0};
	memset(ref, 0, sizeof(*ref));
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		const struct poise_vm *vm = &p->vm[i];
		if (vm->state == POISE_VM_MANAGED) {
			/* R - delta, and what is on its way by balloon */
			const double surplus = (double)vm->forecast.reclaimable_q16 / 65536 -
					       (double)vm->forecast.delta_q16 / 65536 +
					       (double)vm->target_pages -
					       (double)vm->forecast.size_pages;
			const double most = (double)vm->target_pages - (double)vm->config.min_pages;
			spare[i] = surplus > 0 ? fmin(surplus, fmax(most, 0)) : surplus;
		}
	}
	for (uint32_t k = 0; k < POISE_VM_MAX; k++) {
		const struct poise_vm *vm = &p->vm[k];
		const double room = (double)vm->config.max_pages - (double)vm->target_pages;
		const double need = fmin((double)vm->forecast.delta_q16 / 65536, fmax(room, 0));
		double sum = 0;
		if (spare[k] >= 0 || need <= 0) {
			continue;
		}
		for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
			sum += fmax(spare[i], 0);
		}
		for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
			if (spare[i] > 0) {
				const double s = sum > need ? spare[i] / sum * need : spare[i];
				spare[i] -= s;
				ref->give[i] += s;
				ref->get[k] += s;
			}
		}
	}
}

/* A random pool: about a third needy, some VMs not managed, some balloons on their way. */
static void random_pool(struct poise *p, uint64_t *seed, uint32_t vms, uint64_t most_pages,
			bool whole)
{
	const struct poise_config config = {.pool_pages = most_pages * POISE_VM_MAX,
					    .policy = POISE_POLICY_PAPER};
	plan_start(p, &config);
	for (uint32_t i = 0; i < vms; i++) {
		const uint64_t size = 1 + random_upto(seed, most_pages - 1);
		const uint64_t min = 1 + random_upto(seed, size - 1);
		struct plan_vm vm = {
			.size_pages = size,
			.delta_pages = (int64_t)random_upto(seed, size) - (int64_t)size / 2,
			.reclaimable_pages = (int64_t)random_upto(seed, size) - (int64_t)size / 10,
			.min_pages = random_next(seed) % 2 == 0 ? 1 : min,
			.max_pages =
				random_next(seed) % 2 == 0 ? 0 : size + random_upto(seed, size),
		};
		if (random_next(seed) % 8 == 0) {
			vm.state = POISE_VM_UNMANAGED + random_next(seed) % 5;
		}
		if (random_next(seed) % 8 == 0) {
			vm.seen_pages = 1 + random_upto(seed, most_pages - 1);
			vm.actual_pages = vm.seen_pages;
		}
		vm.max_pages = vm.max_pages > config.pool_pages ? 0 : vm.max_pages;
		plan_put(p, i, &vm);
		if (!whole) {
			p->vm[i].forecast.delta_q16 += (int64_t)(random_next(seed) % 65536);
			p->vm[i].forecast.reclaimable_q16 += (int64_t)(random_next(seed) % 65536);
		}
	}
}

/*
 * Against the reference, with delta and R in whole pages: a donor gives its share or less than one
 * page below it, never above; so all together give less than one page a donor too little. With
 * fractions of pages, delta is rounded up and R down first, which makes it less than two more
 * pages a donor.
 */
static void paper_agrees_with_the_reference(void **state)
{
	static struct poise p;
	uint64_t seed = 21;
	(void)state;
	for (unsigned run = 0; run < PLAN_RUNS(100000); run++) {
		const uint32_t vms = 1 + (uint32_t)(random_next(&seed) % POISE_VM_MAX);
		struct reference ref;
		unsigned donors = 0;
		uint64_t shrunk = 0, grown = 0;
		random_pool(&p, &seed, vms, run % 2 == 0 ? 1000 : 1000000, true);
		plan_make(&p);
		reference_make(&ref, &p);
		for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
			const struct poise_row *row = &p.plan.row[i];
			const double take = (double)poise_over(row->size_pages, row->goal_pages);
			assert_true(take <= ref.give[i] + 0.001);
			assert_true(take > ref.give[i] - 1.001);
			donors += ref.give[i] > 0;
			shrunk += poise_over(row->size_pages, row->goal_pages);
			grown += poise_over(row->goal_pages, row->size_pages);
		}
		assert_int_equal(shrunk, grown);
		for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
			const struct poise_row *row = &p.plan.row[i];
			const double give = (double)poise_over(row->goal_pages, row->size_pages);
			assert_true(give <= ref.get[i] + 0.001);
			assert_true(give >= ref.get[i] - donors - 0.001);
		}
	}
}

static void paper_agrees_with_the_reference_in_fractions_of_pages(void **state)
{
	static struct poise p;
	uint64_t seed = 22;
	(void)state;
	for (unsigned run = 0; run < PLAN_RUNS(100000); run++) {
		/* One that is in need by pages and asks for more than there is: all branches of
		 * rounding, and each donor gives what it has. */
		struct reference ref;
		const struct plan_vm needy = {.size_pages = 5, .delta_pages = 1000000000};
		random_pool(&p, &seed, POISE_VM_MAX, 1000000, false);
		p.config.pool_pages = POISE_PAGES_MAX;
		plan_put(&p, 0, &needy);
		p.free_pages = (int64_t)p.config.pool_pages;
		for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
			p.free_pages -= (int64_t)poise_vm_charge(&p.vm[i]);
		}
		plan_make(&p);
		reference_make(&ref, &p);
		for (uint32_t i = 1; i < POISE_VM_MAX; i++) {
			const struct poise_row *row = &p.plan.row[i];
			const double take = (double)poise_over(row->size_pages, row->goal_pages);
			assert_true(take <= ref.give[i] + 0.001);
			assert_true(take > ref.give[i] - 2.001);
		}
	}
}

/* Everything at the ends of its range: what plan_make asserts of every plan still holds. */
static void paper_plan_of_extreme_numbers_keeps_the_invariants(void **state)
{
	static struct poise p;
	uint64_t seed = 23;
	(void)state;
	for (unsigned run = 0; run < PLAN_RUNS(100000); run++) {
		const struct poise_config config = {
			.pool_pages = 1 + random_upto(&seed, POISE_PAGES_MAX - 1),
			.policy = POISE_POLICY_PAPER};
		plan_start(&p, &config);
		for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
			struct plan_vm vm = {
				.size_pages = 1 + random_upto(&seed, POISE_PAGES_MAX - 1),
				.seen_pages = random_upto(&seed, POISE_PAGES_MAX),
				.actual_pages = random_upto(&seed, POISE_PAGES_MAX),
				.delta_pages = (int64_t)random_upto(&seed, UINT64_C(1) << 35) -
					       (INT64_C(1) << 34),
				.reclaimable_pages = (int64_t)random_upto(&seed, POISE_PAGES_MAX) -
						     (INT64_C(1) << 31),
				.max_pages = 1 + random_upto(&seed, config.pool_pages - 1),
				.unsent = random_next(&seed) % 8 == 0,
			};
			vm.min_pages = 1 + random_upto(&seed, vm.max_pages - 1);
			plan_put(&p, i, &vm);
		}
		plan_make(&p);
	}
}

int main(void)
{
	static const struct CMUnitTest one[] = {
		cmocka_unit_test(paper_agrees_with_the_reference),
		cmocka_unit_test(paper_agrees_with_the_reference_in_fractions_of_pages),
		cmocka_unit_test(paper_plan_of_extreme_numbers_keeps_the_invariants),
	};
	static const struct CMUnitTest many[] = {
		cmocka_unit_test(paper_plans_the_worked_example_as_published),
		cmocka_unit_test(paper_needy_and_donors_are_those_of_the_equations),
		cmocka_unit_test(paper_keeps_limits_and_leaves_out_who_takes_no_part),
		cmocka_unit_test(paper_rounds_against_shrinking),
	};
	const int failed = cmocka_run_group_tests(one, NULL, NULL);
	return failed + (POISE_VM_MAX >= ROW_VMS ? cmocka_run_group_tests(many, NULL, NULL) : 0);
}
