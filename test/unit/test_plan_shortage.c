/* SPDX-License-Identifier: MIT */
/* Policy `poise` when there is not enough: who bears it, how fast, and what liars get. */
#include "plan_support.h"

static const struct poise_config plain = {.pool_pages = 10000};

static void poise_in_a_shortage_each_gets_its_entitlement_by_weight(void **state)
{
	static const struct plan_case cases[] = {
		/* 4000 - 2 pages by 3 : 1 above a page each */
		{"entitlements go by weight",
		 4000,
		 SOFT,
		 {VM(2000, 1000, 0, .weight = 300), VM(2000, 1000, 0)},
		 {2999, 1000}},
		/* 3000 by 3 : 1 above 500 each */
		{"above the reservations entitlements go by weight",
		 4000,
		 SOFT,
		 {VM(2000, 1000, 0, .weight = 300, .min_pages = 500),
		  VM(2000, 1000, 0, .min_pages = 500)},
		 {2750, 1250}},
		/* A would get 2999, but wants 2200: B has the rest */
		{"nobody more than it wants",
		 4000,
		 SOFT,
		 {VM(2000, 200, 0, .weight = 300), VM(2000, 1000, 0)},
		 {2200, 1800}},
		{"a donor gives what it can spare, the rest is shared",
		 6000,
		 SOFT,
		 {VM(2000, 1000, 0), VM(2000, 1000, 0), VM(2000, 0, 500)},
		 {2250, 2250, 1500}},
		{"the floor is not shared",
		 4000,
		 SOFT,
		 {VM(2000, 1000, 0, .weight = 300), VM(2000, 1000, 0, .floor_pages = 1800)},
		 {2200, 1800}},
		{"without rule FAIR what somebody has and needs is not touched",
		 4000,
		 SOFT | OFF(FAIR),
		 {VM(3000, 1000, 0), VM(500, 1000, 0), VM(500, 0, 100)},
		 {3050, 550, 400}},
		{"with rule FAIR all is shared by weight",
		 4000,
		 SOFT,
		 {VM(3000, 1000, 0), VM(500, 1000, 0), VM(500, 0, 100)},
		 {2100, 1500, 400}},
		{"the limit bounds a share",
		 4000,
		 SOFT,
		 {VM(2000, 1000, 0, .max_pages = 2000), VM(1000, 4000, 0, .weight = 1),
		  VM(1000, 4000, 0, .weight = 1)},
		 {2000, 1000, 1000}},
	};
	(void)state;
	plan_run_all(&plain, cases, ARRAY_SIZE(cases));
}

/* Rules TIGHT, CLAIM and GENTLE, which decide who bears a shortage and how fast. */
static void poise_in_a_shortage_what_a_vm_wants_is_reclaimed_little_by_little(void **state)
{
	static const struct plan_case cases[] = {
		/* Both lack 200 with headroom, nothing without: 4000 / 2 each. */
		{"headroom is no reason to shrink one in need",
		 4000,
		 SOFT & ~OFF(TIGHT),
		 {VM(2000, 200, 0), VM(2000, 200, 0)},
		 {2000, 2000}},
		/* A needs 2300 = 2500 - 200, B 1600 = 2000 - 200 - 200; the 100 left go evenly. */
		{"what is available beyond the headroom is a reason to shrink its VM",
		 4000,
		 SOFT & ~OFF(TIGHT),
		 {VM(2000, 500, 0), VM(2000, 0, 0, .available_pages = 200)},
		 {2350, 1650}},
		/* A needs 2800, B 1800, each is entitled to 2000: B keeps 1800, A has the rest. */
		{"nobody pays below what it needs and is entitled to",
		 4000,
		 SOFT & ~OFF(TIGHT),
		 {VM(2000, 1000, 0), VM(2000, 0, 0)},
		 {2200, 1800}},
		/* Entitled to 2000 of 6000 each. C needs 1000; what B reads back is no claim to the
		   rest. */
		{"beyond its entitlement reading back is no claim",
		 6000,
		 SOFT & ~OFF(CLAIM),
		 {VM(2000, 3000, 0), VM(2000, 0, 0, .refault_pages = 2000), VM(2000, 0, 1000)},
		 {3000, 2000, 1000}},
		{"up to its entitlement reading back is a claim",
		 4000,
		 SOFT & ~OFF(CLAIM),
		 {VM(2500, 3000, 0), VM(1500, 0, 0, .refault_pages = 300)},
		 {2200, 1800}},
		{"reading back claims no more than the entitlement",
		 4000,
		 SOFT & ~OFF(CLAIM),
		 {VM(2500, 3000, 0), VM(1500, 0, 0, .refault_pages = 1500)},
		 {2000, 2000}},
		/* B has 100 more than its share: a 64th goes. */
		{"what is needed goes by a 64th a second",
		 4000,
		 SOFT & ~OFF(GENTLE),
		 {VM(1900, 3000, 0), VM(2100, 3000, 0)},
		 {1901, 2099}},
		/* of B's 200 pages above its share 100 are idle: 100 + 100 / 64 */
		{"what is idle goes at once",
		 4000,
		 SOFT & ~OFF(GENTLE),
		 {VM(1800, 5000, 0), VM(2200, 0, 100)},
		 {1901, 2099}},
		/* A lacks more than an eighth of the 2000 that it is entitled to */
		{"what another lacks much of its entitlement goes at once",
		 4000,
		 SOFT & ~OFF(GENTLE),
		 {VM(1700, 3000, 0), VM(2300, 3000, 0)},
		 {2000, 2000}},
		/* B has 48 more than its share, and A asks for its 48 urgently: 24, and what is
		 * rounded up; a 64th of the rest is less than a page */
		{"half of what an urgent one is to get goes at once",
		 4000,
		 SOFT & ~OFF(GENTLE),
		 {VM(1952, 3000, 0, .urgent = 1), VM(2048, 3000, 0)},
		 {1977, 2023}},
		{"what a VM needs to start goes at once",
		 4000,
		 SOFT & ~OFF(GENTLE),
		 {VM(1900, 0, 0, .state = POISE_VM_UNMANAGED, .boot_pages = 2000),
		  VM(2100, 3000, 0)},
		 {2000, 2000}},
		/* A debt of 1000: half of it each */
		{"a debt is repaid at once, not little by little",
		 3000,
		 SOFT & ~OFF(GENTLE) & ~OFF(DEAD_BAND),
		 {VM(2000, 1000, 0), VM(2000, 1000, 0)},
		 {1500, 1500}},
		/* A is to get 20, B to lose them: 1 % */
		{"a trifle is left alone",
		 4500,
		 SOFT & ~OFF(DEAD_BAND),
		 {VM(1980, 3000, 0), VM(2020, 3000, 0), VM(500, 0, 0)},
		 {1980, 2020, 500}},
		{"a trifle that one lacks of its entitlement is moved",
		 4000,
		 SOFT & ~OFF(DEAD_BAND),
		 {VM(1980, 3000, 0), VM(2020, 3000, 0)},
		 {2000, 2000}},
		/* 1 + 1 reclaimed; A and B lack 100 each, C and D have 100 too much each. */
		{"who waits gets the same part, in whatever slot",
		 8000,
		 SOFT & ~OFF(GENTLE),
		 {VM(1900, 3000, 0), VM(1900, 3000, 0), VM(2100, 3000, 0), VM(2100, 3000, 0)},
		 {1901, 1901, 2099, 2099}},
	};
	(void)state;
	plan_run_all(&plain, cases, ARRAY_SIZE(cases));
}

/* 5000 for A, B and C, whose 500 are all it needs: 2250 each for A and B, or 1666 each if C needs
 * more. */
static void poise_in_a_shortage_no_small_reversals_are_made(void **state)
{
	static const struct plan_case cases[] = {
		/* 32 % up and 19 % down, both back where they came from */
		{"who is near its goal stays there",
		 5000,
		 SOFT & ~OFF(DEAD_BAND),
		 {VM(1700, 5000, 0), VM(2800, 5000, 0, .last_direction = 1), VM(500, 0, 0)},
		 {1700, 2800, 500}},
		{"who is near its goal shrinks if another falls short at a tick",
		 5000,
		 SOFT & ~OFF(DEAD_BAND),
		 {VM(1700, 5000, 0, .last_direction = 1), VM(2800, 5000, 0, .last_direction = 1),
		  VM(500, 0, 0)},
		 {2250, 2250, 500}},
		{"who is near its goal shrinks for an urgent one that lacks little",
		 5000,
		 SOFT & ~OFF(DEAD_BAND),
		 {VM(2220, 5000, 0, .last_direction = 1, .urgent = 1),
		  VM(2280, 5000, 0, .last_direction = 1), VM(500, 0, 0)},
		 {2250, 2250, 500}},
		{"who is near its goal does not shrink early for one that is not urgent",
		 5000,
		 SOFT & ~OFF(DEAD_BAND),
		 {VM(2220, 5000, 0, .last_direction = 1), VM(2280, 5000, 0, .last_direction = 1),
		  VM(500, 0, 0)},
		 {2220, 2280, 500}},
		{"who is near its goal grows if it lacks its entitlement",
		 4998,
		 SOFT & ~OFF(DEAD_BAND),
		 {VM(1400, 5000, 0), VM(2600, 5000, 0, .last_direction = 1), VM(998, 5000, 0)},
		 {1666, 1666, 1666}},
	};
	static struct poise p;
	(void)state;
	plan_run_all(&plain, cases, ARRAY_SIZE(cases));
	/* Between two ticks who is near its goal stays there in any case. */
	plan_run(&p, &plain, &cases[1]);
	plan_early = 1;
	const struct poise_plan_input in = plan_input(&p);
	poise_plan_make(&in, &p.plan);
	assert_int_equal(p.plan.row[0].goal_pages, 1700);
	assert_int_equal(p.plan.row[1].goal_pages, 2800);
}

/* Between ticks those who are near their goals give to one that calls for its entitlement, 1666
 * pages, and to nobody else. */
static void poise_in_a_shortage_who_calls_for_its_entitlement_gets_it_between_ticks(void **state)
{
	static const struct {
		uint32_t urgent;
		uint64_t size, goal;
	} rows[] = {{0, 1665, 1665}, {1, 1665, 2250}, {1, 1666, 1666}};
	static struct poise p;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const uint64_t others = 4500 - rows[i].size;
		const struct plan_case row = {"due",
					      5000,
					      SOFT & ~OFF(DEAD_BAND),
					      {VM(rows[i].size, 5000, 0, .urgent = rows[i].urgent),
					       VM(others, 5000, 0, .last_direction = 1),
					       VM(500, 0, 0)},
					      {2250, 2250, 500}};
		plan_run(&p, &plain, &row); /* At a tick all do. */
		plan_early = 1;
		const struct poise_plan_input in = plan_input(&p);
		poise_plan_make(&in, &p.plan);
		assert_int_equal(p.plan.row[0].goal_pages, rows[i].goal);
		assert_int_equal(p.plan.row[1].goal_pages, 4500 - rows[i].goal);
	}
}

static void poise_a_debt_is_repaid_at_once_within_reservations_and_slew(void **state)
{
	static const struct plan_case cases[] = {
		{"a debt is repaid by donors",
		 3600,
		 SOFT,
		 {VM(2000, 0, 400), VM(2000, 0, 100)},
		 {1680, 1920}},
		{"a debt is repaid by all that donors can spare",
		 3500,
		 SOFT,
		 {VM(2000, 0, 400), VM(2000, 0, 100)},
		 {1600, 1900}},
		{"what donors cannot repay is repaid by those above their entitlement",
		 3000,
		 SOFT,
		 {VM(2000, 0, 400), VM(2000, 0, 100)},
		 {1500, 1500}},
		{"while there is a debt a needy one gets nothing",
		 3900,
		 SOFT,
		 {VM(2000, 500, 0, .weight = 1), VM(2000, 0, 60)},
		 {1960, 1940}},
		{"nobody repays below its reservation, even if a debt stays",
		 3500,
		 SOFT,
		 {VM(2000, 0, 400, .min_pages = 1800), VM(2000, 0, 100, .min_pages = 1800)},
		 {1800, 1800}},
		{"nobody repays by more than the slew limit",
		 2000,
		 SOFT & ~OFF(SLEW),
		 {VM(2000, 0, 0), VM(2000, 0, 0)},
		 {1000, 1000}},
		{"nobody repays by more than the slew limit, however large the debt",
		 100,
		 SOFT & ~OFF(SLEW),
		 {VM(2000, 0, 0, .max_pages = 2000), VM(2000, 0, 0, .max_pages = 2000)},
		 {1000, 1000}},
	};
	const struct poise_config config = {.pool_pages = 10000, .slew_permille = 500};
	(void)state;
	plan_run_all(&config, cases, ARRAY_SIZE(cases));
}

/* A liar that says it needs everything, for ever. Pool 10,000, equal weights, 100 reserved each. */
static void poise_F19_greedy_liar_gets_its_weighted_share_at_most(void **state)
{
	static const struct plan_case cases[] = {
		{"a liar may have what is idle",
		 10000,
		 SOFT,
		 {VM(5000, 9000, 0, .min_pages = 100), VM(5000, 0, 4000, .min_pages = 100)},
		 {9000, 1000}},
		{"beside a liar an honest one in need gets what it needs",
		 10000,
		 SOFT,
		 {VM(9000, 9000, 0, .min_pages = 100), VM(1000, 500, 0, .min_pages = 100)},
		 {8500, 1500}},
		{"an honest one gets up to its entitlement, and the liar returns to its own",
		 10000,
		 SOFT,
		 {VM(9000, 9000, 0, .min_pages = 100), VM(1000, 6000, 0, .min_pages = 100)},
		 {5000, 5000}},
		/* 9800 by 3 : 1 */
		{"beside a liar entitlements go by weight",
		 10000,
		 SOFT,
		 {VM(9000, 9000, 0, .min_pages = 100),
		  VM(1000, 9000, 0, .min_pages = 100, .weight = 300)},
		 {2550, 7450}},
		{"a floor to the sky buys no share",
		 10000,
		 SOFT,
		 {VM(9000, 9000, 0, .min_pages = 100, .floor_pages = 9000, .boot_pages = 2000),
		  VM(1000, 9000, 0, .min_pages = 100, .boot_pages = 2000)},
		 {5000, 5000}},
		{"crying for help buys no share",
		 10000,
		 SOFT,
		 {VM(9000, 9000, 0, .min_pages = 100, .urgent = 1, .refault_pages = 9000),
		  VM(1000, 6000, 0, .min_pages = 100)},
		 {5000, 5000}},
	};
	(void)state;
	plan_run_all(&plain, cases, ARRAY_SIZE(cases));
}

static void poise_F22_colluding_liars_leave_the_honest_one_its_share(void **state)
{
	/* 8000 pages, 100 reserved each: 7600/4 + 100 = 2000 each. */
	static const struct plan_case cases[] = {
		{"an honest one that needs its share among colluding liars gets it",
		 8000,
		 SOFT,
		 {VM(2500, 9000, 0, .min_pages = 100), VM(2500, 9000, -2000, .min_pages = 100),
		  VM(500, 1500, 0, .min_pages = 100), VM(2500, 9000, 0, .min_pages = 100)},
		 {2000, 2000, 2000, 2000}},
		{"an honest one that needs more than its share gets its share",
		 8000,
		 SOFT,
		 {VM(2500, 9000, 0, .min_pages = 100), VM(2500, 9000, -2000, .min_pages = 100),
		  VM(500, 5000, 0, .min_pages = 100), VM(2500, 9000, 0, .min_pages = 100)},
		 {2000, 2000, 2000, 2000}},
		/* 1400 for the honest one, 6600 for three */
		{"an honest one that needs less than its share gets what it needs",
		 8000,
		 SOFT,
		 {VM(2500, 9000, 0, .min_pages = 100), VM(2500, 9000, -2000, .min_pages = 100),
		  VM(500, 900, 0, .min_pages = 100), VM(2500, 9000, 0, .min_pages = 100)},
		 {2200, 2200, 1400, 2200}},
		{"its weight counts: 7600 by 1 : 1 : 5 : 1",
		 8000,
		 SOFT,
		 {VM(2500, 9000, 0, .min_pages = 100), VM(2500, 9000, -2000, .min_pages = 100),
		  VM(500, 9000, 0, .min_pages = 100, .weight = 500),
		  VM(2500, 9000, 0, .min_pages = 100)},
		 {1050, 1050, 4850, 1050}},
	};
	(void)state;
	plan_run_all(&plain, cases, ARRAY_SIZE(cases));
}

/* --- all at once, none, one, all --- */

/* Makes the plan come true: every balloon has moved. */
static void arrive(struct poise *p)
{
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		struct poise_vm *vm = &p->vm[i];
		const int64_t moved =
			(int64_t)p->plan.row[i].goal_pages - (int64_t)vm->target_pages;
		poise_ledger_set(p, vm, p->plan.row[i].goal_pages, p->plan.row[i].goal_pages);
		if (vm->state != POISE_VM_EMPTY) {
			vm->goal_pages = vm->target_pages;
			vm->forecast.size_pages = vm->target_pages;
			vm->forecast.reclaimable_q16 += moved * (1 << POISE_FRACTION_BITS);
		}
	}
}

/* Everybody needs everything: reservations, then weights; all of the pool, and it stays so. */
static void poise_F71_all_needy_at_once_share_all_by_reservation_and_weight(void **state)
{
	static struct poise p;
	uint64_t seed = 41;
	(void)state;
	for (unsigned run = 0; run < PLAN_RUNS(2000); run++) {
		const struct poise_config config = {.pool_pages = UINT64_C(1000) * POISE_VM_MAX,
						    .rules_off = SOFT};
		uint64_t min[POISE_VM_MAX], reserved = 0, weights = 0, sum = 0;
		plan_start(&p, &config);
		for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
			min[i] = 1 + random_next(&seed) % 900;
			struct plan_vm vm = {.size_pages = 1000,
					     .delta_pages = 100000000,
					     .weight = 1 + (uint32_t)(random_next(&seed) % 1000),
					     .min_pages = min[i]};
			plan_put(&p, i, &vm);
			reserved += min[i];
			weights += vm.weight;
		}
		plan_make(&p);
		for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
			const uint64_t part =
				(config.pool_pages - reserved) * p.vm[i].config.weight / weights;
			/* What rounding leaves goes on to the next. */
			assert_in_range(p.plan.row[i].goal_pages, min[i] + part,
					min[i] + part + POISE_VM_MAX);
			assert_int_equal(p.plan.row[i].rule,
					 POISE_VM_MAX == 1 ? POISE_RULE_BOUNDS : POISE_RULE_FAIR);
			sum += p.plan.row[i].goal_pages;
		}
		assert_in_range(sum, config.pool_pages - POISE_VM_MAX + 1, config.pool_pages);
		/* Once there, nobody moves any more. */
		const struct poise_plan first = p.plan;
		arrive(&p);
		plan_make(&p);
		for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
			assert_int_equal(p.plan.row[i].goal_pages, first.row[i].goal_pages);
		}
	}
}

/*
 * Any number of liars, who ask for more than there is and cry for help, and any number of honest
 * VMs: each VM gets what it wants or its weighted share above its reservation, whatever the others
 * say; and while an honest one lacks something, no liar has more by weight than it has. A page a VM
 * is lost by rounding, and in the second statement what POISE_FILL_ROUNDS may cost.
 */
static void poise_F19_F22_the_honest_keep_their_entitlement_whatever_liars_say(void **state)
{
	static struct poise p;
	uint64_t seed = 43;
	(void)state;
	for (unsigned run = 0; run < PLAN_RUNS(100000); run++) {
		const struct poise_config config = {.pool_pages = POISE_PAGES_MAX,
						    .rules_off = SOFT | OFF(FLOOR)};
		const uint32_t vms = 1 + (uint32_t)(random_next(&seed) % POISE_VM_MAX);
		const uint32_t liars = (uint32_t)(random_next(&seed) % vms);
		uint64_t pool = 0, base = 0, weights = 0;
		plan_start(&p, &config);
		for (uint32_t i = 0; i < vms; i++) {
			const int64_t size = 10 + (int64_t)(random_next(&seed) % 5000);
			const bool lies = i < liars;
			const struct plan_vm vm = {
				.size_pages = (uint64_t)size,
				.min_pages = 1 + random_next(&seed) % (uint64_t)size,
				.delta_pages = lies ? INT64_C(1) << 33
						    : (int64_t)(random_next(&seed) % 2000),
				.reclaimable_pages =
					lies ? -size : (int64_t)(random_next(&seed) % 2000),
				.refault_pages = lies ? (uint64_t)size : 0,
				.weight = 1 + (uint32_t)(random_next(&seed) % 500),
			};
			plan_put(&p, i, &vm);
			pool += vm.size_pages;
			weights += vm.weight;
		}
		p.config.pool_pages = pool;
		p.free_pages = 0;
		plan_make(&p);
		for (uint32_t i = 0; i < vms; i++) {
			base += poise_min(p.vm[i].config.min_pages,
					  p.plan.row[i].demand.desired_pages);
		}
		for (uint32_t i = 0; i < vms; i++) {
			const struct poise_row *row = &p.plan.row[i];
			const uint64_t own =
				poise_min(p.vm[i].config.min_pages, row->demand.desired_pages);
			const uint64_t share =
				own + (pool - base) * p.vm[i].config.weight / weights;
			assert_true(row->goal_pages + vms >=
				    poise_min(row->demand.desired_pages, share));
			if (i < liars || row->goal_pages + vms >= row->demand.desired_pages) {
				continue;
			}
			for (uint32_t liar = 0; liar < liars; liar++) {
				const struct poise_row *other = &p.plan.row[liar];
				const uint64_t theirs =
					poise_over(other->goal_pages, p.vm[liar].config.min_pages);
				const uint64_t mine = poise_over(row->goal_pages, own);
				assert_true(theirs * p.vm[i].config.weight <=
					    (mine + vms + pool / 100) * p.vm[liar].config.weight);
			}
		}
	}
}

int main(void)
{
	static const struct CMUnitTest one[] = {
		cmocka_unit_test(poise_F71_all_needy_at_once_share_all_by_reservation_and_weight),
		cmocka_unit_test(
			poise_F19_F22_the_honest_keep_their_entitlement_whatever_liars_say),
	};
	static const struct CMUnitTest many[] = {
		cmocka_unit_test(poise_in_a_shortage_each_gets_its_entitlement_by_weight),
		cmocka_unit_test(poise_in_a_shortage_what_a_vm_wants_is_reclaimed_little_by_little),
		cmocka_unit_test(poise_in_a_shortage_no_small_reversals_are_made),
		cmocka_unit_test(
			poise_in_a_shortage_who_calls_for_its_entitlement_gets_it_between_ticks),
		cmocka_unit_test(poise_a_debt_is_repaid_at_once_within_reservations_and_slew),
		cmocka_unit_test(poise_F19_greedy_liar_gets_its_weighted_share_at_most),
		cmocka_unit_test(poise_F22_colluding_liars_leave_the_honest_one_its_share),
	};
	const int failed = cmocka_run_group_tests(one, NULL, NULL);
	return failed +
	       (POISE_VM_MAX >= PLAN_ROW_VMS ? cmocka_run_group_tests(many, NULL, NULL) : 0);
}
