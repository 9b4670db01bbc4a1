/* SPDX-License-Identifier: MIT */
/* The ledger: a VM is charged max(actual, target), and charges and free memory are the pool. */
#include "plan_support.h"

/* A life of one VM in a pool of 1,000 pages, step by step. */
static void ledger_charges_the_larger_of_two(void **state)
{
	static const struct {
		uint64_t actual, target, charge;
		int64_t free;
	} steps[] = {
		{0, 0, 0, 1000},         /* not there yet */
		{300, 300, 300, 700},    /* at rest */
		{300, 500, 500, 500},    /* a growth is charged when it is asked for */
		{400, 500, 500, 500},    /* on its way */
		{500, 500, 500, 500},    /* arrived */
		{500, 200, 500, 500},    /* a shrink is not credited when it is asked for */
		{350, 200, 350, 650},    /* but as it is measured */
		{200, 200, 200, 800},    /* done */
		{150, 200, 200, 800},    /* more than asked: the target is charged still */
		{1000, 200, 1000, 0},    /* everything taken back */
		{1400, 200, 1400, -400}, /* a debt */
		{1400, 2000, 2000, -1000}, {0, 0, 0, 1000}, /* gone: everything is back, once */
	};
	const struct poise_config config = {.pool_pages = 1000};
	static struct poise p;
	(void)state;
	plan_start(&p, &config);
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		poise_ledger_set(&p, &p.vm[0], steps[i].actual, steps[i].target);
		assert_int_equal(p.vm[0].actual_pages, steps[i].actual);
		assert_int_equal(p.vm[0].target_pages, steps[i].target);
		assert_int_equal(poise_vm_charge(&p.vm[0]), steps[i].charge);
		assert_int_equal(p.free_pages, steps[i].free);
	}
}

/* Any numbers in any order: the sum stays, counted anew each time, and one VM's step moves one VM.
 */
static void ledger_sum_of_charges_and_free_memory_stays_the_pool(void **state)
{
	const struct poise_config config = {.pool_pages = POISE_PAGES_MAX};
	static struct poise p;
	uint64_t seed = 1;
	(void)state;
	plan_start(&p, &config);
	for (unsigned step = 0; step < 200000; step++) {
		struct poise_vm *vm = &p.vm[random_next(&seed) % POISE_VM_MAX];
		const int64_t free = p.free_pages;
		const int64_t charge = (int64_t)poise_vm_charge(vm);
		poise_ledger_set(&p, vm, random_upto(&seed, POISE_PAGES_MAX),
				 random_upto(&seed, POISE_PAGES_MAX));
		assert_true(p.free_pages - free == charge - (int64_t)poise_vm_charge(vm));
		int64_t charged = 0;
		for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
			charged += (int64_t)poise_vm_charge(&p.vm[i]);
		}
		assert_true(charged + p.free_pages == (int64_t)p.config.pool_pages);
	}
}

static void ledger_reserve_is_a_part_of_the_pool(void **state)
{
	static const struct {
		uint64_t pool;
		uint32_t policy, rules_off, permille;
		uint64_t reserve;
	} rows[] = {
		{1000, POISE_POLICY_POISE, 0, 0, 16}, /* the default, 16 permille */
		{1000, POISE_POLICY_POISE, 0, 100, 100},
		{999, POISE_POLICY_POISE, 0, 100, 99}, /* rounded down */
		{1, POISE_POLICY_POISE, 0, 500, 0},
		{POISE_PAGES_MAX, POISE_POLICY_POISE, 0, 500, POISE_PAGES_MAX / 2},
		{1000, POISE_POLICY_POISE, POISE_RULE_BIT(POISE_RULE_RESERVE), 100, 0},
		{1000, POISE_POLICY_POISE, POISE_RULE_BIT(POISE_RULE_FAIR), 100, 100},
		{1000, POISE_POLICY_PAPER, 0, 100, 0}, /* other policies keep none */
		{1000, POISE_POLICY_STATIC, 0, 100, 0},
	};
	static struct poise p;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct poise_config config = {.pool_pages = rows[i].pool,
						    .policy = rows[i].policy,
						    .rules_off = rows[i].rules_off,
						    .reserve_permille = rows[i].permille};
		plan_start(&p, &config);
		assert_int_equal(poise_reserve(&p.config), rows[i].reserve);
	}
}

static void ledger_grants_what_is_free_without_the_reserve_unless_urgent(void **state)
{
	static const struct {
		int64_t free;
		uint64_t usual, urgent;
	} rows[] = {
		{1000, 900, 1000}, {101, 1, 101}, {100, 0, 100}, {99, 0, 99},
		{1, 0, 1},         {0, 0, 0},     {-1, 0, 0},    {-5000, 0, 0},
	};
	const struct poise_config config = {.pool_pages = 1000, .reserve_permille = 100};
	static struct poise p;
	(void)state;
	plan_start(&p, &config);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		p.free_pages = rows[i].free;
		assert_int_equal(poise_ledger_grantable(&p, false), rows[i].usual);
		assert_int_equal(poise_ledger_grantable(&p, true), rows[i].urgent);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(ledger_charges_the_larger_of_two),
		cmocka_unit_test(ledger_sum_of_charges_and_free_memory_stays_the_pool),
		cmocka_unit_test(ledger_reserve_is_a_part_of_the_pool),
		cmocka_unit_test(ledger_grants_what_is_free_without_the_reserve_unless_urgent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
