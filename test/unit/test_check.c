/* SPDX-License-Identifier: MIT */
/*
 * poise_check: a healthy state is reported as one, and a state that is broken in exactly one way is
 * reported with exactly the bit of that way. An oracle that never says no would pass every other
 * test.
 */
#include "plan_support.h"

/* Breaks a healthy state of a 10,000 page pool with one VM of 1,000 pages in slot 0. */
typedef void (*breaker)(struct poise *p);

static void nothing(struct poise *p)
{
	(void)p;
}

static void magic(struct poise *p)
{
	p->magic ^= 1;
}

static void no_port(struct poise *p)
{
	p->port = NULL;
}

static void busy(struct poise *p)
{
	p->busy = 1;
}

static void epoch_ahead(struct poise *p)
{
	p->vm[0].epoch = p->epoch + 1;
}

static void epoch_last(struct poise *p)
{
	p->epoch = 7;
	p->vm[0].epoch = 7;
}

static void state_beyond(struct poise *p)
{
	p->vm[0].state = POISE_VM_QUARANTINED + 1;
}

static void state_last(struct poise *p)
{
	p->vm[0].state = POISE_VM_QUARANTINED;
}

static void size_most(struct poise *p)
{
	p->vm[0].forecast.size_pages = POISE_PAGES_MAX;
	p->vm[0].forecast.peak_in_use_pages = 2 * POISE_PAGES_MAX;
	p->vm[0].forecast.refault_pages = POISE_PAGES_MAX;
}

static void strikes_beyond(struct poise *p)
{
	p->vm[0].backoff_exponent = POISE_BACKOFF_EXPONENT_MAX + 1;
}

static void strikes_most(struct poise *p)
{
	p->vm[0].backoff_exponent = POISE_BACKOFF_EXPONENT_MAX;
}

static void page_lost(struct poise *p)
{
	p->free_pages--;
}

static void page_found(struct poise *p)
{
	p->free_pages++;
}

static void page_charged_twice(struct poise *p)
{
	p->vm[0].actual_pages++;
}

static void debt(struct poise *p)
{
	poise_ledger_set(p, &p->vm[0], 20000, 1000);
}

static void goal_below(struct poise *p)
{
	p->vm[0].goal_pages = p->vm[0].config.min_pages - 1;
}

static void goal_least(struct poise *p)
{
	p->vm[0].goal_pages = p->vm[0].config.min_pages;
}

static void goal_above(struct poise *p)
{
	p->vm[0].goal_pages = p->vm[0].config.max_pages + 1;
}

static void goal_most(struct poise *p)
{
	p->vm[0].goal_pages = p->vm[0].config.max_pages;
}

static void reserved_beyond(struct poise *p)
{
	p->vm[0].config.min_pages = p->config.pool_pages + 1;
	p->vm[0].config.max_pages = p->config.pool_pages + 1;
	p->vm[0].goal_pages = p->config.pool_pages + 1;
}

static void reserved_all(struct poise *p)
{
	p->vm[0].config.min_pages = p->config.pool_pages;
	p->vm[0].config.max_pages = p->config.pool_pages;
	p->vm[0].goal_pages = p->config.pool_pages;
}

static void give_uncovered(struct poise *p)
{
	p->plan.available_pages = 99;
	p->plan.row[0] = (struct poise_row){.size_pages = 1000, .goal_pages = 1100};
}

static void give_covered(struct poise *p)
{
	p->plan.available_pages = 100;
	p->plan.row[0] = (struct poise_row){.size_pages = 1000, .goal_pages = 1100};
}

static void give_from_debt(struct poise *p)
{
	p->plan.available_pages = -1;
	p->plan.row[0] = (struct poise_row){.size_pages = 1000, .goal_pages = 1001};
}

static void take_in_debt(struct poise *p)
{
	p->plan.available_pages = -500;
	p->plan.row[0] = (struct poise_row){.size_pages = 1000, .goal_pages = 900};
}

#define DELTA_MOST (INT64_C(1) << (34 + POISE_FRACTION_BITS))

static void delta_above(struct poise *p)
{
	p->vm[0].forecast.delta_q16 = DELTA_MOST + 1;
}

static void delta_below(struct poise *p)
{
	p->vm[0].forecast.delta_q16 = -DELTA_MOST - 1;
}

static void delta_most(struct poise *p)
{
	p->vm[0].forecast.delta_q16 = DELTA_MOST;
}

static void delta_least(struct poise *p)
{
	p->vm[0].forecast.delta_q16 = -DELTA_MOST;
}

static void size_beyond(struct poise *p)
{
	p->vm[0].forecast.size_pages = POISE_PAGES_MAX + 1;
}

static void pressure_beyond(struct poise *p)
{
	p->vm[0].forecast.refault_pages = POISE_PAGES_MAX + 1;
}

static void promised_beyond(struct poise *p)
{
	p->vm[0].forecast.promised_pages = POISE_PAGES_MAX / 8 + 1;
}

static void peak_beyond(struct poise *p)
{
	p->vm[0].forecast.peak_in_use_pages = 2 * POISE_PAGES_MAX + 1;
}

static void held_too_little(struct poise *p)
{
	p->vm[0].forecast.peak_in_use_pages = poise_forecast_in_use(&p->vm[0].forecast) - 1;
}

static void peak_least(struct poise *p)
{
	p->vm[0].forecast.peak_in_use_pages = poise_forecast_in_use(&p->vm[0].forecast);
}

static void promised_most(struct poise *p)
{
	p->vm[0].forecast.promised_pages = POISE_PAGES_MAX / 8;
}

static void managed_too_soon(struct poise *p)
{
	p->vm[0].forecast.steps = 1;
}

static void unmanaged_with_baseline(struct poise *p)
{
	p->vm[0].state = POISE_VM_UNMANAGED;
	p->vm[0].forecast.steps = 1;
}

/* Frees the slot, but leaves something behind; the ledger is right in both. */
static void empty_with_weight(struct poise *p)
{
	poise_ledger_set(p, &p->vm[0], 0, 0);
	p->vm[0] = (struct poise_vm){.config.weight = 1};
}

static void empty_with_pages(struct poise *p)
{
	p->vm[0] = (struct poise_vm){.target_pages = 1000};
}

static void removed(struct poise *p)
{
	assert_int_equal(poise_vm_remove(p, 0), POISE_OK);
}

/* The last slot is looked at as well as the first. */
static void last_slot(struct poise *p)
{
	p->vm[POISE_VM_MAX - 1].config.weight = 1;
	p->vm[POISE_VM_MAX - 1].state = POISE_VM_EMPTY;
	p->free_pages = (int64_t)p->config.pool_pages;
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		p->free_pages -= (int64_t)poise_vm_charge(&p->vm[i]);
	}
	if (POISE_VM_MAX == 1) {
		empty_with_weight(p);
	}
}

static void two_at_once(struct poise *p)
{
	page_lost(p);
	goal_above(p);
}

static void check_finds_each_broken_invariant_by_its_bit(void **state)
{
	static const struct {
		breaker break_it;
		unsigned bits;
	} rows[] = {
		{nothing, 0},
		{magic, POISE_CHECK_CONTEXT},
		{no_port, POISE_CHECK_CONTEXT},
		{busy, POISE_CHECK_CONTEXT},
		{epoch_ahead, POISE_CHECK_CONTEXT},
		{epoch_last, 0},
		{state_beyond, POISE_CHECK_CONTEXT},
		{state_last, 0},
		{strikes_beyond, POISE_CHECK_CONTEXT},
		{strikes_most, 0},
		{page_lost, POISE_CHECK_LEDGER},
		{page_found, POISE_CHECK_LEDGER},
		{page_charged_twice, POISE_CHECK_LEDGER},
		{debt, 0},
		{goal_below, POISE_CHECK_BOUNDS},
		{goal_least, 0},
		{goal_above, POISE_CHECK_BOUNDS},
		{goal_most, 0},
		{reserved_beyond, POISE_CHECK_RESERVED},
		{reserved_all, 0},
		{give_uncovered, POISE_CHECK_PLAN},
		{give_covered, 0},
		{give_from_debt, POISE_CHECK_PLAN},
		{take_in_debt, 0},
		{delta_above, POISE_CHECK_FORECAST},
		{delta_below, POISE_CHECK_FORECAST},
		{delta_most, 0},
		{delta_least, 0},
		{size_beyond, POISE_CHECK_FORECAST},
		{size_most, 0},
		{pressure_beyond, POISE_CHECK_FORECAST},
		{promised_beyond, POISE_CHECK_FORECAST},
		{peak_beyond, POISE_CHECK_FORECAST},
		{held_too_little, POISE_CHECK_FORECAST},
		{peak_least, 0},
		{promised_most, 0},
		{managed_too_soon, POISE_CHECK_FORECAST},
		{unmanaged_with_baseline, 0},
		{empty_with_weight, POISE_CHECK_EMPTY},
		{empty_with_pages, POISE_CHECK_EMPTY},
		{removed, 0},
		{last_slot, POISE_CHECK_EMPTY},
		{two_at_once, POISE_CHECK_LEDGER | POISE_CHECK_BOUNDS},
	};
	const struct poise_config config = {.pool_pages = 10000};
	const struct plan_vm vm = {.size_pages = 1000, .min_pages = 500, .max_pages = 2000};
	static struct poise p, before;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		plan_start(&p, &config);
		plan_put(&p, 0, &vm);
		assert_int_equal(poise_check(&p), 0);
		rows[i].break_it(&p);
		memcpy(&before, &p, sizeof(p));
		if (poise_check(&p) != rows[i].bits) {
			print_error("row %u: %#x\n", (unsigned)i, poise_check(&p));
		}
		assert_int_equal(poise_check(&p), rows[i].bits);
		assert_memory_equal(&before, &p, sizeof(p));
	}
}

static void check_of_no_context_says_so(void **state)
{
	(void)state;
	assert_int_equal(poise_check(NULL), POISE_CHECK_CONTEXT);
}

/* A VM that shrinks may leave before the plan has been replaced; what it had is free then. */
static void check_holds_after_a_shrinking_vm_has_left(void **state)
{
	const struct poise_config config = {.pool_pages = 3000, .rules_off = POISE_RULES_NEUTRAL};
	const struct plan_vm giver = {.size_pages = 2000, .reclaimable_pages = 1000};
	const struct plan_vm taker = {.size_pages = 1000, .delta_pages = 500};
	static struct poise p;
	(void)state;
	plan_start(&p, &config);
	plan_put(&p, 0, &giver);
	plan_put(&p, 1, &taker);
	plan_make(&p);
	assert_int_equal(p.plan.row[0].goal_pages, 1500);
	assert_int_equal(p.plan.row[1].goal_pages, 1500);
	removed(&p);
	assert_int_equal(poise_check(&p), 0);
}

int main(void)
{
	static const struct CMUnitTest one[] = {
		cmocka_unit_test(check_finds_each_broken_invariant_by_its_bit),
		cmocka_unit_test(check_of_no_context_says_so),
	};
	static const struct CMUnitTest many[] = {
		cmocka_unit_test(check_holds_after_a_shrinking_vm_has_left),
	};
	const int failed = cmocka_run_group_tests(one, NULL, NULL);
	return failed + (POISE_VM_MAX > 1 ? cmocka_run_group_tests(many, NULL, NULL) : 0);
}
