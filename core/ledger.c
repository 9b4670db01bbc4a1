/* SPDX-License-Identifier: MIT */
/*
 * The ledger: who is charged for how much. A VM is charged max(actual, target) at all times, so a
 * growth is charged before it is asked for and a shrink is credited only when it has been measured;
 * the sum of charges and free memory is the pool after every single step. Free memory below zero is
 * a debt: a guest took back what is its own, or the pool was made smaller.
 */
#include "internal.h"

void poise_ledger_set(struct poise *p, struct poise_vm *vm, uint64_t actual_pages,
		      uint64_t target_pages)
{
	p->free_pages += (int64_t)poise_vm_charge(vm);
	vm->actual_pages = actual_pages;
	if (target_pages != vm->target_pages) {
		vm->last_direction = target_pages > vm->target_pages;
	}
	vm->target_pages = target_pages;
	p->free_pages -= (int64_t)poise_vm_charge(vm);
}

uint64_t poise_reserve(const struct poise_config *config)
{
	const bool off = config->policy != POISE_POLICY_POISE ||
			 (config->rules_off & POISE_RULE_BIT(POISE_RULE_RESERVE)) != 0;
	return off ? 0 : poise_permille(config->pool_pages, config->reserve_permille);
}

uint64_t poise_ledger_grantable(const struct poise *p, bool reserve_open)
{
	const int64_t reserve = reserve_open ? 0 : (int64_t)poise_reserve(&p->config);
	return p->free_pages > reserve ? (uint64_t)(p->free_pages - reserve) : 0;
}
