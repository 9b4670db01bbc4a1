/* SPDX-License-Identifier: MIT */
/*
 * The rules of policy `poise`, each one function that shapes one VM's demand: what it should have
 * (desired) and how far it may move in this plan (lower, upper); and what a shortage makes of it.
 * They see one VM and nothing of the others; plan_poise.c puts them in order and weighs the VMs.
 * In a header, so that plan_poise.c compiles into one function and the tests can call each rule
 * alone.
 */
#ifndef POISE_RULES_H
#define POISE_RULES_H

#include "internal.h"

/* Sets what a VM should have; a wish below nothing is a wish for nothing. */
static inline void poise_demand_want(struct poise_demand *d, int64_t pages, uint32_t rule)
{
	d->desired_pages = pages > 0 ? (uint64_t)pages : 0;
	d->rule = rule;
}

/* The VM is left as it is, whatever the others need. */
static inline void poise_demand_hold(struct poise_demand *d, const struct poise_vm *vm,
				     uint32_t rule)
{
	d->desired_pages = vm->target_pages;
	d->lower_pages = vm->target_pages;
	d->upper_pages = vm->target_pages;
	d->own_pages = vm->target_pages;
	d->rule = rule;
}

/* Whether anything is known of what the VM needs. */
static inline bool poise_vm_measured(const struct poise_vm *vm)
{
	return vm->state == POISE_VM_MANAGED && (vm->config.flags & POISE_VM_STATIC) == 0;
}

/*
 * Nothing is known of it: it keeps its boot size, and that much is its own if it does not report at
 * all. What such a guest has beyond goes by an eighth with each plan, as it may just have come.
 */
static inline void poise_rule_static(const struct poise_plan_input *in, const struct poise_vm *vm,
				     struct poise_demand *d)
{
	(void)in;
	poise_demand_want(d, (int64_t)vm->config.boot_pages, POISE_RULE_STATIC);
	if (vm->state == POISE_VM_UNMANAGED) {
		d->own_pages = d->desired_pages;
		d->desired_pages += poise_over(vm->target_pages, d->desired_pages) -
				    poise_over(vm->target_pages, d->desired_pages) / 8;
	}
}

/*
 * Old numbers are not acted on: in equal steps back to the boot size, so that the VM is there when
 * it is frozen. Others have no claim to what it gets on the way.
 */
static inline void poise_rule_stale(const struct poise_plan_input *in, const struct poise_vm *vm,
				    struct poise_demand *d)
{
	const uint64_t frozen_ms =
		vm->sample_ms + (uint64_t)in->config->freeze_intervals * in->config->interval_ms;
	const int64_t steps =
		(int64_t)(poise_over(frozen_ms, in->now_ms + 1) / in->config->interval_ms) + 1;
	const int64_t size = (int64_t)vm->target_pages;
	poise_demand_want(d, size + ((int64_t)vm->config.boot_pages - size) / steps,
			  POISE_RULE_STALE);
	d->own_pages = d->desired_pages;
}

/* The paper: needy if demand is larger than reclaimable memory, and then in need of the demand. */
static inline void poise_rule_equation(const struct poise_plan_input *in, const struct poise_vm *vm,
				       struct poise_demand *d)
{
	const int64_t delta = poise_plan_delta(vm);
	const int64_t in_use = (int64_t)vm->forecast.size_pages - poise_plan_reclaimable(vm);
	(void)in;
	poise_demand_want(d, in_use + delta, POISE_RULE_EQUATION);
	if (d->desired_pages > vm->target_pages) {
		d->desired_pages = vm->target_pages + (delta > 0 ? (uint64_t)delta : 0);
	}
}

/*
 * In need of what is missing, not of all that it will use; and a forecast of shrinking frees
 * nothing, as memory that its guest has freed shows in R already. Between two programs, or two
 * phases of one, it keeps for a while what it had in use.
 */
static inline void poise_rule_shortfall(const struct poise_plan_input *in,
					const struct poise_vm *vm, struct poise_demand *d)
{
	const int64_t delta = poise_plan_delta(vm);
	(void)in;
	poise_demand_want(d, (int64_t)vm->forecast.peak_in_use_pages + (delta > 0 ? delta : 0),
			  POISE_RULE_SHORTFALL);
}

/* What its guest reads back, or has promised, beyond what is in use. */
static inline uint64_t poise_vm_refaults(const struct poise_plan_input *in,
					 const struct poise_vm *vm)
{
	const bool off = (in->config->rules_off & POISE_RULE_BIT(POISE_RULE_PRESSURE)) != 0;
	return off ? 0 : vm->forecast.refault_pages + vm->forecast.promised_pages;
}

static inline void poise_rule_pressure(const struct poise_plan_input *in, const struct poise_vm *vm,
				       struct poise_demand *d)
{
	const uint64_t pages = poise_vm_refaults(in, vm);
	if (pages > 0) {
		d->desired_pages += pages;
		d->rule = POISE_RULE_PRESSURE;
	}
}

/* What an urgent guest can still have by itself, it need not grow by; but it does not shrink
 * now. */
static inline void poise_rule_urgent(const struct poise_plan_input *in, const struct poise_vm *vm,
				     struct poise_demand *d)
{
	if (vm->urgent == 0) {
		return;
	}
	const int64_t own = poise_plan_reclaimable(vm) - poise_plan_delta(vm);
	/* In a large pool the small ones must not leap. */
	const uint64_t step =
		poise_min(poise_permille(in->config->pool_pages, in->config->urgent_permille),
			  vm->target_pages / 32);
	const uint64_t least = vm->target_pages + poise_over(step, own > 0 ? (uint64_t)own : 0);
	if (d->desired_pages < least) {
		d->desired_pages = least;
		d->rule = POISE_RULE_URGENT;
	}
}

static inline void poise_rule_idle_tax(const struct poise_plan_input *in, const struct poise_vm *vm,
				       struct poise_demand *d)
{
	(void)vm;
	if (d->desired_pages < vm->target_pages) {
		d->desired_pages =
			vm->target_pages - poise_permille(vm->target_pages - d->desired_pages,
							  in->config->idle_tax_permille);
		d->rule = POISE_RULE_IDLE_TAX;
	}
}

static inline void poise_rule_dead_band(const struct poise_plan_input *in,
					const struct poise_vm *vm, struct poise_demand *d)
{
	const uint64_t band = poise_permille(vm->target_pages, in->config->dead_band_permille);
	const uint64_t change = poise_apart(d->desired_pages, vm->target_pages);
	/* What is known of others is where they are to go: they grow there to the last page. */
	const bool exact = d->desired_pages > vm->target_pages && !poise_vm_measured(vm);
	if (vm->urgent == 0 && !exact && change != 0 && change < band) {
		d->desired_pages = vm->target_pages;
		d->rule = POISE_RULE_DEAD_BAND;
	}
}

/* What the guest asks to keep, but never more than it booted with: no guest hoards by its word
 * alone. */
static inline void poise_rule_floor(const struct poise_plan_input *in, const struct poise_vm *vm,
				    struct poise_demand *d)
{
	const uint64_t most = poise_min(vm->config.boot_pages, d->upper_pages);
	const uint64_t floor = poise_min(vm->last.body.floor_pages, most);
	(void)in;
	if (floor > d->lower_pages) {
		d->lower_pages = floor;
		d->lower_rule = POISE_RULE_FLOOR;
		d->has_floor = 1;
	}
}

/* From its size after the last tick on, however many plans are made meanwhile. */
static inline void poise_rule_slew(const struct poise_plan_input *in, const struct poise_vm *vm,
				   struct poise_demand *d)
{
	const uint64_t most =
		poise_permille(vm->ticked_pages, in->config->slew_permille) * in->elapsed_ms / 1000;
	const uint64_t lower = poise_min(poise_over(vm->ticked_pages, most), vm->target_pages);
	if (lower > d->lower_pages) {
		d->lower_pages = lower;
		d->lower_rule = POISE_RULE_SLEW;
	}
}

static inline void poise_rule_bounds(const struct poise_plan_input *in, const struct poise_vm *vm,
				     struct poise_demand *d)
{
	(void)in;
	(void)vm;
	if (d->desired_pages > d->upper_pages) {
		d->desired_pages = d->upper_pages;
		d->rule = POISE_RULE_BOUNDS;
	}
	/* Above its limit, which was lowered, a VM gets there as fast as it may shrink. */
	if (d->desired_pages < d->lower_pages) {
		d->desired_pages = d->lower_pages;
		d->rule = d->lower_rule;
	}
}

static inline void poise_rule_back_off(const struct poise_plan_input *in, const struct poise_vm *vm,
				       struct poise_demand *d)
{
	if (in->now_ms < vm->backoff_end_ms) {
		poise_demand_hold(d, vm, POISE_RULE_BACK_OFF);
	}
}

/*
 * What the VM cannot do without: neither the headroom of equation (3), nor what its guest calls
 * available beyond that. Cache that is read back shows as refaults. After a leap the forecast
 * expects another, which few programs make; where the guest can call, half of it is enough. An
 * urgent VM is spared, unless its guest declares a floor.
 */
static inline uint64_t poise_minimum_demand(const struct poise_plan_input *in,
					    const struct poise_vm *vm, const struct poise_demand *d)
{
	const struct poise_abi_guest *b = &vm->last.body;
	const bool can_call = (vm->last.features & POISE_GF_URGENT) != 0;
	const int64_t leap = can_call ? poise_plan_delta(vm) / 2 : 0;
	const uint64_t comfort =
		poise_permille(vm->target_pages, in->config->headroom_permille) +
		poise_over(b->available_pages, b->free_pages + b->inactive_file_pages) +
		(leap > 0 ? (uint64_t)leap : 0);
	if (d->rule == POISE_RULE_URGENT && d->has_floor == 0) {
		return d->desired_pages;
	}
	return poise_max(poise_over(d->desired_pages, comfort),
			 poise_min(d->lower_pages, d->desired_pages));
}

/*
 * What it reads back gives a VM no claim to more than its entitlement: who thrashes beyond that
 * would only make another one thrash, and who lies would rob it. Returns what is left of `need`.
 */
static inline uint64_t poise_rule_claim(const struct poise_plan_input *in,
					const struct poise_vm *vm, const struct poise_demand *d,
					uint64_t need, uint64_t entitlement)
{
	const uint64_t least = poise_max(poise_over(need, poise_vm_refaults(in, vm)),
					 poise_min(d->lower_pages, need));
	return poise_max(poise_min(need, entitlement), least);
}

/*
 * Whether a goal is close by and left alone; the more so if it is back where the VM came from, as
 * memory that goes to and fro costs a swap each time. What it is entitled to is no way back, and
 * for an urgent VM nothing is too near.
 */
static inline bool poise_rule_in_band(const struct poise_plan_input *in, const struct poise_vm *vm,
				      const struct poise_row *row)
{
	const struct poise_demand *d = &row->demand;
	const uint64_t change = poise_apart(row->goal_pages, row->size_pages);
	const bool grows = row->goal_pages > row->size_pages;
	const bool lacks = row->size_pages < row->share.entitlement_pages;
	const bool reversal = grows != (vm->last_direction != 0);
	const uint64_t bands = vm->urgent != 0 || lacks ? 0 : reversal ? 28 : 8;
	/* A small one that was large has not become more exact. */
	const uint64_t size = poise_max(row->size_pages, vm->config.boot_pages);
	const uint64_t band = bands * poise_permille(size, in->config->dead_band_permille);
	/* As far as a tick lets it go is not near: the goal may be far beyond. */
	const bool cut = in->early == 0 && row->goal_pages <= d->lower_pages &&
			 d->lower_pages > vm->config.min_pages;
	const bool exact = grows && !poise_vm_measured(vm);
	return change < band && !cut && !exact && row->size_pages >= vm->config.min_pages &&
	       row->size_pages <= d->upper_pages;
}

/*
 * What the VM desires itself, `upto` pages, is reclaimed by a 64th a second only, and by ticks
 * only; but by its part of `immediate` pages it shrinks at once, as one of those who are to lose
 * `in_use` such pages in all.
 */
static inline void poise_reclaim_rate(const struct poise_plan_input *in, struct poise_row *row,
				      uint64_t upto, uint64_t in_use, uint64_t immediate)
{
	const uint64_t desired = poise_min(row->size_pages, upto);
	const uint64_t excess = poise_over(desired, row->goal_pages);
	/* Rounded up, or a few pages would be missing for ever. */
	const uint64_t now =
		poise_min(excess, poise_share_part(excess, in_use, immediate) + (immediate != 0));
	const uint64_t later = (excess - now) / 64 * in->elapsed_ms / 1000;
	const uint64_t least = poise_over(desired, now + (in->early != 0 ? 0 : later));
	if (row->goal_pages < least) {
		row->goal_pages = least;
		row->rule = POISE_RULE_GENTLE;
	}
}

#endif
