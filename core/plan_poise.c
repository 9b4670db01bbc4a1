/* SPDX-License-Identifier: MIT */
/*
 * Policy `poise`: the default. The rules of rules.h shape each VM's row; then the rows are weighed
 * against each other: if memory suffices, the needy get what they lack, first from free memory,
 * then from the donors as in equation (4); if it does not, everybody is entitled to what it needs
 * up to its reservation and its weighted part of the rest, and gets there without haste. With
 * POISE_RULES_NEUTRAL switched off, this is policy `paper`; DESIGN.md lists what still differs.
 */
#include "rules.h"

/* A VM that lacks more than this part of its entitlement is not to wait for it. */
#define IMMEDIATE_PART 8

/* `off`: poise_config.rules_off. */
static bool on(uint32_t off, uint32_t rule)
{
	return (off & POISE_RULE_BIT(rule)) == 0;
}

/* What the VM should have, going by what is known of it. */
static void shape_by_state(const struct poise_plan_input *in, const struct poise_vm *vm,
			   struct poise_demand *d)
{
	const uint32_t off = in->config->rules_off;
	if (vm->unsent != 0 || vm->state == POISE_VM_FROZEN) {
		poise_demand_hold(d, vm, vm->unsent != 0 ? POISE_RULE_REPEATED : POISE_RULE_FROZEN);
	} else if (vm->state == POISE_VM_STALE) {
		poise_rule_stale(in, vm, d);
	} else if (!poise_vm_measured(vm)) {
		poise_rule_static(in, vm, d);
	} else {
		if (on(off, POISE_RULE_SHORTFALL)) {
			poise_rule_shortfall(in, vm, d);
		} else {
			poise_rule_equation(in, vm, d);
		}
		if (on(off, POISE_RULE_PRESSURE)) {
			poise_rule_pressure(in, vm, d);
		}
		if (on(off, POISE_RULE_URGENT)) {
			poise_rule_urgent(in, vm, d);
		}
	}
}

/* How far it may move in this plan. */
static void shape_by_limits(const struct poise_plan_input *in, const struct poise_vm *vm,
			    struct poise_demand *d)
{
	const uint32_t off = in->config->rules_off;
	if (on(off, POISE_RULE_IDLE_TAX)) {
		poise_rule_idle_tax(in, vm, d);
	}
	if (on(off, POISE_RULE_DEAD_BAND)) {
		poise_rule_dead_band(in, vm, d);
	}
	if (on(off, POISE_RULE_FLOOR)) {
		poise_rule_floor(in, vm, d);
	}
	if (on(off, POISE_RULE_SLEW)) {
		poise_rule_slew(in, vm, d);
	}
	poise_rule_bounds(in, vm, d);
	if (on(off, POISE_RULE_BACK_OFF)) {
		poise_rule_back_off(in, vm, d);
	}
}

/* Of all VMs together. */
struct totals {
	uint64_t size_pages, own_pages, weights;
};

/*
 * Not enough: what each needs and what it is entitled to, which is what it needs, up to its
 * reservation and its weighted part of all that is beyond the reservations. Every goal starts
 * there; the rest goes towards what the others need or, if there is enough for that, towards what
 * they desire. Without rule FAIR what somebody has and needs is not touched, as in the paper.
 * Returns how much there is to share out beyond that.
 */
static uint64_t find_shares(const struct poise_plan_input *in, struct poise_plan *plan,
			    const struct totals *sum)
{
	const uint32_t off = in->config->rules_off;
	const bool fair = on(off, POISE_RULE_FAIR);
	const int64_t amount = plan->available_pages + (int64_t)sum->size_pages;
	const uint64_t all = amount > 0 ? (uint64_t)amount : 0;
	uint64_t needed = 0;
	uint64_t started = 0;
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		const struct poise_vm *vm = &in->vm[i];
		struct poise_row *row = &plan->row[i];
		const struct poise_demand *d = &row->demand;
		if (vm->state == POISE_VM_EMPTY) {
			continue;
		}
		const uint64_t part = poise_over(all, sum->own_pages) * row->weight / sum->weights;
		const uint64_t entitlement = fair ? d->own_pages + part : vm->target_pages;
		const bool measured = poise_vm_measured(vm);
		uint32_t rule = d->rule;
		uint64_t need = d->desired_pages;
		if (measured && on(off, POISE_RULE_TIGHT)) {
			need = poise_minimum_demand(in, vm, d);
			rule = need < d->desired_pages ? POISE_RULE_TIGHT : rule;
		}
		if (measured && on(off, POISE_RULE_CLAIM)) {
			const uint64_t claim = poise_rule_claim(in, vm, d, need, entitlement);
			rule = claim < need ? POISE_RULE_CLAIM : rule;
			need = claim;
		}
		row->rule = rule;
		row->share.most_pages = need;
		row->share.entitlement_pages = poise_min(entitlement, need);
		row->goal_pages = row->share.entitlement_pages;
		started += row->goal_pages;
		needed += need;
	}
	if (needed > all) {
		return poise_over(all, started);
	}
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		struct poise_row *row = &plan->row[i];
		row->goal_pages = row->share.most_pages;
		row->share.most_pages = row->demand.desired_pages;
		row->rule = row->demand.rule;
	}
	return all - needed;
}

/*
 * What has to come at once: a debt, what VMs need to start, half of what an urgent one is to get
 * (it may not need all, and asks again), and what the others lack of their entitlement if that is
 * much; the last by ticks only. Sets `in_use` to what those who shrink want themselves of the
 * memory that they are to lose; the rest of it covers part of the answer.
 */
static uint64_t find_immediate_demand(const struct poise_plan_input *in,
				      const struct poise_plan *plan, uint64_t *in_use)
{
	int64_t demand = -plan->available_pages;
	*in_use = 0;
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		const struct poise_row *row = &plan->row[i];
		const uint64_t entitlement = plan->row[i].share.entitlement_pages;
		const uint64_t lacks = poise_over(entitlement, row->size_pages);
		if (row->suppressed != 0) {
			continue;
		}
		if (in->vm[i].state == POISE_VM_UNMANAGED ||
		    (in->early == 0 && lacks > entitlement / IMMEDIATE_PART)) {
			demand += (int64_t)lacks;
		} else if (in->vm[i].urgent != 0) {
			demand += (int64_t)poise_over(row->goal_pages, row->size_pages) / 2;
		}
		const uint64_t loses = poise_over(row->size_pages, row->goal_pages);
		const uint64_t part =
			poise_min(loses, poise_over(row->share.most_pages, row->goal_pages));
		demand -= (int64_t)(loses - part);
		*in_use += part;
	}
	return demand > 0 ? (uint64_t)demand : 0;
}

/* Whether a VM that calls for help has less than its entitlement. */
static bool urgent_lacks(const struct poise_plan_input *in, const struct poise_plan *plan)
{
	bool lacks = false;
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		lacks |= in->vm[i].urgent != 0 &&
			 plan->row[i].size_pages < plan->row[i].share.entitlement_pages;
	}
	return lacks;
}

/*
 * Those whose goals are near keep what they have; but where the others then fall short, they shrink
 * as well: at ticks, and for a VM that calls for help.
 */
static void suppress_in_band(const struct poise_plan_input *in, struct poise_plan *plan)
{
	int64_t missing = -plan->available_pages;
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		struct poise_row *row = &plan->row[i];
		row->suppressed = poise_rule_in_band(in, &in->vm[i], row);
		if (row->suppressed == 0) {
			missing += (int64_t)row->goal_pages - (int64_t)row->size_pages;
		}
	}
	if (missing <= 0 || (in->early != 0 && !urgent_lacks(in, plan))) {
		return;
	}
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		struct poise_row *row = &plan->row[i];
		row->suppressed &= row->goal_pages >= row->size_pages;
	}
}

/* Not enough for all. Returns the sum of what others shrink by. */
static uint64_t share_shortage(const struct poise_plan_input *in, struct poise_plan *plan,
			       const struct totals *sum)
{
	const uint32_t off = in->config->rules_off;
	poise_share_fill(plan, find_shares(in, plan, sum));
	if (on(off, POISE_RULE_DEAD_BAND)) {
		suppress_in_band(in, plan);
	}
	uint64_t in_use;
	const uint64_t immediate = find_immediate_demand(in, plan, &in_use);
	uint64_t shrunk = 0;
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		struct poise_row *row = &plan->row[i];
		const struct poise_demand *d = &row->demand;
		if (row->suppressed != 0) {
			row->rule = row->goal_pages != row->size_pages ? POISE_RULE_DEAD_BAND
								       : row->rule;
			row->goal_pages = row->size_pages;
		} else if (row->goal_pages < row->size_pages) {
			if (on(off, POISE_RULE_GENTLE)) {
				poise_reclaim_rate(in, row, row->share.most_pages, in_use,
						   immediate);
			}
			const uint64_t lower = poise_min(d->lower_pages, row->size_pages);
			if (row->goal_pages < lower) {
				row->goal_pages = lower;
				row->rule = d->lower_rule;
			}
			shrunk += row->size_pages - row->goal_pages;
		}
	}
	return shrunk;
}

void poise_plan_poise(const struct poise_plan_input *in, struct poise_plan *plan)
{
	const uint32_t off = in->config->rules_off;
	struct totals sum = {0};
	uint64_t lacking = 0;
	uint64_t spare = 0;
	uint64_t urgent = 0;
	for (uint32_t i = 0; i < POISE_VM_MAX; i++) {
		const struct poise_vm *vm = &in->vm[i];
		struct poise_demand *d = &plan->row[i].demand;
		if (vm->state != POISE_VM_EMPTY) {
			shape_by_state(in, vm, d);
			shape_by_limits(in, vm, d);
			const uint64_t lacks = poise_over(d->desired_pages, vm->target_pages);
			lacking += lacks;
			spare += poise_over(vm->target_pages, d->desired_pages);
			urgent += vm->urgent != 0 ? lacks : 0;
			sum.size_pages += vm->target_pages;
			sum.own_pages += d->own_pages;
			sum.weights += plan->row[i].weight;
		}
	}
	/* The reserve is opened for what the urgent lack, not for what the others do; but it is
	 * filled with what is free or idle only, not with what somebody wants. */
	const int64_t room = plan->available_pages + (int64_t)spare - (int64_t)lacking;
	const int64_t most = room > plan->available_pages ? room : plan->available_pages;
	const int64_t reserve = (int64_t)poise_over(poise_reserve(in->config), urgent);
	const int64_t keep = reserve < most ? reserve : most > 0 ? most : 0;
	plan->available_pages -= keep;
	const int64_t missing = (int64_t)lacking - plan->available_pages;
	const uint64_t shrunk =
		room >= keep ? poise_share_shrink(plan, spare, missing > 0 ? (uint64_t)missing : 0,
						  missing <= keep ? POISE_RULE_RESERVE
								  : POISE_RULE_DONOR)
			     : share_shortage(in, plan, &sum);
	const int64_t covered = plan->available_pages + (int64_t)shrunk;
	if (on(off, POISE_RULE_FAIR)) {
		poise_share_cover_alike(plan, covered,
					keep > 0 ? POISE_RULE_RESERVE : POISE_RULE_COVERED);
	} else {
		poise_share_cover(plan, covered);
	}
}
