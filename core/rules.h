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

/* The VM is left as it is, whatever the others need. */
static inline void poise_row_hold(struct poise_row *row, uint32_t rule)
{
	row->desired_pages = row->size_pages;
	row->lower_pages = row->size_pages;
	row->upper_pages = row->size_pages;
	row->base_pages = row->size_pages;
	row->rule = rule;
}

/* Whether anything is known of what the VM needs. */
static inline bool poise_row_measured(const struct poise_vm *vm)
{
	return vm->state == POISE_VM_MANAGED && (vm->config.flags & POISE_VM_STATIC) == 0;
}

static inline void poise_rule_frozen(const struct poise *p, const struct poise_vm *vm,
				     struct poise_row *row)
{
	(void)p;
	(void)vm;
	poise_row_hold(row, POISE_RULE_FROZEN);
}

/*
 * Nothing is known of it: it keeps its boot size, and that much is its own if it does not report at
 * all. What such a guest has beyond goes by an eighth with each plan, as it may just have come.
 */
static inline void poise_rule_static(const struct poise *p, const struct poise_vm *vm,
				     struct poise_row *row)
{
	(void)p;
	poise_row_want(row, (int64_t)vm->config.boot_pages, POISE_RULE_STATIC);
	if (vm->state == POISE_VM_UNMANAGED) {
		row->base_pages = row->desired_pages;
		row->desired_pages += poise_over(row->size_pages, row->desired_pages) -
				      poise_over(row->size_pages, row->desired_pages) / 8;
	}
}

/*
 * Old numbers are not acted on: in equal steps back to the boot size, so that the VM is there when
 * it is frozen. Others have no claim to what it gets on the way.
 */
static inline void poise_rule_stale(const struct poise *p, const struct poise_vm *vm,
				    struct poise_row *row)
{
	const uint64_t frozen_ms =
		vm->sample_ms + (uint64_t)p->config.freeze_intervals * p->config.interval_ms;
	const int64_t steps =
		(int64_t)(poise_over(frozen_ms, p->now_ms + 1) / p->config.interval_ms) + 1;
	const int64_t size = (int64_t)row->size_pages;
	poise_row_want(row, size + ((int64_t)vm->config.boot_pages - size) / steps,
		       POISE_RULE_STALE);
	row->base_pages = row->desired_pages;
}

/* The paper: needy if demand is larger than reclaimable memory, and then in need of the demand. */
static inline void poise_rule_equation(const struct poise *p, const struct poise_vm *vm,
				       struct poise_row *row)
{
	const int64_t delta = poise_plan_delta(vm);
	const int64_t in_use = (int64_t)vm->forecast.size_pages - poise_plan_reclaimable(vm);
	(void)p;
	poise_row_want(row, in_use + delta, POISE_RULE_EQUATION);
	if (row->desired_pages > row->size_pages) {
		row->desired_pages = row->size_pages + (delta > 0 ? (uint64_t)delta : 0);
	}
}

/*
 * In need of what is missing, not of all that it will use; and a forecast of shrinking frees
 * nothing, as memory that was given back shows in R already. Between two programs, or two phases of
 * one, it keeps for a while what it had in use.
 */
static inline void poise_rule_shortfall(const struct poise *p, const struct poise_vm *vm,
					struct poise_row *row)
{
	const int64_t delta = poise_plan_delta(vm);
	(void)p;
	poise_row_want(row, (int64_t)vm->forecast.held_pages + (delta > 0 ? delta : 0),
		       POISE_RULE_SHORTFALL);
}

/* What its guest reads back, or has promised, beyond what is in use. */
static inline uint64_t poise_row_pressure(const struct poise *p, const struct poise_vm *vm)
{
	const bool off = (p->config.rules_off & POISE_RULE_BIT(POISE_RULE_PRESSURE)) != 0;
	return off || !poise_row_measured(vm)
		       ? 0
		       : vm->forecast.pressure_pages + vm->forecast.promised_pages;
}

static inline void poise_rule_pressure(const struct poise *p, const struct poise_vm *vm,
				       struct poise_row *row)
{
	const uint64_t pages = poise_row_pressure(p, vm);
	if (pages > 0) {
		row->desired_pages += pages;
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
	/* In a large pool the small ones must not leap. */
	const uint64_t step =
		poise_min(poise_permille(p->config.pool_pages, p->config.urgent_permille),
			  row->size_pages / 32);
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
	/* What is known of others is where they are to go: they grow there to the last page. */
	const bool exact = row->desired_pages > row->size_pages && !poise_row_measured(vm);
	if (vm->urgent == 0 && !exact && change != 0 && change < band) {
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

/* From its size after the last tick on, however many plans are made meanwhile. */
static inline void poise_rule_slew(const struct poise *p, const struct poise_vm *vm,
				   struct poise_row *row)
{
	const uint64_t most = poise_permille(vm->ticked_pages, p->config.slew_permille) *
			      p->plan.elapsed_ms / 1000;
	row->lower_pages = poise_max(
		row->lower_pages, poise_min(poise_over(vm->ticked_pages, most), row->size_pages));
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

/*
 * What the VM cannot do without: neither the headroom of equation (3), nor what its guest calls
 * available beyond that. Cache that is read back shows as pressure. After a leap the forecast
 * expects another, which few programs make; where the guest can call, half of it is enough.
 */
static inline void poise_rule_tight(const struct poise *p, const struct poise_vm *vm,
				    struct poise_row *row)
{
	const struct poise_abi_guest *b = &vm->last.body;
	const bool can_call = (vm->last.features & POISE_GF_URGENT) != 0;
	const int64_t leap = can_call ? poise_plan_delta(vm) / 2 : 0;
	const uint64_t comfort =
		poise_permille(row->size_pages, p->config.headroom_permille) +
		poise_over(b->available_pages, b->free_pages + b->inactive_file_pages) +
		(leap > 0 ? (uint64_t)leap : 0);
	if (poise_row_measured(vm) && row->rule != POISE_RULE_URGENT) {
		row->needed_pages = poise_max(poise_over(row->desired_pages, comfort),
					      poise_min(row->lower_pages, row->desired_pages));
	}
}

/*
 * What it reads back gives a VM no claim to more than its share, which is its base: who thrashes
 * beyond that would only make another one thrash, and who lies would rob it.
 */
static inline void poise_rule_claim(const struct poise *p, const struct poise_vm *vm,
				    struct poise_row *row)
{
	const uint64_t least = poise_max(poise_over(row->needed_pages, poise_row_pressure(p, vm)),
					 poise_min(row->lower_pages, row->needed_pages));
	row->needed_pages = poise_max(poise_min(row->needed_pages, row->base_pages), least);
}

/*
 * A goal close by is left alone; the more so if it is back where the VM came from, as memory that
 * goes to and fro costs a swap each time. What is its due is no way back, and for an urgent VM
 * nothing is too near.
 */
static inline void poise_rule_near(const struct poise *p, const struct poise_vm *vm,
				   struct poise_row *row)
{
	const uint64_t change = poise_over(row->goal_pages, row->size_pages) +
				poise_over(row->size_pages, row->goal_pages);
	const bool grows = row->goal_pages > row->size_pages;
	const bool due = row->size_pages < row->entitled_pages;
	const bool turns = grows != (vm->grew != 0);
	const uint64_t bands = vm->urgent != 0 || due ? 0 : turns ? 28 : 8;
	/* A small one that was large has not become more exact. */
	const uint64_t size = poise_max(row->size_pages, vm->config.boot_pages);
	const uint64_t band = bands * poise_permille(size, p->config.dead_band_permille);
	/* As far as a tick lets it go is not near: the goal may be far beyond. */
	const bool cut = p->plan.early == 0 && row->goal_pages <= row->lower_pages &&
			 row->lower_pages > vm->config.min_pages;
	const bool exact = grows && !poise_row_measured(vm);
	row->kept = change < band && !cut && !exact && row->size_pages >= vm->config.min_pages &&
		    row->size_pages <= row->upper_pages;
}

/*
 * What the VM wants itself is taken by a 64th a second only, and by ticks only; but of `due`
 * pages it gives its part at once, as one of those who are to lose `beyond` such pages in all.
 */
static inline void poise_rule_gentle(const struct poise *p, const struct poise_vm *vm,
				     struct poise_row *row, uint64_t beyond, uint64_t due)
{
	const uint64_t wanted = poise_min(row->size_pages, row->desired_pages);
	const uint64_t excess = poise_over(wanted, row->goal_pages);
	/* Rounded up, or a few pages would stay owed for ever. */
	const uint64_t now = poise_min(excess, poise_plan_split(excess, beyond, due) + (due != 0));
	const uint64_t later = (excess - now) / 64 * p->plan.elapsed_ms / 1000;
	(void)vm;
	row->goal_pages = poise_max(row->goal_pages,
				    poise_over(wanted, now + (p->plan.early != 0 ? 0 : later)));
}

#endif
