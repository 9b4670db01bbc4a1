/* SPDX-License-Identifier: MIT */
/*
 * VMs coming and going, their configuration, and the size of the pool.
 */
#include "internal.h"

/* Closes a call that may have freed memory: who waits for some gets it, and is told. */
static enum poise_err settle(struct poise *p)
{
	poise_resize_settle(p);
	poise_tell(p);
	return poise_leave(p, POISE_OK);
}

static uint64_t reserved(const struct poise *p)
{
	uint64_t sum = 0;
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		sum += p->vm[i].config.min_pages;
	}
	return sum;
}

enum poise_err poise_vm_config_complete(const struct poise *p, const struct poise_vm *v,
					struct poise_vm_config *c)
{
	if (c->boot_pages == 0) {
		c->boot_pages = c->min_pages;
	}
	if (c->weight == 0) {
		c->weight = 100;
	}
	if (c->min_pages == 0 || c->min_pages > c->boot_pages || c->boot_pages > c->max_pages ||
	    c->max_pages > p->config.pool_pages || c->weight > UINT16_MAX ||
	    c->basis >= POISE_BASIS_COUNT || (c->flags & ~POISE_VM_FLAGS) != 0 ||
	    c->reserved != 0) {
		return POISE_E_CONFIG;
	}
	return reserved(p) - v->config.min_pages + c->min_pages > p->config.pool_pages
		       ? POISE_E_INFEASIBLE
		       : POISE_OK;
}

enum poise_err poise_vm_add(struct poise *p, uint32_t vm, const struct poise_vm_config *config,
			    uint64_t actual_pages)
{
	enum poise_err err = poise_enter(p, POISE_NO_VM);
	if (err != POISE_OK) {
		return err;
	}
	if (vm >= POISE_VM_MAX || config == NULL || actual_pages > POISE_PAGES_MAX) {
		return poise_leave(p, POISE_E_ARG);
	}
	struct poise_vm *v = &p->vm[vm];
	if (v->state != POISE_VM_EMPTY) {
		return poise_leave(p, POISE_E_DUP);
	}
	struct poise_vm_config complete = *config;
	err = poise_vm_config_complete(p, v, &complete);
	if (err != POISE_OK) {
		return poise_leave(p, err);
	}
	v->config = complete;
	v->urgent_gap = p->config.urgent_gap_ms;
	v->rule = POISE_RULE_STATIC;
	v->goal_pages = poise_min(poise_max(actual_pages, complete.boot_pages), complete.max_pages);
	poise_emit_data(p, POISE_EVENT_ADD, vm, actual_pages, &v->config);
	poise_vm_forget(p, v);
	poise_ledger_set(p, v, actual_pages, actual_pages);
	return settle(p);
}

enum poise_err poise_vm_set(struct poise *p, uint32_t vm, const struct poise_vm_config *config)
{
	enum poise_err err = poise_enter(p, vm);
	if (err != POISE_OK) {
		return err;
	}
	if (config == NULL) {
		return poise_leave(p, POISE_E_ARG);
	}
	struct poise_vm *v = &p->vm[vm];
	struct poise_vm_config complete = *config;
	err = poise_vm_config_complete(p, v, &complete);
	if (err != POISE_OK) {
		return poise_leave(p, err);
	}
	/* Numbers from before a pause are old; those of another basis would look like a jump of
	 * demand. */
	const bool starts_anew = poise_vm_starts_anew(&v->config, &complete);
	v->config = complete;
	v->goal_pages = poise_min(poise_max(v->goal_pages, complete.min_pages), complete.max_pages);
	poise_emit_data(p, POISE_EVENT_SET, vm, 0, &v->config);
	if (starts_anew) {
		poise_vm_forget(p, v);
	}
	return poise_leave(p, POISE_OK);
}

enum poise_err poise_vm_remove(struct poise *p, uint32_t vm)
{
	const enum poise_err err = poise_enter(p, vm);
	if (err != POISE_OK) {
		return err;
	}
	struct poise_vm *v = &p->vm[vm];
	const uint64_t back = poise_vm_charge(v);
	poise_ledger_set(p, v, 0, 0);
	*v = (struct poise_vm){.state = POISE_VM_EMPTY};
	/* What the plan meant to shrink it by, or to let it grow by, is there. */
	p->plan.available_pages +=
		(int64_t)p->plan.row[vm].size_pages - (int64_t)p->plan.row[vm].goal_pages;
	p->plan.row[vm] = (struct poise_row){0};
	poise_emit(p, POISE_EVENT_REMOVE, vm, POISE_OK, back, 0);
	return settle(p);
}

enum poise_err poise_vm_restart(struct poise *p, uint32_t vm, uint64_t actual_pages)
{
	const enum poise_err err = poise_enter(p, vm);
	if (err != POISE_OK) {
		return err;
	}
	if (actual_pages > POISE_PAGES_MAX) {
		return poise_leave(p, POISE_E_ARG);
	}
	struct poise_vm *v = &p->vm[vm];
	poise_emit(p, POISE_EVENT_RESTART, vm, POISE_OK, actual_pages, 0);
	poise_vm_reboot(p, v, actual_pages, v->config.boot_pages);
	return settle(p);
}

enum poise_err poise_pool_set(struct poise *p, uint64_t pool_pages)
{
	const enum poise_err err = poise_enter(p, POISE_NO_VM);
	if (err != POISE_OK) {
		return err;
	}
	if (pool_pages == 0 || pool_pages > POISE_PAGES_MAX) {
		return poise_leave(p, POISE_E_ARG);
	}
	if (reserved(p) > pool_pages) {
		return poise_leave(p, POISE_E_INFEASIBLE);
	}
	p->free_pages += (int64_t)pool_pages - (int64_t)p->config.pool_pages;
	p->config.pool_pages = pool_pages;
	poise_emit(p, POISE_EVENT_POOL, 0, POISE_OK, pool_pages, 0);
	return settle(p);
}
