/* SPDX-License-Identifier: MIT */
/*
 * Policy `poise`: the default. The rules of rules.h shape each VM's row; then the rows are weighed
 * against each other: if memory suffices, the needy get what they lack, first from free memory,
 * then from the donors as in equation (4); if it does not, everybody gets its reservation and a
 * weighted share of the rest, nobody more than it needs. With POISE_RULES_NEUTRAL switched off,
 * this is policy `paper`; DESIGN.md lists what still differs.
 */
#include "rules.h"

/* `off`: poise_config.rules_off. */
static bool on(uint32_t off, uint32_t rule)
{
	return (off & POISE_RULE_BIT(rule)) == 0;
}

/* What the VM should have, going by what is known of it. */
static void shape_by_state(const struct poise *p, const struct poise_vm *vm, struct poise_row *row)
{
	const uint32_t off = p->config.rules_off;
	if (vm->state == POISE_VM_FROZEN || vm->unsent != 0) {
		poise_rule_frozen(p, vm, row);
	} else if (vm->state == POISE_VM_STALE) {
		poise_rule_stale(p, vm, row);
	} else if (vm->state != POISE_VM_MANAGED || (vm->config.flags & POISE_VM_STATIC) != 0) {
		poise_rule_static(p, vm, row);
	} else {
		if (on(off, POISE_RULE_SHORTFALL)) {
			poise_rule_shortfall(p, vm, row);
		} else {
			poise_rule_equation(p, vm, row);
		}
		if (on(off, POISE_RULE_PRESSURE)) {
			poise_rule_pressure(p, vm, row);
		}
		if (on(off, POISE_RULE_URGENT)) {
			poise_rule_urgent(p, vm, row);
		}
	}
}

/* How far it may move in this plan. */
static void shape_by_limits(const struct poise *p, const struct poise_vm *vm, struct poise_row *row)
{
	const uint32_t off = p->config.rules_off;
	if (on(off, POISE_RULE_IDLE_TAX)) {
		poise_rule_idle_tax(p, vm, row);
	}
	if (on(off, POISE_RULE_DEAD_BAND)) {
		poise_rule_dead_band(p, vm, row);
	}
	if (on(off, POISE_RULE_FLOOR)) {
		poise_rule_floor(p, vm, row);
	}
	if (on(off, POISE_RULE_SLEW)) {
		poise_rule_slew(p, vm, row);
	}
	poise_rule_bounds(p, vm, row);
	if (on(off, POISE_RULE_BACK_OFF)) {
		poise_rule_back_off(p, vm, row);
	}
}

/*
 * Enough for all: the donors give what the needy lack, each in proportion to what it can spare.
 * Returns the sum of what is taken.
 */
static uint64_t share_plenty(struct poise_plan *plan, uint64_t spare, uint64_t lacking)
{
	uint64_t taken = 0;
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		struct poise_row *row = &plan->row[i];
		row->goal_pages = row->desired_pages;
		if (row->desired_pages < row->size_pages) {
			const uint64_t idle = row->size_pages - row->desired_pages;
			/* A VM above its limit gets there whether or not somebody needs the memory.
			 */
			const uint64_t part = row->size_pages > row->upper_pages
						      ? idle
						      : poise_plan_split(idle, spare, lacking);
			row->goal_pages = row->size_pages - part;
			taken += part;
		}
	}
	return taken;
}

/*
 * Not enough: reservations first, then the rest by weight. Without rule FAIR what somebody has and
 * needs is not touched, as in the paper. Returns the sum of what is taken.
 */
static uint64_t share_shortage(const struct poise *p, struct poise_plan *plan)
{
	uint64_t taken = 0;
	int64_t amount = plan->available_pages;
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		struct poise_row *row = &plan->row[i];
		if (!on(p->config.rules_off, POISE_RULE_FAIR)) {
			row->base_pages = row->size_pages;
		}
		row->base_pages = poise_min(row->base_pages, row->desired_pages);
		amount += (int64_t)row->size_pages - (int64_t)row->base_pages;
	}
	poise_plan_fill(plan, amount > 0 ? (uint64_t)amount : 0);
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		struct poise_row *row = &plan->row[i];
		if (row->goal_pages < row->size_pages) {
			row->goal_pages = poise_max(row->goal_pages,
						    poise_min(row->lower_pages, row->size_pages));
			taken += row->size_pages - row->goal_pages;
		}
	}
	return taken;
}

void poise_plan_poise(const struct poise *p, struct poise_plan *plan)
{
	uint64_t lacking = 0;
	uint64_t spare = 0;
	uint64_t urgent = 0;
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		const struct poise_vm *vm = &p->vm[i];
		struct poise_row *row = &plan->row[i];
		if (vm->state != POISE_VM_EMPTY) {
			shape_by_state(p, vm, row);
			shape_by_limits(p, vm, row);
			lacking += poise_over(row->desired_pages, row->size_pages);
			spare += poise_over(row->size_pages, row->desired_pages);
			urgent += vm->urgent != 0 ? poise_over(row->desired_pages, row->size_pages)
						  : 0;
		}
	}
	/* The reserve is opened for what the urgent lack, not for what the others do. */
	plan->available_pages -= (int64_t)poise_over(poise_ledger_reserve(p), urgent);
	const int64_t missing = (int64_t)lacking - plan->available_pages;
	const uint64_t taken =
		missing <= (int64_t)spare
			? share_plenty(plan, spare, missing > 0 ? (uint64_t)missing : 0)
			: share_shortage(p, plan);
	poise_plan_cover(plan, plan->available_pages + (int64_t)taken);
}
