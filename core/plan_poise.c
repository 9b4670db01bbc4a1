/* SPDX-License-Identifier: MIT */
/*
 * Policy `poise`: the default. The rules of rules.h shape each VM's row; then the rows are weighed
 * against each other: if memory suffices, the needy get what they lack, first from free memory,
 * then from the donors as in equation (4); if it does not, everybody is entitled to what it needs
 * up to its reservation and its weighted part of the rest, and gets there without haste. With
 * POISE_RULES_NEUTRAL switched off, this is policy `paper`; DESIGN.md lists what still differs.
 */
#include "rules.h"

/* A VM that lacks more than this part of its base is not to wait for it. */
#define OWED_PART 8

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
	row->needed_pages = row->desired_pages;
	if (on(off, POISE_RULE_TIGHT)) {
		poise_rule_tight(p, vm, row);
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
 * Not enough: where each row's share of the memory starts and where it ends. Everybody is entitled
 * to what it needs, up to its reservation and its weighted part of all that is beyond the
 * reservations. The rest goes towards what the others need or, if there is enough for that, towards
 * what they desire. Without rule FAIR what somebody has and needs is not touched, as in the paper.
 * Returns how much there is beyond the bases.
 */
static uint64_t find_bases(const struct poise *p, struct poise_plan *plan)
{
	const bool fair = on(p->config.rules_off, POISE_RULE_FAIR);
	int64_t amount = plan->available_pages;
	uint64_t reserved = 0;
	uint64_t weights = 0;
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		amount += (int64_t)plan->row[i].size_pages;
		reserved += plan->row[i].base_pages;
		weights += p->vm[i].config.weight;
	}
	const uint64_t all = amount > 0 ? (uint64_t)amount : 0;
	uint64_t needed = 0;
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		struct poise_row *row = &plan->row[i];
		const uint64_t part =
			poise_over(all, reserved) * p->vm[i].config.weight / poise_max(weights, 1);
		row->base_pages = fair ? row->base_pages + part : row->size_pages;
		if (on(p->config.rules_off, POISE_RULE_CLAIM)) {
			poise_rule_claim(p, &p->vm[i], row);
		}
		row->base_pages = poise_min(row->base_pages, row->needed_pages);
		needed += row->needed_pages;
	}
	uint64_t based = 0;
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		struct poise_row *row = &plan->row[i];
		row->entitled_pages = row->base_pages;
		if (needed <= all) {
			row->base_pages = row->needed_pages;
		} else {
			row->desired_pages = row->needed_pages;
		}
		based += row->base_pages;
	}
	return poise_over(all, based);
}

/*
 * What has to come at once: a debt, what VMs need to start, half of what an urgent one is to get
 * (it may not need all, and asks again), and what the others lack of their due if that is much; the
 * last by ticks only. Sets `wanted` to what the givers want themselves of the memory they are to
 * lose; the rest of it covers part of the answer.
 */
static int64_t find_owed(const struct poise *p, const struct poise_plan *plan, uint64_t *wanted)
{
	int64_t owed = -plan->available_pages;
	*wanted = 0;
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		const struct poise_row *row = &plan->row[i];
		const uint64_t lacks = poise_over(row->entitled_pages, row->size_pages);
		if (row->kept != 0) {
			continue;
		}
		if (p->vm[i].state == POISE_VM_UNMANAGED ||
		    (plan->early == 0 && lacks > row->entitled_pages / OWED_PART)) {
			owed += (int64_t)lacks;
		} else if (p->vm[i].urgent != 0) {
			owed += (int64_t)poise_over(row->goal_pages, row->size_pages) / 2;
		}
		const uint64_t loses = poise_over(row->size_pages, row->goal_pages);
		const uint64_t part =
			poise_min(loses, poise_over(row->desired_pages, row->goal_pages));
		owed -= (int64_t)(loses - part);
		*wanted += part;
	}
	return owed;
}

/* Whether a VM that calls for help has less than its due. */
static bool due_lacks(const struct poise *p, const struct poise_plan *plan)
{
	bool lacks = false;
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		const struct poise_row *row = &plan->row[i];
		lacks |= p->vm[i].urgent != 0 && row->size_pages < row->entitled_pages;
	}
	return lacks;
}

/* Whether the others fall short while those who are near their goals keep what they have. */
static bool kept_too_much(const struct poise_plan *plan)
{
	int64_t missing = -plan->available_pages;
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		const struct poise_row *row = &plan->row[i];
		if (row->kept == 0) {
			missing += (int64_t)row->goal_pages - (int64_t)row->size_pages;
		}
	}
	return missing > 0;
}

/* Not enough for all. Returns the sum of what is taken. */
static uint64_t share_shortage(const struct poise *p, struct poise_plan *plan)
{
	const uint32_t off = p->config.rules_off;
	poise_plan_fill(plan, find_bases(p, plan));
	for (uint32_t i = 0; i < POISE_VM_MAX && on(off, POISE_RULE_DEAD_BAND); i++) {
		poise_rule_near(p, &p->vm[i], &plan->row[i]);
	}
	if ((plan->early == 0 || due_lacks(p, plan)) && kept_too_much(plan)) {
		for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
			struct poise_row *row = &plan->row[i];
			row->kept &= row->goal_pages >= row->size_pages;
		}
	}
	uint64_t wanted;
	const int64_t owed = find_owed(p, plan, &wanted);
	const uint64_t due = owed > 0 ? (uint64_t)owed : 0;
	uint64_t taken = 0;
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		struct poise_row *row = &plan->row[i];
		if (row->kept != 0) {
			row->goal_pages = row->size_pages;
		} else if (row->goal_pages < row->size_pages) {
			if (on(off, POISE_RULE_GENTLE)) {
				poise_rule_gentle(p, &p->vm[i], row, wanted, due);
			}
			row->goal_pages = poise_max(row->goal_pages,
						    poise_min(row->lower_pages, row->size_pages));
			taken += row->size_pages - row->goal_pages;
		}
	}
	return taken;
}

/* As poise_plan_cover, but when there is not enough everybody gets the same part of what it was
 * to get. */
static void cover_alike(struct poise_plan *plan, int64_t available)
{
	const uint64_t most = available > 0 ? (uint64_t)available : 0;
	uint64_t given = 0;
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		given += poise_over(plan->row[i].goal_pages, plan->row[i].size_pages);
	}
	for (uint32_t i = 0; i < POISE_VM_MAX && given > most; i++) {
		struct poise_row *row = &plan->row[i];
		if (row->goal_pages > row->size_pages) {
			row->goal_pages =
				row->size_pages +
				poise_plan_split(row->goal_pages - row->size_pages, given, most);
		}
	}
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
	/* The reserve is opened for what the urgent lack, not for what the others do; but it is
	 * filled with what is free or idle only, not with what somebody wants. */
	const int64_t room = plan->available_pages + (int64_t)spare - (int64_t)lacking;
	const int64_t most = room > plan->available_pages ? room : plan->available_pages;
	const int64_t reserve = (int64_t)poise_over(poise_ledger_reserve(p), urgent);
	const int64_t keep = reserve < most ? reserve : most > 0 ? most : 0;
	plan->available_pages -= keep;
	const int64_t missing = (int64_t)lacking - plan->available_pages;
	const uint64_t taken =
		room >= keep ? share_plenty(plan, spare, missing > 0 ? (uint64_t)missing : 0)
			     : share_shortage(p, plan);
	const int64_t covered = plan->available_pages + (int64_t)taken;
	if (on(p->config.rules_off, POISE_RULE_FAIR)) {
		cover_alike(plan, covered);
	} else {
		poise_plan_cover(plan, covered);
	}
}
