/* SPDX-License-Identifier: MIT */
/* Policy `poise` in any state: beside `paper`, within its limits, and whatever the slots. */
#include "plan_support.h"

/* --- poise and paper --- */

/* Makes the plan of the other policy for the same state. */
static void plan_as(struct poise *p, uint32_t policy, uint32_t rules_off)
{
	p->config.policy = policy;
	p->config.rules_off = rules_off;
	plan_make(p);
}

/*
 * With every rule off that can be, poise decides page for page as paper: any number of managed VMs
 * within their limits, one of them in need, balloons at rest, no free memory.
 */
static void neutral_poise_is_paper(void **state)
{
	static struct poise p;
	static struct poise_plan paper;
	uint64_t seed = 51;
	unsigned moved = 0;
	(void)state;
	for (unsigned run = 0; run < PLAN_RUNS(200000); run++) {
		const struct poise_config config = {.pool_pages = POISE_PAGES_MAX};
		const uint32_t vms = 1 + (uint32_t)(random_next(&seed) % POISE_VM_MAX);
		const uint32_t needy = (uint32_t)(random_next(&seed) % vms);
		const uint64_t most = run % 2 == 0 ? 1000 : POISE_PAGES_MAX / POISE_VM_MAX;
		uint64_t sum = 0;
		plan_start(&p, &config);
		for (uint32_t i = 0; i < vms; i++) {
			const uint64_t size = 1 + random_upto(&seed, most - 1);
			const int64_t r = (int64_t)random_upto(&seed, size) - (int64_t)size / 4;
			const int64_t d = (int64_t)random_upto(&seed, size) - (int64_t)size / 2;
			const struct plan_vm vm = {
				.size_pages = size,
				.reclaimable_pages = r,
				/* The others are donors, in balance, or needy for nothing. */
				.delta_pages = i == needy || d <= 0 || d <= r ? d : r,
				.min_pages = 1 + random_upto(&seed, size - 1),
				.max_pages = size + random_upto(&seed, size),
				.weight = 1 + (uint32_t)(random_next(&seed) % 65535),
				.refault_pages = random_upto(&seed, size),
				.floor_pages = random_upto(&seed, size),
				.backoff_end_ms = random_upto(&seed, 2 * PLAN_NOW_MS),
			};
			plan_put(&p, i, &vm);
			sum += size;
		}
		p.config.pool_pages = sum;
		p.free_pages = 0;
		plan_as(&p, POISE_POLICY_PAPER, 0);
		paper = p.plan;
		plan_as(&p, POISE_POLICY_POISE, POISE_RULES_NEUTRAL);
		for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
			assert_int_equal(p.plan.row[i].goal_pages, paper.row[i].goal_pages);
			moved += paper.row[i].goal_pages != paper.row[i].size_pages;
		}
	}
	/* The states were not all dull. */
	assert_true(POISE_VM_MAX == 1 || moved > PLAN_RUNS(200000) / 2);
}

/* Where neutral poise decides otherwise on purpose: every way, and the smallest case of it. */
static void neutral_poise_differs_from_paper_on_purpose(void **state)
{
	static const struct {
		const char *what;
		uint64_t pool_pages;
		struct plan_vm vm[PLAN_ROW_VMS];
		uint64_t paper[PLAN_ROW_VMS], poise[PLAN_ROW_VMS];
	} rows[] = {
		{"free memory goes before donors",
		 4300,
		 {VM(2000, 300, 0), VM(2000, 0, 900)},
		 {2300, 1700},
		 {2300, 2000}},
		{"several needy share by weight, not by slot",
		 6000,
		 {VM(2000, 600, 0), VM(2000, 600, 0, .weight = 300), VM(2000, 0, 800)},
		 {2600, 2200, 1200},
		 {2200, 2600, 1200}},
		{"a debt is repaid",
		 3800,
		 {VM(2000, 0, 400), VM(2000, 0, 100)},
		 {2000, 2000},
		 {1840, 1960}},
		{"stale goes towards its boot size",
		 4000,
		 {VM(2000, 300, 0), VM(2000, 0, 900, .state = POISE_VM_STALE, .boot_pages = 1300)},
		 {2000, 2000},
		 {2100, 1900}},
		{"unmanaged gets its boot size",
		 4000,
		 {VM(2500, 0, 900),
		  VM(1000, 0, 0, .state = POISE_VM_UNMANAGED, .boot_pages = 1500)},
		 {2500, 1000},
		 {2500, 1500}},
		{"quarantined goes to its boot size",
		 4000,
		 {VM(2000, 300, 0),
		  VM(2000, 0, 900, .state = POISE_VM_QUARANTINED, .boot_pages = 1500)},
		 {2000, 2000},
		 {2300, 1700}},
		{"configured static goes to its boot size",
		 4000,
		 {VM(2000, 300, 0), VM(2000, 0, 0, .flags = POISE_VM_STATIC, .boot_pages = 1500)},
		 {2000, 2000},
		 {2300, 1700}},
		{"below its reservation it grows",
		 4000,
		 {VM(1000, 0, 500, .min_pages = 1500, .boot_pages = 1500), VM(2000, 0, 0)},
		 {1000, 2000},
		 {1500, 2000}},
		{"above its limit it shrinks",
		 4000,
		 {VM(2000, 300, 0), VM(2000, 0, 0, .max_pages = 1500)},
		 {2000, 2000},
		 {2300, 1500}},
	};
	const struct poise_config config = {.pool_pages = POISE_PAGES_MAX};
	static struct poise p;
	(void)state;
	for (size_t r = 0; r < ARRAY_SIZE(rows); r++) {
		const struct plan_case paper = {.what = rows[r].what,
						.pool_pages = rows[r].pool_pages};
		struct poise_config with = config;
		for (unsigned policy = 0; policy < 2; policy++) {
			struct plan_case c = paper;
			const uint64_t *goal = policy == 0 ? rows[r].paper : rows[r].poise;
			with.policy = policy == 0 ? POISE_POLICY_PAPER : POISE_POLICY_POISE;
			c.rules_off = POISE_RULES_NEUTRAL;
			memcpy(c.vm, rows[r].vm, sizeof(c.vm));
			memcpy(c.goal, goal, sizeof(c.goal));
			plan_run(&p, &with, &c);
		}
	}
}

/* --- any state --- */

/* A state that no run may reach, but that the plan has to survive. */
static void random_state(struct poise *p, uint64_t *seed)
{
	const bool small = random_next(seed) % 2 == 0;
	const uint64_t most = small ? 2000 : POISE_PAGES_MAX / POISE_VM_MAX;
	const uint32_t vms = (uint32_t)(random_next(seed) % (POISE_VM_MAX + 1));
	const struct poise_config config = {
		.pool_pages = 1 + random_upto(seed, most * POISE_VM_MAX - 1),
		.rules_off = random_next(seed) % 2 == 0
				     ? 0
				     : (uint32_t)random_next(seed) & POISE_RULES_NEUTRAL,
		.interval_ms = 10 + (uint32_t)random_upto(seed, 59990),
		.reserve_permille = (uint32_t)random_upto(seed, 500),
		.urgent_permille = (uint32_t)random_upto(seed, 500),
		.slew_permille = (uint32_t)random_upto(seed, 1000),
		.idle_tax_permille = (uint32_t)random_upto(seed, 1000),
		.dead_band_permille = (uint32_t)random_upto(seed, 500),
	};
	plan_start(p, &config);
	plan_elapsed_ms = random_upto(seed, 2 * (uint64_t)config.interval_ms);
	plan_early = (uint32_t)random_upto(seed, 1);
	for (uint32_t i = 0; i < vms; i++) {
		const uint64_t size = 1 + random_upto(seed, most - 1);
		struct plan_vm vm = {
			.size_pages = size,
			.delta_pages = (int64_t)random_upto(seed, 2 * size) - (int64_t)size,
			.reclaimable_pages = (int64_t)random_upto(seed, size) - (int64_t)size / 2,
			.max_pages = 1 + random_upto(seed, config.pool_pages - 1),
			.floor_pages = random_upto(seed, 2 * size),
			.seen_pages = random_next(seed) % 4 == 0 ? random_upto(seed, size) : 0,
			.actual_pages = random_next(seed) % 4 == 0 ? random_upto(seed, most) : 0,
			.refault_pages = random_next(seed) % 4 == 0 ? random_upto(seed, size) : 0,
			.backoff_end_ms = random_next(seed) % 4 == 0 ? PLAN_NOW_MS + 1 : 0,
			.weight = 1 + (uint32_t)(random_next(seed) % 65535),
			.state = random_next(seed) % 4 != 0
					 ? POISE_VM_MANAGED
					 : (uint32_t)(POISE_VM_UNMANAGED + random_next(seed) % 5),
			.flags = random_next(seed) % 8 == 0 ? POISE_VM_STATIC : 0,
			.urgent = random_next(seed) % 16 == 0,
			.unsent = random_next(seed) % 16 == 0,
		};
		vm.boot_pages = 1 + random_upto(seed, vm.max_pages - 1);
		vm.min_pages = 1 + random_upto(seed, vm.boot_pages - 1);
		plan_put(p, i, &vm);
	}
}

static void check_row(const struct poise *p, uint32_t i)
{
	const struct poise_vm *vm = &p->vm[i];
	const struct poise_row *row = &p->plan.row[i];
	const bool off = (p->config.rules_off & OFF(BACK_OFF)) != 0;
	if (row->goal_pages < row->size_pages) {
		assert_true(row->goal_pages >= row->demand.lower_pages);
	} else if (row->goal_pages > row->size_pages) {
		assert_true(row->goal_pages <= row->demand.upper_pages);
		/* One that grows grows no further than it wants, or is owed. */
		assert_true(row->goal_pages <=
			    poise_max(row->demand.desired_pages, row->demand.own_pages));
	}
	if (vm->state == POISE_VM_FROZEN || vm->unsent != 0 ||
	    (!off && p->now_ms < vm->backoff_end_ms)) {
		assert_int_equal(row->goal_pages, row->size_pages);
	} else if (vm->state == POISE_VM_UNMANAGED && row->size_pages <= vm->config.max_pages) {
		assert_true(row->goal_pages >= poise_min(row->size_pages, vm->config.boot_pages));
	}
	if ((p->config.rules_off & OFF(FLOOR)) == 0 && row->goal_pages < row->size_pages) {
		assert_true(row->goal_pages >=
			    poise_min(poise_min(vm->last.body.floor_pages, vm->config.boot_pages),
				      vm->config.max_pages));
	}
}

/* What plan_make asserts of any plan, the limits of each row, and that plenty is used. */
static void poise_plan_of_any_state_keeps_limits_and_uses_plenty(void **state)
{
	static struct poise p;
	uint64_t seed = 61;
	(void)state;
	for (unsigned run = 0; run < PLAN_RUNS(1000000); run++) {
		uint64_t lacking = 0, spare = 0, given = 0, wanted = 0;
		random_state(&p, &seed);
		plan_make(&p);
		for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
			const struct poise_row *row = &p.plan.row[i];
			check_row(&p, i);
			lacking += poise_over(row->demand.desired_pages, row->size_pages);
			spare += poise_over(row->size_pages, row->demand.desired_pages);
			given += poise_over(row->goal_pages, row->size_pages);
			wanted += row->demand.desired_pages > row->size_pages;
		}
		if ((int64_t)lacking - p.plan.available_pages <= (int64_t)spare) {
			/* Enough for all: everybody has what it wants, but for the donors'
			 * rounding. */
			assert_in_range(lacking - given, 0, wanted == 0 ? 0 : POISE_VM_MAX);
		}
	}
}

/*
 * A VM's slot does not matter: the same VMs in other slots get the same, but for the rounding of
 * the donors (the needy in the last slots bear it). Where shrinking is held back by the slew limit
 * or by a floor, or a debt is open, what can be given goes by slot: those are left out here.
 */
static void poise_slots_do_not_matter(void **state)
{
	static struct poise p, q;
	uint64_t seed = 71;
	(void)state;
	for (unsigned run = 0; run < PLAN_RUNS(200000); run++) {
		uint32_t slot[POISE_VM_MAX];
		uint64_t sum = 0;
		const struct poise_config config = {.pool_pages = POISE_PAGES_MAX,
						    .rules_off = OFF(SLEW) | OFF(FLOOR)};
		plan_start(&p, &config);
		plan_start(&q, &config);
		for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
			/* Fisher and Yates, inside out */
			const uint32_t j = (uint32_t)(random_next(&seed) % (i + 1));
			slot[i] = slot[j];
			slot[j] = i;
		}
		for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
			const uint64_t size = 1 + random_upto(&seed, 1999);
			const uint64_t min = 1 + random_upto(&seed, size - 1);
			const struct plan_vm vm = {
				.size_pages = size,
				.min_pages = min,
				.boot_pages = min + random_upto(&seed, size - min),
				.max_pages = size + random_upto(&seed, size),
				.delta_pages =
					(int64_t)random_upto(&seed, size) - (int64_t)size / 2,
				.reclaimable_pages =
					(int64_t)random_upto(&seed, size) - (int64_t)size / 4,
				.refault_pages = random_upto(&seed, size / 8),
				.floor_pages = random_upto(&seed, size),
				.weight = 1 + (uint32_t)(random_next(&seed) % 1000),
			};
			plan_put(&p, i, &vm);
			plan_put(&q, slot[i], &vm);
			sum += size;
		}
		/* The reserve is there, so that there is no debt. */
		p.config.pool_pages = q.config.pool_pages =
			sum + sum / 10 + random_upto(&seed, sum);
		p.free_pages = q.free_pages = (int64_t)(p.config.pool_pages - sum);
		plan_make(&p);
		plan_make(&q);
		for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
			const struct poise_row *a = &p.plan.row[i];
			const struct poise_row *b = &q.plan.row[slot[i]];
			const uint64_t apart = poise_over(a->goal_pages, b->goal_pages) +
					       poise_over(b->goal_pages, a->goal_pages);
			assert_in_range(apart, 0, a->goal_pages < a->size_pages ? 0 : POISE_VM_MAX);
		}
	}
}

int main(void)
{
	static const struct CMUnitTest one[] = {
		cmocka_unit_test(neutral_poise_is_paper),
		cmocka_unit_test(poise_plan_of_any_state_keeps_limits_and_uses_plenty),
		cmocka_unit_test(poise_slots_do_not_matter),
	};
	static const struct CMUnitTest many[] = {
		cmocka_unit_test(neutral_poise_differs_from_paper_on_purpose),
	};
	const int failed = cmocka_run_group_tests(one, NULL, NULL);
	return failed +
	       (POISE_VM_MAX >= PLAN_ROW_VMS ? cmocka_run_group_tests(many, NULL, NULL) : 0);
}
