/* SPDX-License-Identifier: MIT */
/* The rules of policy `poise`, each one alone: a VM, its demand before, its demand after. */
#include "plan_support.h"
#include "rules.h"

typedef void (*rule_function)(const struct poise_plan_input *in, const struct poise_vm *vm,
			      struct poise_demand *d);

/* A VM, what earlier rules made of its demand, and what the rule makes of it. The pool has 10,000
 * pages. Zeros in `desired` to `own` before the rule mean: as a plan starts. */
struct rule_case {
	struct plan_vm vm;
	struct {
		uint64_t desired, lower, upper, own;
	} before, after;
	uint32_t rule;       /* that shapes what is desired */
	uint32_t lower_rule; /* that says how far it may shrink; NONE: the reservation */
};

static void run_rule(rule_function rule, const struct poise_config *config, uint64_t elapsed_ms,
		     const struct rule_case *cases, size_t count)
{
	static struct poise p;
	for (size_t i = 0; i < count; i++) {
		const struct rule_case *c = &cases[i];
		plan_start(&p, config);
		plan_elapsed_ms = elapsed_ms;
		plan_put(&p, 0, &c->vm);
		const struct poise_plan_input in = plan_input(&p);
		const struct poise_vm *vm = &p.vm[0];
		struct poise_demand d = {
			.desired_pages =
				c->before.desired == 0 ? vm->target_pages : c->before.desired,
			.lower_pages =
				c->before.lower == 0 ? vm->config.min_pages : c->before.lower,
			.upper_pages =
				c->before.upper == 0 ? vm->config.max_pages : c->before.upper,
			.own_pages = c->before.own == 0 ? vm->config.min_pages : c->before.own,
			.lower_rule = POISE_RULE_BOUNDS,
		};
		const uint32_t lower_rule =
			c->lower_rule == POISE_RULE_NONE ? POISE_RULE_BOUNDS : c->lower_rule;
		rule(&in, vm, &d);
		if (d.desired_pages != c->after.desired || d.lower_pages != c->after.lower ||
		    d.upper_pages != c->after.upper || d.own_pages != c->after.own ||
		    d.rule != c->rule || d.lower_rule != lower_rule) {
			print_error("case %u: %llu, %llu, %llu, %llu, rules %u, %u\n", (unsigned)i,
				    (unsigned long long)d.desired_pages,
				    (unsigned long long)d.lower_pages,
				    (unsigned long long)d.upper_pages,
				    (unsigned long long)d.own_pages, (unsigned)d.rule,
				    (unsigned)d.lower_rule);
			fail();
		}
		assert_int_equal(d.has_floor, lower_rule == POISE_RULE_FLOOR);
	}
}

static const struct poise_config plain = {.pool_pages = 10000};

static void hold_as_frozen(const struct poise_plan_input *in, const struct poise_vm *vm,
			   struct poise_demand *d)
{
	(void)in;
	poise_demand_hold(d, vm, POISE_RULE_FROZEN);
}

static void rule_frozen_holds_the_vm_where_it_is(void **state)
{
	static const struct rule_case cases[] = {
		{VM(1000, 0, 0), {0}, {1000, 1000, 1000, 1000}, POISE_RULE_FROZEN, 0},
		{VM(1000, 0, 0),
		 {1500, 1, 2000, 700},
		 {1000, 1000, 1000, 1000},
		 POISE_RULE_FROZEN,
		 0},
	};
	(void)state;
	run_rule(hold_as_frozen, &plain, 1000, cases, ARRAY_SIZE(cases));
}

static void rule_static_gives_the_boot_size_and_what_is_beyond_goes_by_eighths(void **state)
{
	static const struct rule_case cases[] = {
		/* Does not report: grows to its boot size, and that much is its own. */
		{VM(1000, 0, 0, .boot_pages = 1500, .state = POISE_VM_UNMANAGED),
		 {0},
		 {1500, 1, 10000, 1500},
		 POISE_RULE_STATIC,
		 0},
		/* Beyond it an eighth goes: 2000 - 500 / 8. */
		{VM(2000, 0, 0, .boot_pages = 1500, .state = POISE_VM_UNMANAGED),
		 {0},
		 {1938, 1, 10000, 1500},
		 POISE_RULE_STATIC,
		 0},
		/* Has a balloon, but is not believed: the boot size from both sides. */
		{VM(2000, 0, 0, .boot_pages = 1500, .state = POISE_VM_QUARANTINED),
		 {0},
		 {1500, 1, 10000, 1},
		 POISE_RULE_STATIC,
		 0},
		{VM(1000, 0, 0, .boot_pages = 1500, .state = POISE_VM_QUARANTINED),
		 {0},
		 {1500, 1, 10000, 1},
		 POISE_RULE_STATIC,
		 0},
		{VM(2000, 0, 0, .boot_pages = 1500, .flags = POISE_VM_STATIC),
		 {0},
		 {1500, 1, 10000, 1},
		 POISE_RULE_STATIC,
		 0},
	};
	(void)state;
	run_rule(poise_rule_static, &plain, 1000, cases, ARRAY_SIZE(cases));
}

static void rule_stale_goes_to_the_boot_size_in_equal_steps(void **state)
{
	/* The last sample is 3,000 ms old; after 10,000 it will be frozen: seven steps are left. */
	static const struct rule_case cases[] = {
		{VM(1000, 0, 0, .boot_pages = 1700),
		 {0},
		 {1100, 1, 10000, 1100},
		 POISE_RULE_STALE,
		 0},
		{VM(1700, 0, 0, .boot_pages = 1000),
		 {0},
		 {1600, 1, 10000, 1600},
		 POISE_RULE_STALE,
		 0},
		{VM(1000, 0, 0, .boot_pages = 1000),
		 {0},
		 {1000, 1, 10000, 1000},
		 POISE_RULE_STALE,
		 0},
		/* A seventh of fewer than seven pages is none. */
		{VM(1000, 0, 0, .boot_pages = 1006),
		 {0},
		 {1000, 1, 10000, 1000},
		 POISE_RULE_STALE,
		 0},
		{VM(1006, 0, 0, .boot_pages = 1000),
		 {0},
		 {1006, 1, 10000, 1006},
		 POISE_RULE_STALE,
		 0},
		/* What the forecast says does not matter any more. */
		{VM(1000, 900, -900, .boot_pages = 1700),
		 {0},
		 {1100, 1, 10000, 1100},
		 POISE_RULE_STALE,
		 0},
	};
	static const struct {
		uint64_t age_ms, desired;
	} steps[] = {{2999, 1087}, {3001, 1100}, {4000, 1116}, {8000, 1350},
		     {8999, 1350}, {9000, 1700}, {9999, 1700}};
	static struct poise p;
	(void)state;
	run_rule(poise_rule_stale, &plain, 1000, cases, ARRAY_SIZE(cases));
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		const struct plan_vm vm = VM(1000, 0, 0, .boot_pages = 1700);
		struct poise_demand d = {0};
		plan_start(&p, &plain);
		plan_put(&p, 0, &vm);
		p.vm[0].sample_ms = PLAN_NOW_MS - steps[i].age_ms;
		const struct poise_plan_input in = plan_input(&p);
		poise_rule_stale(&in, &p.vm[0], &d);
		assert_int_equal(d.desired_pages, steps[i].desired);
	}
}

static void rule_equation_asks_for_delta_if_it_is_above_reclaimable(void **state)
{
	static const struct rule_case cases[] = {
		/* donor: 2000 - 420 + 20 */
		{VM(2000, 20, 420), {0}, {1600, 1, 10000, 1}, POISE_RULE_EQUATION, 0},
		/* donor, demand falls: 2000 - 150 - 50 */
		{VM(2000, -50, 150), {0}, {1800, 1, 10000, 1}, POISE_RULE_EQUATION, 0},
		/* needy: 300 > 100, so it asks for all 300 */
		{VM(2000, 300, 100), {0}, {2300, 1, 10000, 1}, POISE_RULE_EQUATION, 0},
		/* what it had in use before is another rule's */
		{VM(2000, 20, 420, .peak_in_use_pages = 1900),
		 {0},
		 {1600, 1, 10000, 1},
		 POISE_RULE_EQUATION,
		 0},
		/* neither: 100 = 100 */
		{VM(2000, 100, 100), {0}, {2000, 1, 10000, 1}, POISE_RULE_EQUATION, 0},
		/* needy with a delta below zero: nothing to ask for */
		{VM(2000, -100, -300), {0}, {2000, 1, 10000, 1}, POISE_RULE_EQUATION, 0},
		/* on its way from 2000 to 1500, of which 900 could be had: 2000 - 900 */
		{VM(1500, 0, 900, .seen_pages = 2000),
		 {0},
		 {1100, 1, 10000, 1},
		 POISE_RULE_EQUATION,
		 0},
		/* a wish below nothing */
		{VM(2000, -5000, 100), {0}, {0, 1, 10000, 1}, POISE_RULE_EQUATION, 0},
	};
	(void)state;
	run_rule(poise_rule_equation, &plain, 1000, cases, ARRAY_SIZE(cases));
}

static void rule_shortfall_asks_for_what_is_missing_and_forecasts_no_shrinking(void **state)
{
	static const struct rule_case cases[] = {
		/* needy for what is missing: 2000 - 100 + 300 */
		{VM(2000, 300, 100), {0}, {2200, 1, 10000, 1}, POISE_RULE_SHORTFALL, 0},
		{VM(2000, 20, 420), {0}, {1600, 1, 10000, 1}, POISE_RULE_SHORTFALL, 0},
		/* a falling demand frees nothing: 2000 - 150 */
		{VM(2000, -50, 150), {0}, {1850, 1, 10000, 1}, POISE_RULE_SHORTFALL, 0},
		/* and does not hide that the headroom is gone: 2000 + 300 */
		{VM(2000, -100, -300), {0}, {2300, 1, 10000, 1}, POISE_RULE_SHORTFALL, 0},
		{VM(1500, 0, 900, .seen_pages = 2000),
		 {0},
		 {1100, 1, 10000, 1},
		 POISE_RULE_SHORTFALL,
		 0},
		{VM(2000, 1, 100), {0}, {1901, 1, 10000, 1}, POISE_RULE_SHORTFALL, 0},
		{VM(100, 0, 99), {0}, {1, 1, 10000, 1}, POISE_RULE_SHORTFALL, 0},
		{VM(100, 0, 500), {0}, {0, 1, 10000, 1}, POISE_RULE_SHORTFALL, 0},
		/* what it had in use, and what that will grow by */
		{VM(2000, 300, 500, .peak_in_use_pages = 1700),
		 {0},
		 {2000, 1, 10000, 1},
		 POISE_RULE_SHORTFALL,
		 0},
	};
	(void)state;
	run_rule(poise_rule_shortfall, &plain, 1000, cases, ARRAY_SIZE(cases));
}

static void rule_pressure_adds_refaults_and_promises(void **state)
{
	static const struct rule_case cases[] = {
		{VM(2000, 0, 0), {1500, 0, 0, 0}, {1500, 1, 10000, 1}, POISE_RULE_NONE, 0},
		{VM(2000, 0, 0, .refault_pages = 400),
		 {1500, 0, 0, 0},
		 {1900, 1, 10000, 1},
		 POISE_RULE_PRESSURE,
		 0},
		{VM(2000, 0, 0, .refault_pages = 1),
		 {0},
		 {2001, 1, 10000, 1},
		 POISE_RULE_PRESSURE,
		 0},
		{VM(2000, 0, 0, .promised_pages = 1),
		 {0},
		 {2001, 1, 10000, 1},
		 POISE_RULE_PRESSURE,
		 0},
		{VM(2000, 0, 0, .refault_pages = 20, .promised_pages = 3),
		 {0},
		 {2023, 1, 10000, 1},
		 POISE_RULE_PRESSURE,
		 0},
	};
	(void)state;
	run_rule(poise_rule_pressure, &plain, 1000, cases, ARRAY_SIZE(cases));
}

static void rule_urgent_asks_for_a_step_less_what_the_guest_can_reclaim(void **state)
{
	/* A tenth of the pool would be 1,000 pages; a 32nd of 2,000 is 62. */
	static const struct poise_config config = {.pool_pages = 10000, .urgent_permille = 100};
	static const struct rule_case cases[] = {
		{VM(2000, 0, 0), {0}, {2000, 1, 10000, 1}, POISE_RULE_NONE, 0},
		{VM(2000, 0, 0, .urgent = 1), {0}, {2062, 1, 10000, 1}, POISE_RULE_URGENT, 0},
		{VM(2000, 0, 0, .urgent = 1),
		 {500, 0, 0, 0},
		 {2062, 1, 10000, 1},
		 POISE_RULE_URGENT,
		 0},
		{VM(2000, 0, 0, .urgent = 1),
		 {2061, 0, 0, 0},
		 {2062, 1, 10000, 1},
		 POISE_RULE_URGENT,
		 0},
		/* what it can still have by itself comes off; but it keeps what it has */
		{VM(2000, 0, 1, .urgent = 1), {0}, {2061, 1, 10000, 1}, POISE_RULE_URGENT, 0},
		{VM(2000, 50, 90, .urgent = 1),
		 {1700, 0, 0, 0},
		 {2022, 1, 10000, 1},
		 POISE_RULE_URGENT,
		 0},
		{VM(2000, 0, 5000, .urgent = 1),
		 {500, 0, 0, 0},
		 {2000, 1, 10000, 1},
		 POISE_RULE_URGENT,
		 0},
		{VM(2000, 0, -300, .urgent = 1),
		 {2030, 0, 0, 0},
		 {2062, 1, 10000, 1},
		 POISE_RULE_URGENT,
		 0},
		{VM(2000, 0, 0, .urgent = 1),
		 {2062, 0, 0, 0},
		 {2062, 1, 10000, 1},
		 POISE_RULE_NONE,
		 0},
		{VM(2000, 0, 0, .urgent = 1),
		 {4000, 0, 0, 0},
		 {4000, 1, 10000, 1},
		 POISE_RULE_NONE,
		 0},
	};
	static const struct poise_config small = {.pool_pages = 10000, .urgent_permille = 5};
	static const struct rule_case pool[] = {
		{VM(2000, 0, 0, .urgent = 1), {0}, {2050, 1, 10000, 1}, POISE_RULE_URGENT, 0},
	};
	(void)state;
	run_rule(poise_rule_urgent, &config, 1000, cases, ARRAY_SIZE(cases));
	run_rule(poise_rule_urgent, &small, 1000, pool, ARRAY_SIZE(pool));
}

static void rule_idle_tax_reclaims_its_part_of_idle_memory_only(void **state)
{
	static const struct poise_config all = {.pool_pages = 10000, .idle_tax_permille = 1000};
	static const struct rule_case cases[] = {
		/* 75 % of 1000 idle pages */
		{VM(2000, 0, 0), {1000, 0, 0, 0}, {1250, 1, 10000, 1}, POISE_RULE_IDLE_TAX, 0},
		/* rounded down: one idle page stays */
		{VM(2000, 0, 0), {1999, 0, 0, 0}, {2000, 1, 10000, 1}, POISE_RULE_IDLE_TAX, 0},
		{VM(2000, 0, 0), {0}, {2000, 1, 10000, 1}, POISE_RULE_NONE, 0},
		{VM(2000, 0, 0), {2500, 0, 0, 0}, {2500, 1, 10000, 1}, POISE_RULE_NONE, 0},
	};
	static const struct rule_case whole[] = {
		{VM(2000, 0, 0), {1000, 0, 0, 0}, {1000, 1, 10000, 1}, POISE_RULE_IDLE_TAX, 0},
	};
	(void)state;
	run_rule(poise_rule_idle_tax, &plain, 1000, cases, ARRAY_SIZE(cases));
	run_rule(poise_rule_idle_tax, &all, 1000, whole, ARRAY_SIZE(whole));
}

static void rule_dead_band_drops_small_changes_but_an_urgent_vms(void **state)
{
	static const struct rule_case cases[] = {
		/* 20 permille of 1000 pages are 20 */
		{VM(1000, 0, 0), {0}, {1000, 1, 10000, 1}, POISE_RULE_NONE, 0},
		{VM(1000, 0, 0), {1019, 0, 0, 0}, {1000, 1, 10000, 1}, POISE_RULE_DEAD_BAND, 0},
		{VM(1000, 0, 0), {1020, 0, 0, 0}, {1020, 1, 10000, 1}, POISE_RULE_NONE, 0},
		{VM(1000, 0, 0), {981, 0, 0, 0}, {1000, 1, 10000, 1}, POISE_RULE_DEAD_BAND, 0},
		{VM(1000, 0, 0), {980, 0, 0, 0}, {980, 1, 10000, 1}, POISE_RULE_NONE, 0},
		/* of whom nothing is known grows to where it is to go */
		{VM(1000, 0, 0, .state = POISE_VM_STALE),
		 {1001, 0, 0, 0},
		 {1001, 1, 10000, 1},
		 POISE_RULE_NONE,
		 0},
		{VM(1000, 0, 0, .state = POISE_VM_UNMANAGED),
		 {1001, 0, 0, 0},
		 {1001, 1, 10000, 1},
		 POISE_RULE_NONE,
		 0},
		{VM(1000, 0, 0, .state = POISE_VM_UNMANAGED),
		 {999, 0, 0, 0},
		 {1000, 1, 10000, 1},
		 POISE_RULE_DEAD_BAND,
		 0},
		{VM(1000, 0, 0, .flags = POISE_VM_STATIC),
		 {1001, 0, 0, 0},
		 {1001, 1, 10000, 1},
		 POISE_RULE_NONE,
		 0},
		{VM(1000, 0, 0, .urgent = 1),
		 {1001, 0, 0, 0},
		 {1001, 1, 10000, 1},
		 POISE_RULE_NONE,
		 0},
		/* a small VM has no band */
		{VM(49, 0, 0), {50, 0, 0, 0}, {50, 1, 10000, 1}, POISE_RULE_NONE, 0},
	};
	(void)state;
	run_rule(poise_rule_dead_band, &plain, 1000, cases, ARRAY_SIZE(cases));
}

static void rule_floor_holds_up_to_the_boot_size(void **state)
{
	static const struct rule_case cases[] = {
		{VM(2000, 0, 0), {0}, {2000, 1, 10000, 1}, POISE_RULE_NONE, 0},
		{VM(2000, 0, 0, .floor_pages = 1200),
		 {0},
		 {2000, 1200, 10000, 1},
		 POISE_RULE_NONE,
		 POISE_RULE_FLOOR},
		/* bounded by the boot size */
		{VM(2000, 0, 0, .floor_pages = 1900, .boot_pages = 1500),
		 {0},
		 {2000, 1500, 10000, 1},
		 POISE_RULE_NONE,
		 POISE_RULE_FLOOR},
		{VM(2000, 0, 0, .floor_pages = UINT64_MAX, .boot_pages = 1500),
		 {0},
		 {2000, 1500, 10000, 1},
		 POISE_RULE_NONE,
		 POISE_RULE_FLOOR},
		/* a VM that is left as it is is not made larger by it either */
		{VM(2000, 0, 0, .floor_pages = 3000, .boot_pages = 3000),
		 {2000, 2000, 2000, 2000},
		 {2000, 2000, 2000, 2000},
		 POISE_RULE_NONE,
		 0},
		/* below the reservation it says nothing */
		{VM(2000, 0, 0, .floor_pages = 800, .min_pages = 800),
		 {0},
		 {2000, 800, 10000, 800},
		 POISE_RULE_NONE,
		 0},
	};
	(void)state;
	run_rule(poise_rule_floor, &plain, 1000, cases, ARRAY_SIZE(cases));
}

static void rule_slew_bounds_shrinking_by_the_time_since_the_tick(void **state)
{
	/* Half of the size a second, as time has passed. */
	static const struct poise_config half = {.pool_pages = 10000, .slew_permille = 500};
	static const struct {
		uint64_t elapsed_ms;
		struct rule_case c;
	} rows[] = {
		{1000,
		 {VM(2000, 0, 0), {0}, {2000, 1000, 10000, 1}, POISE_RULE_NONE, POISE_RULE_SLEW}},
		{100,
		 {VM(2000, 0, 0), {0}, {2000, 1900, 10000, 1}, POISE_RULE_NONE, POISE_RULE_SLEW}},
		{1,
		 {VM(2000, 0, 0), {0}, {2000, 1999, 10000, 1}, POISE_RULE_NONE, POISE_RULE_SLEW}},
		{0,
		 {VM(2000, 0, 0), {0}, {2000, 2000, 10000, 1}, POISE_RULE_NONE, POISE_RULE_SLEW}},
		{2000, {VM(2000, 0, 0), {0}, {2000, 1, 10000, 1}, POISE_RULE_NONE, 0}},
		{120000, {VM(2000, 0, 0), {0}, {2000, 1, 10000, 1}, POISE_RULE_NONE, 0}},
		{1000,
		 {VM(2000, 0, 0, .min_pages = 1800),
		  {0},
		  {2000, 1800, 10000, 1800},
		  POISE_RULE_NONE,
		  0}},
		{1000, {VM(1, 0, 0), {0}, {1, 1, 10000, 1}, POISE_RULE_NONE, 0}},
		/* It counts from the last tick, however much was taken since. */
		{500,
		 {VM(1800, 0, 0, .ticked_pages = 2000),
		  {0},
		  {1800, 1500, 10000, 1},
		  POISE_RULE_NONE,
		  POISE_RULE_SLEW}},
		{100,
		 {VM(1800, 0, 0, .ticked_pages = 2000),
		  {0},
		  {1800, 1800, 10000, 1},
		  POISE_RULE_NONE,
		  POISE_RULE_SLEW}},
		{100,
		 {VM(2500, 0, 0, .ticked_pages = 2000),
		  {0},
		  {2500, 1900, 10000, 1},
		  POISE_RULE_NONE,
		  POISE_RULE_SLEW}},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		run_rule(poise_rule_slew, &half, rows[i].elapsed_ms, &rows[i].c, 1);
	}
}

static void rule_bounds_keeps_the_demand_between_its_lower_and_upper_end(void **state)
{
	static const struct rule_case cases[] = {
		{VM(2000, 0, 0), {999, 1000, 3000, 0}, {1000, 1000, 3000, 1}, POISE_RULE_BOUNDS, 0},
		{VM(2000, 0, 0), {1000, 1000, 3000, 0}, {1000, 1000, 3000, 1}, POISE_RULE_NONE, 0},
		{VM(2000, 0, 0), {3000, 1000, 3000, 0}, {3000, 1000, 3000, 1}, POISE_RULE_NONE, 0},
		{VM(2000, 0, 0),
		 {3001, 1000, 3000, 0},
		 {3000, 1000, 3000, 1},
		 POISE_RULE_BOUNDS,
		 0},
		/* above the limit: there as fast as it may shrink */
		{VM(2000, 0, 0),
		 {2000, 1900, 1500, 0},
		 {1900, 1900, 1500, 1},
		 POISE_RULE_BOUNDS,
		 0},
	};
	(void)state;
	run_rule(poise_rule_bounds, &plain, 1000, cases, ARRAY_SIZE(cases));
}

static void rule_back_off_holds_the_vm_until_its_end(void **state)
{
	static const struct rule_case cases[] = {
		{VM(2000, 0, 0, .backoff_end_ms = PLAN_NOW_MS + 1),
		 {500, 0, 0, 0},
		 {2000, 2000, 2000, 2000},
		 POISE_RULE_BACK_OFF,
		 0},
		{VM(2000, 0, 0, .backoff_end_ms = PLAN_NOW_MS),
		 {500, 0, 0, 0},
		 {500, 1, 10000, 1},
		 POISE_RULE_NONE,
		 0},
		{VM(2000, 0, 0), {500, 0, 0, 0}, {500, 1, 10000, 1}, POISE_RULE_NONE, 0},
	};
	(void)state;
	run_rule(poise_rule_back_off, &plain, 1000, cases, ARRAY_SIZE(cases));
}

/* Without the headroom of 10 %, and without what is available beyond. */
static void rule_tight_leaves_out_headroom_and_what_is_available(void **state)
{
	static const struct {
		struct plan_vm vm;
		uint64_t desired, lower;
		uint32_t rule;
		uint64_t needed;
	} rows[] = {
		{VM(1000, 0, 0), 1000, 1, POISE_RULE_SHORTFALL, 900},
		{VM(1000, 0, 0), 1500, 1, POISE_RULE_SHORTFALL, 1400},
		{VM(1000, 0, 0), 700, 1, POISE_RULE_SHORTFALL, 600},
		{VM(1000, 0, 0, .available_pages = 250), 1000, 1, POISE_RULE_SHORTFALL, 650},
		{VM(1000, 0, 0, .available_pages = POISE_PAGES_MAX), 900, 1, POISE_RULE_SHORTFALL,
		 1},
		/* half of a leap, if the guest can call for the other */
		{VM(1000, 301, 0), 1300, 1, POISE_RULE_SHORTFALL, 1200},
		{VM(1000, 301, 0, .features = POISE_GF_URGENT), 1300, 1, POISE_RULE_SHORTFALL,
		 1050},
		{VM(1000, -300, 0, .features = POISE_GF_URGENT), 1300, 1, POISE_RULE_SHORTFALL,
		 1200},
		/* neither below the floor nor above what is desired */
		{VM(1000, 0, 0), 1000, 950, POISE_RULE_SHORTFALL, 950},
		{VM(1000, 0, 0), 700, 950, POISE_RULE_SHORTFALL, 700},
		/* who asks urgently means it */
		{VM(1000, 0, 0), 1500, 1, POISE_RULE_URGENT, 1500},
	};
	static struct poise p;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct poise_demand d = {.desired_pages = rows[i].desired,
					       .lower_pages = rows[i].lower,
					       .rule = rows[i].rule};
		plan_start(&p, &plain);
		plan_put(&p, 0, &rows[i].vm);
		const struct poise_plan_input in = plan_input(&p);
		assert_int_equal(poise_minimum_demand(&in, &p.vm[0], &d), rows[i].needed);
	}
}

/* Who asks urgently means it; but if its guest declares a floor too, the floor is enough. */
static void rule_tight_spares_an_urgent_vm_without_a_floor(void **state)
{
	const struct plan_vm vm = VM(1000, 0, 0);
	static struct poise p;
	struct poise_demand d = {
		.desired_pages = 1500, .lower_pages = 1, .rule = POISE_RULE_URGENT};
	(void)state;
	plan_start(&p, &plain);
	plan_put(&p, 0, &vm);
	const struct poise_plan_input in = plan_input(&p);
	assert_int_equal(poise_minimum_demand(&in, &p.vm[0], &d), 1500);
	d.has_floor = 1;
	assert_int_equal(poise_minimum_demand(&in, &p.vm[0], &d), 1400);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(rule_frozen_holds_the_vm_where_it_is),
		cmocka_unit_test(
			rule_static_gives_the_boot_size_and_what_is_beyond_goes_by_eighths),
		cmocka_unit_test(rule_stale_goes_to_the_boot_size_in_equal_steps),
		cmocka_unit_test(rule_equation_asks_for_delta_if_it_is_above_reclaimable),
		cmocka_unit_test(
			rule_shortfall_asks_for_what_is_missing_and_forecasts_no_shrinking),
		cmocka_unit_test(rule_pressure_adds_refaults_and_promises),
		cmocka_unit_test(rule_urgent_asks_for_a_step_less_what_the_guest_can_reclaim),
		cmocka_unit_test(rule_idle_tax_reclaims_its_part_of_idle_memory_only),
		cmocka_unit_test(rule_dead_band_drops_small_changes_but_an_urgent_vms),
		cmocka_unit_test(rule_floor_holds_up_to_the_boot_size),
		cmocka_unit_test(rule_slew_bounds_shrinking_by_the_time_since_the_tick),
		cmocka_unit_test(rule_bounds_keeps_the_demand_between_its_lower_and_upper_end),
		cmocka_unit_test(rule_back_off_holds_the_vm_until_its_end),
		cmocka_unit_test(rule_tight_leaves_out_headroom_and_what_is_available),
		cmocka_unit_test(rule_tight_spares_an_urgent_vm_without_a_floor),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
