/* SPDX-License-Identifier: MIT */
/*
 * The rules of policy `poise`, each one function that shapes one row: what a VM should have
 * (desired) and how far it may move in this plan (lower, upper). They see one VM and nothing of the
 * others; plan_poise.c puts them in order and weighs the rows. In a header, so that plan_poise.c
 * compiles into one function and the tests can call each rule alone.
 */
#ifndef POISE_RULES_H
#define POISE_RULES_H

#include "internal.h"

/* Sets what a row should have; a wish below nothing is a wish for nothing. */
static inline void poise_row_want(struct poise_row *row, int64_t pages, uint32_t rule)
{
	row->desired_pages = pages > 0 ? (uint64_t)pages : 0;
	row->rule = rule;
}

/* What is in use and what of it cannot be had back at once: size - R. */
static inline int64_t poise_row_in_use(const struct poise_vm *vm)
{
	return (int64_t)vm->forecast.size_pages - poise_plan_reclaimable(vm);
}

/* The VM is left as it is, whatever the others need. */
static inline void poise_row_hold(struct poise_row *row, uint32_t rule)
{
	row->desired_pages = row->size_pages;
	row->lower_pages = row->size_pages;
	row->upper_pages = row->size_pages;
	row->base_pages = row->size_pages;
	row->rule = rule;
}

static inline void poise_rule_frozen(const struct poise *p, const struct poise_vm *vm,
				     struct poise_row *row)
{
	(void)p;
	(void)vm;
	poise_row_hold(row, POISE_RULE_FROZEN);
}

/* A guest that has never reported may not have a balloon driver yet: it can grow, but not shrink.
 */
static inline void poise_rule_static(const struct poise *p, const struct poise_vm *vm,
				     struct poise_row *row)
{
	(void)p;
	poise_row_want(row, (int64_t)vm->config.boot_pages, POISE_RULE_STATIC);
	if (vm->state == POISE_VM_UNMANAGED) {
		row->desired_pages = poise_max(row->desired_pages, row->size_pages);
		row->base_pages = row->desired_pages;
	}
}

/* Old numbers are not acted on: an eighth of the way back to the boot size with each plan. */
static inline void poise_rule_stale(const struct poise *p, const struct poise_vm *vm,
				    struct poise_row *row)
{
	const int64_t size = (int64_t)row->size_pages;
	(void)p;
	poise_row_want(row, size + ((int64_t)vm->config.boot_pages - size) / 8, POISE_RULE_STALE);
}

/* The paper: needy if demand is larger than reclaimable memory, and then in need of the demand. */
static inline void poise_rule_equation(const struct poise *p, const struct poise_vm *vm,
				       struct poise_row *row)
{
	const int64_t delta = poise_plan_delta(vm);
	(void)p;
	poise_row_want(row, poise_row_in_use(vm) + delta, POISE_RULE_EQUATION);
	if (row->desired_pages > row->size_pages) {
		row->desired_pages = row->size_pages + (delta > 0 ? (uint64_t)delta : 0);
	}
}

/*
 * In need of what is missing, not of all that it will use; and a forecast of shrinking frees
 * nothing, as memory that was given back shows in R already.
 */
static inline void poise_rule_shortfall(const struct poise *p, const struct poise_vm *vm,
					struct poise_row *row)
{
	const int64_t delta = poise_plan_delta(vm);
	(void)p;
	poise_row_want(row, poise_row_in_use(vm) + (delta > 0 ? delta : 0), POISE_RULE_SHORTFALL);
}

static inline void poise_rule_pressure(const struct poise *p, const struct poise_vm *vm,
				       struct poise_row *row)
{
	(void)p;
	if (vm->forecast.pressure_pages > 0) {
		row->desired_pages += vm->forecast.pressure_pages;
		row->rule = POISE_RULE_PRESSURE;
	}
}

/* What an urgent guest can still have by itself, it need not be given; but nothing is taken from it
 * now. */
static inline void poise_rule_urgent(const struct poise *p, const struct poise_vm *vm,
				     struct poise_row *row)
{
	if (vm->urgent == 0) {
		return;
	}
	const int64_t own = poise_plan_reclaimable(vm) - poise_plan_delta(vm);
	const uint64_t step = poise_permille(p->config.pool_pages, p->config.urgent_permille);
	const uint64_t least = row->size_pages + poise_over(step, own > 0 ? (uint64_t)own : 0);
	if (row->desired_pages < least) {
		row->desired_pages = least;
		row->rule = POISE_RULE_URGENT;
	}
}

static inline void poise_rule_idle_tax(const struct poise *p, const struct poise_vm *vm,
				       struct poise_row *row)
{
	(void)vm;
	if (row->desired_pages < row->size_pages) {
		row->desired_pages =
			row->size_pages - poise_permille(row->size_pages - row->desired_pages,
							 p->config.idle_tax_permille);
		row->rule = POISE_RULE_IDLE_TAX;
	}
}

static inline void poise_rule_dead_band(const struct poise *p, const struct poise_vm *vm,
					struct poise_row *row)
{
	const uint64_t band = poise_permille(row->size_pages, p->config.dead_band_permille);
	const uint64_t change = poise_over(row->desired_pages, row->size_pages) +
				poise_over(row->size_pages, row->desired_pages);
	if (vm->urgent == 0 && change != 0 && change < band) {
		row->desired_pages = row->size_pages;
		row->rule = POISE_RULE_DEAD_BAND;
	}
}

/* What the guest asks to keep, but never more than it booted with: no guest hoards by its word
 * alone. */
static inline void poise_rule_floor(const struct poise *p, const struct poise_vm *vm,
				    struct poise_row *row)
{
	const uint64_t most = poise_min(vm->config.boot_pages, row->upper_pages);
	const uint64_t floor = poise_min(vm->last.body.floor_pages, most);
	(void)p;
	if (floor > row->lower_pages) {
		row->lower_pages = floor;
		row->rule = POISE_RULE_FLOOR;
	}
}

static inline void poise_rule_slew(const struct poise *p, const struct poise_vm *vm,
				   struct poise_row *row)
{
	const uint64_t most = poise_permille(row->size_pages, p->config.slew_permille) *
			      p->plan.elapsed_ms / 1000;
	(void)vm;
	row->lower_pages = poise_max(row->lower_pages, poise_over(row->size_pages, most));
}

static inline void poise_rule_bounds(const struct poise *p, const struct poise_vm *vm,
				     struct poise_row *row)
{
	(void)p;
	(void)vm;
	if (row->desired_pages < row->lower_pages || row->desired_pages > row->upper_pages) {
		/* Above its limit, which was lowered, a VM gets there as fast as it may shrink. */
		row->desired_pages = poise_max(poise_min(row->desired_pages, row->upper_pages),
					       row->lower_pages);
		row->rule = POISE_RULE_BOUNDS;
	}
}

static inline void poise_rule_back_off(const struct poise *p, const struct poise_vm *vm,
				       struct poise_row *row)
{
	if (p->now_ms < vm->quiet_ms) {
		poise_row_hold(row, POISE_RULE_BACK_OFF);
	}
}

#endif
